#include "engine/smooth.h"

#include <math.h>

void chr_smoother_step(struct chr_smoother *smoother, float value)
{
	*smoother = (struct chr_smoother){.start = value, .target = value};
}

float chr_smoother_value(const struct chr_smoother *smoother)
{
	if (!smoother->remaining)
		return smoother->target;
	double slope = ((double)smoother->target - smoother->start) / smoother->total;
	return (float)(smoother->start + slope * (smoother->total - smoother->remaining));
}

void chr_smoother_ramp(struct chr_smoother *smoother, float target, uint32_t frames)
{
	float start = chr_smoother_value(smoother);
	if (frames <= 1 || start == target)
		chr_smoother_step(smoother, target);
	else
		*smoother = (struct chr_smoother){.start = start, .target = target, .remaining = frames, .total = frames};
}

struct chr_control chr_smoother_run(struct chr_smoother *smoother, uint32_t frames, float *buffer)
{
	if (!smoother->remaining)
		return (struct chr_control){.v = &smoother->target, .mask = 0};
	double start = smoother->start, slope = ((double)smoother->target - start) / smoother->total;
	uint32_t done = smoother->total - smoother->remaining;
	uint32_t moving = frames < smoother->remaining ? frames : smoother->remaining;
	for (uint32_t i = 0; i < moving; i++)
		buffer[i] = (float)(start + slope * (done + i + 1));
	smoother->remaining -= moving;
	if (!smoother->remaining) {
		/* The line may miss its end by a rounding. */
		for (uint32_t i = moving - 1; i < frames; i++)
			buffer[i] = smoother->target;
		chr_smoother_step(smoother, smoother->target);
	}
	return (struct chr_control){.v = buffer, .mask = UINT32_MAX};
}

bool chr_smoother_sane(const struct chr_smoother *smoother)
{
	return isfinite(smoother->start) && isfinite(smoother->target) && smoother->remaining <= smoother->total;
}
