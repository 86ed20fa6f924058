#include "engine/rt.h"

#include "engine/change.h"
#include "engine/denormal.h"
#include "engine/join.h"
#include "engine/memory.h"
#include "engine/missed.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static_assert(offsetof(struct chr_rt, picker) <= 4096 - CHR_MEMORY_LINE, "what every cycle touches is on a page or two");

static bool allocate_all(struct chr_rt *rt)
{
	const struct chr_descriptor *desc = rt->desc;
	rt->state = chr_memory_create(rt->module->state_bytes);
	rt->state_coming = chr_memory_create(rt->module->state_bytes);
	rt->silence = chr_memory_buffer();
	rt->ramp[CHR_PARAMS_MAX] = chr_memory_buffer();
	bool whole = rt->state && rt->state_coming && rt->silence && rt->ramp[CHR_PARAMS_MAX];
	for (unsigned i = 0; whole && i < desc->param_count; i++)
		whole = (rt->ramp[i] = chr_memory_buffer());
	for (unsigned i = 0; whole && i < desc->port_count; i++)
		if (desc->port[i].direction == CHR_IN)
			whole = (rt->input[i] = chr_memory_buffer());
	return whole;
}

void chr_rt_learn(struct chr_rt *rt)
{
	const struct chr_descriptor *desc = rt->desc;
	rt->process = rt->module->process;
	rt->ports = desc->port_count;
	rt->params = desc->param_count;
	rt->meters = desc->meter_count;
	rt->inputs = rt->outputs = rt->controls = rt->absent = 0;
	for (unsigned i = 0; i < desc->port_count; i++) {
		uint64_t bit = UINT64_C(1) << i;
		*(desc->port[i].direction == CHR_IN ? &rt->inputs : &rt->outputs) |= bit;
		rt->controls |= desc->port[i].direction == CHR_IN && desc->port[i].signal != CHR_AUDIO ? bit : 0;
		rt->absent |= chr_rt_has_port(desc, i, rt->channels) ? 0 : bit;
	}
}

struct chr_rt *chr_rt_create(const struct chr_rt_setup *setup)
{
	struct chr_rt *rt = chr_memory_create(sizeof *rt);
	if (!rt)
		return NULL;
	rt->module = setup->module;
	rt->desc = setup->desc;
	rt->slot = setup->slot;
	rt->pulse = setup->pulse;
	rt->lane_board = setup->lane_board;
	rt->sample_rate = setup->sample_rate;
	rt->lane = setup->lane;
	rt->channels = setup->channels;
	chr_rt_learn(rt);
	if (!allocate_all(rt)) {
		chr_rt_destroy(rt);
		return NULL;
	}
	for (unsigned i = 0; i < rt->desc->param_count; i++) {
		float value = setup->value[i];
		if (chr_param_accept(&rt->desc->param[i], &value))
			value = rt->desc->param[i].initial;
		chr_smoother_step(&rt->engine.param[i], value);
	}
	chr_smoother_step(&rt->engine.gain, setup->silent ? 0.0f : 1.0f);
	chr_picker_init(&rt->picker, &rt->slot->picker, setup->board, setup->choice, setup->lanes, rt->sample_rate);
	chr_rt_reset(rt);
	return rt;
}

void chr_rt_destroy(struct chr_rt *rt)
{
	if (!rt)
		return;
	for (unsigned i = 0; i < CHR_PORTS_MAX; i++)
		free(rt->input[i]);
	for (unsigned i = 0; i < CHR_PARAMS_MAX + 1; i++)
		free(rt->ramp[i]);
	free(rt->silence);
	free(rt->state_coming);
	free(rt->state);
	free(rt);
}

bool chr_rt_has_port(const struct chr_descriptor *desc, unsigned port, uint32_t channels)
{
	return desc->port[port].channel <= channels;
}

void chr_rt_reset(struct chr_rt *rt)
{
	memset(rt->state, 0, rt->module->state_bytes);
	if (rt->module->init)
		rt->module->init(rt->state, rt->sample_rate);
}

void chr_rt_note(struct chr_rt *rt, unsigned kind, uint32_t frame, uint32_t count, uint64_t sum)
{
	const struct chr_event note = {
		.version = CHR_EVENT_VERSION, .kind = (uint16_t)kind, .frame = frame, .count = count, .sum = sum};
	chr_ring_write(&rt->slot->from_audio, &note, 1);
}

void chr_rt_busy(struct chr_rt *rt, uint32_t busy_us)
{
	struct chr_slot_status *status = &rt->slot->status;
	chr_rt_add(&status->busy_us, busy_us);
	if (busy_us > atomic_load_explicit(&status->worst_us, memory_order_relaxed))
		atomic_store_explicit(&status->worst_us, busy_us, memory_order_relaxed);
}

