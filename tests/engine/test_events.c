#include "tests/engine/bed.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEP   CHR_RAMP_STEP
#define ORIGIN 1000u
#define N      64u

/* Frame times from which the tests start: plain, and across the wrap. */
static const uint32_t origins[] = {ORIGIN, UINT32_MAX - 100};

static struct bed *bed;

static void setup(void)
{
	bed = bed_create(&bed_probe, 1, 0, ORIGIN);
}

static void teardown(void)
{
	bed_destroy(bed);
}

START_TEST(event_lands_on_its_frame)
{
	struct bed *here = bed_create(&bed_probe, 1, 0, origins[_i]);
	for (uint32_t offset = 0; offset < 256; offset++) {
		uint32_t base = here->frame;
		bed_send_param(here, PARAM_LEVEL, 2.0f, base + offset, STEP);
		bed_cycle(here, 256);
		for (uint32_t i = 0; i < 256; i++)
			ck_assert_float_eq(here->out_buffer[PROBE_LEVEL][i], i < offset ? 1.0f : 2.0f);
		bed_send_param(here, PARAM_LEVEL, 1.0f, here->frame, STEP);
		bed_cycle(here, 64);
		ck_assert_float_eq(here->out_buffer[PROBE_LEVEL][0], 1.0f);
	}
	ck_assert_uint_eq(bed_status(&here->slot->status.applied), 512);
	ck_assert_uint_eq(bed_status(&here->slot->status.late), 0);
	bed_destroy(here);
}
END_TEST

START_TEST(event_waits_for_its_cycle)
{
	bed_send_param(bed, PARAM_LEVEL, 3.0f, ORIGIN + 700, STEP);
	bed_cycle(bed, 256);
	bed_cycle(bed, 256);
	ck_assert_uint_eq(bed_status(&bed->slot->status.applied), 0);
	bed_cycle(bed, 256);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][700 - 513], 1.0f);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][700 - 512], 3.0f);
}
END_TEST

START_TEST(late_event_is_applied_at_once_and_counted)
{
	bed_send_param(bed, PARAM_LEVEL, 2.0f, ORIGIN - 1, STEP);
	bed_send_param(bed, PARAM_LEVEL, 3.0f, ORIGIN + 90000, STEP);
	bed_send_param(bed, PARAM_DIRECT, 0.5f, ORIGIN - 2147483600u, STEP);
	bed_cycle(bed, 64);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][0], 2.0f);
	ck_assert_uint_eq(bed_status(&bed->slot->status.applied), 2);
	ck_assert_uint_eq(bed_status(&bed->slot->status.late), 2);
}
END_TEST

START_TEST(events_of_one_frame_keep_their_order)
{
	bed_send_param(bed, PARAM_LEVEL, 9.0f, ORIGIN + 20, STEP);
	for (int i = 0; i < 8; i++)
		bed_send_param(bed, PARAM_LEVEL, (float)i, ORIGIN + 10, STEP);
	bed_cycle(bed, 64);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][9], 1.0f);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][10], 7.0f);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][20], 9.0f);
}
END_TEST

START_TEST(ramps_by_default_by_parameter_and_by_event)
{
	bed_send_param(bed, PARAM_LEVEL, 2.0f, ORIGIN, 0);
	bed_cycle(bed, 480);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][119], 1.5f);
	ck_assert_float_lt(bed->out_buffer[PROBE_LEVEL][238], 2.0f);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][239], 2.0f);
	bed_send_param(bed, PARAM_LEVEL, 1.0f, bed->frame + 10, 100);
	bed_cycle(bed, 480);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][9], 2.0f);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][59], 1.5f);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][109], 1.0f);
	bed_send_param(bed, PARAM_DIRECT, 1.0f, bed->frame, 0);
	bed_send_param(bed, PARAM_SLOW, 1.0f, bed->frame, 0);
	bed_send_param(bed, PARAM_MODE, 2.0f, bed->frame, 1000);
	bed_cycle(bed, 100);
	ck_assert_float_eq(chr_smoother_value(&bed->rt->engine.param[PARAM_DIRECT]), 1.0f);
	ck_assert_uint_eq(bed->rt->engine.param[PARAM_SLOW].remaining, 860);
	ck_assert_float_eq(chr_smoother_value(&bed->rt->engine.param[PARAM_MODE]), 2.0f);
}
END_TEST

