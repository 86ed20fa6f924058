/* Powers of two in double precision, free of branches and tables so that loops over them become vectors.
 *
 *   2^x = 2^n * e^(f ln 2),   n = x rounded to the nearest integer,   |f| <= 1/2
 *
 * with the Taylor series of the exponential up to degree 10: relative error below 3e-13, and exactly 1 at x = 0.
 */
#ifndef CHR_MODULES_DSP_EXP2_H
#define CHR_MODULES_DSP_EXP2_H

#include "modules/dsp/wide.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define CHR_EXP2_LIMIT 512.0

/* 2^x; x is clamped to +-CHR_EXP2_LIMIT. The result for what is not finite is not a number, that for |x| beyond 2^50 any finite number.
 * Realtime-safe. */
CHR_INLINE double chr_exp2(double x)
{
	static const double round = 0x1.8p52; /* adding it leaves the nearest integer in the lowest bits of the sum */
	double shifted, f, f2, f4, low, middle, high, scale;
	uint64_t bits;

	/* Clamped without a comparison: the compiler would work the rest out for the constant limits and make control flow of it. */
	x = 0.5 * (fabs(x + CHR_EXP2_LIMIT) - fabs(x - CHR_EXP2_LIMIT));
	shifted = x + round;
	f = (x - (shifted - round)) * 0.69314718055994530942;
	/* By Estrin's scheme: half the latency of Horner's, and a block at rest waits for one power alone. */
	f2 = f * f;
	f4 = f2 * f2;
	low = (1.0 + f) + (0.5 + 1.0 / 6.0 * f) * f2;
	middle = (1.0 / 24.0 + 1.0 / 120.0 * f) + (1.0 / 720.0 + 1.0 / 5040.0 * f) * f2;
	high = (1.0 / 40320.0 + 1.0 / 362880.0 * f) + 1.0 / 3628800.0 * f2;
	memcpy(&bits, &shifted, sizeof bits);
	bits = (bits + 1023) << 52;
	memcpy(&scale, &bits, sizeof scale);
	return (low + (middle + high * f4) * f4) * scale;
}

#endif
