#include "common/clock.h"
#include "common/log.h"
#include "supervisor/graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 2
#define APART_US 10000u /* between two edges to an input, so that PipeWire takes them up in order */

static void read_playback(struct chr_graph *graph)
{
	const char **port = jack_get_ports(chr_graph_client(graph), NULL, JACK_DEFAULT_AUDIO_TYPE,
					   JackPortIsInput | JackPortIsPhysical);
	pthread_mutex_lock(&graph->lock);
	graph->playback_count = 0;
	for (unsigned i = 0; port && port[i] && i < CHR_PLAYBACK_MAX; i++)
		snprintf(graph->playback[graph->playback_count++], CHR_EDGE_NAME_MAX, "%s", port[i]);
	pthread_mutex_unlock(&graph->lock);
	graph->hardware_stale = false;
	jack_free(port);
}

const char *chr_graph_resolve(const struct chr_graph *graph, const char *end)
{
	size_t prefix = strlen(CHR_PLAYBACK_PREFIX);
	if (strncmp(end, CHR_PLAYBACK_PREFIX, prefix) != 0)
		return end;
	unsigned long place = strtoul(end + prefix, NULL, 10);
	return place >= 1 && place <= graph->playback_count ? graph->playback[place - 1] : NULL;
}

struct chr_wire *chr_graph_wire(struct chr_graph *graph, const char *from, const char *to)
{
	for (unsigned i = 0; i < graph->wire_count; i++) {
		const char *a = chr_graph_resolve(graph, graph->wire[i].edge.from),
			   *b = chr_graph_resolve(graph, graph->wire[i].edge.to);
		if (a && b && !strcmp(a, from) && !strcmp(b, to))
			return &graph->wire[i];
	}
	return NULL;
}

static bool is_clock(const struct chr_edge *edge)
{
	const char *a = strchr(edge->from, ':'), *b = strchr(edge->to, ':');
	return a && b && !strcmp(a, ":clock") && !strcmp(b, ":clock");
}

/* When somebody was quicker there is nothing to disconnect: JACK will tell. */
void chr_graph_break(struct chr_graph *graph, struct chr_wire *wire)
{
	const char *a = chr_graph_resolve(graph, wire->edge.from), *b = chr_graph_resolve(graph, wire->edge.to);
	wire->made = false;
	graph->changed_us = chr_monotonic_us();
	if (a && b)
		chr_graph_disconnect(graph, a, b);
}

/* JACK decides when an edge is made whether it closes a loop. An edge module -> out that was made before its clock edge makes
 * out wait for the module, so it is taken away first; the pass makes it again behind the clock edge. */
static void clear_way_for_clock(struct chr_graph *graph, const struct chr_edge *clock)
{
	for (unsigned i = 0; i < graph->wire_count; i++) {
		struct chr_wire *wire = &graph->wire[i];
		if (wire->made && chr_edge_same_client(wire->edge.from, clock->to) &&
		    chr_edge_same_client(wire->edge.to, clock->from))
			chr_graph_break(graph, wire);
	}
}

static bool there(struct chr_graph *graph, const char *a, const char *b)
{
	return jack_port_by_name(chr_graph_client(graph), a) && jack_port_by_name(chr_graph_client(graph), b);
}

/* False when JACK refuses. A wire whose ports do not exist (now) is no failure. */
static bool make(struct chr_graph *graph, struct chr_wire *wire)
{
	const char *a = chr_graph_resolve(graph, wire->edge.from), *b = chr_graph_resolve(graph, wire->edge.to);
	/* libjack looks through all ports, one page of memory each */
	if (!a || !b || (!wire->edge.sure && !there(graph, a, b)))
		return true;
	if (is_clock(&wire->edge))
		clear_way_for_clock(graph, &wire->edge);
	if (chr_graph_refuses(graph, wire))
		return true;
	if (wire->edge.closes && !chr_graph_closes(graph, &wire->edge))
		return true; /* what it closes is not whole yet: made now, it would not be the one that is delayed */
	if (wire->edge.closes)
		chr_graph_unhide(graph, &wire->edge);
	int rc = chr_graph_connect(graph, a, b);
	wire->made = rc == 0 || rc == EEXIST;
	wire->turn = ++graph->turns;
	wire->made_us = graph->changed_us = chr_monotonic_us();
	if (rc == EEXIST && chr_graph_doubtful(graph, &wire->edge)) {
		chr_graph_break(graph, wire); /* others were quicker */
		return false;
	}
	if (!wire->made && wire->edge.sure && !there(graph, a, b))
		return true;
	if (!wire->made)
		chr_debug("cannot connect %s to %s (%d); trying again", a, b, rc);
	return wire->made;
}

