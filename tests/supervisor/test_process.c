#include "supervisor/process.h"

#include "common/wake.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/spawned.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPEN_MAX_HERE 256

static struct chr_spawn spawn;
static int filler[OPEN_MAX_HERE], fillers;

static void setup(void)
{
	spawn = spawned_setup();
	fillers = 0;
}

static void release(void)
{
	while (fillers > 0)
		close(filler[--fillers]);
}

static void teardown(void)
{
	release();
	spawned_teardown(&spawn);
}

/* Opens a file again and again until no descriptor below `count` is free. None of them is close-on-exec. */
static void fill(int count, const char *file)
{
	int fd;
	while ((fd = open(file, O_RDONLY)) < count) {
		ck_assert_int_ge(fd, 0);
		ck_assert_int_lt(fillers, OPEN_MAX_HERE);
		filler[fillers++] = fd;
	}
	close(fd);
}

static bool same_file(int fd, pid_t pid, int its_fd)
{
	char path[64];
	struct stat ours, its;
	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, its_fd);
	ck_assert_int_eq(fstat(fd, &ours), 0);
	return stat(path, &its) == 0 && ours.st_dev == its.st_dev && ours.st_ino == its.st_ino;
}

/* eventfds share one inode; the kernel tells them apart by a number. */
static int eventfd_id(const char *of, int fd)
{
	char path[64], line[128];
	int id = -1;
	snprintf(path, sizeof path, "/proc/%s/fdinfo/%d", of, fd);
	FILE *info = fopen(path, "r");
	ck_assert_ptr_nonnull(info);
	while (fgets(line, sizeof line, info))
		sscanf(line, "eventfd-id: %d", &id);
	fclose(info);
	return id;
}

static void check_descriptors(const struct chr_process *process)
{
	char pid[16], path[64];
	struct stat its;
	snprintf(pid, sizeof pid, "%d", (int)process->pid);
	ck_assert(same_file(process->slot_fd, process->pid, CHR_FD_SLOT));
	ck_assert(same_file(spawn.board_fd[0], process->pid, CHR_FD_BOARD_A));
	ck_assert(same_file(spawn.board_fd[1], process->pid, CHR_FD_BOARD_B));
	ck_assert(same_file(spawn.choice_fd, process->pid, CHR_FD_CHOICE));
	ck_assert_int_eq(eventfd_id(pid, CHR_FD_TO_MAIN), eventfd_id("self", process->to_main));
	ck_assert_int_eq(eventfd_id(pid, CHR_FD_FROM_MAIN), eventfd_id("self", process->from_main));
	snprintf(path, sizeof path, "/proc/%s/fd/%d", pid, CHR_FD_SOCKET);
	ck_assert_int_eq(stat(path, &its), 0);
	ck_assert(S_ISSOCK(its.st_mode));
	ck_assert_msg(!same_file(process->socket, process->pid, CHR_FD_SOCKET), "it has our end of the pair");
}

START_TEST(test_process_says_hello)
{
	struct chr_process *process = spawned_start(&spawn);
	ck_assert_int_gt(process->pid, 0);
	ck_assert_uint_eq(atomic_load_explicit(&process->slot->report.phase, memory_order_acquire), CHR_PHASE_SPARE);
	ck_assert_int_eq(eventfd_id("self", STDIN_FILENO), -1);
	check_descriptors(process);
	chr_process_destroy(process);
}
END_TEST

/* Descriptors open in the supervisor. Spawning moves descriptors about in the child: none may be overwritten on the way, wherever
 * they come from. */
static const int open_counts[] = {10, 11, 12, 16, 24, 32, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 100, 128, 200};

START_TEST(test_process_descriptors)
{
	fill(open_counts[_i], "/dev/null");
	struct chr_process *process = spawned_start(&spawn);
	ck_assert_int_ge(process->slot_fd, open_counts[_i]);
	check_descriptors(process);
	chr_process_destroy(process);
}
END_TEST

