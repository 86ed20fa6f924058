#include "supervisor/lanes_parts.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/wake.h"
#include "supervisor/conductor.h"

#include <string.h>

#define LOOP_TRIES     4       /* joins with the twins' inputs that may fail in a row before one does without */
#define JOIN_WAIT_US   100000u /* after the frame of a join, until it is tried again when it did not come about */
#define LEAD_DOUBLES   3u      /* times: 10 periods, */
#define PUBLISH_CYCLES 16u     /* which these outlast */
#define FIRST_AUDIT_US 100000u /* after a join */

/* Does the unit take part in the lanes? */
bool chr_lanes_counts(const struct chr_unit *unit)
{
	bool here = unit->stage == CHR_UNIT_HERE || unit->stage == CHR_UNIT_LEAVING;
	return !unit->quarantined && here;
}

/* Does an instance of it that follows take its twin's state over? */
static bool joins_twin(const struct chr_unit *unit)
{
	return chr_lanes_counts(unit) && !unit->apart;
}

static bool all_in(const struct chr_conductor *conductor, unsigned lane, enum chr_instance_state state)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		const struct chr_unit *unit = conductor->rack.unit[i];
		if (chr_lanes_counts(unit) && unit->instance[lane].state != state)
			return false;
	}
	return true;
}

static void set_all(struct chr_conductor *conductor, unsigned lane, enum chr_instance_state from, enum chr_instance_state to)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		struct chr_instance *instance = &unit->instance[lane];
		if (chr_lanes_counts(unit) && instance->state == from)
			chr_instances_set_state(conductor, unit, instance, to);
	}
}

bool chr_lanes_two(const struct chr_conductor *conductor)
{
	return conductor->rack.patch->lanes == 2;
}

/* The frame before which every audio thread has begun a cycle, and so has taken what is sent now. */
uint32_t chr_lanes_soon(struct chr_conductor *conductor)
{
	return chr_conductor_frame_now(conductor) + conductor->rack.period * 5 / 4;
}

void chr_lanes_introduce(struct chr_unit *unit)
{
	struct chr_instance *instance = unit->instance;
	if (unit->apart)
		return;
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		if (!instance[lane].process || instance[lane].state < CHR_INSTANCE_WIRING)
			return;
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		struct chr_process *self = instance[lane].process, *twin = instance[!lane].process;
		if (!chr_fd_send(self->socket, twin->slot_fd, CHR_FD_TAG_TWIN))
			chr_process_order(self, CHR_ORDER_TWIN);
	}
}

/* Many members on few processors may not all have taken the request when its cycle comes: after each failure it is for a later one. */
static uint32_t lead_frames(const struct chr_conductor *conductor)
{
	unsigned failed = conductor->lanes.join_failures;
	return conductor->rack.period * 5 / 4 << (failed < LEAD_DOUBLES ? failed : LEAD_DOUBLES);
}

/* A joiner that waits for its twin must not keep it from the processor. */
static void rank(const struct chr_unit *unit, unsigned leader)
{
	chr_process_order(unit->instance[leader].process, CHR_ORDER_AHEAD);
	chr_process_order(unit->instance[!leader].process, CHR_ORDER_BEHIND);
}

void chr_lanes_ask(struct chr_unit *unit, unsigned lane, uint32_t frame, uint32_t flags)
{
	const struct chr_event publish = {
		.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_PUBLISH, .count = PUBLISH_CYCLES, .flags = flags};
	const struct chr_event join = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_JOIN, .frame = frame, .flags = flags};
	unit->instance[lane].joined = false;
	chr_process_request(unit->instance[!lane].process, &publish);
	chr_process_request(unit->instance[lane].process, &join);
}