/* Was the wire made before one that stands before it in order and leads to the same input, and can that be heard? Sums are rounded: the lanes must add
 * up in the same order. */
static bool out_of_turn(const struct chr_graph *graph, unsigned at)
{
	const struct chr_wire *wire = &graph->wire[at];
	for (unsigned i = 0; i < at; i++) {
		const struct chr_wire *other = &graph->wire[i];
		if (other->made && other->turn > wire->turn && !strcmp(other->edge.to, wire->edge.to))
			return true;
	}
	return false;
}

static bool too_soon(const struct chr_graph *graph, const struct chr_wire *wire)
{
	uint64_t now = chr_monotonic_us();
	for (unsigned i = 0; i < graph->wire_count && graph->reuses && wire->edge.ordered; i++) {
		const struct chr_wire *other = &graph->wire[i];
		if (other->made && now - other->made_us < APART_US && !strcmp(other->edge.to, wire->edge.to))
			return true;
	}
	return false;
}

/* Makes every wire that is missing. False when one could not be made; those behind a clock edge then wait too. */
static bool make_all(struct chr_graph *graph)
{
	bool all = true;
	if (chr_graph_waits(graph))
		return false;
	for (unsigned i = 0; i < graph->wire_count; i++) {
		struct chr_wire *wire = &graph->wire[i];
		if (wire->made && wire->edge.ordered && !graph->reuses && out_of_turn(graph, i))
			chr_graph_break(graph, wire);
		if (wire->made || wire->edge.held || chr_graph_is_lost(graph, wire) ||
		    (!too_soon(graph, wire) && make(graph, wire)))
			continue;
		all = false;
		if (is_clock(&wire->edge))
			break;
	}
	return all;
}

/* Is that edge in the list? *next is where to look first, and then where its neighbour may be: two lists of one patch hardly differ in their order. */
static struct chr_wire *find(struct chr_wire *list, unsigned count, const struct chr_edge *edge, unsigned *next)
{
	for (unsigned i = 0; i < count; i++) {
		struct chr_wire *wire = &list[(*next + i) % count];
		if (chr_edge_joins(&wire->edge, edge->from, edge->to)) {
			*next = (*next + i + 1) % count;
			return wire;
		}
	}
	return NULL;
}

/* What is known of an edge that is desired now: from before, or because a person drew it. */
static void recall(struct chr_graph *graph, struct chr_wire *wire, unsigned *next)
{
	unsigned first = 0;
	const struct chr_wire *known = find(graph->wire, graph->wire_count, &wire->edge, next);
	if (!known)
		known = find(graph->drawn, CHR_GRAPH_DRAWN_MAX, &wire->edge, &first);
	if (!known)
		return;
	wire->made = known->made;
	wire->known = known->known;
	wire->refused = known->refused;
	wire->turn = known->turn;
	wire->made_us = known->made_us;
	wire->a = known->a;
	wire->b = known->b;
	/* JACK decides when an edge is made whether it closes a loop, and keeps to that though the loop is gone */
	if (wire->made && (chr_graph_refuses(graph, wire) || known->doubtful || known->edge.closes != wire->edge.closes))
		chr_graph_break(graph, wire);
}

/* Those that are desired now need not be remembered; others may still be on their way. */
static void forget_drawn(struct chr_graph *graph)
{
	for (unsigned i = 0; i < CHR_GRAPH_DRAWN_MAX; i++) {
		struct chr_wire *drawn = &graph->drawn[i];
		if (drawn->edge.from[0] && chr_graph_wire(graph, drawn->edge.from, drawn->edge.to))
			*drawn = (struct chr_wire){0};
	}
}

