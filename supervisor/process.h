/* One module process as the supervisor holds it: pid, slot, wake-ups and its JACK socket.
 *
 * Made by the graph thread (spawning may block for a millisecond), then owned by the control thread until it is destroyed.
 */
#ifndef CHR_SUPERVISOR_PROCESS_H
#define CHR_SUPERVISOR_PROCESS_H

#include "common/slot.h"
#include "supervisor/poller.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct chr_sentry_guard;
struct chr_conductor;

struct chr_process {
	pid_t pid;
	pid_t born_pid; /* the same, and still that once it is reaped and `pid` is 0 */
	int pidfd;
	int socket;    /* AF_UNIX: descriptors pass here */
	int to_main;   /* eventfd */
	int from_main; /* eventfd */
	int slot_fd;
	struct chr_slot *slot;
	int jack_fd; /* our duplicate of its JACK socket; -1: none. The sentry closes over its own duplicate */
	struct chr_conductor *conductor;
	bool hello; /* has said that it is up */
	bool dying; /* its death was seen or ordered */
	bool told;  /* to end, by SIGTERM */
	struct chr_sentry_guard *guard;
	struct chr_poll reports; /* from_main */
	struct chr_poll exited;  /* pidfd */
};

/* What every module process inherits. */
struct chr_spawn {
	char program[CHR_PATH_BYTES]; /* chronus-module */
	int board_fd[CHR_LANES];
	int choice_fd;
};

/* Makes a slot and starts a process that waits for orders. NULL with errno. Any thread; blocks for about a millisecond. */
struct chr_process *chr_process_spawn(const struct chr_spawn *with);

/* Ends what is left: kills (SIGKILL) and reaps if it still runs, closes and unmaps everything. */
void chr_process_destroy(struct chr_process *process);

/* Reaps without waiting. True when it is gone; its wait status is then in *status. */
bool chr_process_reap(struct chr_process *process, int *status);

/* Sends a signal through the pidfd: never to another process with the same pid. */
void chr_process_signal(const struct chr_process *process, int sig);

/* Puts an order (enum chr_event_kind) into the main thread's ring and wakes it. False when the ring is full. Control thread. */
bool chr_process_order(struct chr_process *process, unsigned kind);

/* The same for several orders at once, in their order. */
bool chr_process_orders(struct chr_process *process, const unsigned kind[], unsigned count);

/* Puts an event for the audio thread past the feed: requests of the supervisor itself. False when the ring is full. */
bool chr_process_request(struct chr_process *process, const struct chr_event *event);

#endif