/* Sources that stand low, high, and in the places of the targets themselves, in every mixture a moving window gives. */
START_TEST(test_process_scattered_descriptors)
{
	const int places[CHR_LANES] = {3 + _i, 14 - _i};
	int parked[CHR_LANES];
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		parked[lane] = fcntl(spawn.board_fd[lane], F_DUPFD_CLOEXEC, 100);
		ck_assert_int_ge(parked[lane], 100);
		close(spawn.board_fd[lane]);
	}
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		/* whatever Check keeps open stays open */
		spawn.board_fd[lane] = fcntl(parked[lane], F_DUPFD_CLOEXEC, places[lane]);
		ck_assert_int_ge(spawn.board_fd[lane], 0);
		close(parked[lane]);
	}
	struct chr_process *process = spawned_start(&spawn);
	check_descriptors(process);
	chr_process_destroy(process);
}
END_TEST

/* libjack's sockets are not close-on-exec: a child that kept one would keep a dead client alive. */
START_TEST(test_process_inherits_nothing_else)
{
	char file[] = "/tmp/chronus-inherit-XXXXXX";
	int marker = mkstemp(file);
	ck_assert_int_ge(marker, 0);
	fill(40, file);
	struct chr_process *process = spawned_start(&spawn);
	for (int fd = 0; fd < OPEN_MAX_HERE; fd++)
		ck_assert_msg(!same_file(marker, process->pid, fd), "descriptor %d came along", fd);
	chr_process_destroy(process);
	close(marker);
	unlink(file);
}
END_TEST

START_TEST(test_process_signal)
{
	struct chr_process *process = spawned_start(&spawn);
	siginfo_t info;
	int status;
	ck_assert(!chr_process_reap(process, &status));
	chr_process_signal(process, SIGSTOP);
	ck_assert_int_eq(waitid(P_PID, (id_t)process->pid, &info, WSTOPPED), 0);
	ck_assert_int_eq(info.si_status, SIGSTOP);
	chr_process_signal(process, SIGKILL);
	spawned_wait_end(process);
	pid_t pid = process->pid;
	ck_assert(chr_process_reap(process, &status));
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ck_assert_int_eq(process->pid, 0);
	ck_assert_int_eq(process->born_pid, pid);
	/* nobody to signal any more, and nobody else gets it */
	chr_process_signal(process, SIGKILL);
	ck_assert(chr_process_reap(process, &status));
	chr_process_destroy(process);
}
END_TEST

static unsigned long long signals_of(pid_t pid, const char *which)
{
	char path[32], line[128];
	unsigned long long set = ~0ull;
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	FILE *status = fopen(path, "r");
	ck_assert_ptr_nonnull(status);
	while (fgets(line, sizeof line, status))
		if (!strncmp(line, which, strlen(which)))
			set = strtoull(line + strlen(which) + 1, NULL, 16);
	fclose(status);
	return set;
}

/* The supervisor blocks the signals it reads from a signalfd, and ignores some: nothing of that is handed down. A program that sets nothing
 * itself shows it: cat, waiting for input. */
START_TEST(test_process_clean_signals)
{
	sigset_t all;
	int input[2];
	ck_assert_int_eq(pipe(input), 0);
	ck_assert_int_eq(dup2(input[0], STDIN_FILENO), STDIN_FILENO);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	snprintf(spawn.program, sizeof spawn.program, "/bin/cat");
	struct chr_process *process = chr_process_spawn(&spawn);
	ck_assert_ptr_nonnull(process);
	ck_assert_uint_eq(signals_of(process->pid, "SigBlk"), 0);
	/* the two of libc's own aside, which it ignores for itself */
	ck_assert_uint_eq(signals_of(process->pid, "SigIgn") & 0x7fffffff, 0);
	chr_process_destroy(process);
	close(input[0]);
	close(input[1]);
}
END_TEST

/* Told to end, it ends in order. */
START_TEST(test_process_terminates)
{
	struct chr_process *process = spawned_start(&spawn);
	int status;
	chr_process_signal(process, SIGTERM);
	spawned_wait_end(process);
	ck_assert(chr_process_reap(process, &status));
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	chr_process_destroy(process);
}
END_TEST

