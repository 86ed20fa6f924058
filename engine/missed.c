#include "engine/missed.h"

#include "engine/rt.h"

/* How many frames may be owed. */
static uint32_t room(const struct chr_rt *rt, uint32_t frames)
{
	uint32_t shortest = (uint32_t)rt->sample_rate / 1000 * CHR_MISSED_MS;
	uint64_t most = (uint64_t)CHR_MISSED_MAX * frames;
	if (most > INT32_MAX)
		most = INT32_MAX;
	return most > shortest ? (uint32_t)most : shortest;
}

static void owe(struct chr_rt *rt, uint32_t frames)
{
	rt->owed = frames;
	if (rt->pulse)
		chr_pulse_owe(rt->pulse, rt->owed_at, frames);
}

/* What was owed was not asked for again. `paid` of it is made up for. */
static void tell(struct chr_rt *rt, uint32_t at, uint32_t owed, uint32_t paid)
{
	chr_rt_count(&rt->slot->status.skipped);
	chr_rt_note(rt, CHR_NOTE_SKIPPED, at, owed, paid);
}

/* What all of the lane owe is the server's; the rest is this instance's alone. */
static void settle(struct chr_rt *rt, uint32_t frames, uint32_t at, uint32_t most)
{
	const struct chr_debt debt = {.at = rt->owed_at, .frames = rt->owed, .now = rt->frame, .window = most};
	uint32_t since = at - rt->owed_at, share = rt->owed;
	bool settled = !rt->lane_board || chr_board_share(rt->lane_board, &debt, &share);
	/* who owes it all alone need not wait for the others: the lane is not whole before */
	if (!(settled && !share) && since < (settled ? 2 : 2 + CHR_MISSED_WAIT) * frames)
		return;
	uint32_t due = rt->owed - share;
	rt->due = due + rt->made_up <= most ? due : 0;
	tell(rt, at, rt->owed, rt->due);
	rt->owed = 0;
}

uint32_t chr_missed_enter(struct chr_rt *rt, uint32_t frames, uint32_t at)
{
	int32_t jump = rt->ran ? chr_frames_diff(at, rt->at + rt->frames) : 0;
	uint32_t most = room(rt, frames), back = frames / 4;
	if (rt->pulse)
		chr_pulse_call(rt->pulse, at);
	rt->due = 0;
	rt->again = false;
	if (rt->ahead_cycles && !--rt->ahead_cycles)
		rt->ahead = 0;
	rt->made_up -= rt->made_up < back ? rt->made_up : back;
	if (jump > 0 && (uint64_t)rt->owed + (uint32_t)jump <= most) {
		rt->owed_at = at;
		owe(rt, rt->owed + (uint32_t)jump);
	} else if (jump > 0) {
		tell(rt, at, rt->owed + (uint32_t)jump, 0);
		owe(rt, 0);
	} else if (jump < 0 && rt->owed) {
		uint32_t again = (uint32_t)-jump;
		owe(rt, again < rt->owed ? rt->owed - again : 0);
	} else if (jump == -(int32_t)frames && rt->ahead >= frames) {
		rt->ahead -= frames;
		rt->again = true;
	} else if (rt->owed) {
		settle(rt, frames, at, most);
	}
	return at - rt->owed;
}

/* A port that is patched to its own module still has to be read in this cycle: what it reads must not be written over. */
static bool reads_itself(const struct chr_rt *rt, const float *const *in, float *const *out)
{
	for (unsigned i = 0; i < rt->ports; i++)
		for (unsigned k = 0; in[i] && k < rt->ports; k++)
			if (chr_rt_in(rt->inputs, i) && chr_rt_in(rt->outputs, k) && out[k] == in[i])
				return true;
	return false;
}

/* What stands in for the inputs of the missed frames; the outputs go where this cycle's will be. */
static void aim(struct chr_rt *rt, uint32_t frames, float *const *out)
{
	for (unsigned i = 0; i < rt->ports; i++) {
		bool is_in = chr_rt_in(rt->inputs, i), present = !chr_rt_in(rt->absent, i),
		     held = present && chr_rt_in(rt->controls, i);
		rt->in[i] = !is_in ? NULL : held ? rt->input[i] : rt->silence;
		rt->out[i] = !is_in && present ? out[i] : NULL;
		for (uint32_t k = 0; held && k < frames; k++)
			rt->input[i][k] = rt->held[i];
	}
}

void chr_missed_make_up(struct chr_rt *rt, uint32_t frames, const float *const *in, float *const *out)
{
	uint32_t from = rt->frame + rt->frames, part = frames < CHR_BLOCK_MAX ? frames : CHR_BLOCK_MAX;
	if (!rt->due || reads_itself(rt, in, out))
		return;
	rt->made_up += rt->due;
	rt->ahead = rt->due;
	rt->ahead_cycles = CHR_MISSED_WAIT;
	rt->missed = true;
	aim(rt, part, out);
	for (uint32_t at = 0; at < rt->due;) {
		uint32_t end = rt->due - at < part ? rt->due : at + part;
		uint32_t next = chr_events_apply_due(rt, from, at, end);
		chr_rt_span(rt, 0, next - at);
		at = next;
	}
	rt->missed = false;
}

void chr_missed_hold(struct chr_rt *rt, uint32_t frames, const float *const *in)
{
	for (unsigned i = 0; frames && i < rt->ports; i++)
		if (chr_rt_in(rt->controls, i))
			rt->held[i] = in[i] ? in[i][frames - 1] : 0.0f;
}
