/* Modules come, go and change their names while the others play.
 *
 * One that comes is silent and outside the lanes until its process in the lane that leads runs; then it fades in, its twin comes, and the lane that
 * follows joins the leader's once, with it in it. One that goes fades to zeros first: its edges carry nothing when they are taken away, and only then its processes end, so
 * that jackd has nobody to wait for. With two lanes one that gets another name opens its clients anew, first in the lane that follows, then, when that
 * one is whole, in the other: no sample is lost. With one lane it fades out, comes back with its parameters and fades in.
 */
#include "common/clock.h"
#include "common/log.h"
#include "supervisor/conductor.h"
#include "supervisor/edit_parts.h"

#include <signal.h>
#include <string.h>

#define WIRED_WAIT_US  200000u  /* until a module that goes no longer waits for its edges to be gone */
#define POLITE_US      300000u  /* until its processes are killed */
#define RENAME_WAIT_US 5000000u /* until a renaming counts as done, though not all is well */
#define YIELD_PERIODS  4        /* until out has gone over to the other lane */

static void set_stage(struct chr_conductor *conductor, struct chr_unit *unit, enum chr_unit_stage stage)
{
	unit->stage = stage;
	unit->stage_us = chr_monotonic_us();
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		chr_instances_watch(conductor, unit, &unit->instance[lane]);
}

static uint32_t fade_frames(const struct chr_rack *rack)
{
	return rack->sample_rate * CHR_EDIT_FADE_MS / 1000;
}

/* A frame that no audio thread has reached when the event comes. */
static uint32_t fade_begin(struct chr_conductor *conductor)
{
	return chr_lanes_soon(conductor) + conductor->rack.sample_rate / 500;
}

static uint64_t age_us(const struct chr_unit *unit)
{
	return chr_monotonic_us() - unit->stage_us;
}

/* ---- coming ---- */

struct chr_unit *chr_stage_enter(struct chr_conductor *conductor, const char *name, const struct chr_descriptor *type,
				 struct chr_code *code, const float *value)
{
	struct chr_unit *unit = chr_rack_add(&conductor->rack, name, type, value);
	if (!unit)
		return NULL;
	unit->code = code ? chr_code_hold(code) : NULL;
	set_stage(conductor, unit, CHR_UNIT_ENTERING);
	chr_edit_changed(conductor);
	chr_instances_fill(conductor);
	return unit;
}

const char *chr_edit_add(struct chr_conductor *conductor, const char *type, const char *name)
{
	static char why[CHR_TEXT_MAX];
	const struct chr_patch_rules rules = chr_edit_rules(conductor);
	struct chr_patch *patch = chr_edit_snapshot(conductor);
	bool may = patch && chr_patch_may_add(patch, &rules, type, name, why);
	chr_patch_destroy(patch);
	if (!patch)
		return "out of memory";
	if (!may)
		return why;
	float value[CHR_PARAMS_MAX];
	const struct chr_descriptor *desc = chr_catalog_type(conductor->catalog, type, "", NULL);
	for (unsigned i = 0; i < desc->param_count; i++)
		value[i] = desc->param[i].initial;
	return chr_stage_enter(conductor, name, desc, NULL, value) ? NULL : "out of memory";
}

/* The one that is heard runs. Its twin comes behind it and joins it. */
static bool may_sound(const struct chr_conductor *conductor, const struct chr_unit *unit)
{
	const struct chr_instance *first = &unit->instance[conductor->lanes.leader];
	return first->state == CHR_INSTANCE_PLAYING && !first->by_hand;
}

static void sound(struct chr_conductor *conductor, struct chr_unit *unit)
{
	set_stage(conductor, unit, CHR_UNIT_HERE);
	chr_rack_fade(unit, 1.0f, fade_frames(&conductor->rack), fade_begin(conductor));
	chr_debug("%s fades in", unit->name);
	/* in the lane that follows it plays only once it has joined */
	struct chr_instance *second = &unit->instance[!conductor->lanes.leader];
	if (second->state == CHR_INSTANCE_PLAYING)
		chr_instances_set_state(conductor, unit, second, CHR_INSTANCE_JOINING);
	chr_lanes_part(conductor);
	chr_instances_fill(conductor); /* its twin's turn */
}

/* ---- going ---- */

