/* The filter's responses against those of the cookbook. */
#include "tools/accuracy.h"

#include "tests/lib/cookbook.h"
#include "tests/lib/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POINTS   25     /* of a response, from 20 Hz to 0.45 of the sample rate */
#define FLOOR    1e-4   /* below -80 dB a float's rounding in the impulse response is heard more than the filter */
#define HALF_DB  3.0103 /* -10 log10(1/2) */
#define RATE_MAX 0.45

static const float rates[] = {44100.0f, 48000.0f, 96000.0f};
#define RATES (sizeof rates / sizeof rates[0])

struct player player_filter(unsigned mode, float rate_hz, float cutoff_hz, float q, float gain_db, uint32_t frames)
{
	struct player player = player_create("biquad", rate_hz, frames);

	for (unsigned p = 0; p < player.module->param_count; p++)
		for (unsigned i = 0; player.module->params[p].choices && player.module->params[p].choices[i]; i++)
			if (!strcmp(player.module->params[p].choices[i], cookbook_modes[mode]))
				player_set(&player, "mode", (float)i);
	player_set(&player, "cutoff", cutoff_hz);
	player_set(&player, "q", q);
	player_set(&player, "gain", gain_db);
	return player;
}

/* Frames in which the slowest pole has fallen by 160 dB. */
static uint32_t ring_out(double hz, double q, double gain_db, double rate)
{
	const double widest = fmax(q * pow(10.0, fabs(gain_db) / 40.0), 0.5 / fmin(q, 0.5)) * pow(10.0, fabs(gain_db) / 80.0);

	return 2000 + (uint32_t)(18.4 * widest / (0.5 * sin(2.0 * M_PI * hz / rate)));
}

static struct player struck(unsigned mode, float rate, float hz, float q, float gain)
{
	struct player player = player_filter(mode, rate, hz, q, gain, ring_out((double)hz, (double)q, (double)gain, (double)rate));

	player_port(&player, "in")[0] = 1.0f;
	player_play(&player);
	return player;
}

/* Of what was struck, at a frequency. */
static double level(struct player *player, double hz)
{
	return cabs(fit_fourier(player_port(player, "out"), player->frames, hz / (double)player->rate_hz));
}

/* The worst difference of level in dB of one setting. */
static double difference_db(unsigned mode, float rate, float hz, float q, float gain)
{
	struct player player = struck(mode, rate, hz, q, gain);
	const struct cookbook want = cookbook(mode, (double)hz, (double)q, (double)gain, (double)rate);
	double worst = 0.0;

	for (unsigned i = 0; i <= POINTS; i++) {
		const double at = i == POINTS ? (double)hz : 20.0 * pow(RATE_MAX * (double)rate / 20.0, i / (POINTS - 1.0));
		const double w = cabs(cookbook_response(&want, at, (double)rate)), h = level(&player, at);

		if (at >= 20.0 && at <= RATE_MAX * (double)rate && w >= FLOOR)
			worst = fmax(worst, fabs(20.0 * log10(h / w)));
	}
	player_destroy(&player);
	return worst;
}

static void responses(struct figures *figures, unsigned mode)
{
	static const float cutoffs[] = {31.7f, 441.3f, 3987.1f, 12011.0f, 19993.0f}, qs[] = {0.1f, 0.7071f, 3.3f, 40.0f};
	static const float gains[] = {-24.0f, -6.1f, 11.3f, 24.0f};
	double worst = 0.0;

	for (unsigned c = 0; c < 5; c++)
		for (unsigned q = 0; q < 4; q++)
			for (unsigned g = 0; g < (mode < 5 ? 1 : 4); g++)
				/* The slowest corners take minutes to ring out and say nothing that the others do not. */
				if (c > 0 || (q > 0 && q < 3 && g > 0 && g < 3) || mode < 5)
					worst = fmax(worst, difference_db(mode, rates[(c + q + g) % RATES], cutoffs[c], qs[q],
									  mode < 5 ? 0.0f : gains[g]));
	figures_add(figures, worst, "dB", AT_MOST, 0.01, "biquad, %s, against the cookbook, 20 Hz to 0.45 fs",
		    cookbook_modes[mode]);
}

/* The level where the equations have exactly half the power: lowpass and highpass at the cutoff, bandpass at both edges of its band. */
static void half_power(struct figures *figures, unsigned mode)
{
	static const float cutoffs[] = {97.3f, 1003.7f, 7013.9f};
	double worst = 0.0;

	for (unsigned c = 0; c < 3; c++) {
		const float q = mode < 2 ? (float)M_SQRT1_2 : 2.3f;
		const double rate = 48000.0, half = 1.0 / (2.0 * (double)q), tangent = tan(M_PI * (double)cutoffs[c] / rate);
		struct player player = struck(mode, (float)rate, cutoffs[c], q, 0.0f);

		for (int side = -1; side <= 1; side += 2) {
			const double edge = mode < 2 ? (double)cutoffs[c]
						     : atan(tangent * (sqrt(1.0 + half * half) + side * half)) * rate / M_PI;

			worst = fmax(worst, fabs(20.0 * log10(level(&player, edge)) + HALF_DB));
		}
		player_destroy(&player);
	}
	figures_add(figures, worst, "dB", AT_MOST, 0.01, "biquad, %s, level off -3.01 dB at its -3 dB points",
		    cookbook_modes[mode]);
}

void accuracy_responses(struct figures *figures)
{
	for (unsigned mode = 0; mode < COOKBOOK_MODES; mode++)
		responses(figures, mode);
	for (unsigned mode = 0; mode < 3; mode++)
		half_power(figures, mode);
}
