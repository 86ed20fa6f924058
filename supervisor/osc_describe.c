/* /chronus/describe: what a module type offers, from the descriptor that a process of it published. */
#include "supervisor/osc_private.h"

#include <stdio.h>

static const char *const signal_name[] = {
	[CHR_AUDIO] = "audio",       [CHR_PITCH] = "pitch",     [CHR_GATE] = "gate",
	[CHR_UNIPOLAR] = "unipolar", [CHR_BIPOLAR] = "bipolar", [CHR_BEAT] = "beat",
};

static const char *const scale_name[] = {
	[CHR_LINEAR] = "linear",
	[CHR_LOG] = "log",
	[CHR_CHOICE] = "choice",
	[CHR_TOGGLE] = "toggle",
};

static const char *word(const char *const *words, size_t count, uint32_t i)
{
	return i < count ? words[i] : "unknown";
}

#define WORD(words, i) word(words, sizeof(words) / sizeof *(words), i)

static void add_text(lo_message message, const char *key, const char *value)
{
	lo_message_add_string(message, key);
	lo_message_add_string(message, value);
}

static void add_float(lo_message message, const char *key, float value)
{
	lo_message_add_string(message, key);
	lo_message_add_float(message, value);
}

static void reply_port(struct chr_osc *osc, const char *type, const struct chr_port_desc *port)
{
	lo_message reply = lo_message_new();

	add_text(reply, "type", type);
	add_text(reply, "name", port->name);
	add_text(reply, "direction", port->direction == CHR_IN ? "in" : "out");
	add_text(reply, "signal", WORD(signal_name, port->signal));
	add_text(reply, "help", port->help);
	chr_osc_reply(osc, CHR_OSC_ROOT "describe/port", reply);
}

static void reply_param(struct chr_osc *osc, const char *type, const struct chr_param_desc *param)
{
	char choices[CHR_CHOICES_MAX * (CHR_NAME_MAX + 1) + 1] = "";
	lo_message reply = lo_message_new();

	for (uint32_t i = 0, used = 0; i < param->choice_count && i < CHR_CHOICES_MAX; i++)
		used += (uint32_t)snprintf(choices + used, sizeof choices - used, "%s%.*s", i ? "|" : "", CHR_NAME_MAX - 1,
					   param->choice[i]);
	add_text(reply, "type", type);
	add_text(reply, "name", param->name);
	add_text(reply, "unit", param->unit);
	add_float(reply, "min", param->min);
	add_float(reply, "max", param->max);
	add_float(reply, "initial", param->initial);
	add_text(reply, "scale", WORD(scale_name, param->scale));
	add_text(reply, "choices", choices);
	add_float(reply, "smooth_ms", param->smooth_ms);
	add_text(reply, "help", param->help);
	chr_osc_reply(osc, CHR_OSC_ROOT "describe/param", reply);
}

static void reply_type(struct chr_osc *osc, const struct chr_descriptor *type)
{
	lo_message reply = lo_message_new();

	add_text(reply, "name", type->name);
	add_text(reply, "help", type->help);
	lo_message_add_string(reply, "state_bytes");
	lo_message_add_int32(reply, (int32_t)type->state_bytes);
	chr_osc_reply(osc, CHR_OSC_ROOT "describe/type", reply);
	for (uint32_t i = 0; i < type->port_count; i++)
		reply_port(osc, type->name, &type->port[i]);
	for (uint32_t i = 0; i < type->param_count; i++)
		reply_param(osc, type->name, &type->param[i]);
}

/* A type that cannot be described is told of, and the others still are. */
static void describe_installed(void *arg, const char *name)
{
	struct chr_osc *osc = arg;
	const char *why = NULL;
	const struct chr_descriptor *type = osc->host.type(osc->host.self, name, &why);

	if (type)
		reply_type(osc, type);
	else
		chr_osc_error(osc, CHR_OSC_ROOT "describe", "%.64s: %s", name, why ? why : "no such module type");
}

void chr_osc_describe(struct chr_osc *osc, const struct chr_osc_message *message)
{
	uint64_t before = osc->sent;

	if (message->count == 0) {
		osc->host.types(osc->host.self, describe_installed, osc);
	} else {
		const char *name = chr_osc_text(message->argv[0]), *why = NULL;
		const struct chr_descriptor *type = NULL;
		const struct chr_unit *unit = chr_rack_find(osc->host.rack, name);

		/* Only a legal name goes on to where files are looked for. */
		if (chr_name_legal(name))
			type = osc->host.type(osc->host.self, name, &why);
		if (!type && unit)
			type = unit->type;
		if (!type) {
			chr_osc_error(osc, message->address, "%.64s: %s", name, why ? why : "no such module type or module");
			return;
		}
		reply_type(osc, type);
	}
	chr_osc_reply_end(osc, CHR_OSC_ROOT "describe/end", before);
}
