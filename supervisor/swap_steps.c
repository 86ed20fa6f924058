#include "supervisor/swap_parts.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/wake.h"
#include "supervisor/lanes_parts.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define WHOLE_WAIT_US 5000000u  /* for lanes that are not whole */
#define START_WAIT_US 10000000u /* for the new code to be in step */
#define PART_WAIT_US  200000u   /* for the edges of a process that is to end to be gone */
#define END_WAIT_US   400000u   /* for a process that was told to end */
#define TOLD          INT64_MAX /* instance->parting: it was */
#define FADING_US     3000000u  /* for a crossfade in the process */
#define AUDIT_US      120000u   /* between two audits of a trial */
#define AUDITS        2         /* that have to agree */
#define DOUBTS        1 /* differences that may come from a machine that stalled: the lane joins again, the trial begins anew */
#define FADE_MS       10

static bool all_whole(const struct chr_conductor *conductor)
{
	return conductor->lanes.whole[0] && (conductor->lanes.whole[1] || !chr_lanes_two(conductor));
}

static uint64_t waited(const struct chr_swap *swap)
{
	return chr_monotonic_us() - swap->since_us;
}

static struct chr_instance *first_of(struct chr_swap *swap)
{
	return &swap->unit->instance[swap->lane];
}

static void tell_end(struct chr_instance *instance)
{
	if (!chr_process_order(instance->process, CHR_ORDER_EXIT))
		chr_process_signal(instance->process, SIGKILL);
}

/* Ends the instance's process for no fault of its own; it starts anew with the code that is its turn. It closes its client in an orderly way: clients
 * that are patched behind one that is killed wait until jackd has seen its death. In PipeWire they wait even for one that closes: there its edges go
 * first. */
static void end_instance(struct chr_conductor *conductor, struct chr_instance *instance)
{
	if (!instance->process || instance->process->dying)
		return;
	if (chr_lanes_two(conductor)) {
		chr_lanes_break(conductor, instance->lane);
		chr_lanes_tell_outs(conductor);
	}
	instance->by_hand = true;
	conductor->swap.ending_us = instance->ending_us = chr_monotonic_us();
	if (!chr_lanes_two(conductor) || !conductor->rack.pipewire) {
		tell_end(instance);
		return;
	}
	instance->parting = conductor->generation + 1;
	chr_lanes_rewire(conductor);
}

/* Whose edges are gone ends. */
static void end_parted(struct chr_conductor *conductor)
{
	uint64_t now = chr_monotonic_us();
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		struct chr_instance *instance = &conductor->swap.unit->instance[lane];
		if (!instance->process || instance->process->dying || !instance->parting || instance->parting == TOLD)
			continue;
		if (conductor->wired < instance->parting && now - instance->ending_us < PART_WAIT_US)
			continue;
		instance->parting = TOLD;
		tell_end(instance);
	}
}

/* The end of one that does not come. */
static void hurry_end(struct chr_conductor *conductor)
{
	const struct chr_swap *swap = &conductor->swap;
	if (chr_monotonic_us() - swap->ending_us < END_WAIT_US)
		return;
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		const struct chr_instance *instance = &swap->unit->instance[lane];
		if (instance->by_hand && instance->process && !instance->process->dying)
			chr_process_signal(instance->process, SIGKILL);
	}
}

static void give_new_code(struct chr_swap *swap, struct chr_instance *instance)
{
	chr_code_release(instance->code);
	instance->code = chr_code_hold(swap->code);
}

static bool claims_same_sound(const struct chr_conductor *conductor, const struct chr_swap *swap)
{
	const struct chr_descriptor *old = swap->unit->type, *new = &swap->code->descriptor;
	const struct chr_code *running = chr_instances_code(conductor, swap->unit, &swap->unit->instance[0]);
	if (!swap->carries || old->param_count != new->param_count || !chr_descriptor_same_ports(old, new))
		return false;
	return (running && chr_code_equal(running, swap->code)) || (new->sound_version &&new->sound_version == old->sound_version);
}

static void begin_first(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	swap->lane = chr_lanes_two(conductor) ? !conductor->lanes.leader : 0;
	swap->compares = chr_lanes_two(conductor) && claims_same_sound(conductor, swap);
	swap->unit->apart = chr_lanes_two(conductor) && !swap->carries;
	conductor->lanes.differ = chr_lanes_two(conductor) && !swap->compares;
	give_new_code(swap, first_of(swap));
	chr_swap_set_state(conductor, CHR_SWAP_FIRST);
	end_instance(conductor, first_of(swap));
}

