/* Twins: the state published at the end of a cycle, taken over at the start of the same cycle elsewhere, and summed to compare.
 *
 * A snapshot is stamped with the frame at which its owner's next cycle begins. The joiner looks for the stamp of the cycle
 * that it is about to run, copies, and looks at the stamp again: the writer clears it before it touches the rest.
 *
 * In a loop that is not all: JACK delays one edge of it by a cycle, so in the cycle of the join the reader of that edge finds
 * what its own lane wrote before it had joined, and a loop keeps that error for ever. There the joiner also reads its twin's
 * blocks in that one cycle. The twin publishes them as its cycle begins, which may be a little later than the joiner's.
 */
#ifndef CHR_ENGINE_JOIN_H
#define CHR_ENGINE_JOIN_H

#include "common/module.h"
#include "common/slot.h"

#include <stdbool.h>
#include <stdint.h>

struct chr_rt;

/* Is serial `a` newer than `b`? Right across the wrap while fewer than 2^31 events lie between them. */
CHR_RT static inline bool chr_join_newer(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* Publishes the state as it is before the cycle that begins at `next`. Writes state_bytes of the state, no more. */
CHR_RT void chr_join_publish(struct chr_rt *rt, uint32_t next);

/* Publishes what the cycle that begins now, at `frame`, reads; nothing when it is longer than CHR_BLOCK_MAX. Before anything is written. */
CHR_RT void chr_join_lend(struct chr_rt *rt, uint32_t frame, uint32_t frames, const float *const *in);

/* Takes the twin's state over, with its lag, if it was published for the cycle that begins at `frame`, at JACK's frame time `at`; else
 * changes nothing. Events that the state has in it are dropped from the queue, and from the ring as they come. True when joined: told, counted, no longer joining.
 * When rt->join_loops it takes what the twin reads in this cycle too: then rt->borrowed are the inputs of this cycle. For these it
 * waits, busily, for a quarter of the cycle's time and half a millisecond at most, and does not join when they do not come. */
CHR_RT bool chr_join_try(struct chr_rt *rt, uint32_t frame, uint32_t at, uint32_t frames);

/* Keeps a sum of what the module gave out in the cycle that ends: two builds of it may keep the same state and sound different. */
CHR_RT void chr_join_sum_outputs(struct chr_rt *rt, uint32_t frames, float *const *out);

/* 64-bit sum over the module's state and the engine's, without the pending events. */
CHR_RT uint64_t chr_join_checksum(const struct chr_rt *rt);

/* Main thread: the slot of the twin from now on (mapped, may be read-only; NULL: none). Returns the one before, which the audio
 * thread uses no more, so that the caller can unmap it; NULL when there was none or when the audio thread is stuck in it (then
 * it stays mapped). May wait for some milliseconds. */
const struct chr_slot *chr_join_set_twin(struct chr_rt *rt, const struct chr_slot *twin);

#endif
