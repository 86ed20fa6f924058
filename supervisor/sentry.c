#include "supervisor/sentry.h"

#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SENTRY_PRIORITY   90 /* above every client: jackd -P70 gives them 65, PipeWire 88 */
#define WATCHDOG_LEAST_US 10000u
#define LOOK_MOST_US      20000u /* between two looks of the watchdog */
#define STACK_BYTES       65536u

/* A thread at the sentry's priority, or an ordinary one where realtime scheduling is not permitted. */
static int start_thread(struct chr_sentry *sentry, pthread_t *thread, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (sentry->priority) {
		pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
		pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
		pthread_attr_setschedparam(&attr, &(struct sched_param){.sched_priority = sentry->priority});
	}
	int rc = pthread_create(thread, &attr, run, arg);
	pthread_attr_destroy(&attr);
	if (rc == EPERM && sentry->priority) {
		sentry->priority = 0;
		return start_thread(sentry, thread, run, arg);
	}
	return -rc;
}

/* What cannot wait for the control thread. Under the lock. */
static void mark_death(struct chr_sentry *sentry, const struct chr_sentry_guard *guard)
{
	for (unsigned i = 0; i < CHR_LANES; i++)
		if (sentry->picker[i] && guard->lane >= 0)
			atomic_store_explicit(&sentry->picker[i]->broken[guard->lane], 1, memory_order_release);
}

static void *guard_run(void *arg)
{
	struct chr_sentry_guard *guard = arg;
	if (chr_slot_wait_death(guard->process->slot, &guard->stop) != 0)
		return NULL;
	uint64_t now = chr_monotonic_us();
	pthread_mutex_lock(&guard->sentry->lock);
	mark_death(guard->sentry, guard);
	if (guard->jack_fd >= 0)
		shutdown(guard->jack_fd, SHUT_RDWR);
	guard->pulse = NULL;
	pthread_mutex_unlock(&guard->sentry->lock);
	chr_inbox_put(guard->sentry->inbox, &(struct chr_post){.kind = CHR_POST_DEATH, .process = guard->process, .time_us = now});
	return NULL;
}

/* Is the process stopped (by a signal or a tracer)? Reads one line of /proc. */
static bool stopped(pid_t pid)
{
	char path[32], text[512];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t got = read(fd, text, sizeof text - 1);
	close(fd);
	if (got <= 0)
		return false;
	text[got] = 0;
	const char *end = strrchr(text, ')');
	return end && end[1] == ' ' && (end[2] == 'T' || end[2] == 't');
}

/* How long a pulse may stand still. */
static uint64_t patience_us(const struct chr_sentry *sentry)
{
	uint64_t wait = (uint64_t)sentry->watchdog_periods * atomic_load_explicit(&sentry->period_us, memory_order_relaxed);
	return wait < WATCHDOG_LEAST_US ? WATCHDOG_LEAST_US : wait;
}

/* Has the pulse stood still for too many cycles of a server that goes on? */
static bool stands_still(struct chr_sentry *sentry, struct chr_sentry_guard *guard, uint32_t server, uint64_t now)
{
	uint32_t done = atomic_load_explicit(&guard->pulse->cycles, memory_order_acquire);
	if (done != guard->pulse_seen) {
		guard->pulse_seen = done;
		guard->server_seen = server;
		guard->moved_us = now;
		return false;
	}
	return server - guard->server_seen >= sentry->watchdog_periods && now - guard->moved_us >= patience_us(sentry);
}

/* Downstream of a hanging module nothing runs either: only who is inside a cycle, or stopped, is to blame. */
static bool to_blame(const struct chr_sentry_guard *guard)
{
	uint32_t entered = atomic_load_explicit(&guard->pulse->entered, memory_order_acquire);
	uint64_t frames = atomic_load_explicit(&guard->pulse->frames, memory_order_acquire);
	return entered != (uint32_t)frames || stopped(guard->process->born_pid);
}

static void look(struct chr_sentry *sentry, struct chr_sentry_guard *guard, uint32_t server, uint64_t now)
{
	if (!guard->pulse || guard->killed || !stands_still(sentry, guard, server, now) || !to_blame(guard))
		return;
	guard->killed = true;
	mark_death(sentry, guard);
	chr_inbox_put(sentry->inbox, &(struct chr_post){.kind = CHR_POST_HANG,
							.process = guard->process,
							.value = (int64_t)(now - guard->moved_us),
							.time_us = now});
	chr_process_signal(guard->process, SIGKILL);
}