void chr_stage_leave(struct chr_conductor *conductor, struct chr_unit *unit, const char *next)
{
	set_stage(conductor, unit, CHR_UNIT_LEAVING);
	snprintf(unit->next, sizeof unit->next, "%s", next ? next : "");
	if (conductor->rack.sample_rate)
		chr_rack_fade(unit, 0.0f, fade_frames(&conductor->rack), fade_begin(conductor));
	chr_edit_changed(conductor);
}

const char *chr_edit_remove(struct chr_conductor *conductor, const char *name)
{
	struct chr_unit *unit = chr_rack_find(&conductor->rack, name);
	if (!unit)
		return chr_edit_why("no module %.64s", name);
	if (unit == conductor->rack.unit[0])
		return "'out' is in every patch: it cannot be removed";
	chr_stage_leave(conductor, unit, NULL);
	return NULL;
}

/* Has it faded to zeros, for certain? By the clock of this thread, which began no earlier than the fade was asked for. */
static bool silent(const struct chr_conductor *conductor, const struct chr_unit *unit)
{
	const struct chr_rack *rack = &conductor->rack;
	bool plays = unit->instance[0].process || unit->instance[1].process;
	if (!conductor->server_up || !rack->sample_rate || !plays)
		return true;
	uint64_t lead_us = (uint64_t)rack->period * 4 * 1000000u / rack->sample_rate + 2000u;
	return age_us(unit) > CHR_EDIT_FADE_MS * 1000u + lead_us;
}

static void come_back(struct chr_conductor *conductor, struct chr_unit *unit);

static void go_away(struct chr_conductor *conductor, struct chr_unit *unit)
{
	set_stage(conductor, unit, CHR_UNIT_AWAY);
	unit->parting_us = 0;
	if (unit->next[0]) {
		come_back(conductor, unit);
		return;
	}
	chr_edit_drop_edges(conductor, unit);
	chr_lanes_rewire(conductor);
	unit->generation = conductor->generation;
}

static unsigned processes_of(const struct chr_unit *unit)
{
	return !!unit->instance[0].process + !!unit->instance[1].process;
}

static void end_by_hand(struct chr_instance *instance)
{
	if (!instance->process)
		return;
	instance->by_hand = true;
	chr_process_signal(instance->process, SIGKILL);
}

static void end_processes(struct chr_unit *unit, bool politely)
{
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		struct chr_instance *instance = &unit->instance[lane];
		if (!politely) {
			end_by_hand(instance);
		} else if (instance->process) {
			instance->by_hand = true;
			chr_processes_tell(instance->process);
		}
	}
}

/* True when it is gone and freed. */
static bool part(struct chr_conductor *conductor, struct chr_unit *unit)
{
	bool bare = conductor->wired >= unit->generation || !conductor->server_up || age_us(unit) > WIRED_WAIT_US;
	if (bare && !unit->parting_us && chr_processes_may_leave(conductor, processes_of(unit))) {
		unit->parting_us = chr_monotonic_us();
		end_processes(unit, true);
	}
	if (processes_of(unit)) {
		if (unit->parting_us && chr_monotonic_us() - unit->parting_us > POLITE_US)
			end_processes(unit, false);
		return false;
	}
	chr_debug("%s is gone", unit->name);
	chr_swap_forget(conductor, unit);
	chr_rack_remove(&conductor->rack, unit);
	chr_lanes_review(conductor);
	return true;
}

/* ---- another name ---- */

/* One lane: it is silent; the old client ends, and a new one comes as if it had been added. */
static void come_back(struct chr_conductor *conductor, struct chr_unit *unit)
{
	char before[CHR_NAME_MAX];
	memcpy(before, unit->name, sizeof before);
	chr_rack_rename(unit, unit->next);
	unit->next[0] = 0;
	chr_edit_move_edges(conductor, before, unit->name);
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		chr_rack_client(unit, lane, unit->instance[lane].client);
		end_by_hand(&unit->instance[lane]);
	}
	set_stage(conductor, unit, CHR_UNIT_ENTERING);
	chr_lanes_rewire(conductor);
}

