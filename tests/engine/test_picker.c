#include "tests/engine/bed.h"

#include <check.h>
#include <math.h>
#include <string.h>

#define N      64u
#define ORIGIN 5000u
#define GAP    96u /* frames of CHR_GAP_MS */

static struct bed *bed;

static void teardown(void)
{
	bed_destroy(bed);
}

static void open_bed(uint32_t lanes, uint32_t frame)
{
	bed = bed_create(&bed_out, lanes, 2, frame);
	for (unsigned lane = 0; lane < lanes; lane++) {
		chr_member_set_put(&bed->slot->picker.required[lane], 3, true);
		chr_member_set_put(&bed->slot->picker.required[lane], 70, true);
	}
}

static void two_lanes(void)
{
	open_bed(2, ORIGIN);
}

static void one_lane(void)
{
	open_bed(1, ORIGIN);
}

/* Members 3 and 70 of a lane complete the cycle that began at `frame`. */
static void lane_completes(unsigned lane, uint32_t frame)
{
	chr_pulse_complete(&bed->board[lane]->pulse[3], frame);
	chr_pulse_complete(&bed->board[lane]->pulse[70], frame);
}

/* A cycle of out, lane a playing 0.5 and lane b 0.75; then the lanes in the mask `alive` complete it. Returns the sample played. */
static float cycle(unsigned alive)
{
	uint32_t frame = bed->frame;
	for (unsigned i = 0; i < N; i++) {
		bed->in_buffer[0][OUT_LEFT][i] = 0.5f;
		bed->in_buffer[1][OUT_LEFT][i] = 0.75f;
	}
	bed_cycle(bed, N);
	for (unsigned lane = 0; lane < 2; lane++)
		if (alive & 1u << lane)
			lane_completes(lane, frame);
	for (unsigned i = 1; i < N && bed->rt->picker.lanes == 2; i++)
		ck_assert_float_eq(bed->out_buffer[OUT_PLAY][i], bed->out_buffer[OUT_PLAY][0]);
	return bed->out_buffer[OUT_PLAY][0];
}

/* Every state of the two lanes (broken or not, fresh or not) after each lane played last. */
START_TEST(truth_table)
{
	static const float sample[] = {0.5f, 0.75f};
	unsigned last = _i & 1, fresh = (_i >> 1) & 3, broken = (_i >> 3) & 3;
	open_bed(2, ORIGIN);
	cycle(3);
	atomic_store_explicit(&bed->slot->picker.broken[!last], 1, memory_order_release);
	ck_assert_float_eq(cycle(fresh), sample[last]);
	for (unsigned lane = 0; lane < 2; lane++)
		atomic_store_explicit(&bed->slot->picker.broken[lane], broken >> lane & 1, memory_order_release);
	unsigned good = fresh & ~broken;
	float expected = good & 1u << last ? sample[last] : good & 1u << !last ? sample[!last] : 0.0f;
	ck_assert_float_eq(cycle(0), expected);
	ck_assert_uint_eq(bed_status(&bed->slot->status.silent), expected == 0.0f ? 2 : 1);
	bed_destroy(bed);
}
END_TEST

START_TEST(one_stale_member_spoils_its_lane)
{
	cycle(3);
	ck_assert_float_eq(cycle(2), 0.5f);
	chr_pulse_complete(&bed->board[0]->pulse[70], bed->frame - N);
	ck_assert_float_eq(cycle(3), 0.75f);
}
END_TEST

/* Members ahead of the clock edge may have completed the present cycle before out runs. */
START_TEST(a_member_that_completed_now_counts)
{
	cycle(3);
	chr_pulse_complete(&bed->board[0]->pulse[3], bed->frame);
	ck_assert_float_eq(cycle(0), 0.5f);
}
END_TEST

START_TEST(a_member_that_completed_now_but_missed_the_one_before_does_not)
{
	cycle(3);
	cycle(2);
	chr_pulse_complete(&bed->board[0]->pulse[3], bed->frame);
	chr_pulse_complete(&bed->board[0]->pulse[70], bed->frame);
	ck_assert_float_eq(cycle(0), 0.75f);
}
END_TEST

/* What counts is out's own previous cycle, not the frame one period ago. */
START_TEST(a_jump_of_the_frame_time_breaks_no_lane)
{
	cycle(3);
	bed->frame += 3 * N;
	ck_assert_float_eq(cycle(3), 0.5f);
	ck_assert_float_eq(cycle(3), 0.5f);
	ck_assert_uint_eq(bed_status(&bed->slot->status.silent), 1);
}
END_TEST

START_TEST(frames_may_wrap)
{
	bed_destroy(bed);
	open_bed(2, UINT32_MAX - N + 1);
	cycle(3);
	ck_assert_float_eq(cycle(3), 0.5f);
	ck_assert_float_eq(cycle(3), 0.5f);
}
END_TEST

START_TEST(no_needless_switching)
{
	cycle(3);
	cycle(2);
	ck_assert_float_eq(cycle(3), 0.75f);
	for (int i = 0; i < 5; i++)
		ck_assert_float_eq(cycle(3), 0.75f);
	ck_assert_uint_eq(bed_status(&bed->slot->status.played[0]), 1);
	ck_assert_uint_eq(bed_status(&bed->slot->status.played[1]), 6);
	ck_assert_uint_eq(bed_status(&bed->slot->status.silent), 1);
}
END_TEST

