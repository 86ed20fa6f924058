#include "supervisor/inbox.h"

#include "common/wake.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define POSTERS   8
#define POSTS     2000 /* of each */
#define LONG_WAIT 20000

static struct chr_inbox inbox;

static void setup(void)
{
	ck_assert_int_eq(chr_inbox_init(&inbox), 0);
}

static void teardown(void)
{
	chr_inbox_finish(&inbox);
}

static void put(int64_t value)
{
	chr_inbox_put(&inbox, &(struct chr_post){.kind = CHR_POST_PERIOD, .value = value});
}

static void expect(int64_t value)
{
	struct chr_post post;
	ck_assert(chr_inbox_take(&inbox, &post));
	ck_assert_int_eq(post.value, value);
}

static bool awake(int timeout_ms)
{
	struct pollfd fd = {.fd = inbox.wake_fd, .events = POLLIN};
	return poll(&fd, 1, timeout_ms) == 1;
}

START_TEST(test_inbox_keeps_posts_whole)
{
	struct chr_post sent = {.kind = CHR_POST_EDGE_DRAWN, .process = (void *)&inbox, .time_us = 1234567890123u, .value = -12},
			got;
	memset(sent.from, 'f', sizeof sent.from - 1);
	memset(sent.to, 't', sizeof sent.to - 1);
	ck_assert(!chr_inbox_take(&inbox, &got));
	ck_assert(!awake(0));
	chr_inbox_put(&inbox, &sent);
	ck_assert(awake(0));
	ck_assert(chr_inbox_take(&inbox, &got));
	ck_assert_int_eq(got.kind, CHR_POST_EDGE_DRAWN);
	ck_assert_ptr_eq(got.process, sent.process);
	ck_assert_uint_eq(got.time_us, sent.time_us);
	ck_assert_int_eq(got.value, -12);
	ck_assert_str_eq(got.from, sent.from);
	ck_assert_str_eq(got.to, sent.to);
	ck_assert(!chr_inbox_take(&inbox, &got));
}
END_TEST

/* Grows while its posts lie across the end of its memory. */
START_TEST(test_inbox_order_and_growth)
{
	struct chr_post post;
	int64_t in = 0, out = 0;
	while (in < 200)
		put(in++);
	while (out < 150)
		expect(out++);
	while (in < 1500)
		put(in++);
	while (out < 1400)
		expect(out++);
	while (in < 5000)
		put(in++);
	while (out < in)
		expect(out++);
	ck_assert(!chr_inbox_take(&inbox, &post));
}
END_TEST

static void *poster(void *arg)
{
	int64_t base = (int64_t)(intptr_t)arg * POSTS;
	for (int i = 0; i < POSTS; i++)
		put(base + i);
	return NULL;
}

/* The reader waits for each wake-up alone: one that was lost would leave it waiting. */
START_TEST(test_inbox_many_threads)
{
	pthread_t thread[POSTERS];
	int next[POSTERS] = {0}, taken = 0;
	for (intptr_t i = 0; i < POSTERS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, poster, (void *)i), 0);
	while (taken < POSTERS * POSTS) {
		struct chr_post post;
		ck_assert_msg(awake(LONG_WAIT), "%d of %d posts", taken, POSTERS * POSTS);
		chr_wake_clear(inbox.wake_fd);
		for (; chr_inbox_take(&inbox, &post); taken++) {
			int64_t from = post.value / POSTS;
			ck_assert_int_eq(post.value % POSTS, next[from]);
			next[from]++;
		}
	}
	for (int i = 0; i < POSTERS; i++) {
		pthread_join(thread[i], NULL);
		ck_assert_int_eq(next[i], POSTS);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inbox");
	TCase *tcase = tcase_create("inbox");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_inbox_keeps_posts_whole);
	tcase_add_test(tcase, test_inbox_order_and_growth);
	tcase_add_test(tcase, test_inbox_many_threads);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
