/* sine: a sine oscillator.
 *
 *   f[n]     = freq * 2^(pitch[n] + tune/1200) + fm_depth * fm[n]
 *   out[n]   = level * sin(2 pi phase[n])
 *   phase[n] = phase[n-1] + f[n-1] / sample rate      (64-bit fraction of a turn: it never drifts)
 *
 * Linear FM passes through zero: a negative frequency runs backwards. A frequency beyond Nyquist is clamped to Nyquist. The
 * sine itself is the polynomial of modules/dsp/sine.h.
 */
#include "modules/dsp/sine.h"
#include "common/module.h"
#include "modules/dsp/control.h"
#include "modules/dsp/exp2.h"
#include "modules/dsp/phase.h"

struct state {
	uint64_t phase; /* of the next sample */
};

enum port { PITCH, FM, OUT, PORTS };
enum param { FREQ, TUNE, FM_DEPTH, LEVEL, PARAMS };

/* The courses that make the frequency. */
struct course {
	struct chr_control freq, tune, pitch, fm, depth;
};

CHR_INLINE double frequency(float freq, float tune, float pitch, float fm, float depth)
{
	return (double)freq * chr_exp2((double)pitch + (double)tune * (1.0 / 1200.0)) + (double)fm * (double)depth;
}

/* The same. Most often there is no pitch to wait for: 2^0 is exactly 1. */
CHR_INLINE double frequency_steady(float freq, float tune, float pitch, float fm, float depth)
{
	if (pitch == 0.0f && tune == 0.0f)
		return (double)freq + (double)fm * (double)depth;
	return frequency(freq, tune, pitch, fm, depth);
}

/* Without depth the port has no say at all, not even by a value that is not finite. */
CHR_INLINE float heard(float fm, float depth)
{
	return depth == 0.0f ? 0.0f : fm;
}

CHR_INLINE struct course course(const struct chr_io *io)
{
	const struct chr_control depth = io->param[FM_DEPTH];
	const bool deaf = chr_control_still(depth, io->frames) && depth.v[0] == 0.0f;

	return (struct course){
		.freq = io->param[FREQ],
		.tune = io->param[TUNE],
		.pitch = chr_control_port(io->in[PITCH]),
		.fm = chr_control_port(io->in[deaf ? PITCH : FM]),
		.depth = depth,
	};
}

/* May the frequency stand still? The ports are seen at their ends alone. */
CHR_INLINE bool seems_still(const struct course *c, uint32_t frames)
{
	return chr_control_still(c->freq, frames) && chr_control_still(c->tune, frames) && chr_control_still(c->depth, frames) &&
	       chr_same(c->pitch.v, c->pitch.v + frames - 1) && chr_same(c->fm.v, c->fm.v + frames - 1);
}

/* Do the ports keep their values, given what the chunks before the last `left` frames have shown? */
CHR_INLINE bool kept(const struct course *c, const uint32_t differs[CHR_WATCH], uint32_t frames, uint32_t left)
{
	uint32_t differ = 0;

	for (uint32_t i = 0; i < CHR_WATCH; i++)
		differ |= differs[i];
	for (uint32_t i = frames - left; i < frames; i++)
		differ |= (chr_bits(c->pitch.v + i) ^ chr_bits(c->pitch.v)) | (chr_bits(c->fm.v + i) ^ chr_bits(c->fm.v));
	return !differ;
}

/* Angles of a chunk, 2^32 to a turn, counted from the peak. */
union angles {
	uint64_t pair[CHR_CHUNK / 2];
	uint32_t at[CHR_CHUNK];
};

/* Phases of a chunk at a constant step, counted from its first sample. */
struct stride {
	uint64_t even[CHR_CHUNK / 2], odd[CHR_CHUNK / 2];
};

CHR_INLINE void stride_of(struct stride *to, uint64_t step)
{
	for (uint32_t i = 0; i < CHR_CHUNK / 2; i++) {
		to->even[i] = 2 * i * step;
		to->odd[i] = to->even[i] + step;
	}
}

CHR_INLINE void angles_steady(union angles *to, uint64_t phase, const struct stride *stride)
{
	phase -= UINT64_C(1) << 62;
	for (uint32_t i = 0; i < CHR_CHUNK / 2; i++)
		to->pair[i] = chr_phase_pair(phase + stride->even[i], phase + stride->odd[i]);
}

/* Plays at a constant step. Returns false, with anything in `out`, if the ports turn out to move: to look at them on the way costs
 * a third of a look beforehand. */
CHR_INLINE bool play_steady(float *restrict out, uint64_t phase, uint64_t step, struct chr_control level, const struct course *c,
			    uint32_t frames)
{
	const bool steady = chr_control_still(level, frames);
	const float now = level.v[0];
	uint32_t at = 0, differs[CHR_WATCH] = {0};
	struct stride stride;
	union angles angle;
	float gain[CHR_CHUNK], wave[CHR_CHUNK];

	stride_of(&stride, step);
	for (; frames - at >= CHR_CHUNK && steady; at += CHR_CHUNK, phase += CHR_CHUNK * step) {
		float *to = out + at;

		chr_chunk_watch(differs, c->pitch.v + at, c->pitch.v);
		chr_chunk_watch(differs, c->fm.v + at, c->fm.v);
		angles_steady(&angle, phase, &stride);
		for (uint32_t i = 0; i < CHR_CHUNK; i++)
			to[i] = now * chr_sine_from_peak(angle.at[i]);
	}
	if (!kept(c, differs, frames, frames - at))
		return false;
	for (uint32_t count; at < frames; at += count, phase += CHR_CHUNK * step) {
		count = chr_chunk(frames, at);
		angles_steady(&angle, phase, &stride);
		chr_control_spread(gain, level, at, count);
		for (uint32_t i = 0; i < CHR_CHUNK; i++)
			wave[i] = gain[i] * chr_sine_from_peak(angle.at[i]);
		chr_chunk_copy(out + at, wave, count);
	}
	return true;
}

