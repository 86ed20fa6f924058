#include "supervisor/catalog.h"

#include "common/clock.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/spawned.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODULES CHR_BUILD "/modules/"
#define BAD     CHR_BUILD "/tests/modules/bad/"
#define TICKER  CHR_BUILD "/tests/system/modules/ticker.so"

static struct chr_spawn spawn;
static struct chr_catalog catalog;
static struct held before;
static char top[64]; /* of the folders made here */

static void setup(void)
{
	before = held_now();
	spawn = spawned_setup();
	snprintf(top, sizeof top, "/tmp/chronus-catalog-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
}

static int drop(const char *path, const struct stat *info, int kind, struct FTW *at)
{
	(void)info;
	(void)kind;
	(void)at;
	return remove(path);
}

/* Whatever the modules did: no process, no descriptor, no thread of theirs is left. */
static void teardown(void)
{
	chr_catalog_finish(&catalog);
	ck_assert_int_eq(nftw(top, drop, 8, FTW_DEPTH | FTW_PHYS), 0);
	spawned_teardown(&spawn);
	held_assert_same(before);
}

/* A folder below `top`; valid until the test ends. */
static const char *folder(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", top, name);
	mkdir(path, 0700);
	return path;
}

/* Puts a built module into the folder, under a name. */
static void put(const char *into, const char *name, const char *module)
{
	char path[256], *real = realpath(module, NULL);
	ck_assert_msg(real != NULL, "%s is not built", module);
	snprintf(path, sizeof path, "%s/%s", into, name);
	ck_assert_int_eq(symlink(real, path), 0);
	free(real);
}

static const char *reason(const char *name)
{
	const char *why = "?";
	ck_assert_ptr_null(chr_catalog_type(&catalog, name, "", &why));
	return why;
}

static void assert_known(const char *name)
{
	const char *why = "?";
	const struct chr_descriptor *desc = chr_catalog_type(&catalog, name, "", &why);
	ck_assert_msg(desc != NULL, "%s: %s", name, why ? why : "not listed");
	ck_assert_ptr_null(why);
	ck_assert_str_eq(desc->name, name);
}

START_TEST(test_catalog_finds_modules)
{
	static const char *const names[] = {"adsr", "biquad", "out", "sine"};
	ck_assert_int_eq(chr_catalog_init(&catalog, &spawn, NULL, MODULES), 0);
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_known(names[i]);
	for (unsigned i = 1; i < catalog.count; i++)
		ck_assert_int_lt(strcmp(catalog.type[i - 1]->name, catalog.type[i]->name), 0);
	const struct chr_descriptor *sine = chr_catalog_type(&catalog, "sine", "", NULL);
	ck_assert_int_ge(chr_descriptor_port(sine, "pitch"), 0);
	ck_assert_int_ge(chr_descriptor_param(sine, "freq"), 0);
	ck_assert(chr_catalog_type(&catalog, "out", "", NULL)->flags & CHR_MODULE_OUT);
	ck_assert_ptr_null(chr_catalog_find(&catalog, "nothing"));
	ck_assert_ptr_null(reason("nothing"));
}
END_TEST

/* Only what could be a module is looked at. */
START_TEST(test_catalog_ignores)
{
	const char *here = folder("here");
	put(here, "Sine.so", MODULES "sine.so");
	put(here, "1sine.so", MODULES "sine.so");
	put(here, "sine.so.1", MODULES "sine.so");
	put(here, "sine", MODULES "sine.so");
	put(here, ".so", MODULES "sine.so");
	put(here, "a_name_of_more_letters_than_a_module_may_have.so", MODULES "sine.so");
	ck_assert_int_eq(chr_catalog_init(&catalog, &spawn, NULL, here), 0);
	ck_assert_uint_eq(catalog.count, 0);
}
END_TEST

START_TEST(test_catalog_first_folder_wins)
{
	const char *first = folder("first"), *second = folder("second"), *last = folder("last");
	char path[512], file[512];
	put(first, "sine.so", BAD "nothing.so");
	put(second, "sine.so", MODULES "sine.so");
	put(second, "adsr.so", MODULES "adsr.so");
	put(last, "adsr.so", BAD "nothing.so");
	put(last, "biquad.so", MODULES "biquad.so");
	snprintf(path, sizeof path, ":%s:%s/missing::%s:", first, top, second);
	ck_assert_int_eq(chr_catalog_init(&catalog, &spawn, path, last), 0);
	ck_assert_uint_eq(catalog.count, 3);
	ck_assert_ptr_nonnull(reason("sine"));
	assert_known("adsr");
	assert_known("biquad");
	snprintf(file, sizeof file, "%s/sine.so", first);
	ck_assert_str_eq(chr_catalog_find(&catalog, "sine")->file, file);
	snprintf(file, sizeof file, "%s/adsr.so", second);
	ck_assert_str_eq(chr_catalog_find(&catalog, "adsr")->file, file);
}
END_TEST

START_TEST(test_catalog_no_folder)
{
	ck_assert_int_eq(chr_catalog_init(&catalog, &spawn, "/nonexistent:/dev/null", "/nonexistent"), 0);
	ck_assert_uint_eq(catalog.count, 0);
}
END_TEST

/* Bad modules are listed, each with its reason, and good ones beside them are known. */
START_TEST(test_catalog_bad_modules)
{
	static const struct {
		const char *file, *name, *says;
	} bad[] = {
		{BAD "abi.so", "abi", "ABI"},
		{BAD "meter.so", "meter", "meter 'far'"},
		{BAD "nothing.so", "nothing", "exports no chr_module"},
		{BAD "unprocessed.so", "unprocessed", "no process function"},
		{BAD "aborts.so", "aborts", "aborts.so: the process that loaded it died of SIGABRT"},
		{MODULES "sine.so", "cosine", "the file is cosine.so, but the module in it is \"sine\""},
		{"Makefile", "text", "cannot load"},
	};
	const char *here = folder("here");
	char name[64];
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(name, sizeof name, "%s.so", bad[i].name);
		put(here, name, bad[i].file);
	}
	ck_assert_int_eq(symlink("/nonexistent.so", strcat(strcpy(name, here), "/broken.so")), 0);
	ck_assert_int_eq(chr_catalog_init(&catalog, &spawn, here, MODULES), 0);
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ck_assert_ptr_nonnull(chr_catalog_find(&catalog, bad[i].name));
		ck_assert_msg(strstr(reason(bad[i].name), bad[i].says) != NULL, "%s: %s", bad[i].name, reason(bad[i].name));
	}
	ck_assert_str_ne(reason("broken"), "");
	assert_known("adsr");
	assert_known("sine");
}
END_TEST

