#include "supervisor/nsm.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <lo/lo.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENT_MAX 32

static struct chr_nsm nsm;
static char sent[SENT_MAX][1024]; /* as text: path, then arguments */
static unsigned sent_count;

static void on_send(void *self, const void *data, size_t bytes)
{
	char copy[2048];
	(void)self;
	ck_assert_uint_lt(sent_count, SENT_MAX);
	ck_assert_uint_le(bytes, sizeof copy);
	memcpy(copy, data, bytes);
	lo_message message = lo_message_deserialise(copy, bytes, NULL);
	ck_assert_ptr_nonnull(message);
	char *text = sent[sent_count++];
	int at = snprintf(text, sizeof sent[0], "%s", copy);
	const char *types = lo_message_get_types(message);
	for (int i = 0; i < lo_message_get_argc(message); i++) {
		const void *arg = lo_message_get_argv(message)[i]; /* aligned to four bytes, the union to eight */
		int32_t number;
		float fraction;
		memcpy(&number, arg, sizeof number);
		memcpy(&fraction, arg, sizeof fraction);
		size_t room = sizeof sent[0] - (size_t)at;
		if (types[i] == 's')
			at += snprintf(text + at, room, " %s", (const char *)arg);
		else if (types[i] == 'f')
			at += snprintf(text + at, room, " %.2f", (double)fraction);
		else
			at += snprintf(text + at, room, " %d", number);
	}
	lo_message_free(message);
}

/* A message to the client, as the session manager sends it: s and i. */
static enum chr_nsm_action take(const char *path, const char *types, ...)
{
	char data[2048];
	size_t bytes = sizeof data;
	lo_message message = lo_message_new();
	va_list args;
	va_start(args, types);
	for (const char *type = types; *type; type++)
		if (*type == 's')
			lo_message_add_string(message, va_arg(args, const char *));
		else
			lo_message_add_int32(message, va_arg(args, int));
	va_end(args);
	ck_assert_ptr_nonnull(lo_message_serialise(message, path, data, &bytes));
	lo_message_free(message);
	return chr_nsm_take(&nsm, data, bytes);
}

static const char *last(void)
{
	return sent_count ? sent[sent_count - 1] : "";
}

static void setup(void)
{
	sent_count = 0;
	chr_nsm_init(&nsm, on_send, NULL);
	chr_nsm_announce(&nsm, "chronus", 4711);
}

static enum chr_nsm_action welcome(void)
{
	return take("/reply", "ssss", "/nsm/server/announce", "hello", "a manager", ":server-control:");
}

static void open_song(void)
{
	ck_assert_int_eq(welcome(), CHR_NSM_WELCOME);
	ck_assert_int_eq(take("/nsm/client/open", "sss", "/songs/one/Chronus.nABCD", "one", "Chronus.nABCD"), CHR_NSM_OPEN);
	chr_nsm_opened(&nsm, CHR_NSM_OK, "playing");
}

START_TEST(it_announces_what_is_true)
{
	ck_assert_str_eq(last(), "/nsm/server/announce Chronus :dirty:progress:switch: chronus 1 1 4711");
	ck_assert_int_eq(welcome(), CHR_NSM_WELCOME);
	ck_assert_str_eq(nsm.text, "hello");
	ck_assert_int_eq(welcome(), CHR_NSM_NOTHING);
}
END_TEST

START_TEST(a_refusal_says_why)
{
	ck_assert_int_eq(take("/error", "sis", "/nsm/server/announce", -2, "too old"), CHR_NSM_REFUSED);
	ck_assert_str_eq(nsm.text, "too old");
	ck_assert_int_eq(take("/nsm/client/open", "sss", "/a", "b", "c"), CHR_NSM_NOTHING);
	ck_assert_uint_eq(sent_count, 1);
}
END_TEST

START_TEST(open_names_everything_and_is_answered)
{
	welcome();
	ck_assert_int_eq(take("/nsm/client/open", "sss", "/songs/one/Chronus.nABCD", "one", "Chronus.nABCD"), CHR_NSM_OPEN);
	ck_assert_str_eq(nsm.path, "/songs/one/Chronus.nABCD");
	ck_assert_str_eq(nsm.display, "one");
	ck_assert_str_eq(nsm.client_id, "Chronus.nABCD");
	chr_nsm_progress(&nsm, 0.5f);
	ck_assert_str_eq(last(), "/nsm/client/progress 0.50");
	chr_nsm_opened(&nsm, CHR_NSM_OK, "playing");
	ck_assert_str_eq(last(), "/reply /nsm/client/open playing");
	unsigned before = sent_count;
	chr_nsm_progress(&nsm, 1.0f);
	chr_nsm_opened(&nsm, CHR_NSM_OK, "again");
	ck_assert_uint_eq(sent_count, before);
}
END_TEST

START_TEST(a_bad_project_is_an_error_and_nothing_is_open)
{
	welcome();
	take("/nsm/client/open", "sss", "/a", "b", "c");
	take("/nsm/client/save", "");
	ck_assert_int_eq(chr_nsm_opened(&nsm, CHR_NSM_BAD_PROJECT, "a.cfg:7: no"), CHR_NSM_NOTHING);
	ck_assert_str_eq(sent[sent_count - 2], "/error /nsm/client/open -9 a.cfg:7: no");
	ck_assert_str_eq(last(), "/error /nsm/client/save -6 nothing is open");
	ck_assert_int_eq(take("/nsm/client/save", ""), CHR_NSM_NOTHING);
	ck_assert_str_eq(last(), "/error /nsm/client/save -6 nothing is open");
	ck_assert_int_eq(take("/nsm/client/open", "sss", "/d", "e", "c"), CHR_NSM_OPEN);
}
END_TEST

