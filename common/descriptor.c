#include "common/descriptor.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Where a check stands: it fails with the first reason. */
struct check {
	char *why;
	size_t why_bytes;
};

__attribute__((format(printf, 2, 3))) static int fail(const struct check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (check->why_bytes)
		vsnprintf(check->why, check->why_bytes, format, args);
	va_end(args);
	return -EINVAL;
}

static bool name_in(const char *name, size_t bytes)
{
	if (!memchr(name, 0, bytes) || name[0] < 'a' || name[0] > 'z')
		return false;
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_'))
			return false;
	return true;
}

int chr_name_legal(const char *name)
{
	return name && name_in(name, strnlen(name, CHR_NAME_MAX - 1) + 1);
}

/* One line of text for people: terminated, no control characters. */
static bool text_in(const char *text, size_t bytes)
{
	if (!memchr(text, 0, bytes))
		return false;
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			return false;
	return true;
}

/* Is entry `i` of a table of names (`stride` bytes apart) a name that none before it bears? */
static int check_name(const struct check *check, const char *what, const void *table, size_t stride, unsigned i)
{
	const char *name = (const char *)table + i * stride;

	if (!name_in(name, CHR_NAME_MAX))
		return fail(check, "name of %s %u is not legal: [a-z][a-z0-9_]*, at most %d characters", what, i, CHR_NAME_MAX - 1);
	for (unsigned j = 0; j < i; j++)
		if (!strcmp(name, (const char *)table + j * stride))
			return fail(check, "two %ss are named '%s'", what, name);
	return 0;
}

static int check_port(const struct check *check, const struct chr_port_desc *port)
{
	if (port->direction > CHR_OUT)
		return fail(check, "port '%s': direction %u is unknown", port->name, port->direction);
	if (port->signal > CHR_BEAT)
		return fail(check, "port '%s': signal %u is unknown", port->name, port->signal);
	if (port->channel > CHR_PORTS_MAX)
		return fail(check, "port '%s': channel %u is over %d", port->name, port->channel, CHR_PORTS_MAX);
	if (!text_in(port->help, sizeof port->help))
		return fail(check, "port '%s': its help is not one line of text", port->name);
	return 0;
}

static int check_choices(const struct check *check, const struct chr_param_desc *param)
{
	if (param->scale != CHR_CHOICE)
		return param->choice_count ? fail(check, "parameter '%s': has choices but is none", param->name) : 0;
	if (param->choice_count < 1 || param->choice_count > CHR_CHOICES_MAX)
		return fail(check, "parameter '%s': needs 1 to %d choices", param->name, CHR_CHOICES_MAX);
	if (param->min != 0.0f || param->max != (float)(param->choice_count - 1))
		return fail(check, "parameter '%s': the range of its choices is 0 to %u", param->name, param->choice_count - 1);
	for (unsigned i = 0; i < param->choice_count; i++) {
		if (!text_in(param->choice[i], CHR_NAME_MAX) || !param->choice[i][0])
			return fail(check, "parameter '%s': choice %u is not a word", param->name, i);
		for (unsigned j = 0; j < i; j++)
			if (!strcmp(param->choice[i], param->choice[j]))
				return fail(check, "parameter '%s': two choices are named '%s'", param->name, param->choice[i]);
	}
	return 0;
}

static int check_param(const struct check *check, const struct chr_param_desc *param)
{
	if (param->scale > CHR_TOGGLE)
		return fail(check, "parameter '%s': scale %u is unknown", param->name, param->scale);
	if (!isfinite(param->min) || !isfinite(param->max) || param->min > param->max)
		return fail(check, "parameter '%s': its range is not one", param->name);
	if (!(param->initial >= param->min && param->initial <= param->max))
		return fail(check, "parameter '%s': its initial value is outside its range", param->name);
	if (!isfinite(param->smooth_ms) || param->smooth_ms > 60000.0f)
		return fail(check, "parameter '%s': smooth_ms is over a minute or not finite", param->name);
	if (param->scale == CHR_LOG && param->min <= 0.0f)
		return fail(check, "parameter '%s': a logarithmic range begins above 0", param->name);
	if (param->scale == CHR_TOGGLE && (param->min != 0.0f || param->max != 1.0f))
		return fail(check, "parameter '%s': the range of a toggle is 0 to 1", param->name);
	if ((param->scale == CHR_TOGGLE || param->scale == CHR_CHOICE) && param->initial != rintf(param->initial))
		return fail(check, "parameter '%s': its initial value is not a whole number", param->name);
	if (!text_in(param->unit, sizeof param->unit) || !text_in(param->help, sizeof param->help))
		return fail(check, "parameter '%s': its unit or help is not one line of text", param->name);
	return check_choices(check, param);
}

