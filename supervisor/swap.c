#include "supervisor/swap_parts.h"

#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define ASK_WAIT_US 2000000u /* for a process to load the file */

const char *const chr_swap_word[] = {
	[CHR_SWAP_NONE] = "none",     [CHR_SWAP_ASKING] = "asking", [CHR_SWAP_WAITING] = "waiting", [CHR_SWAP_FIRST] = "first",
	[CHR_SWAP_FADING] = "fading", [CHR_SWAP_TRIAL] = "trial",   [CHR_SWAP_TURNING] = "turning", [CHR_SWAP_LEAVING] = "leaving",
	[CHR_SWAP_SECOND] = "second", [CHR_SWAP_BACK] = "back",
};

void chr_swap_set_state(struct chr_conductor *conductor, enum chr_swap_state state)
{
	struct chr_swap *swap = &conductor->swap;
	swap->state = state;
	swap->since_us = chr_monotonic_us();
	swap->trial_us = 0;
	if (state != CHR_SWAP_NONE)
		chr_debug("swap of %s: %s", swap->unit->name, chr_swap_word[state]);
	if (state != CHR_SWAP_NONE && swap->ask.peer.bytes && conductor->osc)
		chr_osc_tell_swap(conductor->osc, &swap->ask.peer, swap->unit->name, chr_swap_word[state]);
}

/* ---- wishes ---- */

static bool waits(const struct chr_swap *swap, const struct chr_swap_ask *ask)
{
	for (unsigned i = 0; i < swap->queued; i++)
		if (!strcmp(swap->queue[i].name, ask->name) && !strcmp(swap->queue[i].file, ask->file) && !ask->peer.bytes)
			return true;
	return false;
}

int chr_swap_ask(struct chr_conductor *conductor, const struct chr_swap_ask *ask, const char **why)
{
	struct chr_swap *swap = &conductor->swap;
	const struct chr_unit *unit = chr_rack_find(&conductor->rack, ask->name);
	*why = NULL;
	if (!unit)
		return -ENOENT;
	if (ask->file[0] && ask->file[0] != '/')
		*why = "the file has to be named with its whole path";
	else if (swap->queued == CHR_SWAPS_MAX)
		*why = "too many swaps wait";
	if (*why)
		return -EINVAL;
	if (waits(swap, ask))
		return -EALREADY;
	swap->queue[swap->queued++] = *ask;
	return 0;
}

/* ---- what the new code is ---- */

static bool from_catalog(const struct chr_conductor *conductor, const struct chr_swap *swap)
{
	const struct chr_type *type = chr_catalog_find(conductor->catalog, swap->unit->type->name);
	return type && !strcmp(type->file, swap->code->file);
}

/* Whoever can send OSC must not have somebody else's code run. */
static const char *refuse(const struct chr_conductor *conductor, const struct chr_swap *swap)
{
	if (swap->ask.given && swap->code->foreign && !from_catalog(conductor, swap))
		return CHR_CODE_FOREIGN;
	return NULL;
}

/* A build that is what plays already, as when a file was touched. */
static bool idle(const struct chr_conductor *conductor, const struct chr_swap *swap)
{
	const struct chr_code *running = chr_instances_code(conductor, swap->unit, &swap->unit->instance[0]);
	return swap->ask.watched && !swap->unit->quarantined && running && chr_code_equal(running, swap->code);
}

static void begin_asking(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	const struct chr_type *type = chr_catalog_find(conductor->catalog, swap->unit->type->name);
	char why[CHR_TEXT_MAX];
	const char *own = chr_catalog_file(conductor->catalog, swap->unit->code);
	if (!swap->ask.file[0] && (*own || type))
		snprintf(swap->ask.file, sizeof swap->ask.file, "%s", *own ? own : type->file);
	swap->code = chr_code_copy(swap->ask.file, why, sizeof why);
	if (!swap->code) {
		chr_swap_end(conductor, why);
		return;
	}
	if (idle(conductor, swap)) {
		chr_debug("%s: %s is what plays", swap->unit->name, swap->ask.file);
		chr_swap_end(conductor, "");
		return;
	}
	const char *refused = refuse(conductor, swap);
	if (refused)
		chr_swap_end(conductor, refused);
	else
		chr_swap_set_state(conductor, CHR_SWAP_ASKING);
}

static void let_go(struct chr_swap *swap)
{
	if (swap->asked)
		chr_process_signal(swap->asked, SIGKILL);
	swap->asked = NULL;
}

static void step_asking(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	if (!swap->asked) {
		swap->asked = chr_processes_take_spare(conductor);
		if (swap->asked)
			chr_code_load(swap->code, swap->asked);
		chr_instances_fill(conductor);
	}
	if (chr_monotonic_us() - swap->since_us > ASK_WAIT_US)
		chr_swap_end(conductor, swap->asked ? "loading it took too long" : "there is no process to load it");
}

void chr_swap_take_answer(struct chr_conductor *conductor, unsigned kind)
{
	struct chr_swap *swap = &conductor->swap;
	const struct chr_slot *slot = swap->asked->slot;
	char why[CHR_TEXT_MAX] = "";
	if (kind == CHR_REPORT_FAILED)
		snprintf(why, sizeof why, "%.*s", (int)sizeof slot->report.text - 1, slot->report.text);
	else
		chr_code_learn(swap->code, slot, swap->unit->type->name, why, sizeof why);
	let_go(swap);
	if (why[0])
		chr_swap_end(conductor, why);
	else if (swap->code->descriptor.flags != swap->unit->type->flags)
		chr_swap_end(conductor, "the module in it is of another kind");
	else
		chr_swap_begin(conductor);
}

