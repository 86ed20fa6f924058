/* biquad: a filter with the eight responses of R. Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter coefficients",
 * realised as a trapezoidal state-variable filter (V. Zavalishin, "The Art of VA Filter Design"; A. Simper, "Solving the
 * continuous SVF equations using trapezoidal integration"), which stays stable while its cutoff moves at audio rate and quiet
 * at low cutoffs, where the direct forms do neither.
 *
 *   g  = tan(pi fc / sample rate),  fc = cutoff * 2^cv,  k = 1/Q           (g and k scaled by the gain in three of the modes)
 *   a1 = 1 / (1 + g (g + k)),  a2 = g a1,  a3 = g a2
 *   v1 = a1 s1 + a2 (v - s2)                                               bandpass
 *   v2 = s2 + a2 s1 + a3 (v - s2)                                          lowpass
 *   s1 = 2 v1 - s1,  s2 = 2 v2 - s2                                        the two integrators
 *   y  = m0 v + m1 v1 + m2 v2
 *
 * In the body the integrators' equations are multiplied out, which shortens the chain of operations from one sample to the next.
 * The state is in double precision: in float, the noise of a 20 Hz lowpass lies 90 dB higher.
 */
#include "common/module.h"
#include "modules/dsp/clamp.h"
#include "modules/dsp/control.h"
#include "modules/dsp/exp2.h"
#include "modules/dsp/tan.h"

#define CUTOFF_MIN_HZ 10.0
#define CUTOFF_MAX    0.49 /* of the sample rate */

struct state {
	double s1, s2;
};

enum port { IN, CUTOFF_CV, OUT, PORTS };
enum param { MODE, CUTOFF, Q, GAIN, PARAMS };
enum mode { LOWPASS, HIGHPASS, BANDPASS, NOTCH, ALLPASS, PEAK, LOWSHELF, HIGHSHELF, MODES };

/* How a mode mixes input, bandpass and lowpass. With A = 10^(gain/40):
 *   m0 = one[0] + square[0] A^2,  m1 = k (one[1] + root A + square[1] A^2),  m2 = one[2] + square[2] A^2
 * and g is multiplied by A^g_power, k by A^k_power. */
struct response {
	double one[3], root, square[3], g_power, k_power;
};

static const struct response responses[MODES] = {
	[LOWPASS] = {.one = {0, 0, 1}},
	[HIGHPASS] = {.one = {1, -1, -1}},
	[BANDPASS] = {.one = {0, 1, 0}},
	[NOTCH] = {.one = {1, -1, 0}},
	[ALLPASS] = {.one = {1, -2, 0}},
	[PEAK] = {.one = {1, -1, 0}, .square = {0, 1, 0}, .k_power = -1},
	[LOWSHELF] = {.one = {1, -1, -1}, .root = 1, .square = {0, 0, 1}, .g_power = -0.5},
	[HIGHSHELF] = {.one = {0, 0, 1}, .root = 1, .square = {1, -1, -1}, .g_power = 0.5},
};

/* The filter multiplied out, for a chunk or, when it stands still, for one sample:
 *   s1' = b1 s1 + b2 (v - s2),  s2' = b2 s1 + b4 s2 + b3 v,  y = m0 v + n1 (s1 + s1') + n2 (s2 + s2') */
struct coefficients {
	double b1[CHR_CHUNK], b2[CHR_CHUNK], b3[CHR_CHUNK], b4[CHR_CHUNK], m0[CHR_CHUNK], n1[CHR_CHUNK], n2[CHR_CHUNK];
};

CHR_INLINE enum mode mode_of(float value)
{
	return value > 0.0f && value < (float)MODES ? (enum mode)value : LOWPASS;
}

CHR_INLINE void coefficients_at(struct coefficients *to, uint32_t i, const struct response *r, float cutoff, float cv, float q,
				float gain, double sample_rate)
{
	const double log2_a = (double)gain * (3.32192809488736234787 / 40.0);
	const double a = chr_exp2(log2_a);
	const double hz = chr_clamp((double)cutoff * chr_exp2((double)cv), CUTOFF_MIN_HZ, sample_rate * CUTOFF_MAX);
	double g, k, a1, a2, a3;

	g = chr_tan_pi(hz / sample_rate) * chr_exp2(log2_a * r->g_power);
	k = chr_exp2(log2_a * r->k_power) / (double)q;
	a1 = 1.0 / (1.0 + g * (g + k));
	a2 = g * a1;
	a3 = g * a2;
	to->b1[i] = 2.0 * a1 - 1.0;
	to->b2[i] = 2.0 * a2;
	to->b3[i] = 2.0 * a3;
	to->b4[i] = 1.0 - 2.0 * a3;
	to->m0[i] = r->one[0] + r->square[0] * a * a;
	to->n1[i] = 0.5 * k * (r->one[1] + r->root * a + r->square[1] * a * a);
	to->n2[i] = 0.5 * (r->one[2] + r->square[2] * a * a);
}

