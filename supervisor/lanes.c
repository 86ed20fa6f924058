#include "supervisor/lanes.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/wake.h"
#include "supervisor/conductor.h"

#include <string.h>

#define JOIN_WAIT_US 100000u /* until a join that did not come about is tried again */
#define AUDIT_EVERY_US 1000000u
#define AUDIT_WAIT_US 500000u /* until sums that did not come are given up */
#define SKIP_WAIT_US 20000u   /* a skip that the twin has not noted after this was the instance's own */

static bool is_out(const struct chr_unit *unit)
{
	return unit->type->flags & CHR_MODULE_OUT;
}

/* Does the unit take part in the lanes? */
static bool counts(const struct chr_unit *unit)
{
	return !is_out(unit) && !unit->quarantined;
}

static bool all_in(const struct chr_conductor *conductor, unsigned lane, enum chr_instance_state state)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		const struct chr_unit *unit = conductor->rack.unit[i];
		if (counts(unit) && unit->instance[lane].state != state)
			return false;
	}
	return true;
}

static void set_all(struct chr_conductor *conductor, unsigned lane, enum chr_instance_state from, enum chr_instance_state to)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		struct chr_instance *instance = &unit->instance[lane];
		if (counts(unit) && instance->state == from)
			chr_instances_set_state(conductor, unit, instance, to);
	}
}

static bool two(const struct chr_conductor *conductor)
{
	return conductor->rack.patch->lanes == 2;
}

/* The frame before which every audio thread has begun a cycle, and so has taken what is sent now. */
static uint32_t soon(struct chr_conductor *conductor)
{
	return chr_conductor_frame_now(conductor) + conductor->rack.period * 5 / 4;
}

/* ---- the two outs ---- */

static bool heard(const struct chr_instance *instance)
{
	if (!instance->process)
		return false;
	uint64_t muted = atomic_load_explicit(&instance->process->slot->picker.muted, memory_order_acquire);
	return (uint32_t)muted == CHR_PLAY || (uint32_t)muted == CHR_PLAY_FROM;
}

static void set_muted(struct chr_instance *instance, enum chr_mute mute, uint32_t frame)
{
	atomic_store_explicit(&instance->process->slot->picker.muted, (uint64_t)frame << 32 | mute, memory_order_release);
}

void chr_lanes_prepare_out(struct chr_unit *unit, struct chr_instance *instance)
{
	bool first = instance->lane == 0 && !heard(&unit->instance[1]);
	set_muted(instance, first ? CHR_PLAY : CHR_MUTE, 0);
}

/* An `out` that came back takes over from its standby at a frame that both know in time. It has first taken the standby's state over, so that
 * its clock goes on where the other's is. */
static void hand_over(struct chr_conductor *conductor)
{
	struct chr_unit *unit = conductor->rack.unit[0];
	struct chr_instance *out = &unit->instance[0], *standby = &unit->instance[1];
	if (out->state != CHR_INSTANCE_PLAYING || heard(out) || !heard(standby))
		return;
	uint32_t frame = soon(conductor) + 2 * conductor->rack.period;
	set_muted(out, CHR_PLAY_FROM, frame);
	set_muted(standby, CHR_MUTE_FROM, frame);
	chr_debug("out is heard again from frame %u on", frame);
	chr_lanes_rewire(conductor); /* clients are behind the standby no longer */
}

/* ---- joining ---- */

void chr_lanes_introduce(struct chr_unit *unit)
{
	struct chr_instance *instance = unit->instance;
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		if (!instance[lane].process || instance[lane].state < CHR_INSTANCE_WIRING)
			return;
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		struct chr_process *self = instance[lane].process, *twin = instance[!lane].process;
		if (!chr_fd_send(self->socket, twin->slot_fd, CHR_FD_TAG_TWIN))
			chr_process_order(self, CHR_ORDER_TWIN);
	}
}

