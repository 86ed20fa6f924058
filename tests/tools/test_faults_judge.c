/* The judgement of the fault campaign: it hears everything that is wrong, and nothing that is right. */
#include "tests/lib/suite.h"
#include "tools/faults_judge.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD 64u
#define START  4294967000u /* the frame time wraps soon after */

static struct chr_judge judge;
static struct chr_loss losses[64];
static unsigned loss_count;
static uint32_t frame;
static float left[PERIOD], right[PERIOD];

/* A sequence in which no two stretches are alike. */
static float sample(uint64_t at, unsigned channel)
{
	uint32_t x = (uint32_t)at * 2654435761u + channel * 40503u + 1;
	x ^= x >> 15;
	x *= 2246822519u;
	x ^= x >> 13;
	return (float)(x >> 8) / 16777216.0f - 0.5f;
}

static void expect(void *self, uint64_t at, uint32_t frames, float *const out[CHR_JUDGE_CHANNELS])
{
	(void)self;
	for (unsigned c = 0; c < CHR_JUDGE_CHANNELS; c++)
		for (uint32_t i = 0; i < frames; i++)
			out[c][i] = sample(at + i, c);
}

static void on_lost(void *arg, const struct chr_loss *loss)
{
	(void)arg;
	if (loss_count < sizeof losses / sizeof losses[0])
		losses[loss_count] = *loss;
	loss_count++;
}

static void fill(uint64_t at)
{
	float *const out[] = {left, right};
	expect(NULL, at, PERIOD, out);
}

static void feed(void)
{
	const float *const data[] = {left, right};
	chr_judge_feed(&judge, frame, PERIOD, data);
	frame += PERIOD;
}

/* Plays the sequence from `at` on for some cycles. */
static void play(uint64_t at, unsigned cycles)
{
	for (unsigned i = 0; i < cycles; i++) {
		fill(at + i * PERIOD);
		feed();
	}
}

static void play_silence(void)
{
	memset(left, 0, sizeof left);
	memset(right, 0, sizeof right);
	feed();
}

static void set_up(void)
{
	chr_judge_init(&judge, 2, PERIOD);
	judge.lost = on_lost;
	loss_count = 0;
	memset(losses, 0, sizeof losses);
	frame = START;
	play_silence();
	/* computed in the cycle before, heard in this one */
	chr_judge_sync(&judge, expect, NULL, frame - PERIOD);
	loss_count = 0;
	judge.wrong = judge.right = 0;
}

START_TEST(the_sequence_as_it_should_be_is_right)
{
	play(0, 1000);
	ck_assert_uint_eq(loss_count, 0);
	ck_assert_uint_eq(judge.right, 1000 * PERIOD);
	ck_assert_uint_eq(judge.wrong, 0);
}
END_TEST

START_TEST(one_wrong_sample_is_heard)
{
	play(0, 10);
	fill(10 * PERIOD);
	uint32_t bits;
	memcpy(&bits, &right[17], sizeof bits);
	bits ^= 1; /* the last bit of one sample of one channel */
	memcpy(&right[17], &bits, sizeof bits);
	feed();
	play(11 * PERIOD, 10);
	ck_assert_uint_eq(loss_count, 1);
	ck_assert_int_eq(losses[0].kind, CHR_LOSS_WRONG);
	ck_assert_uint_eq(losses[0].frames, 1);
	ck_assert_uint_eq(judge.wrong, 1);
	ck_assert_uint_eq(judge.right, 21 * PERIOD - 1);
}
END_TEST

START_TEST(a_missing_period_is_heard_and_the_sequence_may_go_on_after_it)
{
	play(0, 10);
	frame += PERIOD;
	play(10 * PERIOD, 10); /* nobody ran while it was skipped */
	frame += PERIOD;
	play(21 * PERIOD, 10); /* the modules ran, and were not heard */
	ck_assert_uint_eq(loss_count, 2);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(losses[i].kind, CHR_LOSS_SKIPPED);
		ck_assert_uint_eq(losses[i].frames, PERIOD);
	}
	ck_assert_uint_eq(judge.steps, 0);
}
END_TEST

