/* The processes that live: their reports, their ends, the spares among them. */
#include "common/clock.h"
#include "common/log.h"
#include "common/wake.h"
#include "supervisor/conductor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* until a process that was told to end is killed */
#ifdef __SANITIZE_ADDRESS__
#define POLITE_US 3000000u /* with a search for leaks: see engine/ending.h */
#else
#define POLITE_US 300000u
#endif

/* Clients that leave the JACK server at once. jackd lets them go one by one, in two cycles each or more, and a module whose turn does not come within
 * CHR_ENDING_MS ends without. Such a client is an xrun of every cycle until its turn has come; of many of them jackd is told so much that a pipe of its own
 * fills up, its cycles stop, and each that is still to leave holds it up for five seconds. */
#define LEAVERS 4u

#define TELL_US 1000000u /* between two words on how far the end is */

static bool lives(const struct chr_conductor *conductor, const struct chr_process *process)
{
	for (unsigned i = 0; i < conductor->process_count; i++)
		if (conductor->process[i] == process)
			return true;
	return false;
}

static void forget_spare(struct chr_conductor *conductor, const struct chr_process *process)
{
	for (unsigned i = 0; i < conductor->spare_count; i++)
		if (conductor->spare[i] == process) {
			memmove(&conductor->spare[i], &conductor->spare[i + 1],
				(conductor->spare_count - i - 1) * sizeof(struct chr_process *));
			conductor->spare_count--;
			return;
		}
}

struct chr_process *chr_processes_take_spare(struct chr_conductor *conductor)
{
	if (!conductor->spare_count)
		return NULL;
	struct chr_process *process = conductor->spare[0];
	forget_spare(conductor, process);
	return process;
}

static bool is_client(struct chr_conductor *conductor, const struct chr_process *process)
{
	struct chr_unit *unit;
	struct chr_instance *instance;
	return chr_instances_of(conductor, process, &unit, &instance);
}

static unsigned leaving(struct chr_conductor *conductor)
{
	unsigned count = 0;
	for (unsigned i = 0; i < conductor->process_count; i++)
		count += conductor->process[i]->told && is_client(conductor, conductor->process[i]);
	return count;
}

bool chr_processes_may_leave(struct chr_conductor *conductor, unsigned count)
{
	return leaving(conductor) + count <= LEAVERS;
}

void chr_processes_tell(struct chr_process *process)
{
	process->told = true;
	chr_process_signal(process, SIGTERM);
	chr_process_signal(process, SIGCONT);
}

static void take_hello(struct chr_conductor *conductor, struct chr_process *process)
{
	if (process->hello || process->dying)
		return;
	process->hello = true;
	int rc = chr_sentry_add(&conductor->sentry, process);
	if (rc)
		chr_warn("no guard for process %d (%s): its death will be seen milliseconds later", process->pid, strerror(-rc));
	conductor->spare[conductor->spare_count++] = process;
	chr_instances_fill(conductor);
}

static void take_failure(struct chr_conductor *conductor, struct chr_process *process)
{
	struct chr_unit *unit;
	struct chr_instance *instance;
	if (conductor->quitting || !chr_instances_of(conductor, process, &unit, &instance))
		return;
	char text[CHR_TEXT_MAX];
	memcpy(text, process->slot->report.text, sizeof text);
	text[sizeof text - 1] = 0;
	snprintf(instance->fault.cause, sizeof instance->fault.cause, "could not start: %.60s", text);
	chr_error("%s: %s", instance->client, text);
	chr_process_signal(process, SIGKILL);
	chr_start_failed(conductor, instance, text);
}

static void take_ready(struct chr_conductor *conductor, struct chr_process *process)
{
	unsigned char tag = 0;
	int fd = chr_fd_receive(process->socket, &tag);
	if (fd >= 0 && tag == CHR_FD_TAG_JACK && process->jack_fd < 0) {
		process->jack_fd = fd;
		chr_sentry_set_jack(&conductor->sentry, process, fd);
	} else {
		chr_debug("process %d: no JACK socket came (%d)", process->pid, fd);
		if (fd >= 0)
			close(fd);
	}
	chr_instances_ready(conductor, process);
}

static void on_report(void *self)
{
	struct chr_process *process = self;
	struct chr_conductor *conductor = process->conductor;
	chr_wake_clear(process->from_main);
	struct chr_event report;
	/* no more than a ring holds: one that never stops reporting must not keep the control thread */
	for (unsigned i = 0; i < CHR_RING_EVENTS && chr_ring_read(&process->slot->from_main, &report, 1); i++) {
		if (chr_swap_report(conductor, process, report.kind))
			continue;
		switch (report.kind) {
		case CHR_REPORT_HELLO:
			take_hello(conductor, process);
			break;
		case CHR_REPORT_READY:
			take_ready(conductor, process);
			break;
		case CHR_REPORT_FAILED:
			take_failure(conductor, process);
			break;
		default:
			break;
		}
	}
}

