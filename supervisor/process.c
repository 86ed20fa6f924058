#include "supervisor/process.h"

#include "common/touch.h"
#include "common/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptors pass first to places above all sources and targets, so that no dup2 overwrites one that is still to be passed. */
static int map_descriptors(posix_spawn_file_actions_t *actions, const int source[], int count)
{
	int rc = 0, clear = CHR_FD_SLOT + count;
	for (int i = 0; i < count; i++)
		if (source[i] >= clear)
			clear = source[i] + 1;
	for (int i = 0; i < count && !rc; i++)
		rc = posix_spawn_file_actions_adddup2(actions, source[i], clear + i);
	for (int i = 0; i < count && !rc; i++)
		rc = posix_spawn_file_actions_adddup2(actions, clear + i, CHR_FD_SLOT + i);
	if (!rc)
		rc = posix_spawn_file_actions_addclosefrom_np(actions, CHR_FD_SLOT + count);
	return -rc;
}

/* The supervisor blocks the signals that it reads from a signalfd; a module starts with none blocked and default actions. */
static int clean_signals(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	int rc = posix_spawnattr_setsigmask(attr, &none);
	if (!rc)
		rc = posix_spawnattr_setsigdefault(attr, &all);
	if (!rc)
		rc = posix_spawnattr_setschedpolicy(attr, SCHED_OTHER);
	if (!rc)
		rc = posix_spawnattr_setschedparam(attr, &(struct sched_param){0});
	if (!rc)
		rc = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSCHEDULER);
	return -rc;
}

static int start(struct chr_process *process, const struct chr_spawn *with, int far_socket)
{
	const int source[] = {process->slot_fd,  process->to_main,  process->from_main, far_socket,
			      with->board_fd[0], with->board_fd[1], with->choice_fd};
	char *argv[] = {(char *)"chronus-module", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	int rc = map_descriptors(&actions, source, CHR_FD_FIRST_FREE - CHR_FD_SLOT);
	if (!rc)
		rc = clean_signals(&attr);
	if (!rc)
		rc = -posix_spawn(&process->pid, with->program, &actions, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		return rc;
	process->born_pid = process->pid;
	process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	return process->pidfd < 0 ? -errno : 0;
}

struct chr_process *chr_process_spawn(const struct chr_spawn *with)
{
	struct chr_process *process = malloc(sizeof *process);
	if (!process)
		return NULL;
	*process = (struct chr_process){.pidfd = -1, .socket = -1, .to_main = -1, .from_main = -1, .slot_fd = -1, .jack_fd = -1};
	int pair[2] = {-1, -1}, rc = -ENOMEM;
	process->slot = chr_slot_create(&process->slot_fd);
	if (!process->slot) {
		rc = -errno;
		goto fail;
	}
	/* the first orders and events are written within microseconds: no page fault then */
	chr_touch(process->slot, offsetof(struct chr_slot, snapshot), true);
	process->to_main = chr_wake_create();
	process->from_main = chr_wake_create();
	if (process->to_main < 0 || process->from_main < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair)) {
		rc = -errno;
		goto fail;
	}
	process->socket = pair[0];
	rc = start(process, with, pair[1]);
	close(pair[1]);
	if (rc)
		goto fail;
	return process;
fail:
	chr_process_destroy(process);
	errno = -rc;
	return NULL;
}

static void close_if(int fd)
{
	if (fd >= 0)
		close(fd);
}

void chr_process_destroy(struct chr_process *process)
{
	if (process->pid > 0) {
		kill(process->pid, SIGKILL);
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_if(process->pidfd);
	close_if(process->socket);
	close_if(process->to_main);
	close_if(process->from_main);
	close_if(process->slot_fd);
	close_if(process->jack_fd);
	if (process->slot)
		chr_slot_unmap(process->slot);
	free(process);
}

bool chr_process_reap(struct chr_process *process, int *status)
{
	if (process->pid > 0 && waitpid(process->pid, status, WNOHANG) == process->pid)
		process->pid = 0;
	return process->pid == 0;
}

void chr_process_signal(const struct chr_process *process, int sig)
{
	syscall(SYS_pidfd_send_signal, process->pidfd, sig, NULL, 0);
}

bool chr_process_orders(struct chr_process *process, const unsigned kind[], unsigned count)
{
	bool fitted = true;
	for (unsigned i = 0; i < count; i++) {
		const struct chr_event order = {.version = CHR_EVENT_VERSION, .kind = (uint16_t)kind[i]};
		fitted &= chr_ring_write(&process->slot->to_main, &order, 1) == 1;
	}
	chr_wake(process->to_main);
	return fitted;
}

bool chr_process_order(struct chr_process *process, unsigned kind)
{
	return chr_process_orders(process, &kind, 1);
}

bool chr_process_request(struct chr_process *process, const struct chr_event *event)
{
	return chr_ring_write(&process->slot->to_audio, event, 1) == 1;
}
