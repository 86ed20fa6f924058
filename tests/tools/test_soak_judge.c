/* The judgement of a soak: what is flat passes, what grows does not, and what is too short to tell is not judged. */
#include "tests/lib/suite.h"
#include "tools/soak_judge.h"

#include <check.h>
#include <math.h>
#include <string.h>

#define COUNT 100u
#define STEP  3.0 /* s */

static struct chr_soak_record record;

static void set_up(void)
{
	record = (struct chr_soak_record){
		.before = {154, 23, 18, 6}, .after = {154, 23, 18, 9}, .types = 3, .faults = 70, .rested = true};
}

static void tear_down(void)
{
	chr_soak_record_finish(&record);
	ck_assert_ptr_null(record.sample);
}

/* Samples of which all measures are 10, and one is what `value` says of sample i. */
static void fill(unsigned count, enum chr_soak_measure measure, double (*value)(unsigned i))
{
	for (unsigned i = 0; i < count; i++) {
		struct chr_soak_sample sample = {.at_s = (i + 1) * STEP};
		for (unsigned k = 0; k < CHR_SOAK_MEASURES; k++)
			sample.value[k] = 10;
		sample.value[measure] = value(i);
		ck_assert_int_eq(chr_soak_record_add(&record, &sample), 0);
	}
}

static double flat(unsigned i)
{
	(void)i;
	return 10;
}

/* 2 a minute. */
static double rising(unsigned i)
{
	return 20 + 2 * (i + 1) * STEP / 60;
}

/* Pools fill in the first half, and that is all. */
static double warming_up(unsigned i)
{
	return i < COUNT / 2 ? 20 + i : 70;
}

static double rising_at_the_end(unsigned i)
{
	return i < COUNT * 3 / 4 ? 10 : 20;
}

static double wavy(unsigned i)
{
	return 8 + i % 5;
}

static double gappy(unsigned i)
{
	return i % 3 ? NAN : rising(i);
}

static double unknown(unsigned i)
{
	(void)i;
	return NAN;
}

START_TEST(a_slope_is_that_of_the_second_half)
{
	fill(COUNT, CHR_SOAK_RSS, rising);
	struct chr_soak_trend trend = chr_soak_trend_of(&record, CHR_SOAK_RSS);
	ck_assert_double_eq_tol(trend.slope, 2, 1e-9);
	/* means of the first ten and of the last ten */
	ck_assert_double_eq_tol(trend.start, 20 + 2 * 5.5 * STEP / 60, 1e-9);
	ck_assert_double_eq_tol(trend.end, 20 + 2 * 95.5 * STEP / 60, 1e-9);
	/* 49 steps around the 75.5th */
	ck_assert_double_eq_tol(trend.growth, 100 * (2 * 49 * STEP / 60) / (20 + 2 * 75.5 * STEP / 60), 1e-9);
	trend = chr_soak_trend_of(&record, CHR_SOAK_FDS);
	ck_assert_double_eq_tol(trend.slope, 0, 1e-9);
	ck_assert_double_eq_tol(trend.growth, 0, 1e-9);
}
END_TEST

START_TEST(what_fills_up_at_first_has_not_grown)
{
	fill(COUNT, CHR_SOAK_RSS, warming_up);
	struct chr_soak_trend trend = chr_soak_trend_of(&record, CHR_SOAK_RSS);
	ck_assert_double_eq_tol(trend.slope, 0, 1e-9);
	ck_assert_double_lt(trend.start, trend.end);
}
END_TEST

START_TEST(what_is_not_known_is_left_out)
{
	fill(COUNT, CHR_SOAK_REPAIR, gappy);
	ck_assert_double_eq_tol(chr_soak_trend_of(&record, CHR_SOAK_REPAIR).slope, 2, 1e-9);
	chr_soak_record_finish(&record);
	fill(COUNT, CHR_SOAK_REPAIR, unknown);
	struct chr_soak_trend trend = chr_soak_trend_of(&record, CHR_SOAK_REPAIR);
	ck_assert(isnan(trend.start) && isnan(trend.end) && isnan(trend.slope) && isnan(trend.growth));
}
END_TEST

