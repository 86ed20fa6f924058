/* What one more sine and one more lowpass cost per sample: in the peers by the processor time of a thousand more of them, in Chronus by calling the
 * modules themselves, 32 instances in turn, between the peers' turns.
 */
#include "common/module.h"
#include "tools/bench.h"
#include "tools/bench_probe.h"
#include "tools/bench_rival.h"
#include "tools/bench_stat.h"
#include "tools/module_file.h"

#include <libgen.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK     256u
#define INSTANCES 32u
#define ROUNDS    1001u
#define TURNS     7u
#define UGENS     200u /* in a synth */
#define SYNTHS    5u
#define RATE      48000.0

static void *zeroed(size_t bytes)
{
	size_t whole = (bytes + 64) / 64 * 64;
	void *memory = aligned_alloc(64, whole);
	if (!memory)
		abort();
	return memset(memory, 0, whole);
}

/* One round: ns per sample. */
static double round_ns(const struct chr_module *module, void *const *state, const struct chr_io *io)
{
	uint64_t begin = chr_bench_now_ns();
	for (unsigned i = 0; i < INSTANCES; i++)
		module->process(state[i], io);
	return (double)(chr_bench_now_ns() - begin) / (INSTANCES * BLOCK);
}

/* A module of ours, measured in turns with the peers. */
struct ours {
	const struct chr_module *module;
	const float *in[CHR_PORTS_MAX];
	float *out[CHR_PORTS_MAX];
	float value[CHR_PARAMS_MAX];
	struct chr_control param[CHR_PARAMS_MAX];
	void *state[INSTANCES];
	double ns[CHR_BENCH_PEERS * TURNS]; /* a sample's, one for each turn */
	unsigned turns;
};

static bool load(struct ours *ours, const struct chr_bench *bench, const char *name)
{
	static float sound[BLOCK], silence[BLOCK], result[CHR_PORTS_MAX][BLOCK];
	char self[sizeof bench->self], path[sizeof bench->self + 64];
	*ours = (struct ours){0};
	snprintf(self, sizeof self, "%s", bench->self);
	snprintf(path, sizeof path, "%s/modules/%s.so", dirname(self), name);
	const struct chr_module *module = ours->module = chr_module_file(path);
	if (!module)
		return false;
	for (unsigned i = 0; i < BLOCK; i++)
		sound[i] = 0.5f * sinf(0.06f * (float)i);
	for (unsigned i = 0; i < module->port_count; i++) {
		bool out = module->ports[i].direction == CHR_OUT;
		ours->in[i] = out ? NULL : module->ports[i].signal == CHR_AUDIO ? sound : silence;
		ours->out[i] = out ? result[i] : NULL;
	}
	for (unsigned i = 0; i < module->param_count; i++) {
		ours->value[i] = module->params[i].initial;
		ours->param[i] = (struct chr_control){&ours->value[i], 0};
	}
	for (unsigned i = 0; i < INSTANCES; i++) {
		ours->state[i] = zeroed(module->state_bytes);
		if (module->init)
			module->init(ours->state[i], (float)RATE);
	}
	return true;
}

static void take_turn(struct ours *ours)
{
	static double ns[ROUNDS];
	const struct chr_io io = {
		.frames = BLOCK, .sample_rate = (float)RATE, .in = ours->in, .out = ours->out, .param = ours->param};
	for (unsigned i = 0; i < ROUNDS; i++)
		ns[i] = round_ns(ours->module, ours->state, &io);
	if (ours->turns < sizeof ours->ns / sizeof ours->ns[0])
		ours->ns[ours->turns++] = chr_stat_median(ns, ROUNDS);
}

/* ns per sample. */
static double unload(struct ours *ours)
{
	while (ours->turns < TURNS)
		take_turn(ours); /* there are no peers */
	for (unsigned i = 0; i < INSTANCES; i++)
		free(ours->state[i]);
	return chr_stat_median(ours->ns, ours->turns);
}

static double cpu_share(struct chr_rival *rival, unsigned ms)
{
	uint64_t begin = chr_bench_now_ns();
	double before = chr_bench_cpu_s(rival->child.pid);
	chr_bench_sleep_ms(ms);
	return (chr_bench_cpu_s(rival->child.pid) - before) * 1e9 / (double)(chr_bench_now_ns() - begin);
}

/* With and without the thousand, and ours, in turns; ns per sample. */
static double theirs(const struct chr_bench *bench, struct chr_rival *rival, const char *name, struct ours *ours)
{
	double ns[TURNS];
	unsigned rounds = bench->quick ? 3 : TURNS, ms = bench->quick ? 700 : 1500;
	for (unsigned i = 0; i < rounds; i++) {
		take_turn(ours);
		double idle = cpu_share(rival, ms);
		if (chr_rival_play(rival, name, SYNTHS))
			return NAN;
		ns[i] = (cpu_share(rival, ms) - idle) / (SYNTHS * UGENS * RATE) * 1e9;
		if (chr_rival_silence(rival))
			return NAN;
	}
	return chr_stat_median(ns, rounds);
}

int chr_bench_ugens(struct chr_bench *bench)
{
	static struct chr_synthdef def;
	struct ours our_sine, our_filter;
	double sine[CHR_BENCH_PEERS] = {NAN, NAN}, filter[CHR_BENCH_PEERS] = {NAN, NAN};
	if (chr_bench_server(bench, 256) || !load(&our_sine, bench, "sine") || !load(&our_filter, bench, "biquad"))
		return -1;
	for (unsigned i = 0; i < CHR_BENCH_PEERS; i++) {
		struct chr_rival rival;
		if (!chr_rival_installed(bench, i))
			continue;
		if (chr_rival_start(&rival, i))
			return -1;
		chr_synthdef_sines(&def, "sines", UGENS);
		if (chr_rival_define(&rival, &def) == 0)
			sine[i] = theirs(bench, &rival, "sines", &our_sine);
		chr_synthdef_filters(&def, "filters", UGENS);
		if (chr_rival_define(&rival, &def) == 0)
			filter[i] = theirs(bench, &rival, "filters", &our_filter);
		chr_rival_stop(&rival);
	}
	struct chr_bench_row *row = chr_bench_row(bench, 2, "a sine (SinOsc), marginal cost of a sample", "ns");
	row->value = unload(&our_sine);
	memcpy(row->peer, sine, sizeof sine);
	row->goal = isnan(sine[0]) && isnan(sine[1]) ? NAN : 0.35;
	row->of_ratio = true;
	row = chr_bench_row(bench, 2, "a lowpass (BLowPass), marginal cost of a sample", "ns");
	row->value = unload(&our_filter);
	memcpy(row->peer, filter, sizeof filter);
	row->goal = isnan(filter[0]) && isnan(filter[1]) ? NAN : 0.5;
	row->of_ratio = true;
	return 0;
}
