/* What a load leaves behind is told in the file's order, so that the next save writes the same file again.
 *
 * The list of the desired graph keeps its own order all the same: JACK adds up what comes to an input in the order in which its edges were made, and an
 * edge that plays would have to be taken away and made again to change that, for the last bit of a sum. But which edge of a loop is late by a period can be
 * heard, and it is the one that the list has last: so those that close loops in the file are put last.
 */
#include "common/log.h"
#include "supervisor/conductor.h"
#include "supervisor/edit_parts.h"

#include <stdlib.h>
#include <string.h>

/* Those of the file first, in its order. */
static void order_units(struct chr_rack *rack, const struct chr_patch *file)
{
	unsigned to = 0;
	for (unsigned i = 0; i < file->module_count; i++) {
		unsigned at = to;
		while (at < rack->unit_count && strcmp(rack->unit[at]->name, file->module[i].name) != 0)
			at++;
		if (at == rack->unit_count)
			continue;
		struct chr_unit *unit = rack->unit[at];
		memmove(&rack->unit[to + 1], &rack->unit[to], (at - to) * sizeof rack->unit[0]);
		rack->unit[to++] = unit;
	}
}

static void place_edges(struct chr_edges *logical, const struct chr_edges *wanted)
{
	for (unsigned i = 0; i < logical->count; i++) {
		int place = chr_edges_find(wanted, logical->edge[i].from, logical->edge[i].to);
		logical->edge[i].place = place < 0 ? CHR_EDGES_NO_PLACE : (unsigned)place;
	}
}

/* Does an edge close a loop in one list only? Those that are in one list alone do not count: they come or go with that. */
static bool close_alike(const struct chr_edges *logical, const bool *now, const struct chr_edges *wanted, const bool *then)
{
	for (unsigned i = 0; i < wanted->count; i++) {
		int at = chr_edges_find(logical, wanted->edge[i].from, wanted->edge[i].to);
		if (at >= 0 && now[at] != then[i])
			return false;
	}
	return true;
}

static void put_last(struct chr_conductor *conductor, const struct chr_edge *edge)
{
	struct chr_edges *logical = &conductor->logical;
	int at = chr_edges_find(logical, edge->from, edge->to);
	if (at < 0)
		return;
	struct chr_edge kept = logical->edge[at];
	chr_edit_take_edge(conductor, kept.from, kept.to);
	if (chr_edit_put_edge(conductor, kept.from, kept.to))
		return;
	logical->edge[logical->count - 1] = kept;
}

bool chr_load_take_order(struct chr_conductor *conductor, const struct chr_patch *file)
{
	struct chr_edges wanted = {0};
	bool changed = false, *now = NULL, *then = NULL;
	int rc = chr_wiring_logical(file, &wanted);
	if (!rc) {
		order_units(&conductor->rack, file);
		place_edges(&conductor->logical, &wanted);
		now = calloc(conductor->logical.count + 1, sizeof *now);
		then = calloc(wanted.count + 1, sizeof *then);
		rc = !now || !then || chr_wiring_closing(&conductor->rack, &conductor->logical, now) ||
		     chr_wiring_closing(&conductor->rack, &wanted, then);
	}
	if (rc)
		chr_error("out of memory: the order of the file was not taken over");
	else
		changed = !close_alike(&conductor->logical, now, &wanted, then);
	for (unsigned i = 0; changed && i < wanted.count; i++)
		if (then[i])
			put_last(conductor, &wanted.edge[i]);
	free(now);
	free(then);
	chr_edges_finish(&wanted);
	return changed;
}
