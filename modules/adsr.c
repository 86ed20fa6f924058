/* adsr: an envelope, and the amplifier that it drives.
 *
 *   env[n] = 10 level[n],   out[n] = in[n] level[n]
 *
 * A segment leads from the level at which it began to its target in exactly its time, from wherever it began:
 *
 *   level = from + (target - from) shape(x),   x = 0..1 over the segment
 *   shape(x) = (1 - 2^(-k x)) / (1 - 2^-k),    k = curve log2(1000),   shape(x) = x at curve = 0
 *
 * so that curve = 1 is the charge and discharge of a capacitor that has come within 60 dB of its goal at the end. Attack leads to 1,
 * decay to sustain, release to 0. The sample at which the gate rises still has the old level, the sample `attack` later is
 * 1. A gate that rises again while the envelope sounds begins an attack at the level it has.
 */
#include "common/module.h"
#include "modules/dsp/control.h"
#include "modules/dsp/exp2.h"

#define WHOLE         (1ull << 62)           /* position at the end of a segment */
#define CURVE_OCTAVES 9.96578428466208704576 /* log2(1000) */
#define CURVE_LINEAR  1e-6                   /* below this k the shape is the line that it tends to */

enum stage { IDLE, ATTACK, DECAY, SUSTAIN, RELEASE };

struct state {
	uint64_t position; /* in the segment, 0..WHOLE, of the next sample */
	double from;       /* level at which the segment began */
	double level;      /* of the last sample */
	uint32_t stage;
	uint32_t gate; /* the gate as the envelope knows it: parameter or port */
	uint32_t port; /* the port's side of it, after the Schmitt trigger */
};

enum port { IN, GATE_CV, OUT, ENV, PORTS };
enum param { ATTACK_S, DECAY_S, SUSTAIN_LEVEL, RELEASE_S, CURVE, GATE, PARAMS };

/* Does the gate stay as it is from `at` to `end`? Tells it without a step from one sample to the next; false may be wrong. */
CHR_WIDE static bool undisturbed(const struct state *s, const struct chr_io *io, uint32_t at, uint32_t end)
{
	const struct chr_control gate = chr_control_from(io->param[GATE], at);
	const float *volts = io->in[GATE_CV] + at;
	uint32_t turns = 0;

	if (!chr_control_still(gate, end - at) || (s->port || gate.v[0] >= 0.5f) != s->gate)
		return false;
	if (s->port)
		for (uint32_t i = 0; i < end - at; i++)
			turns |= volts[i] <= CHR_GATE_LOW_V;
	else
		for (uint32_t i = 0; i < end - at; i++)
			turns |= volts[i] >= CHR_GATE_HIGH_V;
	return !turns;
}

/* Frame from `at` on, at most `end`, at which the gate changes. The Schmitt trigger has then seen the frames up to it. */
static uint32_t next_edge(struct state *s, const struct chr_io *io, uint32_t at, uint32_t end)
{
	const struct chr_control gate = io->param[GATE];

	if (undisturbed(s, io, at, end))
		return end;
	for (; at < end; at++) {
		const float volts = io->in[GATE_CV][at];

		if (volts >= CHR_GATE_HIGH_V)
			s->port = 1;
		else if (volts <= CHR_GATE_LOW_V)
			s->port = 0;
		if ((s->port || chr_control_at(gate, at) >= 0.5f) != s->gate)
			break;
	}
	return at;
}

static void enter(struct state *s, enum stage stage)
{
	s->stage = stage;
	s->from = s->level;
	s->position = 0;
}

static uint64_t step_of(float seconds, double sample_rate)
{
	const double frames = (double)seconds * sample_rate;

	return frames > 1.0 ? (uint64_t)((double)WHOLE / frames + 0.5) : WHOLE;
}

/* Positions of the segment's samples from `at` on. Returns the frame at which the segment has ended, at most `end`; it ends at the
 * sample nearest to its time. */
static uint32_t positions(struct state *s, double x[CHR_CHUNK], const struct chr_io *io, uint32_t at, uint32_t end)
{
	const struct chr_control time = io->param[s->stage == ATTACK ? ATTACK_S : s->stage == DECAY ? DECAY_S : RELEASE_S];
	uint64_t step = step_of(chr_control_at(time, at), io->sample_rate);
	uint32_t i = 0;

	for (; at + i < end; i++) {
		if (time.mask)
			step = step_of(chr_control_at(time, at + i), io->sample_rate);
		if (s->position + step / 2 >= WHOLE)
			break;
		x[i] = (double)s->position * (1.0 / (double)WHOLE);
		s->position += step;
	}
	return at + i;
}

CHR_INLINE double shape(double x, double k, double norm)
{
	return k < CURVE_LINEAR ? x : (1.0 - chr_exp2(-k * x)) * norm;
}

CHR_INLINE double norm_of(double k)
{
	return k < CURVE_LINEAR ? 1.0 : 1.0 / (1.0 - chr_exp2(-k));
}