/* Takes a new desired graph over: what it no longer has is disconnected. False when there is none. The cuts are those that were asked for by then. */
static bool adopt(struct chr_graph *graph, struct chr_edges *cuts)
{
	pthread_mutex_lock(&graph->lock);
	*cuts = graph->cuts;
	graph->cuts = (struct chr_edges){0};
	bool changed = graph->generation != graph->wired_generation;
	unsigned count = changed ? graph->desired.count : 0;
	struct chr_wire *fresh = changed ? calloc(count + 1, sizeof *fresh) : NULL;
	for (unsigned i = 0; fresh && i < count; i++)
		fresh[i].edge = graph->desired.edge[i];
	if (fresh)
		graph->wired_generation = graph->generation;
	if (graph->wired_generation == graph->generation)
		graph->judged_adopted = graph->judged;
	pthread_mutex_unlock(&graph->lock);
	if (!fresh)
		return false;
	unsigned next = 0;
	for (unsigned i = 0; i < count; i++)
		recall(graph, &fresh[i], &next);
	struct chr_wire *old = graph->wire;
	unsigned old_count = graph->wire_count;
	graph->wire = fresh;
	graph->wire_count = count;
	next = 0;
	for (unsigned i = 0; i < old_count; i++)
		if (!find(fresh, count, &old[i].edge, &next) && old[i].made)
			chr_graph_break(graph, &old[i]);
	free(old);
	forget_drawn(graph);
	return true;
}

static void make_cuts(struct chr_graph *graph, struct chr_edges *cuts)
{
	for (unsigned i = 0; i < cuts->count; i++) {
		if (chr_graph_wire(graph, cuts->edge[i].from, cuts->edge[i].to))
			continue;
		chr_graph_forget_drawn(graph, cuts->edge[i].from, cuts->edge[i].to);
		chr_graph_disconnect(graph, cuts->edge[i].from, cuts->edge[i].to);
	}
	chr_edges_finish(cuts);
}

static bool take_poke(struct chr_graph *graph, bool again)
{
	pthread_mutex_lock(&graph->lock);
	bool poked = graph->poked;
	graph->poked = again;
	pthread_mutex_unlock(&graph->lock);
	return poked;
}

/* Nothing is left to be made or judged. */
static void rest(struct chr_graph *graph)
{
	atomic_store_explicit(&graph->restless, graph->lost_count > 0, memory_order_release);
}

int chr_graph_pass(struct chr_graph *graph)
{
	atomic_store_explicit(&graph->restless, true, memory_order_seq_cst);
	bool ports_changed = chr_graph_take_notices(graph), poked = take_poke(graph, false);
	if (graph->hardware_stale)
		read_playback(graph);
	struct chr_edges cuts;
	bool adopted = adopt(graph, &cuts);
	make_cuts(graph, &cuts);
	unsigned lost = graph->lost_count;
	int wait = chr_graph_settle(graph);
	bool judged = graph->lost_count < lost;
	if ((adopted || ports_changed || poked || judged) && !make_all(graph)) {
		take_poke(graph, true);
		return RETRY_MS;
	}
	rest(graph);
	if (adopted || poked)
		chr_inbox_put(graph->inbox, &(struct chr_post){.kind = CHR_POST_WIRED, .value = graph->wired_generation});
	return wait;
}

void chr_graph_forget(struct chr_graph *graph)
{
	chr_metadata_forget(&graph->metadata);
	graph->lost_count = 0;
	memset(graph->erased, 0, sizeof graph->erased);
	graph->port_count = 0;
	chr_graph_forget_acts(graph, NULL);
	pthread_mutex_lock(&graph->lock);
	graph->playback_count = 0;
	pthread_mutex_unlock(&graph->lock);
	graph->hardware_stale = true;
	memset(graph->drawn, 0, sizeof graph->drawn);
	for (unsigned i = 0; i < graph->wire_count; i++)
		graph->wire[i].made = graph->wire[i].known = false;
	uint32_t head = atomic_load_explicit(&graph->notice_head, memory_order_acquire);
	for (uint32_t i = atomic_load_explicit(&graph->notice_tail, memory_order_relaxed); i != head; i++)
		free(graph->notice[i % CHR_GRAPH_NOTICES].name);
	atomic_store_explicit(&graph->notice_tail, head, memory_order_release);
}
