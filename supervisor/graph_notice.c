#include "common/clock.h"
#include "common/log.h"
#include "supervisor/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void chr_graph_post(struct chr_graph *graph, enum chr_post_kind kind, const struct chr_edge *edge, const struct chr_post *with)
{
	struct chr_post post = *with;
	post.kind = kind;
	snprintf(post.from, sizeof post.from, "%s", edge->from);
	snprintf(post.to, sizeof post.to, "%s", edge->to);
	chr_inbox_put(graph->inbox, &post);
}

/* ---- ports by their numbers ---- */

/* The port that has that number, or had it when it was last heard of; NULL without one. Numbers are used again: whoever asked JACK alone would now
 * and then be told of another port. */
static struct chr_port_name *known_port(const struct chr_graph *graph, jack_port_id_t id)
{
	for (unsigned i = 0; i < graph->port_count; i++)
		if (graph->port[i].port == id)
			return &graph->port[i];
	return NULL;
}

static void know_port(struct chr_graph *graph, jack_port_id_t id, const char *name, bool input)
{
	struct chr_port_name *port = known_port(graph, id);
	if (!port && graph->port_count == graph->port_space) {
		unsigned space = graph->port_space ? graph->port_space * 2 : 64;
		port = realloc(graph->port, space * sizeof *port);
		if (!port)
			return;
		graph->port = port;
		graph->port_space = space;
		port = NULL;
	}
	if (!port)
		port = &graph->port[graph->port_count++];
	*port = (struct chr_port_name){.port = id, .input = input};
	snprintf(port->name, sizeof port->name, "%s", name);
}

static void forget_port(struct chr_graph *graph, jack_port_id_t id)
{
	struct chr_port_name *port = known_port(graph, id);
	if (port)
		*port = graph->port[--graph->port_count];
}

/* Those that were there before the supervisor are asked for when they are first heard of. */
static const struct chr_port_name *port_of(struct chr_graph *graph, jack_port_id_t id)
{
	const struct chr_port_name *known = known_port(graph, id);
	if (known)
		return known;
	jack_port_t *port = jack_port_by_id(chr_graph_client(graph), id);
	const char *name = port ? jack_port_name(port) : NULL;
	if (!name || !*name)
		return NULL;
	know_port(graph, id, name, jack_port_flags(port) & JackPortIsInput);
	return known_port(graph, id);
}

/* The names of the two ports of the notice, whose first is the output afterwards. False when one is not known. */
static bool edge_of(struct chr_graph *graph, struct chr_notice *notice, struct chr_edge *edge)
{
	const struct chr_port_name *port = port_of(graph, notice->a);
	if (!port)
		return false;
	const struct chr_port_name a = *port; /* the next question may move it */
	port = port_of(graph, notice->b);
	if (!port || a.input == port->input)
		return false;
	*edge = (struct chr_edge){0};
	snprintf(edge->from, sizeof edge->from, "%s", a.input ? port->name : a.name);
	snprintf(edge->to, sizeof edge->to, "%s", a.input ? a.name : port->name);
	if (a.input) {
		jack_port_id_t input = notice->a;
		notice->a = notice->b;
		notice->b = input;
	}
	return true;
}

/* ---- edges that come and go ---- */

/* Others made an edge that is desired, before this thread did. */
static void take_made(struct chr_graph *graph, struct chr_wire *wire, const struct chr_edge *edge)
{
	bool sure = chr_graph_closes(graph, edge) == wire->edge.closes && !chr_graph_doubtful(graph, edge);
	wire->made = true;
	wire->turn = ++graph->turns;
	if (sure)
		return;
	chr_graph_break(graph, wire);
	pthread_mutex_lock(&graph->lock);
	graph->poked = true;
	pthread_mutex_unlock(&graph->lock);
}

static void take_drawn(struct chr_graph *graph, const struct chr_notice *notice, const struct chr_edge *edge, bool made)
{
	struct chr_wire drawn = {.edge = *edge, .made = made, .known = true, .a = notice->a, .b = notice->b};
	drawn.edge.closes = chr_graph_closes(graph, edge);
	drawn.doubtful = chr_graph_doubtful(graph, edge);
	drawn.turn = ++graph->turns;
	drawn.made_us = chr_monotonic_us();
	graph->drawn[graph->drawn_next++ % CHR_GRAPH_DRAWN_MAX] = drawn;
}

static void take_connect(struct chr_graph *graph, const struct chr_notice *notice, struct chr_edge *edge)
{
	bool own = chr_graph_take_act(graph, true, edge, notice->time_us), last = !chr_graph_acted(graph, edge);
	struct chr_wire *wire = chr_graph_wire(graph, edge->from, edge->to);
	if (wire) {
		wire->known = true;
		wire->a = notice->a;
		wire->b = notice->b;
		if (own || wire->made || !last)
			wire->made |= last;
		else
			take_made(graph, wire, edge);
		*edge = wire->edge;
	}
	if (own)
		return;
	chr_graph_find(graph, edge);
	if (!wire)
		take_drawn(graph, notice, edge, last);
	chr_graph_post(graph, CHR_POST_EDGE_DRAWN, edge, &(struct chr_post){.time_us = notice->time_us});
}

