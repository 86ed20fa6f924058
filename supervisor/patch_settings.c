#include "supervisor/patch_parts.h"

#include <math.h>
#include <string.h>

#define AT(field)    offsetof(struct chr_patch, field)
#define BYTES(field) (sizeof((struct chr_patch *)0)->field - 1)

const char *const chr_timing_name[2] = {[CHR_TIMING_STEADY] = "steady", [CHR_TIMING_SOONEST] = "soonest"};

const struct chr_patch_key chr_patch_key[] = {
	{NULL, "name", CHR_KEY_TEXT, 0, BYTES(name), 0, AT(name)},
	{NULL, "tempo", CHR_KEY_REAL, 20, 400, 120, AT(tempo_bpm)},
	{NULL, "lanes", CHR_KEY_WHOLE, 1, CHR_LANES, CHR_LANES_DEFAULT, AT(lanes)},
	{NULL, "channels", CHR_KEY_WHOLE, 1, 16, 2, AT(channels)},
	{NULL, "playback", CHR_KEY_TOGGLE, 0, 1, 1, AT(playback)},
	{NULL, "timing", CHR_KEY_TIMING, 0, 1, CHR_TIMING_STEADY, AT(timing)},
	{NULL, "watchdog", CHR_KEY_WHOLE, 2, 1000, 8, AT(watchdog_periods)},
	{NULL, "verbose", CHR_KEY_TOGGLE, 0, 1, -1, AT(verbose)},
	{NULL, "restart", CHR_KEY_GROUP, 0, 0, 0, 0},
	{"restart", "count", CHR_KEY_WHOLE, 1, 100, 5, AT(restart_count)},
	{"restart", "window", CHR_KEY_REAL, 1, 3600, 10, AT(restart_window_s)},
	{NULL, "jack", CHR_KEY_GROUP, 0, 0, 0, 0},
	{"jack", "server", CHR_KEY_WORD, 0, BYTES(jack_server), 0, AT(jack_server)},
	{"jack", "device", CHR_KEY_WORD, 0, BYTES(jack_device), 0, AT(jack_device)},
	{"jack", "rate", CHR_KEY_WHOLE, 8000, 384000, 0, AT(jack_rate)},
	{"jack", "period", CHR_KEY_WHOLE, 16, 8192, 0, AT(jack_period)},
	{NULL, "osc", CHR_KEY_GROUP, 0, 0, 0, 0},
	{"osc", "host", CHR_KEY_WORD, 0, BYTES(osc_host), 0, AT(osc_host)},
	{"osc", "port", CHR_KEY_WHOLE, 1, 65535, 0, AT(osc_port)},
	{NULL, "modules", CHR_KEY_LIST, 0, 0, 0, 0},
	{NULL, "connections", CHR_KEY_LIST, 0, 0, 0, 0},
};

const unsigned chr_patch_key_count = sizeof chr_patch_key / sizeof chr_patch_key[0];

static void *field(struct chr_patch *patch, const struct chr_patch_key *key)
{
	return (char *)patch + key->offset;
}

static void put_number(struct chr_patch *patch, const struct chr_patch_key *key, double value)
{
	switch (key->kind) {
	case CHR_KEY_WHOLE:
		*(unsigned *)field(patch, key) = (unsigned)value;
		break;
	case CHR_KEY_REAL:
		*(double *)field(patch, key) = value;
		break;
	case CHR_KEY_TOGGLE:
		*(int *)field(patch, key) = (int)value;
		break;
	case CHR_KEY_TIMING:
		*(enum chr_timing *)field(patch, key) = (enum chr_timing)value;
		break;
	default:
		break;
	}
}

void chr_patch_defaults(struct chr_patch *patch)
{
	for (unsigned i = 0; i < chr_patch_key_count; i++)
		put_number(patch, &chr_patch_key[i], chr_patch_key[i].initial);
}

