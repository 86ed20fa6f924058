#include "common/clock.h"
#include "supervisor/graph.h"

#include <stdio.h>
#include <string.h>

static void post_edge(struct chr_graph *graph, enum chr_post_kind kind, const struct chr_edge *edge, uint64_t time_us, int64_t gone)
{
	struct chr_post post = {.kind = kind, .time_us = time_us, .value = gone};
	snprintf(post.from, sizeof post.from, "%s", edge->from);
	snprintf(post.to, sizeof post.to, "%s", edge->to);
	chr_inbox_put(graph->inbox, &post);
}

/* ---- ports by their numbers ---- */

static struct chr_port_name *place_of(struct chr_graph *graph, jack_port_id_t port)
{
	return &graph->port_name[port % CHR_GRAPH_NAMES];
}

/* The port with that number, or the one that had it when this thread last heard of it; NULL when nothing is known. Numbers are used again:
 * whoever asked JACK alone would now and then be told of another port. */
static const struct chr_port_name *name_of(struct chr_graph *graph, jack_port_id_t id)
{
	struct chr_port_name *place = place_of(graph, id);
	if (place->known && place->port == id)
		return place;
	jack_port_t *port = jack_port_by_id(chr_graph_client(graph), id);
	const char *name = port ? jack_port_name(port) : NULL;
	if (!name || !*name)
		return NULL;
	*place = (struct chr_port_name){.known = true, .port = id, .input = jack_port_flags(port) & JackPortIsInput};
	snprintf(place->name, sizeof place->name, "%s", name);
	return place;
}

static void forget_name(struct chr_graph *graph, jack_port_id_t port)
{
	if (place_of(graph, port)->port == port)
		place_of(graph, port)->known = false;
}

/* The names of two ports by their numbers, the output first. False when one is not known. */
static bool edge_of(struct chr_graph *graph, jack_port_id_t a, jack_port_id_t b, struct chr_edge *edge)
{
	struct chr_port_name from, to;
	const struct chr_port_name *name = name_of(graph, a);
	if (!name)
		return false;
	from = *name; /* the other may have the same place */
	name = name_of(graph, b);
	if (!name)
		return false;
	to = *name;
	if (from.input == to.input)
		return false;
	*edge = (struct chr_edge){0};
	snprintf(edge->from, sizeof edge->from, "%s", from.input ? to.name : from.name);
	snprintf(edge->to, sizeof edge->to, "%s", from.input ? from.name : to.name);
	return true;
}

static bool exists(struct chr_graph *graph, const char *name)
{
	return jack_port_by_name(chr_graph_client(graph), name);
}

static bool connected(struct chr_graph *graph, const struct chr_edge *edge)
{
	jack_port_t *from = jack_port_by_name(chr_graph_client(graph), edge->from);
	return from && jack_port_connected_to(from, edge->to);
}

/* ---- edges that come ---- */

static void take_connect(struct chr_graph *graph, const struct chr_notice *notice)
{
	struct chr_edge edge;
	if (!edge_of(graph, notice->a, notice->b, &edge))
		return;
	struct chr_wire *wire = chr_graph_wire(graph, edge.from, edge.to);
	bool again = wire && wire->erased;
	if (wire) {
		wire->made = wire->known = true;
		wire->erased = false;
		wire->a = notice->a;
		wire->b = notice->b;
		edge = wire->edge;
	}
	if (wire && !again)
		return;
	/* a client that died right after it was connected was connected; an edge that this thread made for a graph that is no longer desired was
	 * taken away by it */
	if (!wire && !connected(graph, &edge) && exists(graph, edge.from) && exists(graph, edge.to))
		return;
	graph->drawn[graph->drawn_next++ % CHR_GRAPH_DRAWN_MAX] = (struct chr_wire){
		.edge = edge, .made = true, .known = true, .a = notice->a, .b = notice->b};
	post_edge(graph, CHR_POST_EDGE_DRAWN, &edge, chr_monotonic_us(), 0);
}

