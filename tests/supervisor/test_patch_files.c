/* The patch loader against files that are no patches, text made to hurt it, and the manual that describes it. */
#include "supervisor/patch_parts.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/patch_fixture.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define GOOD   "modules = ( { name = \"osc1\"; type = \"sine\"; } );\n"
#define ROUNDS 4000

static char *folder;

static void setup(void)
{
	char name[] = "/tmp/patch-XXXXXX";

	folder = strdup(mkdtemp(name));
	ck_assert_int_eq(chdir(folder), 0);
}

static void teardown(void)
{
	unlink("file");
	rmdir(folder);
	free(folder);
	fixture_finish();
}

static void assert_refused(const char *path, int code, const char *why)
{
	int got = 0;

	ck_assert_ptr_null(chr_patch_load(path, "studio", fixture_type, NULL, &fixture_problems, &got));
	ck_assert_int_eq(got, code);
	ck_assert_uint_eq(fixture_problems.count, 1);
	ck_assert_uint_eq(fixture_problems.problem[0].line, 0);
	ck_assert_msg(strstr(fixture_report(), why), "'%s' was expected, but: %s", why, fixture_report());
	fixture_finish();
}

START_TEST(only_regular_files_are_read)
{
	assert_refused("file", EX_NOINPUT, "cannot be opened: No such file");
	assert_refused(".", EX_DATAERR, "is not a regular file");
	assert_refused("/dev/zero", EX_DATAERR, "is not a regular file");
	ck_assert_int_eq(mkfifo("file", 0600), 0);
	assert_refused("file", EX_DATAERR, "is not a regular file");
}
END_TEST

/* `bytes` of text: a good patch and a comment. */
static char *padded(size_t bytes)
{
	char *text = malloc(bytes);

	memset(text, '#', bytes);
	memcpy(text, GOOD, strlen(GOOD));
	return text;
}

START_TEST(size_is_limited)
{
	char *text = padded(CHR_PATCH_BYTES_MAX + 1);
	struct chr_patch *patch;
	int code;

	patch = fixture_load(text, CHR_PATCH_BYTES_MAX, &code);
	ck_assert_msg(patch, "%s", fixture_report());
	chr_patch_destroy(patch);
	ck_assert_ptr_null(fixture_load(text, CHR_PATCH_BYTES_MAX + 1, &code));
	ck_assert_str_eq(fixture_report(), "0: is larger than 256 KiB\n");
	free(text);
}
END_TEST

START_TEST(nul_bytes_are_told)
{
	int code;

	ck_assert_ptr_null(fixture_load("#\n#\0@include", 12, &code));
	ck_assert_str_eq(fixture_report(), "2: holds a NUL byte: this is not a text file\n");
}
END_TEST

START_TEST(problems_are_printed_with_file_and_line)
{
	char text[256] = {0};
	FILE *to = fmemopen(text, sizeof text - 1, "w");
	int code, fd = open("file", O_CREAT | O_WRONLY, 0600);

	ck_assert_int_eq(write(fd, "\nx = 1;", 7), 7);
	close(fd);
	ck_assert_ptr_null(chr_patch_load("file", NULL, fixture_type, NULL, &fixture_problems, &code));
	chr_patch_problems_print(&fixture_problems, to);
	fclose(to);
	ck_assert_ptr_eq(strstr(text, "file: has no modules"), text);
	ck_assert_ptr_nonnull(strstr(text, "\nfile:2: unknown key 'x'\n"));
}
END_TEST

START_TEST(include_is_found_where_it_counts)
{
	static const char harmless[] =
		"# @include \"a\"\n// @include \"a\"\n/* \n@include \"a\"\n*/\nname = \"@include \\\" @\";\n" GOOD;
	static const char harmful[] = "name = \"\\\\\"; @include \"a\"\n/**/@include \"b\"\n" GOOD;
	struct chr_patch *patch;
	int code;

	patch = fixture_load(harmless, strlen(harmless), &code);
	ck_assert_msg(patch, "%s", fixture_report());
	chr_patch_destroy(patch);
	ck_assert_ptr_null(fixture_load(harmful, strlen(harmful), &code));
	ck_assert_str_eq(fixture_report(), "1: a patch is one file: @include is not allowed\n"
					   "2: a patch is one file: @include is not allowed\n");
}
END_TEST

