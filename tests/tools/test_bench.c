/* The figures of the bench: what many measurements come to, who is ahead, and the copy of the tables in a file. */
#include "tests/lib/suite.h"
#include "tools/bench.h"
#include "tools/bench_stat.h"
#include "tools/bench_synthdef.h"

#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct chr_bench bench;
static char path[32];

static void set_up(void)
{
	memset(&bench, 0, sizeof bench);
	snprintf(path, sizeof path, "/tmp/chr-bench-XXXXXX");
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void tear_down(void)
{
	chr_bench_finish(&bench);
	unlink(path);
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static const char *read_file(void)
{
	static char text[16384];
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, sizeof text - 1, f)] = 0;
	fclose(f);
	return text;
}

START_TEST(percentiles_are_measured_values)
{
	double x[] = {5, 1, 4, 2, 3};
	ck_assert_double_eq(chr_stat_median(x, 5), 3);
	ck_assert_double_eq(chr_stat_percentile(x, 5, 0.99), 5);
	ck_assert_double_eq(chr_stat_percentile(x, 5, 0.2), 1);
	ck_assert(isnan(chr_stat_median(x, 0)));
	ck_assert_double_eq_tol(chr_stat_deviation(x, 5), sqrt(2.5), 1e-12);
}
END_TEST

START_TEST(the_line_is_that_of_least_squares)
{
	const double x[] = {1, 2, 3, 4}, straight[] = {5, 7, 9, 11}, bent[] = {1, 4, 9, 16};
	struct chr_stat_fit fit = chr_stat_line(x, straight, 4);
	ck_assert_double_eq_tol(fit.slope, 2, 1e-12);
	ck_assert_double_eq_tol(fit.offset, 3, 1e-12);
	ck_assert_double_eq_tol(fit.r2, 1, 1e-12);
	fit = chr_stat_line(x, bent, 4);
	ck_assert_double_eq_tol(fit.slope, 5, 1e-12);
	ck_assert_double_lt(fit.r2, 0.99);
	ck_assert_double_eq_tol(fit.worst, 1, 1e-12);
}
END_TEST

START_TEST(who_is_ahead_depends_on_what_is_better)
{
	struct chr_bench_row *row = chr_bench_row(&bench, 2, "latency", "ms");
	ck_assert_int_eq(chr_bench_verdict(row), CHR_BENCH_OPEN);
	row->value = 2;
	row->peer[0] = 4;
	row->peer[1] = 3;
	ck_assert_int_eq(chr_bench_verdict(row), CHR_BENCH_AHEAD);
	ck_assert_double_eq_tol(chr_bench_ratio(row), 2.0 / 3, 1e-12); /* against the better one */
	row->more = true;
	ck_assert_int_eq(chr_bench_verdict(row), CHR_BENCH_BEHIND);
	ck_assert_double_eq_tol(chr_bench_ratio(row), 0.5, 1e-12);
	row->value = 4.1;
	ck_assert_int_eq(chr_bench_verdict(row), CHR_BENCH_EVEN);
}
END_TEST

START_TEST(a_goal_outdoes_a_comparison)
{
	struct chr_bench_row *row = chr_bench_row(&bench, 1, "figure", "ms");
	row->value = 3;
	row->before = 1;
	ck_assert_int_eq(chr_bench_verdict(row), CHR_BENCH_BEHIND);
	row->goal = 3;
	ck_assert_int_eq(chr_bench_verdict(row), CHR_BENCH_MET);
	row->floor = 1;
	row->goal = 2;
	row->of_ratio = true;
	ck_assert_int_eq(chr_bench_verdict(row), CHR_BENCH_MISSED);
	row->told = 1;
	ck_assert_int_eq(chr_bench_verdict(row), CHR_BENCH_MET);
}
END_TEST

START_TEST(only_what_stands_between_the_markers_is_rewritten)
{
	struct chr_bench_row *row = chr_bench_row(&bench, 4, "a figure", "us");
	row->value = 1.5;
	row->goal = 1;
	write_file("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n");
	ck_assert_int_eq(chr_bench_rewrite(&bench, path), 0);
	ck_assert_int_eq(chr_bench_rewrite(&bench, path), 0);
	const char *text = read_file();
	ck_assert_int_eq(strncmp(text, "before\n<!-- bench -->\n", 22), 0);
	ck_assert_ptr_nonnull(strstr(text, "| a figure, us | 1.50 |"));
	ck_assert_ptr_nonnull(strstr(text, "missed"));
	ck_assert_ptr_null(strstr(text, "old"));
	ck_assert_str_eq(strstr(text, "<!-- /bench -->"), "<!-- /bench -->\nafter\n");
	write_file("no markers\n");
	ck_assert_int_eq(chr_bench_rewrite(&bench, path), -1);
	ck_assert_str_eq(read_file(), "no markers\n");
}
END_TEST

