#include "tests/engine/bed.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N      64u
#define ORIGIN 5000u
#define GAP    96u /* frames of CHR_GAP_MS */

/* ---- two lanes: the pickers of both outs over one pair of boards ---- */

enum { OUT = 0, HEAD = 3, TAIL = 70 };

static struct chr_slot_picker orders[CHR_LANES];
static struct chr_board *board[CHR_LANES];
static struct chr_choice choice;
static struct chr_picker picker[CHR_LANES];
static uint32_t frame;
static bool ran;

static void begin_at(uint32_t first)
{
	frame = first;
	ran = false;
	chr_choice_clear(&choice);
	memset(orders, 0, sizeof orders);
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		memset(board[lane], 0, sizeof *board[lane]);
		for (unsigned out = 0; out < CHR_LANES; out++) {
			chr_member_set_put(&orders[out].required[lane], OUT, true);
			chr_member_set_put(&orders[out].required[lane], HEAD, true);
			chr_member_set_put(&orders[out].required[lane], TAIL, true);
		}
		chr_picker_init(&picker[lane], &orders[lane], (const struct chr_board *const *)board, &choice, 2, BED_RATE);
	}
}

static void two_lanes(void)
{
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		board[lane] = calloc(1, sizeof *board[lane]);
	begin_at(ORIGIN);
}

static void two_lanes_end(void)
{
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		free(board[lane]);
}

static void mark(unsigned lane, bool broken)
{
	for (unsigned out = 0; out < CHR_LANES; out++)
		atomic_store_explicit(&orders[out].broken[lane], broken, memory_order_release);
}

/* `ago` frames after its last cycle; 0: it had none. */
static int choose_after(struct chr_picker *by, uint32_t ago)
{
	const struct chr_turn before = {.frame = frame - ago, .at = frame - ago};
	return chr_picker_choose(by, ago ? &before : NULL, (struct chr_turn){.frame = frame, .at = frame}, N);
}

static int choose(unsigned out)
{
	return choose_after(&picker[out], ran ? N : 0);
}

/* A cycle in which both outs run, `first` before the other, and then the modules of the lanes in the mask `alive`. Returns the lane heard. */
static int cycle(unsigned first, unsigned alive)
{
	int heard = choose(first), other;
	chr_pulse_complete(&board[first]->pulse[OUT], frame);
	other = choose(!first);
	chr_pulse_complete(&board[!first]->pulse[OUT], frame);
	/* whoever said something, both abide by it; when the first knew of no lane, the other may have known one that came meanwhile */
	if (heard != CHR_LANE_NONE)
		ck_assert_int_eq(heard, other);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		for (unsigned member = HEAD; alive & 1u << lane && member <= TAIL; member += TAIL - HEAD)
			chr_pulse_complete(&board[lane]->pulse[member], frame);
	frame += N;
	ran = true;
	return other;
}

/* Every state of the two lanes (broken or not, fresh or not), whichever out runs first. */
START_TEST(truth_table)
{
	unsigned first = _i & 1, fresh = (_i >> 1) & 3, broken = (_i >> 3) & 3, good = fresh & ~broken;
	ck_assert_int_eq(cycle(first, 3), CHR_LANE_NONE);
	ck_assert_int_eq(cycle(first, fresh), 0);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		mark(lane, broken >> lane & 1);
	ck_assert_int_eq(cycle(first, 0), good & 1 ? 0 : good & 2 ? 1 : CHR_LANE_NONE);
}
END_TEST

START_TEST(one_stale_member_spoils_its_lane)
{
	cycle(_i, 3);
	ck_assert_int_eq(cycle(_i, 2), 0);
	chr_pulse_complete(&board[0]->pulse[TAIL], frame - N);
	ck_assert_int_eq(cycle(_i, 3), 1);
}
END_TEST

/* Members ahead of the clock edge may have completed the present cycle before the outs run. */
START_TEST(a_member_that_completed_now_counts)
{
	cycle(_i, 3);
	chr_pulse_complete(&board[0]->pulse[HEAD], frame);
	ck_assert_int_eq(cycle(_i, 0), 0);
}
END_TEST

START_TEST(a_member_that_completed_now_but_missed_the_one_before_does_not)
{
	cycle(_i, 3);
	cycle(_i, 2);
	chr_pulse_complete(&board[0]->pulse[HEAD], frame);
	chr_pulse_complete(&board[0]->pulse[TAIL], frame);
	ck_assert_int_eq(cycle(_i, 0), 1);
}
END_TEST