static int check_head(const struct check *check, const struct chr_descriptor *desc)
{
	if (desc->abi != CHR_MODULE_ABI)
		return fail(check, "was built for module ABI %u, this Chronus has %d", desc->abi, CHR_MODULE_ABI);
	if (!name_in(desc->name, sizeof desc->name))
		return fail(check, "its name is not legal: [a-z][a-z0-9_]*, at most %d characters", CHR_NAME_MAX - 1);
	if (!text_in(desc->help, sizeof desc->help))
		return fail(check, "its help is not one line of text");
	if (desc->state_bytes > CHR_STATE_MAX)
		return fail(check, "%u bytes of state are over %d", desc->state_bytes, CHR_STATE_MAX);
	if (desc->flags & ~CHR_MODULE_OUT)
		return fail(check, "flags 0x%x are unknown", desc->flags);
	if (desc->port_count > CHR_PORTS_MAX)
		return fail(check, "%u ports are over %d", desc->port_count, CHR_PORTS_MAX);
	if (desc->param_count > CHR_PARAMS_MAX)
		return fail(check, "%u parameters are over %d", desc->param_count, CHR_PARAMS_MAX);
	if (desc->meter_count > CHR_METERS_MAX)
		return fail(check, "%u meters are over %d", desc->meter_count, CHR_METERS_MAX);
	return 0;
}

int chr_descriptor_check(const struct chr_descriptor *desc, char *why, size_t why_bytes)
{
	struct check check = {.why = why, .why_bytes = why_bytes};
	int rc;

	if (why_bytes)
		why[0] = 0;
	rc = check_head(&check, desc);

	for (unsigned i = 0; !rc && i < desc->port_count; i++) {
		rc = check_name(&check, "port", desc->port, sizeof desc->port[0], i);
		if (!rc)
			rc = check_port(&check, &desc->port[i]);
	}
	for (unsigned i = 0; !rc && i < desc->param_count; i++) {
		rc = check_name(&check, "parameter", desc->param, sizeof desc->param[0], i);
		if (!rc)
			rc = check_param(&check, &desc->param[i]);
	}
	for (unsigned i = 0; !rc && i < desc->meter_count; i++)
		rc = check_name(&check, "meter", desc->meter, sizeof desc->meter[0], i);
	return rc;
}

/* Copies a text into its field; a missing one is empty. */
static int take(const struct check *check, const char *what, char *to, size_t bytes, const char *from)
{
	size_t length = from ? strlen(from) : 0;

	if (length >= bytes)
		return fail(check, "%s '%.40s' is longer than %zu characters", what, from, bytes - 1);
	if (from)
		memcpy(to, from, length + 1);
	return 0;
}

static int take_param(const struct check *check, struct chr_param_desc *to, const struct chr_param *from)
{
	to->min = from->min;
	to->max = from->max;
	to->initial = from->initial;
	to->scale = (uint32_t)from->scale;
	to->smooth_ms = from->smooth_ms;
	for (const char *const *choice = from->choices; choice && *choice; choice++) {
		if (to->choice_count == CHR_CHOICES_MAX)
			return fail(check, "parameter '%s': more than %d choices", to->name, CHR_CHOICES_MAX);
		if (take(check, "choice", to->choice[to->choice_count++], CHR_NAME_MAX, *choice))
			return -EINVAL;
	}
	/* The range of a choice or a toggle follows from what it is; a table need not repeat it. */
	if (from->min == 0.0f && from->max == 0.0f) {
		if (from->scale == CHR_CHOICE && to->choice_count)
			to->max = (float)(to->choice_count - 1);
		else if (from->scale == CHR_TOGGLE)
			to->max = 1.0f;
	}
	if (take(check, "unit", to->unit, sizeof to->unit, from->unit))
		return -EINVAL;
	return take(check, "help", to->help, sizeof to->help, from->help);
}

