#include "common/clock.h"
#include "common/log.h"
#include "supervisor/graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static jack_client_t *client_of(struct chr_graph *graph)
{
	return atomic_load_explicit(&graph->client, memory_order_relaxed);
}

static void read_playback(struct chr_graph *graph)
{
	const char **port = jack_get_ports(client_of(graph), NULL, JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput | JackPortIsPhysical);
	graph->playback_count = 0;
	for (unsigned i = 0; port && port[i] && i < 64; i++)
		snprintf(graph->playback[graph->playback_count++], CHR_EDGE_NAME_MAX, "%s", port[i]);
	jack_free(port);
}

/* The name of an end as JACK knows it now; NULL for a playback port that the hardware lacks. */
static const char *resolve(const struct chr_graph *graph, const char *end)
{
	size_t prefix = strlen(CHR_PLAYBACK_PREFIX);
	if (strncmp(end, CHR_PLAYBACK_PREFIX, prefix) != 0)
		return end;
	unsigned long place = strtoul(end + prefix, NULL, 10);
	return place >= 1 && place <= graph->playback_count ? graph->playback[place - 1] : NULL;
}

/* Both ports, or false when one does not exist (now). */
static bool ports_of(struct chr_graph *graph, const struct chr_edge *edge, jack_port_t **from, const char **to_name)
{
	const char *a = resolve(graph, edge->from), *b = resolve(graph, edge->to);
	if (!a || !b)
		return false;
	*from = jack_port_by_name(client_of(graph), a);
	*to_name = b;
	return *from && jack_port_by_name(client_of(graph), b);
}

/* The desired edge between two JACK ports, or NULL. */
static const struct chr_edge *desired(const struct chr_graph *graph, const char *from, const char *to)
{
	for (unsigned i = 0; i < graph->wired.count; i++) {
		const struct chr_edge *edge = &graph->wired.edge[i];
		const char *a = resolve(graph, edge->from), *b = resolve(graph, edge->to);
		if (a && b && !strcmp(a, from) && !strcmp(b, to))
			return edge;
	}
	return NULL;
}

static bool is_clock(const struct chr_edge *edge)
{
	const char *a = strchr(edge->from, ':'), *b = strchr(edge->to, ':');
	return a && b && !strcmp(a, ":clock") && !strcmp(b, ":clock");
}

/* JACK decides when an edge is made whether it closes a loop. An edge module -> out that was made before its clock edge makes
 * out wait for the module, so it is taken away first; the pass makes it again behind the clock edge. */
static void clear_way_for_clock(struct chr_graph *graph, const struct chr_edge *clock)
{
	size_t out = (size_t)(strchr(clock->from, ':') - clock->from) + 1, module = (size_t)(strchr(clock->to, ':') - clock->to) + 1;
	for (unsigned i = 0; i < graph->wired.count; i++) {
		const struct chr_edge *edge = &graph->wired.edge[i];
		jack_port_t *from;
		const char *to;
		if (strncmp(edge->from, clock->to, module) || strncmp(edge->to, clock->from, out) ||
		    !ports_of(graph, edge, &from, &to) || !jack_port_connected_to(from, to))
			continue;
		jack_disconnect(client_of(graph), jack_port_name(from), to);
	}
}

static bool pending_erasure(const struct chr_graph *graph, const char *from, const char *to)
{
	for (unsigned i = 0; i < graph->lost_count; i++)
		if (!strcmp(graph->lost_edge[i].edge.from, from) && !strcmp(graph->lost_edge[i].edge.to, to))
			return true;
	return false;
}

/* Makes every desired edge whose ports exist. False when one could not be made. */
static bool make_edges(struct chr_graph *graph)
{
	bool all = true;
	for (unsigned i = 0; i < graph->wired.count; i++) {
		const struct chr_edge *edge = &graph->wired.edge[i];
		jack_port_t *from;
		const char *to;
		if (edge->held || !ports_of(graph, edge, &from, &to) || jack_port_connected_to(from, to))
			continue;
		if (pending_erasure(graph, jack_port_name(from), to))
			continue;
		if (is_clock(edge))
			clear_way_for_clock(graph, edge);
		int rc = jack_connect(client_of(graph), jack_port_name(from), to);
		if (rc && rc != EEXIST) {
			chr_debug("cannot connect %s to %s (%d); trying again", edge->from, to, rc);
			all = false;
		}
	}
	return all;
}

