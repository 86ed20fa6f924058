/* The deaths of instances: why, whether too often, and what becomes of them. */
#include "common/clock.h"
#include "common/log.h"
#include "supervisor/conductor.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define BELIEVABLE_US 10000000u /* a module's word on when it crashed counts up to this age */
#define HOLD_US       200000u   /* after a client lost its server, until processes are assigned again */
#define POISON_US     150000u   /* a crash this long after an event may come from it */
#define TWINS_US      500000u   /* twins that crash within this time crashed of the same thing */

/* Has the unit died so often that it is to stay silent? */
static bool loops(const struct chr_conductor *conductor, struct chr_unit *unit, uint64_t now)
{
	const struct chr_patch *patch = conductor->rack.patch;
	memmove(&unit->death_us[1], &unit->death_us[0], (CHR_DEATHS_MAX - 1) * sizeof unit->death_us[0]);
	unit->death_us[0] = now;
	unsigned count = patch->restart_count < CHR_DEATHS_MAX ? patch->restart_count : CHR_DEATHS_MAX;
	if (count == 0)
		return false;
	uint64_t first = unit->death_us[count - 1];
	return first && now - first <= (uint64_t)(patch->restart_window_s * 1e6);
}

static void crash_cause(const struct chr_process *process, struct chr_fault *fault)
{
	const struct chr_slot_report *report = &process->slot->report;
	if (atomic_load_explicit(&report->phase, memory_order_acquire) != CHR_PHASE_CRASHED)
		return;
	uint64_t crashed_us = atomic_load_explicit(&report->time_us, memory_order_relaxed);
	fault->crash = true;
	if (crashed_us < fault->seen_us && fault->seen_us - crashed_us < BELIEVABLE_US)
		fault->slow_us = fault->seen_us - crashed_us;
	const char *name = sigabbrev_np((int)atomic_load_explicit(&report->signal, memory_order_relaxed));
	snprintf(fault->cause, sizeof fault->cause, "crashed by SIG%s at 0x%llx", name ? name : "?",
		 (unsigned long long)atomic_load_explicit(&report->address, memory_order_relaxed));
}

static void note_fault(struct chr_instance *instance, uint64_t seen_us)
{
	struct chr_fault *fault = &instance->fault;
	bool hung = fault->hang;
	if (!fault->seen_us || fault->back_us)
		*fault = (struct chr_fault){.seen_us = seen_us, .hang = hung, .slow_us = hung ? fault->slow_us : 0};
	fault->crash = hung;
	if (hung)
		snprintf(fault->cause, sizeof fault->cause, "hung or was stopped, ended by the watchdog");
	fault->hang = false;
	crash_cause(instance->process, fault);
	if (fault->crash && !hung && !instance->ending_us)
		instance->died_us = seen_us - fault->slow_us; /* its client was closed before it was seen */
	instance->restarts++;
}

/* Both twins that crash at once crashed of the same thing, most likely an event: it is not to be played again. */
static void take_poison_back(struct chr_conductor *conductor, struct chr_unit *unit, const struct chr_instance *instance)
{
	const struct chr_fault *twin = &unit->instance[!instance->lane].fault, *own = &instance->fault;
	bool alone = conductor->rack.patch->lanes == 1;
	uint64_t first = !alone && twin->seen_us && twin->seen_us < own->seen_us ? twin->seen_us : own->seen_us;
	bool both = !alone && twin->crash && own->seen_us - first <= TWINS_US;
	if (!alone && !both)
		return;
	unsigned count = chr_rack_take_back(&conductor->rack, unit, first - POISON_US);
	if (count)
		chr_warn("%s: %s crashed within %u ms of %u change%s of its parameters, taken back", unit->name,
			 alone ? "it" : "both lanes", POISON_US / 1000, count, count == 1 ? "" : "s");
}

static void detach(struct chr_conductor *conductor, struct chr_instance *instance)
{
	chr_rack_retire(&conductor->rack, instance);
	chr_feed_attach(&instance->feed, NULL);
	instance->process = NULL;
	instance->wired = instance->seasoned = false;
	instance->load = 0;
}

