#include "common/hurry.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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
	cpu_set_t processors;
};

static void *look(void *arg)
{
	struct seen *seen = arg;
	struct sched_param param;
	seen->policy = sched_getscheduler(0);
	sched_getparam(0, &param);
	seen->priority = param.sched_priority;
	CPU_ZERO(&seen->processors);
	sched_getaffinity(0, sizeof seen->processors, &seen->processors);
	return arg;
}

typedef int creator(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static struct seen create_by(creator *creates, const pthread_attr_t *attr)
{
	struct seen seen = {-1, -1, {{0}}};
	pthread_t thread;
	void *result;
	ck_assert_int_eq(creates(&thread, attr, look, &seen), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, &seen);
	return seen;
}

static struct seen create(const pthread_attr_t *attr)
{
	return create_by(chr_hurry_create, attr);
}

static struct seen create_ordinary(creator *creates)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	struct seen seen = create_by(creates, &attr);
	pthread_attr_destroy(&attr);
	return seen;
}

static int last_of(const cpu_set_t *set)
{
	int last = -1;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, set))
			last = i;
	return last;
}

/* Of a process or thread; 0: this one. */
static cpu_set_t processors_of(pid_t id)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	ck_assert_int_eq(sched_getaffinity(id, sizeof set, &set), 0);
	return set;
}

START_TEST(an_explicitly_ordinary_thread_hurries)
{
	struct seen seen = create_ordinary(chr_hurry_create);
	cpu_set_t mine = processors_of(0);
	ck_assert_int_eq(seen.policy, permitted() ? SCHED_FIFO : SCHED_OTHER);
	ck_assert_int_eq(seen.priority, permitted() ? CHR_HURRY_PRIORITY : 0);
	ck_assert(CPU_EQUAL(&seen.processors, &mine));
}
END_TEST

START_TEST(a_listener_that_hurries_has_the_last_processor)
{
	struct seen seen = create_ordinary(chr_hurry_create_listener), plain = create_by(chr_hurry_create_listener, NULL);
	cpu_set_t mine = processors_of(0);
	ck_assert_int_eq(seen.policy, permitted() ? SCHED_FIFO : SCHED_OTHER);
	ck_assert_int_eq(CPU_COUNT(&seen.processors), permitted() ? 1 : CPU_COUNT(&mine));
	ck_assert_int_eq(last_of(&seen.processors), last_of(&mine));
	ck_assert_int_eq(plain.policy, SCHED_OTHER);
	ck_assert(CPU_EQUAL(&plain.processors, &mine));
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

static pid_t other_thread(pid_t pid)
{
	char path[64];
	pid_t other = 0;
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *folder = opendir(path);
	ck_assert_ptr_nonnull(folder);
	for (struct dirent *entry; (entry = readdir(folder));) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
		other = thread > 0 && thread != pid ? thread : other;
	}
	closedir(folder);
	ck_assert_int_gt(other, 0);
	return other;
}

START_TEST(the_ordinary_threads_of_a_process_beside_its_main_thread)
{
	pid_t pid = start_process();
	unsigned count = chr_hurry_process(pid);
	int main_policy = sched_getscheduler(pid);
	cpu_set_t of_main = processors_of(pid), set = processors_of(other_thread(pid)), mine = processors_of(0);
	unsigned again = chr_hurry_process(pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_uint_eq(count, permitted() ? 1 : 0);
	ck_assert_int_eq(main_policy, SCHED_OTHER);
	ck_assert(CPU_EQUAL(&of_main, &mine));
	ck_assert_int_eq(CPU_COUNT(&set), permitted() ? 1 : CPU_COUNT(&mine));
	ck_assert_int_eq(last_of(&set), last_of(&mine));
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
	tcase_add_test(tcase, a_listener_that_hurries_has_the_last_processor);
	tcase_add_test(tcase, other_threads_are_what_they_are_asked_to_be);
	tcase_add_test(tcase, the_ordinary_threads_of_a_process_beside_its_main_thread);
	tcase_add_test(tcase, a_process_that_is_not_there_is_none);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