static void take_disconnect(struct chr_graph *graph, const struct chr_notice *notice, struct chr_edge *edge)
{
	bool own = chr_graph_take_act(graph, false, edge, notice->time_us), last = !chr_graph_acted(graph, edge);
	struct chr_wire *wire = chr_graph_wire(graph, edge->from, edge->to);
	if (wire) {
		wire->made &= !last;
		*edge = wire->edge;
	}
	for (unsigned i = 0; i < CHR_GRAPH_DRAWN_MAX; i++)
		if (chr_edge_joins(&graph->drawn[i].edge, edge->from, edge->to))
			graph->drawn[i].made &= !last;
	if (!own)
		chr_graph_lose(graph, edge, notice);
}

/* False when nobody knows any more which ports those were. */
static bool take_edge(struct chr_graph *graph, struct chr_notice *notice)
{
	struct chr_edge edge;
	bool known = edge_of(graph, notice, &edge);
	chr_graph_witness(graph, notice, known ? edge.from : NULL, known ? edge.to : NULL);
	if (known && notice->kind == CHR_NOTICE_CONNECT)
		take_connect(graph, notice, &edge);
	else if (known)
		take_disconnect(graph, notice, &edge);
	return known;
}

void chr_graph_forget_drawn(struct chr_graph *graph, const char *from, const char *to)
{
	for (unsigned i = 0; i < CHR_GRAPH_DRAWN_MAX; i++)
		if (chr_edge_joins(&graph->drawn[i].edge, from, to))
			graph->drawn[i] = (struct chr_wire){0};
}

/* ---- ports that come and go ---- */

/* Whatever had that number is not there any more, or something new has it. */
static void void_edges(struct chr_graph *graph, jack_port_id_t port)
{
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
}

static void take_port(struct chr_graph *graph, const struct chr_notice *notice)
{
	const struct chr_port_name *known = known_port(graph, notice->a);
	chr_graph_witness(graph, notice, known ? known->name : NULL, NULL);
	if (notice->kind != CHR_NOTICE_RENAMED) {
		void_edges(graph, notice->a);
		chr_graph_port_gone(graph, notice);
		/* what was done to the next port of that name, there already, is still to be told of */
		if (known && !jack_port_by_name(chr_graph_client(graph), known->name))
			chr_graph_forget_acts(graph, known->name);
		jack_port_t *now = jack_port_by_id(chr_graph_client(graph), notice->a);
		graph->hardware_stale |= now && jack_port_flags(now) & JackPortIsPhysical;
	}
	forget_port(graph, notice->a);
	if (notice->name)
		know_port(graph, notice->a, notice->name, notice->input);
}

/* Something was told that was not taken in: what is made is asked for, and what people did meanwhile is not known. */
static void start_over(struct chr_graph *graph)
{
	jack_client_t *client = chr_graph_client(graph);
	for (unsigned i = 0; i < graph->wire_count; i++) {
		struct chr_wire *wire = &graph->wire[i];
		const char *from = chr_graph_resolve(graph, wire->edge.from), *to = chr_graph_resolve(graph, wire->edge.to);
		jack_port_t *port = from && to ? jack_port_by_name(client, from) : NULL;
		wire->made = port && jack_port_connected_to(port, to);
		wire->known = false;
	}
	chr_debug("not all that the JACK server told was taken in: the connections are looked through");
	memset(graph->drawn, 0, sizeof graph->drawn);
	chr_graph_forget_acts(graph, NULL);
	graph->port_count = 0;
	graph->lost_count = 0;
}

bool chr_graph_take_notices(struct chr_graph *graph)
{
	bool ports_changed = false;
	bool missed = atomic_exchange_explicit(&graph->notice_lost, 0, memory_order_acquire) > 0;
	uint32_t tail = atomic_load_explicit(&graph->notice_tail, memory_order_relaxed);
	while (tail != atomic_load_explicit(&graph->notice_head, memory_order_acquire)) {
		struct chr_notice notice = graph->notice[tail % CHR_GRAPH_NOTICES];
		atomic_store_explicit(&graph->notice_tail, ++tail, memory_order_release);
		if (notice.kind <= CHR_NOTICE_DISCONNECT)
			missed |= !take_edge(graph, &notice);
		else
			take_port(graph, &notice);
		ports_changed |= notice.kind > CHR_NOTICE_DISCONNECT;
		free(notice.name);
	}
	if (missed)
		start_over(graph);
	return ports_changed || missed;
}
