/* Edits over OSC: what is asked of the host, and what whoever asked is answered. */
#include "tests/lib/suite.h"
#include "tests/supervisor/osc_bed.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct osc_bed bed;

/* The request at hand, as the host got it. */
static enum chr_edit_kind kind;
static char first[64], second[64];
static chr_edit_done done;
static void *done_arg;
static int refuse;

static int edit(void *self, enum chr_edit_kind what, const char *a, const char *b, chr_edit_done when_done, void *arg)
{
	(void)self;
	kind = what;
	snprintf(first, sizeof first, "%s", a);
	snprintf(second, sizeof second, "%s", b);
	done = when_done;
	done_arg = arg;
	return refuse;
}

static bool edge(void *self, unsigned i, const char **from, const char **to)
{
	(void)self;
	*from = i ? "osc1:out" : "out:play_left";
	*to = i ? "out:left" : "playback:1";
	return i < 2;
}

static void setup(void)
{
	bed_open(&bed);
	chr_osc_destroy(bed.osc);
	int error;
	struct chr_osc_host host = bed_host(&bed);
	host.edit = edit;
	host.edge = edge;
	bed.osc = chr_osc_create("127.0.0.1", 0, &host, &error);
	ck_assert_ptr_nonnull(bed.osc);
	close(bed.client);
	bed.client = bed_client(&bed);
	refuse = 0;
	done = NULL;
}

static void teardown(void)
{
	bed_close(&bed);
}

START_TEST(test_every_word_is_asked_for)
{
	static const struct {
		const char *path, *types, *a, *b;
		enum chr_edit_kind kind;
	} rows[] = {
		{"/chronus/add", "ss", "sine", "x", CHR_EDIT_ADD},
		{"/chronus/remove", "s", "osc1", "", CHR_EDIT_REMOVE},
		{"/chronus/rename", "ss", "osc1", "y", CHR_EDIT_RENAME},
		{"/chronus/connect", "ss", "osc1:out", "out:left", CHR_EDIT_CONNECT},
		{"/chronus/disconnect", "ss", "osc1:out", "out:left", CHR_EDIT_DISCONNECT},
		{"/chronus/save", "s", "/a.cfg", "", CHR_EDIT_SAVE},
		{"/chronus/load", "s", "/a.cfg", "", CHR_EDIT_LOAD},
		{"/chronus/save", "", "", "", CHR_EDIT_SAVE},
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bed_send(&bed, rows[i].path, rows[i].types, rows[i].a, rows[i].b);
		ck_assert(done != NULL);
		ck_assert_int_eq(kind, rows[i].kind);
		ck_assert_str_eq(first, rows[i].a);
		ck_assert_str_eq(second, rows[i].b);
		/* nothing is answered before it is done */
		ck_assert(bed_silent(&bed));
		done(done_arg, 0, "");
		ck_assert(bed_reply(&bed));
		ck_assert_str_eq(bed.path, "/chronus/done");
		ck_assert_str_eq(bed_text(&bed, 0), rows[i].path);
		ck_assert_int_eq(bed.argc, 1);
		done = NULL;
	}
}
END_TEST

START_TEST(test_a_remark)
{
	bed_send(&bed, "/chronus/save", "");
	done(done_arg, 0, "/tmp/x.cfg");
	ck_assert(bed_reply(&bed));
	ck_assert_str_eq(bed_text(&bed, 1), "/tmp/x.cfg");
}
END_TEST

START_TEST(test_a_reason)
{
	bed_send(&bed, "/chronus/remove", "s", "out");
	done(done_arg, -EINVAL, "it stays");
	bed_expect_error(&bed, "/chronus/remove", "it stays");
	ck_assert_int_eq(bed.argc, 2);
}
END_TEST

START_TEST(test_each_error_of_a_file)
{
	bed_send(&bed, "/chronus/load", "s", "/a.cfg");
	done(done_arg, 65, "/a.cfg:1: one\n/a.cfg:2: two\n/a.cfg:3: three");
	static const char *const lines[] = {"/a.cfg:1: one", "/a.cfg:2: two", "/a.cfg:3: three"};
	for (int i = 0; i < 3; i++) {
		ck_assert(bed_reply(&bed));
		ck_assert_str_eq(bed.path, "/chronus/error");
		ck_assert_str_eq(bed_text(&bed, 0), "/chronus/load");
		ck_assert_str_eq(bed_text(&bed, 1), lines[i]);
		ck_assert_double_eq(bed_number(&bed, 2), 65);
		ck_assert_double_eq(bed_number(&bed, 3), 2 - i);
	}
	ck_assert(bed_silent(&bed));
}
END_TEST

START_TEST(test_what_cannot_wait)
{
	refuse = -ENOSPC;
	bed_send(&bed, "/chronus/remove", "s", "osc1");
	bed_expect_error(&bed, "/chronus/remove", "wait");
	bed_send(&bed, "/chronus/add", "s", "sine");
	bed_expect_error(&bed, "/chronus/add", "takes TYPE NAME");
}
END_TEST

START_TEST(test_connections)
{
	bed_send(&bed, "/chronus/connections", "");
	for (int i = 0; i < 2; i++) {
		ck_assert(bed_reply(&bed));
		ck_assert_str_eq(bed.path, "/chronus/connections/connection");
		ck_assert_str_eq(bed_text(&bed, 1), i ? "out:left" : "playback:1");
	}
	ck_assert(bed_reply(&bed));
	ck_assert_str_eq(bed.path, "/chronus/connections/end");
	ck_assert_double_eq(bed_number(&bed, 0), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("osc_edit");
	TCase *tests = tcase_create("edits");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_every_word_is_asked_for);
	tcase_add_test(tests, test_a_remark);
	tcase_add_test(tests, test_a_reason);
	tcase_add_test(tests, test_each_error_of_a_file);
	tcase_add_test(tests, test_what_cannot_wait);
	tcase_add_test(tests, test_connections);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
