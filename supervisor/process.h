/* One module process as the supervisor holds it: pid, slot, wake-ups, and the guard that sees its death first.
 *
 * Made by the graph thread (spawning may block for a millisecond), then owned by the control thread until it is reaped.
 */
#ifndef CHR_SUPERVISOR_PROCESS_H
#define CHR_SUPERVISOR_PROCESS_H

#include "common/slot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct chr_process {
	pid_t pid;
	int pidfd;
	int socket;          /* AF_UNIX: descriptors pass here */
	int to_main;         /* eventfd */
	int from_main;       /* eventfd */
	int slot_fd;
	_Atomic int jack_fd; /* our duplicate of its JACK socket; -1: none */
	struct chr_slot *slot;
};

#endif
