/* One order of events per unit: the serial is stamped when an event goes to the feeds, never when a message came, and what the
 * schedule holds for the same stretch of time goes first. So both lanes get the same events with the same serials in the same order.
 */
#include "supervisor/rack.h"

#include "common/clock.h"
#include "supervisor/process.h"

#include <string.h>

#define RETRY_MS 2 /* until full rings are tried again */

const char *const chr_instance_state_name[] = {
	[CHR_INSTANCE_NONE] = "none",
	[CHR_INSTANCE_WAITING] = "waiting",
	[CHR_INSTANCE_STARTING] = "starting",
	[CHR_INSTANCE_WIRING] = "wiring",
	[CHR_INSTANCE_JOINING] = "joining",
	[CHR_INSTANCE_PLAYING] = "playing",
	[CHR_INSTANCE_QUARANTINED] = "quarantined",
};

struct chr_unit *chr_rack_find(struct chr_rack *rack, const char *name)
{
	for (unsigned i = 0; i < rack->unit_count; i++) {
		if (strcmp(rack->unit[i]->name, name) == 0)
			return rack->unit[i];
	}
	return NULL;
}

struct chr_unit *chr_rack_find_client(const struct chr_rack *rack, const char *client, unsigned *lane)
{
	for (unsigned i = 0; i < rack->unit_count; i++)
		for (unsigned k = 0; k < CHR_LANES; k++)
			if (strcmp(rack->unit[i]->instance[k].client, client) == 0) {
				if (lane)
					*lane = k;
				return rack->unit[i];
			}
	return NULL;
}

static uint32_t horizon_frames(const struct chr_rack *rack)
{
	return rack->sample_rate * CHR_HORIZON_MS / 1000;
}

static void remember(struct chr_rack *rack, struct chr_unit *unit, unsigned param, float value)
{
	unit->value[param] = value;
	if (rack->changed)
		rack->changed(rack->changed_arg, unit, param);
}

static void send_event(struct chr_rack *rack, struct chr_unit *unit, struct chr_event *event)
{
	event->serial = ++unit->serial;
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		struct chr_feed *feed = &unit->instance[lane].feed;
		uint64_t coalesced = feed->coalesced;

		chr_feed_put(feed, event);
		rack->totals.coalesced += feed->coalesced - coalesced;
	}
	unit->change[unit->change_next++ % CHR_CHANGES_MAX] = (struct chr_change){
		.param = event->index, .before = unit->value[event->index], .after = event->value, .time_us = chr_monotonic_us()};
	remember(rack, unit, event->index, event->value);
}

void chr_rack_fade(struct chr_unit *unit, float gain, uint32_t ramp_frames, uint32_t frame)
{
	const struct chr_event fade = {.version = CHR_EVENT_VERSION,
				       .kind = CHR_EVENT_FADE,
				       .serial = ++unit->serial,
				       .frame = frame,
				       .ramp_frames = ramp_frames,
				       .value = gain};

	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		chr_feed_put(&unit->instance[lane].feed, &fade);
}

unsigned chr_rack_take_back(struct chr_rack *rack, struct chr_unit *unit, uint64_t since_us)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CHR_CHANGES_MAX; i++) {
		struct chr_change *change = &unit->change[(unit->change_next - 1 - i) % CHR_CHANGES_MAX];

		if (!change->time_us || change->time_us < since_us)
			break;
		remember(rack, unit, change->param, change->before);
		change->time_us = 0;
		count++;
	}
	return count;
}

/* Events of units that are gone are dropped. */
static void send_scheduled(struct chr_rack *rack, struct chr_scheduled *due)
{
	for (unsigned i = 0; i < rack->unit_count; i++) {
		struct chr_unit *unit = rack->unit[i];

		if (unit->member != due->unit)
			continue;
		if (rack->sample_rate != 0)
			send_event(rack, unit, &due->event);
		else
			remember(rack, unit, due->event.index, due->event.value);
		return;
	}
}

static void send_due(struct chr_rack *rack, uint32_t now)
{
	uint32_t end = now + horizon_frames(rack) + 1;
	struct chr_scheduled due;

	while (chr_schedule_take(&rack->schedule, end, &due))
		send_scheduled(rack, &due);
}

/* Without a server frames mean nothing: what was to come is remembered at once, in its order. */
static void settle(struct chr_rack *rack)
{
	struct chr_scheduled due;
	uint32_t first;

	while (chr_schedule_next(&rack->schedule, &first) && chr_schedule_take(&rack->schedule, first + 1, &due))
		send_scheduled(rack, &due);
}

void chr_rack_set(struct chr_rack *rack, struct chr_unit *unit, unsigned param, float value, uint32_t ramp_frames, uint32_t frame,
		  uint32_t now)
{
	struct chr_event event = {
		.version = CHR_EVENT_VERSION,
		.kind = CHR_EVENT_PARAM,
		.frame = frame,
		.ramp_frames = ramp_frames,
		.index = param,
		.flags = unit->type->param[param].scale == CHR_TOGGLE ? CHR_EVENT_GATE : 0,
		.value = value,
	};

	if (rack->sample_rate == 0) {
		settle(rack);
		remember(rack, unit, param, value);
		return;
	}
	if (chr_frames_diff(frame, now) > (int32_t)horizon_frames(rack)) {
		if (chr_schedule_put(&rack->schedule, unit->member, &event) < 0)
			rack->totals.errors++;
		return;
	}
	if (rack->schedule.count > 0)
		send_due(rack, now);
	send_event(rack, unit, &event);
}

static bool flush_all(struct chr_rack *rack)
{
	bool done = true;

	for (unsigned i = 0; i < rack->unit_count; i++) {
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			struct chr_feed *feed = &rack->unit[i]->instance[lane].feed;

			if (feed->ring && !chr_feed_flush(feed))
				done = false;
		}
	}
	return done;
}

int chr_rack_deliver(struct chr_rack *rack, uint32_t now)
{
	uint32_t next;

	if (rack->sample_rate == 0) {
		settle(rack);
		return -1;
	}
	send_due(rack, now);
	if (!flush_all(rack))
		return RETRY_MS;
	if (!chr_schedule_next(&rack->schedule, &next))
		return -1;
	int64_t frames = (int64_t)chr_frames_diff(next, now) - horizon_frames(rack);
	int64_t ms = frames * 1000 / rack->sample_rate;
	return ms < 1 ? 1 : (int)ms;
}

static void add_counters(struct chr_totals *totals, const struct chr_instance *instance)
{
	if (!instance->process || !instance->process->slot)
		return;
	const struct chr_slot_status *status = &instance->process->slot->status;

	totals->applied += atomic_load_explicit(&status->applied, memory_order_relaxed);
	totals->late += atomic_load_explicit(&status->late, memory_order_relaxed);
}

void chr_rack_retire(struct chr_rack *rack, const struct chr_instance *instance)
{
	add_counters(&rack->totals, instance);
}

struct chr_totals chr_rack_totals(const struct chr_rack *rack)
{
	struct chr_totals totals = rack->totals;

	for (unsigned i = 0; i < rack->unit_count; i++) {
		for (unsigned lane = 0; lane < CHR_LANES; lane++)
			add_counters(&totals, &rack->unit[i]->instance[lane]);
	}
	return totals;
}
