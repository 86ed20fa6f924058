#include "common/log.h"
#include "supervisor/conductor.h"
#include "supervisor/edit_parts.h"
#include "supervisor/save.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *chr_edit_why(const char *format, ...)
{
	static char why[CHR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	return why;
}

struct chr_patch_rules chr_edit_rules(const struct chr_conductor *conductor)
{
	return (struct chr_patch_rules){
		.server = conductor->jack.server, .types = chr_catalog_type, .types_self = conductor->catalog};
}

/* By their places in the file; edges of one list that have none stay as they are. */
static int compare_places(const void *x, const void *y)
{
	const struct chr_edge *a = *(const struct chr_edge *const *)x, *b = *(const struct chr_edge *const *)y;
	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return a < b ? -1 : a > b;
}

static int copy_edges(const struct chr_edges *logical, struct chr_patch *patch)
{
	const struct chr_edge **order = calloc(logical->count + 1, sizeof *order);
	patch->edge = order ? calloc(logical->count + 1, sizeof *patch->edge) : NULL;
	for (unsigned i = 0; patch->edge && i < logical->count; i++)
		order[i] = &logical->edge[i];
	if (patch->edge)
		qsort(order, logical->count, sizeof *order, compare_places);
	for (unsigned i = 0; patch->edge && i < logical->count; i++) {
		memcpy(patch->edge[i].from, order[i]->from, sizeof patch->edge[i].from);
		memcpy(patch->edge[i].to, order[i]->to, sizeof patch->edge[i].to);
	}
	free(order);
	patch->edge_count = logical->count;
	return patch->edge ? 0 : -1;
}

/* The parameter is a float; as a double it would have digits that nobody has written. */
static double shortest(float value)
{
	char text[32];
	chr_save_number(value, text);
	return strtod(text, NULL);
}

struct chr_patch *chr_edit_snapshot(struct chr_conductor *conductor)
{
	const struct chr_rack *rack = &conductor->rack;
	struct chr_patch *patch = malloc(sizeof *patch);
	if (!patch)
		return NULL;
	*patch = *rack->patch;
	patch->module_count = 0;
	patch->edge = NULL;
	for (unsigned i = 0; i < rack->unit_count; i++) {
		const struct chr_unit *unit = rack->unit[i];
		struct chr_patch_module *module = &patch->module[patch->module_count];
		bool goes = unit->stage >= CHR_UNIT_LEAVING && !unit->next[0];
		if (goes)
			continue;
		memset(module, 0, sizeof *module);
		memcpy(module->name, unit->next[0] ? unit->next : unit->name, sizeof module->name);
		memcpy(module->type, unit->type->name, sizeof module->type);
		snprintf(module->file, sizeof module->file, "%s", chr_catalog_file(conductor->catalog, unit->code));
		const struct chr_descriptor *type = chr_catalog_type(conductor->catalog, module->type, module->file, NULL);
		chr_code_values(unit->type, type ? type : unit->type, unit->value, module->value);
		patch->module_count++;
	}
	int tempo = chr_descriptor_param(rack->unit[0]->type, "tempo");
	if (tempo >= 0)
		patch->tempo_bpm = shortest(rack->unit[0]->value[tempo]);
	if (copy_edges(&conductor->logical, patch)) {
		free(patch);
		return NULL;
	}
	return patch;
}

/* ---- the desired graph ---- */

/* Do the lanes hear the edge at different times, and so differ from then on? Not what comes from a silent module, nor what goes to others. */
static bool upsets(struct chr_conductor *conductor, const char *from, const char *to)
{
	const char *end[] = {from, to};
	const struct chr_unit *unit[2] = {NULL, NULL};
	for (int i = 0; i < 2; i++) {
		char name[CHR_EDGE_NAME_MAX];
		snprintf(name, sizeof name, "%s", end[i]);
		name[strcspn(name, ":")] = 0;
		unit[i] = chr_rack_find(&conductor->rack, name);
	}
	bool silent = unit[0] && (unit[0]->stage == CHR_UNIT_ENTERING || unit[0]->stage == CHR_UNIT_AWAY);
	return !silent && unit[1];
}

static void note_change(struct chr_conductor *conductor, const char *from, const char *to)
{
	chr_edit_changed(conductor);
	conductor->lanes.unlike = 0;
	/* the next generation of the desired graph, which the caller has made */
	if (conductor->rack.patch->lanes == 2 && upsets(conductor, from, to))
		conductor->edits.redrawn = conductor->generation + 1;
}

int chr_edit_put_edge(struct chr_conductor *conductor, const char *from, const char *to)
{
	if (chr_edges_find(&conductor->logical, from, to) >= 0)
		return 0;
	note_change(conductor, from, to);
	return chr_edges_add(&conductor->logical, from, to);
}

void chr_edit_take_edge(struct chr_conductor *conductor, const char *from, const char *to)
{
	if (chr_edges_remove(&conductor->logical, from, to))
		note_change(conductor, from, to);
}

/* Is that the end of one of the unit's ports? */
static bool ends_at(const char *end, const char *name)
{
	size_t length = strlen(name);
	return !strncmp(end, name, length) && end[length] == ':';
}

void chr_edit_drop_edges(struct chr_conductor *conductor, const struct chr_unit *unit)
{
	struct chr_edges *logical = &conductor->logical;
	for (unsigned i = 0; i < logical->count;) {
		struct chr_edge edge = logical->edge[i];
		if (ends_at(edge.from, unit->name) || ends_at(edge.to, unit->name))
			chr_edit_take_edge(conductor, edge.from, edge.to);
		else
			i++;
	}
}

static void move_end(char end[CHR_EDGE_NAME_MAX], const char *from, const char *to)
{
	char port[CHR_EDGE_NAME_MAX];
	if (!ends_at(end, from))
		return;
	snprintf(port, sizeof port, "%s", end + strlen(from));
	snprintf(end, CHR_EDGE_NAME_MAX, "%.40s%.270s", to, port);
}

void chr_edit_move_edges(struct chr_conductor *conductor, const char *from, const char *to)
{
	for (unsigned i = 0; i < conductor->logical.count; i++) {
		move_end(conductor->logical.edge[i].from, from, to);
		move_end(conductor->logical.edge[i].to, from, to);
	}
	chr_edges_renamed(&conductor->logical);
}

/* ---- by request ---- */

/* The ends as the desired graph has them: a hardware port that is there by its place goes by its place. */
static const char *settle_ends(struct chr_conductor *conductor, const char *from, const char *to, struct chr_patch_edge *edge)
{
	static char why[CHR_TEXT_MAX];
	const struct chr_patch_rules rules = chr_edit_rules(conductor);
	struct chr_patch *patch = chr_edit_snapshot(conductor);
	if (!patch)
		return "out of memory";
	bool good = chr_patch_may_connect(patch, &rules, from, to, edge, why);
	chr_patch_destroy(patch);
	unsigned place = good ? chr_graph_playback(&conductor->graph, edge->to) : 0;
	char by_place[32];
	snprintf(by_place, sizeof by_place, CHR_PLAYBACK_PREFIX "%u", place);
	if (place && chr_edges_find(&conductor->logical, edge->from, edge->to) < 0)
		snprintf(edge->to, sizeof edge->to, "%s", by_place);
	return good ? NULL : why;
}

const char *chr_edit_connect(struct chr_conductor *conductor, const char *from, const char *to)
{
	struct chr_patch_edge edge;
	const char *why = settle_ends(conductor, from, to, &edge);
	if (why)
		return why;
	if (chr_edges_find(&conductor->logical, edge.from, edge.to) >= 0)
		return chr_edit_why("'%.100s' to '%.100s' is connected already", from, to);
	if (conductor->logical.count >= CHR_EDIT_EDGES_MAX)
		return chr_edit_why("%d connections are the most that a patch has", CHR_EDIT_EDGES_MAX);
	if (chr_edit_put_edge(conductor, edge.from, edge.to))
		return "out of memory";
	chr_lanes_rewire(conductor);
	return NULL;
}

const char *chr_edit_disconnect(struct chr_conductor *conductor, const char *from, const char *to)
{
	struct chr_patch_edge edge;
	if (chr_edges_find(&conductor->logical, from, to) >= 0) {
		snprintf(edge.from, sizeof edge.from, "%s", from);
		snprintf(edge.to, sizeof edge.to, "%s", to);
	} else {
		const char *why = settle_ends(conductor, from, to, &edge);
		if (why)
			return why;
	}
	if (chr_edges_find(&conductor->logical, edge.from, edge.to) < 0)
		return chr_edit_why("'%.100s' to '%.100s' is not connected", from, to);
	chr_edit_take_edge(conductor, edge.from, edge.to);
	chr_lanes_rewire(conductor);
	return NULL;
}

/* ---- in a patchbay ---- */

/* The instance whose client that end is of; NULL: another program's. */
static const struct chr_instance *instance_of(const struct chr_conductor *conductor, const char *end)
{
	char client[CHR_EDGE_NAME_MAX];
	unsigned lane = 0;
	snprintf(client, sizeof client, "%s", end);
	client[strcspn(client, ":")] = 0;
	const struct chr_unit *unit = chr_rack_find_client(&conductor->rack, client, &lane);
	return unit ? &unit->instance[lane] : NULL;
}

/* Did the client at the output (0) or the input (1) take the edge along as it ended? One that JACK saw end before its death was seen here has left
 * with its edges and ports in one go. */
static bool took_along(const struct chr_conductor *conductor, const struct chr_post *post, unsigned end)
{
	const struct chr_instance *instance = instance_of(conductor, end ? post->to : post->from);
	uint64_t gone_us = post->gone_us[end];
	if (!instance)
		return gone_us; /* another program's port went: so its client did */
	uint64_t end_us = instance->ending_us ? instance->ending_us : instance->died_us;
	if (instance->ready_us > end_us && post->time_us >= instance->ready_us)
		return gone_us && post->alone[end]; /* it lives, as far as is known here */
	return post->time_us >= end_us || (gone_us && gone_us < end_us && post->alone[end]);
}

static void tell(const struct chr_post *post, const struct chr_edge *edge, const char *what)
{
	chr_debug("%s -> %s (%s) was %s", post->from, chr_wiring_name(post->to), edge->from, what);
}

/* A person drew the edge at that time, in whichever lane: what vanished before then is void. */
static void draw(struct chr_conductor *conductor, const struct chr_edge *edge, uint64_t time_us)
{
	chr_edit_put_edge(conductor, edge->from, edge->to);
	int at = chr_edges_find(&conductor->logical, edge->from, edge->to);
	if (at >= 0)
		conductor->logical.edge[at].drawn_us = time_us;
}

/* Did a person take the edge away, and has not drawn it since? */
static bool erased(const struct chr_conductor *conductor, const struct chr_post *post, const struct chr_edge *edge)
{
	int at = chr_edges_find(&conductor->logical, edge->from, edge->to);
	bool lost = took_along(conductor, post, 0) || took_along(conductor, post, 1);
	bool stale = at >= 0 && conductor->logical.edge[at].drawn_us > post->time_us;
	tell(post, edge, lost ? "lost" : stale ? "erased, and drawn again since" : "erased");
	return !lost && !stale;
}

/* Is it made for reasons of our own, as out's clock is to whom feeds out? */
static bool implied(const struct chr_conductor *conductor, const struct chr_edge *jack, const struct chr_edge *edge)
{
	struct chr_edges wanted = {0};
	if (chr_edges_find(&conductor->logical, edge->from, edge->to) >= 0)
		return false;
	int rc = chr_wiring_expand(&conductor->rack, &conductor->logical, conductor->lanes.foreign, &wanted);
	bool is = !rc && chr_edges_find(&wanted, jack->from, jack->to) >= 0;
	chr_edges_finish(&wanted);
	return is;
}

void chr_edit_drawn(struct chr_conductor *conductor, const struct chr_post *post)
{
	struct chr_edge jack = {0}, edge;
	memcpy(jack.from, post->from, sizeof jack.from);
	memcpy(jack.to, post->to, sizeof jack.to);
	bool ours = chr_wiring_reduce(&conductor->rack, &jack, &edge);
	switch (post->kind) {
	case CHR_POST_EDGE_VANISHED:
		if (ours && erased(conductor, post, &edge)) {
			chr_edit_take_edge(conductor, edge.from, edge.to);
			chr_lanes_rewire(conductor);
		}
		chr_graph_judged(&conductor->graph, post->value);
		break;
	case CHR_POST_EDGE_BACK:
		/* of modules it is known otherwise whether they lived */
		if (!ours || instance_of(conductor, post->value ? post->to : post->from))
			break;
		tell(post, &edge, "lost, not erased");
		chr_edit_put_edge(conductor, edge.from, edge.to);
		chr_lanes_rewire(conductor);
		break;
	default:
		if (!ours || implied(conductor, &jack, &edge))
			break;
		tell(post, &edge, "drawn");
		if (conductor->logical.count < CHR_EDIT_EDGES_MAX)
			draw(conductor, &edge, post->time_us);
		chr_lanes_rewire(conductor);
		/* in the lane that is not heard, or no longer when this is carried out: the one in the other lane takes its place */
		chr_graph_cut(&conductor->graph, jack.from, jack.to);
	}
}

void chr_edit_wired(struct chr_conductor *conductor, int64_t generation)
{
	struct chr_edits *edits = &conductor->edits;
	if (generation > conductor->wired)
		conductor->wired = generation;
	if (!edits->redrawn || generation < edits->redrawn)
		return;
	edits->redrawn = 0;
	chr_lanes_part(conductor);
}