static void *watchdog_run(void *arg)
{
	struct chr_sentry *sentry = arg;
	while (!atomic_load_explicit(&sentry->stop, memory_order_acquire)) {
		/* often enough to add little to the patience; each look costs as much as a module's cycle */
		uint64_t tick = patience_us(sentry) / 4;
		if (tick > LOOK_MOST_US || !atomic_load_explicit(&sentry->period_us, memory_order_relaxed))
			tick = LOOK_MOST_US;
		nanosleep(&(struct timespec){.tv_nsec = (long)tick * 1000}, NULL);
		pthread_mutex_lock(&sentry->lock);
		/* under the lock: not older than what a guard was given when it was last watched */
		uint64_t now = chr_monotonic_us();
		uint32_t server = atomic_load_explicit(sentry->server_cycles, memory_order_acquire);
		/* asked again: the server may have gone during the sleep */
		bool runs = atomic_load_explicit(&sentry->period_us, memory_order_relaxed) != 0;
		for (unsigned i = 0; runs && i < sentry->count; i++)
			look(sentry, sentry->guard[i], server, now);
		pthread_mutex_unlock(&sentry->lock);
	}
	return NULL;
}

int chr_sentry_init(struct chr_sentry *sentry, struct chr_inbox *inbox, const _Atomic uint32_t *server_cycles,
		    unsigned watchdog_periods)
{
	*sentry = (struct chr_sentry){
		.inbox = inbox, .priority = SENTRY_PRIORITY, .server_cycles = server_cycles, .watchdog_periods = watchdog_periods};
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&sentry->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	int rc = start_thread(sentry, &sentry->watchdog, watchdog_run, sentry);
	if (rc)
		pthread_mutex_destroy(&sentry->lock);
	return rc;
}

void chr_sentry_finish(struct chr_sentry *sentry)
{
	atomic_store_explicit(&sentry->stop, true, memory_order_release);
	pthread_join(sentry->watchdog, NULL);
	pthread_mutex_destroy(&sentry->lock);
}

int chr_sentry_add(struct chr_sentry *sentry, struct chr_process *process)
{
	if (sentry->count == CHR_SENTRY_GUARDS)
		return -ENOSPC;
	struct chr_sentry_guard *guard = malloc(sizeof *guard);
	if (!guard)
		return -ENOMEM;
	*guard = (struct chr_sentry_guard){.sentry = sentry, .process = process, .jack_fd = -1, .lane = -1};
	int rc = start_thread(sentry, &guard->thread, guard_run, guard);
	if (rc) {
		free(guard);
		return rc;
	}
	process->guard = guard;
	pthread_mutex_lock(&sentry->lock);
	sentry->guard[sentry->count++] = guard;
	pthread_mutex_unlock(&sentry->lock);
	return 0;
}

void chr_sentry_remove(struct chr_sentry *sentry, struct chr_process *process)
{
	struct chr_sentry_guard *guard = process->guard;
	if (!guard)
		return;
	process->guard = NULL;
	pthread_mutex_lock(&sentry->lock);
	for (unsigned i = 0; i < sentry->count; i++)
		if (sentry->guard[i] == guard) {
			sentry->guard[i] = sentry->guard[--sentry->count];
			break;
		}
	for (unsigned i = 0; i < CHR_LANES; i++)
		if (sentry->picker[i] == &process->slot->picker)
			sentry->picker[i] = NULL;
	pthread_mutex_unlock(&sentry->lock);
	atomic_store_explicit(&guard->stop, 1, memory_order_release);
	chr_slot_wake_guard(process->slot);
	pthread_join(guard->thread, NULL);
	if (guard->jack_fd >= 0)
		close(guard->jack_fd);
	free(guard);
}

void chr_sentry_set_jack(struct chr_sentry *sentry, struct chr_process *process, int jack_fd)
{
	if (!process->guard)
		return;
	int fd = jack_fd < 0 ? -1 : fcntl(jack_fd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_lock(&sentry->lock);
	int old = process->guard->jack_fd;
	process->guard->jack_fd = fd;
	pthread_mutex_unlock(&sentry->lock);
	if (old >= 0)
		close(old);
}

void chr_sentry_set_out(struct chr_sentry *sentry, struct chr_process *process, unsigned lane)
{
	if (!process->guard)
		return;
	pthread_mutex_lock(&sentry->lock);
	sentry->picker[lane] = &process->slot->picker;
	pthread_mutex_unlock(&sentry->lock);
}

void chr_sentry_watch(struct chr_sentry *sentry, struct chr_process *process, const struct chr_pulse *pulse, int lane)
{
	struct chr_sentry_guard *guard = process->guard;
	if (!guard)
		return;
	pthread_mutex_lock(&sentry->lock);
	guard->lane = lane;
	guard->pulse = pulse;
	guard->moved_us = chr_monotonic_us();
	guard->server_seen = atomic_load_explicit(sentry->server_cycles, memory_order_acquire);
	guard->pulse_seen = pulse ? atomic_load_explicit(&pulse->cycles, memory_order_acquire) : 0;
	pthread_mutex_unlock(&sentry->lock);
}

void chr_sentry_set_period(struct chr_sentry *sentry, uint32_t period_us)
{
	pthread_mutex_lock(&sentry->lock);
	atomic_store_explicit(&sentry->period_us, period_us, memory_order_relaxed);
	pthread_mutex_unlock(&sentry->lock);
}
