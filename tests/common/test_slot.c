#include "common/slot.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEATHS      60
#define BACKSTOP_NS 900000000 /* a wait that took this long was ended by its timeout, not by a wake-up */

struct guard {
	struct chr_slot *slot;
	_Atomic int stop;
	pthread_t thread;
	_Atomic int result;
	int64_t seen_ns;
};

static struct chr_slot *crashing;

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static _Atomic uint32_t *word_of(struct chr_slot *slot)
{
	return (_Atomic uint32_t *)(void *)&slot->alive;
}

static void *guard_main(void *arg)
{
	struct guard *guard = arg;

	guard->result = chr_slot_wait_death(guard->slot, &guard->stop);
	guard->seen_ns = now_ns();
	return NULL;
}

static void guard_start(struct guard *guard, struct chr_slot *slot)
{
	memset(guard, 0, sizeof *guard);
	guard->slot = slot;
	guard->result = 1;
	ck_assert_int_eq(pthread_create(&guard->thread, NULL, guard_main, guard), 0);
}

/* Until the guard has told the kernel that it waits. */
static void guard_settle(struct guard *guard)
{
	while (!(atomic_load(word_of(guard->slot)) & FUTEX_WAITERS))
		sched_yield();
}

static void on_crash(int sig, siginfo_t *info, void *context)
{
	(void)context;
	chr_slot_crashed(crashing, sig, (uint64_t)(uintptr_t)info->si_addr);
	for (;;)
		pause();
}