/* A port that is patched to its own module reads the buffer that the module writes: then it gets a copy. */
static const float *apart(struct chr_rt *rt, unsigned port, const float *in, float *const *out, uint32_t frames)
{
	for (uint64_t left = rt->outputs & ~rt->absent; left; left &= left - 1)
		if (out[__builtin_ctzll(left)] == in)
			return memcpy(rt->input[port], in, frames * sizeof *in);
	return in;
}

/* Buffers of the part of the cycle that begins `begin` frames into it. */
static void aim(struct chr_rt *rt, bool playing, uint32_t begin, uint32_t frames, const float *const *in, float *const *out)
{
	bool gaps = rt->picker.board[0] && rt->picker.lanes == 1;
	for (unsigned i = 0; i < rt->ports; i++) {
		bool present = !chr_rt_in(rt->absent, i);
		rt->in[i] = NULL;
		rt->out[i] = NULL;
		if (chr_rt_in(rt->outputs, i)) {
			if (present && out[i])
				rt->out[i] = out[i] + begin;
			continue;
		}
		const float *from = present && in[i] ? in[i] + begin : rt->silence;
		if (gaps)
			from = chr_picker_input(&rt->picker, i, playing, from, rt->input[i], frames);
		rt->in[i] = from;
	}
	for (unsigned i = 0; i < rt->ports; i++)
		if (rt->in[i] && !chr_rt_in(rt->absent, i))
			rt->in[i] = apart(rt, i, rt->in[i], rt->out, frames);
	if (gaps)
		chr_picker_advance(&rt->picker, playing, frames);
}

static void fade(struct chr_rt *rt, float *const *out, uint32_t frames)
{
	struct chr_smoother *gain = &rt->engine.gain;
	if (!gain->remaining && gain->target == 1.0f)
		return;
	bool none = !gain->remaining && gain->target == 0.0f;
	struct chr_control course = chr_smoother_run(gain, frames, rt->ramp[CHR_PARAMS_MAX]);
	for (unsigned i = 0; i < rt->ports; i++) {
		/* zeros without a sign: what is not connected gives the same */
		if (none && out[i])
			memset(out[i], 0, frames * sizeof *out[i]);
		for (uint32_t k = 0; !none && out[i] && k < frames; k++)
			out[i][k] *= chr_control_at(course, k);
	}
}

void chr_rt_span(struct chr_rt *rt, uint32_t at, uint32_t frames)
{
	const float *in[CHR_PORTS_MAX];
	float *out[CHR_PORTS_MAX];
	for (unsigned i = 0; i < rt->ports; i++) {
		in[i] = rt->in[i] ? rt->in[i] + at : NULL;
		out[i] = rt->out[i] ? rt->out[i] + at : NULL;
	}
	for (unsigned i = 0; i < rt->params; i++)
		rt->control[i] = chr_smoother_run(&rt->engine.param[i], frames, rt->ramp[i]);
	const struct chr_io io = {.frames = frames,
				  .sample_rate = rt->sample_rate,
				  .in = in,
				  .out = out,
				  .param = rt->control,
				  .channels = rt->channels};
	rt->process(rt->state, &io);
	chr_change_span(rt, at, &io);
	fade(rt, out, frames);
}

static void run(struct chr_rt *rt, bool playing, uint32_t frames, uint32_t frame, const float *const *in, float *const *out)
{
	for (uint32_t begin = 0; begin < frames; begin += CHR_BLOCK_MAX) {
		uint32_t part = frames - begin < CHR_BLOCK_MAX ? frames - begin : CHR_BLOCK_MAX;
		aim(rt, playing, begin, part, in, out);
		for (uint32_t at = 0; at < part;) {
			uint32_t next = chr_events_apply_due(rt, frame, begin + at, begin + part) - begin;
			chr_rt_span(rt, at, next - at);
			at = next;
		}
	}
}

#define ROW 16u /* samples looked at side by side */

/* An exponent of all ones, plus one, carries into the sign's place; no other does. */
static uint32_t look(uint32_t seen, uint32_t bits)
{
	return seen | ((bits & 0x7fffffffu) + 0x00800000u);
}

bool chr_rt_finite(const float *samples, uint32_t frames)
{
	uint32_t seen[ROW] = {0}, bits[ROW], all = 0;
	for (; frames >= ROW; frames -= ROW, samples += ROW) {
		memcpy(bits, samples, sizeof bits);
		for (unsigned k = 0; k < ROW; k++)
			seen[k] = look(seen[k], bits[k]);
	}
	for (uint32_t i = 0; i < frames; i++) {
		memcpy(bits, &samples[i], sizeof bits[0]);
		all = look(all, bits[0]);
	}
	for (unsigned k = 0; k < ROW; k++)
		all |= seen[k];
	return !(all & 0x80000000u);
}

