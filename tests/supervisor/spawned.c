#include "tests/supervisor/spawned.h"

#include "common/choice.h"

#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct chr_spawn spawned_setup(void)
{
	struct chr_spawn spawn = {.program = CHR_BUILD "/chronus-module"};
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		struct chr_board *board = chr_board_create(&spawn.board_fd[lane]);
		ck_assert_ptr_nonnull(board);
		chr_board_unmap(board);
	}
	struct chr_choice *choice = chr_choice_create(&spawn.choice_fd);
	ck_assert_ptr_nonnull(choice);
	chr_choice_unmap(choice);
	return spawn;
}

void spawned_teardown(const struct chr_spawn *spawn)
{
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		close(spawn->board_fd[lane]);
	close(spawn->choice_fd);
}

bool spawned_readable(int fd, int timeout_ms)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	return poll(&polled, 1, timeout_ms) == 1;
}

struct chr_process *spawned_start(const struct chr_spawn *spawn)
{
	struct chr_process *process = chr_process_spawn(spawn);
	struct chr_event report = {0};
	ck_assert_ptr_nonnull(process);
	ck_assert_msg(spawned_readable(process->from_main, SPAWNED_WAIT_MS), "process %d says nothing", process->pid);
	ck_assert_uint_eq(chr_ring_read(&process->slot->from_main, &report, 1), 1);
	ck_assert_uint_eq(report.kind, CHR_REPORT_HELLO);
	return process;
}

void spawned_wait_end(const struct chr_process *process)
{
	siginfo_t info;
	ck_assert_msg(spawned_readable(process->pidfd, SPAWNED_WAIT_MS), "process %d lives on", process->pid);
	ck_assert_int_eq(waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOWAIT), 0);
}

struct chr_process *body_create(void)
{
	struct chr_process *body = calloc(1, sizeof *body);
	ck_assert_ptr_nonnull(body);
	*body = (struct chr_process){.pidfd = -1, .socket = -1, .to_main = -1, .from_main = -1, .slot_fd = -1, .jack_fd = -1};
	body->slot = chr_slot_create(&body->slot_fd);
	ck_assert_ptr_nonnull(body->slot);
	ck_assert_int_eq(chr_slot_live(body->slot), 0);
	return body;
}

void body_destroy(struct chr_process *body)
{
	/* before its memory goes: it is in this thread's list of robust mutexes */
	pthread_mutex_unlock(&body->slot->alive);
	chr_process_destroy(body);
}

static unsigned entries(const char *folder)
{
	unsigned count = 0;
	DIR *dir = opendir(folder);
	ck_assert_ptr_nonnull(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static unsigned children(void)
{
	char path[64];
	unsigned count = 0;
	int pid;
	snprintf(path, sizeof path, "/proc/self/task/%d/children", gettid());
	FILE *list = fopen(path, "r");
	ck_assert_ptr_nonnull(list);
	while (fscanf(list, "%d", &pid) == 1)
		count++;
	fclose(list);
	return count;
}

struct held held_now(void)
{
	return (struct held){.fds = entries("/proc/self/fd"), .threads = entries("/proc/self/task"), .children = children()};
}

void held_assert_same(struct held before)
{
	struct held now = held_now();
	ck_assert_uint_eq(now.fds, before.fds);
	ck_assert_uint_eq(now.threads, before.threads);
	ck_assert_uint_eq(now.children, before.children);
}
