/* The module ABI: everything a module's one C file needs to include.
 *
 * A module is a pure function of its state, its inputs, its parameters and the sample rate: same inputs, same outputs, bit for bit,
 * however the block is split. It never allocates, locks, calls the system, reads a clock or keeps anything outside its
 * state block: the state is copied between processes as plain memory while it plays.
 *
 *   static void process(void *state, const struct chr_io *io) { ... }
 *   const struct chr_module chr_module = { .abi = CHR_MODULE_ABI, .name = "sine", ... };
 *
 * Conventions (volts as in VCV Rack): audio full scale is 1.0; pitch is 1 V/octave with 0 V = C4 = 261.6256 Hz; a gate is 0/10 V
 * with Schmitt thresholds 0.1 V and 2 V; envelopes run 0..10 V; bipolar modulation +-5 V.
 */
#ifndef CHR_COMMON_MODULE_H
#define CHR_COMMON_MODULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CHR_MODULE_ABI 1

#define CHR_PORTS_MAX   64      /* ports of one module */
#define CHR_PARAMS_MAX  32      /* parameters of one module */
#define CHR_CHOICES_MAX 16      /* names of one choice parameter */
#define CHR_METERS_MAX  8       /* meters of one module */
#define CHR_STATE_MAX   1048576 /* bytes of one module's state */
#define CHR_BLOCK_MAX   8192    /* frames of one call of process */

/* Marks a declaration whose function the audio thread may call: no allocation, lock, system call, log or unbounded loop. Such functions stand
 * together in the program: once a cycle a process finds its caches cold, and each page of code is fetched anew. */
#define CHR_RT __attribute__((hot))

#define CHR_C4_HZ       261.625565300598634 /* 440 * 2^(-9/12) */
#define CHR_GATE_LOW_V  0.1f
#define CHR_GATE_HIGH_V 2.0f
#define CHR_GATE_ON_V   10.0f

enum chr_direction { CHR_IN, CHR_OUT };

enum chr_signal {
	CHR_AUDIO,    /* full scale +-1.0 */
	CHR_PITCH,    /* 1 V/octave, 0 V = C4 */
	CHR_GATE,     /* 0 / 10 V */
	CHR_UNIPOLAR, /* 0..10 V */
	CHR_BIPOLAR,  /* -5..+5 V */
	CHR_BEAT,     /* 0..1 per beat, a ramp */
};

struct chr_port {
	const char *name; /* lower case letters, digits, '_'; unique in the module */
	enum chr_direction direction;
	enum chr_signal signal;
	unsigned channel; /* 0: always there; n: only when the instance has n channels or more (out) */
	const char *help; /* one line */
};

enum chr_scale {
	CHR_LINEAR,
	CHR_LOG,    /* min > 0; what a fader should show */
	CHR_CHOICE, /* whole numbers 0..n-1 with names; takes effect as a step */
	CHR_TOGGLE, /* 0 or 1; takes effect as a step; every change is delivered (a gate) */
};

struct chr_param {
	const char *name; /* lower case letters, digits, '_'; unique in the module */
	const char *unit; /* "Hz", "s", "dB", "cents", "V", "" ... */
	float min, max, initial;
	enum chr_scale scale;
	float smooth_ms;            /* default ramp of a change; 0: a step; negative: the engine's default, 5 ms */
	const char *const *choices; /* CHR_CHOICE: names, NULL-terminated */
	const char *help;           /* one line */
};

/* A parameter's course over the frames of one call: value i is v[i & mask]. `mask` is 0 while it stands still (v[0] is the
 * value) and all ones while it moves. */
struct chr_control {
	const float *v;
	uint32_t mask;
};

static inline float chr_control_at(struct chr_control c, uint32_t i)
{
	return c.v[i & c.mask];
}

/* What one call of process works on. Ports and parameters in the order of the module's tables; `in` and `out` are indexed
 * by the place in the port table (the entries of the other direction are NULL; so are outputs of absent channels, while
 * absent inputs read silence). Buffers of different ports never overlap. */
struct chr_io {
	uint32_t frames;   /* 0..CHR_BLOCK_MAX */
	float sample_rate; /* Hz, constant in an instance's life */
	const float *const *in;
	float *const *out;
	const struct chr_control *param;
	uint32_t channels; /* of this instance; 0 unless the module has ports with channels */
};

/* A uint32_t inside the state that counts something a person should see (clips, say). The engine publishes it every cycle. */
struct chr_meter {
	const char *name;
	size_t offset; /* bytes from the start of the state */
	const char *help;
};

struct chr_module {
	uint32_t abi; /* CHR_MODULE_ABI */
	const char *name;
	const char *help;       /* one line */
	uint32_t state_version; /* two builds with the same name, state_bytes and state_version may exchange states */
	size_t state_bytes;     /* 0..CHR_STATE_MAX */
	const struct chr_port *ports;
	unsigned port_count;
	const struct chr_param *params;
	unsigned param_count;
	const struct chr_meter *meters;
	unsigned meter_count;

	/* Makes `state` (zeroed, 64-byte aligned) fresh. Main thread or audio thread: as realtime-safe as process. May be NULL. */
	void (*init)(void *state, float sample_rate);

	/* Writes every sample of every present output. Audio thread, realtime. */
	void (*process)(void *state, const struct chr_io *io);

	uint32_t flags;

	/* Two builds with the same name and the same sound_version, not 0, claim to play the same samples: a swap from one to the other compares them and
	 * takes a build back that does not keep its word. 0: claims nothing. */
	uint32_t sound_version;
};

/* Flags of a module. */
#define CHR_MODULE_OUT                                                                                                             \
	1u /* the patch's output: the engine gives each of its inputs twice, one per lane, and hands it the lane picked */

/* Seen from outside the shared object, though modules are compiled with hidden visibility. */
#define CHR_EXPORT __attribute__((visibility("default")))

/* The one symbol that a module file exports. */
extern const struct chr_module chr_module CHR_EXPORT;

#ifdef __cplusplus
}
#endif

#endif
