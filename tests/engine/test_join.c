#include "tests/engine/bed.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define STEP CHR_RAMP_STEP
#define N    64u

/* Frame times at which the twins start: plain, and so that the join falls around the wrap. */
static const uint32_t origins[] = {1000u, UINT32_MAX - 10 * N + 1, UINT32_MAX - 11 * N + 30};

static struct bed *healthy, *joiner;

static void open_twins(uint32_t frame)
{
	healthy = bed_create(&bed_probe, 2, 0, frame);
	joiner = bed_create(&bed_probe, 2, 0, frame);
	chr_join_set_twin(joiner->rt, healthy->slot);
}

static void setup(void)
{
	open_twins(1000);
}

static void teardown(void)
{
	bed_destroy(healthy);
	bed_destroy(joiner);
}

static void input(struct bed *bed)
{
	for (uint32_t i = 0; i < N; i++)
		bed->in_buffer[PROBE_IN][i] = (float)((bed->frame + i) * 2654435761u >> 16) / 65536.0f;
}

static void cycle(struct bed *bed)
{
	input(bed);
	bed_cycle(bed, N);
}

/* The same event with the same serial to whom it may concern. */
static void send(uint32_t serial, bool to_healthy, bool to_joiner, struct chr_event event)
{
	healthy->serial = joiner->serial = serial - 1;
	if (to_healthy)
		bed_send(healthy, event);
	if (to_joiner)
		bed_send(joiner, event);
}

static struct chr_event param(uint32_t index, float value, uint32_t frame, uint32_t ramp_frames)
{
	return (struct chr_event){
		.kind = CHR_EVENT_PARAM, .index = index, .value = value, .frame = frame, .ramp_frames = ramp_frames};
}

static void ask(uint32_t publish_cycles)
{
	const struct chr_event publish = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_PUBLISH, .count = publish_cycles};
	const struct chr_event join = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_JOIN, .frame = joiner->frame};
	chr_ring_write(&healthy->slot->to_audio, &publish, 1);
	chr_ring_write(&joiner->slot->to_audio, &join, 1);
}

static void assert_twins(void)
{
	ck_assert(bed_same(healthy->out_buffer[PROBE_SUM], joiner->out_buffer[PROBE_SUM], N * sizeof(float)));
	ck_assert(bed_same(healthy->out_buffer[PROBE_TICK], joiner->out_buffer[PROBE_TICK], N * sizeof(float)));
	ck_assert(bed_same(healthy->out_buffer[PROBE_LEVEL], joiner->out_buffer[PROBE_LEVEL], N * sizeof(float)));
	ck_assert(chr_join_checksum(healthy->rt) == chr_join_checksum(joiner->rt));
}

/* The joiner is fresh while its twin has played; events fall before, around and after the join, ramps across it. */
START_TEST(lockstep_from_the_join_on)
{
	struct chr_event note;
	uint32_t serial = UINT32_MAX - 3, frame = origins[_i / 2];
	bool joiner_first = _i % 2;
	open_twins(frame);
	for (int i = 0; i < 8; i++)
		cycle(healthy);
	joiner->frame = healthy->frame;
	send(++serial, true, false, param(PARAM_LEVEL, 4.0f, healthy->frame + 20, 3000)); /* only the twin knows it */
	send(++serial, true, true, param(PARAM_LEVEL, -2.0f, healthy->frame + 3 * N + 5, 500));
	send(++serial, true, true, param(PARAM_MODE, 2.0f, healthy->frame + 5 * N + 1, 0));
	ask(10);
	for (int i = 0; i < 40; i++) {
		if (i < 10)
			send(++serial, true, true, param(PARAM_LEVEL, (float)i, healthy->frame + 2 * N + 7, 77));
		cycle(joiner_first ? joiner : healthy);
		cycle(joiner_first ? healthy : joiner);
		if (bed_status(&joiner->slot->status.joins))
			assert_twins();
		else
			ck_assert_int_lt(i, 2);
	}
	ck_assert(bed_note(joiner, CHR_NOTE_JOINED, &note));
	ck_assert_uint_eq(note.frame, frame + 9 * N);
	ck_assert_uint_eq(bed_status(&joiner->slot->status.joining), 0);
	ck_assert_uint_eq(bed_status(&healthy->slot->status.applied), 13);
	ck_assert_uint_eq(bed_status(&joiner->slot->status.rejected), 0);
	teardown();
}
END_TEST

