/* Realtime priority for threads that a repair waits for but that make no sound: above ordinary work, below every audio thread. */
#ifndef CHR_COMMON_HURRY_H
#define CHR_COMMON_HURRY_H

#include <pthread.h>
#include <sys/types.h>

/* SCHED_FIFO. The server comes before those that it waits for: it speaks to them in many small pieces, and should each piece wake one of
 * them at once, the two would change places on the processor eight times in a sentence. */
#define CHR_HURRY_PRIORITY        5
#define CHR_HURRY_SERVER_PRIORITY 10

/* pthread_create(), but a thread that is explicitly to be an ordinary one has CHR_HURRY_PRIORITY where that is permitted. `attr` may be NULL. Fit for
 * jack_set_thread_creator(): libjack of JACK2 asks for an ordinary thread to take notifications, whatever the thread that opens the client
 * is, and jackd waits for each client's answer in turn, twice after every change of the graph. PipeWire's libjack leaves the scheduling
 * of its threads to be inherited, and gets what it asks for. */
int chr_hurry_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

/* Gives CHR_HURRY_SERVER_PRIORITY to the ordinary threads that the process has beside its main thread; those that the system does not let
 * it touch stay as they are. Returns how many have it now. Main thread. */
unsigned chr_hurry_process(pid_t pid);

#endif
