#include "supervisor/metadata.h"

#include "supervisor/process.h"

#include <errno.h>
#include <jack/metadata.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT    "text/plain"
#define INTEGER "http://www.w3.org/2001/XMLSchema#integer"
#define DECIMAL "http://www.w3.org/2001/XMLSchema#float"

static const char *const minimum = "http://lv2plug.in/ns/lv2core#minimum";
static const char *const maximum = "http://lv2plug.in/ns/lv2core#maximum";

static const struct {
	const char *const *uri;
	const char *type;
} keys[] = {
	[CHR_PROPERTY_PRETTY_NAME] = {&JACK_METADATA_PRETTY_NAME, TEXT},
	[CHR_PROPERTY_ICON_NAME] = {&JACK_METADATA_ICON_NAME, TEXT},
	[CHR_PROPERTY_SIGNAL_TYPE] = {&JACK_METADATA_SIGNAL_TYPE, TEXT},
	[CHR_PROPERTY_ORDER] = {&JACK_METADATA_ORDER, INTEGER},
	[CHR_PROPERTY_MINIMUM] = {&minimum, DECIMAL},
	[CHR_PROPERTY_MAXIMUM] = {&maximum, DECIMAL},
};

/* Volts, by enum chr_signal; those of VCV Rack. NULL: audio. */
static const struct {
	const char *min, *max;
} range[] = {
	[CHR_AUDIO] = {NULL, NULL},       [CHR_PITCH] = {"-10.0", "10.0"}, [CHR_GATE] = {"0.0", "10.0"},
	[CHR_UNIPOLAR] = {"0.0", "10.0"}, [CHR_BIPOLAR] = {"-5.0", "5.0"}, [CHR_BEAT] = {"0.0", "1.0"},
};

const char *chr_property_uri(enum chr_property_key key)
{
	return *keys[key].uri;
}

const char *chr_property_type(enum chr_property_key key)
{
	return keys[key].type;
}

/* A port of an instance: of the module's table, or the clock that every client has. */
struct port {
	const char *name;
	uint32_t signal;
	unsigned place;
};

static void add(struct chr_properties *list, const struct chr_instance *instance, const char *port, enum chr_property_key key,
		const char *value)
{
	if (list->count == CHR_PROPERTIES_MAX)
		return;
	struct chr_property *property = &list->property[list->count++];
	*property = (struct chr_property){.key = key, .birth = instance->process ? instance->process->born_pid : 0};
	snprintf(property->subject, sizeof property->subject, "%s%s%s", instance->client, port ? ":" : "", port ? port : "");
	snprintf(property->value, sizeof property->value, "%s", value);
}

static void add_client(struct chr_properties *list, const struct chr_unit *unit, const struct chr_instance *instance)
{
	char pretty[CHR_NAME_MAX + 16];
	bool out = unit->type->flags & CHR_MODULE_OUT;
	snprintf(pretty, sizeof pretty, "%s%s", unit->name, instance->lane ? " (standby)" : "");
	add(list, instance, NULL, CHR_PROPERTY_PRETTY_NAME, pretty);
	add(list, instance, NULL, CHR_PROPERTY_ICON_NAME, out ? "audio-speakers" : "audio-x-generic");
}

static void add_port(struct chr_properties *list, const struct chr_instance *instance, const struct port *port,
		     enum chr_property_key key)
{
	char place[16];
	bool voltage = range[port->signal].min;
	snprintf(place, sizeof place, "%u", port->place);
	switch (key) {
	case CHR_PROPERTY_SIGNAL_TYPE:
		if (voltage)
			add(list, instance, port->name, key, "CV");
		break;
	case CHR_PROPERTY_ORDER:
		add(list, instance, port->name, key, place);
		break;
	case CHR_PROPERTY_MINIMUM:
		if (voltage)
			add(list, instance, port->name, key, range[port->signal].min);
		break;
	case CHR_PROPERTY_MAXIMUM:
		if (voltage)
			add(list, instance, port->name, key, range[port->signal].max);
		break;
	default:
		break;
	}
}

static void add_instance(struct chr_properties *list, const struct chr_rack *rack, const struct chr_unit *unit,
			 const struct chr_instance *instance, enum chr_property_key key)
{
	const struct chr_descriptor *type = unit->type;
	if (key == CHR_PROPERTY_PRETTY_NAME) {
		add_client(list, unit, instance);
		return;
	}
	for (unsigned i = 0; i < type->port_count; i++)
		if (type->port[i].channel <= rack->patch->channels)
			add_port(list, instance, &(struct port){type->port[i].name, type->port[i].signal, i}, key);
	if (chr_descriptor_port(type, "clock") < 0)
		add_port(list, instance, &(struct port){"clock", CHR_BEAT, type->port_count}, key);
}

int chr_properties_make(const struct chr_rack *rack, struct chr_properties *list)
{
	/* what is missed most comes first */
	static const enum chr_property_key rank[] = {CHR_PROPERTY_PRETTY_NAME, CHR_PROPERTY_SIGNAL_TYPE, CHR_PROPERTY_ORDER,
						     CHR_PROPERTY_MINIMUM, CHR_PROPERTY_MAXIMUM};
	*list = (struct chr_properties){.property = malloc(CHR_PROPERTIES_MAX * sizeof *list->property)};
	if (!list->property)
		return -ENOMEM;
	for (unsigned k = 0; k < sizeof rank / sizeof rank[0]; k++)
		for (unsigned i = 0; i < rack->unit_count; i++)
			for (unsigned lane = 0; lane < CHR_LANES; lane++) {
				const struct chr_instance *instance = &rack->unit[i]->instance[lane];
				if (instance->state != CHR_INSTANCE_NONE)
					add_instance(list, rack, rack->unit[i], instance, rank[k]);
			}
	return 0;
}

void chr_properties_finish(struct chr_properties *list)
{
	free(list->property);
	*list = (struct chr_properties){0};
}