/* The snapshot's pending events and one's own copies of them are applied once. */
START_TEST(event_in_both_the_snapshot_and_the_own_ring_counts_once)
{
	cycle(healthy);
	joiner->frame = healthy->frame;
	send(1, true, true, param(PARAM_LEVEL, 2.0f, healthy->frame + 3 * N, STEP));
	send(2, true, true, param(PARAM_MODE, 1.0f, healthy->frame + 3 * N, STEP));
	ask(3);
	cycle(healthy);
	cycle(joiner);
	cycle(joiner); /* joins: the stamp is that of this cycle */
	ck_assert_uint_eq(bed_status(&joiner->slot->status.joins), 1);
	ck_assert_uint_eq(joiner->rt->queue.count, 2);
	cycle(joiner);
	cycle(joiner);
	ck_assert_uint_eq(bed_status(&joiner->slot->status.applied), 2);
}
END_TEST

/* The supervisor writes to one ring after the other: the copy for the joiner may come after the join. */
START_TEST(event_that_the_twin_had_before_the_join_is_dropped_when_it_comes_later)
{
	joiner->frame = healthy->frame;
	send(7, true, false, param(PARAM_LEVEL, 3.0f, healthy->frame + 5, STEP));
	ask(2);
	cycle(healthy);
	cycle(joiner);
	cycle(healthy);
	cycle(joiner);
	ck_assert_uint_eq(bed_status(&joiner->slot->status.joins), 1);
	send(7, false, true, param(PARAM_LEVEL, 5.0f, healthy->frame + 5, STEP));
	send(8, true, true, param(PARAM_MODE, 2.0f, healthy->frame + 5, STEP));
	cycle(healthy);
	cycle(joiner);
	assert_twins();
	ck_assert_float_eq(joiner->out_buffer[PROBE_LEVEL][N - 1], 3.0f);
	ck_assert_uint_eq(bed_status(&joiner->slot->status.applied), 1);
}
END_TEST

START_TEST(own_newer_events_stay)
{
	joiner->frame = healthy->frame;
	send(1, true, true, param(PARAM_LEVEL, 3.0f, healthy->frame + 5, STEP));
	ask(2);
	cycle(healthy);
	cycle(joiner);
	send(2, true, true, param(PARAM_LEVEL, 6.0f, healthy->frame + 9, STEP));
	cycle(joiner);
	ck_assert_uint_eq(bed_status(&joiner->slot->status.joins), 1);
	cycle(healthy);
	assert_twins();
	ck_assert_float_eq(joiner->out_buffer[PROBE_LEVEL][8], 3.0f);
	ck_assert_float_eq(joiner->out_buffer[PROBE_LEVEL][9], 6.0f);
}
END_TEST

/* The joiner was asked for a checksum at the frame of an event that it knows from its twin alone. */
START_TEST(own_checksum_request_goes_before_the_twins_events)
{
	struct chr_event a, b;
	const struct chr_event checksum = {.kind = CHR_EVENT_CHECKSUM, .frame = healthy->frame + N + 9};
	joiner->frame = healthy->frame;
	send(1, true, false, param(PARAM_LEVEL, 3.0f, checksum.frame, STEP));
	ask(2);
	send(2, true, true, checksum);
	cycle(healthy);
	cycle(joiner);
	cycle(healthy);
	cycle(joiner);
	ck_assert_uint_eq(bed_status(&joiner->slot->status.joins), 1);
	ck_assert(bed_note(healthy, CHR_NOTE_CHECKSUM, &a) && bed_note(joiner, CHR_NOTE_CHECKSUM, &b));
	ck_assert(a.sum == b.sum);
	assert_twins();
}
END_TEST

START_TEST(twin_that_never_had_an_event_takes_none_away)
{
	joiner->frame = healthy->frame;
	ask(2);
	send(0x90000000u, false, true, param(PARAM_LEVEL, 6.0f, healthy->frame + N + 9, STEP));
	cycle(healthy);
	cycle(joiner);
	cycle(joiner);
	ck_assert_uint_eq(bed_status(&joiner->slot->status.joins), 1);
	ck_assert_float_eq(joiner->out_buffer[PROBE_LEVEL][9], 6.0f);
}
END_TEST