/* What counts is the outs' own previous cycle, not the frame one period ago. */
START_TEST(a_jump_of_the_frame_time_breaks_no_lane)
{
	cycle(_i, 3);
	frame += 3 * N;
	for (unsigned out = 0; out < CHR_LANES; out++)
		ck_assert_int_eq(choose_after(&picker[out], 4 * N), 0);
}
END_TEST

START_TEST(frames_may_wrap)
{
	begin_at(UINT32_MAX - N + 1);
	cycle(_i, 3);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(cycle(_i, 3), 0);
}
END_TEST

START_TEST(no_needless_switching)
{
	cycle(_i, 3);
	cycle(_i, 2);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(cycle((unsigned)(_i + i) & 1, 3), 1);
}
END_TEST

/* The out of a lane died: the other one stops naming its lane as soon as its pulse is missing, though the modules beat on. */
START_TEST(an_out_that_died_is_not_named)
{
	cycle(0, 3);
	cycle(0, 3);
	unsigned alive = (unsigned)!_i;
	/* the first cycle without it may still be given to it: it was well a period ago */
	choose(alive);
	chr_pulse_complete(&board[alive]->pulse[OUT], frame);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		for (unsigned member = HEAD; member <= TAIL; member += TAIL - HEAD)
			chr_pulse_complete(&board[lane]->pulse[member], frame);
	frame += N;
	ck_assert_int_eq(choose(alive), (int)alive);
}
END_TEST

/* An out that has not run yet knows nothing, and says nothing; it abides by what the other says. */
START_TEST(a_new_out_says_nothing)
{
	cycle(0, 3);
	struct chr_picker fresh;
	chr_picker_init(&fresh, &orders[_i], (const struct chr_board *const *)board, &choice, 2, BED_RATE);
	ck_assert_int_eq(choose_after(&fresh, 0), CHR_LANE_NONE);
	ck_assert_int_eq(choose(!_i), 0);
	chr_picker_init(&fresh, &orders[_i], (const struct chr_board *const *)board, &choice, 2, BED_RATE);
	ck_assert_int_eq(choose_after(&fresh, 0), 0);
}
END_TEST

/* ---- an out as a whole ---- */

static struct bed *bed;

static void teardown(void)
{
	bed_destroy(bed);
}

static void open_bed(uint32_t lanes)
{
	bed = bed_create(&bed_out, lanes, 2, ORIGIN);
	for (unsigned lane = 0; lane < lanes; lane++) {
		chr_member_set_put(&bed->slot->picker.required[lane], HEAD, true);
		chr_member_set_put(&bed->slot->picker.required[lane], TAIL, true);
	}
}

static void out_of_two(void)
{
	open_bed(2);
}

static void one_lane(void)
{
	open_bed(1);
}

/* Members of a lane complete the cycle that began at `at`. */
static void lane_completes(unsigned lane, uint32_t at)
{
	chr_pulse_complete(&bed->board[lane]->pulse[HEAD], at);
	chr_pulse_complete(&bed->board[lane]->pulse[TAIL], at);
}

/* A cycle of out, which is lane a's and hears 0.5; then the lanes in the mask `alive` complete it. Returns the sample played. */
static float out_cycle(unsigned alive)
{
	uint32_t began = bed->frame;
	for (unsigned i = 0; i < N; i++)
		bed->in_buffer[OUT_LEFT][i] = 0.5f;
	bed_cycle(bed, N);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		if (alive & 1u << lane)
			lane_completes(lane, began);
	return bed->out_buffer[OUT_PLAY][0];
}

/* It plays while its lane is named, by itself or by the other out; its clock runs on in any case. */
START_TEST(out_is_silent_while_the_other_is_heard)
{
	struct chr_slot_status *status = &bed->slot->status;
	ck_assert_float_eq(out_cycle(3), 0.0f);
	ck_assert_float_eq(out_cycle(3), 0.5f);
	chr_choice_make(bed->choice, bed->frame, N, 1);
	ck_assert_float_eq(out_cycle(3), 0.0f);
	ck_assert_float_eq(bed->out_buffer[OUT_CLOCK][0], 0.25f);
	for (unsigned i = 0; i < N; i++)
		ck_assert_float_eq(bed->out_buffer[OUT_PLAY][i], 0.0f);
	ck_assert_uint_eq(bed_status(&status->played), 1);
	/* the first cycle had no lane; the one that the other out played was not silent */
	out_cycle(3);
	ck_assert_uint_eq(bed_status(&status->silent), 1);
}
END_TEST

