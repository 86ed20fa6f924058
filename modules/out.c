/* out: the patch's output, and its beat clock.
 *
 *   play[n]  = min(1, max(-1, level * in[n]))     for each channel; what is not finite becomes silence
 *   clock[n] = phase[n]                           0 <= phase < 1, a ramp per beat
 *   phase[n] = phase[n-1] + tempo[n-1] / 60 / sample rate      (64-bit fraction of a beat: it never drifts)
 *
 * A level of exactly 1 passes each sample within +-1 unchanged, bit by bit. The samples are judged as integers, because the
 * processor's flushing of denormal numbers would otherwise change them.
 */
#include "common/module.h"
#include "modules/dsp/control.h"
#include "modules/dsp/phase.h"

#define CHANNELS 16

struct state {
	uint64_t phase;     /* of the beat, at the next sample */
	uint32_t clips;     /* samples clamped; wraps */
	uint32_t nonfinite; /* samples replaced by silence; wraps */
};

enum port { IN, PLAY = IN + CHANNELS, CLOCK = PLAY + CHANNELS, PORTS };
enum param { LEVEL, TEMPO, PARAMS };

struct faults {
	uint32_t clips, nonfinite;
};

CHR_INLINE float limited(float x, struct faults *faults)
{
	static const uint32_t one = 0x3f800000u, infinite = 0x7f800000u, sign = 0x80000000u;
	uint32_t bits, magnitude, clipped, wild;

	memcpy(&bits, &x, sizeof bits);
	magnitude = bits & ~sign;
	wild = magnitude >= infinite;
	clipped = (magnitude > one) & !wild;
	faults->clips += clipped;
	faults->nonfinite += wild;
	bits = clipped ? (bits & sign) | one : bits;
	bits = wild ? 0 : bits;
	memcpy(&x, &bits, sizeof x);
	return x;
}

CHR_WIDE static struct faults play(float *restrict to, const float *restrict from, struct chr_control level, uint32_t frames)
{
	struct faults faults = {0, 0};

	if (!frames)
		return faults;
	if (chr_control_still(level, frames) && level.v[0] == 1.0f) {
		for (uint32_t i = 0; i < frames; i++)
			to[i] = limited(from[i], &faults);
		return faults;
	}
	for (uint32_t i = 0; i < frames; i++) {
		const float gain = chr_control_at(level, i);

		to[i] = limited(gain == 1.0f ? from[i] : gain * from[i], &faults);
	}
	return faults;
}

static uint64_t beat(float *to, uint64_t phase, struct chr_control tempo, double sample_rate, uint32_t frames)
{
	if (frames && chr_control_still(tempo, frames)) {
		const uint64_t step = chr_phase_step((double)tempo.v[0] * (1.0 / 60.0), sample_rate);

		for (uint32_t i = 0; i < frames; i++)
			to[i] = chr_phase_ramp(phase + i * step);
		return phase + frames * step;
	}
	for (uint32_t i = 0; i < frames; i++) {
		to[i] = chr_phase_ramp(phase);
		phase += chr_phase_step((double)chr_control_at(tempo, i) * (1.0 / 60.0), sample_rate);
	}
	return phase;
}

static void process(void *state, const struct chr_io *io)
{
	struct state *s = state;

	for (unsigned channel = 0; channel < CHANNELS; channel++) {
		struct faults faults;

		if (!io->out[PLAY + channel])
			continue;
		faults = play(io->out[PLAY + channel], io->in[IN + channel], io->param[LEVEL], io->frames);
		s->clips += faults.clips;
		s->nonfinite += faults.nonfinite;
	}
	s->phase = beat(io->out[CLOCK], s->phase, io->param[TEMPO], io->sample_rate, io->frames);
}

#define MORE_CHANNELS(X) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16)
#define IN_PORT(n)       [IN + n - 1] = {"in_" #n, CHR_IN, CHR_AUDIO, n, "input of channel " #n},
#define PLAY_PORT(n)     [PLAY + n - 1] = {"play_" #n, CHR_OUT, CHR_AUDIO, n, "channel " #n " to the hardware"},

static const struct chr_port ports[] = {
	[IN] = {"left", CHR_IN, CHR_AUDIO, 1, "input of channel 1"},
	[IN + 1] = {"right", CHR_IN, CHR_AUDIO, 2, "input of channel 2"},
	MORE_CHANNELS(IN_PORT)[PLAY] = {"play_left", CHR_OUT, CHR_AUDIO, 1, "channel 1 to the hardware"},
	[PLAY + 1] = {"play_right", CHR_OUT, CHR_AUDIO, 2, "channel 2 to the hardware"},
	MORE_CHANNELS(PLAY_PORT)[CLOCK] = {"clock", CHR_OUT, CHR_BEAT, 0, "the beat: a ramp 0..1 per beat of tempo"},
};

static const struct chr_param params[] = {
	[LEVEL] = {"level", "", 0.0f, 1.0f, 1.0f, CHR_LINEAR, -1.0f, NULL, "master level; 1 passes samples unchanged"},
	[TEMPO] = {"tempo", "bpm", 20.0f, 400.0f, 120.0f, CHR_LINEAR, 0.0f, NULL, "beats per minute of the clock"},
};

static const struct chr_meter meters[] = {
	{"clips", offsetof(struct state, clips), "samples beyond full scale, clamped"},
	{"nonfinite", offsetof(struct state, nonfinite), "samples that were no numbers or infinite, silenced"},
};

const struct chr_module chr_module = {
	.abi = CHR_MODULE_ABI,
	.name = "out",
	.help = "the patch's output: master level, clamp, clip counter and beat clock",
	.state_version = 1,
	.state_bytes = sizeof(struct state),
	.ports = ports,
	.port_count = PORTS,
	.params = params,
	.param_count = PARAMS,
	.meters = meters,
	.meter_count = sizeof meters / sizeof meters[0],
	.process = process,
	.flags = CHR_MODULE_OUT,
};
