/* The instances of the rack from birth to playing; instances_end.c has their deaths. */
#include "common/clock.h"
#include "common/log.h"
#include "supervisor/conductor.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define STARTS 16u /* at once: jackd lets clients in one by one */

void chr_instances_set_state(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance,
			     enum chr_instance_state state)
{
	if (instance->state == state)
		return;
	instance->state = state;
	instance->since_us = chr_monotonic_us();
	instance->seasoned |= state == CHR_INSTANCE_PLAYING;
	if (state == CHR_INSTANCE_WIRING || state == CHR_INSTANCE_JOINING)
		chr_conductor_hurry(conductor);
	chr_debug("%s: %s", instance->client, chr_instance_state_name[state]);
	if (conductor->osc)
		chr_osc_tell_state(conductor->osc, unit, instance);
}

bool chr_instances_of(struct chr_conductor *conductor, const struct chr_process *process, struct chr_unit **unit,
		      struct chr_instance **instance)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++)
			if (conductor->rack.unit[i]->instance[lane].process == process) {
				*unit = conductor->rack.unit[i];
				*instance = &conductor->rack.unit[i]->instance[lane];
				return true;
			}
	return false;
}

static void write_orders(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance,
			 struct chr_slot_order *order)
{
	snprintf(order->client, sizeof order->client, "%s", instance->client);
	snprintf(order->module, sizeof order->module, "%s", unit->name);
	snprintf(order->server, sizeof order->server, "%s", conductor->jack.server);
	order->lane = instance->lane;
	order->lanes = conductor->rack.patch->lanes;
	order->member = unit->member;
	order->channels = unit->type->flags & CHR_MODULE_OUT ? conductor->rack.patch->channels : 0;
	const struct chr_code *code = chr_instances_code(conductor, unit, instance);
	order->silent = unit->stage == CHR_UNIT_ENTERING;
	memcpy(order->value, unit->value, sizeof order->value);
	if (code)
		chr_code_values(unit->type, &code->descriptor, unit->value, order->value);
}

struct chr_code *chr_instances_code(const struct chr_conductor *conductor, const struct chr_unit *unit,
				    const struct chr_instance *instance)
{
	if (instance->code || unit->code)
		return instance->code ? instance->code : unit->code;
	const struct chr_type *type = chr_catalog_find(conductor->catalog, unit->type->name);
	return type && chr_type_known(type) ? type->code : NULL;
}

/* Events name parameters by their places in the unit's table; the code to be run may have others. */
void chr_instances_translate(const struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance)
{
	const struct chr_code *code = chr_instances_code(conductor, unit, instance);
	instance->feed.translated = code && !chr_descriptor_params_begin(unit->type, &code->descriptor);
	if (instance->feed.translated)
		chr_code_map(unit->type, &code->descriptor, instance->feed.map);
}

static struct chr_pulse *pulse_of(const struct chr_conductor *conductor, const struct chr_unit *unit,
				  const struct chr_instance *instance)
{
	return &conductor->board[instance->lane]->pulse[unit->member];
}

static uint32_t cycles_of(const struct chr_conductor *conductor, const struct chr_unit *unit, const struct chr_instance *instance)
{
	return atomic_load_explicit(&pulse_of(conductor, unit, instance)->cycles, memory_order_acquire);
}

/* What was measured last: where the median is taken from. */
static void note_assignment(struct chr_conductor *conductor, const struct chr_instance *instance, uint64_t begun_us)
{
	uint32_t us = (uint32_t)(chr_monotonic_us() - begun_us);
	conductor->assign_us[conductor->assigned++ % CHR_ASSIGNS_KEPT] = us;
	chr_debug("%s: assigned within %u us", instance->client, us);
}

/* Chooses the spare, writes its orders, wakes it. False without a spare. */
static bool assign(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance)
{
	uint64_t begun_us = chr_monotonic_us();
	struct chr_process *process = chr_processes_take_spare(conductor);
	if (!process)
		return false;
	instance->process = process;
	write_orders(conductor, unit, instance, &process->slot->order);
	*pulse_of(conductor, unit, instance) = (struct chr_pulse){0};
	if (unit->type->flags & CHR_MODULE_OUT)
		chr_lanes_prepare_out(conductor, instance);
	chr_feed_attach(&instance->feed, &process->slot->to_audio);
	chr_instances_translate(conductor, unit, instance);
	const struct chr_code *code = chr_instances_code(conductor, unit, instance);
	static const unsigned orders[] = {CHR_ORDER_LOAD, CHR_ORDER_OPEN};
	if (code)
		chr_code_load_and_open(code, process);
	else
		chr_process_orders(process, orders, sizeof orders / sizeof orders[0]);
	note_assignment(conductor, instance, begun_us);
	instance->generation = 0;
	instance->cycles_seen = instance->busy_seen_us = 0;
	chr_instances_set_state(conductor, unit, instance, CHR_INSTANCE_STARTING);
	return true;
}

/* Two clients that open at the same time hold each other up in the server: a module that comes is heard sooner when its twin comes behind it, as soon as
 * the server has done all it has to do for the first. */
static bool lets_first(const struct chr_conductor *conductor, const struct chr_unit *unit, unsigned lane)
{
	return unit->stage == CHR_UNIT_ENTERING && lane != conductor->lanes.leader &&
	       !unit->instance[conductor->lanes.leader].wired;
}

