/* People's OSC: the socket, the address space, replies, errors, subscribers. liblo parses and serialises; the socket is ours.
 *
 *   /<module>/<param> value [ramp ms]   sets; without arguments asks; patterns work in both parts
 *   /chronus/...                        the system's own space, one table in osc_system.c
 *   /chronus/error address reason       to the sender of what was wrong; nothing was changed
 *
 * Control thread only.
 */
#ifndef CHR_SUPERVISOR_OSC_H
#define CHR_SUPERVISOR_OSC_H

#include "supervisor/edit.h"
#include "supervisor/rack.h"

#include <stdbool.h>
#include <stdint.h>

struct chr_osc;
struct chr_osc_peer;

/* What OSC asks of the rest of the supervisor. Times and frames are JACK's. */
struct chr_osc_host {
	void *self;
	struct chr_rack *rack;
	uint32_t (*frame_now)(void *self);                  /* jack_frame_time, or 0 without a server */
	uint64_t (*time_now_us)(void *self);                /* jack_get_time */
	uint32_t (*time_to_frame)(void *self, uint64_t us); /* jack_time_to_frames */
	/* The type's descriptor, NULL and a reason when there is none. */
	const struct chr_descriptor *(*type)(void *self, const char *type, const char **why);
	/* Calls `each` for the name of every module type that is installed. */
	void (*types)(void *self, void (*each)(void *arg, const char *type), void *arg);
	/* Restarts a module (lifting its quarantine). 0, -ENOENT. */
	int (*restart)(void *self, const char *module);
	/* Has a module swapped to the code in `file` (NULL: in its type's file). 0: what comes of it is told to `peer` by chr_osc_answer_swap(); else -errno, with
	 * the reason in *why if there is one to tell. May be NULL. */
	int (*swap)(void *self, const char *module, const char *file, const struct chr_osc_peer *peer, const char **why);
	void (*quit)(void *self);
	/* May be NULL: jack_last_frame_time of the supervisor's client, the start of the cycle in progress. "soonest" wants it. */
	uint32_t (*cycle_start)(void *self);
	/* For people to see; may be NULL; read anew each time. */
	const char *file;   /* the patch file */
	const char *server; /* name of the JACK server in use */
	/* How a lane stands, as a word. May be NULL. */
	const char *(*lane)(void *self, unsigned lane);
	/* The i-th figure of the whole, for /chronus/status: its name and value; false: no more. May be NULL. */
	bool (*figure)(void *self, unsigned i, const char **name, uint64_t *value);
	/* As chr_edit_request(). May be NULL: then nothing can be edited. */
	int (*edit)(void *self, enum chr_edit_kind kind, const char *a, const char *b, chr_edit_done done, void *arg);
	/* The i-th connection as people name it; false: no more. May be NULL. */
	bool (*edge)(void *self, unsigned i, const char **from, const char **to);
};

/* Binds host:port. NULL with -errno in *error. The host struct is copied; its `rack` must outlive the object. */
struct chr_osc *chr_osc_create(const char *host, unsigned port, const struct chr_osc_host *with, int *error);
void chr_osc_destroy(struct chr_osc *osc);

/* The socket, for the poller; the port bound (for port 0). */
int chr_osc_fd(const struct chr_osc *osc);
unsigned chr_osc_port(const struct chr_osc *osc);

/* The socket is readable: takes all datagrams that wait and carries them out. Never blocks; never fails: errors are answered and counted. */
void chr_osc_receive(struct chr_osc *osc);

/* Tells subscribers of a changed parameter or of an instance's new state. */
void chr_osc_tell_param(struct chr_osc *osc, const struct chr_unit *unit, unsigned param);
void chr_osc_tell_state(struct chr_osc *osc, const struct chr_unit *unit, const struct chr_instance *instance);

/* Tells who asked for a swap how far it is, and what came of it. */
void chr_osc_tell_swap(struct chr_osc *osc, const struct chr_osc_peer *peer, const char *module, const char *word);
void chr_osc_answer_swap(struct chr_osc *osc, const struct chr_osc_peer *peer, const char *module, const char *text, bool failed);

/* Every few milliseconds: keeps the map from time to frames near JACK's. */
void chr_osc_tick(struct chr_osc *osc);

/* The JACK server was lost or has come (another rate, period or clock): the map from time to frames begins anew. */
void chr_osc_clock_reset(struct chr_osc *osc);

#endif
