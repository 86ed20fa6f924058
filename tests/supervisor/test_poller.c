#include "supervisor/poller.h"

#include "common/wake.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define MANY 50 /* more than one pass of the poller takes */

static struct chr_poller poller;

/* A descriptor whose callback counts and then does one thing. */
struct watched {
	struct chr_poll poll;
	unsigned calls;
	struct watched *removes; /* this one, itself perhaps */
	bool stops, clears;
};

static void on_ready(void *self)
{
	struct watched *watched = self;
	watched->calls++;
	if (watched->clears)
		chr_wake_clear(watched->poll.fd);
	if (watched->stops)
		chr_poller_stop(&poller);
	if (watched->removes)
		chr_poller_remove(&poller, &watched->removes->poll);
}

static void add(struct watched *watched)
{
	*watched = (struct watched){.poll = {.fd = chr_wake_create(), .ready = on_ready, .self = watched}};
	ck_assert_int_ge(watched->poll.fd, 0);
	ck_assert_int_eq(chr_poller_add(&poller, &watched->poll), 0);
}

static void setup(void)
{
	ck_assert_int_eq(chr_poller_init(&poller), 0);
}

static void teardown(void)
{
	chr_poller_finish(&poller);
}

START_TEST(test_poller_calls_what_is_ready)
{
	struct watched one, other;
	add(&one);
	add(&other);
	ck_assert_int_eq(chr_poller_wait(&poller, 0), 0);
	ck_assert_uint_eq(one.calls + other.calls, 0);
	chr_wake(one.poll.fd);
	ck_assert_int_eq(chr_poller_wait(&poller, -1), 0);
	/* level-triggered: nobody took the wake-up back */
	ck_assert_int_eq(chr_poller_wait(&poller, -1), 0);
	ck_assert_uint_eq(one.calls, 2);
	ck_assert_uint_eq(other.calls, 0);
	chr_wake_clear(one.poll.fd);
	ck_assert_int_eq(chr_poller_wait(&poller, 0), 0);
	ck_assert_uint_eq(one.calls, 2);
	close(one.poll.fd);
	close(other.poll.fd);
}
END_TEST

START_TEST(test_poller_hang_up)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	struct watched watched = {.poll = {.fd = ends[0], .ready = on_ready, .self = &watched}};
	ck_assert_int_eq(chr_poller_add(&poller, &watched.poll), 0);
	close(ends[1]);
	ck_assert_int_eq(chr_poller_wait(&poller, -1), 0);
	ck_assert_uint_eq(watched.calls, 1);
	close(ends[0]);
}
END_TEST

START_TEST(test_poller_refuses)
{
	struct watched watched;
	add(&watched);
	ck_assert_int_eq(chr_poller_add(&poller, &watched.poll), -EEXIST);
	close(watched.poll.fd);
	ck_assert_int_eq(chr_poller_add(&poller, &watched.poll), -EBADF);
}
END_TEST

/* Both are ready in the same pass; whichever is called first removes the other, which must not be called then. */
START_TEST(test_poller_remove_other)
{
	struct watched one, other;
	add(&one);
	add(&other);
	one.removes = &other;
	other.removes = &one;
	chr_wake(one.poll.fd);
	chr_wake(other.poll.fd);
	ck_assert_int_eq(chr_poller_wait(&poller, -1), 0);
	ck_assert_uint_eq(one.calls + other.calls, 1);
	close(one.poll.fd);
	close(other.poll.fd);
}
END_TEST

static struct watched *doomed[2];

/* What an ending process does: everything that belongs to it goes, memory and descriptors, in one callback. */
static void end_both(void *self)
{
	(void)self;
	for (int i = 0; i < 2; i++)
		chr_poller_remove(&poller, &doomed[i]->poll);
	for (int i = 0; i < 2; i++) {
		close(doomed[i]->poll.fd);
		free(doomed[i]);
		doomed[i] = NULL;
	}
}

START_TEST(test_poller_remove_and_free)
{
	for (int i = 0; i < 2; i++) {
		doomed[i] = malloc(sizeof *doomed[i]);
		add(doomed[i]);
		doomed[i]->poll.ready = end_both;
		chr_wake(doomed[i]->poll.fd);
	}
	ck_assert_int_eq(chr_poller_wait(&poller, -1), 0);
	ck_assert_ptr_null(doomed[0]);
	ck_assert_int_eq(chr_poller_wait(&poller, 0), 0);
}
END_TEST

START_TEST(test_poller_many)
{
	static struct watched many[MANY];
	unsigned calls = 0;
	for (int i = 0; i < MANY; i++) {
		add(&many[i]);
		many[i].clears = true;
		chr_wake(many[i].poll.fd);
	}
	for (int pass = 0; pass < MANY && calls < MANY; pass++) {
		ck_assert_int_eq(chr_poller_wait(&poller, 0), 0);
		calls = 0;
		for (int i = 0; i < MANY; i++)
			calls += many[i].calls;
	}
	for (int i = 0; i < MANY; i++) {
		ck_assert_uint_eq(many[i].calls, 1);
		close(many[i].poll.fd);
	}
}
END_TEST

START_TEST(test_poller_run_until_stopped)
{
	struct watched watched;
	add(&watched);
	watched.stops = true;
	chr_wake(watched.poll.fd);
	for (unsigned run = 1; run <= 3; run++) {
		ck_assert_int_eq(chr_poller_run(&poller), 0);
		ck_assert_uint_eq(watched.calls, run);
	}
	close(watched.poll.fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("poller");
	TCase *tcase = tcase_create("poller");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_poller_calls_what_is_ready);
	tcase_add_test(tcase, test_poller_hang_up);
	tcase_add_test(tcase, test_poller_refuses);
	tcase_add_test(tcase, test_poller_remove_other);
	tcase_add_test(tcase, test_poller_remove_and_free);
	tcase_add_test(tcase, test_poller_many);
	tcase_add_test(tcase, test_poller_run_until_stopped);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
