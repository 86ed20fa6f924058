/* bench_dsp: what a sample of each module costs.
 *
 * Plays every module of a folder, eight voices in turn, in blocks of 64, 128 and 256 frames, once with inputs and parameters at rest
 * and once with all of them moving at audio rate. The cases take turns, so that a disturbance of the machine meets them all, and
 * the median of each is told.
 */
#include "common/module.h"
#include "tools/figures.h"
#include "tools/module_file.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VOICES    8u
#define CALLS     16u /* of each voice in one run */
#define ROUNDS    301u
#define CASES_MAX 192u
#define CHANNELS  2u
#define RATE_HZ   48000.0f

static const uint32_t block_sizes[] = {64, 128, 256};
#define BLOCK_SIZES (sizeof block_sizes / sizeof block_sizes[0])
#define BLOCK_MAX   256u

struct voice {
	void *state;
	float *port[CHR_PORTS_MAX];
	float *course[CHR_PARAMS_MAX];
	const float *in[CHR_PORTS_MAX];
	float *out[CHR_PORTS_MAX];
	struct chr_control param[CHR_PARAMS_MAX];
	struct chr_io io;
};

struct bench_case {
	const struct chr_module *module;
	bool moving;
	uint32_t frames;
	struct voice voice[VOICES];
	double ns[ROUNDS]; /* per sample, of each run */
};

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b)
{
	const struct bench_case *x = *(struct bench_case *const *)a, *y = *(struct bench_case *const *)b;
	const int order = strcmp(x->module->name, y->module->name);

	return order ? order : x->moving != y->moving ? x->moving - y->moving : (int)x->frames - (int)y->frames;
}

static void *zeroed(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 64) / 64 * 64);

	if (!memory) {
		perror("bench_dsp");
		exit(EXIT_FAILURE);
	}
	return memset(memory, 0, (bytes + 64) / 64 * 64);
}

/* Audio sounds in both cases; everything else moves or rests. Toggles are on. */
static void fill(struct voice *voice, const struct chr_module *module, bool moving)
{
	for (unsigned p = 0; p < module->port_count; p++) {
		const struct chr_port *port = &module->ports[p];

		voice->port[p] = zeroed(BLOCK_MAX * sizeof(float));
		for (uint32_t i = 0; port->direction == CHR_IN && i < BLOCK_MAX; i++)
			if (port->signal == CHR_AUDIO || (moving && port->signal != CHR_GATE))
				voice->port[p][i] = 0.7f * sinf((float)i * (0.1f + 0.01f * (float)p));
	}
	for (unsigned p = 0; p < module->param_count; p++) {
		const struct chr_param *param = &module->params[p];
		const bool stepped = param->scale == CHR_CHOICE || param->scale == CHR_TOGGLE;

		voice->course[p] = zeroed(BLOCK_MAX * sizeof(float));
		for (uint32_t i = 0; i < BLOCK_MAX; i++) {
			voice->course[p][i] = param->scale == CHR_TOGGLE ? param->max : param->initial;
			if (moving && !stepped)
				voice->course[p][i] += (param->max - param->initial) * (float)i / (4.0f * BLOCK_MAX);
		}
	}
}

/* Made once: what the engine does to hand buffers over is no part of the module. */
static void wire(struct voice *voice, const struct chr_module *module, uint32_t frames)
{
	for (unsigned p = 0; p < module->port_count; p++) {
		const struct chr_port *port = &module->ports[p];

		voice->in[p] = port->direction == CHR_IN ? voice->port[p] : NULL;
		voice->out[p] = port->direction == CHR_OUT && port->channel <= CHANNELS ? voice->port[p] : NULL;
	}
	for (unsigned p = 0; p < module->param_count; p++)
		voice->param[p] = (struct chr_control){voice->course[p],
						       voice->course[p][0] != voice->course[p][frames - 1] ? UINT32_MAX : 0};
	voice->io = (struct chr_io){.frames = frames,
				    .sample_rate = RATE_HZ,
				    .in = voice->in,
				    .out = voice->out,
				    .param = voice->param,
				    .channels = CHANNELS};
}

static double run(const struct bench_case *c)
{
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned i = 0; i < CALLS; i++)
		for (unsigned v = 0; v < VOICES; v++)
			c->module->process(c->voice[v].state, &c->voice[v].io);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) / (CALLS * VOICES * c->frames);
}

static const struct chr_module *load(const char *folder, const char *file)
{
	char path[4096];
	const struct chr_module *module;

	snprintf(path, sizeof path, "%s/%s", folder, file);
	module = chr_module_file(path);
	if (!module)
		fprintf(stderr, "bench_dsp: %s: not a module\n", path);
	return module;
}

/* Adds the cases of a module. Returns how many were added. */
static unsigned add(struct bench_case **cases, const struct chr_module *module)
{
	unsigned count = 0;

	for (unsigned i = 0; i < 2 * BLOCK_SIZES; i++) {
		struct bench_case *c = zeroed(sizeof *c);

		c->module = module;
		c->moving = i % 2;
		c->frames = block_sizes[i / 2];
		for (unsigned v = 0; v < VOICES; v++) {
			c->voice[v].state = zeroed(module->state_bytes);
			if (module->init)
				module->init(c->voice[v].state, RATE_HZ);
			fill(&c->voice[v], module, c->moving);
			wire(&c->voice[v], module, c->frames);
		}
		cases[count++] = c;
	}
	return count;
}

static unsigned collect(struct bench_case **cases, const char *folder)
{
	DIR *dir = opendir(folder);
	unsigned count = 0;

	for (struct dirent *entry; dir && count + 2 * BLOCK_SIZES <= CASES_MAX && (entry = readdir(dir));) {
		const char *suffix = strrchr(entry->d_name, '.');
		const struct chr_module *module = suffix && !strcmp(suffix, ".so") ? load(folder, entry->d_name) : NULL;

		if (module)
			count += add(&cases[count], module);
	}
	if (dir)
		closedir(dir);
	qsort(cases, count, sizeof *cases, by_name);
	return count;
}

static void tell(struct figures *figures, struct bench_case *c)
{
	qsort(c->ns, ROUNDS, sizeof *c->ns, by_size);
	figures_add(figures, c->ns[ROUNDS / 2], "ns/sample", NO_GOAL, 0.0, "%s, controls %s, %u frames", c->module->name,
		    c->moving ? "moving" : "still", c->frames);
}

int main(int argc, char **argv)
{
	static struct bench_case *cases[CASES_MAX];
	static struct figures figures = {.table = 4};
	const char *folder = getenv("CHR_MODULE_DIR"), *json = NULL;
	unsigned count;
	int error;

	folder = folder && *folder ? folder : "build/modules";
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json") && i + 1 < argc) {
			json = argv[++i];
		} else if (argv[i][0] == '-') {
			fprintf(stderr, "usage: bench_dsp [--json FILE] [FOLDER]\n");
			return 64;
		} else {
			folder = argv[i];
		}
	}
	count = collect(cases, folder);
	if (!count) {
		fprintf(stderr, "bench_dsp: no modules in %s: run make first\n", folder);
		return EXIT_FAILURE;
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < count; i++)
			cases[i]->ns[round] = run(cases[i]);
	for (unsigned i = 0; i < count; i++)
		tell(&figures, cases[i]);
	figures_print(&figures);
	error = json ? figures_write_json(&figures, json) : 0;
	if (error)
		fprintf(stderr, "bench_dsp: %s: %s\n", json, strerror(-error));
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
