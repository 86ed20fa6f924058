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

/* `paid` of what was missed is made up for; the rest is let be. */
static void tell(struct chr_rt *rt, uint32_t at, uint32_t missed, uint32_t paid)
{
	chr_rt_count(&rt->slot->status.skipped);
	chr_rt_note(rt, CHR_NOTE_SKIPPED, at, missed, paid);
}

static struct chr_debt debt_of(const struct chr_rt *rt, uint32_t at, uint32_t most)
{
	return (struct chr_debt){
		.own = rt->pulse, .lag = rt->lag, .before = rt->lag - rt->owed, .at = rt->owed_at, .now = at, .window = most};
}

/* What all of the lane lag is the server's, and the patch has stood still together; the rest is this instance's alone. */
static void settle(struct chr_rt *rt, uint32_t frames, uint32_t at, uint32_t most)
{
	const struct chr_debt debt = debt_of(rt, at, most);
	uint32_t since = at - rt->owed_at, least = rt->lag;
	bool settled = true;
	if (rt->lane_board)
		least = chr_board_least_lag(rt->lane_board, &debt, &settled);
	/* who owes it all alone need not wait for the others: the lane is not whole before */
	bool alone = settled && rt->owed && chr_frames_diff(least, debt.before) <= 0;
	if (rt->owed && !alone && since < (settled ? 2 : 2 + CHR_MISSED_WAIT) * frames)
		return;
	rt->unsettled = rt->owed ? CHR_MISSED_WAIT : rt->unsettled - 1;
	if (!settled && !rt->owed && rt->unsettled)
		return;
	uint32_t due = rt->lag - least;
	rt->due = due + rt->made_up <= most ? due : 0;
	if (rt->owed || rt->due)
		tell(rt, at, rt->owed ? rt->owed : due, rt->due);
	/* what does not fit is let be for ever */
	if (!rt->due)
		rt->lag = least;
	rt->owed = 0;
}

/* JACK's time is `jump` frames later than it would be if this were the next cycle. */
static void fall_behind(struct chr_rt *rt, uint32_t at, uint32_t jump, uint32_t most)
{
	rt->lag += jump;
	rt->owed_at = at;
	rt->unsettled = CHR_MISSED_WAIT;
	if ((uint64_t)rt->owed + jump <= most) {
		rt->owed += jump;
	} else {
		tell(rt, at, rt->owed + jump, 0);
		rt->owed = 0;
	}
}

/* JACK's time goes back by `again` frames: it calls for a period that it has passed over, or its own course has changed. */
static void be_called_again(struct chr_rt *rt, uint32_t frames, uint32_t again)
{
	if (rt->owed) {
		uint32_t paid = again < rt->owed ? again : rt->owed;
		rt->owed -= paid;
		rt->lag -= paid;
	} else if (again == frames && rt->ahead >= frames) {
		rt->ahead -= frames;
		rt->again = true;
	} else if (again == frames && rt->unsettled) {
		rt->lag -= frames; /* it was let be, and is computed now */
	}
}

/* The first cycle, in step with the others of the lane. */
static void begin(struct chr_rt *rt, uint32_t at, uint32_t most)
{
	const struct chr_debt debt = debt_of(rt, at, most);
	if (rt->lane_board)
		rt->lag = chr_board_others_lag(rt->lane_board, &debt);
}

uint32_t chr_missed_enter(struct chr_rt *rt, uint32_t frames, uint32_t at)
{
	int32_t jump = rt->ran ? chr_frames_diff(at, rt->at + rt->frames) : 0;
	uint32_t most = room(rt, frames), back = frames / 4;
	rt->due = 0;
	rt->again = false;
	if (!rt->ran)
		begin(rt, at, most);
	if (rt->ahead_cycles && !--rt->ahead_cycles)
		rt->ahead = 0;
	rt->made_up -= rt->made_up < back ? rt->made_up : back;
	if (jump > 0)
		fall_behind(rt, at, (uint32_t)jump, most);
	else if (jump < 0)
		be_called_again(rt, frames, (uint32_t)-jump);
	else if (rt->unsettled)
		settle(rt, frames, at, most);
	if (rt->pulse)
		chr_pulse_call(rt->pulse, at, rt->lag);
	return at - rt->owed;
}

void chr_missed_look(struct chr_rt *rt)
{
	if (!rt->owed)
		rt->owed_at = rt->at;
	rt->unsettled = CHR_MISSED_WAIT;
}

void chr_missed_joined(struct chr_rt *rt, uint32_t at, uint32_t lag)
{
	rt->lag = lag;
	rt->owed = 0;
	rt->owed_at = at;
	rt->unsettled = CHR_MISSED_WAIT;
	if (rt->pulse)
		chr_pulse_call(rt->pulse, at, lag);
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

void chr_missed_make_up(struct chr_rt *rt, uint32_t frame, uint32_t frames, const float *const *in, float *const *out)
{
	uint32_t from = frame - rt->due, part = frames < CHR_BLOCK_MAX ? frames : CHR_BLOCK_MAX;
	if (!rt->due)
		return;
	rt->lag -= rt->due;
	if (rt->pulse)
		chr_pulse_call(rt->pulse, frame, rt->lag);
	if (reads_itself(rt, in, out))
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
