/* Who plays: any parameter of any module to any value, at once or along a ramp, and gates that open and close. */
#include "tools/soak.h"

#include "common/clock.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define ASK_US     500000u
#define ATTEMPTS   10
#define EVERY_MS   10 /* at least, between two messages */
#define SPREAD_MS  90
#define RAMP_MS    2000
#define RAMP_SHARE 30 /* % of the values */
#define GATE_SHARE 40 /* % of the messages that look for a gate */

static const char *value_of(lo_message message, const char *key)
{
	for (int i = 0; i + 1 < lo_message_get_argc(message); i += 2) {
		const char *text = chr_osc_string(message, i);
		if (text && strcmp(text, key) == 0)
			return chr_osc_string(message, i + 1);
	}
	return NULL;
}

static float number_of(lo_message message, const char *key)
{
	float value = 0;
	for (int i = 0; i + 1 < lo_message_get_argc(message); i += 2) {
		const char *text = chr_osc_string(message, i);
		if (text && strcmp(text, key) == 0)
			chr_osc_float(message, i + 1, &value);
	}
	return value;
}

static void copy(char *to, size_t bytes, const char *text)
{
	snprintf(to, bytes, "%s", text ? text : "");
}

/* Asks `path` and hands all answers to `take` until `end` comes. 0 or -1. */
static int ask(struct chr_soak *soak, const char *path, const char *end,
	       void (*take)(struct chr_soak *soak, const struct chr_osc_reply *reply))
{
	struct chr_osc_client *client = &soak->campaign.session.ask;
	struct chr_osc_reply reply;
	uint64_t deadline = chr_osc_now_us() + ASK_US;
	bool whole = false;
	while (chr_osc_client_receive(client, 0, &reply) == 0)
		chr_osc_reply_finish(&reply);
	if (chr_osc_client_send(client, path, NULL))
		return -1;
	while (!whole && chr_osc_client_receive(client, deadline, &reply) == 0) {
		take(soak, &reply);
		whole = strcmp(reply.path, end) == 0;
		chr_osc_reply_finish(&reply);
	}
	return whole ? 0 : -1;
}

static void take_description(struct chr_soak *soak, const struct chr_osc_reply *reply)
{
	lo_message message = reply->message;
	if (strcmp(reply->path, "/chronus/describe/type") == 0 && soak->types < CHR_SOAK_TYPES)
		copy(soak->type[soak->types++], CHR_NAME_MAX, value_of(message, "name"));
	if (strcmp(reply->path, "/chronus/describe/param") != 0 || soak->params == CHR_SOAK_PARAMS)
		return;
	struct chr_soak_param *param = &soak->param[soak->params++];
	copy(param->type, sizeof param->type, value_of(message, "type"));
	copy(param->name, sizeof param->name, value_of(message, "name"));
	copy(param->scale, sizeof param->scale, value_of(message, "scale"));
	param->min = number_of(message, "min");
	param->max = number_of(message, "max");
}

static void take_module(struct chr_soak *soak, const struct chr_osc_reply *reply)
{
	if (strcmp(reply->path, "/chronus/modules/module") != 0 || soak->modules == CHR_SOAK_MODULES)
		return;
	struct chr_soak_module *module = &soak->module[soak->modules++];
	copy(module->name, sizeof module->name, chr_osc_string(reply->message, 0));
	copy(module->type, sizeof module->type, chr_osc_string(reply->message, 1));
}

int chr_soak_learn(struct chr_soak *soak)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		soak->types = soak->params = 0;
		if (ask(soak, "/chronus/describe", "/chronus/describe/end", take_description) == 0 && soak->types && soak->params)
			return chr_soak_learn_modules(soak);
	}
	return -1;
}

int chr_soak_learn_modules(struct chr_soak *soak)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		soak->modules = 0;
		if (ask(soak, "/chronus/modules", "/chronus/modules/end", take_module) == 0)
			return 0;
	}
	return -1;
}

/* ---- playing ---- */

static double share(struct chr_soak *soak)
{
	return chr_campaign_draw(&soak->campaign, 10001) / 10000.0;
}

static float draw_value(struct chr_soak *soak, const struct chr_soak_param *param)
{
	double at = share(soak);
	if (strcmp(param->scale, "toggle") == 0)
		return at < 0.5 ? 0.0f : 1.0f;
	if (strcmp(param->scale, "choice") == 0)
		return roundf(param->min + (float)at * (param->max - param->min));
	if (strcmp(param->scale, "log") == 0 && param->min > 0)
		return fminf(param->max, param->min * powf(param->max / param->min, (float)at));
	return param->min + (float)at * (param->max - param->min);
}

/* A parameter of the module's type; NULL when there is none. */
static const struct chr_soak_param *draw_param(struct chr_soak *soak, const struct chr_soak_module *module)
{
	const struct chr_soak_param *found = NULL;
	bool gate = chr_campaign_draw(&soak->campaign, 100) < GATE_SHARE;
	for (unsigned i = 0, after = chr_campaign_draw(&soak->campaign, soak->params); i < soak->params; i++) {
		const struct chr_soak_param *param = &soak->param[(after + i) % soak->params];
		if (strcmp(param->type, module->type) != 0)
			continue;
		if (!found || (gate && strcmp(param->scale, "toggle") == 0))
			found = param;
		if (!gate)
			break;
	}
	return found;
}

static void hear_refusals(struct chr_soak *soak)
{
	struct chr_osc_reply reply;
	while (chr_osc_client_receive(&soak->play, 0, &reply) == 0) {
		soak->play_refused += strcmp(reply.path, "/chronus/error") == 0;
		chr_osc_reply_finish(&reply);
	}
}

void chr_soak_play(struct chr_soak *soak)
{
	uint64_t now = chr_monotonic_us();
	char path[2 * CHR_NAME_MAX + 4];
	if (now < soak->play_next_us || !soak->modules || !soak->params)
		return;
	soak->play_next_us = now + (EVERY_MS + chr_campaign_draw(&soak->campaign, SPREAD_MS)) * 1000u;
	hear_refusals(soak);
	const struct chr_soak_module *module = &soak->module[chr_campaign_draw(&soak->campaign, soak->modules)];
	const struct chr_soak_param *param = draw_param(soak, module);
	if (!param)
		return;
	lo_message message = lo_message_new();
	lo_message_add_float(message, draw_value(soak, param));
	if (chr_campaign_draw(&soak->campaign, 100) < RAMP_SHARE)
		lo_message_add_float(message, (float)share(soak) * RAMP_MS);
	snprintf(path, sizeof path, "/%s/%s", module->name, param->name);
	soak->played += chr_osc_client_send(&soak->play, path, message) == 0;
	lo_message_free(message);
}