START_TEST(muted_is_silent_on_every_output)
{
	cycle(3);
	atomic_store_explicit(&bed->slot->picker.muted, 1, memory_order_relaxed);
	ck_assert_float_eq(cycle(3), 0.0f);
	ck_assert_float_eq(bed->out_buffer[OUT_CLOCK][0], 0.0f);
	atomic_store_explicit(&bed->slot->picker.muted, 0, memory_order_relaxed);
	ck_assert_float_eq(cycle(3), 0.5f);
	ck_assert_float_eq(bed->out_buffer[OUT_CLOCK][0], 0.25f);
	ck_assert_uint_eq(bed_status(&bed->slot->status.played[0]), 1);
}
END_TEST

START_TEST(lane_that_needs_nobody_is_fresh)
{
	for (unsigned lane = 0; lane < 2; lane++) {
		chr_member_set_put(&bed->slot->picker.required[lane], 3, false);
		chr_member_set_put(&bed->slot->picker.required[lane], 70, false);
	}
	cycle(0);
	ck_assert_float_eq(cycle(0), 0.5f);
}
END_TEST

/* A course of cycles of one lane, each fresh or not, as one signal: `at` frames so far. */
static void play(float *to, const char *course)
{
	for (; *course; course++, to += N) {
		cycle(course[1] == 'x' ? 0 : 1);
		memcpy(to, bed->out_buffer[OUT_PLAY], N * sizeof *to);
	}
}

/* No two neighbours of the signal differ by more than the steepest fall and rise together. */
static void assert_no_click(const float *signal, unsigned frames)
{
	for (unsigned i = 1; i < frames; i++)
		ck_assert_msg(fabsf(signal[i] - signal[i - 1]) <= 2.0f * 0.5f / (float)GAP + 1e-6f, "click at frame %u: %f, %f", i,
			      (double)signal[i - 1], (double)signal[i]);
}

/* 'o': out reads a fresh lane, 'x': a stale one */
START_TEST(gap_of_one_lane_falls_and_rises_without_a_click)
{
	static const char *const courses[] = {"xooooooxxxxxooooo", "xooooxoooooo", "xooooxxooooo", "xoxoxoxoxoooo",
					      "xoooxoxxoxxxoooo"};
	static float signal[20 * N];
	const char *course = courses[_i];
	unsigned frames = (unsigned)strlen(course) * N;
	play(signal, course);
	assert_no_click(signal, frames);
	ck_assert_float_eq(signal[frames - 1], 0.5f);
}
END_TEST

START_TEST(a_long_gap_is_silent_and_counted)
{
	static float signal[20 * N];
	play(signal, "xooooooxxxxxooooo");
	ck_assert_float_eq(signal[7 * N - 1], 0.5f);
	ck_assert_float_eq(signal[7 * N + GAP / 2], 0.25f);
	for (unsigned i = 7 * N + GAP; i <= 12 * N; i++)
		ck_assert_float_eq(signal[i], 0.0f);
	ck_assert_float_eq(signal[12 * N + GAP / 2], 0.25f);
	for (unsigned i = 12 * N + GAP; i < 17 * N; i++)
		ck_assert_float_eq(signal[i], 0.5f);
	ck_assert_uint_eq(bed_status(&bed->slot->status.silent), 6);
	ck_assert_uint_eq(bed_status(&bed->slot->status.played[0]), 11);
}
END_TEST

START_TEST(the_fall_begins_where_the_sound_stood)
{
	static float signal[20 * N];
	play(signal, "xoooooo");
	lane_completes(0, bed->frame - N);
	for (unsigned i = 0; i < N; i++)
		bed->in_buffer[0][OUT_LEFT][i] = -0.25f;
	bed_cycle(bed, N);
	cycle(0);
	ck_assert_float_eq(bed->out_buffer[OUT_PLAY][0], -0.25f);
	ck_assert_float_eq(bed->out_buffer[OUT_PLAY][GAP / 2], -0.125f);
}
END_TEST

START_TEST(lane_b_is_never_played_with_one_lane)
{
	cycle(3);
	cycle(2);
	cycle(2);
	ck_assert_uint_eq(bed_status(&bed->slot->status.played[1]), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("picker");
	TCase *table = tcase_create("truth table");
	tcase_add_loop_test(table, truth_table, 0, 32);
	suite_add_tcase(suite, table);
	TCase *two = tcase_create("two lanes");
	tcase_add_checked_fixture(two, two_lanes, teardown);
	tcase_add_test(two, one_stale_member_spoils_its_lane);
	tcase_add_test(two, a_member_that_completed_now_counts);
	tcase_add_test(two, a_member_that_completed_now_but_missed_the_one_before_does_not);
	tcase_add_test(two, a_jump_of_the_frame_time_breaks_no_lane);
	tcase_add_test(two, frames_may_wrap);
	tcase_add_test(two, no_needless_switching);
	tcase_add_test(two, muted_is_silent_on_every_output);
	tcase_add_test(two, lane_that_needs_nobody_is_fresh);
	suite_add_tcase(suite, two);
	TCase *one = tcase_create("one lane");
	tcase_add_checked_fixture(one, one_lane, teardown);
	tcase_add_loop_test(one, gap_of_one_lane_falls_and_rises_without_a_click, 0, 5);
	tcase_add_test(one, a_long_gap_is_silent_and_counted);
	tcase_add_test(one, the_fall_begins_where_the_sound_stood);
	tcase_add_test(one, lane_b_is_never_played_with_one_lane);
	suite_add_tcase(suite, one);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