/* One that never ends being loaded costs its time and no other module its place, wherever it stands in the list. */
START_TEST(test_catalog_hanging_module)
{
	const char *here = folder("here");
	put(here, "aaa.so", BAD "hangs.so");
	put(here, "abc.so", BAD "aborts.so");
	put(here, "zzz.so", BAD "hangs.so");
	uint64_t from = chr_monotonic_us();
	ck_assert_int_eq(chr_catalog_init(&catalog, &spawn, here, MODULES), 0);
	ck_assert_uint_ge(chr_monotonic_us() - from, CHR_CATALOG_WAIT_MS * 1000u);
	ck_assert_ptr_nonnull(strstr(reason("aaa"), "took longer than 2000 ms"));
	ck_assert_ptr_nonnull(strstr(reason("zzz"), "took longer than 2000 ms"));
	ck_assert_ptr_nonnull(strstr(reason("abc"), "died"));
	assert_known("adsr");
	assert_known("biquad");
	assert_known("out");
	assert_known("sine");
}
END_TEST

/* A module that is built while others play: looked for by its name, and taken in. */
START_TEST(test_catalog_takes_what_came_later)
{
	char file[CHR_PATH_BYTES];
	const char *here = folder("here");
	ck_assert_int_eq(chr_catalog_init(&catalog, &spawn, here, MODULES), 0);
	unsigned count = catalog.count;
	ck_assert(!chr_catalog_seek(&catalog, "ticker", file));
	ck_assert_ptr_null(chr_catalog_look(&catalog, "ticker"));
	ck_assert_ptr_null(chr_catalog_look(&catalog, "../here/ticker"));
	put(here, "ticker.so", TICKER);
	ck_assert(chr_catalog_seek(&catalog, "ticker", file));
	ck_assert_int_eq(strncmp(file, here, strlen(here)), 0);
	struct chr_type *type = chr_catalog_look(&catalog, "ticker");
	ck_assert_ptr_nonnull(type);
	ck_assert_ptr_null(reason("ticker"));
	ck_assert_int_eq(chr_catalog_take(&catalog, type), 0);
	assert_known("ticker");
	ck_assert_uint_eq(catalog.count, count + 1);
	for (unsigned i = 1; i < catalog.count; i++)
		ck_assert_int_lt(strcmp(catalog.type[i - 1]->name, catalog.type[i]->name), 0);
	/* what is known already stays: units may play it */
	ck_assert_int_eq(chr_catalog_take(&catalog, chr_catalog_look(&catalog, "ticker")), 0);
	ck_assert_ptr_eq(chr_catalog_find(&catalog, "ticker"), type);
}
END_TEST

