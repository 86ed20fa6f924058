#include "common/clock.h"
#include "supervisor/graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STALE_US 1000000u /* a server that has not told of an act by then never will */
#define DOUBT_MS 30       /* what was asked for and answered with an error is done by then, or was not */

static bool is_at(const struct chr_act *act, const char *port)
{
	return !strcmp(act->from, port) || !strcmp(act->to, port);
}

static void forget(struct chr_graph *graph, unsigned at)
{
	memmove(&graph->act[at], &graph->act[at + 1], (--graph->act_count - at) * sizeof *graph->act);
}

static void remember(struct chr_graph *graph, bool connects, const char *from, const char *to, uint64_t since_us)
{
	if (graph->act_count == graph->act_space) {
		unsigned space = graph->act_space ? graph->act_space * 2 : 64;
		struct chr_act *act = realloc(graph->act, space * sizeof *act);
		if (!act)
			return; /* it will be taken for somebody else's */
		graph->act = act;
		graph->act_space = space;
	}
	struct chr_act *act = &graph->act[graph->act_count++];
	*act = (struct chr_act){.connects = connects, .since_us = since_us};
	snprintf(act->from, sizeof act->from, "%s", from);
	snprintf(act->to, sizeof act->to, "%s", to);
}

/* Only PipeWire is asked, where it costs nothing. */
static bool is_made(struct chr_graph *graph, const char *from, const char *to)
{
	const jack_port_t *port = jack_port_by_name(chr_graph_client(graph), from);
	return port && jack_port_connected_to(port, to);
}

/* PipeWire's libjack answers with whatever error comes in while it waits: of something else that this client has asked a moment ago, of one that ends. The
 * edge that was to be made, or not, tells. */
static int true_answer(struct chr_graph *graph, const char *from, const char *to, bool made, int rc)
{
	static const struct timespec moment = {.tv_nsec = 1000000};
	for (int i = 0; i < DOUBT_MS && rc && rc != EINVAL; i++) {
		if (is_made(graph, from, to) == made)
			return 0;
		nanosleep(&moment, NULL);
	}
	return rc;
}

int chr_graph_connect(struct chr_graph *graph, const char *from, const char *to)
{
	/* PipeWire's libjack takes a connection that is there for the end of the server */
	if (graph->pipewire && is_made(graph, from, to))
		return EEXIST;
	uint64_t since_us = chr_monotonic_us();
	int rc = jack_connect(chr_graph_client(graph), from, to);
	if (rc && graph->pipewire)
		rc = true_answer(graph, from, to, true, rc);
	if (!rc)
		remember(graph, true, from, to, since_us);
	return rc;
}

int chr_graph_disconnect(struct chr_graph *graph, const char *from, const char *to)
{
	if (graph->pipewire && !is_made(graph, from, to))
		return ENOENT;
	uint64_t since_us = chr_monotonic_us();
	int rc = jack_disconnect(chr_graph_client(graph), from, to);
	if (rc && graph->pipewire)
		rc = true_answer(graph, from, to, false, rc);
	if (!rc)
		remember(graph, false, from, to, since_us);
	return rc;
}

/* The oldest act at that edge of which nothing was heard; the count without one. */
static unsigned first_at(struct chr_graph *graph, const struct chr_edge *edge)
{
	uint64_t now = chr_monotonic_us();
	for (unsigned i = 0; i < graph->act_count;) {
		const struct chr_act *act = &graph->act[i];
		if (strcmp(act->from, edge->from) != 0 || strcmp(act->to, edge->to) != 0)
			i++;
		else if (now > act->since_us + STALE_US)
			forget(graph, i);
		else
			return i;
	}
	return graph->act_count;
}

bool chr_graph_take_act(struct chr_graph *graph, bool connects, const struct chr_edge *edge, uint64_t told_us)
{
	unsigned at = first_at(graph, edge);
	if (at == graph->act_count || graph->act[at].connects != connects || told_us < graph->act[at].since_us)
		return false;
	forget(graph, at);
	return true;
}

bool chr_graph_acted(struct chr_graph *graph, const struct chr_edge *edge)
{
	return first_at(graph, edge) < graph->act_count;
}

void chr_graph_forget_acts(struct chr_graph *graph, const char *port)
{
	for (unsigned i = 0; i < graph->act_count;)
		if (!port || is_at(&graph->act[i], port))
			forget(graph, i);
		else
			i++;
}
