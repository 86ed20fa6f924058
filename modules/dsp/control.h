/* Courses of values over a block: parameters, and CV ports read the same way.
 *
 * Whether a course stands still is decided by its values, never by how it was handed over, and a module computes the same
 * function of the values on its fast and on its general path: so the way a block is split cannot change a bit.
 */
#ifndef CHR_MODULES_DSP_CONTROL_H
#define CHR_MODULES_DSP_CONTROL_H

#include "common/module.h"
#include "modules/dsp/wide.h"

#include <stdbool.h>
#include <string.h>

#define CHR_CHUNK 64u /* frames that modules work on at a time: a constant, so that loops over them become vectors */

/* Realtime-safe, as everything here. */

/* Frames of the chunk that begins at `at`. */
CHR_INLINE uint32_t chr_chunk(uint32_t frames, uint32_t at)
{
	return frames - at < CHR_CHUNK ? frames - at : CHR_CHUNK;
}

/* Copies the `count` samples of a chunk. Whole chunks are told apart because a copy of known size is a few vector moves. */
CHR_INLINE void chr_chunk_copy(float *to, const float *from, uint32_t count)
{
	if (count < CHR_CHUNK)
		memcpy(to, from, count * sizeof *to);
	else
		memcpy(to, from, CHR_CHUNK * sizeof *to);
}

/* A CV port as a course. */
CHR_INLINE struct chr_control chr_control_port(const float *samples)
{
	return (struct chr_control){samples, UINT32_MAX};
}

/* The course from frame `at` on. */
CHR_INLINE struct chr_control chr_control_from(struct chr_control c, uint32_t at)
{
	return (struct chr_control){c.v + (at & c.mask), c.mask};
}

CHR_INLINE uint32_t chr_bits(const float *v)
{
	uint32_t bits;

	memcpy(&bits, v, sizeof bits);
	return bits;
}

/* Have two values the same bits? */
CHR_INLINE bool chr_same(const float *a, const float *b)
{
	return chr_bits(a) == chr_bits(b);
}

/* Does the course keep one value, bit by bit, over `frames` frames? */
CHR_INLINE bool chr_control_still(struct chr_control c, uint32_t frames)
{
	uint32_t differ = 0;

	if (!c.mask || frames < 2)
		return true;
	/* What moves mostly ends elsewhere than it began; a pass without a way out becomes vectors, and these lie as the memory does only
	 * from the first value on. */
	if (!chr_same(c.v, c.v + frames - 1))
		return false;
	for (uint32_t i = 0; i < frames; i++)
		differ |= chr_bits(c.v + i) ^ chr_bits(c.v);
	return !differ;
}

#define CHR_WATCH (CHR_CHUNK / 4u)

/* Sets bits in `differs` if a value of the chunk is another one than `value`. */
CHR_INLINE void chr_chunk_watch(uint32_t differs[CHR_WATCH], const float *chunk, const float *value)
{
	const uint32_t bits = chr_bits(value);

	for (uint32_t i = 0; i < CHR_WATCH; i++)
		differs[i] |= (chr_bits(chunk + i) ^ bits) | (chr_bits(chunk + i + CHR_WATCH) ^ bits) |
			      (chr_bits(chunk + i + 2 * CHR_WATCH) ^ bits) | (chr_bits(chunk + i + 3 * CHR_WATCH) ^ bits);
}

/* Values `at` .. `at + count - 1` of the course; `count` is at most CHR_CHUNK, and the rest of `to` repeats the first value. */
CHR_INLINE void chr_control_spread(float to[CHR_CHUNK], struct chr_control c, uint32_t at, uint32_t count)
{
	const float first = chr_control_at(c, at);

	if (!c.mask || count < CHR_CHUNK)
		for (uint32_t i = 0; i < CHR_CHUNK; i++)
			to[i] = first;
	if (c.mask)
		chr_chunk_copy(to, c.v + at, count);
}

#endif