/* ---- edges that go ---- */

static void lose(struct chr_graph *graph, struct chr_wire *wire, uint64_t time_us)
{
	wire->made = false;
	if (graph->lost_count < CHR_GRAPH_LOST_MAX && !chr_graph_is_lost(graph, wire))
		graph->lost_edge[graph->lost_count++] = (struct chr_lost_edge){
			.a = wire->a, .b = wire->b, .edge = wire->edge, .since_us = time_us};
}

static bool lies_between(const struct chr_wire *wire, const struct chr_notice *notice)
{
	return wire->known && ((wire->a == notice->a && wire->b == notice->b) || (wire->a == notice->b && wire->b == notice->a));
}

static void take_disconnect(struct chr_graph *graph, const struct chr_notice *notice)
{
	bool found = false;
	for (unsigned i = 0; i < graph->wire_count; i++)
		if (lies_between(&graph->wire[i], notice)) {
			lose(graph, &graph->wire[i], notice->time_us);
			found = true;
		}
	/* erased before the control thread has taken it over */
	for (unsigned i = 0; i < CHR_GRAPH_DRAWN_MAX && !found; i++)
		if (lies_between(&graph->drawn[i], notice))
			lose(graph, &graph->drawn[i], notice->time_us);
}

/* ---- ports that come and go ---- */

/* What seemed erased was a client that ended: its edges went first. */
static void take_back(struct chr_graph *graph, jack_port_id_t port, uint64_t now)
{
	for (unsigned i = 0; i < CHR_GRAPH_DRAWN_MAX; i++) {
		struct chr_lost_edge *erased = &graph->erased[i];
		bool first = erased->a == port, fresh = now - erased->since_us < CHR_GRAPH_LINGER_MS * 1000u;
		if (!erased->edge.from[0] || (!first && erased->b != port))
			continue;
		struct chr_edge edge = erased->edge;
		bool bare = erased->bare[!first];
		*erased = (struct chr_lost_edge){0};
		if (fresh && bare)
			post_edge(graph, CHR_POST_EDGE_BACK, &edge, now, !first);
	}
}

/* Whatever had that number is not there any more, or something new has it. */
static void take_port(struct chr_graph *graph, const struct chr_notice *notice)
{
	jack_port_id_t port = notice->a;
	for (unsigned i = 0; i < graph->wire_count; i++) {
		struct chr_wire *wire = &graph->wire[i];
		if (wire->known && (wire->a == port || wire->b == port))
			wire->made = wire->known = false;
	}
	for (unsigned i = 0; i < CHR_GRAPH_DRAWN_MAX; i++) {
		struct chr_wire *drawn = &graph->drawn[i];
		if (drawn->known && (drawn->a == port || drawn->b == port))
			drawn->made = drawn->known = false;
	}
	for (unsigned i = 0; i < graph->lost_count;) {
		struct chr_lost_edge *lost = &graph->lost_edge[i];
		if (lost->a != port && lost->b != port) {
			i++;
			continue;
		}
		post_edge(graph, CHR_POST_EDGE_LOST, &lost->edge, lost->since_us, lost->b == port);
		*lost = graph->lost_edge[--graph->lost_count];
	}
	take_back(graph, port, chr_monotonic_us());
	forget_name(graph, port);
	if (notice->kind == CHR_NOTICE_PORT)
		name_of(graph, port);
	jack_port_t *now = jack_port_by_id(chr_graph_client(graph), port);
	graph->hardware_stale |= now && jack_port_flags(now) & JackPortIsPhysical;
}

