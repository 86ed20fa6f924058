#include "supervisor/wiring_loops.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <stdlib.h>

static struct chr_loops loops;
static struct chr_members loop;

static void setup(void)
{
	loops = (struct chr_loops){0};
}

START_TEST(test_the_last_edge_closes)
{
	ck_assert(!chr_loops_add(&loops, 1, 2, &loop));
	ck_assert(!chr_loops_add(&loops, 2, 100, &loop));
	ck_assert(!chr_loops_add(&loops, 1, 100, &loop));
	ck_assert(chr_loops_add(&loops, 100, 1, &loop));
	for (unsigned i = 0; i < CHR_BOARD_MEMBERS; i++)
		ck_assert_int_eq(chr_members_has(&loop, i), i == 1 || i == 2 || i == 100);
}
END_TEST

START_TEST(test_only_members_of_the_loop)
{
	chr_loops_add(&loops, 5, 1, &loop); /* leads in */
	chr_loops_add(&loops, 1, 2, &loop);
	chr_loops_add(&loops, 2, 6, &loop); /* leads out */
	ck_assert(chr_loops_add(&loops, 2, 1, &loop));
	ck_assert(!chr_members_has(&loop, 5) && !chr_members_has(&loop, 6));
	ck_assert(chr_members_has(&loop, 1) && chr_members_has(&loop, 2));
}
END_TEST

START_TEST(test_a_closing_edge_leads_nowhere)
{
	chr_loops_add(&loops, 1, 2, &loop);
	ck_assert(chr_loops_add(&loops, 2, 1, &loop));
	chr_loops_add(&loops, 3, 2, &loop);
	/* 2 does not lead to 1, so 1 -> 3 closes nothing */
	ck_assert(!chr_loops_add(&loops, 1, 3, &loop));
	ck_assert(chr_loops_add(&loops, 2, 3, &loop));
}
END_TEST

START_TEST(test_edges_found_late_join_what_was_apart)
{
	chr_loops_add(&loops, 3, 4, &loop);
	chr_loops_add(&loops, 1, 2, &loop);
	chr_loops_add(&loops, 2, 3, &loop);
	ck_assert(chr_loops_add(&loops, 4, 1, &loop));
}
END_TEST

START_TEST(test_to_itself)
{
	ck_assert(chr_loops_add(&loops, 7, 7, &loop));
	ck_assert(chr_members_has(&loop, 7));
}
END_TEST

START_TEST(test_depth)
{
	chr_loops_add(&loops, 1, 2, &loop);
	chr_loops_add(&loops, 1, 3, &loop);
	chr_loops_add(&loops, 3, 2, &loop);
	chr_loops_add(&loops, 3, 191, &loop);
	ck_assert(chr_loops_add(&loops, 2, 3, &loop));
	ck_assert(chr_loops_add(&loops, 191, 1, &loop));
	ck_assert_uint_eq(chr_loops_depth(&loops, 1), 0);
	ck_assert_uint_eq(chr_loops_depth(&loops, 3), 1);
	ck_assert_uint_eq(chr_loops_depth(&loops, 2), 2);
	ck_assert_uint_eq(chr_loops_depth(&loops, 191), 2);
}
END_TEST

START_TEST(test_members_of_loops)
{
	struct chr_members looped;
	chr_loops_draw(&loops, 1, 2);
	chr_loops_draw(&loops, 2, 3);
	chr_loops_draw(&loops, 9, 1);
	chr_loops_draw(&loops, 3, 127);
	chr_loops_members(&loops, &looped);
	for (unsigned i = 0; i < CHR_BOARD_MEMBERS; i++)
		ck_assert(!chr_members_has(&looped, i));
	/* two loops, and one around both, on which 5 lies */
	setup();
	chr_loops_draw(&loops, 1, 2);
	chr_loops_draw(&loops, 2, 1);
	chr_loops_draw(&loops, 3, 127);
	chr_loops_draw(&loops, 127, 3);
	chr_loops_draw(&loops, 1, 5);
	chr_loops_draw(&loops, 5, 127);
	chr_loops_draw(&loops, 3, 2);
	chr_loops_draw(&loops, 70, 70);
	chr_loops_draw(&loops, 6, 1);
	chr_loops_draw(&loops, 2, 7);
	chr_loops_members(&loops, &looped);
	for (unsigned i = 0; i < CHR_BOARD_MEMBERS; i++)
		ck_assert_int_eq(chr_members_has(&looped, i), i == 1 || i == 2 || i == 3 || i == 5 || i == 70 || i == 127);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wiring_loops");
	TCase *tests = tcase_create("loops");
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, test_the_last_edge_closes);
	tcase_add_test(tests, test_only_members_of_the_loop);
	tcase_add_test(tests, test_a_closing_edge_leads_nowhere);
	tcase_add_test(tests, test_edges_found_late_join_what_was_apart);
	tcase_add_test(tests, test_to_itself);
	tcase_add_test(tests, test_depth);
	tcase_add_test(tests, test_members_of_loops);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
