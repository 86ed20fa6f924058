/* The graph thread: everything that may block. It owns the supervisor's JACK client, spawns processes, and makes the actual graph
 * equal to the desired one, level-triggered: after every new desired graph, every port that comes, and every edge that goes.
 *
 * An edge that a person draws or erases is posted to the control thread, which takes it over into the desired graph. Whose doing a change is, is
 * decided by these rules, in the order in which JACK tells of changes:
 *
 *   - Each edge that this thread makes or breaks is noted before JACK tells of it (graph_acts.c). What JACK tells is this thread's own doing if, and
 *     only if, it is noted; nobody asks JACK how things stand now, which may be later or earlier than what it tells.
 *   - An edge that others made was drawn, be its client dead the moment after.
 *   - An edge that others broke was erased, or a client took it along as it ended (graph_lost.c). It is posted after CHR_GRAPH_SETTLE_MS, with
 *     whether its ports went too. Until the control thread has judged, and the graph it then desires is adopted, the edge is not made again.
 *   - Of all that people did to an edge, in whichever lane, the last counts; each post bears the time of what it tells.
 *
 * A client can lose its edges long before its ports: should one whose edges all went be gone within CHR_GRAPH_LINGER_MS, they are desired again.
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

enum chr_notice_kind { CHR_NOTICE_CONNECT, CHR_NOTICE_DISCONNECT, CHR_NOTICE_PORT, CHR_NOTICE_PORT_GONE, CHR_NOTICE_RENAMED };

/* What a JACK callback saw. */
struct chr_notice {
	enum chr_notice_kind kind;
	jack_port_id_t a, b;
	uint64_t time_us; /* chr_monotonic_us(); no two have the same */
	char *name;       /* heap; PORT, RENAMED: of the port; NULL: not known */
	bool input;       /* that it is one */
};

/* A desired edge, and whether it is made. libjack's own questions about connections sleep for a period while a change of the graph is under way, which
 * is just when they are asked; so the thread remembers what it made, and learns from the notices what others did. */
struct chr_wire {
	struct chr_edge edge;
	bool made;             /* then edge.closes tells whether JACK delays it */
	bool doubtful;         /* drawn by others, and whether JACK delays it is not sure */
	bool refused;          /* too long a loop for the server, and told */
	uint64_t turn;         /* counts the edges as they were made: JACK adds up what comes to an input in that order */
	uint64_t made_us;      /* when this thread made it, or saw that others had */
	bool reached;          /* in a search for a way (graph_loops.c), with: */
	struct chr_wire *next; /* of those still to be looked at */
	bool known;            /* its ports' numbers are: */
	jack_port_id_t a, b;
};

/* An edge that this thread made or broke, and JACK has not told of it yet. */
struct chr_act {
	bool connects;
	uint64_t since_us; /* JACK was asked to no sooner than that */
	char from[CHR_EDGE_NAME_MAX], to[CHR_EDGE_NAME_MAX];
};

/* An edge that others broke: erased by a person, or gone with a client. Of its ends the output is the first. */
struct chr_lost_edge {
	jack_port_id_t a, b; /* the output's number, and the input's */
	struct chr_edge edge;
	uint64_t since_us;
	uint64_t gone_us[2]; /* when the port at that end went, too; 0: it did not */
	bool alone[2];       /* between the two JACK told of nothing but edges and ports of that client that went */
	bool bare[2];        /* the client at that end had no edge left */
	int64_t told;        /* number of the post to the control thread; 0: not yet */
};

/* Whose number that is, or was: an edge to a port is told of when the port may be gone already. */
struct chr_port_name {
	jack_port_id_t port;
	bool input;
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
	int64_t judged;        /* number of the last post of a lost edge that `desired` was made in the knowledge of */
	struct chr_edges cuts; /* edges to break, unless they are desired */
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
	bool pipewire;  /* it may overlook that an edge closes a loop, and answer with the error of something else */
	bool reuses;    /* PipeWire before 0.3.72: an edge takes the place that another one to that input had left, and those made
			 * at once take theirs in any order */
	uint64_t turns; /* edges seen made so far */
	uint64_t changed_us;   /* when this thread last made or broke an edge */
	struct chr_wire *wire; /* the desired graph as last carried out; heap */
	unsigned wire_count;
	int64_t wired_generation;
	struct chr_lost_edge lost_edge[CHR_GRAPH_LOST_MAX];
	unsigned lost_count;
	struct chr_lost_edge
		erased[CHR_GRAPH_DRAWN_MAX]; /* counted as erased, but the client may only have been slow to die; a ring */
	unsigned erased_next;
	int64_t told, judged_adopted; /* numbers of posts of lost edges: the last, and `judged` of the graph as last carried out */
	struct chr_act *act;          /* oldest first; heap */
	unsigned act_count, act_space;
	struct chr_port_name *port; /* those heard of that have not gone; heap */
	unsigned port_count, port_space;
	struct chr_wire drawn[CHR_GRAPH_DRAWN_MAX]; /* by people, and told to the control thread; a ring */
	unsigned drawn_next;
	char playback[CHR_PLAYBACK_MAX][CHR_EDGE_NAME_MAX]; /* the hardware's, in order; written under the lock */
	unsigned playback_count;
	struct chr_metadata metadata;
	bool hardware_stale; /* look again which ones there are: libjack's question sleeps while the graph changes, so only when it may help */

