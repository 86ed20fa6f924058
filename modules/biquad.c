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
 * In the body the integrators' equations are multiplied out for modules/dsp/svf.h.
 *
 * The state is in double precision: in float, the noise of a 20 Hz lowpass lies 90 dB higher.
 */
#include "common/module.h"
#include "modules/dsp/clamp.h"
#include "modules/dsp/control.h"
#include "modules/dsp/exp2.h"
#include "modules/dsp/svf.h"
#include "modules/dsp/tan.h"

#define CUTOFF_MIN_HZ 10.0
#define CUTOFF_MAX    0.49 /* of the sample rate */

enum port { IN, CUTOFF_CV, OUT, PORTS };
enum param { MODE, CUTOFF, Q, GAIN, PARAMS };
enum mode { LOWPASS, HIGHPASS, BANDPASS, NOTCH, ALLPASS, PEAK, LOWSHELF, HIGHSHELF, MODES };

/* How a mode mixes input, bandpass and lowpass. With A = 10^(gain/40):
 *   m0 = one[0] + square[0] A^2,  m1 = k (one[1] + root A + square[1] A^2),  m2 = one[2] + square[2] A^2
 * and g is multiplied by A^g_power, k by A^k_power. */
struct response {
	double one[3], root, square[3], g_power, k_power;
	bool gains; /* does the gain have a say? */
};

static const struct response responses[MODES] = {
	[LOWPASS] = {.one = {0, 0, 1}},
	[HIGHPASS] = {.one = {1, -1, -1}},
	[BANDPASS] = {.one = {0, 1, 0}},
	[NOTCH] = {.one = {1, -1, 0}},
	[ALLPASS] = {.one = {1, -2, 0}},
	[PEAK] = {.one = {1, -1, 0}, .square = {0, 1, 0}, .k_power = -1, .gains = true},
	[LOWSHELF] = {.one = {1, -1, -1}, .root = 1, .square = {0, 0, 1}, .g_power = -0.5, .gains = true},
	[HIGHSHELF] = {.one = {0, 0, 1}, .root = 1, .square = {1, -1, -1}, .g_power = 0.5, .gains = true},
};

/* What the gain makes of a response. */
struct tone {
	double m0[CHR_CHUNK], m1[CHR_CHUNK], m2[CHR_CHUNK], g[CHR_CHUNK], k[CHR_CHUNK];
};

CHR_INLINE enum mode mode_of(float value)
{
	return value > 0.0f && value < (float)MODES ? (enum mode)value : LOWPASS;
}

CHR_INLINE void tone_at(struct tone *to, uint32_t i, const struct response *r, float gain)
{
	const double log2_a = (double)gain * (3.32192809488736234787 / 40.0);
	const double a = chr_exp2(log2_a);

	to->m0[i] = r->one[0] + r->square[0] * a * a;
	to->m1[i] = 0.5 * (r->one[1] + r->root * a + r->square[1] * a * a);
	to->m2[i] = 0.5 * (r->one[2] + r->square[2] * a * a);
	to->g[i] = chr_exp2(log2_a * r->g_power);
	to->k[i] = chr_exp2(log2_a * r->k_power);
}

/* The first place alone. Where the gain has no say, A takes part with factors of 0 and powers of 0: it may as well be 1. */
CHR_INLINE void tone_still(struct tone *to, const struct response *r, float gain)
{
	if (r->gains) {
		tone_at(to, 0, r, gain);
		return;
	}
	to->m0[0] = r->one[0];
	to->m1[0] = 0.5 * r->one[1];
	to->m2[0] = 0.5 * r->one[2];
	to->g[0] = to->k[0] = 1.0;
}

/* With g = n / d all fractions have the denominator q d^2 + n (n q + k d), and one division makes them all. */
CHR_INLINE void coefficients_at(struct chr_svf_coefficients *to, uint32_t i, const struct tone *tone, uint32_t t, float cutoff,
				double lift, float q, double sample_rate, double period)
{
	const double hz = chr_clamp((double)cutoff * lift, CUTOFF_MIN_HZ, sample_rate * CUTOFF_MAX);
	const struct chr_fraction tangent = chr_tan_pi(hz * period);
	const double n = tangent.over * tone->g[t], d = tangent.under, wide = (double)q, kd = tone->k[t] * d;
	const double whole = wide * d * d + n * (n * wide + kd), inverse = 1.0 / (whole * wide);
	const double scale = 2.0 * wide * wide * inverse, a2 = scale * n * d, a3 = scale * n * n;

	to->b1.at[i] = scale * d * d - 1.0;
	to->b2.at[i] = a2;
	to->b3.at[i] = a3;
	to->b4.at[i] = 1.0 - a3;
	to->m0.at[i] = tone->m0[t];
	to->n1.at[i] = tone->m1[t] * (tone->k[t] * (whole * inverse));
	to->n2.at[i] = tone->m2[t];
}

