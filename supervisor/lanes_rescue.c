/* When the lane that leads loses a member and the other is not whole: what there is of the sound's state is kept.
 *
 * - The other lane, with all of its members alive, was only to be put in step again: it goes on as it is, and leads.
 * - It has members missing too: then the leader plays on without the dead one, and the new one in its place takes over the state of its twin there,
 *   which nobody hears but which has run all the time.
 *
 * A member that begins anew is the last resort. While the code of one is swapped neither is done: then the lanes may not be the same.
 */
#include "supervisor/lanes_parts.h"

#include "common/clock.h"
#include "supervisor/conductor.h"

#define INHERIT_WAIT_US 100000u /* after which it begins anew */

/* Does it run, with the state of a sound that was heard? */
static bool has_state(const struct chr_instance *instance)
{
	bool runs = instance->state == CHR_INSTANCE_JOINING || instance->state == CHR_INSTANCE_PLAYING;
	return runs && instance->process && !instance->process->dying && instance->seasoned;
}

static bool could_lead(const struct chr_conductor *conductor, unsigned lane)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		const struct chr_unit *unit = conductor->rack.unit[i];
		if (chr_lanes_counts(unit) && !has_state(&unit->instance[lane]))
			return false;
	}
	return true;
}

bool chr_lanes_take_over(struct chr_conductor *conductor, unsigned lost)
{
	struct chr_lanes *lanes = &conductor->lanes;
	unsigned lane = !lost;
	if (lost != lanes->leader || lanes->whole[lane] || conductor->swap.state != CHR_SWAP_NONE || !could_lead(conductor, lane))
		return false;
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		if (!chr_lanes_counts(unit))
			continue;
		const struct chr_event cancel = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_JOIN, .flags = CHR_EVENT_CANCEL};
		chr_process_request(unit->instance[lane].process, &cancel);
		chr_instances_set_state(conductor, unit, &unit->instance[lane], CHR_INSTANCE_PLAYING);
		chr_instances_tell_repair(&unit->instance[lane]);
	}
	lanes->whole[lane] = true;
	chr_lanes_break(conductor, lost);
	return true;
}

bool chr_lanes_inherit(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance)
{
	const struct chr_instance *twin = &unit->instance[!instance->lane];
	if (!chr_lanes_two(conductor) || unit->stage != CHR_UNIT_HERE || conductor->swap.state != CHR_SWAP_NONE || !has_state(twin))
		return false;
	instance->inherit_us = chr_monotonic_us();
	instance->inherit_frame = chr_lanes_soon(conductor);
	chr_lanes_ask(unit, instance->lane, instance->inherit_frame, 0);
	chr_instances_set_state(conductor, unit, instance, CHR_INSTANCE_JOINING);
	return true;
}

static bool inherits(const struct chr_conductor *conductor, const struct chr_instance *instance)
{
	return instance->lane == conductor->lanes.leader && instance->state == CHR_INSTANCE_JOINING;
}

bool chr_lanes_inherited(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance, uint32_t frame)
{
	if (!inherits(conductor, instance))
		return false;
	if (chr_frames_diff(frame, instance->inherit_frame) >= 0) {
		chr_lanes_lead(conductor, unit, instance);
		chr_lanes_review(conductor);
	}
	return true;
}

void chr_lanes_rescue_tick(struct chr_conductor *conductor, uint64_t now)
{
	bool changed = false;
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		struct chr_instance *instance = &unit->instance[conductor->lanes.leader];
		bool hopeless = !has_state(&unit->instance[!instance->lane]) || now - instance->inherit_us > INHERIT_WAIT_US;
		if (!inherits(conductor, instance) || !hopeless)
			continue;
		chr_lanes_lead(conductor, unit, instance);
		changed = true;
	}
	if (changed)
		chr_lanes_review(conductor);
}
