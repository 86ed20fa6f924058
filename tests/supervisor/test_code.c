#include "supervisor/code.h"

#include "common/event.h"
#include "supervisor/feed.h"
#include "supervisor/schedule.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char file[] = "/tmp/chronus-code-XXXXXX";
static char why[CHR_TEXT_MAX];

static void write_file(const char *text)
{
	FILE *f = fopen(file, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void setup(void)
{
	strcpy(strrchr(file, '-'), "-XXXXXX");
	int fd = mkstemp(file);
	ck_assert_int_ge(fd, 0);
	close(fd);
	write_file("the code");
}

static void teardown(void)
{
	unlink(file);
}

START_TEST(a_copy_stays_as_it_was)
{
	char text[16] = "";
	struct chr_code *first = chr_code_copy(file, why, sizeof why), *again = chr_code_copy(file, why, sizeof why);
	ck_assert(first && again && first->fd >= 0);
	ck_assert(chr_code_equal(first, again));
	write_file("the c0de");
	struct chr_code *other = chr_code_copy(file, why, sizeof why);
	ck_assert(other && !chr_code_equal(first, other));
	ck_assert_int_eq(pread(first->fd, text, sizeof text, 0), 8);
	ck_assert_str_eq(text, "the code");
	/* nobody changes it any more */
	ck_assert_int_lt(write(first->fd, "x", 1), 0);
	ck_assert_int_lt(ftruncate(first->fd, 1), 0);
	ck_assert_ptr_eq(chr_code_hold(first), first);
	chr_code_release(first);
	ck_assert_int_eq(pread(first->fd, text, 1, 0), 1);
	chr_code_release(first);
	chr_code_release(again);
	chr_code_release(other);
	chr_code_release(NULL);
}
END_TEST

START_TEST(what_cannot_be_copied_has_a_reason)
{
	ck_assert_ptr_null(chr_code_copy("/nonexistent.so", why, sizeof why));
	ck_assert_str_eq(why, "cannot load: /nonexistent.so: No such file or directory");
	ck_assert_ptr_null(chr_code_copy("/tmp", why, sizeof why));
	ck_assert_ptr_nonnull(strstr(why, "no file"));
	unlink(file);
	ck_assert_int_eq(mkfifo(file, 0600), 0); /* nobody writes to it: it must not be waited for */
	ck_assert_ptr_null(chr_code_copy(file, why, sizeof why));
}
END_TEST

START_TEST(a_file_that_others_may_write_is_told)
{
	for (int open = 0; open < 2; open++) {
		ck_assert_int_eq(chmod(file, open ? 0666 : 0644), 0);
		struct chr_code *code = chr_code_copy(file, why, sizeof why);
		ck_assert_ptr_nonnull(code);
		ck_assert_int_eq(code->foreign, open);
		chr_code_release(code);
	}
}
END_TEST

static void name(struct chr_descriptor *desc, unsigned at, const char *text, float max, float initial)
{
	snprintf(desc->param[at].name, sizeof desc->param[at].name, "%s", text);
	desc->param[at].max = max;
	desc->param[at].initial = initial;
	if (at >= desc->param_count)
		desc->param_count = at + 1;
}

START_TEST(parameters_are_found_by_name)
{
	static struct chr_descriptor old, more, moved;
	float value[CHR_PARAMS_MAX] = {0.75f, 8.0f};
	uint8_t map[CHR_PARAMS_MAX];
	name(&old, 0, "a", 1, 0);
	name(&old, 1, "b", 10, 5);
	more = moved = old;
	name(&more, 2, "c", 1, 0.5f);
	name(&moved, 0, "b", 6, 5);
	name(&moved, 1, "new", 1, 0.25f);
	ck_assert(chr_descriptor_params_begin(&old, &more) && chr_descriptor_params_begin(&more, &old));
	ck_assert(!chr_descriptor_params_begin(&old, &moved));
	ck_assert(chr_code_exchange(&old, &more) && !chr_code_exchange(&old, &moved));
	more.state_bytes = 8;
	ck_assert(!chr_code_exchange(&old, &more));
	chr_code_map(&old, &moved, map);
	ck_assert_uint_eq(map[0], CHR_CODE_MISSING);
	ck_assert_uint_eq(map[1], 0);
	chr_code_values(&old, &moved, value, value);
	ck_assert_float_eq(value[0], 6.0f);
	ck_assert_float_eq(value[1], 0.25f);
}
END_TEST

START_TEST(events_are_renumbered)
{
	static struct chr_ring ring;
	struct chr_event event = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_PARAM}, got;
	uint8_t map[CHR_PARAMS_MAX];
	struct chr_feed feed;
	struct chr_schedule schedule;
	struct chr_scheduled due;
	memset(map, CHR_CODE_MISSING, sizeof map);
	map[1] = 0;
	chr_feed_init(&feed);
	chr_feed_attach(&feed, &ring);
	feed.translated = true;
	memcpy(feed.map, map, sizeof map);
	chr_schedule_init(&schedule);
	for (event.index = 0; event.index < 2; event.index++) {
		event.frame = 10 - event.index;
		chr_feed_put(&feed, &event);
		ck_assert_int_eq(chr_schedule_put(&schedule, 3, &event), 0);
		ck_assert_int_eq(chr_schedule_put(&schedule, 4, &event), 0);
	}
	ck_assert_uint_eq(chr_ring_read(&ring, &got, 1), 1);
	ck_assert_uint_eq(got.index, 0);
	ck_assert_uint_eq(got.frame, 9);
	ck_assert_uint_eq(chr_ring_read(&ring, &got, 1), 0);
	chr_schedule_renumber(&schedule, 3, map);
	ck_assert_uint_eq(schedule.count, 3);
	while (chr_schedule_take(&schedule, 100, &due))
		ck_assert_uint_eq(due.event.index, due.unit == 3 ? 0 : 10 - due.event.frame);
	chr_feed_finish(&feed);
	chr_schedule_finish(&schedule);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("code");
	TCase *tcase = tcase_create("code");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_copy_stays_as_it_was);
	tcase_add_test(tcase, what_cannot_be_copied_has_a_reason);
	tcase_add_test(tcase, a_file_that_others_may_write_is_told);
	tcase_add_test(tcase, parameters_are_found_by_name);
	tcase_add_test(tcase, events_are_renumbered);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
