/* /<module>/<param>: finds what an address means, checks the value against every parameter it means, then sets them all or none.
 *
 * An address without a pattern is found by its hash: the table holds hints (unit, parameter) that are compared by name before they
 * are used, so that a hint can be old or wrong but never lead astray.
 */
#include "supervisor/osc_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define RAMP_MAX_MS 60000
#define STARS_MAX   4 /* in one part of a pattern: matching takes exponential time in their number */

/* Hash of an address; 0 for one with a pattern in it. */
static uint32_t plain_hash(const char *address)
{
	uint32_t hash = 2166136261u;

	for (const char *c = address; *c; c++) {
		switch (*c) {
		case '*':
		case '?':
		case '[':
		case ']':
		case '{':
		case '}':
			return 0;
		default:
			hash = (hash ^ (unsigned char)*c) * 16777619u;
		}
	}
	return hash | 1;
}

/* Does the address, after its first '/', say this unit and parameter? */
static bool says(const char *address, const struct chr_unit *unit, unsigned param)
{
	size_t length = strlen(unit->name);

	return strncmp(address + 1, unit->name, length) == 0 && address[1 + length] == '/' &&
	       strcmp(address + 2 + length, unit->type->param[param].name) == 0;
}

static void explain(struct chr_osc *osc, const char *address)
{
	const char *slash = strchr(address + 1, '/');
	char name[CHR_OSC_ADDRESS_MAX];

	if (!slash) {
		chr_osc_error(osc, address, "not an address of the form /module/param");
		return;
	}
	snprintf(name, sizeof name, "%.*s", (int)(slash - address - 1), address + 1);
	if (chr_rack_find(osc->host.rack, name))
		chr_osc_error(osc, address, "module %s has no parameter %s", name, slash + 1);
	else
		chr_osc_error(osc, address, "no module %s", name);
}

static bool find_slowly(const struct chr_rack *rack, const char *address, unsigned *unit, unsigned *param)
{
	for (*unit = 0; *unit < rack->unit_count; ++*unit) {
		for (*param = 0; *param < rack->unit[*unit]->type->param_count; ++*param) {
			if (says(address, rack->unit[*unit], *param))
				return true;
		}
	}
	return false;
}

/* Makes the one target of a plain address. False after an error. */
static bool find_plain(struct chr_osc *osc, const char *address, uint32_t hash)
{
	const struct chr_rack *rack = osc->host.rack;
	unsigned slot = (hash ^ hash >> 16) % CHR_OSC_ROUTES, unit = osc->route[slot].unit, param = osc->route[slot].param;

	if (!osc->route[slot].used || unit >= rack->unit_count || param >= rack->unit[unit]->type->param_count ||
	    !says(address, rack->unit[unit], param)) {
		if (!find_slowly(rack, address, &unit, &param)) {
			explain(osc, address);
			return false;
		}
		osc->route[slot].unit = (uint8_t)unit;
		osc->route[slot].param = (uint8_t)param;
		osc->route[slot].used = 1;
	}
	osc->target[0] = (struct chr_osc_target){.unit = rack->unit[unit], .param = param};
	osc->target_count = 1;
	return true;
}

/* What is wrong with one part of a pattern, or NULL: every bracket closed, nothing nested, few stars. */
static const char *pattern_fault(const char *part)
{
	unsigned stars = 0;

	for (const char *c = part; *c; c++) {
		const char *end;

		if (*c == '*' && c[1] != '*')
			stars++;
		if (*c == ']' || *c == '}' || *c == '\\')
			return "a pattern's brackets do not match";
		if (*c != '[' && *c != '{')
			continue;
		end = strpbrk(c + 1, *c == '[' ? "]" : "}");
		if (!end || end == c + 1 || strcspn(c + 1, "[{*?\\") < (size_t)(end - c - 1))
			return "a pattern's brackets do not match";
		c = end;
	}
	return stars > STARS_MAX ? "too many stars in a pattern" : NULL;
}