/* The younger `out` takes the elder's state over: their clocks are to agree. */
static void join_outs(struct chr_conductor *conductor, struct chr_instance *younger)
{
	struct chr_instance *elder = &conductor->rack.unit[0]->instance[!younger->lane];
	struct chr_event publish = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_PUBLISH, .count = 16};
	struct chr_event join = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_JOIN, .frame = soon(conductor)};
	if (elder->state != CHR_INSTANCE_PLAYING)
		return;
	chr_process_request(elder->process, &publish);
	chr_process_request(younger->process, &join);
}

static void ask_to_join(struct chr_conductor *conductor)
{
	struct chr_lanes *lanes = &conductor->lanes;
	lanes->join_frame = soon(conductor);
	lanes->asked = true;
	lanes->asked_us = chr_monotonic_us();
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		if (!counts(unit))
			continue;
		struct chr_instance *follower = &unit->instance[!lanes->leader];
		struct chr_event publish = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_PUBLISH, .count = 16};
		struct chr_event join = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_JOIN, .frame = lanes->join_frame};
		follower->joined = false;
		chr_process_request(unit->instance[lanes->leader].process, &publish);
		chr_process_request(follower->process, &join);
	}
}

/* Did all join, and in the same cycle? */
static bool all_joined(const struct chr_conductor *conductor, bool *same)
{
	const struct chr_instance *first = NULL;
	*same = true;
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		const struct chr_unit *unit = conductor->rack.unit[i];
		const struct chr_instance *instance = &unit->instance[!conductor->lanes.leader];
		if (!counts(unit))
			continue;
		if (!instance->joined)
			return false;
		if (first)
			*same &= instance->joined_frame == first->joined_frame;
		first = instance;
	}
	return true;
}

static void take_joined(struct chr_conductor *conductor)
{
	struct chr_lanes *lanes = &conductor->lanes;
	unsigned lane = !lanes->leader;
	bool same;
	if (!lanes->asked || !all_joined(conductor, &same))
		return;
	lanes->asked = false;
	if (!same) {
		chr_debug("lane %c joined in different cycles: again", 'a' + lane);
		ask_to_join(conductor);
		return;
	}
	lanes->whole[lane] = true;
	lanes->joins++;
	set_all(conductor, lane, CHR_INSTANCE_JOINING, CHR_INSTANCE_PLAYING);
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		chr_instances_tell_repair(&conductor->rack.unit[i]->instance[lane]);
	lanes->audit_us = chr_monotonic_us() + AUDIT_EVERY_US / 10;
	chr_lanes_review(conductor);
}

/* The lane is not to be played until it has joined again. */
static void break_lane(struct chr_conductor *conductor, unsigned lane)
{
	struct chr_lanes *lanes = &conductor->lanes;
	lanes->whole[lane] = false;
	lanes->auditing = false;
	if (lane == lanes->leader && lanes->whole[!lane]) {
		lanes->leader = !lane;
		lanes->asked = false;
	}
	if (lane != lanes->leader) {
		lanes->asked = false;
		set_all(conductor, lane, CHR_INSTANCE_PLAYING, CHR_INSTANCE_JOINING);
	}
}

void chr_lanes_settle(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance)
{
	bool joins = two(conductor) && !is_out(unit) && instance->lane != conductor->lanes.leader;
	chr_instances_set_state(conductor, unit, instance, joins ? CHR_INSTANCE_JOINING : CHR_INSTANCE_PLAYING);
	if (two(conductor) && is_out(unit)) {
		join_outs(conductor, instance);
		hand_over(conductor);
	}
	if (!joins)
		chr_instances_tell_repair(instance);
}

void chr_lanes_died(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance)
{
	if (two(conductor) && !is_out(unit))
		break_lane(conductor, instance->lane);
}

/* ---- the audit ---- */

static void begin_audit(struct chr_conductor *conductor, uint64_t now)
{
	struct chr_lanes *lanes = &conductor->lanes;
	struct chr_event ask = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_CHECKSUM, .frame = soon(conductor) + 2 * conductor->rack.period};
	lanes->auditing = true;
	lanes->audit_frame = ask.frame;
	lanes->audit_us = now + AUDIT_EVERY_US;
	lanes->asked_us = now;
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		for (unsigned lane = 0; counts(unit) && lane < CHR_LANES; lane++) {
			unit->instance[lane].summed = false;
			chr_process_request(unit->instance[lane].process, &ask);
		}
	}
}

