#include "tests/modules/host.h"

#include <check.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CHR_BUILD
#define CHR_BUILD "build"
#endif

const char *host_folder(void)
{
	const char *folder = getenv("CHR_MODULE_DIR");

	return folder && *folder ? folder : CHR_BUILD "/modules";
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

unsigned host_list(const char *names[HOST_MODULES_MAX])
{
	DIR *folder = opendir(host_folder());
	unsigned count = 0;

	if (!folder)
		return 0;
	for (struct dirent *entry; (entry = readdir(folder)) && count < HOST_MODULES_MAX;) {
		const size_t length = strlen(entry->d_name);

		if (length > 3 && !strcmp(entry->d_name + length - 3, ".so"))
			names[count++] = strndup(entry->d_name, length - 3);
	}
	closedir(folder);
	qsort(names, count, sizeof names[0], by_name);
	return count;
}

const struct chr_module *host_load(const char *name)
{
	const struct chr_module *module;
	char path[4096];
	void *library;

	snprintf(path, sizeof path, "%s/%s.so", host_folder(), name);
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(library != NULL, "%s", library ? "" : dlerror());
	module = dlsym(library, "chr_module");
	ck_assert_msg(module != NULL, "%s exports no chr_module", path);
	return module;
}

static void *zeroed(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 64) / 64 * 64);

	ck_assert_ptr_nonnull(memory);
	memset(memory, 0, (bytes + 64) / 64 * 64);
	return memory;
}

struct host *host_create(const struct chr_module *module, float sample_rate, uint32_t frames)
{
	struct host *host = zeroed(sizeof *host);

	host->module = module;
	host->sample_rate = sample_rate;
	host->frames = frames;
	host->state = zeroed(module->state_bytes);
	for (unsigned i = 0; i < module->port_count; i++) {
		host->port[i] = zeroed(frames * sizeof(float));
		if (module->ports[i].channel > host->channels)
			host->channels = module->ports[i].channel;
	}
	for (unsigned i = 0; i < module->param_count; i++) {
		host->course[i] = zeroed((frames + 1) * sizeof(float));
		host_set(host, module->params[i].name, module->params[i].initial);
	}
	host_reset(host);
	return host;
}

void host_destroy(struct host *host)
{
	for (unsigned i = 0; i < host->module->port_count; i++)
		free(host->port[i]);
	for (unsigned i = 0; i < host->module->param_count; i++)
		free(host->course[i]);
	free(host->state);
	free(host);
}

void host_reset(struct host *host)
{
	memset(host->state, 0, host->module->state_bytes);
	if (host->module->init)
		host->module->init(host->state, host->sample_rate);
}

float *host_port(struct host *host, const char *name)
{
	for (unsigned i = 0; i < host->module->port_count; i++)
		if (!strcmp(host->module->ports[i].name, name))
			return host->port[i];
	ck_abort_msg("%s has no port %s", host->module->name, name);
}

static unsigned param_index(const struct host *host, const char *name)
{
	for (unsigned i = 0; i < host->module->param_count; i++)
		if (!strcmp(host->module->params[i].name, name))
			return i;
	ck_abort_msg("%s has no parameter %s", host->module->name, name);
}

float *host_course(struct host *host, const char *name)
{
	return host->course[param_index(host, name)];
}

void host_set_from(struct host *host, const char *param, uint32_t at, float value)
{
	float *course = host_course(host, param);

	for (uint32_t i = at; i <= host->frames; i++)
		course[i] = value;
}

void host_set(struct host *host, const char *param, float value)
{
	host_set_from(host, param, 0, value);
}

float host_choice(const struct host *host, const char *param, const char *choice)
{
	const char *const *choices = host->module->params[param_index(host, param)].choices;

	for (unsigned i = 0; choices && choices[i]; i++)
		if (!strcmp(choices[i], choice))
			return (float)i;
	ck_abort_msg("%s of %s has no choice %s", param, host->module->name, choice);
}

static bool stands_still(const float *v, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
		if (memcmp(&v[i], &v[0], sizeof *v))
			return false;
	return true;
}

void host_run(struct host *host, uint32_t at, uint32_t count)
{
	const float *in[CHR_PORTS_MAX] = {0};
	float *out[CHR_PORTS_MAX] = {0};
	struct chr_control param[CHR_PARAMS_MAX];
	static const float silence[CHR_BLOCK_MAX];

	if (count > CHR_BLOCK_MAX || at + count > host->frames)
		ck_abort_msg("%u frames from %u on do not fit", count, at);
	for (unsigned i = 0; i < host->module->port_count; i++) {
		const struct chr_port *port = &host->module->ports[i];
		const bool absent = port->channel > host->channels;

		if (port->direction == CHR_IN)
			in[i] = absent ? silence : host->port[i] + at;
		else
			out[i] = absent ? NULL : host->port[i] + at;
	}
	for (unsigned i = 0; i < host->module->param_count; i++) {
		param[i].v = host->course[i] + at;
		param[i].mask = host->always_moving || !stands_still(param[i].v, count) ? UINT32_MAX : 0;
	}
	host->module->process(host->state, &(struct chr_io){
						   .frames = count,
						   .sample_rate = host->sample_rate,
						   .in = in,
						   .out = out,
						   .param = param,
						   .channels = host->channels,
					   });
}

void host_play(struct host *host, uint32_t block)
{
	for (uint32_t at = 0; at < host->frames; at += block)
		host_run(host, at, host->frames - at < block ? host->frames - at : block);
}

uint32_t host_meter(const struct host *host, const char *name)
{
	for (unsigned i = 0; i < host->module->meter_count; i++) {
		uint32_t value;

		if (strcmp(host->module->meters[i].name, name))
			continue;
		memcpy(&value, (const char *)host->state + host->module->meters[i].offset, sizeof value);
		return value;
	}
	ck_abort_msg("%s has no meter %s", host->module->name, name);
}

double host_random(uint64_t *seed)
{
	uint64_t x = *seed += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

uint32_t host_random_below(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(host_random(seed) * n);
}