START_TEST(rows_of_other_programs_are_merged)
{
	write_file(
		"[{\"table\": 3, \"name\": \"drift\", \"goal\": 0.5, \"value\": 0.25, \"unit\": \"cents\", \"met\": true},"
		" {\"table\": 4, \"name\": \"words\", \"goal\": \"bit-identical\", \"value\": 1, \"unit\": \"\", \"met\": false},"
		" {\"table\": 4, \"name\": \"ring\", \"goal\": 2, \"value\": 1.5, \"unit\": \"x\", \"met\": false},"
		" {\"table\": 9, \"name\": \"of no table\"}, 7]");
	ck_assert_int_eq(chr_bench_merge_json(&bench, path), 5);
	ck_assert_uint_eq(bench.rows, 3);
	ck_assert(!bench.row[0].more);
	ck_assert(bench.row[2].more); /* less than the goal, and missed */
	ck_assert_uint_eq(bench.row[0].table, 3);
	ck_assert_double_eq(bench.row[0].value, 0.25);
	ck_assert_int_eq(chr_bench_verdict(&bench.row[0]), CHR_BENCH_MET);
	ck_assert_str_eq(bench.row[1].goal_says, "bit-identical");
	ck_assert_int_eq(chr_bench_verdict(&bench.row[1]), CHR_BENCH_MISSED);
	write_file("not JSON");
	ck_assert_int_eq(chr_bench_merge_json(&bench, path), -1);
}
END_TEST

START_TEST(the_json_holds_every_row_and_point)
{
	chr_bench_row(&bench, 1, "a \"quoted\" name", "ms")->value = 2;
	struct chr_bench_line *line = chr_bench_line(chr_bench_plot(&bench, "p.svg", "title", "x", "y"), "line");
	chr_bench_point(line, 1, 2);
	chr_bench_note(&bench, 1, "note %d", 7);
	ck_assert_int_eq(chr_bench_write_json(&bench, path), 0);
	json_t *all = json_load_file(path, 0, NULL), *row = json_array_get(json_object_get(all, "figures"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(row, "name")), "a \"quoted\" name");
	ck_assert_double_eq(json_number_value(json_object_get(row, "value")), 2);
	ck_assert(json_is_null(json_object_get(row, "floor")));
	json_t *plot = json_array_get(json_object_get(all, "plots"), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(json_array_get(json_object_get(plot, "lines"), 0), "points")), 1);
	json_decref(all);
}
END_TEST

START_TEST(an_earlier_run_is_taken_up)
{
	static struct chr_bench later;
	struct chr_bench_row *row = chr_bench_row(&bench, 2, "first", "ms");
	row->value = 1;
	row->peer[0] = 2;
	snprintf(row->peer_says[1], sizeof row->peer_says[1], "dies");
	row = chr_bench_row(&bench, 4, "second", "x");
	row->value = row->floor = 3;
	row->goal = 2;
	row->of_ratio = row->more = true;
	chr_bench_note(&bench, 4, "count: 1");
	ck_assert_int_eq(chr_bench_write_json(&bench, path), 0);
	ck_assert_int_eq(chr_bench_merge_json(&later, path), 2);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(chr_bench_verdict(&later.row[i]), chr_bench_verdict(&bench.row[i]));
		ck_assert_double_eq(chr_bench_ratio(&later.row[i]), chr_bench_ratio(&bench.row[i]));
	}
	ck_assert_str_eq(later.row[0].peer_says[1], "dies");
	/* what is measured anew stands where it stood */
	chr_bench_row(&later, 2, "first", "ms")->value = 5;
	chr_bench_note(&later, 4, "count: 2");
	ck_assert_uint_eq(later.rows, 2);
	ck_assert_double_eq(later.row[0].value, 5);
	ck_assert(isnan(later.row[0].peer[0]));
	ck_assert_uint_eq(later.notes, 1);
	ck_assert_str_eq(later.note[0].text, "count: 2");
	chr_bench_finish(&later);
}
END_TEST

START_TEST(synth_definitions_have_the_bytes_of_the_format)
{
	static struct chr_synthdef def;
	static const unsigned char expected[] = {
		'S', 'C', 'g', 'f', 0,   0,   0,   2,   0,   1,   1, 's', 0, 0, 0, 2, 0x43, 0xdc, 0,   0, /* 440 */
		0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0, 0,   0, 0, 0, 1, /* no controls, one generator */
		6,   'S', 'i', 'n', 'O', 's', 'c', 2,   0,   0,   0, 2,   0, 0, 0, 1, 0,    0,    255, 255,
		255, 255, 0,   0,   0,   0,   255, 255, 255, 255, 0, 0,   0, 1, 2, 0, 0};
	chr_synthdef_sines(&def, "s", 1);
	ck_assert_uint_eq(def.count, sizeof expected);
	ck_assert_mem_eq(def.bytes, expected, sizeof expected);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bench");
	TCase *tests = tcase_create("figures");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, percentiles_are_measured_values);
	tcase_add_test(tests, the_line_is_that_of_least_squares);
	tcase_add_test(tests, who_is_ahead_depends_on_what_is_better);
	tcase_add_test(tests, a_goal_outdoes_a_comparison);
	tcase_add_test(tests, only_what_stands_between_the_markers_is_rewritten);
	tcase_add_test(tests, rows_of_other_programs_are_merged);
	tcase_add_test(tests, the_json_holds_every_row_and_point);
	tcase_add_test(tests, an_earlier_run_is_taken_up);
	tcase_add_test(tests, synth_definitions_have_the_bytes_of_the_format);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
