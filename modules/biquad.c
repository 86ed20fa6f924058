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
 * In the body the integrators' equations are multiplied out to s' = M s + B v. From one sample to the next that is a chain of
 * operations that leaves the processor idle. So samples go in groups: with p = M..M and q = M..M B v + .. + B v, both counted from the
 * group's first sample, each state of the group is s = p s0 + q, and several groups are worked on side by side until only s0 is
 * missing. A group that is cut by the end of a block is left as p and q in the state and goes on in the next one, with the
 * same operations: where blocks end cannot change a bit.
 *
 * The state is in double precision: in float, the noise of a 20 Hz lowpass lies 90 dB higher.
 */
#include "common/module.h"
#include "modules/dsp/clamp.h"
#include "modules/dsp/control.h"
#include "modules/dsp/exp2.h"
#include "modules/dsp/lanes.h"
#include "modules/dsp/tan.h"

#include <assert.h>

#define CUTOFF_MIN_HZ 10.0
#define CUTOFF_MAX    0.49                    /* of the sample rate */
#define GROUP         (CHR_CHUNK / CHR_LANES) /* samples */

static_assert(GROUP == CHR_LANES, "a chunk is a square, samples of a group down, groups across");

struct state {
	double s1, s2;             /* the integrators */
	double from1, from2;       /* the same before the group; zero between groups, like p and q */
	double p11, p12, p21, p22; /* what the group has done so far */
	double q1, q2;
	uint64_t place; /* samples of the group that are done, 0..GROUP-1 */
};

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

/* A number for each sample of a chunk: sample `j` of group `g` at place j * CHR_LANES + g. */
union square {
	double at[CHR_CHUNK];
	chr_doubles row[GROUP];
};

/* The filter multiplied out, for the samples of a chunk or, when it stands still, in the first row for all of them:
 *   s1' = b1 s1 + b2 (v - s2),  s2' = b2 s1 + b4 s2 + b3 v,  y = m0 v + n1 (s1 + s1') + n2 (s2 + s2') */