bool chr_graph_take_notices(struct chr_graph *graph)
{
	bool ports_changed = false;
	uint32_t tail = atomic_load_explicit(&graph->notice_tail, memory_order_relaxed);
	while (tail != atomic_load_explicit(&graph->notice_head, memory_order_acquire)) {
		struct chr_notice notice = graph->notice[tail % CHR_GRAPH_NOTICES];
		atomic_store_explicit(&graph->notice_tail, ++tail, memory_order_release);
		if (notice.kind == CHR_NOTICE_CONNECT)
			take_connect(graph, &notice);
		else if (notice.kind == CHR_NOTICE_DISCONNECT)
			take_disconnect(graph, &notice);
		else if (notice.kind == CHR_NOTICE_RENAMED)
			forget_name(graph, notice.a);
		else
			take_port(graph, &notice);
		ports_changed |= notice.kind > CHR_NOTICE_DISCONNECT;
	}
	return ports_changed;
}

bool chr_graph_is_lost(const struct chr_graph *graph, const struct chr_wire *wire)
{
	for (unsigned i = 0; i < graph->lost_count; i++)
		if (!strcmp(graph->lost_edge[i].edge.from, wire->edge.from) && !strcmp(graph->lost_edge[i].edge.to, wire->edge.to))
			return true;
	return false;
}

/* ---- was it erased? ---- */

/* Has the client of that end no edge left, of those that are known? */
static bool is_bare(const struct chr_graph *graph, const char *end)
{
	size_t length = strcspn(end, ":") + 1;
	for (unsigned i = 0; i < graph->wire_count; i++) {
		const struct chr_wire *wire = &graph->wire[i];
		if (wire->made && (!strncmp(wire->edge.from, end, length) || !strncmp(wire->edge.to, end, length)))
			return false;
	}
	return true;
}

void chr_graph_forget_drawn(struct chr_graph *graph, const char *from, const char *to)
{
	for (unsigned i = 0; i < CHR_GRAPH_DRAWN_MAX; i++)
		if (!strcmp(graph->drawn[i].edge.from, from) && !strcmp(graph->drawn[i].edge.to, to))
			graph->drawn[i] = (struct chr_wire){0};
}

static void tell_erased(struct chr_graph *graph, const struct chr_lost_edge *lost)
{
	struct chr_lost_edge *erased = &graph->erased[graph->erased_next++ % CHR_GRAPH_DRAWN_MAX];
	*erased = *lost;
	erased->bare[0] = is_bare(graph, lost->edge.from);
	erased->bare[1] = is_bare(graph, lost->edge.to);
	post_edge(graph, CHR_POST_EDGE_ERASED, &lost->edge, lost->since_us, 0);
}

/* Not there again, and between the same two ports? Whether it is still desired, the control thread knows. */
static bool is_erased(struct chr_graph *graph, const struct chr_lost_edge *lost)
{
	struct chr_edge now;
	struct chr_wire *wire = NULL;
	for (unsigned i = 0; i < graph->wire_count && !wire; i++)
		if (!strcmp(graph->wire[i].edge.from, lost->edge.from) && !strcmp(graph->wire[i].edge.to, lost->edge.to))
			wire = &graph->wire[i];
	if ((wire && wire->made) || !edge_of(graph, lost->a, lost->b, &now) || connected(graph, &now))
		return false;
	if (wire)
		wire->erased = true;
	return true;
}

void chr_graph_tell_erased(struct chr_graph *graph, const struct chr_wire *wire)
{
	post_edge(graph, CHR_POST_EDGE_ERASED, &wire->edge, chr_monotonic_us(), 0);
}

int chr_graph_settle(struct chr_graph *graph)
{
	uint64_t now = chr_monotonic_us();
	int wait = -1;
	for (unsigned i = 0; i < graph->lost_count;) {
		struct chr_lost_edge *lost = &graph->lost_edge[i];
		uint64_t age_us = now > lost->since_us ? now - lost->since_us : 0;
		if (age_us < CHR_GRAPH_SETTLE_MS * 1000u) {
			wait = CHR_GRAPH_SETTLE_MS - (int)(age_us / 1000);
			i++;
			continue;
		}
		if (is_erased(graph, lost))
			tell_erased(graph, lost);
		*lost = graph->lost_edge[--graph->lost_count];
	}
	return wait;
}