/* Splits a pattern into its two parts, each with spare zeros behind it. NULL, or what is wrong. */
static const char *split_pattern(const char *address, char module[static CHR_OSC_ADDRESS_MAX + 8],
				 char param[static CHR_OSC_ADDRESS_MAX + 8])
{
	const char *slash = strchr(address + 1, '/'), *wrong;

	if (!slash || strchr(slash + 1, '/') || slash == address + 1 || !slash[1])
		return "not an address of the form /module/param";
	memset(module, 0, CHR_OSC_ADDRESS_MAX + 8);
	memset(param, 0, CHR_OSC_ADDRESS_MAX + 8);
	memcpy(module, address + 1, (size_t)(slash - address - 1));
	memcpy(param, slash + 1, strlen(slash + 1));
	wrong = pattern_fault(module);
	return wrong ? wrong : pattern_fault(param);
}

static bool find_matches(struct chr_osc *osc, const char *address)
{
	char module[CHR_OSC_ADDRESS_MAX + 8], param[CHR_OSC_ADDRESS_MAX + 8];
	const struct chr_rack *rack = osc->host.rack;
	const char *wrong = split_pattern(address, module, param);

	osc->target_count = 0;
	for (unsigned u = 0; !wrong && u < rack->unit_count; u++) {
		struct chr_unit *unit = rack->unit[u];

		if (!lo_pattern_match(unit->name, module))
			continue;
		for (unsigned p = 0; p < unit->type->param_count && osc->target_count < CHR_OSC_TARGETS_MAX; p++) {
			if (lo_pattern_match(unit->type->param[p].name, param))
				osc->target[osc->target_count++] = (struct chr_osc_target){.unit = unit, .param = p};
		}
	}
	if (!wrong && osc->target_count == 0 && !strpbrk(module, "*?[{") && !chr_rack_find(osc->host.rack, module)) {
		explain(osc, address);
		return false;
	}
	if (!wrong && osc->target_count == 0)
		wrong = "nothing matches the pattern";
	if (wrong)
		chr_osc_error(osc, address, "%s", wrong);
	return !wrong;
}

/* Names of a choice, separated by '|'. */
static const char *choices(const struct chr_param_desc *param, char *text, size_t bytes)
{
	size_t used = 0;

	text[0] = 0;
	for (unsigned i = 0; i < param->choice_count && used < bytes; i++)
		used += (size_t)snprintf(text + used, bytes - used, "%s%s", i ? "|" : "", param->choice[i]);
	return text;
}

/* The target's value from a number. False after an error. */
static bool accept_number(struct chr_osc *osc, const char *address, struct chr_osc_target *target, double number)
{
	const struct chr_param_desc *param = &target->unit->type->param[target->param];

	target->value = (float)number;
	if (!isfinite(number))
		chr_osc_error(osc, address, "%s/%s: not a finite number", target->unit->name, param->name);
	else if (chr_param_accept(param, &target->value) < 0)
		chr_osc_error(osc, address, "%s/%s: %g is outside %g..%g%s%s", target->unit->name, param->name, number,
			      (double)param->min, (double)param->max, param->unit[0] ? " " : "", param->unit);
	else
		return true;
	return false;
}

static bool accept_value(struct chr_osc *osc, const struct chr_osc_message *message, struct chr_osc_target *target)
{
	const struct chr_param_desc *param = &target->unit->type->param[target->param];
	char names[CHR_TEXT_MAX];
	double number;

	if (chr_osc_number(message->types[0], message->argv[0], &number))
		return accept_number(osc, message->address, target, number);
	if (message->types[0] != 's' && message->types[0] != 'S')
		chr_osc_error(osc, message->address, "%s/%s: a value is a number, not of type %c", target->unit->name, param->name,
			      message->types[0]);
	else if (param->scale != CHR_CHOICE)
		chr_osc_error(osc, message->address, "%s/%s: a value is a number", target->unit->name, param->name);
	else if (chr_param_choice(param, chr_osc_text(message->argv[0])) < 0)
		chr_osc_error(osc, message->address, "%s/%s: not one of %s", target->unit->name, param->name,
			      choices(param, names, sizeof names));
	else {
		target->value = (float)chr_param_choice(param, chr_osc_text(message->argv[0]));
		return true;
	}
	return false;
}

