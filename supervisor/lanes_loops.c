/* Lanes that differ again and again, though the one had joined the other, have another graph: JACK delays another connection of a loop, or adds up what
 * comes to an input in another order. What it does with the edges of a new client is known (wiring.h), with those that people draw and erase while other
 * things happen it may not be. So the members where this matters get new processes: first in the lane that follows, and if that does not help, in
 * the other one, while the first leads. Nobody hears that.
 */
#include "supervisor/lanes_parts.h"

#include "common/log.h"
#include "supervisor/conductor.h"

#include <signal.h>
#include <stdio.h>

/* Audits in a row that found a difference: from the first of these on, the lane that follows is renewed or, every other time, the one that leads; then it
 * is told. Each time is another chance: some servers take up edges in no fixed order. */
enum { RENEWED = 2, TOLD = 6 };

/* Members with something to renew; none while the code of one is swapped, whose processes that is about. */
static bool delicate_members(const struct chr_conductor *conductor, bool delicate[CHR_BOARD_MEMBERS])
{
	bool any = false;
	if (conductor->swap.state != CHR_SWAP_NONE)
		return false;
	chr_wiring_delicate(&conductor->rack, &conductor->logical, delicate);
	for (unsigned i = 0; i < CHR_BOARD_MEMBERS; i++)
		any |= delicate[i];
	return any;
}

static void tell(const struct chr_conductor *conductor, const bool delicate[CHR_BOARD_MEMBERS])
{
	char names[CHR_TEXT_MAX] = "";
	size_t at = 0;
	for (unsigned i = 0; i < conductor->rack.unit_count && at + CHR_NAME_MAX + 2 < sizeof names; i++) {
		const struct chr_unit *unit = conductor->rack.unit[i];
		if (delicate[unit->member])
			at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", at ? ", " : "", unit->name);
	}
	chr_warn("the lanes do not agree: JACK delays connections of loops, or adds up those to an input, otherwise in one "
		 "lane than in the other, and a death may be heard; take a connection away, or draw it anew, among %s",
		 names);
}

static void renew(struct chr_conductor *conductor, unsigned lane, const bool delicate[CHR_BOARD_MEMBERS])
{
	chr_debug("lane %c: new processes where the order of connections matters", 'a' + lane);
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		struct chr_instance *instance = &unit->instance[lane];
		if (!delicate[unit->member] || !chr_lanes_counts(unit) || !instance->process || instance->process->dying)
			continue;
		instance->by_hand = true;
		chr_process_signal(instance->process, SIGKILL);
	}
}

unsigned chr_lanes_worse(const struct chr_conductor *conductor)
{
	const struct chr_lanes *lanes = &conductor->lanes;
	bool delicate[CHR_BOARD_MEMBERS];
	unsigned nth = lanes->unlike + 1;
	bool leader = nth > RENEWED && nth < TOLD && (nth - RENEWED) % 2 && delicate_members(conductor, delicate);
	return leader ? lanes->leader : !lanes->leader;
}

void chr_lanes_differ(struct chr_conductor *conductor, unsigned lane)
{
	struct chr_lanes *lanes = &conductor->lanes;
	bool delicate[CHR_BOARD_MEMBERS];
	if (lanes->unlike >= TOLD || !delicate_members(conductor, delicate))
		return;
	lanes->unlike++;
	if (lanes->unlike == TOLD)
		tell(conductor, delicate);
	else if (lanes->unlike >= RENEWED)
		renew(conductor, lane, delicate);
}

void chr_lanes_agree(struct chr_conductor *conductor)
{
	conductor->lanes.unlike = 0;
}

bool chr_lanes_unlike(const struct chr_conductor *conductor)
{
	return conductor->lanes.unlike >= TOLD;
}
