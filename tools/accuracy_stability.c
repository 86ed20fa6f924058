/* The filter while cutoff, Q and gain move at audio rate, and its noise at the lowest cutoffs. */
#include "tools/accuracy.h"

#include "tests/lib/cookbook.h"

#include <math.h>

#define RATE     48000.0f
#define FRAMES   48000u
#define SOUNDING 36000u /* frames of noise in; silence follows */

/* Deterministic: -1 <= x < 1. */
static double noise(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (double)((x ^ x >> 31) >> 11) * 0x1p-52 - 1.0;
}

struct cell {
	unsigned mode;
	float cutoff_hz, q;
	double cutoff_step, q_step; /* radians per frame of the modulation; 0: still, below 0: noise */
};

struct outcome {
	uint64_t samples, nonfinite;
	double peak; /* input: 1 */
	double rest; /* worst level in the last 1000 frames, 0.23 s after the input fell silent */
};

static double swing(double step, uint32_t i, uint64_t *seed)
{
	return step > 0.0 ? sin(step * i) : step < 0.0 ? noise(seed) : 0.0;
}

/* The cutoff swings by +-5 octaves, the Q over all it can, the gain with it. */
static void play(const struct cell *cell, struct outcome *outcome)
{
	struct player player = player_filter(cell->mode, RATE, cell->cutoff_hz, cell->q, 24.0f, FRAMES);
	float *in = player_port(&player, "in"), *cutoff = player_port(&player, "cutoff");
	const float *out = player_port(&player, "out");
	uint64_t seed = cell->mode + 1;

	for (uint32_t i = 0; i < FRAMES; i++) {
		in[i] = i < SOUNDING ? (float)noise(&seed) : 0.0f;
		cutoff[i] = (float)(5.0 * swing(cell->cutoff_step, i, &seed));
	}
	if (cell->q_step != 0.0) {
		float *q = player_course(&player, "q"), *gain = player_course(&player, "gain");

		for (uint32_t i = 0; i < FRAMES; i++) {
			const double s = swing(cell->q_step, i, &seed);

			q[i] = (float)(2.0 * pow(20.0, s));
			gain[i] = (float)(24.0 * s);
		}
	}
	player_play(&player);
	for (uint32_t i = 0; i < FRAMES; i++) {
		const double size = fabs((double)out[i]);

		outcome->nonfinite += !isfinite(size);
		outcome->peak = fmax(outcome->peak, size);
		if (i >= FRAMES - 1000)
			outcome->rest = fmax(outcome->rest, size);
	}
	outcome->samples += FRAMES;
	player_destroy(&player);
}

static void modulation(struct figures *figures)
{
	static const float cutoffs[] = {10.0f, 100.0f, 632.0f, 5000.0f, 20000.0f}, qs[] = {0.1f, 0.7071f, 5.0f, 40.0f};
	static const double steps[] = {0.0, 0.00013, 0.013, 0.37, 1.9, 3.1, -1.0};
	struct outcome outcome = {0};
	struct cell cell;

	for (cell.mode = 0; cell.mode < COOKBOOK_MODES; cell.mode++)
		for (unsigned f = 0; f < 5; f++)
			for (unsigned q = 0; q < 4; q++)
				for (unsigned a = 0; a < 7; a++)
					for (unsigned b = 0; b < 7; b += 2) {
						cell.cutoff_hz = cutoffs[f];
						cell.q = qs[q];
						cell.cutoff_step = steps[a];
						cell.q_step = steps[b];
						play(&cell, &outcome);
					}
	figures_add(figures, (double)outcome.nonfinite, "samples", AT_MOST, 0.0,
		    "biquad, modulated at audio rate, not finite of %.3g samples", (double)outcome.samples);
	figures_add(figures, 20.0 * log10(outcome.peak), "dB", AT_MOST, 80.0,
		    "biquad, modulated at audio rate, highest peak over input");
	figures_add(figures, outcome.rest, "of 1", NO_GOAL, 0.0,
		    "biquad, modulated at audio rate, worst rest 0.23 s after the input");
}

/* A 20 Hz filter against the cookbook's difference equation in long double, in dB below the output. */
static double low_noise_db(unsigned mode)
{
	struct player player = player_filter(mode, RATE, 20.0f, 0.7071f, 12.0f, 240000);
	const struct cookbook c = cookbook(mode, 20.0, (double)0.7071f, 12.0, (double)RATE);
	float *in = player_port(&player, "in");
	const float *out = player_port(&player, "out");
	long double x1 = 0.0L, x2 = 0.0L, y1 = 0.0L, y2 = 0.0L, signal = 0.0L, wrong = 0.0L;
	uint64_t seed = 1;

	for (uint32_t i = 0; i < player.frames; i++)
		in[i] = (float)(0.5 * sin(i * 0.0031) + 0.25 * noise(&seed));
	player_play(&player);
	for (uint32_t i = 0; i < player.frames; i++) {
		const long double x = (long double)in[i];
		const long double y = (c.b[0] * x + c.b[1] * x1 + c.b[2] * x2 - c.a[1] * y1 - c.a[2] * y2) / c.a[0];

		wrong += ((long double)out[i] - y) * ((long double)out[i] - y);
		signal += y * y;
		x2 = x1;
		x1 = x;
		y2 = y1;
		y1 = y;
	}
	player_destroy(&player);
	return 10.0 * log10((double)(wrong / signal));
}

void accuracy_stability(struct figures *figures)
{
	double worst = -INFINITY;

	modulation(figures);
	for (unsigned mode = 0; mode < COOKBOOK_MODES; mode++)
		worst = fmax(worst, low_noise_db(mode));
	figures_add(figures, worst, "dB", AT_MOST, -130.0, "biquad, noise of a 20 Hz filter against long double, worst mode");
}
