#include "engine/picker.h"

#include <math.h>
#include <string.h>

void chr_picker_init(struct chr_picker *picker, const struct chr_slot_picker *orders,
		     const struct chr_board *const board[CHR_LANES], struct chr_choice *choice, uint32_t lanes, float sample_rate)
{
	memset(picker, 0, sizeof *picker);
	picker->orders = orders;
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		picker->board[lane] = board[lane];
	picker->choice = lanes == 2 ? choice : NULL;
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

/* The other out may have named a lane already; else this one looks for a good one, beginning with the lane heard last. */
static int agree(const struct chr_picker *picker, const struct chr_turn *before, struct chr_turn now, uint32_t frames)
{
	int lane = chr_choice_made(picker->choice, now.at, frames);
	if (lane != CHR_LANE_NONE || !before)
		return lane;
	int first = picker->last == 1 ? 1 : 0;
	if (good(picker, first, before->frame, now.frame))
		lane = first;
	else if (good(picker, !first, before->frame, now.frame))
		lane = !first;
	return lane == CHR_LANE_NONE ? lane : chr_choice_make(picker->choice, now.at, frames, lane);
}

int chr_picker_choose(struct chr_picker *picker, const struct chr_turn *before, struct chr_turn now, uint32_t frames)
{
	int lane = CHR_LANE_NONE;
	if (picker->choice) {
		/* what was settled after this out had its turn */
		if (picker->last == CHR_LANE_NONE && before)
			picker->last = chr_choice_made(picker->choice, before->at, frames);
		lane = agree(picker, before, now, frames);
	} else if (before && good(picker, 0, before->frame, now.frame)) {
		lane = 0;
	}
	turn(picker, lane);
	picker->last = lane;
	return lane;
}

const float *chr_picker_input(struct chr_picker *picker, unsigned port, bool playing, const float *in, float *scratch,
			      uint32_t frames)
{
	uint32_t gap = picker->gap_frames;
	if (playing && picker->rise == gap) {
		picker->tail[port] = in[frames - 1];
		return in;
	}
	for (uint32_t i = 0; i < frames; i++) {
		float y = 0.0f;
		if (i < picker->fall)
			y = picker->held[port] * (float)(picker->fall - i) / (float)gap;
		if (playing)
			y += picker->rise + i < gap ? in[i] * (float)(picker->rise + i) / (float)gap : in[i];
		scratch[i] = y;
	}
	picker->tail[port] = scratch[frames - 1];
	return scratch;
}

void chr_picker_advance(struct chr_picker *picker, bool playing, uint32_t frames)
{
	picker->fall -= frames < picker->fall ? frames : picker->fall;
	if (playing)
		picker->rise = frames < picker->gap_frames - picker->rise ? picker->rise + frames : picker->gap_frames;
}
