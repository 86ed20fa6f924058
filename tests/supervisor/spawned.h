/* Module processes for the supervisor's tests: real ones, and bodies without a process. */
#ifndef CHR_TESTS_SPAWNED_H
#define CHR_TESTS_SPAWNED_H

#include "supervisor/process.h"

#include <stdbool.h>

#define SPAWNED_WAIT_MS 10000 /* for anything that is sure to come */

/* What module processes inherit, with boards of its own. Ends the test when that fails. */
struct chr_spawn spawned_setup(void);
void spawned_teardown(const struct chr_spawn *spawn);

/* A process that has said hello. */
struct chr_process *spawned_start(const struct chr_spawn *spawn);

/* Is the descriptor readable within that time? */
bool spawned_readable(int fd, int timeout_ms);

/* Waits until the process has ended, leaving it to be reaped. */
void spawned_wait_end(const struct chr_process *process);

/* A slot that the caller's thread lives for, and no process: it dies by chr_slot_crashed(). Release with body_destroy(). */
struct chr_process *body_create(void);
void body_destroy(struct chr_process *body);

/* Descriptors, threads and children, dead or alive, of this process. */
struct held {
	unsigned fds, threads, children;
};
struct held held_now(void);
void held_assert_same(struct held before);

#endif
