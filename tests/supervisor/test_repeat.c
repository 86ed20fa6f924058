#include "supervisor/repeat.h"
#include "tests/lib/suite.h"

#include <check.h>

#define EARLY 1u /* a moment after the machine's start */

START_TEST(the_first_is_told_at_once)
{
	struct chr_repeat repeat = {0};
	ck_assert_uint_eq(chr_repeat_tell(&repeat, EARLY), 1);
	ck_assert_str_eq(chr_repeat_times(1), "");
}
END_TEST

START_TEST(of_many_only_the_number_is_told)
{
	struct chr_repeat repeat = {0};
	unsigned told = 0, counted = 0;
	for (unsigned i = 0; i < 600; i++) { /* ten minutes, one a second */
		unsigned count = chr_repeat_tell(&repeat, EARLY + i * 1000000u);
		told += count > 0;
		counted += count;
	}
	ck_assert_uint_eq(told, 10);
	ck_assert_uint_eq(counted, 541);
	ck_assert_uint_eq(repeat.untold, 59);
}
END_TEST

START_TEST(after_a_pause_it_is_told_at_once_again)
{
	struct chr_repeat repeat = {0};
	ck_assert_uint_eq(chr_repeat_tell(&repeat, EARLY), 1);
	ck_assert_uint_eq(chr_repeat_tell(&repeat, EARLY + CHR_REPEAT_US - 1), 0);
	ck_assert_uint_eq(chr_repeat_tell(&repeat, EARLY + CHR_REPEAT_US), 2);
	ck_assert_uint_eq(chr_repeat_tell(&repeat, EARLY + 3u * (uint64_t)CHR_REPEAT_US), 1);
	ck_assert_str_eq(chr_repeat_times(2), " (2 times since it was told last)");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("repeat");
	TCase *tcase = tcase_create("repeat");
	tcase_add_test(tcase, the_first_is_told_at_once);
	tcase_add_test(tcase, of_many_only_the_number_is_told);
	tcase_add_test(tcase, after_a_pause_it_is_told_at_once_again);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
