#include "tests/lib/suite.h"
#include "tools/arguments.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct options {
	bool fast, pipewire;
	const char *file;
	unsigned count;
	double share;
};

#define AT(field) offsetof(struct options, field)

static const struct chr_argument table[] = {
	{"fast", NULL, "a flag", CHR_ARGUMENT_FLAG, AT(fast), 0, 0},
	{"file", "FILE", "a text", CHR_ARGUMENT_TEXT, AT(file), 0, 0},
	{"count", "N", "a whole number", CHR_ARGUMENT_WHOLE, AT(count), 2, 4294967295.0},
	{"share", "S", "a number", CHR_ARGUMENT_REAL, AT(share), 0.25, 1},
	{"server", "NAME", "a server", CHR_ARGUMENT_SERVER, AT(pipewire), 0, 0},
};

static const struct chr_arguments arguments = {
	.program = "test", .row = table, .rows = sizeof table / sizeof table[0], .before = "", .after = ""};

/* Up to three words. */
static int take(struct options *options, const char *a, const char *b, const char *c)
{
	char *argv[] = {(char *)"test", (char *)a, (char *)b, (char *)c};
	int argc = 1 + (a != NULL) + (b != NULL) + (c != NULL);
	memset(options, 0, sizeof *options);
	return chr_arguments_take(&arguments, options, argc, argv);
}

START_TEST(test_values)
{
	struct options options;
	ck_assert_int_eq(take(&options, NULL, NULL, NULL), 0);
	ck_assert_int_eq(take(&options, "--count=4294967295", "--share", "0.5"), 0);
	ck_assert_uint_eq(options.count, 4294967295u);
	ck_assert_double_eq(options.share, 0.5);
	ck_assert_int_eq(take(&options, "--file", "--fast", "--fast"), 0);
	ck_assert_str_eq(options.file, "--fast");
	ck_assert(options.fast);
	ck_assert_int_eq(take(&options, "--file=", "--server", "pipewire"), 0);
	ck_assert_str_eq(options.file, "");
	ck_assert(options.pipewire);
	ck_assert_int_eq(take(&options, "--server=jackd2", NULL, NULL), 0);
	ck_assert(!options.pipewire);
}
END_TEST

START_TEST(test_what_is_wrong_ends_with_64)
{
	static const char *const wrong[][2] = {
		{"--fas", NULL},    {"--fast=1", NULL},  {"fast", NULL},       {"--file", NULL},          {"--count", "1"},
		{"--count", "2.5"}, {"--count", "-3"},   {"--count=", NULL},   {"--count", "4294967296"}, {"--share", "0.2499"},
		{"--share", "nan"}, {"--share", "0.5x"}, {"--server", "jack"}, {"--countless", "5"}};
	struct options options;
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_msg(take(&options, wrong[i][0], wrong[i][1], NULL) == EX_USAGE, "%s %s", wrong[i][0],
			      wrong[i][1] ? wrong[i][1] : "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arguments");
	TCase *tcase = tcase_create("arguments");
	tcase_add_test(tcase, test_values);
	tcase_add_test(tcase, test_what_is_wrong_ends_with_64);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
