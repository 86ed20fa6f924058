/* The graph thread: everything that may block. It owns the supervisor's JACK client, spawns processes, and makes the actual graph
 * equal to the desired one, level-triggered: after every new desired graph, every port that comes, and every edge that goes.
 *
 * An edge that a person draws or erases is posted to the control thread, which takes it over into the desired graph. An edge
 * that vanished because a client died is not the same: its ports went too. So a lost edge is looked at again after
 * CHR_GRAPH_SETTLE_MS, and counts as erased only if both ports lived through that time, or if the port that did not is a module's and the control
 * thread knows that the module died later than that. A client can lose its edges long before its ports: should
 * a client whose edges all went be gone within CHR_GRAPH_LINGER_MS, they are desired again.
 *
 * libjack's callbacks only enqueue: a call to the server from within one fails.
 */
#ifndef CHR_SUPERVISOR_GRAPH_H
#define CHR_SUPERVISOR_GRAPH_H

#include "supervisor/inbox.h"
#include "supervisor/metadata.h"
#include "supervisor/process.h"
#include "supervisor/wiring.h"

#include <jack/jack.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CHR_GRAPH_SETTLE_MS 50
#define CHR_GRAPH_LINGER_MS 1000
#define CHR_GRAPH_CLIENT    "chronus"
#define CHR_GRAPH_NOTICES   4096u /* a power of two */
#define CHR_GRAPH_LOST_MAX  512
#define CHR_GRAPH_DRAWN_MAX 64
#define CHR_GRAPH_NAMES     1024u /* ports whose names are remembered; a power of two */

enum chr_notice_kind { CHR_NOTICE_CONNECT, CHR_NOTICE_DISCONNECT, CHR_NOTICE_PORT, CHR_NOTICE_PORT_GONE, CHR_NOTICE_RENAMED };

/* What a JACK callback saw. */
struct chr_notice {
	enum chr_notice_kind kind;
	jack_port_id_t a, b;
	uint64_t time_us; /* chr_monotonic_us() */
};

/* A desired edge, and whether it is made. libjack's own questions about connections sleep for a period while a change of the graph is under way, which
 * is just when they are asked; so the thread remembers what it made, and learns from the notices what others did. */
struct chr_wire {
	struct chr_edge edge;
	bool made;
	bool known; /* its ports' numbers are: */
	jack_port_id_t a, b;
	bool erased; /* by a person, and told to the control thread */
};

/* An edge that vanished and may have been erased by a person. */
struct chr_lost_edge {
	jack_port_id_t a, b;
	struct chr_edge edge;
	uint64_t since_us;
	bool bare[2]; /* the client at that end had no edge left */
};

/* Whose number that is, or was: an edge to a port is told of when the port may be gone already. */
struct chr_port_name {
	bool known, input;
	jack_port_id_t port;
	char name[CHR_EDGE_NAME_MAX];
};

struct chr_graph {
	pthread_t thread;
	struct chr_inbox *inbox;
	struct chr_spawn spawn;
	char server[CHR_CLIENT_MAX];
	char name[CHR_CLIENT_MAX]; /* of the supervisor's own client */
	int wake_fd;

	/* told by the control thread, under the lock */
	pthread_mutex_t lock;
	unsigned spawns_wanted;
	struct chr_edges desired;
	int64_t generation;    /* of `desired`; 0: none yet */
	struct chr_edges cuts; /* edges to break, though they were never desired */
	bool poked;            /* look again: ports have come */
	bool latencies;        /* compute them once more */
	bool reconnect;        /* the control thread let go of the lost client */
	bool stop;

	/* the same: what patchbays are to be told while the desired graph is that of the generation (0: nothing) */
	struct chr_properties described;
	int64_t described_generation;

	/* used by any thread while the server is up */
	_Atomic(jack_client_t *) client;
	_Atomic uint32_t cycles; /* of the server, counted by our own process callback */
	_Atomic uint32_t xruns;
	_Atomic uint32_t lost; /* the shutdown callback ran */
	_Atomic uint32_t period;
	_Atomic bool restless; /* it knows of something that is not as desired, or not yet judged */

