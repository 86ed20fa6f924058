/* The sine of a phase, in single precision and free of branches.
 *
 * The phase is folded into the quarter y = -1..1 around zero, and there
 *
 *   sin(pi/2 y) = y + y (1 - y^2) R(y^2)
 *
 * where R is the polynomial of degree 3 with the smallest greatest error (Remez; 3.7e-9 of the sine). The form is exact at the
 * zeros and the peaks and keeps the rounding of R away from the result, so that what remains is close to the rounding of
 * the result itself.
 */
#ifndef CHR_MODULES_DSP_SINE_H
#define CHR_MODULES_DSP_SINE_H

#include "modules/dsp/wide.h"

#include <stdint.h>

/* Sine of an angle, -1..1, that is counted from the peak: of sine(1/4 turn + angle / 2^32 turns). Realtime-safe. */
CHR_INLINE float chr_sine_from_peak(uint32_t angle)
{
	const uint32_t below = 0u - (angle >> 31); /* all ones before the peak */
	const float y = (float)(int32_t)(0x3fffffffu - (angle ^ below)) * 0x1p-30f;
	const float z = y * y;
	float r = -0.000150626840552834974f;

	r = r * z + 0.00452120981783506669f;
	r = r * z + -0.0751670114540959911f;
	r = r * z + 0.570796286091343415f;
	return y + y * (1.0f - z) * r;
}

/* Sine of `phase` / 2^32 turns, -1..1. Realtime-safe. */
CHR_INLINE float chr_sine(uint32_t phase)
{
	return chr_sine_from_peak(phase - 0x40000000u);
}

#endif
