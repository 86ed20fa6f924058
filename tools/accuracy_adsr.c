/* The envelope: how long its segments last, and their shape, against the equation in double precision. */
#include "tools/accuracy.h"

#include <math.h>

#define ON 100u /* frame at which the gate rises */

static const float rates[] = {44100.0f, 48000.0f, 96000.0f};
#define RATES (sizeof rates / sizeof rates[0])

struct envelope {
	float attack_s, decay_s, sustain, release_s, curve;
};

/* The shape as the module's head defines it, by other means. */
static double shape(double x, double curve)
{
	const double nepers = curve * log(1000.0);

	return curve == 0.0 ? x : expm1(-nepers * x) / expm1(-nepers);
}

static uint32_t first_at(const float *env, uint32_t from, uint32_t frames, double level)
{
	while (from < frames && (double)env[from] / 10.0 != (double)(float)level)
		from++;
	return from;
}

static double want_at(const struct envelope *e, double rate, uint32_t i, uint32_t off)
{
	const double t = (i - ON) / rate, after = ((double)i - off) / rate, sustain = (double)e->sustain;

	if (i >= off)
		return after < (double)e->release_s ? sustain * (1.0 - shape(after / (double)e->release_s, (double)e->curve)) : 0.0;
	if (t < (double)e->attack_s)
		return shape(t / (double)e->attack_s, (double)e->curve);
	if (t < (double)e->attack_s + (double)e->decay_s)
		return 1.0 + (sustain - 1.0) * shape((t - (double)e->attack_s) / (double)e->decay_s, (double)e->curve);
	return sustain;
}

static struct player played(const struct envelope *e, float rate_hz, uint32_t off)
{
	struct player player = player_create("adsr", rate_hz, off + (uint32_t)((double)(e->release_s + 0.1f) * (double)rate_hz));
	float *gate = player_course(&player, "gate");

	player_set(&player, "attack", e->attack_s);
	player_set(&player, "decay", e->decay_s);
	player_set(&player, "sustain", e->sustain);
	player_set(&player, "release", e->release_s);
	player_set(&player, "curve", e->curve);
	for (uint32_t i = ON; i < off; i++)
		gate[i] = 1.0f;
	player_play(&player);
	return player;
}

static uint32_t gate_off(const struct envelope *e, float rate_hz)
{
	return (uint32_t)((double)(e->attack_s + e->decay_s + 0.1f) * (double)rate_hz);
}

/* The worst error in frames of the three segments. */
static double length_error(const struct envelope *e, float rate_hz)
{
	const double rate = (double)rate_hz;
	const uint32_t off = gate_off(e, rate_hz);
	struct player player = played(e, rate_hz, off);
	const float *env = player_port(&player, "env");
	const uint32_t top = first_at(env, ON, player.frames, 1.0);
	const uint32_t low = first_at(env, top, player.frames, (double)e->sustain);
	const uint32_t end = first_at(env, off, player.frames, 0.0);

	player_destroy(&player);
	return fmax(fabs((double)(top - ON) - (double)e->attack_s * rate),
		    fmax(fabs((double)(low - top) - (double)e->decay_s * rate),
			 fabs((double)(end - off) - (double)e->release_s * rate)));
}

/* The worst error in level. Only for segments of whole frames: others end at the nearest one, and the next begins there. */
static double shape_error(const struct envelope *e, float rate_hz)
{
	const uint32_t off = gate_off(e, rate_hz);
	struct player player = played(e, rate_hz, off);
	const float *env = player_port(&player, "env");
	double worst = 0.0;

	for (uint32_t i = ON; i < player.frames; i++)
		worst = fmax(worst, fabs((double)env[i] / 10.0 - want_at(e, (double)rate_hz, i, off)));
	player_destroy(&player);
	return worst;
}

void accuracy_adsr(struct figures *figures)
{
	static const float odd[][3] = {{0.0005f, 0.0007f, 0.0011f}, {0.0123f, 0.0171f, 0.0333f}, {0.1f, 0.253f, 0.507f}};
	static const float whole[][3] = {{0.01f, 0.02f, 0.03f}, {0.1f, 0.25f, 0.5f}, {2.0f, 1.0f, 3.0f}};
	static const float curves[] = {0.0f, 1e-6f, 1e-3f, 0.1f, 0.5f, 0.83f, 1.0f};

	for (unsigned r = 0; r < RATES; r++) {
		/* A long one is linear: else its last step is smaller than a float shows. */
		double frames = length_error(&(struct envelope){20.03f, 11.07f, 0.25f, 15.01f, 0.0f}, rates[r]), level = 0.0;

		for (unsigned t = 0; t < 3; t++)
			for (unsigned c = 0; c < sizeof curves / sizeof curves[0]; c++) {
				frames = fmax(frames,
					      length_error(&(struct envelope){odd[t][0], odd[t][1], 0.25f, odd[t][2], curves[c]},
							   rates[r]));
				level = fmax(level, shape_error(&(struct envelope){whole[t][0], whole[t][1], 0.25f, whole[t][2],
										   curves[c]},
								rates[r]));
			}
		figures_add(figures, frames, "frames", AT_MOST, 1.0, "adsr, length of a segment, worst error, at %g Hz",
			    (double)rates[r]);
		figures_add(figures, level, "of 1", AT_MOST, 1e-5, "adsr, shape, worst error, at %g Hz", (double)rates[r]);
	}
}
