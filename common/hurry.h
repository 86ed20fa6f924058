/* Realtime priority for threads that a repair waits for but that make no sound: above ordinary work, below every audio thread; and one
 * processor for all of them. Two that speak in turns change places there in a few microseconds, where to wake another processor and to be
 * woken by it takes ten times that. It is the last one that the process may use.
 */
#ifndef CHR_COMMON_HURRY_H
#define CHR_COMMON_HURRY_H

#include <pthread.h>
#include <sys/types.h>

/* SCHED_FIFO. The server comes before those that it waits for: it speaks to them in many small pieces, and should each piece wake one of
 * them at once, the two would change places on the processor eight times in a sentence. */
#define CHR_HURRY_PRIORITY        5
#define CHR_HURRY_SERVER_PRIORITY 10

/* pthread_create(), but a thread that is explicitly to be an ordinary one has CHR_HURRY_PRIORITY where that is permitted. `attr` may be NULL.
 * Both are fit for jack_set_thread_creator(): libjack of JACK2 asks for an ordinary thread, whatever the thread is that calls it. When a
 * client opens, that thread takes notifications, and jackd waits for each client's answer in turn, twice after every change of the graph:
 * chr_hurry_create_listener() gives it the common processor. When a client is activated, the thread makes itself the audio thread, and
 * must keep its choice of processors. PipeWire's libjack leaves the scheduling of its threads to be inherited, and gets what it asks for. */
int chr_hurry_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int chr_hurry_create_listener(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

/* Gives CHR_HURRY_SERVER_PRIORITY and the common processor to the ordinary threads that the process has beside its main thread; those that the system does not let
 * it touch stay as they are. Returns how many have it now. Main thread. */
unsigned chr_hurry_process(pid_t pid);

#endif
