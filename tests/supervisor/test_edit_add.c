/* Module types that were built since the catalog was made: looked for on a thread of its own, by a real module process. */
#include "supervisor/edit.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/lanes_bed.h"
#include "tests/supervisor/spawned.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULES CHR_BUILD "/modules"
#define TICKER  CHR_BUILD "/tests/system/modules/ticker.so"

static struct chr_spawn spawn;
static struct lanes_bed *bed;
static struct chr_conductor *conductor;
static char folder[64], file[96], patch[96];
static struct bed_answer answer;

static void setup(void)
{
	spawn = spawned_setup();
	snprintf(folder, sizeof folder, "/tmp/chronus-add-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/ticker.so", folder);
	snprintf(patch, sizeof patch, "%s/new.cfg", folder);
	bed = bed_create(2);
	conductor = &bed->conductor;
	ck_assert_int_eq(chr_catalog_init(&bed->catalog, &spawn, folder, MODULES), 0);
	chr_edit_init(conductor, NULL);
	bed_play(bed);
	bed_spares(bed, 16);
	answer = (struct bed_answer){.self = &answer};
}

static void teardown(void)
{
	chr_edit_finish(conductor);
	while (conductor->rack.unit_count > BED_UNITS)
		chr_rack_remove(&conductor->rack, conductor->rack.unit[conductor->rack.unit_count - 1]);
	chr_catalog_finish(&bed->catalog);
	bed_destroy(bed);
	spawned_teardown(&spawn);
	unlink(file);
	unlink(patch);
	ck_assert_int_eq(rmdir(folder), 0);
}

static void build(void)
{
	char *real = realpath(TICKER, NULL);
	ck_assert_msg(real != NULL, "%s is not built", TICKER);
	ck_assert_int_eq(symlink(real, file), 0);
	free(real);
}

static void request(enum chr_edit_kind kind, const char *a, const char *b)
{
	ck_assert_int_eq(chr_edit_request(conductor, kind, a, b, bed_answer, &answer), 0);
}

/* The threads' posts come until the request is answered. */
static void await_answer(void)
{
	struct pollfd wake = {.fd = conductor->inbox.wake_fd, .events = POLLIN};
	while (!answer.count) {
		ck_assert_int_eq(poll(&wake, 1, SPAWNED_WAIT_MS), 1);
		chr_conductor_take_posts(conductor);
	}
	ck_assert_int_eq(answer.count, 1);
}

START_TEST(what_is_not_there_is_refused_at_once)
{
	request(CHR_EDIT_ADD, "ticker", "t1");
	ck_assert_int_eq(answer.count, 1);
	ck_assert_int_ne(answer.rc, 0);
	ck_assert_msg(strstr(answer.why, "no ticker.so in the folders") != NULL, "%s", answer.why);
}
END_TEST

START_TEST(what_was_built_meanwhile_is_added)
{
	build();
	request(CHR_EDIT_ADD, "ticker", "t1");
	await_answer();
	ck_assert_msg(answer.rc == 0, "%s", answer.why);
	ck_assert_ptr_nonnull(chr_rack_find(&conductor->rack, "t1"));
	ck_assert_ptr_nonnull(chr_catalog_type(&bed->catalog, "ticker", "", NULL));
}
END_TEST

START_TEST(one_that_is_wrong_is_refused_with_its_reason)
{
	FILE *f = fopen(file, "w");
	ck_assert_ptr_nonnull(f);
	fputs("no module", f);
	fclose(f);
	request(CHR_EDIT_ADD, "ticker", "t1");
	await_answer();
	ck_assert_int_ne(answer.rc, 0);
	ck_assert_msg(strstr(answer.why, "cannot load") != NULL, "%s", answer.why);
	ck_assert_ptr_null(chr_rack_find(&conductor->rack, "t1"));
}
END_TEST

START_TEST(the_end_does_not_wait_for_an_answer)
{
	build();
	request(CHR_EDIT_ADD, "ticker", "t1");
	chr_edit_finish(conductor);
	ck_assert_int_eq(answer.count, 1);
	/* unless it came before */
	ck_assert(answer.rc == -ECANCELED || answer.rc == 0);
}
END_TEST

/* A patch that cannot be loaded for another reason: what it has found is known all the same. */
START_TEST(a_patch_finds_what_was_built_meanwhile)
{
	FILE *f = fopen(patch, "w");
	ck_assert_ptr_nonnull(f);
	fputs("modules = ({ name = \"t1\"; type = \"ticker\"; }, { name = \"t2\"; type = \"nothing\"; });\n", f);
	fclose(f);
	build();
	request(CHR_EDIT_LOAD, patch, NULL);
	await_answer();
	ck_assert_int_ne(answer.rc, 0);
	ck_assert_msg(strstr(answer.why, "no module type 'nothing'") && !strstr(answer.why, "'ticker'"), "%s", answer.why);
	ck_assert_ptr_nonnull(chr_catalog_type(&bed->catalog, "ticker", "", NULL));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edit, add");
	TCase *tcase = tcase_create("edit, add");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, what_is_not_there_is_refused_at_once);
	tcase_add_test(tcase, what_was_built_meanwhile_is_added);
	tcase_add_test(tcase, one_that_is_wrong_is_refused_with_its_reason);
	tcase_add_test(tcase, the_end_does_not_wait_for_an_answer);
	tcase_add_test(tcase, a_patch_finds_what_was_built_meanwhile);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
