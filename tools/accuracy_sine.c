/* The sine oscillator: frequency, drift, distortion, noise. All by least squares against the sinusoid of the frequency that was set. */
#include "tests/lib/fit.h"
#include "tools/accuracy.h"

#include <math.h>

#define BLOCK       CHR_BLOCK_MAX
#define FREQUENCIES 30
#define DAY_S       86400.0

static const float rates[] = {44100.0f, 48000.0f, 96000.0f};
#define RATES (sizeof rates / sizeof rates[0])

/* Plays `blocks` blocks; the last one stays in the buffer. Returns the frame it begins at. */
static uint64_t play_blocks(struct player *player, uint64_t blocks)
{
	for (uint64_t i = 0; i < blocks; i++)
		player_run(player, 0, BLOCK);
	return (blocks - 1) * BLOCK;
}

/* Turns by which the phase in the middle of the block differs from that of the frequency. */
static double turns_off(struct player *player, double cycles, uint64_t first)
{
	const struct fit fit = fit_sine(player_port(player, "out"), BLOCK, cycles, first);

	return fit.turns - rint(fit.turns);
}

/* The worst of 30 frequencies from 20 Hz to 20 kHz that divide no sample rate, each followed for 7 s and longer. */
static void frequencies(struct figures *figures, float rate)
{
	double worst = 0.0;

	for (unsigned i = 0; i < FREQUENCIES; i++) {
		struct player player = player_create("sine", rate, BLOCK);
		const float hz = (float)(20.0137 * pow(19990.7 / 20.0137, i / (FREQUENCIES - 1.0)));
		const double cycles = (double)hz / (double)rate;
		uint64_t first;

		player_set(&player, "freq", hz);
		first = play_blocks(&player, 80);
		worst = fmax(worst, fabs(1200.0 *
					 log2(1.0 + turns_off(&player, cycles, first) / (cycles * ((double)first + BLOCK / 2.0)))));
		player_destroy(&player);
	}
	figures_add(figures, worst, "cents", AT_MOST, 0.0005, "sine, frequency error, worst of 30 from 20 Hz to 20 kHz, at %g Hz",
		    (double)rate);
}

/* Every sample of the day is computed. A turn of the phase is 1; the fit itself resolves about 1e-9. */
static void drift(struct figures *figures)
{
	struct player player = player_create("sine", 48000.0f, BLOCK);
	const double cycles = (double)997.3f / 48000.0;
	const uint64_t first = (player_set(&player, "freq", 997.3f), play_blocks(&player, (uint64_t)(DAY_S * 48000.0 / BLOCK) + 1));
	const double turns = turns_off(&player, cycles, first);

	figures_add(figures, fabs(turns), "turns", AT_MOST, 1e-6, "sine, phase off after 24 h at 997.3 Hz");
	figures_add(figures, fabs(1200.0 * log2(1.0 + turns / (cycles * (double)first))), "cents", AT_MOST, 1e-9,
		    "sine, drift in 24 h");
	player_destroy(&player);
}

static struct fit tone(float hz, float level, float rate)
{
	struct player player = player_create("sine", rate, 1u << 17);
	struct fit fit;

	player_set(&player, "freq", hz);
	player_set(&player, "level", level);
	player_play(&player);
	fit = fit_sine(player_port(&player, "out"), player.frames, (double)hz / (double)rate, 0);
	player_destroy(&player);
	return fit;
}

static void distortion(struct figures *figures)
{
	static const float others[] = {61.7f, 440.3f, 6151.3f, 15013.9f};

	for (unsigned r = 0; r < RATES; r++)
		figures_add(figures, tone(997.0f, 1.0f, rates[r]).residual_db, "dB", AT_MOST, -150.0,
			    "sine, THD+N at 997 Hz, full scale, at %g Hz", (double)rates[r]);
	figures_add(figures, tone(997.0f, 0.5f, 48000.0f).residual_db, "dB", AT_MOST, -150.0, "sine, THD+N at 997 Hz, -6 dBFS");
	for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
		figures_add(figures, tone(others[i], 1.0f, 48000.0f).residual_db, "dB", NO_GOAL, 0.0,
			    "sine, THD+N at %g Hz, full scale", (double)others[i]);
}

/* AES17 measures the noise under a tone of -60 dBFS; without weighting here. */
static void noise(struct figures *figures)
{
	struct player player = player_create("sine", 48000.0f, 48000);
	const struct fit quiet = tone(997.0f, 0.001f, 48000.0f);
	const double floor_db = quiet.residual_db + 20.0 * log10(quiet.amplitude);
	float peak = 0.0f;

	player_set(&player, "level", 0.0f);
	player_play(&player);
	for (uint32_t i = 0; i < player.frames; i++)
		peak = fmaxf(peak, fabsf(player_port(&player, "out")[i]));
	player_destroy(&player);
	figures_add(figures, (double)peak, "peak", AT_MOST, 0.0, "sine, noise floor at level 0");
	figures_add(figures, floor_db, "dBFS", NO_GOAL, 0.0, "sine, noise floor under 997 Hz at -60 dBFS");
	figures_add(figures, -floor_db, "dB", NO_GOAL, 0.0, "sine, dynamic range");
}

void accuracy_sine(struct figures *figures)
{
	for (unsigned r = 0; r < RATES; r++)
		frequencies(figures, rates[r]);
	drift(figures);
	distortion(figures);
	noise(figures);
}
