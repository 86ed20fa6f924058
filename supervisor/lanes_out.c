#include "supervisor/lanes_parts.h"

#include "common/log.h"
#include "supervisor/conductor.h"

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
void chr_lanes_hand_over(struct chr_conductor *conductor)
{
	struct chr_unit *unit = conductor->rack.unit[0];
	struct chr_instance *out = &unit->instance[0], *standby = &unit->instance[1];
	if (out->state != CHR_INSTANCE_PLAYING || heard(out) || !heard(standby))
		return;
	uint32_t frame = chr_lanes_soon(conductor) + 2 * conductor->rack.period;
	set_muted(out, CHR_PLAY_FROM, frame);
	set_muted(standby, CHR_MUTE_FROM, frame);
	chr_debug("out is heard again from frame %u on", frame);
	chr_lanes_rewire(conductor); /* clients are behind the standby no longer */
}

/* The younger `out` takes the elder's state over: their clocks are to agree. */
void chr_lanes_join_outs(struct chr_conductor *conductor, struct chr_instance *younger)
{
	struct chr_instance *elder = &conductor->rack.unit[0]->instance[!younger->lane];
	struct chr_event publish = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_PUBLISH, .count = 16};
	struct chr_event join = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_JOIN, .frame = chr_lanes_soon(conductor)};
	if (elder->state != CHR_INSTANCE_PLAYING)
		return;
	chr_process_request(elder->process, &publish);
	chr_process_request(younger->process, &join);
}

static void write_picker(struct chr_conductor *conductor, const bool need[CHR_BOARD_MEMBERS], struct chr_slot_picker *picker)
{
	struct chr_rack *rack = &conductor->rack;
	const struct chr_lanes *lanes = &conductor->lanes;
	for (unsigned i = 0; i < rack->unit_count; i++) {
		const struct chr_unit *unit = rack->unit[i];
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			/* a lane that is not whole, but leads, is played without those that are missing */
			bool plays = unit->instance[lane].state == CHR_INSTANCE_PLAYING;
			chr_member_set_put(&picker->required[lane], unit->member,
					   chr_lanes_counts(unit) && need[unit->member] && plays);
		}
	}
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		bool good = lane == lanes->leader || lanes->whole[lane];
		atomic_store_explicit(&picker->broken[lane], !good, memory_order_release);
	}
}

void chr_lanes_tell_out(struct chr_conductor *conductor)
{
	struct chr_unit *out = conductor->rack.unit[0];
	bool need[CHR_BOARD_MEMBERS];
	chr_wiring_upstream(&conductor->rack, &conductor->logical, need);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		if (out->instance[lane].process)
			write_picker(conductor, need, &out->instance[lane].process->slot->picker);
}
