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

/* Sine of `phase` / 2^32 turns, -1..1. Realtime-safe. */
CHR_INLINE float chr_sine(uint32_t phase)
{
	const uint32_t turned = phase - 0x40000000u, below = 0u - (turned >> 31); /* from the peak; all ones before it */
	const float y = (float)(int32_t)(0x3fffffffu - (turned ^ below)) * 0x1p-30f;
	const float z = y * y;
	float r = -0.000150626840552834974f;

	r = r * z + 0.00452120981783506669f;
	r = r * z + -0.0751670114540959911f;
	r = r * z + 0.570796286091343415f;
	return y + y * (1.0f - z) * r;
}

#endif