START_TEST(a_silent_period_is_heard)
{
	play(0, 10);
	play_silence();
	play_silence();
	play(12 * PERIOD, 10);
	ck_assert_uint_eq(loss_count, 2);
	ck_assert_int_eq(losses[0].kind, CHR_LOSS_SILENT);
	ck_assert_uint_eq(losses[1].frame, losses[0].frame + PERIOD);
	ck_assert_uint_eq(judge.wrong, 2 * PERIOD);
	ck_assert_uint_eq(judge.right, 20 * PERIOD);
}
END_TEST

START_TEST(a_period_left_out_without_a_gap_is_a_step)
{
	play(0, 10);
	play(11 * PERIOD, 10);
	ck_assert_uint_eq(judge.steps, 1);
	ck_assert_uint_eq(loss_count, 1);
	ck_assert_int_eq(losses[0].kind, CHR_LOSS_STEP);
	ck_assert_uint_eq(losses[0].frames, PERIOD);
}
END_TEST

START_TEST(a_period_heard_twice_is_a_step)
{
	play(0, 10);
	play(9 * PERIOD, 10);
	ck_assert_uint_eq(judge.steps, 1);
	ck_assert_uint_eq(judge.wrong, PERIOD);
}
END_TEST

START_TEST(after_a_gap_more_than_the_gap_may_not_be_missing)
{
	play(0, 10);
	play_silence();
	play(12 * PERIOD, 10);
	ck_assert_uint_eq(judge.steps, 1);
	ck_assert_uint_eq(judge.wrong, 2 * PERIOD);
}
END_TEST

START_TEST(a_sequence_off_by_a_sample_is_wrong_for_good)
{
	play(0, 10);
	play(10 * PERIOD + 1, 20);
	ck_assert_uint_eq(judge.right, 10 * PERIOD);
	ck_assert_uint_eq(judge.adrift, 20);
	ck_assert_int_eq(losses[0].kind, CHR_LOSS_WRONG);
	ck_assert_uint_eq(losses[0].frames, PERIOD);
}
END_TEST

START_TEST(without_a_reference_silence_is_heard)
{
	chr_judge_sync(&judge, NULL, NULL, frame - 1);
	play(5, 10);
	fill(3);
	memset(left + 10, 0, 20 * sizeof *left);
	feed(); /* one channel sounds */
	memset(right + 10, 0, 20 * sizeof *right);
	feed();
	frame += 3 * PERIOD;
	play(5, 1);
	ck_assert_uint_eq(loss_count, 2);
	ck_assert_int_eq(losses[0].kind, CHR_LOSS_SILENT);
	ck_assert_uint_eq(losses[0].frames, 20);
	ck_assert_int_eq(losses[1].kind, CHR_LOSS_SKIPPED);
	ck_assert_uint_eq(losses[1].frames, 3 * PERIOD);
}
END_TEST

START_TEST(a_frame_time_that_steps_back_skips_nothing)
{
	play(0, 10);
	frame -= 5;
	play(10 * PERIOD, 10);
	ck_assert_uint_eq(loss_count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("faults_judge");
	TCase *tests = tcase_create("judge");
	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, the_sequence_as_it_should_be_is_right);
	tcase_add_test(tests, one_wrong_sample_is_heard);
	tcase_add_test(tests, a_missing_period_is_heard_and_the_sequence_may_go_on_after_it);
	tcase_add_test(tests, a_silent_period_is_heard);
	tcase_add_test(tests, a_period_left_out_without_a_gap_is_a_step);
	tcase_add_test(tests, a_period_heard_twice_is_a_step);
	tcase_add_test(tests, after_a_gap_more_than_the_gap_may_not_be_missing);
	tcase_add_test(tests, a_sequence_off_by_a_sample_is_wrong_for_good);
	tcase_add_test(tests, without_a_reference_silence_is_heard);
	tcase_add_test(tests, a_frame_time_that_steps_back_skips_nothing);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
