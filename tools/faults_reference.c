#include "tools/faults_reference.h"

#include "tools/faults_judge.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SSE2__)
#include <xmmintrin.h>
#define FTZ_DAZ 0x8040u
#endif

#define BLOCK   64u        /* frames computed at a time: how a block is split changes nothing */
#define HISTORY (1u << 18) /* samples that can be asked for again */
#define SOURCES 4          /* outputs patched to one input */

struct node {
	void *handle;
	const struct chr_module *module;
	char name[CHR_NAME_MAX];
	unsigned char *state;
	float param[CHR_PARAMS_MAX];
	float out[CHR_PORTS_MAX][BLOCK];
	float in[CHR_PORTS_MAX][BLOCK];
	const float *source[CHR_PORTS_MAX][SOURCES];
	unsigned sources[CHR_PORTS_MAX];
	unsigned rank; /* nodes are computed in its order */
};

struct chr_reference {
	struct node *node[CHR_FAULTS_MEMBERS];
	unsigned count;
	struct node *play; /* `out`, whose inputs are what is heard */
	unsigned input[CHR_JUDGE_CHANNELS];
	float sample_rate;
	float *history[CHR_JUDGE_CHANNELS];
	uint64_t computed;
};

static int port_of(const struct chr_module *module, const char *name)
{
	for (unsigned i = 0; i < module->port_count; i++)
		if (strcmp(module->ports[i].name, name) == 0)
			return (int)i;
	return -1;
}

static struct node *find(const struct chr_reference *reference, const char *jack_port, int *port)
{
	const char *colon = strchr(jack_port, ':');
	for (unsigned i = 0; colon && i < reference->count; i++) {
		struct node *node = reference->node[i];
		size_t length = strlen(node->name);
		if (length != (size_t)(colon - jack_port) || strncmp(node->name, jack_port, length) != 0)
			continue;
		*port = port_of(node->module, colon + 1);
		return *port < 0 ? NULL : node;
	}
	return NULL;
}

static struct node *load(const struct chr_faults_capture *capture, const char *folder, char *why, size_t why_bytes)
{
	char file[CHR_PATH_BYTES + CHR_NAME_MAX];
	struct node *node = calloc(1, sizeof *node);
	if (!node)
		return NULL;
	snprintf(file, sizeof file, "%s/%s.so", folder, capture->type);
	node->handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	node->module = node->handle ? dlsym(node->handle, "chr_module") : NULL;
	node->state = aligned_alloc(64, (capture->state_bytes + 64) / 64 * 64);
	if (!node->module || !node->state || node->module->state_bytes != capture->state_bytes) {
		snprintf(why, why_bytes, "%s is not the module that was captured", file);
		if (node->handle)
			dlclose(node->handle);
		free(node->state);
		free(node);
		return NULL;
	}
	snprintf(node->name, sizeof node->name, "%s", capture->module);
	memcpy(node->state, capture->state, capture->state_bytes);
	memcpy(node->param, capture->param, sizeof node->param);
	return node;
}

/* Takes over JACK's edges among lane a's ports. */
static int wire(struct chr_reference *reference, struct node *node, jack_client_t *client)
{
	char name[2 * CHR_NAME_MAX + 2];
	for (unsigned i = 0; i < node->module->port_count; i++) {
		if (node->module->ports[i].direction != CHR_IN)
			continue;
		snprintf(name, sizeof name, "%s:%s", node->name, node->module->ports[i].name);
		jack_port_t *jack = jack_port_by_name(client, name);
		const char **others = jack ? jack_port_get_all_connections(client, jack) : NULL;
		for (unsigned k = 0; others && others[k]; k++) {
			int port;
			const struct node *from = find(reference, others[k], &port);
			if (!from || from == reference->play)
				continue;
			if (node->sources[i] == SOURCES) {
				jack_free(others);
				return -1;
			}
			node->source[i][node->sources[i]++] = from->out[port];
		}
		jack_free(others);
	}
	return 0;
}

static bool feeds(const struct node *from, const struct node *to)
{
	const float *begin = from->out[0], *end = from->out[0] + CHR_PORTS_MAX * BLOCK;
	for (unsigned i = 0; i < to->module->port_count; i++)
		for (unsigned k = 0; k < to->sources[i]; k++)
			if (to->source[i][k] >= begin && to->source[i][k] < end)
				return true;
	return false;
}

static int compare_rank(const void *a, const void *b)
{
	unsigned x = (*(struct node *const *)a)->rank, y = (*(struct node *const *)b)->rank;
	return (x > y) - (x < y);
}

/* Sources first. The patch has no loops of its own: in one, ranks would rise without an end. */
static int order(struct chr_reference *reference)
{
	bool risen = true;
	for (unsigned pass = 0; risen; pass++) {
		if (pass > reference->count)
			return -1;
		risen = false;
		for (unsigned a = 0; a < reference->count; a++)
			for (unsigned b = 0; b < reference->count; b++) {
				struct node *from = reference->node[a], *to = reference->node[b];
				if (to->rank <= from->rank && feeds(from, to)) {
					to->rank = from->rank + 1;
					risen = true;
				}
			}
	}
	qsort(reference->node, reference->count, sizeof reference->node[0], compare_rank);
	return 0;
}

