/* The lanes: which of them is whole, and what `out` is told of it. */
#include "common/log.h"
#include "supervisor/conductor.h"

#include <string.h>

static struct chr_slot_picker *picker_of(struct chr_conductor *conductor)
{
	struct chr_instance *out = &conductor->rack.unit[0]->instance[0];
	return out->process ? &out->process->slot->picker : NULL;
}

void chr_lanes_review(struct chr_conductor *conductor)
{
	struct chr_rack *rack = &conductor->rack;
	struct chr_slot_picker *picker = picker_of(conductor);
	bool need[CHR_BOARD_MEMBERS], all = true;
	chr_wiring_upstream(rack, &conductor->logical, need);
	for (unsigned i = 0; i < rack->unit_count; i++) {
		struct chr_unit *unit = rack->unit[i];
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			const struct chr_instance *instance = &unit->instance[lane];
			bool plays = instance->state == CHR_INSTANCE_PLAYING;
			all &= plays || unit->quarantined || instance->state == CHR_INSTANCE_NONE;
			if (picker && i > 0)
				chr_member_set_put(&picker->required[lane], unit->member, plays && need[unit->member]);
		}
	}
	if (all && !conductor->heard_us && conductor->server_up)
		chr_conductor_heard(conductor);
}

void chr_lanes_rewire(struct chr_conductor *conductor)
{
	struct chr_edges jack = {0};
	if (chr_wiring_expand(&conductor->rack, &conductor->logical, &jack)) {
		chr_error("out of memory while wiring");
		chr_edges_finish(&jack);
		return;
	}
	chr_graph_desire(&conductor->graph, &jack, ++conductor->generation);
	chr_lanes_review(conductor);
}