START_TEST(test_process_orders)
{
	struct chr_process *process = spawned_start(&spawn);
	struct chr_event report = {0};
	int status;
	chr_wake_clear(process->from_main);
	snprintf(process->slot->order.file, sizeof process->slot->order.file, "%s", CHR_BUILD "/modules/sine.so");
	ck_assert(chr_process_order(process, CHR_ORDER_LOAD));
	ck_assert(spawned_readable(process->from_main, SPAWNED_WAIT_MS));
	ck_assert_uint_eq(chr_ring_read(&process->slot->from_main, &report, 1), 1);
	ck_assert_uint_eq(report.kind, CHR_REPORT_LOADED);
	ck_assert_str_eq(process->slot->descriptor.name, "sine");
	ck_assert(chr_process_order(process, CHR_ORDER_EXIT));
	spawned_wait_end(process);
	ck_assert(chr_process_reap(process, &status));
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	chr_process_destroy(process);
}
END_TEST

/* The rings of a process that does not read them fill up, and say so. */
START_TEST(test_process_full_rings)
{
	struct chr_process *body = body_create();
	const struct chr_event event = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_PUBLISH, .count = 7};
	struct chr_event got;
	for (unsigned i = 0; i < CHR_RING_EVENTS; i++)
		ck_assert(chr_process_order(body, CHR_ORDER_TWIN) && chr_process_request(body, &event));
	ck_assert(!chr_process_order(body, CHR_ORDER_TWIN));
	ck_assert(!chr_process_request(body, &event));
	ck_assert_uint_eq(chr_ring_read(&body->slot->to_audio, &got, 1), 1);
	ck_assert_mem_eq(&got, &event, sizeof got);
	ck_assert_uint_eq(chr_ring_read(&body->slot->to_main, &got, 1), 1);
	ck_assert_uint_eq(got.kind, CHR_ORDER_TWIN);
	ck_assert_uint_eq(got.version, CHR_EVENT_VERSION);
	body_destroy(body);
}
END_TEST

/* However far a process has come, nothing of it stays. */
START_TEST(test_process_destroy_leaves_nothing)
{
	struct held before = held_now();
	int status;
	for (int i = 0; i < 5; i++) {
		chr_process_destroy(chr_process_spawn(&spawn));
		chr_process_destroy(spawned_start(&spawn));
		struct chr_process *process = spawned_start(&spawn);
		chr_process_signal(process, SIGSTOP);
		chr_process_destroy(process);
		process = spawned_start(&spawn);
		process->jack_fd = open("/dev/null", O_RDONLY);
		chr_process_signal(process, SIGKILL);
		spawned_wait_end(process);
		if (i % 2)
			ck_assert(chr_process_reap(process, &status));
		chr_process_destroy(process);
		held_assert_same(before);
	}
}
END_TEST

START_TEST(test_process_no_program)
{
	struct held before = held_now();
	struct chr_spawn wrong = spawn;
	snprintf(wrong.program, sizeof wrong.program, "/nonexistent/chronus-module");
	errno = 0;
	ck_assert_ptr_null(chr_process_spawn(&wrong));
	ck_assert_int_eq(errno, ENOENT);
	wrong.board_fd[1] = 1000;
	ck_assert_ptr_null(chr_process_spawn(&wrong));
	held_assert_same(before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("process");
	TCase *tcase = tcase_create("process");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_process_says_hello);
	tcase_add_loop_test(tcase, test_process_descriptors, 0, sizeof open_counts / sizeof open_counts[0]);
	tcase_add_loop_test(tcase, test_process_scattered_descriptors, 0, 12);
	tcase_add_test(tcase, test_process_inherits_nothing_else);
	tcase_add_test(tcase, test_process_signal);
	tcase_add_test(tcase, test_process_clean_signals);
	tcase_add_test(tcase, test_process_terminates);
	tcase_add_test(tcase, test_process_orders);
	tcase_add_test(tcase, test_process_full_rings);
	tcase_add_test(tcase, test_process_destroy_leaves_nothing);
	tcase_add_test(tcase, test_process_no_program);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