/* `unit` again and again, after `head`. */
static char *flood(const char *head, const char *unit, size_t bytes)
{
	char *text = malloc(bytes + 8); /* and room for an end */
	size_t at = (size_t)sprintf(text, "%s", head);

	for (; at + strlen(unit) < bytes; at += strlen(unit))
		memcpy(text + at, unit, strlen(unit));
	text[at] = 0;
	return text;
}

START_TEST(floods_are_refused_in_no_time)
{
	static const struct {
		const char *head, *unit, *report;
	} row[] = {
		{"a = ", "(", "1: groups and lists stand more than 16 deep"},
		{"a = ", "{a=", "1: groups and lists stand more than 16 deep"},
		{"", "a=1;", "1: more than 256 settings in one group"},
		{"", "[", "1: groups and lists stand more than 16 deep"},
		{"modules = (", "5,", "more problems"},
		{"modules = (", "{},", "more problems"},
		{"modules = (); connections = (", "[\"a:a\",\"b:b\"],", "more problems"},
		{"", "@", "more problems"},
		{"a=", "\"x\"", "unknown key 'a'"},
	};
	size_t bytes = CHR_PATCH_BYTES_MAX - 8;
	char *text = flood(row[_i].head, row[_i].unit, bytes);
	int code;

	if (strchr(row[_i].head, '('))
		strcpy(text + strlen(text) - 1, "); ");
	ck_assert_ptr_null(fixture_load(text, strlen(text), &code));
	ck_assert_uint_le(fixture_problems.count, CHR_PATCH_PROBLEMS_MAX + 1);
	ck_assert_msg(strstr(fixture_report(), row[_i].report), "'%s' was expected, but: %.200s", row[_i].report, fixture_report());
	free(text);
}
END_TEST

START_TEST(too_many_modules_are_told)
{
	char text[16384];
	size_t at = (size_t)sprintf(text, "modules = (\n");
	struct chr_patch *patch;
	int code;

	for (unsigned i = 1; i < CHR_BOARD_MEMBERS; i++)
		at += (size_t)sprintf(text + at, "%s{ name = \"m%u\"; type = \"sine\"; }\n", i > 1 ? "," : "", i);
	strcpy(text + at, ");");
	patch = fixture_load(text, strlen(text), &code);
	ck_assert_msg(patch, "%s", fixture_report());
	ck_assert_uint_eq(patch->module_count, CHR_BOARD_MEMBERS);
	chr_patch_destroy(patch);
	strcpy(text + at, ",{ name = \"x\"; type = \"sine\"; });");
	ck_assert_ptr_null(fixture_load(text, strlen(text), &code));
	ck_assert_str_eq(fixture_report(), "129: more than 128 modules ('out' is one of them)\n");
}
END_TEST

static uint32_t next_random(void)
{
	static uint32_t seed = 7;

	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

/* Changes, swaps, drops or repeats some of the text. */
static size_t mutate(char *text, size_t length)
{
	static const char spice[] = "{}()[]=:;,\"\\@#/*-+.0987eExL \n\t\x01\xff";

	for (uint32_t n = next_random() % 6 + 1; n; n--) {
		size_t at = next_random() % length, span = next_random() % 20, to = next_random() % length;

		if (span > length - at)
			span = length - at;
		if (span > length - to)
			span = length - to;
		switch (next_random() % 3) {
		case 0:
			text[at] = spice[next_random() % (sizeof spice - 1)];
			break;
		case 1:
			memmove(text + to, text + at, span);
			break;
		default:
			memset(text + at, text[to], span);
		}
	}
	return length - next_random() % 3;
}

static void assert_sound(const struct chr_patch *patch, int code)
{
	ck_assert(!patch == (fixture_problems.count > 0));
	ck_assert_int_eq(code, patch ? EX_OK : EX_DATAERR);
	for (unsigned i = 0; i < fixture_problems.count; i++) {
		ck_assert_ptr_nonnull(memchr(fixture_problems.problem[i].text, 0, CHR_TEXT_MAX));
		ck_assert(i == 0 || fixture_problems.problem[i].line >= fixture_problems.problem[i - 1].line);
	}
	for (unsigned i = 0; patch && i < patch->module_count; i++)
		ck_assert(chr_name_legal(patch->module[i].name));
}

START_TEST(hostile_text_does_no_harm)
{
	static const char seed_text[] = "name = \"voice\"; tempo = 90; lanes = 1; restart = { count = 3; window = 2.5; };\n"
					"modules = (\n"
					"  { name = \"osc1\"; type = \"sine\"; params = { freq = 220; level = 0.25; }; },\n"
					"  { name = \"env1\"; type = \"adsr\"; params = { gate = true; }; },\n"
					"  { name = \"filt1\"; type = \"biquad\"; params = { mode = \"bandpass\"; q = 2.5; }; }\n"
					");\n"
					"connections = ( [ \"osc1:out\", \"env1:in\" ], ( \"env1:out\", \"filt1:in\" ), [ "
					"\"filt1:out\", \"out:left\" ] );\n";
	int accepted = 0;

	for (int i = 0; i < ROUNDS; i++) {
		char text[sizeof seed_text + 1];
		size_t length = strlen(seed_text);
		struct chr_patch *patch;
		int code = -1;

		memcpy(text, seed_text, length + 1);
		if (i % 4 == 0)
			for (size_t at = 0; at < length; at++)
				text[at] = (char)next_random();
		else
			length = mutate(text, length);
		patch = fixture_load(text, length, &code);
		assert_sound(patch, code);
		accepted += patch != NULL;
		chr_patch_destroy(patch);
		fixture_finish();
	}
	ck_assert_int_gt(accepted, 10);
	ck_assert_int_lt(accepted, ROUNDS / 2);
}
END_TEST

static char *read_all(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 65536);

	ck_assert_msg(file, "%s is missing: run this from the root of the tree", path);
	ck_assert_uint_gt(fread(text, 1, 65535, file), 0);
	fclose(file);
	return text;
}

