#include "common/clock.h"
#include "supervisor/graph.h"

#include <stdio.h>
#include <string.h>

static void post_edge(struct chr_graph *graph, enum chr_post_kind kind, const struct chr_edge *edge)
{
	struct chr_post post = {.kind = kind};
	snprintf(post.from, sizeof post.from, "%s", edge->from);
	snprintf(post.to, sizeof post.to, "%s", edge->to);
	chr_inbox_put(graph->inbox, &post);
}

/* The names of two ports by their numbers, the output first. False when one is gone. Numbers are used again: whoever asks late may be told
 * of two other ports. */
static bool edge_of(struct chr_graph *graph, jack_port_id_t a, jack_port_id_t b, struct chr_edge *edge)
{
	jack_port_t *from = jack_port_by_id(chr_graph_client(graph), a), *to = jack_port_by_id(chr_graph_client(graph), b);
	if (!from || !to)
		return false;
	const char *name_from = jack_port_name(from), *name_to = jack_port_name(to);
	if (!name_from || !name_to || !*name_from || !*name_to)
		return false;
	bool turned = jack_port_flags(from) & JackPortIsInput;
	if (turned == (bool)(jack_port_flags(to) & JackPortIsInput))
		return false;
	snprintf(edge->from, sizeof edge->from, "%s", turned ? name_to : name_from);
	snprintf(edge->to, sizeof edge->to, "%s", turned ? name_from : name_to);
	return true;
}

static bool connected(struct chr_graph *graph, const struct chr_edge *edge)
{
	jack_port_t *from = jack_port_by_name(chr_graph_client(graph), edge->from);
	return from && jack_port_connected_to(from, edge->to);
}

static void take_connect(struct chr_graph *graph, const struct chr_notice *notice)
{
	struct chr_edge edge;
	if (!edge_of(graph, notice->a, notice->b, &edge))
		return;
	struct chr_wire *wire = chr_graph_wire(graph, edge.from, edge.to);
	if (wire) {
		wire->made = wire->known = true;
		wire->a = notice->a;
		wire->b = notice->b;
	} else if (connected(graph, &edge)) {
		graph->drawn[graph->drawn_next++ % CHR_GRAPH_DRAWN_MAX] = (struct chr_wire){
			.edge = edge, .made = true, .known = true, .a = notice->a, .b = notice->b};
		post_edge(graph, CHR_POST_EDGE_DRAWN, &edge);
	}
}

static void take_disconnect(struct chr_graph *graph, const struct chr_notice *notice)
{
	for (unsigned i = 0; i < graph->wire_count; i++) {
		struct chr_wire *wire = &graph->wire[i];
		if (!wire->known || wire->a != notice->a || wire->b != notice->b)
			continue;
		wire->made = false;
		if (graph->lost_count < CHR_GRAPH_LOST_MAX && !chr_graph_is_lost(graph, wire))
			graph->lost_edge[graph->lost_count++] = (struct chr_lost_edge){
				.a = notice->a, .b = notice->b, .edge = wire->edge, .since_us = chr_monotonic_us()};
	}
}

/* Whatever had that number is not there any more, or something new has it. */
static void take_port(struct chr_graph *graph, jack_port_id_t port)
{
	for (unsigned i = 0; i < graph->wire_count; i++) {
		struct chr_wire *wire = &graph->wire[i];
		if (wire->known && (wire->a == port || wire->b == port))
			wire->made = wire->known = false;
	}
	jack_port_t *now = jack_port_by_id(chr_graph_client(graph), port);
	graph->hardware_stale |= now && jack_port_flags(now) & JackPortIsPhysical;
	for (unsigned i = 0; i < graph->lost_count;)
		if (graph->lost_edge[i].a == port || graph->lost_edge[i].b == port)
			graph->lost_edge[i] = graph->lost_edge[--graph->lost_count];
		else
			i++;
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
		else
			take_port(graph, notice.a);
		ports_changed |= notice.kind == CHR_NOTICE_PORT || notice.kind == CHR_NOTICE_PORT_GONE;
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

/* Still desired, still not there, and between the same two ports? */
static bool erased(struct chr_graph *graph, const struct chr_lost_edge *lost)
{
	struct chr_edge now;
	for (unsigned i = 0; i < graph->wire_count; i++) {
		const struct chr_wire *wire = &graph->wire[i];
		if (!strcmp(wire->edge.from, lost->edge.from) && !strcmp(wire->edge.to, lost->edge.to))
			return !wire->made && edge_of(graph, lost->a, lost->b, &now) && !connected(graph, &now);
	}
	return false;
}

int chr_graph_settle(struct chr_graph *graph)
{
	uint64_t now = chr_monotonic_us();
	int wait = -1;
	for (unsigned i = 0; i < graph->lost_count;) {
		struct chr_lost_edge *lost = &graph->lost_edge[i];
		uint64_t age = now - lost->since_us;
		if (age < CHR_GRAPH_SETTLE_MS * 1000u) {
			wait = CHR_GRAPH_SETTLE_MS - (int)(age / 1000);
			i++;
			continue;
		}
		if (erased(graph, lost))
			post_edge(graph, CHR_POST_EDGE_ERASED, &lost->edge);
		*lost = graph->lost_edge[--graph->lost_count];
	}
	return wait;
}
