/* The sentry: sees deaths within microseconds and ends what hangs.
 *
 * Each module process has a guard, a small thread blocked on the word of the process's robust mutex, which the kernel releases at
 * the very start of process exit. When it wakes it marks the victim's lane broken, shuts the victim's JACK socket down (jackd then removes the client
 * at once instead of at the end of a teardown of milliseconds), and posts the death. One watchdog thread compares pulses with the
 * server's cycles and kills a module that entered a cycle and does not leave it, or that is stopped. All of them run at SCHED_FIFO above
 * JACK's clients where that is permitted.
 */
#ifndef CHR_SUPERVISOR_SENTRY_H
#define CHR_SUPERVISOR_SENTRY_H

#include "common/board.h"
#include "supervisor/inbox.h"
#include "supervisor/process.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CHR_SENTRY_GUARDS 300

struct chr_sentry;

struct chr_sentry_guard {
	struct chr_sentry *sentry;
	struct chr_process *process;
	pthread_t thread;
	_Atomic int stop;
	/* under the sentry's lock: */
	int jack_fd;                   /* its own duplicate; -1 */
	int lane;                      /* marked broken on death; -1: none */
	const struct chr_pulse *pulse; /* NULL: not watched */
	uint32_t pulse_seen;           /* cycles completed when last looked at */
	uint32_t server_seen;          /* server cycles when `pulse_seen` last changed */
	uint64_t moved_us;             /* and the time */
	bool killed;                   /* by the watchdog */
};

struct chr_sentry {
	pthread_mutex_t lock;
	struct chr_inbox *inbox;
	struct chr_sentry_guard *guard[CHR_SENTRY_GUARDS];
	unsigned count;
	int priority; /* SCHED_FIFO; 0: not permitted */
	pthread_t watchdog;
	_Atomic bool stop;
	struct chr_slot_picker *picker[CHR_LANES]; /* of the outs of both lanes; NULL: it does not run */
	const _Atomic uint32_t *server_cycles;     /* counts JACK cycles, whoever hangs */
	_Atomic uint32_t period_us;                /* 0: no server */
	unsigned watchdog_periods;
};

/* Starts the watchdog. 0 or -errno. */
int chr_sentry_init(struct chr_sentry *sentry, struct chr_inbox *inbox, const _Atomic uint32_t *server_cycles,
		    unsigned watchdog_periods);
/* After every guard was removed. */
void chr_sentry_finish(struct chr_sentry *sentry);

/* Guards a process that has said hello. 0 or -errno. Control thread, like all below. */
int chr_sentry_add(struct chr_sentry *sentry, struct chr_process *process);
void chr_sentry_remove(struct chr_sentry *sentry, struct chr_process *process);

/* The process has its JACK client: `jack_fd` (duplicated here) is shut down on its death. -1: none. */
void chr_sentry_set_jack(struct chr_sentry *sentry, struct chr_process *process, int jack_fd);

/* From now on the process's pulse is watched, and its death marks `lane` (-1: none) broken. */
void chr_sentry_watch(struct chr_sentry *sentry, struct chr_process *process, const struct chr_pulse *pulse, int lane);

/* The process is the `out` of that lane: the picker in its slot is written to when others die. Forgotten when the process is removed. */
void chr_sentry_set_out(struct chr_sentry *sentry, struct chr_process *process, unsigned lane);

/* The period of the JACK server (us); 0: there is none, nothing hangs. */
void chr_sentry_set_period(struct chr_sentry *sentry, uint32_t period_us);

#endif
