/* The lane picker of out: each cycle the lane to play, and with one lane alone a gap without clicks.
 *
 * A lane is good when the supervisor has not marked it broken and every member that leads to out completed the cycle in which out
 * itself ran last: its edges to out close a loop, so what out reads now was written then. With two lanes the switch
 * from one to the other is exact and needs no fade, and silence means that both are gone. With one lane every death is a
 * gap: the last sample falls to zero and the sound rises again, each within CHR_GAP_MS.
 *
 * The standby of out is patched behind the modules, without a loop, so that nobody waits for it: it reads what they wrote in
 * this very cycle, and holds it back by one, so that it plays what out plays at the same frame.
 */
#ifndef CHR_ENGINE_PICKER_H
#define CHR_ENGINE_PICKER_H

#include "common/board.h"
#include "common/module.h"
#include "common/slot.h"

#include <stdbool.h>
#include <stdint.h>

#define CHR_GAP_MS    2.0f
#define CHR_LANE_NONE (-1)

struct chr_picker {
	const struct chr_slot_picker *orders;
	const struct chr_board *board[CHR_LANES]; /* board[0] == NULL: no picker, lane a always */
	uint32_t lanes;
	bool standby;
	int last; /* lane played last */

	/* lanes == 1: */
	uint32_t gap_frames;       /* of a fall or a rise */
	uint32_t fall;             /* frames left of the fall */
	uint32_t rise;             /* frames done of the rise; gap_frames: up */
	float held[CHR_PORTS_MAX]; /* where the fall began */
	float tail[CHR_PORTS_MAX]; /* last sample given */

	/* standby: */
	float *back[CHR_PORTS_MAX]; /* what is held back: CHR_BLOCK_MAX samples, the caller's; NULL: no such input */
	uint32_t back_frames;       /* how many */
};

void chr_picker_init(struct chr_picker *picker, const struct chr_slot_picker *orders,
		     const struct chr_board *const board[CHR_LANES], uint32_t lanes, float sample_rate);

/* Chooses the lane of the cycle that begins at `now`; out's own cycle before it began at `previous` (`ran` false: there was
 * none). Returns a lane or CHR_LANE_NONE, and keeps it as `last`. */
CHR_RT int chr_picker_choose(struct chr_picker *picker, bool ran, uint32_t previous, uint32_t now);

/* Is the out that obeys `orders` silent in the cycle that begins at `now`? */
CHR_RT bool chr_picker_muted(const struct chr_slot_picker *orders, uint32_t now);

/* One input's samples of the lane chosen: `in` itself (NULL only when there is no lane), or `scratch` filled. Call for each port, then
 * chr_picker_advance() once. `frames` > 0. */
CHR_RT const float *chr_picker_input(struct chr_picker *picker, unsigned port, int lane, const float *in, float *scratch,
				     uint32_t frames);
CHR_RT void chr_picker_advance(struct chr_picker *picker, int lane, uint32_t frames);

#endif