static int take_tables(const struct check *check, struct chr_descriptor *desc, const struct chr_module *module)
{
	for (unsigned i = 0; i < module->port_count; i++) {
		const struct chr_port *port = &module->ports[i];

		if (take(check, "port name", desc->port[i].name, CHR_NAME_MAX, port->name) ||
		    take(check, "help", desc->port[i].help, CHR_HELP_MAX, port->help))
			return -EINVAL;
		desc->port[i].direction = (uint32_t)port->direction;
		desc->port[i].signal = (uint32_t)port->signal;
		desc->port[i].channel = port->channel;
	}
	for (unsigned i = 0; i < module->param_count; i++)
		if (take(check, "parameter name", desc->param[i].name, CHR_NAME_MAX, module->params[i].name) ||
		    take_param(check, &desc->param[i], &module->params[i]))
			return -EINVAL;
	for (unsigned i = 0; i < module->meter_count; i++) {
		const struct chr_meter *meter = &module->meters[i];

		if (take(check, "meter name", desc->meter[i], CHR_NAME_MAX, meter->name))
			return -EINVAL;
		if (meter->offset % sizeof(uint32_t) || meter->offset > module->state_bytes ||
		    module->state_bytes - meter->offset < sizeof(uint32_t))
			return fail(check, "meter '%s': its place is not a word of the state", meter->name);
	}
	return 0;
}

int chr_descriptor_make(struct chr_descriptor *desc, const struct chr_module *module, char *why, size_t why_bytes)
{
	const struct check check = {why, why_bytes};

	memset(desc, 0, sizeof *desc);
	desc->abi = module->abi;
	if (module->abi != CHR_MODULE_ABI) /* nothing after the first word can be believed */
		return fail(&check, "was built for module ABI %u, this Chronus has %d", module->abi, CHR_MODULE_ABI);
	if (!module->process)
		return fail(&check, "has no process function");
	desc->state_version = module->state_version;
	desc->state_bytes = module->state_bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)module->state_bytes;
	desc->flags = module->flags;
	desc->sound_version = module->sound_version;
	desc->port_count = module->port_count;
	desc->param_count = module->param_count;
	desc->meter_count = module->meter_count;
	if (take(&check, "name", desc->name, sizeof desc->name, module->name) ||
	    take(&check, "help", desc->help, sizeof desc->help, module->help) || check_head(&check, desc) ||
	    take_tables(&check, desc, module))
		return -EINVAL;
	return chr_descriptor_check(desc, why, why_bytes);
}

int chr_descriptor_port(const struct chr_descriptor *desc, const char *name)
{
	for (unsigned i = 0; i < desc->port_count; i++)
		if (!strcmp(desc->port[i].name, name))
			return (int)i;
	return -ENOENT;
}

int chr_descriptor_param(const struct chr_descriptor *desc, const char *name)
{
	for (unsigned i = 0; i < desc->param_count; i++)
		if (!strcmp(desc->param[i].name, name))
			return (int)i;
	return -ENOENT;
}

bool chr_descriptor_params_begin(const struct chr_descriptor *a, const struct chr_descriptor *b)
{
	unsigned both = a->param_count < b->param_count ? a->param_count : b->param_count;
	for (unsigned i = 0; i < both; i++)
		if (strcmp(a->param[i].name, b->param[i].name) || a->param[i].scale != b->param[i].scale)
			return false;
	return true;
}

bool chr_descriptor_same_ports(const struct chr_descriptor *a, const struct chr_descriptor *b)
{
	if (a->port_count != b->port_count)
		return false;
	for (unsigned i = 0; i < a->port_count; i++)
		if (strcmp(a->port[i].name, b->port[i].name) || a->port[i].direction != b->port[i].direction ||
		    a->port[i].channel != b->port[i].channel)
			return false;
	return true;
}

int chr_param_accept(const struct chr_param_desc *param, float *value)
{
	if (!(*value >= param->min && *value <= param->max))
		return -ERANGE;
	if (param->scale == CHR_CHOICE || param->scale == CHR_TOGGLE)
		*value = rintf(*value);
	return 0;
}

float chr_param_nearest(const struct chr_param_desc *param, float value)
{
	value = fminf(fmaxf(value, param->min), param->max);
	chr_param_accept(param, &value);
	return value;
}

int chr_param_choice(const struct chr_param_desc *param, const char *name)
{
	for (unsigned i = 0; i < param->choice_count; i++)
		if (!strcmp(param->choice[i], name))
			return (int)i;
	return -ENOENT;
}
