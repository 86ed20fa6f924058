#include "common/hurry.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static bool permitted(void)
{
	const struct sched_param fifo = {.sched_priority = CHR_HURRY_SERVER_PRIORITY}, plain = {0};
	bool yes = sched_setscheduler(0, SCHED_FIFO, &fifo) == 0;
	return yes && sched_setscheduler(0, SCHED_OTHER, &plain) == 0;
}

struct seen {
	int policy, priority;
};

static void *look(void *arg)
{
	struct seen *seen = arg;
	struct sched_param param;
	seen->policy = sched_getscheduler(0);
	sched_getparam(0, &param);
	seen->priority = param.sched_priority;
	return arg;
}

static struct seen create(const pthread_attr_t *attr)
{
	struct seen seen = {-1, -1};
	pthread_t thread;
	void *result;
	ck_assert_int_eq(chr_hurry_create(&thread, attr, look, &seen), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, &seen);
	return seen;
}

START_TEST(an_explicitly_ordinary_thread_hurries)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	struct seen seen = create(&attr);
	pthread_attr_destroy(&attr);
	ck_assert_int_eq(seen.policy, permitted() ? SCHED_FIFO : SCHED_OTHER);
	ck_assert_int_eq(seen.priority, permitted() ? CHR_HURRY_PRIORITY : 0);
}
END_TEST

START_TEST(other_threads_are_what_they_are_asked_to_be)
{
	pthread_attr_t attr;
	ck_assert_int_eq(create(NULL).policy, SCHED_OTHER);
	pthread_attr_init(&attr);
	ck_assert_int_eq(create(&attr).policy, SCHED_OTHER);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &(struct sched_param){.sched_priority = 33});
	if (permitted())
		ck_assert_int_eq(create(&attr).priority, 33);
	pthread_attr_destroy(&attr);
}
END_TEST

static int ready[2];

static void *sleeper(void *arg)
{
	if (write(ready[1], "", 1) != 1)
		_exit(1);
	pause();
	return arg;
}

/* A process with an ordinary thread beside its main thread. */
static pid_t start_process(void)
{
	char byte;
	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, sleeper, NULL);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

START_TEST(the_ordinary_threads_of_a_process_beside_its_main_thread)
{
	pid_t pid = start_process();
	unsigned count = chr_hurry_process(pid);
	int main_policy = sched_getscheduler(pid);
	unsigned again = chr_hurry_process(pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_uint_eq(count, permitted() ? 1 : 0);
	ck_assert_int_eq(main_policy, SCHED_OTHER);
	ck_assert_uint_eq(again, 0);
}
END_TEST

START_TEST(a_process_that_is_not_there_is_none)
{
	ck_assert_uint_eq(chr_hurry_process(0x7ffffff0), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hurry");
	TCase *tcase = tcase_create("hurry");
	tcase_add_test(tcase, an_explicitly_ordinary_thread_hurries);
	tcase_add_test(tcase, other_threads_are_what_they_are_asked_to_be);
	tcase_add_test(tcase, the_ordinary_threads_of_a_process_beside_its_main_thread);
	tcase_add_test(tcase, a_process_that_is_not_there_is_none);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
