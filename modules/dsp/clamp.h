/* Limits without branches. Both comparisons look at the same number: a chain of them would become control flow, and loops over it
 * would not become vectors. */
#ifndef CHR_MODULES_DSP_CLAMP_H
#define CHR_MODULES_DSP_CLAMP_H

#include "modules/dsp/wide.h"

/* `x` between `low` and `high`; `low` when it is not a number. Realtime-safe. */
CHR_INLINE double chr_clamp(double x, double low, double high)
{
	const double below = x < high ? x : high;

	return x > low ? below : low;
}

#endif