/* The process that plays crossfades by itself. False when it cannot be asked to. */
static bool begin_fading(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	struct chr_process *process = swap->unit->instance[0].process;
	struct chr_slot_order *order = &process->slot->order;
	if (swap->code->fd < 0 || chr_fd_send(process->socket, swap->code->fd, CHR_FD_TAG_CODE))
		return false;
	memcpy(order->file, swap->code->file, sizeof order->file);
	order->copied = 1;
	chr_code_values(swap->unit->type, &swap->code->descriptor, swap->unit->value, order->value);
	chr_swap_set_state(conductor, CHR_SWAP_FADING);
	return chr_process_order(process, CHR_ORDER_SWAP);
}

void chr_swap_begin(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	const struct chr_descriptor *old = swap->unit->type, *new = &swap->code->descriptor;
	swap->carries = chr_code_exchange(old, new);
	if (swap->unit->quarantined) {
		chr_swap_commit(conductor);
		chr_instances_restart(conductor, swap->unit);
		chr_swap_set_state(conductor, CHR_SWAP_SECOND);
		return;
	}
	bool plays = swap->unit->instance[0].state == CHR_INSTANCE_PLAYING && swap->unit->instance[0].process;
	bool fits = chr_descriptor_same_ports(old, new) && chr_descriptor_params_begin(old, new);
	if (chr_lanes_two(conductor) || !plays)
		chr_swap_set_state(conductor, CHR_SWAP_WAITING);
	else if (!fits || !begin_fading(conductor))
		begin_first(conductor);
}

static void step_waiting(struct chr_conductor *conductor)
{
	if (all_whole(conductor))
		begin_first(conductor);
	else if (waited(&conductor->swap) > WHOLE_WAIT_US)
		chr_swap_end(conductor, "the lanes are not whole; nothing was changed");
}

static void step_first(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	if (all_whole(conductor) && first_of(swap)->state == CHR_INSTANCE_PLAYING && first_of(swap)->process &&
	    !first_of(swap)->by_hand)
		chr_swap_set_state(conductor, CHR_SWAP_TRIAL);
	else if (waited(swap) > START_WAIT_US)
		chr_swap_take_back(conductor, "it did not get in step with the other lane");
}

/* A trial counts only while both lanes are in step. */
static void begin_trial(struct chr_conductor *conductor, uint64_t now)
{
	struct chr_swap *swap = &conductor->swap;
	swap->trial_us = now;
	swap->audits = conductor->lanes.audits;
	swap->joins = conductor->lanes.joins;
	if (swap->compares)
		conductor->lanes.audit_us = now + AUDIT_US;
}

/* Fades both outs, by an event that keeps its place among theirs. */
static void fade_out(struct chr_conductor *conductor, float gain, uint32_t frame)
{
	struct chr_unit *out = conductor->rack.unit[0];
	const struct chr_event fade = {.version = CHR_EVENT_VERSION,
				       .kind = CHR_EVENT_FADE,
				       .serial = ++out->serial,
				       .frame = frame,
				       .value = gain,
				       .ramp_frames = conductor->rack.sample_rate * FADE_MS / 1000};
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		chr_feed_put(&out->instance[lane].feed, &fade);
	conductor->swap.faded = gain == 0.0f;
}

static void begin_turning(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	swap->frame = chr_lanes_soon(conductor);
	if (!swap->compares) {
		uint32_t begin = swap->frame + conductor->rack.period;
		fade_out(conductor, 0.0f, begin);
		swap->frame = begin + conductor->rack.sample_rate * FADE_MS / 1000 + conductor->rack.period;
	}
	chr_swap_set_state(conductor, CHR_SWAP_TURNING);
}

static void step_trial(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	struct chr_lanes *lanes = &conductor->lanes;
	uint64_t now = chr_monotonic_us();
	if (waited(swap) > START_WAIT_US) {
		chr_swap_take_back(conductor, "the lanes did not stay in step for the trial");
		return;
	}
	if (!all_whole(conductor)) {
		swap->trial_us = 0;
		return;
	}
	if (!swap->trial_us || lanes->joins != swap->joins)
		begin_trial(conductor, now);
	if (swap->compares && !lanes->auditing && lanes->audit_us > now + AUDIT_US)
		lanes->audit_us = now + AUDIT_US;
	if (now - swap->trial_us < CHR_SWAP_TRIAL_US || (swap->compares && lanes->audits - swap->audits < AUDITS))
		return;
	if (chr_lanes_two(conductor)) {
		begin_turning(conductor);
	} else {
		chr_swap_commit(conductor);
		chr_swap_end(conductor, NULL);
	}
}