/* Levels of `count` samples at the positions `x`. */
CHR_WIDE static void levels(double *restrict to, const double *restrict x, double from, struct chr_control target,
			    struct chr_control curve, uint32_t count)
{
	if (chr_control_still(target, count) && chr_control_still(curve, count)) {
		const double way = (double)target.v[0] - from, k = (double)curve.v[0] * CURVE_OCTAVES, norm = norm_of(k);

		for (uint32_t i = 0; i < count; i++)
			to[i] = from + way * shape(x[i], k, norm);
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		const double k = (double)chr_control_at(curve, i) * CURVE_OCTAVES;

		to[i] = from + ((double)chr_control_at(target, i) - from) * shape(x[i], k, norm_of(k));
	}
}

/* Where the stage leads, or where it stands. */
static struct chr_control goal(enum stage stage, const struct chr_io *io)
{
	static const float zero = 0.0f, one = 1.0f;

	switch (stage) {
	case ATTACK:
		return (struct chr_control){&one, 0};
	case DECAY:
	case SUSTAIN:
		return io->param[SUSTAIN_LEVEL];
	default:
		return (struct chr_control){&zero, 0};
	}
}

CHR_WIDE static void rest(double *restrict to, struct chr_control level, uint32_t count)
{
	if (level.mask)
		for (uint32_t i = 0; i < count; i++)
			to[i] = (double)level.v[i];
	else
		for (uint32_t i = 0; i < count; i++)
			to[i] = (double)level.v[0];
}

CHR_WIDE static void amplify(float *restrict out, float *restrict env, const float *restrict in, const double *restrict level,
			     uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		out[i] = in[i] * (float)level[i];
		env[i] = CHR_GATE_ON_V * (float)level[i];
	}
}

/* Levels of the frames `at` .. `end` - 1, at most a chunk, over which the gate stays as it is. */
static void run(struct state *s, double *to, const struct chr_io *io, uint32_t at, uint32_t end)
{
	static const enum stage next[] = {[ATTACK] = DECAY, [DECAY] = SUSTAIN, [RELEASE] = IDLE};
	double x[CHR_CHUNK];

	while (at < end) {
		const struct chr_control target = chr_control_from(goal(s->stage, io), at);
		uint32_t stop = end;

		if (s->stage == IDLE || s->stage == SUSTAIN) {
			rest(to, target, end - at);
		} else {
			stop = positions(s, x, io, at, end);
			levels(to, x, s->from, target, chr_control_from(io->param[CURVE], at), stop - at);
		}
		if (stop > at)
			s->level = to[stop - at - 1];
		if (stop < end) {
			s->level = (double)chr_control_at(target, stop - at);
			enter(s, next[s->stage]);
		}
		to += stop - at;
		at = stop;
	}
}

static void process(void *state, const struct chr_io *io)
{
	struct state *s = state;
	double level[CHR_CHUNK];

	for (uint32_t at = 0; at < io->frames; at += CHR_CHUNK) {
		const uint32_t end = at + chr_chunk(io->frames, at);

		for (uint32_t from = at, edge; from < end; from = edge) {
			edge = next_edge(s, io, from, end);
			run(s, level + (from - at), io, from, edge);
			if (edge < end) {
				s->gate = !s->gate;
				enter(s, s->gate ? ATTACK : RELEASE);
			}
		}
		amplify(io->out[OUT] + at, io->out[ENV] + at, io->in[IN] + at, level, end - at);
	}
}

static const struct chr_port ports[] = {
	[IN] = {"in", CHR_IN, CHR_AUDIO, 0, "signal to shape"},
	[GATE_CV] = {"gate", CHR_IN, CHR_GATE, 0, "gate: on from 2 V, off at 0.1 V"},
	[OUT] = {"out", CHR_OUT, CHR_AUDIO, 0, "the signal times the envelope"},
	[ENV] = {"env", CHR_OUT, CHR_UNIPOLAR, 0, "the envelope, 0..10 V"},
};

static const struct chr_param params[] = {
	[ATTACK_S] = {"attack", "s", 0.0005f, 60.0f, 0.005f, CHR_LOG, -1.0f, NULL, "time from the level it has to full level"},
	[DECAY_S] = {"decay", "s", 0.0005f, 60.0f, 0.1f, CHR_LOG, -1.0f, NULL, "time from full level to sustain"},
	[SUSTAIN_LEVEL] = {"sustain", "", 0.0f, 1.0f, 0.7f, CHR_LINEAR, -1.0f, NULL, "level while the gate stays on"},
	[RELEASE_S] = {"release", "s", 0.0005f, 60.0f, 0.3f, CHR_LOG, -1.0f, NULL, "time from the level it has to silence"},
	[CURVE] = {"curve", "", 0.0f, 1.0f, 1.0f, CHR_LINEAR, -1.0f, NULL, "shape of the segments: 0 linear, 1 exponential"},
	[GATE] = {"gate", "", 0.0f, 1.0f, 0.0f, CHR_TOGGLE, 0.0f, NULL, "the gate by hand; on while this or the port is"},
};

const struct chr_module chr_module = {
	.abi = CHR_MODULE_ABI,
	.name = "adsr",
	.help = "envelope generator with the amplifier it drives",
	.state_version = 1,
	.state_bytes = sizeof(struct state),
	.ports = ports,
	.port_count = PORTS,
	.params = params,
	.param_count = PARAMS,
	.process = process,
};