START_TEST(test_catalog_takes_what_was_mended)
{
	char file[256];
	const char *here = folder("here");
	put(here, "ticker.so", BAD "nothing.so");
	ck_assert_int_eq(chr_catalog_init(&catalog, &spawn, here, MODULES), 0);
	ck_assert_ptr_nonnull(reason("ticker"));
	snprintf(file, sizeof file, "%s/ticker.so", here);
	unlink(file);
	put(here, "ticker.so", BAD "aborts.so");
	ck_assert_int_eq(chr_catalog_take(&catalog, chr_catalog_look(&catalog, "ticker")), 0);
	ck_assert_ptr_nonnull(strstr(reason("ticker"), "died of SIGABRT"));
	unlink(file);
	put(here, "ticker.so", TICKER);
	ck_assert_int_eq(chr_catalog_take(&catalog, chr_catalog_look(&catalog, "ticker")), 0);
	assert_known("ticker");
}
END_TEST

START_TEST(test_catalog_no_program)
{
	snprintf(spawn.program, sizeof spawn.program, "/nonexistent/chronus-module");
	ck_assert_int_eq(chr_catalog_init(&catalog, &spawn, NULL, MODULES), 0);
	ck_assert_uint_ge(catalog.count, 4);
	ck_assert_ptr_nonnull(strstr(reason("sine"), "cannot start /nonexistent/chronus-module: No such file"));
}
END_TEST

/* ---- files that people named ---- */

/* A copy of a built module, as somebody who builds it himself has it. Valid until the next call. */
static const char *own(const char *name, const char *module)
{
	static char path[256];
	char command[600];
	snprintf(path, sizeof path, "%s/%s", top, name);
	snprintf(command, sizeof command, "cp %s %s", module, path);
	ck_assert_int_eq(system(command), 0); // NOLINT(cert-env33-c,concurrency-mt-unsafe)
	return path;
}