static bool passed(struct chr_conductor *conductor, uint32_t frame)
{
	return chr_frames_diff(chr_conductor_frame_now(conductor), frame) > 0;
}

/* From here on the new code is the truth: what dies is repaired from it. */
static void step_turning(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	if (!passed(conductor, swap->frame))
		return;
	chr_lanes_break(conductor, !swap->lane);
	chr_swap_commit(conductor);
	chr_lanes_tell_outs(conductor);
	swap->frame = chr_lanes_soon(conductor) + 2 * conductor->rack.period;
	if (swap->faded)
		fade_out(conductor, 1.0f, swap->frame);
	chr_swap_set_state(conductor, CHR_SWAP_LEAVING);
}

static void step_leaving(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	if (!passed(conductor, swap->frame))
		return;
	struct chr_instance *old = &swap->unit->instance[!swap->lane];
	chr_code_release(old->code);
	old->code = NULL;
	swap->unit->apart = false;
	end_instance(conductor, old);
	conductor->lanes.differ = false;
	chr_swap_set_state(conductor, CHR_SWAP_SECOND);
}

static bool all_play(const struct chr_conductor *conductor, const struct chr_unit *unit)
{
	for (unsigned lane = 0; lane < conductor->rack.patch->lanes; lane++) {
		const struct chr_instance *instance = &unit->instance[lane];
		if (instance->state != CHR_INSTANCE_PLAYING || !instance->process || instance->by_hand)
			return false;
	}
	return all_whole(conductor);
}

static void step_second(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	if (all_play(conductor, swap->unit) || waited(swap) > START_WAIT_US)
		chr_swap_end(conductor, swap->unit->quarantined ? "it died too often and is quarantined" : NULL);
}

static void step_back(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	if (!all_play(conductor, swap->unit) && waited(swap) <= START_WAIT_US)
		return;
	if (!swap->why[0] && swap->fell)
		snprintf(swap->why, sizeof swap->why, "it %s", swap->fell->fault.cause[0] ? swap->fell->fault.cause : "died");
	chr_swap_end(conductor, swap->why);
}

static void step_fading(struct chr_conductor *conductor)
{
	if (waited(&conductor->swap) > FADING_US)
		chr_swap_take_back(conductor, "the crossfade did not come to its end");
}

void chr_swap_take_back(struct chr_conductor *conductor, const char *why)
{
	struct chr_swap *swap = &conductor->swap;
	struct chr_instance *instance = first_of(swap);
	snprintf(swap->why, sizeof swap->why, "%s", why ? why : "");
	if (swap->faded)
		fade_out(conductor, 1.0f, chr_lanes_soon(conductor) + 2 * conductor->rack.period);
	chr_code_release(instance->code);
	instance->code = NULL;
	chr_swap_set_state(conductor, CHR_SWAP_BACK);
	if (why)
		end_instance(conductor, instance);
	swap->unit->apart = false;
	conductor->lanes.differ = false;
}

bool chr_swap_differs(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	char why[CHR_TEXT_MAX];
	if (swap->state != CHR_SWAP_TRIAL || !swap->compares || swap->differed++ < DOUBTS)
		return false;
	snprintf(why, sizeof why, "it does not play what the old code plays, though %s",
		 swap->code->descriptor.sound_version ? "its sound version says so" : "the file is the same");
	chr_swap_take_back(conductor, why);
	return true;
}

void chr_swap_step(struct chr_conductor *conductor)
{
	static void (*const step[])(struct chr_conductor *) = {
		[CHR_SWAP_WAITING] = step_waiting, [CHR_SWAP_FIRST] = step_first,     [CHR_SWAP_FADING] = step_fading,
		[CHR_SWAP_TRIAL] = step_trial,     [CHR_SWAP_TURNING] = step_turning, [CHR_SWAP_LEAVING] = step_leaving,
		[CHR_SWAP_SECOND] = step_second,   [CHR_SWAP_BACK] = step_back,
	};
	end_parted(conductor);
	hurry_end(conductor);
	if (step[conductor->swap.state])
		step[conductor->swap.state](conductor);
}
