#include "tests/lib/suite.h"
#include "tools/figures.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

START_TEST(goals_are_judged)
{
	static const struct {
		enum goal kind;
		double value;
		bool met;
	} cases[] = {
		{AT_MOST, 2.0, true},        {AT_MOST, 2.1, false},  {AT_MOST, NAN, false},
		{AT_MOST, INFINITY, false},  {AT_LEAST, 2.0, true},  {AT_LEAST, 1.9, false},
		{AT_LEAST, INFINITY, false}, {AT_LEAST, NAN, false}, {NO_GOAL, 1000.0, true},
	};
	static struct figures figures = {.table = 4};
	unsigned missed = 0;

	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		figures_add(&figures, cases[i].value, "dB", cases[i].kind, 2.0, "case %u", i);
		ck_assert_msg(figure_met(&figures.figure[i]) == cases[i].met, "case %u", i);
		missed += !cases[i].met;
	}
	ck_assert_uint_eq(figures_missed(&figures), missed);
}
END_TEST

START_TEST(json_has_every_field)
{
	static struct figures figures = {.table = 3};
	char path[] = "/tmp/chronus-figures-XXXXXX";
	int file = mkstemp(path);
	json_t *array, *met, *open, *wild;

	ck_assert_int_ge(file, 0);
	close(file);
	figures_add(&figures, 0.25, "cents", AT_MOST, 0.5, "frequency %d Hz", 440);
	figures_add(&figures, 3.0, "", NO_GOAL, 0.0, "no goal");
	figures_add(&figures, NAN, "dB", AT_LEAST, 1.0, "wild");
	ck_assert_int_eq(figures_write_json(&figures, path), 0);
	array = json_load_file(path, 0, NULL);
	unlink(path);
	ck_assert_uint_eq(json_array_size(array), 3);
	met = json_array_get(array, 0);
	open = json_array_get(array, 1);
	wild = json_array_get(array, 2);
	ck_assert_int_eq(json_integer_value(json_object_get(met, "table")), 3);
	ck_assert_str_eq(json_string_value(json_object_get(met, "name")), "frequency 440 Hz");
	ck_assert_str_eq(json_string_value(json_object_get(met, "unit")), "cents");
	ck_assert_double_eq(json_real_value(json_object_get(met, "value")), 0.25);
	ck_assert_double_eq(json_real_value(json_object_get(met, "goal")), 0.5);
	ck_assert(json_is_true(json_object_get(met, "met")));
	ck_assert(json_is_null(json_object_get(open, "goal")));
	ck_assert(json_is_null(json_object_get(open, "met")));
	ck_assert(json_is_null(json_object_get(wild, "value")));
	ck_assert(json_is_false(json_object_get(wild, "met")));
	json_decref(array);
}
END_TEST

START_TEST(an_unwritable_file_is_an_error)
{
	static struct figures figures = {.table = 3};

	ck_assert_int_eq(figures_write_json(&figures, "/nowhere/at/all"), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("figures");
	TCase *tests = tcase_create("figures");

	tcase_add_test(tests, goals_are_judged);
	tcase_add_test(tests, json_has_every_field);
	tcase_add_test(tests, an_unwritable_file_is_an_error);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
