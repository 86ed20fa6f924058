#include "engine/picker.h"

#include <math.h>
#include <string.h>

void chr_picker_init(struct chr_picker *picker, const struct chr_slot_picker *orders,
		     const struct chr_board *const board[CHR_LANES], uint32_t lanes, float sample_rate)
{
	memset(picker, 0, sizeof *picker);
	picker->orders = orders;
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		picker->board[lane] = board[lane];
	picker->lanes = lanes;
	picker->last = CHR_LANE_NONE;
	picker->gap_frames = (uint32_t)lrintf(CHR_GAP_MS * 0.001f * sample_rate);
}

static bool good(const struct chr_picker *picker, int lane, uint32_t previous, uint32_t now)
{
	/* acquire: a lane is unmarked after its repair is complete */
	if (atomic_load_explicit(&picker->orders->broken[lane], memory_order_acquire))
		return false;
	return chr_board_fresh(picker->board[lane], &picker->orders->required[lane], previous, now);
}

/* A lane ends or comes back: the fall begins where the sound stood, the rise from nothing. */
static void turn(struct chr_picker *picker, int lane)
{
	if (lane != CHR_LANE_NONE || picker->last == CHR_LANE_NONE)
		return;
	picker->fall = picker->gap_frames;
	picker->rise = 0;
	for (unsigned port = 0; port < CHR_PORTS_MAX; port++)
		picker->held[port] = isfinite(picker->tail[port]) ? picker->tail[port] : 0.0f;
}

int chr_picker_choose(struct chr_picker *picker, bool ran, uint32_t previous, uint32_t now)
{
	int lane = CHR_LANE_NONE, first = picker->last == 1 ? 1 : 0;
	if (picker->standby)
		previous = now;
	if (ran && good(picker, first, previous, now))
		lane = first;
	else if (ran && picker->lanes == 2 && good(picker, !first, previous, now))
		lane = !first;
	turn(picker, lane);
	picker->last = lane;
	return lane;
}

bool chr_picker_muted(const struct chr_slot_picker *orders, uint32_t now)
{
	uint64_t muted = atomic_load_explicit(&orders->muted, memory_order_acquire);
	bool begun = chr_frames_diff(now, (uint32_t)(muted >> 32)) >= 0;
	switch ((uint32_t)muted) {
	case CHR_MUTE:
		return true;
	case CHR_PLAY_FROM:
		return !begun;
	case CHR_MUTE_FROM:
		return begun;
	default:
		return false;
	}
}

static const float *hold_back(struct chr_picker *picker, unsigned port, int lane, const float *in, float *scratch, uint32_t frames)
{
	float *back = picker->back[port];
	uint32_t known = picker->back_frames == frames ? frames : 0;
	memcpy(scratch, back, known * sizeof *scratch);
	memset(scratch + known, 0, (frames - known) * sizeof *scratch);
	if (lane == CHR_LANE_NONE)
		memset(back, 0, frames * sizeof *back);
	else
		memcpy(back, in, frames * sizeof *back);
	return scratch;
}

const float *chr_picker_input(struct chr_picker *picker, unsigned port, int lane, const float *in, float *scratch, uint32_t frames)
{
	if (picker->back[port])
		return hold_back(picker, port, lane, in, scratch, frames);
	uint32_t gap = picker->gap_frames;
	bool playing = lane != CHR_LANE_NONE;
	if (playing && (picker->lanes != 1 || picker->rise == gap)) {
		picker->tail[port] = in[frames - 1];
		return in;
	}
	for (uint32_t i = 0; i < frames; i++) {
		float y = 0.0f;
		if (picker->lanes == 1 && i < picker->fall)
			y = picker->held[port] * (float)(picker->fall - i) / (float)gap;
		if (playing)
			y += picker->rise + i < gap ? in[i] * (float)(picker->rise + i) / (float)gap : in[i];
		scratch[i] = y;
	}
	picker->tail[port] = scratch[frames - 1];
	return scratch;
}

void chr_picker_advance(struct chr_picker *picker, int lane, uint32_t frames)
{
	picker->back_frames = frames;
	picker->fall -= frames < picker->fall ? frames : picker->fall;
	if (lane != CHR_LANE_NONE)
		picker->rise = frames < picker->gap_frames - picker->rise ? picker->rise + frames : picker->gap_frames;
}