/* Takes a new desired graph over: what it no longer has is disconnected. */
static bool adopt(struct chr_graph *graph)
{
	pthread_mutex_lock(&graph->lock);
	bool changed = graph->generation != graph->wired_generation;
	struct chr_edges old = graph->wired, fresh = {0};
	for (unsigned i = 0; changed && i < graph->desired.count; i++)
		if (!chr_edges_add(&fresh, graph->desired.edge[i].from, graph->desired.edge[i].to))
			fresh.edge[fresh.count - 1].held = graph->desired.edge[i].held;
	graph->wired_generation = graph->generation;
	pthread_mutex_unlock(&graph->lock);
	if (!changed)
		return false;
	graph->wired = fresh;
	for (unsigned i = 0; i < old.count; i++) {
		jack_port_t *from;
		const char *to;
		if (chr_edges_find(&fresh, old.edge[i].from, old.edge[i].to) < 0 && ports_of(graph, &old.edge[i], &from, &to) &&
		    jack_port_connected_to(from, to))
			jack_disconnect(client_of(graph), jack_port_name(from), to);
	}
	chr_edges_finish(&old);
	return true;
}

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
	jack_port_t *from = jack_port_by_id(client_of(graph), a), *to = jack_port_by_id(client_of(graph), b);
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
	jack_port_t *from = jack_port_by_name(client_of(graph), edge->from);
	return from && jack_port_connected_to(from, edge->to);
}

static void take_notice(struct chr_graph *graph, const struct chr_notice *notice, bool *ports_changed)
{
	struct chr_edge edge;
	switch (notice->kind) {
	case CHR_NOTICE_CONNECT:
		if (edge_of(graph, notice->a, notice->b, &edge) && connected(graph, &edge) && !desired(graph, edge.from, edge.to))
			post_edge(graph, CHR_POST_EDGE_DRAWN, &edge);
		break;
	case CHR_NOTICE_DISCONNECT:
		if (edge_of(graph, notice->a, notice->b, &edge) && desired(graph, edge.from, edge.to) &&
		    graph->lost_count < CHR_GRAPH_LOST_MAX && !pending_erasure(graph, edge.from, edge.to))
			graph->lost_edge[graph->lost_count++] = (struct chr_lost_edge){
				.a = notice->a, .b = notice->b, .edge = edge, .since_us = chr_monotonic_us()};
		break;
	case CHR_NOTICE_PORT:
	case CHR_NOTICE_PORT_GONE:
		*ports_changed = true;
		for (unsigned i = 0; i < graph->lost_count;)
			if (graph->lost_edge[i].a == notice->a || graph->lost_edge[i].b == notice->a)
				graph->lost_edge[i] = graph->lost_edge[--graph->lost_count];
			else
				i++;
		break;
	}
}

static bool take_notices(struct chr_graph *graph)
{
	bool ports_changed = false;
	uint32_t tail = atomic_load_explicit(&graph->notice_tail, memory_order_relaxed);
	while (tail != atomic_load_explicit(&graph->notice_head, memory_order_acquire)) {
		struct chr_notice notice = graph->notice[tail % CHR_GRAPH_NOTICES];
		atomic_store_explicit(&graph->notice_tail, ++tail, memory_order_release);
		take_notice(graph, &notice, &ports_changed);
	}
	return ports_changed;
}

/* Edges that have been gone for the settling time while both ports lived: a person erased them. */
static int settle_lost(struct chr_graph *graph)
{
	uint64_t now = chr_monotonic_us();
	int wait = -1;
	for (unsigned i = 0; i < graph->lost_count;) {
		struct chr_lost_edge *lost = &graph->lost_edge[i];
		struct chr_edge edge;
		uint64_t age = now - lost->since_us;
		if (age < CHR_GRAPH_SETTLE_MS * 1000u) {
			wait = CHR_GRAPH_SETTLE_MS - (int)(age / 1000);
			i++;
			continue;
		}
		const struct chr_edge *wanted = desired(graph, lost->edge.from, lost->edge.to);
		if (wanted && edge_of(graph, lost->a, lost->b, &edge) && !strcmp(edge.from, lost->edge.from) && !strcmp(edge.to, lost->edge.to) &&
		    !connected(graph, &edge))
			post_edge(graph, CHR_POST_EDGE_ERASED, wanted);
		*lost = graph->lost_edge[--graph->lost_count];
	}
	return wait;
}

int chr_graph_pass(struct chr_graph *graph)
{
	bool ports_changed = take_notices(graph);
	pthread_mutex_lock(&graph->lock);
	bool poked = graph->poked;
	graph->poked = false;
	int64_t generation = graph->generation;
	pthread_mutex_unlock(&graph->lock);
	if (ports_changed || poked)
		read_playback(graph);
	bool adopted = adopt(graph);
	int wait = settle_lost(graph);
	if ((adopted || ports_changed || poked) && !make_edges(graph)) {
		pthread_mutex_lock(&graph->lock);
		graph->poked = true;
		pthread_mutex_unlock(&graph->lock);
		return 5;
	}
	if (adopted || poked)
		chr_inbox_put(graph->inbox, &(struct chr_post){.kind = CHR_POST_WIRED, .value = generation});
	return wait;
}

void chr_graph_forget(struct chr_graph *graph)
{
	graph->lost_count = 0;
	graph->playback_count = 0;
	atomic_store_explicit(&graph->notice_tail, atomic_load_explicit(&graph->notice_head, memory_order_acquire),
			      memory_order_release);
}