struct coefficients {
	union square b1, b2, b3, b4, m0, n1, n2;
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

/* With g = n / d all fractions have the denominator q d^2 + n (n q + k d), and one division makes them all. */
CHR_INLINE void coefficients_at(struct coefficients *to, uint32_t i, const struct tone *tone, uint32_t t, float cutoff, float cv,
				float q, double sample_rate, double period)
{
	const double hz = chr_clamp((double)cutoff * chr_exp2((double)cv), CUTOFF_MIN_HZ, sample_rate * CUTOFF_MAX);
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

/* The states of the samples of a chunk: s = p s0 + q. */
struct transitions {
	union square p11, p12, p21, p22;
};

/* p of all samples; `mask` is 0 when the first row of coefficients holds for all of them. */
CHR_INLINE void transitions(struct transitions *to, const struct coefficients *c, uint32_t mask)
{
	to->p11.row[0] = c->b1.row[0];
	to->p12.row[0] = -c->b2.row[0];
	to->p21.row[0] = c->b2.row[0];
	to->p22.row[0] = c->b4.row[0];
	for (uint32_t j = 1; j < GROUP; j++) {
		const uint32_t h = j - 1, k = j & mask;

		to->p11.row[j] = c->b1.row[k] * to->p11.row[h] - c->b2.row[k] * to->p21.row[h];
		to->p12.row[j] = c->b1.row[k] * to->p12.row[h] - c->b2.row[k] * to->p22.row[h];
		to->p21.row[j] = c->b2.row[k] * to->p11.row[h] + c->b4.row[k] * to->p21.row[h];
		to->p22.row[j] = c->b2.row[k] * to->p12.row[h] + c->b4.row[k] * to->p22.row[h];
	}
}

/* The states before each group of a chunk, and behind the last. */
struct starts {
	double s1[CHR_LANES + 1], s2[CHR_LANES + 1];
};

CHR_INLINE void follow(struct starts *to, const union square *q1, const union square *q2, const struct transitions *t)
{
	for (uint32_t g = 0; g < CHR_LANES; g++) {
		const uint32_t last = CHR_CHUNK - CHR_LANES + g;

		to->s1[g + 1] = (q1->at[last] + t->p12.at[last] * to->s2[g]) + t->p11.at[last] * to->s1[g];
		to->s2[g + 1] = (q2->at[last] + t->p21.at[last] * to->s1[g]) + t->p22.at[last] * to->s2[g];
	}
}

/* Filters `groups` whole groups, at most CHR_LANES. */
CHR_INLINE void filter_groups(struct state *s, float *out, const float *in, const struct coefficients *c,
			      const struct transitions *t, uint32_t mask, uint32_t groups)
{
	union square v, q1, q2;
	struct starts starts;
	chr_doubles from1, from2, s1, s2;
	chr_floats wave[GROUP] = {0};

	chr_chunk_copy((float *)wave, in, groups * GROUP);
	chr_lanes_transpose(wave);
	for (uint32_t j = 0; j < GROUP; j++)
		v.row[j] = __builtin_convertvector(wave[j], chr_doubles);
	q1.row[0] = c->b2.row[0] * v.row[0];
	q2.row[0] = c->b3.row[0] * v.row[0];
	for (uint32_t j = 1; j < GROUP; j++) {
		const uint32_t h = j - 1, k = j & mask;

		q1.row[j] = c->b2.row[k] * v.row[j] + (c->b1.row[k] * q1.row[h] - c->b2.row[k] * q2.row[h]);
		q2.row[j] = c->b3.row[k] * v.row[j] + (c->b2.row[k] * q1.row[h] + c->b4.row[k] * q2.row[h]);
	}
	starts.s1[0] = s->s1;
	starts.s2[0] = s->s2;
	follow(&starts, &q1, &q2, t);
	s->s1 = starts.s1[groups];
	s->s2 = starts.s2[groups];
	memcpy(&from1, starts.s1, sizeof from1);
	memcpy(&from2, starts.s2, sizeof from2);
	s1 = from1;
	s2 = from2;
	for (uint32_t j = 0; j < GROUP; j++) {
		const uint32_t k = j & mask;
		const chr_doubles next1 = (q1.row[j] + t->p12.row[j] * from2) + t->p11.row[j] * from1;
		const chr_doubles next2 = (q2.row[j] + t->p21.row[j] * from1) + t->p22.row[j] * from2;

		wave[j] = __builtin_convertvector(
			c->m0.row[k] * v.row[j] + c->n1.row[k] * (s1 + next1) + c->n2.row[k] * (s2 + next2), chr_floats);
		s1 = next1;
		s2 = next2;
	}
	chr_lanes_transpose(wave);
	chr_chunk_copy(out, (const float *)wave, groups * GROUP);
}

/* Filters one sample: the same operations on a group that a block's end cuts. */
CHR_INLINE float filter_one(struct state *s, float in, const struct coefficients *c, uint32_t k)
{
	const double v = (double)in, b1 = c->b1.at[k], b2 = c->b2.at[k], b3 = c->b3.at[k], b4 = c->b4.at[k];
	struct state to = {.place = s->place + 1};
	double y;

	if (s->place == 0) {
		to = (struct state){.place = 1, .from1 = s->s1, .from2 = s->s2, .p11 = b1, .p12 = -b2, .p21 = b2, .p22 = b4};
		to.q1 = b2 * v;
		to.q2 = b3 * v;
	} else {
		to.from1 = s->from1;
		to.from2 = s->from2;
		to.p11 = b1 * s->p11 - b2 * s->p21;
		to.p12 = b1 * s->p12 - b2 * s->p22;
		to.p21 = b2 * s->p11 + b4 * s->p21;
		to.p22 = b2 * s->p12 + b4 * s->p22;
		to.q1 = b2 * v + (b1 * s->q1 - b2 * s->q2);
		to.q2 = b3 * v + (b2 * s->q1 + b4 * s->q2);
	}
	to.s1 = (to.q1 + to.p12 * to.from2) + to.p11 * to.from1;
	to.s2 = (to.q2 + to.p21 * to.from1) + to.p22 * to.from2;
	y = c->m0.at[k] * v + c->n1.at[k] * (s->s1 + to.s1) + c->n2.at[k] * (s->s2 + to.s2);
	*s = to.place < GROUP ? to : (struct state){.s1 = to.s1, .s2 = to.s2};
	return (float)y;
}

/* Frames that do not make whole groups: up to the end of the group that was cut, or fewer than a group. */
CHR_INLINE uint32_t loose(const struct state *s, uint32_t frames)
{
	const uint32_t missing = s->place ? GROUP - (uint32_t)s->place : 0;

	if (missing)
		return missing < frames ? missing : frames;
	return frames < GROUP ? frames : 0;
}

CHR_INLINE uint32_t whole_groups(uint32_t frames)
{
	return frames / GROUP < CHR_LANES ? frames / GROUP : CHR_LANES;
}

/* Gives the first coefficients to the whole first row. */
CHR_INLINE void first_row(struct coefficients *c)
{
	union square *const squares[] = {&c->b1, &c->b2, &c->b3, &c->b4, &c->m0, &c->n1, &c->n2};

	for (uint32_t i = 0; i < sizeof squares / sizeof squares[0]; i++)
		squares[i]->row[0] = squares[i]->at[0] - (chr_doubles){0};
}

CHR_WIDE static void play_steady(struct state *s, const struct chr_io *io)
{
	const float *in = io->in[IN];
	float *out = io->out[OUT];
	struct tone tone;
	struct coefficients c;
	struct transitions t;

	tone_at(&tone, 0, &responses[mode_of(io->param[MODE].v[0])], io->param[GAIN].v[0]);
	coefficients_at(&c, 0, &tone, 0, io->param[CUTOFF].v[0], io->in[CUTOFF_CV][0], io->param[Q].v[0], io->sample_rate,
			1.0 / io->sample_rate);
	first_row(&c);
	transitions(&t, &c, 0);
	for (uint32_t at = 0, count; at < io->frames; at += count) {
		count = loose(s, io->frames - at);
		for (uint32_t i = 0; i < count; i++)
			out[at + i] = filter_one(s, in[at + i], &c, 0);
		if (count)
			continue;
		count = whole_groups(io->frames - at) * GROUP;
		filter_groups(s, out + at, in + at, &c, &t, 0, count / GROUP);
	}
}

/* Values of a course at the places of its samples; `count` is at most CHR_CHUNK, and the rest repeats the first value. */
CHR_INLINE void lay(float to[CHR_CHUNK], struct chr_control course, uint32_t at, uint32_t count)
{
	chr_floats row[GROUP];

	chr_control_spread(to, course, at, count);
	memcpy(row, to, sizeof row);
	chr_lanes_transpose(row);
	memcpy(to, row, sizeof row);
}

/* Coefficients of `count` samples, at most a chunk, in which the mode stays as it is, at the places of their samples. */
CHR_INLINE void coefficients_moving(struct coefficients *to, const struct chr_io *io, uint32_t at, uint32_t count)
{
	const struct response *r = &responses[mode_of(chr_control_at(io->param[MODE], at))];
	const double sample_rate = io->sample_rate, period = 1.0 / io->sample_rate;
	float cutoff[CHR_CHUNK], cv[CHR_CHUNK], q[CHR_CHUNK], gain[CHR_CHUNK];
	struct tone tone;

	lay(cutoff, io->param[CUTOFF], at, count);
	lay(cv, chr_control_port(io->in[CUTOFF_CV]), at, count);
	lay(q, io->param[Q], at, count);
	if (!r->gains || chr_control_still(chr_control_from(io->param[GAIN], at), count)) {
		tone_at(&tone, 0, r, chr_control_at(io->param[GAIN], at));
		for (uint32_t i = 0; i < CHR_CHUNK; i++)
			coefficients_at(to, i, &tone, 0, cutoff[i], cv[i], q[i], sample_rate, period);
		return;
	}
	lay(gain, io->param[GAIN], at, count);
	for (uint32_t i = 0; i < CHR_CHUNK; i++)
		tone_at(&tone, i, r, gain[i]);
	for (uint32_t i = 0; i < CHR_CHUNK; i++)
		coefficients_at(to, i, &tone, i, cutoff[i], cv[i], q[i], sample_rate, period);
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

CHR_WIDE static void play_moving(struct state *s, const struct chr_io *io, uint32_t at, uint32_t frames)
{
	const float *in = io->in[IN] + at;
	float *out = io->out[OUT] + at;
	struct coefficients c;
	struct transitions t;
	uint32_t count;

	for (uint32_t done = 0; done < frames; done += count) {
		count = loose(s, frames - done);
		if (count) {
			coefficients_moving(&c, io, at + done, count);
			for (uint32_t i = 0; i < count; i++)
				out[done + i] = filter_one(s, in[done + i], &c, i * CHR_LANES);
			continue;
		}
		count = whole_groups(frames - done) * GROUP;
		coefficients_moving(&c, io, at + done, count);
		transitions(&t, &c, UINT32_MAX);
		filter_groups(s, out + done, in + done, &c, &t, UINT32_MAX, count / GROUP);
	}
}

CHR_INLINE bool still(const struct chr_io *io)
{
	return chr_control_still(io->param[CUTOFF], io->frames) && chr_control_still(io->param[Q], io->frames) &&
	       chr_control_still(io->param[GAIN], io->frames) && chr_control_still(io->param[MODE], io->frames) &&
	       chr_control_still(chr_control_port(io->in[CUTOFF_CV]), io->frames);
}

static void process(void *state, const struct chr_io *io)
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
	.state_bytes = sizeof(struct state),
	.ports = ports,
	.port_count = PORTS,
	.params = params,
	.param_count = PARAMS,
	.process = process,
};