/* Angles (2^32 to a turn) of a chunk with a step of its own for each sample. Returns the phase after `count` of them. */
CHR_INLINE uint64_t angles_moving(uint32_t to[CHR_CHUNK], uint64_t phase, const struct course *c, double sample_rate, uint32_t at,
				  uint32_t count)
{
	float freq[CHR_CHUNK], tune[CHR_CHUNK], pitch[CHR_CHUNK], fm[CHR_CHUNK], depth[CHR_CHUNK];
	double hz[CHR_CHUNK];
	uint64_t step[CHR_CHUNK];

	chr_control_spread(freq, c->freq, at, count);
	chr_control_spread(tune, c->tune, at, count);
	chr_control_spread(pitch, c->pitch, at, count);
	chr_control_spread(fm, c->fm, at, count);
	chr_control_spread(depth, c->depth, at, count);
	for (uint32_t i = 0; i < CHR_CHUNK; i++)
		fm[i] = heard(fm[i], depth[i]);
	for (uint32_t i = 0; i < CHR_CHUNK; i++)
		hz[i] = frequency(freq[i], tune[i], pitch[i], fm[i], depth[i]);
	/* On their own, because only AVX-512 converts to 64-bit integers side by side. */
	for (uint32_t i = 0; i < CHR_CHUNK; i++)
		step[i] = chr_phase_step(hz[i], sample_rate);
	memset(step + count, 0, (CHR_CHUNK - count) * sizeof *step);
	for (uint32_t i = 0; i < CHR_CHUNK; i++) {
		to[i] = (uint32_t)(phase >> 32);
		phase += step[i];
	}
	return phase;
}

/* Plays at steps that move. */
CHR_INLINE uint64_t play_moving(float *out, uint64_t phase, const struct course *c, struct chr_control level, double sample_rate,
				uint32_t frames)
{
	uint32_t angle[CHR_CHUNK];
	float gain[CHR_CHUNK], wave[CHR_CHUNK];

	for (uint32_t at = 0; at < frames; at += CHR_CHUNK) {
		const uint32_t count = chr_chunk(frames, at);

		phase = angles_moving(angle, phase, c, sample_rate, at, count);
		chr_control_spread(gain, level, at, count);
		for (uint32_t i = 0; i < CHR_CHUNK; i++)
			wave[i] = gain[i] * chr_sine(angle[i]);
		chr_chunk_copy(out + at, wave, count);
	}
	return phase;
}

CHR_WIDE static void process(void *state, const struct chr_io *io)
{
	struct state *s = state;
	struct course c;

	if (!io->frames)
		return;
	c = course(io);
	if (seems_still(&c, io->frames)) {
		const float fm = heard(c.fm.v[0], c.depth.v[0]);
		const double hz = frequency_steady(c.freq.v[0], c.tune.v[0], c.pitch.v[0], fm, c.depth.v[0]);
		const uint64_t step = chr_phase_step(hz, io->sample_rate);

		if (play_steady(io->out[OUT], s->phase, step, io->param[LEVEL], &c, io->frames)) {
			s->phase += io->frames * step;
			return;
		}
	}
	s->phase = play_moving(io->out[OUT], s->phase, &c, io->param[LEVEL], io->sample_rate, io->frames);
}

static const struct chr_port ports[] = {
	[PITCH] = {"pitch", CHR_IN, CHR_PITCH, 0, "pitch, 1 V/octave: 0 V plays freq"},
	[FM] = {"fm", CHR_IN, CHR_BIPOLAR, 0, "linear frequency modulation, fm_depth Hz per volt, through zero"},
	[OUT] = {"out", CHR_OUT, CHR_AUDIO, 0, "the sine"},
};

static const struct chr_param params[] = {
	[FREQ] = {"freq", "Hz", 0.01f, 20000.0f, (float)CHR_C4_HZ, CHR_LOG, -1.0f, NULL, "frequency at 0 V of pitch"},
	[TUNE] = {"tune", "cents", -1200.0f, 1200.0f, 0.0f, CHR_LINEAR, -1.0f, NULL, "fine tuning"},
	[FM_DEPTH] = {"fm_depth", "Hz/V", 0.0f, 5000.0f, 100.0f, CHR_LINEAR, -1.0f, NULL,
		      "depth of the linear frequency modulation"},
	[LEVEL] = {"level", "", 0.0f, 1.0f, 0.5f, CHR_LINEAR, -1.0f, NULL, "peak level"},
};

const struct chr_module chr_module = {
	.abi = CHR_MODULE_ABI,
	.name = "sine",
	.help = "sine oscillator with pitch and linear FM inputs",
	.state_version = 1,
	.state_bytes = sizeof(struct state),
	.ports = ports,
	.port_count = PORTS,
	.params = params,
	.param_count = PARAMS,
	.process = process,
};
