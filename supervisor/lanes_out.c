#include "supervisor/lanes_parts.h"

#include "supervisor/conductor.h"

void chr_lanes_prepare_out(struct chr_conductor *conductor, const struct chr_instance *instance)
{
	/* the server's frames may have begun anew */
	if (!conductor->rack.unit[0]->instance[!instance->lane].process)
		chr_choice_clear(conductor->choice);
}

static void write_picker(struct chr_conductor *conductor, const bool need[CHR_BOARD_MEMBERS], struct chr_slot_picker *picker)
{
	struct chr_rack *rack = &conductor->rack;
	const struct chr_lanes *lanes = &conductor->lanes;
	for (unsigned i = 0; i < rack->unit_count; i++) {
		const struct chr_unit *unit = rack->unit[i];
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			/* a lane that is not whole, but leads, is played without those that are missing; without its out it is not heard */
			bool plays = unit->instance[lane].state == CHR_INSTANCE_PLAYING;
			bool wanted = chr_lanes_counts(unit) && need[unit->member] && plays;
			chr_member_set_put(&picker->required[lane], unit->member, wanted || unit->type->flags & CHR_MODULE_OUT);
		}
	}
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		bool good = lane == lanes->leader || lanes->whole[lane];
		atomic_store_explicit(&picker->broken[lane], !good, memory_order_release);
	}
}

void chr_lanes_tell_outs(struct chr_conductor *conductor)
{
	struct chr_unit *out = conductor->rack.unit[0];
	bool need[CHR_BOARD_MEMBERS];
	chr_wiring_upstream(&conductor->rack, &conductor->logical, need);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		if (out->instance[lane].process)
			write_picker(conductor, need, &out->instance[lane].process->slot->picker);
}
