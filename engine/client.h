/* The JACK client of an instance: the only file of the engine that speaks to JACK.
 *
 * It registers a process and a shutdown callback, and for `out` a latency callback, and no other: jackd tells a client of everything else over a socket that it
 * waits on, so that a module that hangs would hang jackd. All ports are registered before the client is activated.
 */
#ifndef CHR_ENGINE_CLIENT_H
#define CHR_ENGINE_CLIENT_H

#include "common/slot.h"
#include "engine/rt.h"

#include <jack/jack.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A range of latencies (frames). */
struct chr_latency {
	_Atomic uint32_t min, max;
};

struct chr_client {
	jack_client_t *jack; /* NULL: not open */
	struct chr_rt *rt;
	unsigned ports; /* of the module */
	const struct chr_descriptor *desc;
	unsigned clock; /* place of the port `clock` in the table, or CHR_PORTS_MAX */
	bool out;       /* the module is CHR_MODULE_OUT */
	bool pipewire;  /* the server is PipeWire */
	int socket;     /* its JACK socket; -1: not found */
	uint32_t sample_rate, period;
	int wake;                  /* eventfd to make readable when the server is lost */
	_Atomic int lost;          /* the server is */
	_Atomic int latency_stale; /* `out`: the next cycle reads and passes on */
	_Atomic int thread_known;  /* vouches for `thread` */
	jack_port_t *in_port[CHR_PORTS_MAX];
	jack_port_t *out_port[CHR_PORTS_MAX];
	const float *in[CHR_PORTS_MAX];
	float *out_buffer[CHR_PORTS_MAX];
	struct chr_latency capture, playback; /* the widest of its inputs, of its outputs */
	pthread_t thread;                     /* the audio thread, by its own word: PipeWire's libjack does not tell */
	int priority;                         /* realtime, of the audio thread as JACK made it; 0: not asked yet */
};

/* Libjack linked, its messages kept off standard error, its clock warm: all that needs no server. */
void chr_client_prepare(void);

/* Opens the client `order->client`, trying for a second while the name is taken, as the dead bearer of a name stays in jackd's graph
 * for some milliseconds. Gives up early when *ended becomes true. Finds the socket, rate and period. 0, or -errno with the reason in
 * `why`: then nothing is open. Main thread; blocks. */
int chr_client_open(struct chr_client *client, const struct chr_slot_order *order, const volatile sig_atomic_t *ended, char *why,
		    size_t why_bytes);

/* Registers the ports of the module in the order of its table, last an input `clock` if the table has no port of that name; activates the client, which plays `rt` from then on. 0, or -EIO with the reason. */
int chr_client_start(struct chr_client *client, struct chr_rt *rt, uint32_t channels, char *why, size_t why_bytes);

/* Gives the audio thread the realtime priority that JACK gave it, or one below. Lets it be where it has none, or where the system does
 * not let it rise again. Main thread; the client is started. */
void chr_client_rank(struct chr_client *client, bool behind);

/* Closes the client if it is open. May hang in libjack: the caller sets a deadline. */
void chr_client_close(struct chr_client *client);

#endif
