/* bench_dsp: what a sample of each module costs.
 *
 * Plays every module of a folder in blocks of 256 frames, once with inputs and parameters at rest and once with all of them moving
 * at audio rate. The cases take turns, so that a disturbance of the machine meets them all, and the median of each is told.
 */
#include "common/module.h"

#include <dirent.h>
#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK     256u
#define CALLS     64u /* of process in one run */
#define CASES_MAX 128u
#define CHANNELS  2u

struct bench_case {
	char name[64];
	bool moving;
	const struct chr_module *module;
	void *state;
	float *port[CHR_PORTS_MAX];
	float *course[CHR_PARAMS_MAX];
	double *ns; /* per sample, of each run */
};

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b)
{
	const struct bench_case *x = a, *y = b;
	const int order = strcmp(x->name, y->name);

	return order ? order : x->moving - y->moving;
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
static void fill(struct bench_case *c)
{
	for (unsigned p = 0; p < c->module->port_count; p++) {
		const struct chr_port *port = &c->module->ports[p];

		c->port[p] = zeroed(BLOCK * sizeof(float));
		for (uint32_t i = 0; port->direction == CHR_IN && i < BLOCK; i++)
			if (port->signal == CHR_AUDIO || (c->moving && port->signal != CHR_GATE))
				c->port[p][i] = 0.7f * sinf((float)i * (0.1f + 0.01f * (float)p));
	}
	for (unsigned p = 0; p < c->module->param_count; p++) {
		const struct chr_param *param = &c->module->params[p];
		const bool stepped = param->scale == CHR_CHOICE || param->scale == CHR_TOGGLE;

		c->course[p] = zeroed(BLOCK * sizeof(float));
		for (uint32_t i = 0; i < BLOCK; i++) {
			c->course[p][i] = param->scale == CHR_TOGGLE ? param->max : param->initial;
			if (c->moving && !stepped)
				c->course[p][i] += (param->max - param->initial) * (float)i / (4.0f * BLOCK);
		}
	}
}

static void run(struct bench_case *c, unsigned round)
{
	const float *in[CHR_PORTS_MAX];
	float *out[CHR_PORTS_MAX];
	struct chr_control param[CHR_PARAMS_MAX];
	const struct chr_io io = {
		.frames = BLOCK, .sample_rate = 48000.0f, .in = in, .out = out, .param = param, .channels = CHANNELS};
	struct timespec begin, end;

	for (unsigned p = 0; p < c->module->port_count; p++) {
		const struct chr_port *port = &c->module->ports[p];

		in[p] = port->direction == CHR_IN ? c->port[p] : NULL;
		out[p] = port->direction == CHR_OUT && port->channel <= CHANNELS ? c->port[p] : NULL;
	}
	for (unsigned p = 0; p < c->module->param_count; p++)
		param[p] = (struct chr_control){c->course[p],
						c->moving && c->course[p][0] != c->course[p][BLOCK - 1] ? UINT32_MAX : 0};
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned i = 0; i < CALLS; i++)
		c->module->process(c->state, &io);
	clock_gettime(CLOCK_MONOTONIC, &end);
	c->ns[round] = ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) / (CALLS * BLOCK);
}

/* Adds the two cases of a module. Returns how many were added. */
static unsigned add(struct bench_case *cases, const char *folder, const char *file, unsigned rounds)
{
	char path[4096];
	const struct chr_module *module;
	void *library;

	snprintf(path, sizeof path, "%s/%s", folder, file);
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	module = library ? dlsym(library, "chr_module") : NULL;
	if (!module || module->abi != CHR_MODULE_ABI) {
		fprintf(stderr, "bench_dsp: %s: not a module\n", path);
		return 0;
	}
	for (unsigned i = 0; i < 2; i++) {
		struct bench_case *c = &cases[i];

		snprintf(c->name, sizeof c->name, "%s", module->name);
		c->moving = i;
		c->module = module;
		c->state = zeroed(module->state_bytes);
		c->ns = zeroed(rounds * sizeof *c->ns);
		if (module->init)
			module->init(c->state, 48000.0f);
		fill(c);
	}
	return 2;
}

static unsigned collect(struct bench_case *cases, const char *folder, unsigned rounds)
{
	DIR *dir = opendir(folder);
	unsigned count = 0;

	for (struct dirent *entry; dir && count + 2 <= CASES_MAX && (entry = readdir(dir));) {
		const char *suffix = strrchr(entry->d_name, '.');

		if (suffix && !strcmp(suffix, ".so"))
			count += add(&cases[count], folder, entry->d_name, rounds);
	}
	if (dir)
		closedir(dir);
	qsort(cases, count, sizeof *cases, by_name);
	return count;
}

static void print(struct bench_case *cases, unsigned count, unsigned rounds, bool json)
{
	fputs(json ? "[" : "module           controls  ns/sample      best\n", stdout);
	for (unsigned i = 0; i < count; i++) {
		const struct bench_case *c = &cases[i];
		const char *controls = c->moving ? "moving" : "still";

		qsort(c->ns, rounds, sizeof *c->ns, by_size);
		if (json)
			printf("%s{\"module\":\"%s\",\"controls\":\"%s\",\"ns_per_sample\":%.3f,\"best\":%.3f}", i ? "," : "",
			       c->name, controls, c->ns[rounds / 2], c->ns[0]);
		else
			printf("%-16s %-8s %10.3f %9.3f\n", c->name, controls, c->ns[rounds / 2], c->ns[0]);
	}
	if (json)
		puts("]");
}

int main(int argc, char **argv)
{
	static struct bench_case cases[CASES_MAX];
	const char *folder = getenv("CHR_MODULE_DIR");
	const unsigned rounds = 301;
	bool json = false;
	unsigned count;

	folder = folder && *folder ? folder : "build/modules";
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json")) {
			json = true;
		} else if (argv[i][0] == '-') {
			fprintf(stderr, "usage: bench_dsp [--json] [FOLDER]\n");
			return 64;
		} else {
			folder = argv[i];
		}
	}
	count = collect(cases, folder, rounds);
	if (!count) {
		fprintf(stderr, "bench_dsp: no modules in %s: run make first\n", folder);
		return EXIT_FAILURE;
	}
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < count; i++)
			run(&cases[i], round);
	print(cases, count, rounds, json);
	return EXIT_SUCCESS;
}