START_TEST(manual_tells_ranges_and_defaults)
{
	char *man = read_all("man/chronus-patch.5");
	char *at = man;

	for (unsigned i = 0; i < chr_patch_key_count; i++) {
		const struct chr_patch_key *key = &chr_patch_key[i];
		bool number = key->kind == CHR_KEY_WHOLE || key->kind == CHR_KEY_REAL;
		bool text = key->kind == CHR_KEY_TEXT || key->kind == CHR_KEY_WORD;
		char item[64], range[64] = "", initial[64] = "";
		char *end, was;

		snprintf(item, sizeof item, ".It Ic %s\n", key->name);
		at = strstr(at, item);
		ck_assert_msg(at, "the manual lacks '%s', or not in the order of the table", key->name);
		end = strstr(at + 1, ".It Ic ");
		was = end ? *end : 0;
		if (end)
			*end = 0;
		if (number)
			snprintf(range, sizeof range, "%g to %g", key->min, key->max);
		else if (text)
			snprintf(range, sizeof range, "1 to %g bytes", key->max);
		if (number && key->initial != 0)
			snprintf(initial, sizeof initial, "Default: %g.", key->initial);
		ck_assert_msg(strstr(at, range), "the manual lacks '%s' for '%s'", range, key->name);
		ck_assert_msg(strstr(at, initial), "the manual lacks '%s' for '%s'", initial, key->name);
		if (end)
			*end = was;
		at++;
	}
	free(man);
}
END_TEST

START_TEST(patches_of_the_tree_are_right)
{
	static const char *const path[] = {"patches/drone.cfg", "patches/voice.cfg", "patches/two-voices.cfg"};
	int code;
	struct chr_patch *patch = chr_patch_load(path[_i], NULL, fixture_type, NULL, &fixture_problems, &code);

	ck_assert_msg(patch, "%s: %s", path[_i], fixture_report());
	ck_assert_uint_ge(patch->edge_count, 2);
	chr_patch_destroy(patch);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("patch files");
	TCase *files = tcase_create("files"), *tree = tcase_create("tree");

	tcase_add_checked_fixture(files, setup, teardown);
	tcase_set_timeout(files, 60);
	tcase_add_test(files, only_regular_files_are_read);
	tcase_add_test(files, size_is_limited);
	tcase_add_test(files, nul_bytes_are_told);
	tcase_add_test(files, problems_are_printed_with_file_and_line);
	tcase_add_test(files, include_is_found_where_it_counts);
	tcase_add_loop_test(files, floods_are_refused_in_no_time, 0, 9);
	tcase_add_test(files, too_many_modules_are_told);
	tcase_add_test(files, hostile_text_does_no_harm);
	tcase_add_test(tree, manual_tells_ranges_and_defaults);
	tcase_add_loop_test(tree, patches_of_the_tree_are_right, 0, 3);
	suite_add_tcase(suite, files);
	suite_add_tcase(suite, tree);
	return chr_suite_run(suite);
}
