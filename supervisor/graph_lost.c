#include "common/clock.h"
#include "supervisor/graph.h"

#include <stdio.h>
#include <string.h>

static void forget(struct chr_graph *graph, unsigned at)
{
	graph->lost_edge[at] = graph->lost_edge[--graph->lost_count];
}

void chr_graph_lose(struct chr_graph *graph, const struct chr_edge *edge, const struct chr_notice *notice)
{
	if (graph->lost_count == CHR_GRAPH_LOST_MAX)
		return;
	graph->lost_edge[graph->lost_count++] = (struct chr_lost_edge){
		.a = notice->a, .b = notice->b, .edge = *edge, .since_us = notice->time_us, .alone = {true, true}};
}

void chr_graph_find(struct chr_graph *graph, const struct chr_edge *edge)
{
	for (unsigned i = 0; i < graph->lost_count;)
		if (chr_edge_joins(&graph->lost_edge[i].edge, edge->from, edge->to))
			forget(graph, i);
		else
			i++;
}

/* Is that of which the notice tells an end, or the edge of an end, of the client of the port `end`? */
static bool is_end_of(const struct chr_notice *notice, const char *from, const char *to, const char *end)
{
	bool goes = notice->kind == CHR_NOTICE_DISCONNECT || notice->kind == CHR_NOTICE_PORT_GONE;
	return goes && ((from && chr_edge_same_client(from, end)) || (to && chr_edge_same_client(to, end)));
}

void chr_graph_witness(struct chr_graph *graph, const struct chr_notice *notice, const char *from, const char *to)
{
	for (unsigned i = 0; i < graph->lost_count; i++) {
		struct chr_lost_edge *lost = &graph->lost_edge[i];
		lost->alone[0] = lost->alone[0] && (lost->gone_us[0] || is_end_of(notice, from, to, lost->edge.from));
		lost->alone[1] = lost->alone[1] && (lost->gone_us[1] || is_end_of(notice, from, to, lost->edge.to));
	}
}

/* What seemed erased was a client that ended: its edges went first. */
static void take_back(struct chr_graph *graph, const struct chr_notice *gone)
{
	for (unsigned i = 0; i < CHR_GRAPH_DRAWN_MAX; i++) {
		struct chr_lost_edge *erased = &graph->erased[i];
		bool first = erased->a == gone->a, fresh = gone->time_us - erased->since_us < CHR_GRAPH_LINGER_MS * 1000u;
		if (!erased->edge.from[0] || (!first && erased->b != gone->a))
			continue;
		struct chr_edge edge = erased->edge;
		bool bare = erased->bare[!first];
		*erased = (struct chr_lost_edge){0};
		if (fresh && bare)
			chr_graph_post(graph, CHR_POST_EDGE_BACK, &edge,
				       &(struct chr_post){.time_us = gone->time_us, .value = !first});
	}
}

void chr_graph_port_gone(struct chr_graph *graph, const struct chr_notice *gone)
{
	for (unsigned i = 0; i < graph->lost_count; i++) {
		struct chr_lost_edge *lost = &graph->lost_edge[i];
		if (!lost->gone_us[0] && lost->a == gone->a)
			lost->gone_us[0] = gone->time_us;
		if (!lost->gone_us[1] && lost->b == gone->a)
			lost->gone_us[1] = gone->time_us;
	}
	take_back(graph, gone);
}

bool chr_graph_is_lost(const struct chr_graph *graph, const struct chr_wire *wire)
{
	for (unsigned i = 0; i < graph->lost_count; i++) {
		const struct chr_lost_edge *lost = &graph->lost_edge[i];
		/* one whose port went is made again with the next client of that name, however it was lost */
		if (!lost->gone_us[0] && !lost->gone_us[1] && chr_edge_joins(&lost->edge, wire->edge.from, wire->edge.to))
			return true;
	}
	return false;
}

/* Has the client of that end no edge left, of those that are known? */
static bool is_bare(const struct chr_graph *graph, const char *end)
{
	for (unsigned i = 0; i < graph->wire_count; i++) {
		const struct chr_wire *wire = &graph->wire[i];
		if (wire->made && (chr_edge_same_client(wire->edge.from, end) || chr_edge_same_client(wire->edge.to, end)))
			return false;
	}
	return true;
}

static void tell(struct chr_graph *graph, struct chr_lost_edge *lost)
{
	struct chr_post post = {.time_us = lost->since_us, .value = lost->told = ++graph->told};
	for (int i = 0; i < 2; i++) {
		post.gone_us[i] = lost->gone_us[i];
		post.alone[i] = lost->alone[i];
	}
	if (!lost->gone_us[0] && !lost->gone_us[1]) {
		struct chr_lost_edge *erased = &graph->erased[graph->erased_next++ % CHR_GRAPH_DRAWN_MAX];
		*erased = *lost;
		erased->bare[0] = is_bare(graph, lost->edge.from);
		erased->bare[1] = is_bare(graph, lost->edge.to);
	}
	chr_graph_post(graph, CHR_POST_EDGE_VANISHED, &lost->edge, &post);
}

int chr_graph_settle(struct chr_graph *graph)
{
	uint64_t now = chr_monotonic_us();
	int wait = -1;
	for (unsigned i = 0; i < graph->lost_count;) {
		struct chr_lost_edge *lost = &graph->lost_edge[i];
		uint64_t age_us = now > lost->since_us ? now - lost->since_us : 0;
		if (lost->told && lost->told <= graph->judged_adopted) {
			forget(graph, i);
			continue;
		}
		if (!lost->told && age_us >= CHR_GRAPH_SETTLE_MS * 1000u)
			tell(graph, lost);
		else if (!lost->told && (wait < 0 || wait > CHR_GRAPH_SETTLE_MS - (int)(age_us / 1000)))
			wait = CHR_GRAPH_SETTLE_MS - (int)(age_us / 1000);
		i++;
	}
	return wait;
}