/* The same input and events, in cycles of any size, give the same samples and the same state. */
START_TEST(cutting_into_cycles_changes_no_bit)
{
	enum { FRAMES = 6000 };
	static float sum[2][FRAMES];
	uint64_t checksum[2];
	for (int pass = 0; pass < 2; pass++) {
		struct bed *here = bed_create(&bed_probe, 1, 0, ORIGIN);
		srand(5);
		for (int i = 0; i < 100; i++)
			bed_send_param(here, i % 2 ? PARAM_LEVEL : PARAM_MODE, (float)(rand() % 3),
				       ORIGIN + (uint32_t)rand() % FRAMES, (uint32_t)rand() % 300);
		for (uint32_t at = 0; at < FRAMES;) {
			uint32_t n = pass ? 1 + (uint32_t)rand() % 333 : FRAMES;
			n = n < FRAMES - at ? n : FRAMES - at;
			for (uint32_t i = 0; i < n; i++)
				here->in_buffer[PROBE_IN][i] = sinf((float)(at + i));
			bed_cycle(here, n);
			memcpy(sum[pass] + at, here->out_buffer[PROBE_SUM], n * sizeof(float));
			at += n;
		}
		ck_assert_uint_eq(bed_status(&here->slot->status.applied), 100);
		checksum[pass] = chr_join_checksum(here->rt);
		bed_destroy(here);
	}
	ck_assert(bed_same(sum[0], sum[1], sizeof sum[0]));
	ck_assert(checksum[0] == checksum[1]);
}
END_TEST

START_TEST(full_queue_leaves_the_rest_in_the_ring)
{
	const uint32_t over = 40, batch = CHR_RING_EVENTS / 2, all = CHR_PENDING_MAX + over, first = ORIGIN + 32 * N;
	for (uint32_t i = 0; i < all; i++) {
		if (i % batch == 0)
			bed_cycle(bed, N);
		bed_send_param(bed, PARAM_LEVEL, (float)(i % 7), first + i, STEP);
	}
	bed_cycle(bed, N);
	ck_assert_uint_eq(bed->rt->queue.count, CHR_PENDING_MAX);
	ck_assert_uint_eq(chr_ring_space(&bed->slot->to_audio), CHR_RING_EVENTS - over);
	while (bed->frame != first)
		bed_cycle(bed, N);
	for (uint32_t at = 0; at < all; at += N) {
		bed_cycle(bed, N);
		for (uint32_t i = at; i < at + N && i < all; i++)
			ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][i - at], (float)(i % 7));
	}
	ck_assert_uint_eq(bed_status(&bed->slot->status.applied), all);
	ck_assert_uint_eq(bed_status(&bed->slot->status.rejected), 0);
}
END_TEST

START_TEST(nonsense_is_rejected_and_counted)
{
	const struct chr_event nonsense[] = {
		{.version = 2, .kind = CHR_EVENT_PARAM, .frame = ORIGIN},
		{.version = 1, .kind = CHR_EVENT_NONE, .frame = ORIGIN},
		{.version = 1, .kind = CHR_ORDER_LOAD, .frame = ORIGIN},
		{.version = 1, .kind = 0xffff, .frame = ORIGIN},
		{.version = 1, .kind = CHR_EVENT_PARAM, .frame = ORIGIN, .index = 5},
		{.version = 1, .kind = CHR_EVENT_PARAM, .frame = ORIGIN, .index = 0x10000},
		{.version = 1, .kind = CHR_EVENT_PARAM, .frame = ORIGIN, .index = UINT32_MAX},
		{.version = 1, .kind = CHR_EVENT_PARAM, .frame = ORIGIN, .value = NAN},
		{.version = 1, .kind = CHR_EVENT_PARAM, .frame = ORIGIN, .value = 10.5f},
		{.version = 1, .kind = CHR_EVENT_FADE, .frame = ORIGIN, .value = NAN},
		{.version = 1, .kind = CHR_EVENT_FADE, .frame = ORIGIN, .value = -0.1f},
		{.version = 1, .kind = CHR_EVENT_PARAM, .frame = ORIGIN + 96001},
	};
	const unsigned count = sizeof nonsense / sizeof nonsense[0];
	ck_assert_uint_eq(chr_ring_write(&bed->slot->to_audio, nonsense, count), count);
	bed_cycle(bed, 64);
	ck_assert_uint_eq(bed_status(&bed->slot->status.rejected), count);
	ck_assert_uint_eq(bed_status(&bed->slot->status.applied), 0);
	ck_assert_uint_eq(bed->rt->queue.count, 0);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][63], 1.0f);
}
END_TEST