	/* from JACK's notification thread: one producer, one consumer */
	struct chr_notice notice[CHR_GRAPH_NOTICES];
	_Atomic uint32_t notice_head, notice_tail;
	_Atomic uint32_t notice_lost;
	uint64_t noticed_us; /* the last one's time; that thread's own */
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

/* Control thread: it has judged the lost edges up to CHR_POST_EDGE_VANISHED with that number, and the graph desired last is made in the knowledge of that. */
void chr_graph_judged(struct chr_graph *graph, int64_t number);

/* Control thread: breaks an edge between two JACK ports that others made, unless it is desired as such when that is carried out: in the graph desired
 * last, or a later one. */
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
/* The name of an end as JACK knows it now; NULL for a playback port that the hardware lacks. */
const char *chr_graph_resolve(const struct chr_graph *graph, const char *end);
/* The wire between two JACK ports, or NULL. */
struct chr_wire *chr_graph_wire(struct chr_graph *graph, const char *from, const char *to);

/* Takes the edge of a wire away, to make it anew. */
void chr_graph_break(struct chr_graph *graph, struct chr_wire *wire);

/* Loops (graph_loops.c): would the edge close one with the edges that are made, so that JACK delays it? */
bool chr_graph_closes(struct chr_graph *graph, const struct chr_edge *edge);
/* Others have just made it: may JACK have decided otherwise? */
bool chr_graph_doubtful(struct chr_graph *graph, const struct chr_edge *edge);
/* Was an edge just drawn that is not taken over yet? What is made waits for that: the server would take both into account. */
bool chr_graph_waits(const struct chr_graph *graph);
/* Must the edge not be made, because the server would not see the loop that it closes? Tells it once. */
bool chr_graph_refuses(const struct chr_graph *graph, struct chr_wire *wire);
/* An edge that closes a loop is about to be made: takes those away that may hide the loop from the server. They come behind it in order. */
void chr_graph_unhide(struct chr_graph *graph, const struct chr_edge *edge);

/* What JACK tells of (graph_notice.c): takes the notices; true when ports came or went. */
bool chr_graph_take_notices(struct chr_graph *graph);
/* What was known of the edge's being drawn is void. */
void chr_graph_forget_drawn(struct chr_graph *graph, const char *from, const char *to);
/* Posts `with` as of that kind and of the edge's ends. */
void chr_graph_post(struct chr_graph *graph, enum chr_post_kind kind, const struct chr_edge *edge, const struct chr_post *with);

/* What this thread does itself (graph_acts.c), noted until JACK tells of it. As jack_connect() and jack_disconnect(), but
 * what PipeWire answers is made true: when it answers with an error, the edge is looked at for up to 30 ms. */
int chr_graph_connect(struct chr_graph *graph, const char *from, const char *to);
int chr_graph_disconnect(struct chr_graph *graph, const char *from, const char *to);
/* JACK told at `told_us` that the edge was made, or broken: by this thread? Then it is noted no more. */
bool chr_graph_take_act(struct chr_graph *graph, bool connects, const struct chr_edge *edge, uint64_t told_us);
/* Is anything noted of the edge? Then what JACK tells of it now is not the last that was done to it. */
bool chr_graph_acted(struct chr_graph *graph, const struct chr_edge *edge);
/* Forgets what is noted of edges of that port; NULL: of all. */
void chr_graph_forget_acts(struct chr_graph *graph, const char *port);

/* Edges that others broke (graph_lost.c): the notice tells of one, whose output is `a`. */
void chr_graph_lose(struct chr_graph *graph, const struct chr_edge *edge, const struct chr_notice *notice);
/* The edge is there again: others made it. */
void chr_graph_find(struct chr_graph *graph, const struct chr_edge *edge);
/* JACK told of that, at the port `from`, and if it is of an edge at `to`. NULL: not known. Before it is dealt with. */
void chr_graph_witness(struct chr_graph *graph, const struct chr_notice *notice, const char *from, const char *to);
void chr_graph_port_gone(struct chr_graph *graph, const struct chr_notice *gone);
/* Is the wire lost while its ports are there, and not yet judged? */
bool chr_graph_is_lost(const struct chr_graph *graph, const struct chr_wire *wire);
/* Posts those whose time has come, drops those that were judged. Returns the time (ms) until the next is to be posted, or -1. */
int chr_graph_settle(struct chr_graph *graph);

#endif