/* The second argument in frames, as struct chr_event has it. False after an error. */
static bool read_ramp(struct chr_osc *osc, const struct chr_osc_message *message, uint32_t *frames)
{
	double ms;

	*frames = 0;
	if (message->count < 2)
		return true;
	if (message->count > 2) {
		chr_osc_error(osc, message->address, "takes a value and a ramp in ms, no more");
		return false;
	}
	if (!chr_osc_number(message->types[1], message->argv[1], &ms) || !(ms >= 0 && ms <= RAMP_MAX_MS)) {
		chr_osc_error(osc, message->address, "a ramp is a number of 0..%d ms", RAMP_MAX_MS);
		return false;
	}
	*frames = (uint32_t)lround(ms * osc->host.rack->sample_rate / 1000);
	if (*frames == 0)
		*frames = CHR_RAMP_STEP;
	return true;
}

/* Sets all targets to their values: from here on nothing can be refused. */
static void set_targets(struct chr_osc *osc, const struct chr_osc_message *message, uint32_t ramp, const struct chr_osc_when *when)
{
	struct chr_rack *rack = osc->host.rack;

	bool scheduled = chr_frames_diff(when->frame, osc->now) > (int32_t)(rack->sample_rate * CHR_HORIZON_MS / 1000);

	if (scheduled && rack->schedule.count + osc->target_count > CHR_SCHEDULE_MAX) {
		chr_osc_error(osc, message->address, "too many events wait for their time");
		return;
	}
	rack->totals.received++;
	for (unsigned i = 0; i < osc->target_count; i++) {
		const struct chr_osc_target *target = &osc->target[i];

		chr_rack_set(rack, target->unit, target->param, target->value, ramp, when->frame, osc->now);
	}
}

lo_message chr_osc_value_message(const struct chr_unit *unit, unsigned param, char *path)
{
	const struct chr_param_desc *desc = &unit->type->param[param];
	float value = unit->value[param];
	lo_message message = lo_message_new();

	snprintf(path, CHR_OSC_ADDRESS_MAX, "/%s/%s", unit->name, desc->name);
	if (desc->scale == CHR_CHOICE && value >= 0 && (unsigned)value < desc->choice_count)
		lo_message_add_string(message, desc->choice[(unsigned)value]);
	else if (desc->scale == CHR_TOGGLE)
		lo_message_add_int32(message, value != 0);
	else
		lo_message_add_float(message, value);
	return message;
}

static void answer_targets(struct chr_osc *osc)
{
	char path[CHR_OSC_ADDRESS_MAX];

	for (unsigned i = 0; i < osc->target_count; i++) {
		lo_message message = chr_osc_value_message(osc->target[i].unit, osc->target[i].param, path);

		chr_osc_reply(osc, path, message);
	}
}

void chr_osc_route(struct chr_osc *osc, const struct chr_osc_message *message, const struct chr_osc_when *when)
{
	uint32_t hash = plain_hash(message->address), ramp;

	if (!(hash ? find_plain(osc, message->address, hash) : find_matches(osc, message->address)))
		return;
	if (message->count == 0) {
		answer_targets(osc);
		return;
	}
	if (!read_ramp(osc, message, &ramp))
		return;
	for (unsigned i = 0; i < osc->target_count; i++) {
		if (!accept_value(osc, message, &osc->target[i]))
			return;
	}
	set_targets(osc, message, ramp, when);
}
