#include "tests/supervisor/patch_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct chr_patch_problems fixture_problems;

static void process(void *state, const struct chr_io *io)
{
	(void)state;
	(void)io;
}

static const char *const modes[] = {"lowpass", "highpass", "bandpass", NULL};
static const struct chr_port sine_ports[] = {
	{"pitch", CHR_IN, CHR_PITCH, 0, NULL}, {"fm", CHR_IN, CHR_BIPOLAR, 0, NULL}, {"out", CHR_OUT, CHR_AUDIO, 0, NULL}};
static const struct chr_port adsr_ports[] = {{"in", CHR_IN, CHR_AUDIO, 0, NULL},
					     {"gate", CHR_IN, CHR_GATE, 0, NULL},
					     {"out", CHR_OUT, CHR_AUDIO, 0, NULL},
					     {"env", CHR_OUT, CHR_UNIPOLAR, 0, NULL}};
static const struct chr_port biquad_ports[] = {
	{"in", CHR_IN, CHR_AUDIO, 0, NULL}, {"cutoff", CHR_IN, CHR_PITCH, 0, NULL}, {"out", CHR_OUT, CHR_AUDIO, 0, NULL}};
static const struct chr_port out_ports[] = {
	{"left", CHR_IN, CHR_AUDIO, 1, NULL},       {"right", CHR_IN, CHR_AUDIO, 2, NULL}, {"in_3", CHR_IN, CHR_AUDIO, 3, NULL},
	{"play_left", CHR_OUT, CHR_AUDIO, 1, NULL}, {"clock", CHR_OUT, CHR_BEAT, 0, NULL},
};
static const struct chr_param sine_params[] = {
	{"freq", "Hz", 0.01f, 20000.0f, 440.0f, CHR_LOG, -1.0f, NULL, NULL},
	{"level", "", 0.0f, 1.0f, 0.5f, CHR_LINEAR, -1.0f, NULL, NULL},
};
static const struct chr_param adsr_params[] = {
	{"attack", "s", 0.001f, 10.0f, 0.01f, CHR_LOG, 0.0f, NULL, NULL},
	{"release", "s", 0.001f, 10.0f, 0.1f, CHR_LOG, 0.0f, NULL, NULL},
	{"gate", "", 0.0f, 1.0f, 0.0f, CHR_TOGGLE, 0.0f, NULL, NULL},
	{"decay", "s", 0.001f, 10.0f, 0.1f, CHR_LOG, 0.0f, NULL, NULL},
	{"sustain", "", 0.0f, 1.0f, 0.7f, CHR_LINEAR, 0.0f, NULL, NULL},
};
static const struct chr_param biquad_params[] = {
	{"cutoff", "Hz", 10.0f, 20000.0f, 1000.0f, CHR_LOG, -1.0f, NULL, NULL},
	{"q", "", 0.1f, 40.0f, 0.7f, CHR_LOG, -1.0f, NULL, NULL},
	{"mode", "", 0.0f, 2.0f, 0.0f, CHR_CHOICE, 0.0f, modes, NULL},
};
static const struct chr_param out_params[] = {
	{"tempo", "BPM", 20.0f, 400.0f, 100.0f, CHR_LINEAR, 0.0f, NULL, NULL},
	{"level", "", 0.0f, 1.0f, 1.0f, CHR_LINEAR, -1.0f, NULL, NULL},
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define TYPE(type, flag)                                                                                                           \
	{                                                                                                                          \
		.abi = CHR_MODULE_ABI, .name = #type, .state_bytes = 64, .ports = type##_ports, .port_count = COUNT(type##_ports), \
		.params = type##_params, .param_count = COUNT(type##_params), .process = process, .flags = (flag)                  \
	}

static const struct chr_module modules[] = {TYPE(sine, 0), TYPE(adsr, 0), TYPE(biquad, 0), TYPE(out, CHR_MODULE_OUT)};

const struct chr_descriptor *fixture_type(void *calls, const char *type, const char *file, const char **why)
{
	static struct chr_descriptor desc[COUNT(modules)];
	char reason[CHR_TEXT_MAX];

	if (calls)
		++*(int *)calls;
	*why = NULL;
	if (!strcmp(type, "broken"))
		*why = "it crashed while it was loaded";
	if (!strncmp(file, "/nowhere/", 9)) {
		*why = "no such file";
		return NULL;
	}
	for (size_t i = 0; i < COUNT(modules); i++) {
		if (strcmp(modules[i].name, type))
			continue;
		if (!desc[i].abi && chr_descriptor_make(&desc[i], &modules[i], reason, sizeof reason)) {
			fprintf(stderr, "%s\n", reason);
			abort();
		}
		return &desc[i];
	}
	return NULL;
}

struct chr_patch *fixture_load(const char *text, size_t bytes, int *exit_code)
{
	int fd = memfd_create("patch", MFD_CLOEXEC);
	struct chr_patch *patch;
	char path[64];

	if (fd < 0 || write(fd, text, bytes) != (ssize_t)bytes)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	patch = chr_patch_load(path, "studio", fixture_type, NULL, &fixture_problems, exit_code);
	close(fd);
	return patch;
}

const char *fixture_report(void)
{
	static char *text;
	size_t bytes;
	FILE *to;

	free(text);
	text = NULL;
	to = open_memstream(&text, &bytes);
	for (unsigned i = 0; i < fixture_problems.count; i++)
		fprintf(to, "%u: %s\n", fixture_problems.problem[i].line, fixture_problems.problem[i].text);
	fclose(to);
	return text;
}

void fixture_finish(void)
{
	chr_patch_problems_finish(&fixture_problems);
}