	/* the graph thread's own */
	bool up;
	struct chr_wire *wire; /* the desired graph as last carried out; heap */
	unsigned wire_count;
	int64_t wired_generation;
	struct chr_lost_edge lost_edge[CHR_GRAPH_LOST_MAX];
	unsigned lost_count;
	struct chr_lost_edge
		erased[CHR_GRAPH_DRAWN_MAX]; /* counted as erased, but the client may only have been slow to die; a ring */
	unsigned erased_next;
	struct chr_port_name port_name[CHR_GRAPH_NAMES]; /* by number modulo CHR_GRAPH_NAMES */
	struct chr_wire drawn[CHR_GRAPH_DRAWN_MAX];      /* by people, and told to the control thread; a ring */
	unsigned drawn_next;
	char playback[CHR_PLAYBACK_MAX][CHR_EDGE_NAME_MAX]; /* the hardware's, in order; written under the lock */
	unsigned playback_count;
	struct chr_metadata metadata;
	bool hardware_stale; /* look again which ones there are: libjack's question sleeps while the graph changes, so only when it may help */

	/* from JACK's notification thread: one producer, one consumer */
	struct chr_notice notice[CHR_GRAPH_NOTICES];
	_Atomic uint32_t notice_head, notice_tail;
	_Atomic uint32_t notice_lost;
};

/* Takes over an open, not yet active client of the server (see jackserver.h) and starts the thread. 0 or -errno. */
int chr_graph_init(struct chr_graph *graph, struct chr_inbox *inbox, const struct chr_spawn *spawn, const char *server,
		   jack_client_t *client);
/* Stops the thread and closes the client. False when it gave up on a libjack that hangs: then the thread goes on, and *graph is to stay. */
bool chr_graph_finish(struct chr_graph *graph);

/* Control thread: asks for `count` new processes; each comes as CHR_POST_SPAWNED. */
void chr_graph_spawn(struct chr_graph *graph, unsigned count);

/* Control thread: the desired graph is now `edges` (taken over, *edges is empty afterwards). Answered by CHR_POST_WIRED with `generation`. */
void chr_graph_desire(struct chr_graph *graph, struct chr_edges *edges, int64_t generation);

/* Control thread: breaks an edge between two JACK ports that others made and that is not desired as such. */
void chr_graph_cut(struct chr_graph *graph, const char *from, const char *to);

/* Control thread, when the graph has settled: has JACK compute all latencies once more (see engine/client.c). */
void chr_graph_latencies(struct chr_graph *graph);

/* Control thread, when the graph has settled: has patchbays told `list` (taken over, *list is empty afterwards), unless another graph than that of
 * `generation` is desired before all is told. */
void chr_graph_describe(struct chr_graph *graph, struct chr_properties *list, int64_t generation);

/* Control thread, after CHR_POST_SERVER_LOST: nobody uses the client any more; close it and wait for the server. */
void chr_graph_reconnect(struct chr_graph *graph);

/* Control thread: the place (from 1) of that port among the hardware's playback ports; 0: it is none. */
unsigned chr_graph_playback(struct chr_graph *graph, const char *port);

/* Control thread: has it dealt with all that it was told by JACK? */
bool chr_graph_quiet(const struct chr_graph *graph);

/* JACK's client activation and callbacks (graph_client.c). */
int chr_graph_activate(struct chr_graph *graph, jack_client_t *client);

/* The client, for the graph thread itself. */
static inline jack_client_t *chr_graph_client(struct chr_graph *graph)
{
	return atomic_load_explicit(&graph->client, memory_order_relaxed);
}

/* One pass over the graph (graph_wire.c): takes notices, makes and breaks edges. Returns the time (ms) after which it wants to run again, or -1. */
int chr_graph_pass(struct chr_graph *graph);
/* The server is lost: nothing is made any more. */
void chr_graph_forget(struct chr_graph *graph);
/* The wire between two JACK ports, or NULL. */
struct chr_wire *chr_graph_wire(struct chr_graph *graph, const char *from, const char *to);

/* What others did (graph_notice.c): takes the notices; true when ports came or went. */
bool chr_graph_take_notices(struct chr_graph *graph);
/* Posts the edges that people erased. Returns the time (ms) until the next that may be one, or -1. */
int chr_graph_settle(struct chr_graph *graph);
/* The edge is about to be broken by this thread itself: what it knew of its being drawn is void. */
void chr_graph_forget_drawn(struct chr_graph *graph, const char *from, const char *to);
/* Others broke the wire before this thread did. */
void chr_graph_tell_erased(struct chr_graph *graph, const struct chr_wire *wire);
/* Is the wire lost, and not yet known whether erased? */
bool chr_graph_is_lost(const struct chr_graph *graph, const struct chr_wire *wire);

#endif
