/* Fatal signals: the supervisor and jackd learn of them before a core dump, not after. */
#ifndef CHR_ENGINE_CRASH_H
#define CHR_ENGINE_CRASH_H

#include "common/slot.h"

/* Installs the handler of SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT: it marks the slot crashed, shuts the JACK socket down and raises
 * the signal again with its default action. It runs on a stack of its own in the thread that calls (the main thread); in the
 * audio thread on that thread's own, so a stack that overflowed there ends the process without a mark. 0 or -errno. */
int chr_crash_install(struct chr_slot *slot);

/* The socket to shut down from now on; -1: none. */
void chr_crash_set_socket(int fd);

#endif