const char *chr_edit_rename(struct chr_conductor *conductor, const char *from, const char *to)
{
	static char why[CHR_TEXT_MAX];
	const struct chr_patch_rules rules = chr_edit_rules(conductor);
	struct chr_patch *patch = chr_edit_snapshot(conductor);
	bool may = patch && chr_patch_may_rename(patch, &rules, from, to, why);
	chr_patch_destroy(patch);
	if (!patch)
		return "out of memory";
	if (!may)
		return why;
	struct chr_unit *unit = chr_rack_find(&conductor->rack, from);
	chr_edit_changed(conductor);
	unit->moving_us = chr_monotonic_us();
	chr_swap_rename(conductor, from, to);
	if (conductor->rack.patch->lanes == 1 && conductor->server_up) {
		chr_stage_leave(conductor, unit, to);
		return NULL;
	}
	chr_rack_rename(unit, to);
	chr_edit_move_edges(conductor, from, to);
	chr_lanes_rewire(conductor);
	return NULL;
}

static bool renamed(const struct chr_unit *unit, const struct chr_instance *instance)
{
	char client[CHR_CLIENT_MAX];
	return instance->state == CHR_INSTANCE_NONE || !strcmp(chr_rack_client(unit, instance->lane, client), instance->client);
}

/* Bears its new name, as far as can be told. */
static bool came_back(const struct chr_unit *unit, const struct chr_instance *instance)
{
	bool still = instance->state == CHR_INSTANCE_NONE || instance->state == CHR_INSTANCE_PLAYING ||
		     instance->state == CHR_INSTANCE_QUARANTINED;
	return renamed(unit, instance) && still && !instance->by_hand;
}

static void open_anew(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance)
{
	chr_rack_client(unit, instance->lane, instance->client);
	end_by_hand(instance);
	chr_lanes_rewire(conductor);
}

/* The instances whose clients bear the old name are opened anew, the leader's when the other lane plays. */
static void rename_step(struct chr_conductor *conductor, struct chr_unit *unit)
{
	struct chr_lanes *lanes = &conductor->lanes;
	struct chr_instance *leader = &unit->instance[lanes->leader], *other = &unit->instance[!lanes->leader];
	uint64_t yield_us = conductor->rack.sample_rate
				    ? (uint64_t)YIELD_PERIODS * conductor->rack.period * 1000000u / conductor->rack.sample_rate
				    : 0;
	if (other->by_hand || leader->by_hand)
		return;
	if (!renamed(unit, other)) {
		/* when the lanes have just changed places, out must have heard of it */
		if (chr_monotonic_us() - lanes->led_us > yield_us)
			open_anew(conductor, unit, other);
	} else if (!renamed(unit, leader)) {
		bool alone = !leader->process || leader->state == CHR_INSTANCE_QUARANTINED;
		if (alone || conductor->rack.patch->lanes == 1) {
			open_anew(conductor, unit, leader);
		} else if (lanes->whole[!lanes->leader]) {
			chr_lanes_break(conductor, lanes->leader);
			chr_lanes_review(conductor);
		}
	}
}

static void move(struct chr_conductor *conductor, struct chr_unit *unit)
{
	bool both = came_back(unit, &unit->instance[0]) && came_back(unit, &unit->instance[1]);
	if (both || chr_monotonic_us() - unit->moving_us > RENAME_WAIT_US)
		unit->moving_us = 0;
	else
		rename_step(conductor, unit);
}

/* ---- all of them ---- */

void chr_stage_tick(struct chr_conductor *conductor)
{
	struct chr_rack *rack = &conductor->rack;
	for (unsigned i = 0; i < rack->unit_count; i++) {
		struct chr_unit *unit = rack->unit[i];
		if (unit->stage == CHR_UNIT_ENTERING && may_sound(conductor, unit))
			sound(conductor, unit);
		if (unit->stage == CHR_UNIT_LEAVING && silent(conductor, unit))
			go_away(conductor, unit);
		if (unit->moving_us && unit->stage == CHR_UNIT_HERE)
			move(conductor, unit);
		if (unit->stage == CHR_UNIT_AWAY && part(conductor, unit))
			i--;
	}
}

bool chr_stage_busy(const struct chr_conductor *conductor)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		if (conductor->rack.unit[i]->stage != CHR_UNIT_HERE || conductor->rack.unit[i]->moving_us)
			return true;
	return false;
}

bool chr_edit_moving(const struct chr_conductor *conductor)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		const struct chr_unit *unit = conductor->rack.unit[i];
		if (unit->stage >= CHR_UNIT_LEAVING || (unit->moving_us && conductor->server_up))
			return true;
	}
	return false;
}