static unsigned starting(const struct chr_conductor *conductor)
{
	unsigned count = 0;
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++)
			count += conductor->rack.unit[i]->instance[lane].state == CHR_INSTANCE_STARTING;
	return count;
}

/* Gives a spare to each that waits and may start. Returns how many found none. */
static unsigned give_spares(struct chr_conductor *conductor)
{
	unsigned without = 0, under_way = starting(conductor);
	for (unsigned turn = 0; turn < CHR_LANES; turn++)
		for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
			unsigned lane = turn ^ conductor->lanes.leader;
			struct chr_unit *unit = conductor->rack.unit[i];
			struct chr_instance *instance = &unit->instance[lane];
			if (instance->state != CHR_INSTANCE_WAITING || instance->process || !chr_start_has_turn(conductor, lane) ||
			    unit->stage >= CHR_UNIT_LEAVING || lets_first(conductor, unit, lane) || under_way >= STARTS)
				continue;
			under_way++;
			without += !assign(conductor, unit, instance);
		}
	return without;
}

void chr_instances_fill(struct chr_conductor *conductor)
{
	if (conductor->quitting)
		return;
	bool may = conductor->server_up && chr_monotonic_us() >= conductor->hold_us;
	unsigned wanted = may ? give_spares(conductor) : 0, coming = conductor->spawning;
	/* A new process costs processors and memory: the pool is filled up when that can harm nobody, for a repair is over. */
	if (!conductor->spare_count || (!starting(conductor) && !chr_conductor_repairing(conductor)))
		wanted += CHR_SPARES;
	for (unsigned i = 0; i < conductor->process_count; i++)
		coming += !conductor->process[i]->hello && !conductor->process[i]->dying;
	unsigned have = conductor->spare_count + coming;
	if (have < wanted) {
		conductor->spawning += wanted - have;
		chr_graph_spawn(&conductor->graph, wanted - have);
	}
}

void chr_instances_watch(struct chr_conductor *conductor, const struct chr_unit *unit, const struct chr_instance *instance)
{
	bool marks = conductor->rack.patch->lanes == 2 && chr_lanes_counts(unit);
	if (instance->process && instance->state != CHR_INSTANCE_STARTING)
		chr_sentry_watch(&conductor->sentry, instance->process, pulse_of(conductor, unit, instance),
				 marks ? (int)instance->lane : -1);
}

void chr_instances_ready(struct chr_conductor *conductor, struct chr_process *process)
{
	struct chr_unit *unit;
	struct chr_instance *instance;
	if (!chr_instances_of(conductor, process, &unit, &instance) || instance->state != CHR_INSTANCE_STARTING)
		return;
	chr_instances_set_state(conductor, unit, instance, CHR_INSTANCE_WIRING);
	instance->ready_us = chr_monotonic_us();
	bool out = unit->type->flags & CHR_MODULE_OUT;
	chr_instances_watch(conductor, unit, instance);
	if (out)
		chr_sentry_set_out(&conductor->sentry, process, instance->lane);
	chr_lanes_introduce(unit);
	chr_start_moved(conductor);
	chr_lanes_rewire(conductor);
	instance->generation = conductor->generation;
	chr_instances_fill(conductor); /* it has made room for the next one */
}

void chr_instances_wired(struct chr_conductor *conductor, int64_t generation)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			struct chr_unit *unit = conductor->rack.unit[i];
			struct chr_instance *instance = &unit->instance[lane];
			if (instance->state != CHR_INSTANCE_WIRING || !instance->generation || instance->generation > generation ||
			    instance->wired)
				continue;
			instance->wired = true;
			instance->cycles_begun = cycles_of(conductor, unit, instance);
			instance->skipped_before = atomic_load_explicit(&instance->process->slot->status.skipped,
									memory_order_relaxed);
		}
	chr_instances_review(conductor);
	chr_instances_fill(conductor); /* the turn of a twin */
	chr_edit_wired(conductor, generation);
}

void chr_instances_tell_repair(struct chr_instance *instance)
{
	struct chr_fault *fault = &instance->fault;
	if (!fault->seen_us || fault->back_us)
		return;
	fault->back_us = chr_monotonic_us();
	double repair_ms = (double)(fault->back_us - fault->seen_us) / 1000.0;
	const char *cause = fault->cause[0] ? fault->cause : "died";
	if (fault->slow_us)
		chr_warn("%s: %s; seen after %.3f ms, back after %.1f ms", instance->client, cause, (double)fault->slow_us / 1000.0,
			 repair_ms);
	else
		chr_warn("%s: %s; back after %.1f ms", instance->client, cause, repair_ms);
}

void chr_instances_review(struct chr_conductor *conductor)
{
	bool changed = false;
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			struct chr_unit *unit = conductor->rack.unit[i];
			struct chr_instance *instance = &unit->instance[lane];
			if (instance->state != CHR_INSTANCE_WIRING || !instance->wired)
				continue;
			/* one that joins proves by joining that it runs */
			if ((unit->apart || !chr_lanes_joins(conductor, instance)) &&
			    cycles_of(conductor, unit, instance) == instance->cycles_begun)
				continue;
			chr_lanes_settle(conductor, unit, instance);
			changed = true;
		}
	if (!changed)
		return;
	chr_lanes_review(conductor);
	chr_instances_fill(conductor);
}
