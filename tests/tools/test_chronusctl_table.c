/* Text tables: widths, alignment, wrapping, clipping, and cleaning of what goes in. */
#include "tests/lib/suite.h"
#include "tools/chronusctl_table.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct chr_column column[] = {
	{.title = "A"}, {.title = "NUMBER", .right = true}, {.title = "SPARE", .spare = true}, {.title = "HELP"}};

static char *printed(const struct chr_table *table, unsigned indent, unsigned width, bool color)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *to = open_memstream(&text, &bytes);
	chr_table_print(table, to, indent, width, color);
	fclose(to);
	return text;
}

static void prints(const struct chr_table *table, unsigned indent, unsigned width, bool color, const char *expected)
{
	char *text = printed(table, indent, width, color);
	ck_assert_str_eq(text, expected);
	free(text);
}

static void fill(struct chr_table *table, const char *spare, const char *help)
{
	chr_table_init(table, column, 4);
	chr_table_row(table);
	chr_table_put(table, CHR_PLAIN, "%s", "caf\xc3\xa9");
	chr_table_put(table, CHR_RED, "%d", 7);
	chr_table_put(table, CHR_PLAIN, "%s", spare);
	chr_table_put(table, CHR_PLAIN, "%s", help);
}

START_TEST(columns_are_as_wide_as_their_cells)
{
	struct chr_table table;
	fill(&table, "x", "help");
	chr_table_row(&table);
	chr_table_put(&table, CHR_PLAIN, "b");
	prints(&table, 2, 0, false,
	       "  A     NUMBER  SPARE  HELP\n"
	       "  caf\xc3\xa9       7  x      help\n"
	       "  b\n");
	chr_table_finish(&table);
}
END_TEST

START_TEST(a_spare_column_without_cells_is_left_out)
{
	struct chr_table table;
	fill(&table, "", "help");
	prints(&table, 0, 0, false,
	       "A     NUMBER  HELP\n"
	       "caf\xc3\xa9       7  help\n");
	chr_table_finish(&table);
}
END_TEST

START_TEST(the_last_column_wraps)
{
	struct chr_table table;
	fill(&table, "", "one two three four five six seven");
	prints(&table, 0, 36, false,
	       "A     NUMBER  HELP\n"
	       "caf\xc3\xa9       7  one two three four\n"
	       "              five six seven\n");
	chr_table_finish(&table);
}
END_TEST

START_TEST(colours_do_not_count_as_width)
{
	struct chr_table table;
	fill(&table, "", "help");
	prints(&table, 0, 0, true,
	       "\033[2mA\033[0m     \033[2mNUMBER\033[0m  \033[2mHELP\033[0m\n"
	       "caf\xc3\xa9       \033[31m7\033[0m  help\n");
	chr_table_finish(&table);
}
END_TEST

START_TEST(cells_are_cleaned_and_excess_cells_dropped)
{
	struct chr_table table;
	fill(&table, "a\033[2J\x7f\nb\xc2\x9b", "help");
	chr_table_put(&table, CHR_PLAIN, "excess");
	prints(&table, 0, 0, false,
	       "A     NUMBER  SPARE       HELP\n"
	       "caf\xc3\xa9       7  a?[2J??b??  help\n");
	chr_table_finish(&table);
}
END_TEST

static const struct {
	const char *line;
	size_t width;
	const char *clipped;
} clip[] = {
	{"plain", 10, "plain"},
	{"plain", 3, "pla"},
	{"plain", 0, ""},
	{"\033[31mred\033[0m and more", 5, "\033[31mred\033[0m a"},
	{"\033[31mred\033[0m", 2, "\033[31mre\033[0m"},
	{"\xc3\xa9\xc3\xa9\xc3\xa9", 2, "\xc3\xa9\xc3\xa9"},
	{"\033[31", 2, "\033[31"},
};

START_TEST(clipping_keeps_colours)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *to = open_memstream(&text, &bytes);
	chr_text_clip(to, clip[_i].line, clip[_i].width);
	fclose(to);
	ck_assert_str_eq(text, clip[_i].clipped);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chronusctl tables");
	TCase *all = tcase_create("all");
	tcase_add_test(all, columns_are_as_wide_as_their_cells);
	tcase_add_test(all, a_spare_column_without_cells_is_left_out);
	tcase_add_test(all, the_last_column_wraps);
	tcase_add_test(all, colours_do_not_count_as_width);
	tcase_add_test(all, cells_are_cleaned_and_excess_cells_dropped);
	tcase_add_loop_test(all, clipping_keeps_colours, 0, sizeof clip / sizeof clip[0]);
	suite_add_tcase(suite, all);
	return chr_suite_run(suite);
}