CHR_WIDE static void play_steady(struct chr_svf *s, const struct chr_io *io)
{
	const struct response *r = &responses[mode_of(io->param[MODE].v[0])];
	const float *in = io->in[IN];
	float *out = io->out[OUT];
	const float cv = io->in[CUTOFF_CV][0];
	struct tone tone;
	struct chr_svf_coefficients c;

	tone_still(&tone, r, io->param[GAIN].v[0]);
	/* Most often there is no voltage to wait for: 2^0 is exactly 1. */
	coefficients_at(&c, 0, &tone, 0, io->param[CUTOFF].v[0], cv == 0.0f ? 1.0 : chr_exp2((double)cv), io->param[Q].v[0],
			io->sample_rate, 1.0 / io->sample_rate);
	chr_svf_first_row(&c);
	for (uint32_t at = 0, count; at < io->frames; at += count) {
		count = chr_svf_loose(s, io->frames - at);
		for (uint32_t i = 0; i < count; i++)
			out[at + i] = chr_svf_one(s, in[at + i], &c, 0);
		if (count)
			continue;
		count = (io->frames - at) / CHR_GROUP * CHR_GROUP;
		chr_svf_steady(s, out + at, in + at, &c, count);
	}
}

/* Values of a course at the places of its samples; `count` is at most CHR_CHUNK, and the rest repeats the first value. */
CHR_INLINE void lay(float to[CHR_CHUNK], struct chr_control course, uint32_t at, uint32_t count)
{
	chr_floats row[CHR_GROUP];

	chr_control_spread(to, course, at, count);
	memcpy(row, to, sizeof row);
	chr_lanes_transpose(row);
	memcpy(to, row, sizeof row);
}

/* Coefficients of `count` samples, at most a chunk, in which the mode stays as it is, at the places of their samples. */
CHR_INLINE void coefficients_moving(struct chr_svf_coefficients *to, const struct chr_io *io, uint32_t at, uint32_t count)
{
	const struct response *r = &responses[mode_of(chr_control_at(io->param[MODE], at))];
	const double sample_rate = io->sample_rate, period = 1.0 / io->sample_rate;
	float cutoff[CHR_CHUNK], cv[CHR_CHUNK], q[CHR_CHUNK], gain[CHR_CHUNK];
	struct tone tone;

	lay(cutoff, io->param[CUTOFF], at, count);
	lay(cv, chr_control_port(io->in[CUTOFF_CV]), at, count);
	lay(q, io->param[Q], at, count);
	if (!r->gains || chr_control_still(chr_control_from(io->param[GAIN], at), count)) {
		tone_still(&tone, r, chr_control_at(io->param[GAIN], at));
		for (uint32_t i = 0; i < CHR_CHUNK; i++)
			coefficients_at(to, i, &tone, 0, cutoff[i], chr_exp2((double)cv[i]), q[i], sample_rate, period);
		return;
	}
	lay(gain, io->param[GAIN], at, count);
	for (uint32_t i = 0; i < CHR_CHUNK; i++)
		tone_at(&tone, i, r, gain[i]);
	for (uint32_t i = 0; i < CHR_CHUNK; i++)
		coefficients_at(to, i, &tone, i, cutoff[i], chr_exp2((double)cv[i]), q[i], sample_rate, period);
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

CHR_WIDE static void play_moving(struct chr_svf *s, const struct chr_io *io, uint32_t at, uint32_t frames)
{
	const float *in = io->in[IN] + at;
	float *out = io->out[OUT] + at;
	struct chr_svf_coefficients c;
	struct chr_svf_course t;
	struct chr_svf_batch batch;
	struct chr_svf_starts starts;
	uint32_t count;

	for (uint32_t done = 0; done < frames; done += count) {
		count = chr_svf_loose(s, frames - done);
		if (count) {
			coefficients_moving(&c, io, at + done, count);
			for (uint32_t i = 0; i < count; i++)
				out[done + i] = chr_svf_one(s, in[done + i], &c, i * CHR_LANES);
			continue;
		}
		count = chr_svf_whole(frames - done);
		coefficients_moving(&c, io, at + done, count);
		chr_svf_plan(&t, &c, UINT32_MAX);
		chr_svf_take(&batch, in + done, &c, UINT32_MAX, count);
		chr_svf_follow(&starts, s, &batch, &t, count);
		chr_svf_give(out + done, &batch, &starts, &t, count);
	}
}

CHR_INLINE bool still(const struct chr_io *io)
{
	return chr_control_still(io->param[CUTOFF], io->frames) && chr_control_still(io->param[Q], io->frames) &&
	       chr_control_still(io->param[GAIN], io->frames) && chr_control_still(io->param[MODE], io->frames) &&
	       chr_control_still(chr_control_port(io->in[CUTOFF_CV]), io->frames);
}

CHR_WIDE static void process(void *state, const struct chr_io *io)
{
	if (!io->frames)
		return;
	if (still(io)) {
		play_steady(state, io);
		return;
	}
	for (uint32_t at = 0, count; at < io->frames; at += count) {
		count = same_mode(io->param[MODE], at, io->frames);
		play_moving(state, io, at, count);
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
	.state_version = 2,
	.state_bytes = sizeof(struct chr_svf),
	.ports = ports,
	.port_count = PORTS,
	.params = params,
	.param_count = PARAMS,
	.process = process,
};