static void silence(struct chr_rt *rt, uint32_t frames, float *const *out)
{
	for (unsigned i = 0; i < rt->ports; i++)
		if (chr_rt_in(rt->outputs, i) && out[i])
			memset(out[i], 0, frames * sizeof *out[i]);
}

/* False when the outputs were not to be let out: what is there now is silence, and what comes is another sound than the twin's. */
static bool judge(struct chr_rt *rt, uint32_t frames, uint32_t frame, float *const *out)
{
	bool finite = true;
	for (unsigned i = 0; i < rt->ports && finite; i++)
		if (chr_rt_in(rt->outputs, i) && out[i])
			finite = chr_rt_finite(out[i], frames);
	if (finite)
		return true;
	silence(rt, frames, out);
	chr_rt_reset(rt);
	chr_rt_count(&rt->slot->status.nonfinite);
	chr_rt_note(rt, CHR_NOTE_NONFINITE, frame, 0, 0);
	return false;
}

/* An out that is not heard is silent on its channels; its clock drives its lane all the same. With one lane the gap was made at the inputs. */
static void mute(struct chr_rt *rt, bool heard, uint32_t frames, float *const *out)
{
	for (unsigned i = 0; !heard && i < rt->ports; i++)
		if (chr_rt_in(rt->outputs, i) && rt->desc->port[i].channel && out[i])
			memset(out[i], 0, frames * sizeof *out[i]);
}

/* Which lane is heard in this cycle; how the one before was settled is known by now. */
static int pick(struct chr_rt *rt, uint32_t frames, struct chr_turn now)
{
	struct chr_slot_status *status = &rt->slot->status;
	struct chr_picker *picker = &rt->picker;
	if (!picker->board[0])
		return (int)rt->lane;
	const struct chr_turn before = {.frame = rt->frame, .at = rt->at};
	int lane = chr_picker_choose(picker, rt->ran ? &before : NULL, now, frames);
	bool silent = lane == CHR_LANE_NONE;
	if (picker->choice)
		silent = rt->ran && chr_choice_made(picker->choice, rt->at, rt->frames) == CHR_LANE_NONE;
	if (silent)
		chr_rt_count(&status->silent);
	if (lane == (int)rt->lane)
		chr_rt_count(&status->played);
	return lane;
}

static void tell(struct chr_rt *rt, uint32_t mxcsr)
{
	struct chr_slot_status *status = &rt->slot->status;
	for (unsigned i = 0; i < rt->meters; i++) {
		uint32_t value;
		memcpy(&value, rt->state + rt->module->meters[i].offset, sizeof value);
		atomic_store_explicit(&status->meter[i], value, memory_order_relaxed);
	}
	atomic_store_explicit(&status->mxcsr, mxcsr, memory_order_relaxed);
	atomic_store_explicit(&status->joining, rt->joining, memory_order_relaxed);
	chr_rt_count(&status->cycles);
}

void chr_rt_cycle(struct chr_rt *rt, uint32_t frames, uint32_t at, const float *const *in, float *const *out)
{
	uint32_t mxcsr = chr_denormals_off();
	uint32_t frame = chr_missed_enter(rt, frames, at);
	if (rt->again) {
		tell(rt, mxcsr);
		return;
	}
	if (rt->pulse)
		chr_pulse_enter(rt->pulse, frame);
	chr_events_drain(rt, frame);
	if (rt->publish_left && rt->publish_loops)
		chr_join_lend(rt, frame, frames, in);
	/* while it is late, another cycle may be the twin's */
	bool joined = rt->joining && !rt->owed && chr_frames_diff(frame, rt->join_from) >= 0 && chr_join_try(rt, frame, at, frames);
	if (joined && rt->join_loops)
		in = rt->borrowed;
	if (!joined)
		chr_missed_make_up(rt, frame, frames, in, out);
	chr_missed_hold(rt, frames, in);
	bool heard = pick(rt, frames, (struct chr_turn){.frame = frame, .at = at}) == (int)rt->lane;
	chr_change_begin(rt);
	run(rt, heard, frames, frame, in, out);
	chr_events_settle(rt);
	chr_change_end(rt);
	bool good = judge(rt, frames, frame, out);
	chr_join_sum_outputs(rt, frames, out);
	if (rt->picker.choice)
		mute(rt, heard, frames, out);
	rt->frame = frame;
	rt->at = at;
	rt->frames = frames;
	rt->ran = true;
	if (rt->publish_left) {
		rt->publish_left--;
		chr_join_publish(rt, frame + frames);
	}
	tell(rt, mxcsr);
	/* a cycle without a pulse: out goes over to the other lane, and stays there until this one has joined again */
	if (rt->pulse && good)
		chr_pulse_complete(rt->pulse, frame);
}