/* ---- the ends ---- */

static void number_anew(struct chr_conductor *conductor, struct chr_unit *unit, const struct chr_descriptor *old,
			const struct chr_descriptor *new)
{
	uint8_t map[CHR_PARAMS_MAX];
	chr_code_values(old, new, unit->value, unit->value);
	chr_code_map(old, new, map);
	chr_schedule_renumber(&conductor->rack.schedule, unit->member, map);
	memset(unit->change, 0, sizeof unit->change);
}

/* Takes the edges away that ended at a port that is no more. */
static void drop_edges(struct chr_conductor *conductor, const struct chr_unit *unit)
{
	struct chr_edges *edges = &conductor->logical;
	size_t length = strlen(unit->name);
	for (unsigned i = edges->count; i-- > 0;) {
		const struct chr_edge edge = edges->edge[i];
		const char *const end[] = {edge.from, edge.to};
		for (unsigned k = 0; k < 2; k++) {
			if (strncmp(end[k], unit->name, length) || end[k][length] != ':' || !strcmp(end[k] + length, ":clock") ||
			    chr_descriptor_port(unit->type, end[k] + length + 1) >= 0)
				continue;
			chr_warn("%s has no port %s any more: %s -> %s is taken away", unit->name, end[k] + length + 1, edge.from,
				 chr_wiring_name(edge.to));
			chr_edges_remove(edges, edge.from, edge.to);
			break;
		}
	}
}

/* Units that play the catalog's code keep it when the catalog goes on to another. */
static void replace_type(struct chr_conductor *conductor, const char *name, struct chr_code *code)
{
	const struct chr_type *type = chr_catalog_find(conductor->catalog, name);
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		if (!unit->code && unit->type == &type->code->descriptor)
			unit->code = chr_code_hold(type->code);
	}
	chr_catalog_replace(conductor->catalog, name, code);
}

void chr_swap_commit(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	struct chr_unit *unit = swap->unit;
	const struct chr_descriptor *old = unit->type;
	struct chr_code *before = unit->code;
	if (!before) {
		const struct chr_type *type = chr_catalog_find(conductor->catalog, unit->type->name);
		before = chr_code_hold(type->code);
	}
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		struct chr_instance *instance = &unit->instance[lane];
		bool leaves = swap->state == CHR_SWAP_TURNING && instance->code != swap->code;
		chr_code_release(instance->code);
		instance->code = leaves ? chr_code_hold(before) : NULL;
	}
	unit->code = chr_code_hold(swap->code);
	unit->type = &unit->code->descriptor;
	number_anew(conductor, unit, old, unit->type);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		chr_instances_translate(conductor, unit, &unit->instance[lane]);
	if (from_catalog(conductor, swap))
		replace_type(conductor, unit->type->name, unit->code);
	else if (chr_catalog_keep(conductor->catalog, unit->code))
		chr_error("%s: out of memory: its file will not be saved", unit->name);
	drop_edges(conductor, unit);
	chr_code_release(before);
	chr_lanes_rewire(conductor);
}

/* What happened, for people. */
static void describe(const struct chr_swap *swap, char *text, size_t bytes)
{
	char compared[64] = "";
	if (swap->compares)
		snprintf(compared, sizeof compared, ", the lanes agreed");
	snprintf(text, bytes, "plays the new code after %.0f ms, %s%s", (double)(chr_monotonic_us() - swap->begun_us) / 1000.0,
		 swap->carries ? "its state carried over" : "its state fresh", compared);
}

static void tell_end(struct chr_conductor *conductor, const char *why)
{
	struct chr_swap *swap = &conductor->swap;
	const char *name = swap->unit->name;
	char text[CHR_TEXT_MAX];
	if (!why) {
		describe(swap, text, sizeof text);
		swap->done++;
		chr_info("%s %s", name, text);
	} else {
		bool back = swap->state == CHR_SWAP_BACK;
		swap->taken_back += back;
		snprintf(text, sizeof text, "%s: %.180s%s", name, why, back ? "; the old code plays again" : "");
		if (*why)
			chr_warn("swap of %s", text);
	}
	if (swap->ask.peer.bytes && conductor->osc)
		chr_osc_answer_swap(conductor->osc, &swap->ask.peer, name, text, why != NULL);
}

void chr_swap_end(struct chr_conductor *conductor, const char *why)
{
	struct chr_swap *swap = &conductor->swap;
	tell_end(conductor, why);
	let_go(swap);
	chr_code_release(swap->code);
	swap->code = NULL;
	swap->unit = NULL;
	swap->fell = NULL;
	chr_swap_set_state(conductor, CHR_SWAP_NONE);
}

static void begin_next(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	swap->ask = swap->queue[0];
	memmove(&swap->queue[0], &swap->queue[1], --swap->queued * sizeof swap->queue[0]);
	swap->unit = chr_rack_find(&conductor->rack, swap->ask.name);
	swap->carries = swap->compares = swap->faded = false;
	swap->differed = 0;
	swap->why[0] = 0;
	swap->lane = 0;
	swap->begun_us = chr_monotonic_us();
	if (swap->unit)
		begin_asking(conductor);
}

void chr_swap_tick(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	if (!conductor->server_up)
		return;
	if (swap->state == CHR_SWAP_NONE && swap->queued)
		begin_next(conductor);
	else if (swap->state == CHR_SWAP_ASKING)
		step_asking(conductor);
	else if (swap->state != CHR_SWAP_NONE)
		chr_swap_step(conductor);
}