START_TEST(test_catalog_learns_a_file)
{
	const char *file = own("mine.so", MODULES "sine.so"), *why = "?";
	ck_assert_int_eq(chr_catalog_init(&catalog, &spawn, NULL, MODULES), 0);
	ck_assert_ptr_null(chr_catalog_type(&catalog, "sine", file, &why));
	const struct chr_descriptor *mine = chr_catalog_learn(&catalog, "sine", file, &why);
	ck_assert_msg(mine != NULL, "%s", why);
	ck_assert_int_ge(chr_descriptor_port(mine, "pitch"), 0);
	ck_assert_ptr_eq(chr_catalog_type(&catalog, "sine", file, &why), mine);
	ck_assert_ptr_ne(chr_catalog_type(&catalog, "sine", "", &why), mine);
	ck_assert_ptr_null(chr_catalog_given(&catalog, "adsr", file));
	/* whose file it is */
	struct chr_code *code = chr_catalog_given(&catalog, "sine", file);
	ck_assert_str_eq(chr_catalog_file(&catalog, code), file);
	ck_assert_str_eq(chr_catalog_file(&catalog, chr_catalog_find(&catalog, "sine")->code), "");
	ck_assert_str_eq(chr_catalog_file(&catalog, NULL), "");
}
END_TEST

/* What is played is what it was; what is not may have been built anew. */
START_TEST(test_catalog_learns_a_file_again)
{
	const char *why, *file = own("mine.so", MODULES "sine.so");
	ck_assert_int_eq(chr_catalog_init(&catalog, &spawn, NULL, MODULES), 0);
	ck_assert_ptr_nonnull(chr_catalog_learn(&catalog, "sine", file, &why));
	struct chr_code *first = chr_code_hold(chr_catalog_given(&catalog, "sine", file));
	own("mine.so", MODULES "adsr.so");
	chr_catalog_forget(&catalog);
	ck_assert_ptr_eq(chr_catalog_learn(&catalog, "sine", file, &why), &first->descriptor);
	chr_code_release(first);
	ck_assert_ptr_null(chr_catalog_learn(&catalog, "sine", file, &why));
	ck_assert_ptr_nonnull(strstr(why, "is \"adsr\", not \"sine\""));
	own("mine.so", MODULES "sine.so");
	ck_assert_ptr_nonnull(chr_catalog_learn(&catalog, "sine", file, &why));
	ck_assert_uint_eq(catalog.given_count, 1);
	chr_catalog_forget(&catalog);
	ck_assert_uint_eq(catalog.given_count, 0);
}
END_TEST

START_TEST(test_catalog_refuses_a_file)
{
	const char *why = NULL, *file = own("mine.so", MODULES "sine.so");
	ck_assert_int_eq(chr_catalog_init(&catalog, &spawn, NULL, MODULES), 0);
	ck_assert_int_eq(chmod(file, 0666), 0);
	ck_assert_ptr_null(chr_catalog_learn(&catalog, "sine", file, &why));
	ck_assert_str_eq(why, CHR_CODE_FOREIGN);
	ck_assert_ptr_null(chr_catalog_learn(&catalog, "sine", "/nonexistent.so", &why));
	ck_assert_ptr_nonnull(strstr(why, "No such file"));
	ck_assert_ptr_null(chr_catalog_learn(&catalog, "aborts", own("aborts.so", BAD "aborts.so"), &why));
	ck_assert_ptr_nonnull(strstr(why, "died"));
	ck_assert_uint_eq(catalog.given_count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog");
	TCase *tcase = tcase_create("catalog");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_catalog_finds_modules);
	tcase_add_test(tcase, test_catalog_ignores);
	tcase_add_test(tcase, test_catalog_first_folder_wins);
	tcase_add_test(tcase, test_catalog_no_folder);
	tcase_add_test(tcase, test_catalog_bad_modules);
	tcase_add_test(tcase, test_catalog_hanging_module);
	tcase_add_test(tcase, test_catalog_takes_what_came_later);
	tcase_add_test(tcase, test_catalog_takes_what_was_mended);
	tcase_add_test(tcase, test_catalog_no_program);
	tcase_add_test(tcase, test_catalog_learns_a_file);
	tcase_add_test(tcase, test_catalog_learns_a_file_again);
	tcase_add_test(tcase, test_catalog_refuses_a_file);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