/* Runs the twins to the point where the joiner could join in its next cycle. */
static struct chr_snapshot *ready_to_join(void)
{
	cycle(healthy);
	joiner->frame = healthy->frame;
	ask(1);
	cycle(healthy);
	cycle(joiner);
	for (unsigned i = 0; i < 2; i++)
		if ((uint32_t)healthy->slot->snapshot[i].stamp == joiner->frame)
			return &healthy->slot->snapshot[i];
	ck_abort_msg("no snapshot");
	return NULL;
}

START_TEST(snapshot_of_another_frame_is_not_taken)
{
	ready_to_join();
	joiner->frame += N;
	cycle(joiner);
	ck_assert_uint_eq(bed_status(&joiner->slot->status.joins), 0);
	ck_assert_uint_eq(bed_status(&joiner->slot->status.joining), 1);
}
END_TEST

/* What a broken twin may leave in its slot. */
enum { HALF_WRITTEN, OTHER_STATE, OTHER_ENGINE, TOO_MANY, WILD_GAIN, DAMAGES };

START_TEST(damaged_snapshot_is_not_taken)
{
	struct chr_snapshot *snapshot = ready_to_join();
	uint64_t before = chr_join_checksum(joiner->rt);
	const struct chr_smoother wild = {.remaining = 9};
	switch (_i) {
	case HALF_WRITTEN:
		atomic_store_explicit(&snapshot->stamp, 0, memory_order_relaxed);
		break;
	case OTHER_STATE:
		snapshot->state_bytes++;
		break;
	case OTHER_ENGINE:
		snapshot->engine_bytes--;
		break;
	case TOO_MANY:
		snapshot->pending_count = CHR_PENDING_MAX + 1;
		break;
	default:
		memcpy(snapshot->engine + offsetof(struct chr_engine_state, gain), &wild, sizeof wild);
	}
	ck_assert(!chr_join_try(joiner->rt, joiner->frame, joiner->frame, N));
	ck_assert(joiner->rt->joining);
	ck_assert(chr_join_checksum(joiner->rt) == before);
}
END_TEST

START_TEST(pending_events_of_a_damaged_snapshot_are_rejected)
{
	struct chr_snapshot *snapshot = ready_to_join();
	snapshot->pending_count = 3;
	snapshot->pending[0] = (struct chr_pending){.kind = CHR_EVENT_PARAM, .index = 999, .frame = joiner->frame};
	snapshot->pending[1] = (struct chr_pending){.kind = 999, .frame = joiner->frame};
	snapshot->pending[2] = (struct chr_pending){
		.kind = CHR_EVENT_PARAM, .value = 3.0f, .frame = joiner->frame, .ramp_frames = STEP};
	cycle(joiner);
	ck_assert_uint_eq(bed_status(&joiner->slot->status.joins), 1);
	ck_assert_uint_eq(bed_status(&joiner->slot->status.rejected), 2);
	ck_assert_float_eq(joiner->out_buffer[PROBE_LEVEL][0], 3.0f);
}
END_TEST

/* All members of a lane are asked for one frame, and so join in one cycle. */
START_TEST(joins_not_before_its_frame)
{
	const struct chr_event join = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_JOIN, .frame = joiner->frame + 3 * N - 1};
	struct chr_event note;
	ask(10);
	chr_ring_write(&joiner->slot->to_audio, &join, 1);
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(bed_status(&joiner->slot->status.joins), 0);
		cycle(healthy);
		cycle(joiner);
	}
	ck_assert(bed_note(joiner, CHR_NOTE_JOINED, &note));
	ck_assert_uint_eq(note.frame, 1000 + 3 * N);
}
END_TEST

START_TEST(joins_no_more_when_told_so)
{
	const struct chr_event cancel = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_JOIN, .flags = CHR_EVENT_CANCEL};
	ask(10);
	cycle(joiner);
	chr_ring_write(&joiner->slot->to_audio, &cancel, 1);
	for (int i = 0; i < 4; i++) {
		cycle(healthy);
		cycle(joiner);
	}
	ck_assert_uint_eq(bed_status(&joiner->slot->status.joins), 0);
	ask(10);
	cycle(healthy);
	cycle(joiner);
	cycle(joiner);
	ck_assert_uint_eq(bed_status(&joiner->slot->status.joins), 1);
}
END_TEST

