/* /chronus/status and /chronus/modules. The figures of a process come from memory it can write: they are numbers to show and nothing
 * depends on them.
 */
#include "supervisor/osc_private.h"

#include "common/clock.h"
#include "supervisor/process.h"

#include <stdio.h>

#ifndef CHR_VERSION
#define CHR_VERSION "unknown"
#endif

static void add_text(lo_message message, const char *key, const char *value)
{
	lo_message_add_string(message, key);
	lo_message_add_string(message, value);
}

static void add_int(lo_message message, const char *key, uint32_t value)
{
	lo_message_add_string(message, key);
	lo_message_add_int32(message, (int32_t)value);
}

static void add_float(lo_message message, const char *key, float value)
{
	lo_message_add_string(message, key);
	lo_message_add_float(message, value);
}

static void add_double(lo_message message, const char *key, double value)
{
	lo_message_add_string(message, key);
	lo_message_add_double(message, value);
}

static void add_long(lo_message message, const char *key, uint64_t value)
{
	lo_message_add_string(message, key);
	lo_message_add_int64(message, (int64_t)value);
}

static void reply_head(struct chr_osc *osc)
{
	const struct chr_rack *rack = osc->host.rack;
	lo_message reply = lo_message_new();
	const char *name;
	uint64_t value;

	add_text(reply, "patch", rack->patch->name);
	add_text(reply, "file", osc->host.file ? osc->host.file : "");
	add_int(reply, "lanes", rack->patch->lanes);
	add_text(reply, "server", osc->host.server ? osc->host.server : rack->patch->jack_server);
	add_int(reply, "rate", rack->sample_rate);
	add_int(reply, "period", rack->period);
	add_text(reply, "jack", rack->sample_rate ? "playing" : "lost");
	add_double(reply, "tempo", rack->patch->tempo_bpm);
	add_text(reply, "timing", rack->patch->timing == CHR_TIMING_SOONEST ? "soonest" : "steady");
	add_double(reply, "uptime", (double)(chr_monotonic_us() - osc->started_us) / 1e6);
	add_text(reply, "version", CHR_VERSION);
	for (unsigned lane = 0; lane < rack->patch->lanes && osc->host.lane; lane++)
		add_text(reply, lane ? "lane.b" : "lane.a", osc->host.lane(osc->host.self, lane));
	for (unsigned i = 0; osc->host.figure && osc->host.figure(osc->host.self, i, &name, &value); i++)
		add_long(reply, name, value);
	chr_osc_reply(osc, CHR_OSC_ROOT "status", reply);
}

/* JACK ports of one instance: a port with a channel exists up to the patch's count. */
static uint32_t port_count(const struct chr_patch *patch, const struct chr_descriptor *type)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < type->port_count; i++)
		count += type->port[i].channel <= patch->channels;
	return count;
}

static void add_counters(lo_message reply, const struct chr_descriptor *type, const struct chr_slot_status *status,
			 uint32_t skipped_before)
{
	char key[CHR_NAME_MAX + 8];
#define FIGURE(name) (status ? atomic_load_explicit(&status->name, memory_order_relaxed) : 0)
	add_float(reply, "worst_ms", (float)FIGURE(worst_us) / 1000);
	add_int(reply, "applied", FIGURE(applied));
	add_int(reply, "late", FIGURE(late));
	add_int(reply, "nonfinite", FIGURE(nonfinite));
	add_int(reply, "skipped", FIGURE(skipped) - (status ? skipped_before : 0));
	add_int(reply, "joins", FIGURE(joins));
	for (uint32_t i = 0; i < type->meter_count; i++) {
		snprintf(key, sizeof key, "meter.%s", type->meter[i]);
		add_int(reply, key, FIGURE(meter[i]));
	}
	if (type->flags & CHR_MODULE_OUT) {
		add_int(reply, "played", FIGURE(played));
		add_int(reply, "silent", FIGURE(silent));
	}
#undef FIGURE
}

static void reply_instance(struct chr_osc *osc, const struct chr_unit *unit, const struct chr_instance *instance)
{
	const struct chr_process *process = instance->process;
	lo_message reply = lo_message_new();

	add_text(reply, "module", unit->name);
	add_text(reply, "lane", instance->lane ? "b" : "a");
	add_text(reply, "client", instance->client);
	add_int(reply, "pid", process ? (uint32_t)process->pid : 0);
	add_text(reply, "state", chr_instance_state_name[instance->state]);
	add_int(reply, "restarts", instance->restarts);
	add_float(reply, "load", instance->load);
	add_int(reply, "ports", port_count(osc->host.rack->patch, unit->type));
	add_counters(reply, unit->type, process && process->slot ? &process->slot->status : NULL, instance->skipped_before);
	add_double(reply, "since", (double)(chr_monotonic_us() - instance->since_us) / 1e6);
	/* the last fault: CLOCK_MONOTONIC (us), 0: none, not back */
	add_text(reply, "cause", instance->fault.cause);
	add_long(reply, "seen", instance->fault.seen_us);
	add_long(reply, "back", instance->fault.back_us);
	chr_osc_reply(osc, CHR_OSC_ROOT "status/instance", reply);
}

static void reply_unit(struct chr_osc *osc, const struct chr_unit *unit)
{
	lo_message reply = lo_message_new();
	uint32_t quarantined = 0;

	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		quarantined |= unit->instance[lane].state == CHR_INSTANCE_QUARANTINED;
	add_text(reply, "name", unit->name);
	add_text(reply, "type", unit->type->name);
	add_int(reply, "quarantined", quarantined);
	chr_osc_reply(osc, CHR_OSC_ROOT "status/module", reply);
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		if (unit->instance[lane].state != CHR_INSTANCE_NONE)
			reply_instance(osc, unit, &unit->instance[lane]);
	}
}

static void reply_totals(struct chr_osc *osc)
{
	struct chr_totals totals = chr_rack_totals(osc->host.rack);
	lo_message reply = lo_message_new();

	add_long(reply, "received", totals.received);
	add_long(reply, "applied", totals.applied);
	add_long(reply, "late", totals.late);
	add_long(reply, "coalesced", totals.coalesced);
	add_long(reply, "errors", totals.errors);
	add_long(reply, "dropped", totals.dropped);
	chr_osc_reply(osc, CHR_OSC_ROOT "status/totals", reply);
}

void chr_osc_status(struct chr_osc *osc, const struct chr_osc_message *message)
{
	const struct chr_rack *rack = osc->host.rack;
	uint64_t before = osc->sent;

	(void)message;
	reply_head(osc);
	for (unsigned i = 0; i < rack->unit_count; i++)
		reply_unit(osc, rack->unit[i]);
	reply_totals(osc);
	chr_osc_reply_end(osc, CHR_OSC_ROOT "status/end", before);
}

void chr_osc_modules(struct chr_osc *osc, const struct chr_osc_message *message)
{
	const struct chr_rack *rack = osc->host.rack;
	uint64_t before = osc->sent;

	(void)message;
	for (unsigned i = 0; i < rack->unit_count; i++) {
		lo_message reply = lo_message_new();

		lo_message_add_string(reply, rack->unit[i]->name);
		lo_message_add_string(reply, rack->unit[i]->type->name);
		chr_osc_reply(osc, CHR_OSC_ROOT "modules/module", reply);
	}
	chr_osc_reply_end(osc, CHR_OSC_ROOT "modules/end", before);
}
