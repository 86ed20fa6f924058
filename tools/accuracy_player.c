#include "tools/accuracy.h"
#include "tools/module_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *accuracy_folder = "build/modules";

static void *zeroed(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 64) / 64 * 64);

	if (!memory) {
		perror("bench_accuracy");
		exit(EXIT_FAILURE);
	}
	return memset(memory, 0, (bytes + 64) / 64 * 64);
}

static const struct chr_module *load(const char *name)
{
	char path[4096];
	const struct chr_module *module;

	snprintf(path, sizeof path, "%s/%s.so", accuracy_folder, name);
	module = chr_module_file(path);
	if (module)
		return module;
	fprintf(stderr, "bench_accuracy: %s: no module: run make first\n", path);
	exit(EXIT_FAILURE);
}

struct player player_create(const char *module, float rate_hz, uint32_t frames)
{
	struct player player = {.module = load(module), .rate_hz = rate_hz, .frames = frames};

	player.state = zeroed(player.module->state_bytes);
	if (player.module->init)
		player.module->init(player.state, rate_hz);
	for (unsigned i = 0; i < player.module->port_count; i++)
		player.port[i] = zeroed(frames * sizeof(float));
	for (unsigned i = 0; i < player.module->param_count; i++) {
		player.course[i] = zeroed(sizeof(float));
		player.course[i][0] = player.module->params[i].initial;
	}
	return player;
}

void player_destroy(struct player *player)
{
	for (unsigned i = 0; i < player->module->port_count; i++)
		free(player->port[i]);
	for (unsigned i = 0; i < player->module->param_count; i++)
		free(player->course[i]);
	free(player->state);
}

static void unknown(const struct player *player, const char *name)
{
	fprintf(stderr, "bench_accuracy: %s has no %s\n", player->module->name, name);
	exit(EXIT_FAILURE);
}

float *player_port(struct player *player, const char *name)
{
	for (unsigned i = 0; i < player->module->port_count; i++)
		if (!strcmp(player->module->ports[i].name, name))
			return player->port[i];
	unknown(player, name);
	return NULL;
}

static unsigned param_index(const struct player *player, const char *name)
{
	unsigned i = 0;

	while (i < player->module->param_count && strcmp(player->module->params[i].name, name))
		i++;
	if (i == player->module->param_count)
		unknown(player, name);
	return i;
}

void player_set(struct player *player, const char *param, float value)
{
	const unsigned p = param_index(player, param);

	for (uint32_t i = 0; i < (player->moves[p] ? player->frames : 1); i++)
		player->course[p][i] = value;
}

float *player_course(struct player *player, const char *param)
{
	const unsigned p = param_index(player, param);
	const float value = player->course[p][0];

	if (!player->moves[p]) {
		free(player->course[p]);
		player->course[p] = zeroed(player->frames * sizeof(float));
		player->moves[p] = true;
		player_set(player, param, value);
	}
	return player->course[p];
}

void player_run(struct player *player, uint32_t at, uint32_t count)
{
	const float *in[CHR_PORTS_MAX];
	float *out[CHR_PORTS_MAX];
	struct chr_control param[CHR_PARAMS_MAX];
	const struct chr_io io = {
		.frames = count, .sample_rate = player->rate_hz, .in = in, .out = out, .param = param, .channels = CHR_PORTS_MAX};

	for (unsigned i = 0; i < player->module->port_count; i++) {
		in[i] = player->module->ports[i].direction == CHR_IN ? player->port[i] + at : NULL;
		out[i] = player->module->ports[i].direction == CHR_OUT ? player->port[i] + at : NULL;
	}
	for (unsigned i = 0; i < player->module->param_count; i++)
		param[i] = player->moves[i] ? (struct chr_control){player->course[i] + at, UINT32_MAX}
					    : (struct chr_control){player->course[i], 0};
	player->module->process(player->state, &io);
}

void player_play(struct player *player)
{
	for (uint32_t at = 0; at < player->frames; at += 256)
		player_run(player, at, player->frames - at < 256 ? player->frames - at : 256);
}
