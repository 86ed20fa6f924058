/* Cycles that this module was late for, or missed.
 *
 * What a cycle computes is counted in frames, and those follow each other without a gap, whenever JACK comes: they are the module's own
 * time. JACK's frame time is the same as long as every cycle runs in its turn. When it jumps, one of three things has happened, and
 * which one is known when all of the lane have been called in the cycle after:
 *
 * - The module was late, and JACK calls it once more for each period, with the same frame time: nothing is lost. So a cycle after a jump
 *   computes what was due, behind JACK's time by what is owed, and a cycle in which JACK's time does not advance takes from the debt.
 * - The server skipped: nobody in the lane ran. Then all lag the same, and nobody pays: the patch stood still together, and goes on.
 * - The module was passed over while others ran. What has its own course would then be late for ever beside the others: the phase of an
 *   oscillator, an envelope, a ramp, the beat. So the module runs for the frames that it missed, at the start of its next cycle, with events at
 *   their frames. Nobody hears that, and what it would have read is gone: control voltages stand where they stood last, audio is
 *   silent. There is room for so many frames; what is made up for takes from it, and a quarter of every cycle gives back, so that a module
 *   that is late because it is slow does not stay late by making up. What does not fit is let be.
 *
 * JACK may still come twice to one that has made up: then all is computed, and the outputs stand as they are.
 *
 * How far its state lags behind JACK's time stands on its lane's board (common/board.h), for the others to compare: a lane is in step when all of it lag the
 * same, and whoever lags more than the least has missed something. The numbers are never set back, so that it does not matter in which order the three come,
 * nor who has settled which of them when. What is shared is settled in the second cycle after the jump, all in the same, for a lane is whole
 * while its members are equally late; or later, while one is waited for that may be called twice yet. For some cycles more it is looked for one that was.
 * A state that is copied from the twin brings the twin's lag with it: where the lanes have stood still at different times, one that joined and one that did
 * not, because the other lane fell apart meanwhile, are told apart.
 * Audio thread; realtime-safe.
 */
#ifndef CHR_ENGINE_MISSED_H
#define CHR_ENGINE_MISSED_H

#include "common/module.h"

#include <stdint.h>

#define CHR_MISSED_MAX  8u   /* periods that may be owed, */
#define CHR_MISSED_MS   100u /* or this, where it is more: one that hangs keeps others from running until the watchdog ends it */
#define CHR_MISSED_WAIT 4u   /* cycles that one is waited for, and looked for afterwards */

struct chr_rt;

/* The cycle of `frames` frames that begins at JACK's frame time `at` has begun: returns the frame at which what it computes begins, and notes how much
 * chr_missed_make_up() has to do first. With rt->again there is nothing to compute. */
CHR_RT uint32_t chr_missed_enter(struct chr_rt *rt, uint32_t frames, uint32_t at);

/* In the cycle that begins at JACK's frame time `at` the state has become the twin's, which lags so many frames. */
CHR_RT void chr_missed_joined(struct chr_rt *rt, uint32_t at, uint32_t lag);

/* Others of the lane may have been given another lag: from the next cycle on it is looked for who has missed what, as after a jump. */
CHR_RT void chr_missed_look(struct chr_rt *rt);

/* Runs for the frames that were missed before the cycle that begins at `frame`. */
CHR_RT void chr_missed_make_up(struct chr_rt *rt, uint32_t frame, uint32_t frames, const float *const *in, float *const *out);

/* Keeps the last samples of the inputs that are no audio. */
CHR_RT void chr_missed_hold(struct chr_rt *rt, uint32_t frames, const float *const *in);

#endif
