#include "supervisor/schedule.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

static struct chr_schedule schedule;

static void setup(void)
{
	chr_schedule_init(&schedule);
}

static void teardown(void)
{
	chr_schedule_finish(&schedule);
}

static int put(unsigned unit, uint32_t frame, uint32_t mark)
{
	struct chr_event event = {.frame = frame, .index = mark};

	return chr_schedule_put(&schedule, unit, &event);
}

START_TEST(test_schedule_order)
{
	const uint32_t base = UINT32_MAX - 5000; /* the frames wrap on the way */
	struct chr_scheduled out, last = {0};
	unsigned n = 0;

	srand(1);
	for (uint32_t i = 0; i < 10000; i++)
		ck_assert_int_eq(put(0, base + (uint32_t)rand() % 10000, i), 0);
	while (chr_schedule_take(&schedule, base + 10000, &out)) {
		if (n++ > 0) {
			int32_t distance = chr_frames_diff(out.event.frame, last.event.frame);

			ck_assert_int_ge(distance, 0);
			if (distance == 0)
				ck_assert_uint_gt(out.event.index, last.event.index);
		}
		last = out;
	}
	ck_assert_uint_eq(n, 10000);
	ck_assert_uint_eq(schedule.count, 0);
}
END_TEST

START_TEST(test_schedule_take_is_before)
{
	struct chr_scheduled out;
	uint32_t frame;

	ck_assert(!chr_schedule_next(&schedule, &frame));
	ck_assert(!chr_schedule_take(&schedule, 0, &out));
	put(3, 100, 0);
	ck_assert(chr_schedule_next(&schedule, &frame));
	ck_assert_uint_eq(frame, 100);
	ck_assert(!chr_schedule_take(&schedule, 100, &out));
	ck_assert(chr_schedule_take(&schedule, 101, &out));
	ck_assert_uint_eq(out.unit, 3);
	ck_assert(!chr_schedule_take(&schedule, 101, &out));
}
END_TEST

START_TEST(test_schedule_forget)
{
	struct chr_scheduled out;
	uint32_t expected = 0;

	for (uint32_t i = 0; i < 1000; i++)
		put(i % 3, 1000 - i, i);
	chr_schedule_forget(&schedule, 1);
	ck_assert_uint_eq(schedule.count, 667);
	for (unsigned n = 0; chr_schedule_take(&schedule, 2000, &out); n++) {
		ck_assert_uint_ne(out.unit, 1);
		ck_assert_uint_gt(out.event.frame, expected);
		expected = out.event.frame;
	}
}
END_TEST

START_TEST(test_schedule_full)
{
	unsigned taken = 0;

	for (uint32_t i = 0; i < CHR_SCHEDULE_MAX; i++)
		taken += put(0, i, 0) == 0;
	ck_assert_uint_eq(taken, CHR_SCHEDULE_MAX);
	ck_assert_int_eq(put(0, 0, 0), -ENOSPC);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("schedule");
	TCase *tcase = tcase_create("schedule");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_schedule_order);
	tcase_add_test(tcase, test_schedule_take_is_before);
	tcase_add_test(tcase, test_schedule_forget);
	tcase_add_test(tcase, test_schedule_full);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