static void quarantine(struct chr_conductor *conductor, struct chr_unit *unit)
{
	unit->quarantined = true;
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		struct chr_instance *instance = &unit->instance[lane];
		if (instance->state == CHR_INSTANCE_NONE)
			continue;
		if (instance->process)
			chr_process_signal(instance->process, SIGKILL);
		else
			chr_instances_set_state(conductor, unit, instance, CHR_INSTANCE_QUARANTINED);
	}
	chr_error("%s: died %u times in %.0f s: quarantined, the rest plays on (chronusctl restart %s lifts it)", unit->name,
		  conductor->rack.patch->restart_count, conductor->rack.patch->restart_window_s, unit->name);
}

void chr_instances_died(struct chr_conductor *conductor, struct chr_process *process, uint64_t seen_us)
{
	struct chr_unit *unit;
	struct chr_instance *instance;
	if (process->dying)
		return;
	process->dying = true;
	chr_debug("process %d dies", process->born_pid);
	/* a process whose mutex was released but that lives (it scribbled over its slot) is not to be trusted any more */
	chr_process_signal(process, SIGKILL);
	if (!chr_instances_of(conductor, process, &unit, &instance)) {
		chr_swap_died(conductor, process, NULL);
		return;
	}
	bool server_gone = atomic_load_explicit(&process->slot->report.phase, memory_order_acquire) == CHR_PHASE_SERVER_LOST;
	bool server_lost = conductor->quitting || server_gone || !conductor->server_up;
	bool by_hand = instance->by_hand;
	struct chr_fault *fault = &instance->fault;
	instance->died_us = instance->ending_us ? instance->ending_us : seen_us;
	if (!server_lost && !unit->quarantined && !by_hand) {
		note_fault(instance, seen_us);
		if (fault->crash)
			take_poison_back(conductor, unit, instance);
	}
	bool on_trial = !server_lost && chr_swap_died(conductor, process, instance);
	instance->by_hand = false;
	instance->parting = 0;
	fault->hang = false;
	instance->ending_us = 0;
	detach(conductor, instance);
	instance->last_pid = process->born_pid;
	chr_instances_set_state(conductor, unit, instance, unit->quarantined ? CHR_INSTANCE_QUARANTINED : CHR_INSTANCE_WAITING);
	by_hand |= unit->stage >= CHR_UNIT_LEAVING;
	if (!server_lost && !by_hand && !on_trial && !unit->quarantined && loops(conductor, unit, seen_us))
		quarantine(conductor, unit);
	if (server_gone) /* if it is not this client alone that lost the server, we are told within this time */
		conductor->hold_us = chr_monotonic_us() + HOLD_US;
	chr_lanes_died(conductor, unit, instance);
	if (!server_lost)
		chr_lanes_rewire(conductor);
	chr_instances_fill(conductor);
}

void chr_instances_reaped(struct chr_conductor *conductor, struct chr_process *process, int status)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			struct chr_instance *instance = &conductor->rack.unit[i]->instance[lane];
			struct chr_fault *fault = &instance->fault;
			if (instance->last_pid != process->born_pid || fault->cause[0])
				continue;
			const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;
			if (name)
				snprintf(fault->cause, sizeof fault->cause, "killed by SIG%s", name);
			else
				snprintf(fault->cause, sizeof fault->cause, "ended with status %d", WEXITSTATUS(status));
		}
}

void chr_instances_server_lost(struct chr_conductor *conductor)
{
	chr_swap_server_lost(conductor);
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			struct chr_unit *unit = conductor->rack.unit[i];
			struct chr_instance *instance = &unit->instance[lane];
			if (!instance->process)
				continue;
			instance->process->dying = true;
			chr_process_signal(instance->process, SIGKILL);
			detach(conductor, instance);
			chr_instances_set_state(conductor, unit, instance, CHR_INSTANCE_WAITING);
		}
	chr_lanes_review(conductor);
	chr_instances_fill(conductor);
}

void chr_instances_restart(struct chr_conductor *conductor, struct chr_unit *unit)
{
	unit->quarantined = false;
	memset(unit->death_us, 0, sizeof unit->death_us);
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		struct chr_instance *instance = &unit->instance[lane];
		if (instance->state == CHR_INSTANCE_QUARANTINED && !instance->process) {
			chr_instances_set_state(conductor, unit, instance, CHR_INSTANCE_WAITING);
		} else if (instance->process) {
			instance->by_hand = true;
			instance->fault = (struct chr_fault){.seen_us = chr_monotonic_us(), .cause = "restarted by hand"};
			chr_process_signal(instance->process, SIGKILL);
		}
	}
	chr_lanes_review(conductor);
	chr_instances_fill(conductor);
}