/* A child that lives in the slot; SIGUSR1 makes it run its crash handler, which does not return. */
static pid_t inhabit(struct chr_slot *slot)
{
	int ready[2];
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO};

		crashing = slot;
		sigaction(SIGUSR1, &action, NULL);
		if (chr_slot_live(slot) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

START_TEST(slot_is_shared_nameless_and_of_fixed_size)
{
	int fd;
	struct chr_slot *slot = chr_slot_create(&fd), *view;
	struct stat st;

	ck_assert_ptr_nonnull(slot);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_nlink, 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_lt(st.st_blocks * 512, 65536);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	view = chr_slot_map(fd, 0);
	ck_assert_ptr_nonnull(view);
	slot->order.member = 77;
	ck_assert_uint_eq(view->order.member, 77);
	chr_slot_unmap(view);

	slot->version++;
	ck_assert_ptr_null(chr_slot_map(fd, 1));
	ck_assert_int_eq(errno, EPROTO);
	slot->version--;
	slot->magic ^= 1;
	ck_assert_ptr_null(chr_slot_map(fd, 1));
	ck_assert_int_eq(errno, EPROTO);
	chr_slot_unmap(slot);
	close(fd);
}
END_TEST

START_TEST(slot_of_another_size_is_refused)
{
	int fd;
	struct chr_board *board = chr_board_create(&fd);

	ck_assert_ptr_null(chr_slot_map(fd, 1));
	ck_assert_int_eq(errno, EPROTO);
	chr_board_unmap(board);
	close(fd);
}
END_TEST

START_TEST(one_holder_at_a_time)
{
	int fd;
	struct chr_slot *slot = chr_slot_create(&fd);
	pid_t pid = inhabit(slot);

	ck_assert_int_eq(chr_slot_live(slot), -EBUSY);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(death_is_seen_at_once)
{
	int64_t took[DEATHS];

	for (int i = 0; i < DEATHS; i++) {
		int fd;
		struct chr_slot *slot = chr_slot_create(&fd);
		pid_t pid = inhabit(slot);
		struct guard guard;
		int64_t start;

		guard_start(&guard, slot);
		guard_settle(&guard);
		start = now_ns();
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		pthread_join(guard.thread, NULL);
		ck_assert_int_eq(guard.result, 0);
		took[i] = guard.seen_ns - start;
		waitpid(pid, NULL, 0);
		chr_slot_unmap(slot);
		close(fd);
	}
	qsort(took, DEATHS, sizeof took[0], ascending);
	printf("slot: death seen after %lld us (median), %lld us (worst) of %d\n", (long long)took[DEATHS / 2] / 1000,
	       (long long)took[DEATHS - 1] / 1000, DEATHS);
	ck_assert_int_lt(took[DEATHS / 2], BACKSTOP_NS / 10);
}
END_TEST

START_TEST(death_before_the_guard_is_seen)
{
	int fd;
	struct chr_slot *slot = chr_slot_create(&fd);
	_Atomic int stop = 0;
	pid_t pid = inhabit(slot);

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(chr_slot_wait_death(slot, &stop), 0);
}
END_TEST

START_TEST(crash_is_seen_while_the_process_lives)
{
	int fd;
	struct chr_slot *slot = chr_slot_create(&fd);
	pid_t pid = inhabit(slot);
	struct guard guard;
	int64_t start;

	guard_start(&guard, slot);
	guard_settle(&guard);
	start = now_ns();
	kill(pid, SIGUSR1);
	pthread_join(guard.thread, NULL);
	ck_assert_int_eq(guard.result, 0);
	ck_assert_int_lt(guard.seen_ns - start, BACKSTOP_NS);
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	ck_assert_uint_eq(atomic_load(&slot->report.phase), CHR_PHASE_CRASHED);
	ck_assert_uint_eq(atomic_load(&slot->report.signal), SIGUSR1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(crash_reports_its_address)
{
	int fd;
	struct chr_slot *slot = chr_slot_create(&fd);

	errno = 99;
	chr_slot_crashed(slot, SIGBUS, UINT64_C(0x123456789abc));
	ck_assert_int_eq(errno, 99);
	ck_assert_uint_eq(atomic_load(&slot->report.signal), SIGBUS);
	ck_assert_uint_eq(atomic_load(&slot->report.address), UINT64_C(0x123456789abc));
}
END_TEST

START_TEST(stop_ends_the_wait)
{
	int fd, slow = 0;
	struct chr_slot *slot = chr_slot_create(&fd);
	pid_t pid = inhabit(slot);

	for (int i = 0; i < 400; i++) {
		struct guard guard;
		int64_t start;

		guard_start(&guard, slot);
		if (i % 2) /* the other half meets the guard on its way to sleep */
			guard_settle(&guard);
		start = now_ns();
		atomic_store(&guard.stop, 1);
		chr_slot_wake_guard(slot);
		pthread_join(guard.thread, NULL);
		ck_assert_int_eq(guard.result, -EINTR);
		slow += now_ns() - start > BACKSTOP_NS;
	}
	ck_assert_int_le(slow, 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

/* A guard that has set the bit, but does not sleep yet, is woken by the bit's loss alone. */
START_TEST(waking_a_guard_changes_the_word_it_sleeps_on)
{
	int fd;
	struct chr_slot *slot = chr_slot_create(&fd);

	atomic_store(word_of(slot), 1234 | FUTEX_WAITERS);
	chr_slot_wake_guard(slot);
	ck_assert_uint_eq(atomic_load(word_of(slot)), 1234);
}
END_TEST

START_TEST(scribbled_word_neither_traps_nor_lies)
{
	int fd;
	struct chr_slot *slot = chr_slot_create(&fd);
	pid_t pid = inhabit(slot);
	struct guard guard;

	atomic_store(word_of(slot), 0x12345);
	guard_start(&guard, slot);
	for (uint32_t i = 0; i < 200000; i++) /* a word that never rests */
		atomic_store(word_of(slot), i % 1000 + 1);
	ck_assert_int_eq(guard.result, 1);
	atomic_store(&guard.stop, 1);
	chr_slot_wake_guard(slot);
	pthread_join(guard.thread, NULL);
	ck_assert_int_eq(guard.result, -EINTR);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slot");
	TCase *tcase = tcase_create("slot");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, slot_is_shared_nameless_and_of_fixed_size);
	tcase_add_test(tcase, slot_of_another_size_is_refused);
	tcase_add_test(tcase, one_holder_at_a_time);
	tcase_add_test(tcase, death_is_seen_at_once);
	tcase_add_test(tcase, death_before_the_guard_is_seen);
	tcase_add_test(tcase, crash_is_seen_while_the_process_lives);
	tcase_add_test(tcase, crash_reports_its_address);
	tcase_add_test(tcase, stop_ends_the_wait);
	tcase_add_test(tcase, waking_a_guard_changes_the_word_it_sleeps_on);
	tcase_add_test(tcase, scribbled_word_neither_traps_nor_lies);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