START_TEST(one_thing_at_a_time)
{
	welcome();
	take("/nsm/client/open", "sss", "/a", "b", "c");
	ck_assert_int_eq(take("/nsm/client/open", "sss", "/d", "e", "f"), CHR_NSM_NOTHING);
	ck_assert_str_eq(last(), "/error /nsm/client/open -8 still opening");
	ck_assert_str_eq(nsm.path, "/a");
	/* a save that comes meanwhile waits */
	unsigned before = sent_count;
	ck_assert_int_eq(take("/nsm/client/save", ""), CHR_NSM_NOTHING);
	ck_assert_uint_eq(sent_count, before);
	ck_assert_int_eq(chr_nsm_opened(&nsm, CHR_NSM_OK, "playing"), CHR_NSM_SAVE);
	ck_assert_str_eq(last(), "/reply /nsm/client/open playing");
	ck_assert_int_eq(take("/nsm/client/save", ""), CHR_NSM_NOTHING);
	ck_assert_str_eq(last(), "/error /nsm/client/save -8 still saving");
	chr_nsm_saved(&nsm, CHR_NSM_OK, "saved");
	ck_assert_str_eq(last(), "/reply /nsm/client/save saved");
	ck_assert_int_eq(take("/nsm/client/save", ""), CHR_NSM_SAVE);
	chr_nsm_saved(&nsm, CHR_NSM_GENERAL, "disk full");
	ck_assert_str_eq(last(), "/error /nsm/client/save -1 disk full");
}
END_TEST

START_TEST(dirt_is_told_when_it_changes)
{
	chr_nsm_dirty(&nsm, true);
	ck_assert_uint_eq(sent_count, 1);
	open_song();
	chr_nsm_dirty(&nsm, false);
	ck_assert_str_eq(last(), "/nsm/client/is_clean");
	unsigned before = sent_count;
	chr_nsm_dirty(&nsm, false);
	ck_assert_uint_eq(sent_count, before);
	chr_nsm_dirty(&nsm, true);
	ck_assert_str_eq(last(), "/nsm/client/is_dirty");
}
END_TEST

START_TEST(another_project_may_follow)
{
	open_song();
	ck_assert_int_eq(take("/nsm/client/open", "sss", "/songs/two/Chronus.nEFGH", "two", "Chronus.nEFGH"), CHR_NSM_OPEN);
	ck_assert_str_eq(nsm.client_id, "Chronus.nEFGH");
	chr_nsm_opened(&nsm, CHR_NSM_OK, "playing");
	ck_assert_int_eq(take("/nsm/client/session_is_loaded", ""), CHR_NSM_LOADED);
}
END_TEST

START_TEST(nothing_is_saved_over_after_a_project_that_failed)
{
	open_song();
	take("/nsm/client/open", "sss", "/songs/two/Chronus.nEFGH", "two", "Chronus.nEFGH");
	chr_nsm_opened(&nsm, CHR_NSM_BAD_PROJECT, "no");
	unsigned before = sent_count;
	chr_nsm_dirty(&nsm, true);
	ck_assert_uint_eq(sent_count, before);
	ck_assert_int_eq(take("/nsm/client/save", ""), CHR_NSM_NOTHING);
	ck_assert_str_eq(last(), "/error /nsm/client/save -6 nothing is open");
}
END_TEST

START_TEST(nonsense_does_nothing)
{
	static const char *const junk[] = {"", "/", "#bundle", "/reply", "/nsm/client/open\0,sss\0\0\0x", "\xff\xff\xff\xff"};
	char long_path[CHR_NSM_TEXT_MAX + 1];
	memset(long_path, 'x', sizeof long_path - 1);
	long_path[sizeof long_path - 1] = 0;
	welcome();
	for (unsigned i = 0; i < sizeof junk / sizeof junk[0]; i++)
		for (size_t bytes = 0; bytes <= 24; bytes += 4) {
			char data[32] = {0};
			memcpy(data, junk[i], strlen(junk[i]));
			ck_assert_int_eq(chr_nsm_take(&nsm, data, bytes), CHR_NSM_NOTHING);
		}
	ck_assert_int_eq(take("/reply", "i", 3), CHR_NSM_NOTHING);
	ck_assert_int_eq(take("/nsm/client/open", "ss", "/a", "b"), CHR_NSM_NOTHING);
	ck_assert_int_eq(take("/nsm/client/open", "sss", "/a", "", "c"), CHR_NSM_NOTHING);
	ck_assert_int_eq(take("/nsm/client/open", "sss", long_path, "b", "c"), CHR_NSM_NOTHING);
	ck_assert_int_eq(take("/nsm/client/hide_optional_gui", ""), CHR_NSM_NOTHING);
}
END_TEST

START_TEST(labels_come_after_the_welcome)
{
	chr_nsm_label(&nsm, "early");
	ck_assert_uint_eq(sent_count, 1);
	welcome();
	chr_nsm_label(&nsm, "drone");
	ck_assert_str_eq(last(), "/nsm/client/label drone");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nsm");
	TCase *tests = tcase_create("nsm");
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, it_announces_what_is_true);
	tcase_add_test(tests, a_refusal_says_why);
	tcase_add_test(tests, open_names_everything_and_is_answered);
	tcase_add_test(tests, a_bad_project_is_an_error_and_nothing_is_open);
	tcase_add_test(tests, one_thing_at_a_time);
	tcase_add_test(tests, dirt_is_told_when_it_changes);
	tcase_add_test(tests, another_project_may_follow);
	tcase_add_test(tests, nothing_is_saved_over_after_a_project_that_failed);
	tcase_add_test(tests, nonsense_does_nothing);
	tcase_add_test(tests, labels_come_after_the_welcome);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