START_TEST(publishing_ends_by_count_and_by_order)
{
	const struct chr_event stop = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_PUBLISH};
	uint32_t last;
	ask(2);
	for (int i = 0; i < 5; i++)
		cycle(healthy);
	ck_assert_uint_eq((uint32_t)healthy->slot->snapshot[0].stamp, 1000 + 2 * N);
	ck_assert_uint_eq((uint32_t)healthy->slot->snapshot[1].stamp, 1000 + N);
	ask(1000);
	cycle(healthy);
	last = healthy->frame;
	chr_ring_write(&healthy->slot->to_audio, &stop, 1);
	cycle(healthy);
	cycle(healthy);
	ck_assert_uint_eq((uint32_t)healthy->slot->snapshot[1].stamp, last);
	ck_assert_uint_eq((uint32_t)healthy->slot->snapshot[0].stamp, 1000 + 2 * N);
}
END_TEST

START_TEST(snapshot_touches_no_more_than_the_state)
{
	struct chr_snapshot *snapshot = healthy->slot->snapshot;
	for (unsigned i = 0; i < 2; i++)
		snapshot[i].state[bed_probe.state_bytes] = 0xa5;
	ask(4);
	for (int i = 0; i < 4; i++)
		cycle(healthy);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_uint_eq(snapshot[i].state[bed_probe.state_bytes], 0xa5);
}
END_TEST

START_TEST(checksum_tells_any_bit_of_the_state_and_the_engine)
{
	static unsigned char state[1003];
	const struct chr_module module = {.state_bytes = sizeof state};
	struct chr_rt *rt = joiner->rt;
	const struct chr_module *own = rt->module;
	unsigned char *own_state = rt->state;
	rt->module = &module;
	rt->state = state;
	uint64_t clean = chr_join_checksum(rt);
	for (unsigned bit = 0; bit < 8 * sizeof state; bit++) {
		state[bit / 8] ^= (unsigned char)(1u << bit % 8);
		ck_assert(chr_join_checksum(rt) != clean);
		state[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	unsigned char *engine = (unsigned char *)&rt->engine;
	for (unsigned bit = 0; bit < 8 * sizeof rt->engine; bit++) {
		engine[bit / 8] ^= (unsigned char)(1u << bit % 8);
		ck_assert(chr_join_checksum(rt) != clean);
		engine[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	ck_assert(chr_join_checksum(rt) == clean);
	rt->module = own;
	rt->state = own_state;
}
END_TEST

START_TEST(twins_answer_the_same_checksum)
{
	struct chr_event a, b;
	for (uint32_t serial = 1; serial < 30; serial++) {
		send(serial, true, true, param(PARAM_LEVEL, (float)(serial % 9), healthy->frame + serial, serial));
		send(serial, true, true, (struct chr_event){.kind = CHR_EVENT_CHECKSUM, .frame = healthy->frame + 2 * serial});
		cycle(healthy);
		cycle(joiner);
		ck_assert(bed_note(healthy, CHR_NOTE_CHECKSUM, &a) && bed_note(joiner, CHR_NOTE_CHECKSUM, &b));
		ck_assert(a.frame == b.frame && a.sum == b.sum);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("join");
	TCase *lockstep = tcase_create("lockstep");
	tcase_add_loop_test(lockstep, lockstep_from_the_join_on, 0, 6);
	suite_add_tcase(suite, lockstep);
	TCase *tcase = tcase_create("join");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, event_in_both_the_snapshot_and_the_own_ring_counts_once);
	tcase_add_test(tcase, event_that_the_twin_had_before_the_join_is_dropped_when_it_comes_later);
	tcase_add_test(tcase, own_newer_events_stay);
	tcase_add_test(tcase, own_checksum_request_goes_before_the_twins_events);
	tcase_add_test(tcase, twin_that_never_had_an_event_takes_none_away);
	tcase_add_test(tcase, snapshot_of_another_frame_is_not_taken);
	tcase_add_loop_test(tcase, damaged_snapshot_is_not_taken, 0, DAMAGES);
	tcase_add_test(tcase, pending_events_of_a_damaged_snapshot_are_rejected);
	tcase_add_test(tcase, joins_not_before_its_frame);
	tcase_add_test(tcase, joins_no_more_when_told_so);
	tcase_add_test(tcase, publishing_ends_by_count_and_by_order);
	tcase_add_test(tcase, snapshot_touches_no_more_than_the_state);
	tcase_add_test(tcase, checksum_tells_any_bit_of_the_state_and_the_engine);
	tcase_add_test(tcase, twins_answer_the_same_checksum);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