static int load_all(struct chr_reference *reference, const struct chr_faults_page *page, const char *folder, char *why,
		    size_t why_bytes)
{
	uint32_t serial = atomic_load_explicit(&page->capture_serial, memory_order_relaxed);
	for (unsigned i = 0; i < CHR_FAULTS_MEMBERS; i++) {
		const struct chr_faults_capture *capture = &page->capture[0][i];
		if (atomic_load_explicit(&capture->serial, memory_order_acquire) != serial)
			continue;
		struct node *node = load(capture, folder, why, why_bytes);
		if (!node)
			return -1;
		reference->node[reference->count++] = node;
		reference->sample_rate = capture->sample_rate;
		if (node->module->flags & CHR_MODULE_OUT)
			reference->play = node;
	}
	if (!reference->play) {
		snprintf(why, why_bytes, "the capture has no out in it");
		return -1;
	}
	return 0;
}

static int find_channels(struct chr_reference *reference)
{
	static const char *const name[CHR_JUDGE_CHANNELS] = {"left", "right"};
	for (unsigned c = 0; c < CHR_JUDGE_CHANNELS; c++) {
		int port = port_of(reference->play->module, name[c]);
		if (port < 0)
			return -1;
		reference->input[c] = (unsigned)port;
		reference->history[c] = calloc(HISTORY, sizeof(float));
		if (!reference->history[c])
			return -1;
	}
	return 0;
}

struct chr_reference *chr_reference_create(const struct chr_faults_page *page, const char *folder, jack_client_t *client, char *why,
					   size_t why_bytes)
{
	struct chr_reference *reference = calloc(1, sizeof *reference);
	snprintf(why, why_bytes, "out of memory");
	if (!reference || load_all(reference, page, folder, why, why_bytes) || find_channels(reference))
		goto fail;
	for (unsigned i = 0; i < reference->count; i++)
		if (wire(reference, reference->node[i], client)) {
			snprintf(why, why_bytes, "%s has an input with more than %d edges", reference->node[i]->name, SOURCES);
			goto fail;
		}
	if (order(reference) == 0)
		return reference;
	snprintf(why, why_bytes, "the patch has a loop");
fail:
	chr_reference_destroy(reference);
	return NULL;
}

void chr_reference_destroy(struct chr_reference *reference)
{
	if (!reference)
		return;
	for (unsigned i = 0; i < reference->count; i++) {
		dlclose(reference->node[i]->handle);
		free(reference->node[i]->state);
		free(reference->node[i]);
	}
	for (unsigned c = 0; c < CHR_JUDGE_CHANNELS; c++)
		free(reference->history[c]);
	free(reference);
}

/* What JACK does with several edges to one port: it adds them up. */
static void mix(struct node *node)
{
	for (unsigned i = 0; i < node->module->port_count; i++) {
		memset(node->in[i], 0, sizeof node->in[i]);
		for (unsigned k = 0; k < node->sources[i]; k++)
			for (uint32_t f = 0; f < BLOCK; f++)
				node->in[i][f] = k ? node->in[i][f] + node->source[i][k][f] : node->source[i][k][f];
	}
}

static void run(const struct chr_reference *reference, struct node *node)
{
	const float *in[CHR_PORTS_MAX];
	float *out[CHR_PORTS_MAX];
	struct chr_control param[CHR_PARAMS_MAX];
	for (unsigned i = 0; i < node->module->port_count; i++) {
		bool input = node->module->ports[i].direction == CHR_IN;
		in[i] = input ? node->in[i] : NULL;
		out[i] = input ? NULL : node->out[i];
	}
	for (unsigned i = 0; i < node->module->param_count; i++)
		param[i] = (struct chr_control){.v = &node->param[i]};
	const struct chr_io io = {.frames = BLOCK, .sample_rate = reference->sample_rate, .in = in, .out = out, .param = param};
	node->module->process(node->state, &io);
}

static void compute_block(struct chr_reference *reference)
{
	for (unsigned i = 0; i < reference->count; i++) {
		mix(reference->node[i]);
		if (reference->node[i] != reference->play)
			run(reference, reference->node[i]);
	}
	for (unsigned c = 0; c < CHR_JUDGE_CHANNELS; c++)
		memcpy(reference->history[c] + reference->computed % HISTORY, reference->play->in[reference->input[c]],
		       BLOCK * sizeof(float));
	reference->computed += BLOCK;
}

/* Modules run with denormals as zero, here as there. */
static unsigned denormals_off(void)
{
#if defined(__SSE2__)
	unsigned word = _mm_getcsr();
	_mm_setcsr(word | FTZ_DAZ);
	return word;
#else
	return 0;
#endif
}

static void denormals_back(unsigned word)
{
#if defined(__SSE2__)
	_mm_setcsr(word);
#else
	(void)word;
#endif
}

void chr_reference_expect(void *self, uint64_t at, uint32_t frames, float *const out[])
{
	struct chr_reference *reference = self;
	unsigned word = denormals_off();
	while (reference->computed < at + frames)
		compute_block(reference);
	denormals_back(word);
	for (unsigned c = 0; c < CHR_JUDGE_CHANNELS; c++)
		for (uint32_t i = 0; i < frames; i++)
			out[c][i] = reference->history[c][(at + i) % HISTORY];
}
