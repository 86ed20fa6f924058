/* What JACK decides as an edge is made: does it close a loop? (wiring_loops.h) */
#include "common/clock.h"
#include "common/log.h"
#include "supervisor/graph.h"

#include <string.h>

#define HOPS_MAX  32u     /* as far as PipeWire looks for the way back */
#define UNREST_US 100000u /* an edge drawn this soon after a change of this thread's own may have been drawn before it */

static struct chr_wire *wire_at(struct chr_graph *graph, unsigned i)
{
	return i < graph->wire_count ? &graph->wire[i] : &graph->drawn[i - graph->wire_count];
}

/* Does the client of the port `from` lead to that of the port `to`, or is it that: along edges that are made and not delayed, or along `any`? */
static bool leads(struct chr_graph *graph, const char *from, const char *to, bool any)
{
	const unsigned count = graph->wire_count + CHR_GRAPH_DRAWN_MAX;
	struct chr_wire *last = NULL; /* of those reached, a list; each is looked at once */
	if (chr_edge_same_client(from, to))
		return true;
	for (unsigned i = 0; i < count; i++)
		wire_at(graph, i)->reached = false;
	for (const char *at = from;;) {
		for (unsigned i = 0; i < count; i++) {
			struct chr_wire *wire = wire_at(graph, i);
			if (wire->reached || !chr_edge_same_client(at, wire->edge.from) ||
			    (!any && (!wire->made || wire->edge.closes)))
				continue;
			if (chr_edge_same_client(wire->edge.to, to))
				return true;
			wire->reached = true;
			wire->next = last;
			last = wire;
		}
		if (!last)
			return false;
		at = last->edge.to;
		last = last->next;
	}
}

/* May PipeWire overlook what the edge closes, because of the delayed edge `other`? */
static bool hides(struct chr_graph *graph, const struct chr_edge *other, const struct chr_edge *edge)
{
	return !chr_edge_same_client(other->to, edge->to) && !chr_edge_same_client(other->from, other->to) &&
	       leads(graph, edge->to, other->to, false) && leads(graph, other->to, edge->from, false);
}

static unsigned sources(struct chr_graph *graph, const char *input)
{
	unsigned count = 0;
	for (unsigned i = 0; i < graph->wire_count + CHR_GRAPH_DRAWN_MAX; i++)
		count += !strcmp(wire_at(graph, i)->edge.to, input);
	return count;
}

bool chr_graph_closes(struct chr_graph *graph, const struct chr_edge *edge)
{
	return leads(graph, edge->to, edge->from, false);
}

bool chr_graph_doubtful(struct chr_graph *graph, const struct chr_edge *edge)
{
	bool unrest = chr_monotonic_us() - graph->changed_us < UNREST_US;
	if (unrest &&
	    (leads(graph, edge->to, edge->from, true) || (!graph->reuses && sources(graph, edge->to) + 1 >= CHR_WIRING_ORDERED)))
		return true;
	if (!graph->pipewire || !leads(graph, edge->to, edge->from, false))
		return false;
	for (unsigned i = 0; i < graph->wire_count; i++) {
		const struct chr_wire *wire = &graph->wire[i];
		if (wire->made && wire->edge.closes && hides(graph, &wire->edge, edge))
			return true;
	}
	return false;
}

/* Is a client that wires lead to or from at one end of it? */
static bool concerns(const struct chr_graph *graph, const struct chr_edge *edge)
{
	for (unsigned i = 0; i < graph->wire_count; i++) {
		const struct chr_edge *wire = &graph->wire[i].edge;
		if (chr_edge_same_client(wire->from, edge->from) || chr_edge_same_client(wire->to, edge->from) ||
		    chr_edge_same_client(wire->from, edge->to) || chr_edge_same_client(wire->to, edge->to))
			return true;
	}
	return false;
}

bool chr_graph_waits(const struct chr_graph *graph)
{
	uint64_t now = chr_monotonic_us();
	for (unsigned i = 0; i < CHR_GRAPH_DRAWN_MAX; i++) {
		const struct chr_wire *drawn = &graph->drawn[i];
		if (drawn->made && now - drawn->made_us < UNREST_US && concerns(graph, &drawn->edge))
			return true;
	}
	return false;
}

bool chr_graph_refuses(const struct chr_graph *graph, struct chr_wire *wire)
{
	const struct chr_edge *edge = &wire->edge;
	if (!graph->pipewire || edge->around <= HOPS_MAX + 1)
		return false;
	if (!wire->refused)
		chr_warn("%s is not connected to %s: that would close a loop of %u, and PipeWire sees none of more than %u; "
			 "its modules would stand still",
			 edge->from, edge->to, edge->around, HOPS_MAX + 1);
	wire->refused = true;
	return true;
}

void chr_graph_unhide(struct chr_graph *graph, const struct chr_edge *edge)
{
	for (unsigned i = 0; i < graph->wire_count && graph->pipewire; i++) {
		struct chr_wire *wire = &graph->wire[i];
		if (wire->made && wire->edge.closes && hides(graph, &wire->edge, edge))
			chr_graph_break(graph, wire);
	}
}
