/* Ramps of parameters and of the fade: linear in the value from where it stands to a target, in a number of frames.
 *
 * The value of each frame is computed from the ramp's ends and the frame's place in it, never from the frame before, so that
 * a ramp cut into any blocks gives the same bits. Parameters of logarithmic scale move linearly in their value too: a ramp of
 * a few milliseconds only has to be free of steps, and a line costs no exponential per frame.
 */
#ifndef CHR_ENGINE_SMOOTH_H
#define CHR_ENGINE_SMOOTH_H

#include "common/module.h"

#include <stdbool.h>
#include <stdint.h>

/* Plain memory without padding: part of the state that twins exchange. Standing still: start == target, remaining == total == 0. */
struct chr_smoother {
	float start, target;
	uint32_t remaining, total; /* frames; remaining <= total */
};

/* Stands still at `value` from the next frame on. */
CHR_RT void chr_smoother_step(struct chr_smoother *smoother, float value);

/* Goes from its present value to `target` in `frames`: the last of them is the first to have the target. 0 and 1 are a step. */
CHR_RT void chr_smoother_ramp(struct chr_smoother *smoother, float target, uint32_t frames);

/* The value of the frame that was produced last. */
CHR_RT float chr_smoother_value(const struct chr_smoother *smoother);

/* Produces the next `frames` (1..CHR_BLOCK_MAX) values. `buffer` has room for them; the result points into it, or to the target of a smoother
 * that stands still: good until the smoother is moved. */
CHR_RT struct chr_control chr_smoother_run(struct chr_smoother *smoother, uint32_t frames, float *buffer);

/* Could this smoother have come from the functions above? For one that another process wrote. */
CHR_RT bool chr_smoother_sane(const struct chr_smoother *smoother);

#endif