/* `out` may have gone over to the other lane by itself: the lane that is heard is the one to heal from. */
static unsigned heard_lane(struct chr_conductor *conductor)
{
	const struct chr_instance *out = conductor->rack.unit[0]->instance;
	struct chr_lanes *lanes = &conductor->lanes;
	uint32_t moved[CHR_LANES];
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		uint32_t played = 0;
		for (unsigned i = 0; i < CHR_LANES; i++)
			if (out[i].process)
				played += atomic_load_explicit(&out[i].process->slot->status.played[lane], memory_order_relaxed);
		moved[lane] = played - lanes->played[lane];
		lanes->played[lane] = played;
	}
	return moved[!lanes->leader] > moved[lanes->leader] ? !lanes->leader : lanes->leader;
}

static void heal(struct chr_conductor *conductor, const struct chr_unit *unit)
{
	struct chr_lanes *lanes = &conductor->lanes;
	lanes->divergences++;
	chr_warn("%s: the lanes differ; lane %c joins lane %c again", unit->name, 'a' + !lanes->leader, 'a' + lanes->leader);
	break_lane(conductor, !lanes->leader);
	chr_lanes_review(conductor);
}

static void end_audit(struct chr_conductor *conductor)
{
	struct chr_lanes *lanes = &conductor->lanes;
	const struct chr_unit *differs = NULL;
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		const struct chr_unit *unit = conductor->rack.unit[i];
		const struct chr_instance *a = &unit->instance[0], *b = &unit->instance[1];
		if (!counts(unit))
			continue;
		if (!a->summed || !b->summed)
			return;
		if (a->sum != b->sum && !differs)
			differs = unit;
	}
	lanes->auditing = false;
	lanes->audits++;
	if (differs)
		heal(conductor, differs);
}

/* A cycle that one twin missed and the other did not: its lane is out of step. */
static void judge_skips(struct chr_conductor *conductor, uint64_t now)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		struct chr_instance *a = &unit->instance[0], *b = &unit->instance[1];
		bool fresh = a->skip_us || b->skip_us;
		if (!fresh || !counts(unit))
			continue;
		if (a->skip_us && b->skip_us && a->skip_frame == b->skip_frame && a->skip_count == b->skip_count) {
			a->skip_us = b->skip_us = 0;
			continue;
		}
		uint64_t latest = a->skip_us > b->skip_us ? a->skip_us : b->skip_us;
		if (now - latest < SKIP_WAIT_US)
			continue;
		bool whole = conductor->lanes.whole[0] && conductor->lanes.whole[1];
		unsigned lane = a->skip_us && b->skip_us ? !conductor->lanes.leader : a->skip_us ? 0 : 1;
		a->skip_us = b->skip_us = 0;
		if (!whole)
			continue;
		chr_debug("%s missed a cycle: lane %c joins again", unit->instance[lane].client, 'a' + lane);
		break_lane(conductor, lane);
		chr_lanes_review(conductor);
	}
}

void chr_lanes_note(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance, const struct chr_event *note)
{
	(void)unit;
	switch (note->kind) {
	case CHR_NOTE_JOINED:
		instance->joined = true;
		instance->joined_frame = note->frame;
		take_joined(conductor);
		break;
	case CHR_NOTE_CHECKSUM:
		if (!conductor->lanes.auditing || note->frame != conductor->lanes.audit_frame)
			break;
		instance->summed = true;
		instance->sum = note->sum;
		end_audit(conductor);
		break;
	case CHR_NOTE_SKIPPED:
		instance->skip_us = chr_monotonic_us();
		instance->skip_frame = note->frame;
		instance->skip_count = note->count;
		break;
	case CHR_NOTE_NONFINITE:
		chr_warn("%s: produced samples that are not numbers; silenced and reset", instance->client);
		break;
	default:
		break;
	}
}