static void on_exit_seen(void *self)
{
	struct chr_process *process = self;
	struct chr_conductor *conductor = process->conductor;
	int status = 0;
	if (!chr_process_reap(process, &status))
		return;
	uint64_t now = chr_monotonic_us();
	chr_debug("process %d ended, status 0x%x%s", process->born_pid, (unsigned)status, process->dying ? "" : ", unannounced");
	chr_poller_remove(&conductor->poller, &process->reports);
	chr_poller_remove(&conductor->poller, &process->exited);
	chr_sentry_remove(&conductor->sentry, process);
	/* its guard is gone: what it posted is in the inbox, and nothing more comes */
	chr_conductor_take_posts(conductor);
	if (!process->dying)
		chr_instances_died(conductor, process, now);
	chr_instances_reaped(conductor, process, status);
	forget_spare(conductor, process);
	for (unsigned i = 0; i < conductor->process_count; i++)
		if (conductor->process[i] == process) {
			conductor->process[i] = conductor->process[--conductor->process_count];
			break;
		}
	chr_process_destroy(process);
}

void chr_processes_add(struct chr_conductor *conductor, struct chr_process *process)
{
	process->conductor = conductor;
	process->reports = (struct chr_poll){.fd = process->from_main, .ready = on_report, .self = process};
	process->exited = (struct chr_poll){.fd = process->pidfd, .ready = on_exit_seen, .self = process};
	if (conductor->process_count == CHR_PROCESSES_MAX || chr_poller_add(&conductor->poller, &process->reports) ||
	    chr_poller_add(&conductor->poller, &process->exited)) {
		chr_error("cannot watch process %d: it is ended", process->pid);
		chr_process_destroy(process);
		return;
	}
	conductor->process[conductor->process_count++] = process;
}

static void tell_unspawned(struct chr_conductor *conductor, int error)
{
	unsigned count = chr_repeat_tell(&conductor->unspawned, chr_monotonic_us());
	if (count)
		chr_error("cannot start a module process: %s%s", strerror(error), chr_repeat_times(count));
}

static void take_post(struct chr_conductor *conductor, const struct chr_post *post)
{
	struct chr_unit *unit;
	struct chr_instance *instance;
	switch (post->kind) {
	case CHR_POST_DEATH:
		if (lives(conductor, post->process))
			chr_instances_died(conductor, post->process, post->time_us);
		break;
	case CHR_POST_HANG:
		if (lives(conductor, post->process) && chr_instances_of(conductor, post->process, &unit, &instance)) {
			instance->fault.hang = true;
			instance->fault.slow_us = (uint64_t)post->value;
		}
		break;
	case CHR_POST_SPAWNED:
		conductor->spawning -= conductor->spawning > 0;
		if (post->process)
			chr_processes_add(conductor, post->process);
		else
			tell_unspawned(conductor, (int)-post->value);
		break;
	case CHR_POST_WIRED:
		chr_instances_wired(conductor, post->value);
		break;
	case CHR_POST_EDGE_DRAWN:
	case CHR_POST_EDGE_VANISHED:
	case CHR_POST_EDGE_BACK:
		chr_edit_drawn(conductor, post);
		break;
	case CHR_POST_JOB:
		chr_edit_tick(conductor);
		break;
	case CHR_POST_SERVER_UP:
		chr_conductor_server_up(conductor);
		break;
	case CHR_POST_SERVER_LOST:
		chr_conductor_server_lost(conductor);
		break;
	case CHR_POST_PERIOD:
		chr_conductor_set_period(conductor);
		break;
	}
}

void chr_conductor_take_posts(struct chr_conductor *conductor)
{
	struct chr_post post;
	while (chr_inbox_take(&conductor->inbox, &post))
		take_post(conductor, &post);
}

static void tell_next(struct chr_conductor *conductor)
{
	unsigned count = leaving(conductor);
	for (unsigned i = 0; i < conductor->process_count; i++) {
		struct chr_process *process = conductor->process[i];
		bool client = is_client(conductor, process);
		if (process->told || (client && count >= LEAVERS))
			continue;
		count += client;
		chr_processes_tell(process);
	}
}

void chr_processes_end_all(struct chr_conductor *conductor)
{
	unsigned all = conductor->process_count;
	uint64_t told_us = chr_monotonic_us(), deadline = told_us + POLITE_US;
	while (conductor->process_count && chr_monotonic_us() < deadline) {
		unsigned before = conductor->process_count;
		tell_next(conductor);
		chr_poller_wait(&conductor->poller, 10);
		uint64_t now = chr_monotonic_us();
		if (conductor->process_count < before)
			deadline = now + POLITE_US;
		if (now - told_us >= TELL_US) {
			chr_info("ending: %u of %u processes are left", conductor->process_count, all);
			told_us = now;
		}
	}
	for (unsigned i = 0; i < conductor->process_count; i++)
		chr_process_signal(conductor->process[i], SIGKILL);
	deadline = chr_monotonic_us() + POLITE_US;
	while (conductor->process_count && chr_monotonic_us() < deadline)
		chr_poller_wait(&conductor->poller, 10);
	chr_conductor_take_posts(conductor);
}
