/* chronus-soak does what it says: a few seconds of it, and what it writes. How large its figures are is the machine's affair. */
#include "tests/lib/child.h"
#include "tests/lib/system.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MINUTES  "0.15"
#define LIMIT_MS 90000

static char folder[64], figures[96], picture[96], log_file[96];

static void set_up(void)
{
	snprintf(folder, sizeof folder, "/tmp/chronus-soak-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(figures, sizeof figures, "%s/soak.json", folder);
	snprintf(picture, sizeof picture, "%s/soak.svg", folder);
	snprintf(log_file, sizeof log_file, "%s/log", folder);
}

static void tear_down(void)
{
	unlink(figures);
	unlink(picture);
	unlink(log_file);
	rmdir(folder);
}

/* Its exit code. */
static int soak(char *const argv[])
{
	struct chr_child child = {0};
	ck_assert_int_eq(chr_child_start(&child, argv, log_file), 0);
	if (!chr_child_ended(&child, LIMIT_MS)) {
		chr_log_show(log_file);
		chr_child_end(&child, 5000);
		ck_abort_msg("it did not end");
	}
	return chr_child_code(&child);
}

static double at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	ck_assert_msg(json_is_number(value), "%s is no number", key);
	return json_number_value(value);
}

static void check_samples(const json_t *samples)
{
	size_t i;
	json_t *sample;
	double before = 0;
	ck_assert_uint_ge(json_array_size(samples), 5);
	json_array_foreach (samples, i, sample) {
		ck_assert_double_gt(at(sample, "at_s"), before);
		before = at(sample, "at_s");
		ck_assert_double_gt(at(sample, "rss_mib"), 1);
		ck_assert_double_gt(at(sample, "private_mib"), 0.1);
		ck_assert_double_gt(at(sample, "modules_private_mib"), 1);
		ck_assert_double_gt(at(sample, "fds"), 10);
		ck_assert_double_gt(at(sample, "threads"), 2);
		/* two lanes of six modules and out */
		ck_assert_double_ge(at(sample, "processes"), 10);
	}
}

static void check_faults(const json_t *root)
{
	const json_t *faults = json_object_get(root, "faults");
	size_t i;
	json_t *fault;
	ck_assert_uint_gt(json_array_size(faults), 0);
	json_array_foreach (faults, i, fault) {
		ck_assert_str_eq(json_string_value(json_object_get(fault, "fault")), "kill");
		ck_assert(json_is_string(json_object_get(fault, "module")));
		ck_assert_msg(json_is_false(json_object_get(fault, "unrecovered")), "fault %zu was not recovered from", i);
	}
	ck_assert_double_eq(at(root, "unrecovered"), 0);
}

static unsigned count_of(const char *path, const char *part)
{
	char line[4096];
	unsigned count = 0;
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file))
		count += strstr(line, part) != NULL;
	fclose(file);
	return count;
}

START_TEST(it_plays_patches_strikes_and_tells)
{
	char *argv[] = {CHR_BUILD "/chronus-soak",
			"--minutes",
			MINUTES,
			"--faults",
			"kill",
			"--json",
			figures,
			"--svg",
			picture,
			"--server",
			chr_system_kind() == CHR_SERVER_PIPEWIRE ? "pipewire" : "jackd2",
			NULL};
	int code = soak(argv);
	/* a verdict may be missed on a busy machine; that it has run through may not */
	if (code > 1)
		chr_log_show(log_file);
	ck_assert_int_le(code, 1);
	json_t *root = json_load_file(figures, 0, NULL);
	ck_assert(json_is_object(root));
	if (at(root, "unrecovered") > 0)
		chr_log_show(log_file);
	check_samples(json_object_get(root, "samples"));
	check_faults(root);
	ck_assert_double_gt(at(root, "played"), 10);
	ck_assert_double_gt(at(root, "drawn") + at(root, "edits"), 0);
	ck_assert_double_eq(at(root, "unanswered"), 0);
	ck_assert_uint_ge(json_array_size(json_object_get(root, "verdicts")), 10);
	ck_assert_double_gt(at(json_object_get(json_object_get(root, "at_rest"), "after"), "processes"), 10);
	ck_assert_double_gt(at(json_object_get(json_object_get(root, "summary"), "rss_mib"), "end"), 1);
	/* a line through each of the six panels for each fault */
	ck_assert_uint_eq(count_of(picture, "<title>"), 6 * json_array_size(json_object_get(root, "faults")));
	ck_assert_uint_eq(count_of(picture, "</svg>"), 1);
	json_decref(root);
}
END_TEST

START_TEST(what_it_cannot_do_it_refuses)
{
	static char *const wrong[][2] = {{"--minutes", "0"}, {"--server", "alsa"}, {"--faults", "earthquake"}, {"--period", "1"}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		char *argv[] = {CHR_BUILD "/chronus-soak", wrong[i][0], wrong[i][1], NULL};
		ck_assert_msg(soak(argv) == 64, "%s %s", wrong[i][0], wrong[i][1]);
	}
	char *argv[] = {CHR_BUILD "/chronus-soak", "--help", NULL};
	ck_assert_int_eq(soak(argv), 0);
	ck_assert_uint_gt(count_of(log_file, "--minutes"), 0);
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = tcase_create("soak");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, it_plays_patches_strikes_and_tells);
	tcase_add_test(tests, what_it_cannot_do_it_refuses);
	suite_add_tcase(suite, tests);
}

int main(void)
{
	return chr_system_main("soak", fill, 0);
}