static void take_number(struct chr_patch_load *load, const struct chr_patch_key *key, const config_setting_t *setting)
{
	double value;

	if (key->kind == CHR_KEY_TOGGLE && config_setting_type(setting) == CONFIG_TYPE_BOOL) {
		value = config_setting_get_bool(setting) != 0;
	} else if (!chr_patch_number(setting, &value)) {
		chr_patch_problem(load, chr_patch_line(setting), "'%s' is %s, but must be %s", key->name,
				  chr_patch_kind_of(setting), key->kind == CHR_KEY_TOGGLE ? "true or false" : "a number");
		return;
	}
	if (!(value >= key->min && value <= key->max))
		chr_patch_problem(load, chr_patch_line(setting), "'%s' = %g is outside %g to %g", key->name, value, key->min,
				  key->max);
	else if (key->kind != CHR_KEY_REAL && value != trunc(value))
		chr_patch_problem(load, chr_patch_line(setting), "'%s' = %g is not a whole number", key->name, value);
	else
		put_number(load->patch, key, value);
}

static void take_text(struct chr_patch_load *load, const struct chr_patch_key *key, const config_setting_t *setting)
{
	const char *text = config_setting_get_string(setting);
	unsigned line = chr_patch_line(setting);
	size_t longest = (size_t)key->max;
	unsigned char least = key->kind == CHR_KEY_WORD ? '!' : ' ';

	if (!text) {
		chr_patch_problem(load, line, "'%s' is %s, but must be a string", key->name, chr_patch_kind_of(setting));
		return;
	}
	if (!*text || strlen(text) > longest) {
		chr_patch_problem(load, line, "'%s' is %s: 1 to %zu bytes are allowed", key->name, *text ? "too long" : "empty",
				  longest);
		return;
	}
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c >= least && *c != 127)
			continue;
		chr_patch_problem(load, line, "'%s' holds %s", key->name, *c == ' ' ? "a space" : "a control character");
		return;
	}
	if (key->kind == CHR_KEY_WORD && *text == '-')
		chr_patch_problem(load, line, "'%s' must not begin with '-'", key->name);
	else
		memcpy(field(load->patch, key), text, strlen(text) + 1);
}

static void take_timing(struct chr_patch_load *load, const struct chr_patch_key *key, const config_setting_t *setting)
{
	const char *text = config_setting_get_string(setting);

	for (int i = 0; text && i < 2; i++) {
		if (!strcmp(text, chr_timing_name[i])) {
			put_number(load->patch, key, i);
			return;
		}
	}
	chr_patch_problem(load, chr_patch_line(setting), "'%s' must be \"%s\" or \"%s\"", key->name, chr_timing_name[0],
			  chr_timing_name[1]);
}

static void take_group(struct chr_patch_load *load, const char *group, const config_setting_t *setting);

static void take_key(struct chr_patch_load *load, const struct chr_patch_key *key, const config_setting_t *setting)
{
	switch (key->kind) {
	case CHR_KEY_TEXT:
	case CHR_KEY_WORD:
		take_text(load, key, setting);
		break;
	case CHR_KEY_TIMING:
		take_timing(load, key, setting);
		break;
	case CHR_KEY_GROUP:
		if (config_setting_is_group(setting))
			take_group(load, key->name, setting);
		else
			chr_patch_problem(load, chr_patch_line(setting), "'%s' is %s, but must be a group { ... }", key->name,
					  chr_patch_kind_of(setting));
		break;
	case CHR_KEY_LIST:
		if (!config_setting_is_list(setting))
			chr_patch_problem(load, chr_patch_line(setting), "'%s' is %s, but must be a list ( ... )", key->name,
					  chr_patch_kind_of(setting));
		break;
	default:
		take_number(load, key, setting);
	}
}

static bool same_group(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

struct level {
	const char *group;
};

static const char *key_name(const void *table, unsigned i)
{
	const struct level *level = table;

	return same_group(chr_patch_key[i].group, level->group) ? chr_patch_key[i].name : NULL;
}

static void take_group(struct chr_patch_load *load, const char *group, const config_setting_t *setting)
{
	const struct level level = {group};

	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);
		const char *name = config_setting_name(member);
		unsigned k = 0;

		while (k < chr_patch_key_count &&
		       (!same_group(chr_patch_key[k].group, group) || strcmp(chr_patch_key[k].name, name) != 0))
			k++;
		if (k < chr_patch_key_count)
			take_key(load, &chr_patch_key[k], member);
		else
			chr_patch_unknown(load, chr_patch_line(member), "key", name, key_name, &level, chr_patch_key_count);
	}
}

void chr_patch_settings(struct chr_patch_load *load, const config_setting_t *root)
{
	take_group(load, NULL, root);
}
