/* The lane picker of out: is this out's lane the one that is heard in this cycle? And with one lane alone, a gap without clicks.
 *
 * A lane is good when the supervisor has not marked it broken and every member that leads to out, out itself among them, completed the cycle in
 * which out ran last: its edges to out close a loop, so what out reads now was written then. With two lanes the outs
 * of both agree on one of the good lanes (common/choice.h); the switch from one to the other is exact and needs no fade, and silence
 * means that both are gone. With one lane every death is a gap: the last sample falls to zero and the sound rises again, each within
 * CHR_GAP_MS.
 */
#ifndef CHR_ENGINE_PICKER_H
#define CHR_ENGINE_PICKER_H

#include "common/board.h"
#include "common/choice.h"
#include "common/module.h"
#include "common/slot.h"

#include <stdbool.h>
#include <stdint.h>

#define CHR_GAP_MS 2.0f

struct chr_picker {
	const struct chr_slot_picker *orders;
	const struct chr_board *board[CHR_LANES]; /* board[0] == NULL: no picker, the module is always heard */
	struct chr_choice *choice;                /* NULL: there is one lane */
	uint32_t lanes;
	int last; /* lane heard last, or CHR_LANE_NONE */

	/* lanes == 1: */
	uint32_t gap_frames;       /* of a fall or a rise */
	uint32_t fall;             /* frames left of the fall */
	uint32_t rise;             /* frames done of the rise; gap_frames: up */
	float held[CHR_PORTS_MAX]; /* where the fall began */
	float tail[CHR_PORTS_MAX]; /* last sample given */
};

/* A cycle as an out sees it: the frame at which what it computes begins, and JACK's frame time, which is ahead where this out is late
 * (engine/missed.h). Pulses bear the first, and the outs agree by the second, in which they are heard. */
struct chr_turn {
	uint32_t frame, at;
};

/* `choice` is used with two lanes only. All pointers must outlive the picker. */
void chr_picker_init(struct chr_picker *picker, const struct chr_slot_picker *orders,
		     const struct chr_board *const board[CHR_LANES], struct chr_choice *choice, uint32_t lanes, float sample_rate);

/* Settles which lane is heard in the cycle `now` of `frames` frames; out's own cycle before it was `before` (NULL: there was none). Returns a
 * lane or CHR_LANE_NONE, and keeps it as `last`. */
CHR_RT int chr_picker_choose(struct chr_picker *picker, const struct chr_turn *before, struct chr_turn now, uint32_t frames);

/* One input's samples with one lane alone, `playing` or not: `in` itself, or `scratch` filled. Call for each port, then
 * chr_picker_advance() once. `frames` > 0. */
CHR_RT const float *chr_picker_input(struct chr_picker *picker, unsigned port, bool playing, const float *in, float *scratch,
				     uint32_t frames);
CHR_RT void chr_picker_advance(struct chr_picker *picker, bool playing, uint32_t frames);

#endif
