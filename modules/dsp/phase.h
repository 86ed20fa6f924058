/* Phase as a 64-bit fraction of a turn. It wraps by itself, adds up without error, and resolves a turn so finely that a frequency
 * of 0.01 Hz is exact to 1e-12. */
#ifndef CHR_MODULES_DSP_PHASE_H
#define CHR_MODULES_DSP_PHASE_H

#include "modules/dsp/clamp.h"
#include "modules/dsp/wide.h"

#include <stdint.h>

/* Frequencies reach up to this share of the sample rate, just under Nyquist. */
#define CHR_PHASE_LIMIT 0.4999999

/* Phase per sample of `hz` at `sample_rate`. Beyond Nyquist the frequency is clamped to it; what is not a number stands still.
 * A negative frequency runs backwards. Realtime-safe. */
CHR_INLINE uint64_t chr_phase_step(double hz, double sample_rate)
{
	const double limit = sample_rate * CHR_PHASE_LIMIT, within = chr_clamp(hz, -limit, limit);

	return (uint64_t)(int64_t)((hz == hz ? within : 0.0) * (0x1p64 / sample_rate));
}

/* The phase as a ramp 0 <= r < 1. Realtime-safe. */
CHR_INLINE float chr_phase_ramp(uint64_t phase)
{
	return (float)(uint32_t)(phase >> 40) * 0x1p-24f;
}

/* The upper halves of two phases, in this order in memory. Neighbours that come as pairs need no exchange of vector lanes. Realtime-safe. */
CHR_INLINE uint64_t chr_phase_pair(uint64_t first, uint64_t second)
{
	const uint64_t upper = 0xffffffff00000000u;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return first >> 32 | (second & upper);
#else
	return (first & upper) | second >> 32;
#endif
}

#endif
