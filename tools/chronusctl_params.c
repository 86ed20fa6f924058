/* get and set: addresses of parameters, values by number or by name. */
#include "tools/chronusctl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The OSC address for words like "osc1", "osc1/freq", "/osc1/freq", "osc*"; a missing PARAM becomes `rest`. 0 or EX_USAGE. */
static int make_path(struct chr_ctl *ctl, const char *module, const char *rest, char *path, size_t bytes)
{
	const char *from = module + (module[0] == '/');
	const char *slash = strchr(from, '/');
	int length = slash && slash[1] ? snprintf(path, bytes, "/%s", from)
				       : snprintf(path, bytes, "/%.*s/%s", (int)strcspn(from, "/"), from, rest);
	bool legal = from[0] && from[0] != '/' && length > 0 && (size_t)length < bytes && !(slash && strchr(slash + 1, '/'));
	for (const char *c = path; legal && *c; c++)
		legal = isgraph((unsigned char)*c) && *c != '#';
	if (!legal)
		return chr_ctl_fail(ctl, EX_USAGE, "'%s' is no MODULE, MODULE/PARAM or pattern of these", module);
	return 0;
}

static bool is_pattern(const char *path)
{
	return strpbrk(path, "*?[{") != NULL;
}

/* The replies as {"osc1": {"freq": 440.3}}. */
static json_t *values(const struct chr_ctl_replies *replies)
{
	json_t *all = json_object();
	for (size_t i = 0; i < replies->count; i++) {
		const struct chr_osc_reply *reply = &replies->reply[i];
		const char *param = strchr(reply->path + 1, '/');
		if (!param || strncmp(reply->path, "/chronus/", 9) == 0)
			continue;
		char module[CHR_OSC_PATH_MAX];
		snprintf(module, sizeof module, "%.*s", (int)(param - reply->path - 1), reply->path + 1);
		json_t *of_module = json_object_get(all, module);
		if (!of_module) {
			of_module = json_object();
			json_object_set_new(all, module, of_module);
		}
		json_object_set_new(of_module, param + 1, chr_ctl_json_value(reply->message, 0));
	}
	return all;
}

static void print_values(const struct chr_ctl *ctl, const json_t *all)
{
	size_t widest = 0;
	const char *module, *param;
	json_t *params, *value;
	json_object_foreach ((json_t *)all, module, params) {
		json_object_foreach (params, param, value) {
			size_t width = strlen(module) + strlen(param);
			widest = width > widest ? width : widest;
		}
	}
	json_object_foreach ((json_t *)all, module, params) {
		json_object_foreach (params, param, value) {
			char path[CHR_OSC_PATH_MAX], text[256];
			snprintf(path, sizeof path, "%s/%s", module, param);
			printf("%s%-*s%s  %s\n", chr_color_begin(CHR_DIM, ctl->color), (int)widest + 1, chr_text_clean(path),
			       chr_color_end(CHR_DIM, ctl->color), chr_ctl_text(value, text, sizeof text));
		}
	}
}

static void print_bare(const json_t *all)
{
	const char *module, *param;
	json_t *params, *value;
	json_object_foreach ((json_t *)all, module, params) {
		json_object_foreach (params, param, value) {
			char text[256];
			puts(chr_ctl_text(value, text, sizeof text));
		}
	}
}

int chr_ctl_get(struct chr_ctl *ctl, int count, char **argument)
{
	char path[CHR_OSC_PATH_MAX];
	int code = make_path(ctl, count > 0 ? argument[0] : "*", "*", path, sizeof path);
	if (code)
		return code;
	struct chr_ctl_replies replies;
	code = chr_ctl_ask(ctl, path, NULL, NULL, &replies);
	if (code)
		return code;
	json_t *all = values(&replies);
	chr_ctl_replies_finish(&replies);
	if (ctl->json)
		chr_ctl_json_print(all, false);
	else if (is_pattern(path))
		print_values(ctl, all);
	else
		print_bare(all);
	json_decref(all);
	return 0;
}

/* Appends VALUE: a number, a truth, or the name of a choice. 0 or EX_USAGE. */
static int add_value(struct chr_ctl *ctl, lo_message message, const char *text)
{
	double number;
	if (chr_ctl_number(text, &number) == 0) {
		lo_message_add_float(message, (float)number);
		return 0;
	}
	if (strcmp(text, "on") == 0 || strcmp(text, "true") == 0) {
		lo_message_add_true(message);
		return 0;
	}
	if (strcmp(text, "off") == 0 || strcmp(text, "false") == 0) {
		lo_message_add_false(message);
		return 0;
	}
	char *end;
	(void)strtod(text, &end);
	if (!isalpha((unsigned char)text[0]) || *end == '\0')
		return chr_ctl_fail(ctl, EX_USAGE, "'%s' is neither a finite number nor the name of a choice", text);
	lo_message_add_string(message, text);
	return 0;
}

int chr_ctl_set(struct chr_ctl *ctl, int count, char **argument)
{
	/* MODULE/PARAM in one word leaves one word less for the rest. */
	bool joined = strchr(argument[0] + (argument[0][0] == '/'), '/') != NULL;
	int first = joined ? 1 : 2;
	if (count <= first || count > first + 2)
		return chr_ctl_fail(ctl, EX_USAGE, "usage: chronusctl set %s VALUE [RAMP_MS]",
				    joined ? "MODULE/PARAM" : "MODULE PARAM");
	char path[CHR_OSC_PATH_MAX];
	int code = make_path(ctl, argument[0], joined ? "" : argument[1], path, sizeof path);
	if (code)
		return code;
	lo_message message = lo_message_new();
	code = add_value(ctl, message, argument[first]);
	double ramp_ms = 0;
	const char *ramp = count > first + 1 ? argument[first + 1] : NULL;
	if (!code && ramp && (chr_ctl_number(ramp, &ramp_ms) != 0 || ramp_ms < 0))
		code = chr_ctl_fail(ctl, EX_USAGE, "'%s' is no ramp in milliseconds", ramp);
	if (!code && ramp)
		lo_message_add_float(message, (float)ramp_ms);
	struct chr_ctl_replies replies = {0};
	if (!code)
		code = chr_ctl_ask(ctl, path, message, NULL, &replies);
	lo_message_free(message);
	chr_ctl_replies_finish(&replies);
	return code;
}
