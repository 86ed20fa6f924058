#include "supervisor/lanes_parts.h"

#include "common/clock.h"
#include "common/log.h"
#include "supervisor/conductor.h"

#define AUDIT_EVERY_US 1000000u
#define AUDIT_LEAD     2u      /* periods beyond the earliest frame that all can still make */
#define AUDIT_WAIT_US  500000u /* after the frame of an audit, until sums that did not come are given up */
#define SKIP_WAIT_US   20000u  /* a skip that the twin has not noted after this was the instance's own */

static void begin_audit(struct chr_conductor *conductor, uint64_t now)
{
	struct chr_lanes *lanes = &conductor->lanes;
	struct chr_event ask = {.version = CHR_EVENT_VERSION,
				.kind = CHR_EVENT_CHECKSUM,
				.frame = chr_lanes_soon(conductor) + AUDIT_LEAD * conductor->rack.period};
	lanes->auditing = true;
	lanes->audit_frame = ask.frame;
	lanes->audit_us = now + AUDIT_EVERY_US;
	lanes->asked_us = now;
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		for (unsigned lane = 0; chr_lanes_counts(unit) && lane < CHR_LANES; lane++) {
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
		const struct chr_process *process = out[lane].process;
		uint32_t played = process ? atomic_load_explicit(&process->slot->status.played, memory_order_relaxed) : 0;
		/* an out that was restarted counts anew */
		moved[lane] = played >= lanes->played[lane] ? played - lanes->played[lane] : played;
		lanes->played[lane] = played;
	}
	return moved[!lanes->leader] > moved[lanes->leader] ? !lanes->leader : lanes->leader;
}

static void heal(struct chr_conductor *conductor, struct chr_unit *unit)
{
	struct chr_lanes *lanes = &conductor->lanes;
	lanes->divergences++;
	if (chr_swap_differs(conductor))
		return;
	unsigned count = chr_repeat_tell(&unit->differs, chr_monotonic_us()), lane = chr_lanes_worse(conductor);
	if (count)
		chr_warn("%s: the lanes differ; lane %c joins lane %c again%s%s", unit->name, 'a' + lane, 'a' + !lane,
			 chr_repeat_times(count), count > 1 ? ": does it keep something outside its state?" : "");
	chr_lanes_break(conductor, lane);
	chr_lanes_differ(conductor, lane);
	chr_lanes_review(conductor);
}

static void end_audit(struct chr_conductor *conductor)
{
	struct chr_lanes *lanes = &conductor->lanes;
	struct chr_unit *differs = NULL;
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		const struct chr_instance *a = &unit->instance[0], *b = &unit->instance[1];
		if (!chr_lanes_counts(unit))
			continue;
		if (!a->summed || !b->summed)
			return;
		if ((a->sum != b->sum || a->outputs != b->outputs) && !differs)
			differs = unit;
	}
	lanes->auditing = false;
	lanes->audits++;
	if (differs)
		heal(conductor, differs);
	else
		chr_lanes_agree(conductor);
}

/* A cycle that one twin missed and the other did not: its lane is out of step. */
void chr_lanes_judge_skips(struct chr_conductor *conductor, uint64_t now)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		struct chr_instance *a = &unit->instance[0], *b = &unit->instance[1];
		bool fresh = a->skip_us || b->skip_us;
		if (!fresh || !chr_lanes_counts(unit))
			continue;
		if (a->skip_us && b->skip_us && a->skip_frame == b->skip_frame && a->skip_count == b->skip_count &&
		    a->skip_made_up == b->skip_made_up) {
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
		chr_lanes_break(conductor, lane);
		chr_lanes_review(conductor);
	}
}

static uint64_t audit_wait_us(const struct chr_rack *rack)
{
	uint64_t lead = (AUDIT_LEAD + 2u) * (uint64_t)rack->period;
	return AUDIT_WAIT_US + (rack->sample_rate ? lead * 1000000u / rack->sample_rate : 0);
}

void chr_lanes_audit_tick(struct chr_conductor *conductor)
{
	struct chr_lanes *lanes = &conductor->lanes;
	uint64_t now = chr_monotonic_us();
	if (!lanes->whole[0] || !lanes->whole[1] || lanes->differ)
		return;
	if (lanes->auditing && now - lanes->asked_us > audit_wait_us(&conductor->rack))
		lanes->auditing = false;
	if (!lanes->auditing && now >= lanes->audit_us) {
		lanes->leader = heard_lane(conductor);
		begin_audit(conductor, now);
	}
}

void chr_lanes_take_sum(struct chr_conductor *conductor, struct chr_instance *instance, const struct chr_event *note)
{
	if (!conductor->lanes.auditing || note->frame != conductor->lanes.audit_frame)
		return;
	instance->summed = true;
	instance->sum = note->sum;
	instance->outputs = note->outputs;
	end_audit(conductor);
}
