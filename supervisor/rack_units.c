/* Units come and go while the others play: a member's index on the boards stays what it was. */
#include "supervisor/rack.h"

#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool taken(const struct chr_rack *rack, unsigned member)
{
	for (unsigned i = 0; i < rack->unit_count; i++)
		if (rack->unit[i]->member == member)
			return true;
	return false;
}

const char *chr_rack_client(const struct chr_unit *unit, unsigned lane, char client[CHR_CLIENT_MAX])
{
	snprintf(client, CHR_CLIENT_MAX, "%s%s%s", unit->prefix ? unit->prefix : "", unit->name, lane ? ".b" : "");
	return client;
}

struct chr_unit *chr_rack_add(struct chr_rack *rack, const char *name, const struct chr_descriptor *type, const float *value)
{
	struct chr_unit *unit = rack->unit_count < CHR_BOARD_MEMBERS ? calloc(1, sizeof *unit) : NULL;
	if (!unit)
		return NULL;
	while (taken(rack, unit->member))
		unit->member++;
	chr_rack_rename(unit, name);
	unit->prefix = rack->prefix;
	unit->type = type;
	unit->stage_us = chr_monotonic_us();
	memcpy(unit->value, value, type->param_count * sizeof *value);
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		struct chr_instance *instance = &unit->instance[lane];
		instance->lane = lane;
		instance->state = lane < rack->patch->lanes ? CHR_INSTANCE_WAITING : CHR_INSTANCE_NONE;
		chr_rack_client(unit, lane, instance->client);
		chr_feed_init(&instance->feed);
	}
	rack->unit[rack->unit_count++] = unit;
	return unit;
}

void chr_rack_remove(struct chr_rack *rack, struct chr_unit *unit)
{
	unsigned at = 0;
	while (at < rack->unit_count && rack->unit[at] != unit)
		at++;
	if (at == rack->unit_count)
		return;
	memmove(&rack->unit[at], &rack->unit[at + 1], (rack->unit_count - at - 1) * sizeof rack->unit[0]);
	rack->unit_count--;
	chr_schedule_forget(&rack->schedule, unit->member);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		chr_feed_finish(&unit->instance[lane].feed);
	free(unit);
}

void chr_rack_rename(struct chr_unit *unit, const char *name)
{
	snprintf(unit->name, sizeof unit->name, "%s", name);
}