START_TEST(few_samples_have_no_slope)
{
	fill(2 * CHR_SOAK_FEWEST - 1, CHR_SOAK_RSS, rising);
	ck_assert(!isnan(chr_soak_trend_of(&record, CHR_SOAK_RSS).slope));
	chr_soak_record_finish(&record);
	fill(2 * CHR_SOAK_FEWEST - 2, CHR_SOAK_RSS, rising);
	ck_assert(isnan(chr_soak_trend_of(&record, CHR_SOAK_RSS).slope));
	ck_assert(!isnan(chr_soak_trend_of(&record, CHR_SOAK_RSS).end));
	chr_soak_record_finish(&record);
	ck_assert(isnan(chr_soak_trend_of(&record, CHR_SOAK_RSS).end));
}
END_TEST

START_TEST(latency_is_judged_beside_the_machines)
{
	fill(COUNT, CHR_SOAK_PING_P99, rising_at_the_end);
	ck_assert_double_eq_tol(chr_soak_latency_growth(&record), 100, 1e-9);
	for (unsigned i = 0; i < COUNT; i++)
		record.sample[i].value[CHR_SOAK_WITNESS_P99] = rising_at_the_end(i);
	ck_assert_double_eq_tol(chr_soak_latency_growth(&record), 0, 1e-9);
	/* a machine that has become quicker is no excuse, and no charge */
	for (unsigned i = 0; i < COUNT; i++) {
		record.sample[i].value[CHR_SOAK_WITNESS_P99] = 30 - rising_at_the_end(i);
		record.sample[i].value[CHR_SOAK_PING_P99] = wavy(i);
	}
	ck_assert_double_eq_tol(chr_soak_latency_growth(&record), 0, 1e-9);
	record.samples = 2 * CHR_SOAK_FEWEST - 1;
	ck_assert(isnan(chr_soak_latency_growth(&record)));
}
END_TEST

static unsigned missed(void)
{
	static struct figures figures;
	figures.count = 0;
	chr_soak_judge(&record, &figures);
	return figures_missed(&figures);
}

START_TEST(each_bar_can_be_missed)
{
	unsigned *const counters[] = {&record.unrecovered,   &record.server_lost,     &record.ended_badly,
				      &record.pings_lost,    &record.unanswered,      &record.after.fds,
				      &record.after.threads, &record.after.processes, &record.after.copies};
	fill(COUNT, CHR_SOAK_RSS, flat);
	ck_assert_uint_eq(missed(), 0);
	for (unsigned i = 0; i < sizeof counters / sizeof counters[0]; i++) {
		++*counters[i];
		ck_assert_msg(missed() == 1, "counter %u", i);
		--*counters[i];
	}
	record.faults = 0;
	ck_assert_uint_eq(missed(), 1);
	record.faults = 70;
	record.rested = false; /* nobody knows the four */
	ck_assert_uint_eq(missed(), 4);
	record.rested = true;
	for (unsigned i = 0; i < COUNT; i++)
		record.sample[i].value[CHR_SOAK_RSS] = rising(i);
	ck_assert_uint_eq(missed(), 1);
	for (unsigned i = 0; i < COUNT; i++)
		record.sample[i].value[CHR_SOAK_PING_P99] = rising_at_the_end(i);
	ck_assert_uint_eq(missed(), 2);
}
END_TEST

START_TEST(what_is_too_short_to_judge_has_no_goal)
{
	fill(4, CHR_SOAK_RSS, rising);
	ck_assert_uint_eq(missed(), 0);
}
END_TEST

START_TEST(holding_less_is_no_growth)
{
	record.after = (struct chr_soak_rest){150, 20, 17, 5};
	ck_assert_uint_eq(missed(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("soak_judge");
	TCase *tests = tcase_create("soak_judge");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_slope_is_that_of_the_second_half);
	tcase_add_test(tests, what_fills_up_at_first_has_not_grown);
	tcase_add_test(tests, what_is_not_known_is_left_out);
	tcase_add_test(tests, few_samples_have_no_slope);
	tcase_add_test(tests, latency_is_judged_beside_the_machines);
	tcase_add_test(tests, each_bar_can_be_missed);
	tcase_add_test(tests, what_is_too_short_to_judge_has_no_goal);
	tcase_add_test(tests, holding_less_is_no_growth);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
