#include "supervisor/edges.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool chr_edge_joins(const struct chr_edge *edge, const char *from, const char *to)
{
	return !strcmp(edge->from, from) && !strcmp(edge->to, to);
}

bool chr_edge_same_client(const char *a, const char *b)
{
	return !strncmp(a, b, strcspn(a, ":") + 1);
}

/* FNV-1a; the final NUL of the first name keeps the two apart. */
static uint32_t hash_of(const char *from, const char *to)
{
	uint32_t hash = 2166136261u;
	const char *name[] = {from, to};
	for (int i = 0; i < 2; i++) {
		for (const char *at = name[i]; *at; at++)
			hash = (hash ^ (unsigned char)*at) * 16777619u;
		hash *= 16777619u;
	}
	return hash;
}

/* Where the edge is, or would be: open addressing with steps of one, half of the places are free. */
static unsigned *place_of(const struct chr_edges *edges, const char *from, const char *to)
{
	unsigned mask = 2 * edges->space - 1, at = hash_of(from, to) & mask;
	for (; edges->place[at]; at = (at + 1) & mask) {
		const struct chr_edge *edge = &edges->edge[edges->place[at] - 1];
		if (chr_edge_joins(edge, from, to))
			break;
	}
	return &edges->place[at];
}

int chr_edges_find(const struct chr_edges *edges, const char *from, const char *to)
{
	unsigned place = edges->count ? *place_of(edges, from, to) : 0;
	return place ? (int)place - 1 : -ENOENT;
}

void chr_edges_renamed(struct chr_edges *edges)
{
	if (!edges->space)
		return;
	memset(edges->place, 0, 2 * edges->space * sizeof *edges->place);
	for (unsigned i = 0; i < edges->count; i++)
		*place_of(edges, edges->edge[i].from, edges->edge[i].to) = i + 1;
}

/* Makes room for one more. 0 or -ENOMEM. */
static int grow(struct chr_edges *edges)
{
	unsigned space = edges->space ? edges->space * 2 : 64;
	struct chr_edge *edge = realloc(edges->edge, space * sizeof *edge);
	if (!edge)
		return -ENOMEM;
	edges->edge = edge;
	unsigned *place = malloc(2 * space * sizeof *place);
	if (!place)
		return -ENOMEM;
	free(edges->place);
	edges->place = place;
	edges->space = space;
	chr_edges_renamed(edges);
	return 0;
}

int chr_edges_add(struct chr_edges *edges, const char *from, const char *to)
{
	if (chr_edges_find(edges, from, to) >= 0)
		return 0;
	if (edges->count == edges->space && grow(edges))
		return -ENOMEM;
	*place_of(edges, from, to) = edges->count + 1;
	struct chr_edge *edge = &edges->edge[edges->count++];
	edge->held = edge->closes = edge->ordered = edge->sure = false;
	edge->around = 0;
	edge->drawn_us = 0;
	edge->place = CHR_EDGES_NO_PLACE;
	snprintf(edge->from, sizeof edge->from, "%s", from);
	snprintf(edge->to, sizeof edge->to, "%s", to);
	return 0;
}

bool chr_edges_remove(struct chr_edges *edges, const char *from, const char *to)
{
	int at = chr_edges_find(edges, from, to);
	if (at < 0)
		return false;
	memmove(&edges->edge[at], &edges->edge[at + 1], (edges->count - (unsigned)at - 1) * sizeof *edges->edge);
	edges->count--;
	chr_edges_renamed(edges);
	return true;
}

void chr_edges_finish(struct chr_edges *edges)
{
	free(edges->edge);
	free(edges->place);
	*edges = (struct chr_edges){0};
}