START_TEST(silence_is_counted_when_no_lane_is_left)
{
	struct chr_slot_status *status = &bed->slot->status;
	out_cycle(3);
	ck_assert_float_eq(out_cycle(0), 0.5f);
	for (int i = 0; i < 4; i++)
		ck_assert_float_eq(out_cycle(0), 0.0f);
	out_cycle(0);
	ck_assert_uint_eq(bed_status(&status->silent), 5);
}
END_TEST

START_TEST(lane_that_needs_nobody_is_fresh)
{
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		chr_member_set_put(&bed->slot->picker.required[lane], HEAD, false);
		chr_member_set_put(&bed->slot->picker.required[lane], TAIL, false);
	}
	out_cycle(0);
	ck_assert_float_eq(out_cycle(0), 0.5f);
}
END_TEST

/* ---- one lane ---- */

/* A course of cycles of one lane, each fresh or not, as one signal: `at` frames so far. */
static void play(float *to, const char *course)
{
	for (; *course; course++, to += N) {
		out_cycle(course[1] == 'x' ? 0 : 1);
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
	ck_assert_uint_eq(bed_status(&bed->slot->status.played), 11);
}
END_TEST

START_TEST(the_fall_begins_where_the_sound_stood)
{
	static float signal[20 * N];
	play(signal, "xoooooo");
	lane_completes(0, bed->frame - N);
	for (unsigned i = 0; i < N; i++)
		bed->in_buffer[OUT_LEFT][i] = -0.25f;
	bed_cycle(bed, N);
	out_cycle(0);
	ck_assert_float_eq(bed->out_buffer[OUT_PLAY][0], -0.25f);
	ck_assert_float_eq(bed->out_buffer[OUT_PLAY][GAP / 2], -0.125f);
}
END_TEST

/* With one lane nobody names another, whatever lane b's board says. */
START_TEST(lane_b_is_never_played_with_one_lane)
{
	out_cycle(3);
	for (int i = 0; i < 5; i++)
		out_cycle(2);
	ck_assert_float_eq(out_cycle(2), 0.0f);
	ck_assert_uint_eq(bed_status(&bed->slot->status.played), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("picker");
	TCase *two = tcase_create("two lanes");
	tcase_add_checked_fixture(two, two_lanes, two_lanes_end);
	tcase_add_loop_test(two, truth_table, 0, 32);
	tcase_add_loop_test(two, one_stale_member_spoils_its_lane, 0, CHR_LANES);
	tcase_add_loop_test(two, a_member_that_completed_now_counts, 0, CHR_LANES);
	tcase_add_loop_test(two, a_member_that_completed_now_but_missed_the_one_before_does_not, 0, CHR_LANES);
	tcase_add_loop_test(two, a_jump_of_the_frame_time_breaks_no_lane, 0, CHR_LANES);
	tcase_add_loop_test(two, frames_may_wrap, 0, CHR_LANES);
	tcase_add_loop_test(two, no_needless_switching, 0, CHR_LANES);
	tcase_add_loop_test(two, an_out_that_died_is_not_named, 0, CHR_LANES);
	tcase_add_loop_test(two, a_new_out_says_nothing, 0, CHR_LANES);
	suite_add_tcase(suite, two);
	TCase *out = tcase_create("out of two");
	tcase_add_checked_fixture(out, out_of_two, teardown);
	tcase_add_test(out, out_is_silent_while_the_other_is_heard);
	tcase_add_test(out, silence_is_counted_when_no_lane_is_left);
	tcase_add_test(out, lane_that_needs_nobody_is_fresh);
	suite_add_tcase(suite, out);
	TCase *one = tcase_create("one lane");
	tcase_add_checked_fixture(one, one_lane, teardown);
	tcase_add_loop_test(one, gap_of_one_lane_falls_and_rises_without_a_click, 0, 5);
	tcase_add_test(one, a_long_gap_is_silent_and_counted);
	tcase_add_test(one, the_fall_begins_where_the_sound_stood);
	tcase_add_test(one, lane_b_is_never_played_with_one_lane);
	suite_add_tcase(suite, one);
	return chr_suite_run(suite);
}