static void ask_to_join(struct chr_conductor *conductor)
{
	struct chr_lanes *lanes = &conductor->lanes;
	bool looped[CHR_BOARD_MEMBERS];
	uint32_t lead = lead_frames(conductor);
	lanes->join_frame = chr_conductor_frame_now(conductor) + lead;
	lanes->asked = true;
	lanes->asked_us = chr_monotonic_us();
	lanes->join_wait_us = JOIN_WAIT_US;
	if (conductor->rack.sample_rate)
		lanes->join_wait_us += 2000000ull * lead / conductor->rack.sample_rate;
	/* where JACK delays a tangle of loops at other edges in this lane than in that one, each would wait for the other's inputs: then a
	 * lane that agrees but for the loops is better than none */
	bool exact = lanes->join_failures < LOOP_TRIES;
	chr_wiring_looped(&conductor->rack, &conductor->logical, looped);
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		if (!joins_twin(unit))
			continue;
		bool loops = exact && looped[unit->member];
		if (loops)
			rank(unit, lanes->leader);
		chr_lanes_ask(unit, !lanes->leader, lanes->join_frame, loops ? CHR_EVENT_LOOPS : 0);
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
		if (!joins_twin(unit))
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
		lanes->join_failures++;
		ask_to_join(conductor);
		return;
	}
	lanes->whole[lane] = true;
	lanes->joins++;
	lanes->join_failures = 0;
	set_all(conductor, lane, CHR_INSTANCE_JOINING, CHR_INSTANCE_PLAYING);
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		if (!conductor->rack.unit[i]->quarantined)
			chr_instances_tell_repair(&conductor->rack.unit[i]->instance[lane]);
	lanes->audit_us = chr_monotonic_us() + FIRST_AUDIT_US;
	/* the leader lost a member after its twins had its state: they go on where it cannot */
	if (!lanes->whole[!lane])
		chr_lanes_break(conductor, !lane);
	chr_lanes_review(conductor);
	chr_instances_fill(conductor);
}

/* The lane is not to be played until it has joined again. */
void chr_lanes_break(struct chr_conductor *conductor, unsigned lane)
{
	struct chr_lanes *lanes = &conductor->lanes;
	lanes->whole[lane] = false;
	lanes->auditing = false;
	if (lane == lanes->leader && lanes->whole[!lane]) {
		lanes->leader = !lane;
		lanes->led_us = chr_monotonic_us();
		lanes->asked = false;
	}
	if (lane != lanes->leader) {
		lanes->asked = false;
		set_all(conductor, lane, CHR_INSTANCE_PLAYING, CHR_INSTANCE_JOINING);
	}
}

void chr_lanes_part(struct chr_conductor *conductor)
{
	if (chr_lanes_two(conductor))
		chr_lanes_break(conductor, !conductor->lanes.leader);
	chr_lanes_review(conductor);
}

bool chr_lanes_joins(const struct chr_conductor *conductor, const struct chr_instance *instance)
{
	return chr_lanes_two(conductor) && instance->lane != conductor->lanes.leader;
}

void chr_lanes_lead(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance)
{
	chr_instances_set_state(conductor, unit, instance, CHR_INSTANCE_PLAYING);
	/* what its twin may have taken over before is void */
	if (unit->stage == CHR_UNIT_HERE)
		conductor->lanes.asked = false;
	chr_instances_tell_repair(instance);
}

void chr_lanes_settle(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance)
{
	if (chr_lanes_joins(conductor, instance))
		chr_instances_set_state(conductor, unit, instance, CHR_INSTANCE_JOINING);
	else if (!chr_lanes_inherit(conductor, unit, instance))
		chr_lanes_lead(conductor, unit, instance);
}

void chr_lanes_died(struct chr_conductor *conductor, const struct chr_unit *unit, struct chr_instance *instance)
{
	if (!chr_lanes_two(conductor) || unit->stage == CHR_UNIT_ENTERING || unit->stage == CHR_UNIT_AWAY)
		return;
	if (!chr_lanes_take_over(conductor, instance->lane))
		chr_lanes_break(conductor, instance->lane);
}

static void tell_nonfinite(struct chr_unit *unit, const struct chr_instance *instance)
{
	unsigned count = chr_repeat_tell(&unit->nonfinite, chr_monotonic_us());
	if (count)
		chr_warn("%s: produced samples that are not numbers; silenced and reset%s", instance->client,
			 chr_repeat_times(count));
}