START_TEST(two_seconds_ahead_is_accepted)
{
	bed_send_param(bed, PARAM_LEVEL, 2.0f, ORIGIN + 96000, STEP);
	bed_cycle(bed, 64);
	ck_assert_uint_eq(bed->rt->queue.count, 1);
}
END_TEST

START_TEST(reset_keeps_the_parameters)
{
	bed_send_param(bed, PARAM_LEVEL, 2.0f, ORIGIN, STEP);
	bed_send(bed, (struct chr_event){.kind = CHR_EVENT_RESET, .frame = ORIGIN + 30});
	bed_cycle(bed, 64);
	ck_assert_float_eq(bed->out_buffer[PROBE_TICK][29], 29.0f);
	ck_assert_float_eq(bed->out_buffer[PROBE_TICK][30], 0.0f);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][30], 2.0f);
}
END_TEST

/* Asked for a frame at which a parameter changes, before or after that event came: the state before it. */
START_TEST(checksum_is_of_the_state_before_its_frame)
{
	struct chr_event note;
	uint64_t sum[3];
	for (int order = 0; order < 3; order++) {
		struct bed *here = bed_create(&bed_probe, 1, 0, ORIGIN);
		if (order == 1)
			bed_send_param(here, PARAM_LEVEL, 2.0f, ORIGIN + 20, STEP);
		bed_send(here, (struct chr_event){.kind = CHR_EVENT_CHECKSUM, .frame = ORIGIN + 20});
		if (order == 2)
			bed_send_param(here, PARAM_LEVEL, 2.0f, ORIGIN + 20, STEP);
		bed_cycle(here, 64);
		ck_assert(bed_note(here, CHR_NOTE_CHECKSUM, &note));
		ck_assert_uint_eq(note.frame, ORIGIN + 20);
		ck_assert_float_eq(here->out_buffer[PROBE_LEVEL][20], order ? 2.0f : 1.0f);
		sum[order] = note.sum;
		bed_destroy(here);
	}
	ck_assert(sum[0] == sum[1] && sum[1] == sum[2]);
	bed_cycle(bed, 20);
	ck_assert(chr_join_checksum(bed->rt) == sum[0]);
	bed_cycle(bed, 1);
	ck_assert(chr_join_checksum(bed->rt) != sum[0]);
}
END_TEST

START_TEST(late_checksum_is_not_answered)
{
	struct chr_event note;
	bed_send(bed, (struct chr_event){.kind = CHR_EVENT_CHECKSUM, .frame = ORIGIN - 1});
	bed_cycle(bed, 64);
	ck_assert(!bed_note(bed, CHR_NOTE_CHECKSUM, &note));
	ck_assert_uint_eq(bed_status(&bed->slot->status.late), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("events");
	TCase *tcase = tcase_create("events");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, event_lands_on_its_frame, 0, 2);
	tcase_add_test(tcase, event_waits_for_its_cycle);
	tcase_add_test(tcase, late_event_is_applied_at_once_and_counted);
	tcase_add_test(tcase, events_of_one_frame_keep_their_order);
	tcase_add_test(tcase, ramps_by_default_by_parameter_and_by_event);
	tcase_add_test(tcase, cutting_into_cycles_changes_no_bit);
	tcase_add_test(tcase, full_queue_leaves_the_rest_in_the_ring);
	tcase_add_test(tcase, nonsense_is_rejected_and_counted);
	tcase_add_test(tcase, two_seconds_ahead_is_accepted);
	tcase_add_test(tcase, reset_keeps_the_parameters);
	tcase_add_test(tcase, checksum_is_of_the_state_before_its_frame);
	tcase_add_test(tcase, late_checksum_is_not_answered);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