CHR_WIDE static void coefficients_moving(struct coefficients *to, const struct response *r, const struct chr_io *io, uint32_t at,
					 uint32_t count)
{
	float cutoff[CHR_CHUNK], cv[CHR_CHUNK], q[CHR_CHUNK], gain[CHR_CHUNK];

	chr_control_spread(cutoff, io->param[CUTOFF], at, count);
	chr_control_spread(cv, chr_control_port(io->in[CUTOFF_CV]), at, count);
	chr_control_spread(q, io->param[Q], at, count);
	chr_control_spread(gain, io->param[GAIN], at, count);
	for (uint32_t i = 0; i < CHR_CHUNK; i++)
		coefficients_at(to, i, r, cutoff[i], cv[i], q[i], gain[i], io->sample_rate);
}

/* Filters `count` frames; `mask` is 0 when the first coefficients hold for all of them. */
static void filter(struct state *s, float *out, const float *in, const struct coefficients *c, uint32_t mask, uint32_t count)
{
	double s1 = s->s1, s2 = s->s2;

	for (uint32_t i = 0; i < count; i++) {
		const uint32_t j = i & mask;
		const double v = (double)in[i];
		/* Summed so that the last addition of each line waits for the line's own state alone. */
		const double next1 = (c->b2[j] * v - c->b2[j] * s2) + c->b1[j] * s1;
		const double next2 = (c->b3[j] * v + c->b2[j] * s1) + c->b4[j] * s2;

		out[i] = (float)(c->m0[j] * v + c->n1[j] * (s1 + next1) + c->n2[j] * (s2 + next2));
		s1 = next1;
		s2 = next2;
	}
	s->s1 = s1;
	s->s2 = s2;
}

static bool still(const struct chr_io *io)
{
	return chr_control_still(io->param[CUTOFF], io->frames) && chr_control_still(io->param[Q], io->frames) &&
	       chr_control_still(io->param[GAIN], io->frames) && chr_control_still(io->param[MODE], io->frames) &&
	       chr_control_still(chr_control_port(io->in[CUTOFF_CV]), io->frames);
}

/* Frames from `at` on, at most a chunk, in which the mode stays as it is. */
static uint32_t same_mode(struct chr_control mode, uint32_t at, uint32_t frames)
{
	const uint32_t count = chr_chunk(frames, at);
	uint32_t n = 1;

	while (n < count && chr_control_at(mode, at + n) == chr_control_at(mode, at))
		n++;
	return n;
}

static void process(void *state, const struct chr_io *io)
{
	struct coefficients c;

	if (!io->frames)
		return;
	if (still(io)) {
		coefficients_at(&c, 0, &responses[mode_of(io->param[MODE].v[0])], io->param[CUTOFF].v[0], io->in[CUTOFF_CV][0],
				io->param[Q].v[0], io->param[GAIN].v[0], io->sample_rate);
		filter(state, io->out[OUT], io->in[IN], &c, 0, io->frames);
		return;
	}
	for (uint32_t at = 0, count; at < io->frames; at += count) {
		count = same_mode(io->param[MODE], at, io->frames);
		coefficients_moving(&c, &responses[mode_of(chr_control_at(io->param[MODE], at))], io, at, count);
		filter(state, io->out[OUT] + at, io->in[IN] + at, &c, UINT32_MAX, count);
	}
}

static const struct chr_port ports[] = {
	[IN] = {"in", CHR_IN, CHR_AUDIO, 0, "signal to filter"},
	[CUTOFF_CV] = {"cutoff", CHR_IN, CHR_PITCH, 0, "cutoff, 1 V/octave above the parameter"},
	[OUT] = {"out", CHR_OUT, CHR_AUDIO, 0, "filtered signal"},
};

static const char *const mode_names[] = {
	[LOWPASS] = "lowpass", [HIGHPASS] = "highpass", [BANDPASS] = "bandpass",   [NOTCH] = "notch", [ALLPASS] = "allpass",
	[PEAK] = "peak",       [LOWSHELF] = "lowshelf", [HIGHSHELF] = "highshelf", [MODES] = NULL,
};

static const struct chr_param params[] = {
	[MODE] = {"mode", "", 0.0f, MODES - 1, LOWPASS, CHR_CHOICE, 0.0f, mode_names, "response; bandpass has 0 dB at its peak"},
	[CUTOFF] = {"cutoff", "Hz", 10.0f, 20000.0f, 1000.0f, CHR_LOG, -1.0f, NULL, "cutoff or centre frequency at 0 V"},
	[Q] = {"q", "", 0.1f, 40.0f, 0.70710678f, CHR_LOG, -1.0f, NULL, "resonance; 0.707 is the flattest lowpass"},
	[GAIN] = {"gain", "dB", -24.0f, 24.0f, 0.0f, CHR_LINEAR, -1.0f, NULL, "gain of peak, lowshelf and highshelf"},
};

const struct chr_module chr_module = {
	.abi = CHR_MODULE_ABI,
	.name = "biquad",
	.help = "filter with eight responses and a cutoff that may move at audio rate",
	.state_version = 1,
	.state_bytes = sizeof(struct state),
	.ports = ports,
	.port_count = PORTS,
	.params = params,
	.param_count = PARAMS,
	.process = process,
};