void chr_lanes_note(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance,
		    const struct chr_event *note)
{
	switch (note->kind) {
	case CHR_NOTE_JOINED:
		if (chr_lanes_inherited(conductor, unit, instance, note->frame))
			break;
		/* the answer to an earlier request that was given up: what was joined then may be void */
		if (chr_frames_diff(note->frame, conductor->lanes.join_frame) < 0)
			break;
		instance->joined = true;
		instance->joined_frame = note->frame;
		take_joined(conductor);
		break;
	case CHR_NOTE_CHECKSUM:
		chr_lanes_take_sum(conductor, instance, note);
		break;
	case CHR_NOTE_SKIPPED:
		instance->skip_us = chr_monotonic_us();
		instance->skip_frame = note->frame;
		instance->skip_count = note->count;
		instance->skip_made_up = (uint32_t)note->sum;
		break;
	case CHR_NOTE_NONFINITE:
		tell_nonfinite(unit, instance);
		if (chr_swap_nonfinite(conductor, instance))
			break;
		/* its state is fresh: no longer its twin's */
		if (chr_lanes_two(conductor) && conductor->lanes.whole[0] && conductor->lanes.whole[1]) {
			chr_lanes_break(conductor, instance->lane);
			chr_lanes_review(conductor);
		}
		break;
	default:
		break;
	}
}

void chr_lanes_tick(struct chr_conductor *conductor)
{
	struct chr_lanes *lanes = &conductor->lanes;
	if (!chr_lanes_two(conductor) || !conductor->server_up)
		return;
	chr_lanes_judge_skips(conductor, chr_monotonic_us());
	chr_lanes_rescue_tick(conductor, chr_monotonic_us());
	if (lanes->asked && chr_monotonic_us() - lanes->asked_us > lanes->join_wait_us) {
		chr_debug("lane %c did not join: again", 'a' + !lanes->leader);
		lanes->join_failures++;
		lanes->asked = false;
		chr_lanes_review(conductor);
	}
	chr_lanes_audit_tick(conductor);
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
		return chr_lanes_unlike(conductor) ? "unlike" : "whole";
	return lanes->asked ? "joining" : "broken";
}

void chr_lanes_review(struct chr_conductor *conductor)
{
	struct chr_lanes *lanes = &conductor->lanes;
	lanes->whole[lanes->leader] = all_in(conductor, lanes->leader, CHR_INSTANCE_PLAYING);
	if (lanes->whole[!lanes->leader] && !all_in(conductor, !lanes->leader, CHR_INSTANCE_PLAYING))
		chr_lanes_break(conductor, !lanes->leader); /* the server went, or a quarantine was lifted */
	chr_start_whole(conductor);
	chr_lanes_tell_outs(conductor);
	if (chr_lanes_two(conductor) && conductor->server_up && lanes->whole[lanes->leader] && !lanes->whole[!lanes->leader] &&
	    !lanes->asked && all_in(conductor, !lanes->leader, CHR_INSTANCE_JOINING)) {
		ask_to_join(conductor);
		take_joined(conductor); /* nobody has to, perhaps */
	}
	if (foreign_lane(lanes) != lanes->foreign)
		chr_lanes_rewire(conductor);
	if (!conductor->heard_us && conductor->server_up && lanes->whole[lanes->leader])
		chr_conductor_heard(conductor);
}

void chr_lanes_rewire(struct chr_conductor *conductor)
{
	struct chr_lanes *lanes = &conductor->lanes;
	struct chr_edges jack = {0};
	lanes->foreign = foreign_lane(lanes);
	if (chr_wiring_expand(&conductor->rack, &conductor->logical, lanes->foreign, &jack)) {
		chr_error("out of memory while wiring");
		chr_edges_finish(&jack);
		return;
	}
	chr_graph_desire(&conductor->graph, &jack, ++conductor->generation);
	chr_lanes_review(conductor);
}