void chr_lanes_tick(struct chr_conductor *conductor)
{
	struct chr_lanes *lanes = &conductor->lanes;
	if (!two(conductor) || !conductor->server_up)
		return;
	judge_skips(conductor, chr_monotonic_us());
	if (lanes->asked && chr_monotonic_us() - lanes->asked_us > JOIN_WAIT_US) {
		chr_debug("lane %c did not join: again", 'a' + !lanes->leader);
		lanes->asked = false;
		chr_lanes_review(conductor);
	}
	if (!lanes->whole[0] || !lanes->whole[1])
		return;
	uint64_t now = chr_monotonic_us();
	if (lanes->auditing && now - lanes->asked_us > AUDIT_WAIT_US)
		lanes->auditing = false;
	if (!lanes->auditing && now >= lanes->audit_us) {
		lanes->leader = heard_lane(conductor);
		begin_audit(conductor, now);
	}
}

/* ---- what `out` is told ---- */

static void write_picker(struct chr_conductor *conductor, struct chr_slot_picker *picker)
{
	struct chr_rack *rack = &conductor->rack;
	const struct chr_lanes *lanes = &conductor->lanes;
	bool need[CHR_BOARD_MEMBERS];
	chr_wiring_upstream(rack, &conductor->logical, need);
	for (unsigned i = 0; i < rack->unit_count; i++) {
		const struct chr_unit *unit = rack->unit[i];
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			/* a lane that is not whole, but leads, is played without those that are missing */
			bool plays = unit->instance[lane].state == CHR_INSTANCE_PLAYING;
			chr_member_set_put(&picker->required[lane], unit->member, counts(unit) && need[unit->member] && plays);
		}
	}
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		bool good = lane == lanes->leader || lanes->whole[lane];
		atomic_store_explicit(&picker->broken[lane], !good, memory_order_release);
	}
}

static void tell_out(struct chr_conductor *conductor)
{
	struct chr_unit *out = conductor->rack.unit[0];
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		if (out->instance[lane].process)
			write_picker(conductor, &out->instance[lane].process->slot->picker);
}

static bool everything_plays(const struct chr_conductor *conductor)
{
	for (unsigned lane = 0; lane < conductor->rack.patch->lanes; lane++)
		if (!all_in(conductor, lane, CHR_INSTANCE_PLAYING))
			return false;
	return conductor->rack.unit[0]->instance[0].state == CHR_INSTANCE_PLAYING;
}

/* The lane whose modules foreign ports hear: a, while it is whole. */
static unsigned foreign_lane(const struct chr_lanes *lanes)
{
	if (lanes->whole[0])
		return 0;
	return lanes->whole[1] ? 1 : lanes->leader;
}

const char *chr_lanes_word(const struct chr_conductor *conductor, unsigned lane)
{
	const struct chr_lanes *lanes = &conductor->lanes;
	if (lane == lanes->leader)
		return lanes->whole[lane] ? "playing" : "broken";
	if (lanes->whole[lane])
		return "whole";
	return lanes->asked ? "joining" : "broken";
}

void chr_lanes_review(struct chr_conductor *conductor)
{
	struct chr_lanes *lanes = &conductor->lanes;
	lanes->whole[lanes->leader] = all_in(conductor, lanes->leader, CHR_INSTANCE_PLAYING);
	tell_out(conductor);
	if (two(conductor) && conductor->server_up && lanes->whole[lanes->leader] && !lanes->whole[!lanes->leader] && !lanes->asked &&
	    all_in(conductor, !lanes->leader, CHR_INSTANCE_JOINING))
		ask_to_join(conductor);
	if (foreign_lane(lanes) != lanes->foreign)
		chr_lanes_rewire(conductor);
	if (!conductor->heard_us && conductor->server_up && everything_plays(conductor))
		chr_conductor_heard(conductor);
}

void chr_lanes_rewire(struct chr_conductor *conductor)
{
	struct chr_lanes *lanes = &conductor->lanes;
	struct chr_edges jack = {0};
	lanes->foreign = foreign_lane(lanes);
	if (chr_wiring_expand(&conductor->rack, &conductor->logical, foreign_lane(lanes), &jack)) {
		chr_error("out of memory while wiring");
		chr_edges_finish(&jack);
		return;
	}
	chr_graph_desire(&conductor->graph, &jack, ++conductor->generation);
	chr_lanes_review(conductor);
}
