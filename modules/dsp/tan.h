/* The tangent that prewarps a cutoff, in double precision and free of branches, as a fraction: who needs more than the tangent saves a
 * division.
 *
 *   tan(pi x) = 2 s c / (c^2 - s^2),   s = sin(pi x / 2), c = cos(pi x / 2)
 *
 * with Taylor series up to degree 13 and 12, summed by Estrin's scheme: relative error below 1e-9 for 0 <= x <= 0.49.
 */
#ifndef CHR_MODULES_DSP_TAN_H
#define CHR_MODULES_DSP_TAN_H

#include "modules/dsp/wide.h"

struct chr_fraction {
	double over, under;
};

/* tan(pi x), 0 <= x <= 0.49. Realtime-safe. */
CHR_INLINE struct chr_fraction chr_tan_pi(double x)
{
	const double h = x * 1.57079632679489661923, z = -h * h, z2 = z * z, z4 = z2 * z2;
	const double s_low = (1.0 + 1.0 / 6.0 * z) + (1.0 / 120.0 + 1.0 / 5040.0 * z) * z2;
	const double s_high = (1.0 / 362880.0 + 1.0 / 39916800.0 * z) + 1.0 / 6227020800.0 * z2;
	const double c_low = (1.0 + 0.5 * z) + (1.0 / 24.0 + 1.0 / 720.0 * z) * z2;
	const double c_high = (1.0 / 40320.0 + 1.0 / 3628800.0 * z) + 1.0 / 479001600.0 * z2;
	const double s = (s_low + s_high * z4) * h, c = c_low + c_high * z4;

	return (struct chr_fraction){2.0 * s * c, c * c - s * s};
}

#endif
