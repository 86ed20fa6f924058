#include "common/log.h"
#include "supervisor/metadata.h"

#include <jack/metadata.h>
#include <jack/uuid.h>
#include <stdio.h>
#include <string.h>

#define STEP   2   /* properties: 15 to 45 us each on jackd2 */
#define SEARCH 512 /* numbers between a client and its last port */

static bool is_pipewire(void)
{
	return strstr(jack_get_version_string(), "PipeWire");
}

/* PipeWire's library knows objects that are gone for a while longer, and names such a client before the one that came back under its name. It numbers
 * clients and ports in the order in which they come: a client is the last one of its name before its port. */
static jack_uuid_t newest_of_name(jack_client_t *client, const char *name, jack_uuid_t oldest)
{
	char text[JACK_UUID_STRING_SIZE], clock[CHR_SUBJECT_MAX + 8];
	snprintf(clock, sizeof clock, "%s:clock", name);
	jack_port_t *port = jack_port_by_name(client, clock);
	uint32_t from = port ? (uint32_t)jack_port_uuid(port) : 0, to = from > SEARCH ? from - SEARCH : 0;
	for (uint32_t number = from; number > to; number--) {
		jack_uuid_t uuid = oldest - (uint32_t)oldest + number;
		jack_uuid_unparse(uuid, text);
		char *found = jack_get_client_name_by_uuid(client, text);
		bool same = found && !strcmp(found, name);
		jack_free(found);
		if (same)
			return uuid;
	}
	return 0;
}

static jack_uuid_t uuid_of(jack_client_t *client, const char *subject)
{
	jack_uuid_t uuid = 0;
	if (strchr(subject, ':')) {
		jack_port_t *port = jack_port_by_name(client, subject);
		return port ? jack_port_uuid(port) : 0;
	}
	char *text = jack_get_uuid_for_client_name(client, subject);
	if (!text || jack_uuid_parse(text, &uuid))
		uuid = 0;
	jack_free(text);
	return uuid && is_pipewire() ? newest_of_name(client, subject, uuid) : uuid;
}

enum found { NOTHING, OURS, ANOTHER };

/* What stands there, as far as this process knows. */
static enum found look(jack_uuid_t uuid, const struct chr_property *property)
{
	char *value = NULL, *type = NULL;
	if (jack_get_property(uuid, chr_property_uri(property->key), &value, &type) || !value)
		return NOTHING;
	enum found found = strcmp(value, property->value) ? ANOTHER : OURS;
	jack_free(value);
	jack_free(type);
	return found;
}

static bool same(const struct chr_property *a, const struct chr_property *b)
{
	return a->key == b->key && a->birth == b->birth && !strcmp(a->subject, b->subject) && !strcmp(a->value, b->value);
}

void chr_metadata_want(struct chr_metadata *metadata, struct chr_properties *list)
{
	struct chr_properties *old = &metadata->wanted;
	unsigned at = 0; /* the lists are nearly always in step */
	for (unsigned i = 0; i < list->count; i++)
		for (unsigned tries = 0; tries < old->count; tries++, at++) {
			struct chr_property *before = &old->property[at % old->count];
			if (!before->uuid || !same(before, &list->property[i]))
				continue;
			list->property[i].uuid = before->uuid;
			before->uuid = 0;
			break;
		}
	for (unsigned i = 0; i < old->count; i++)
		if (old->property[i].uuid && metadata->stale_count < CHR_PROPERTIES_MAX)
			metadata->stale[metadata->stale_count++] = old->property[i];
	chr_properties_finish(old);
	*old = *list;
	*list = (struct chr_properties){0};
	metadata->next = 0;
}

static void set(struct chr_metadata *metadata, jack_client_t *client, struct chr_property *property)
{
	jack_uuid_t uuid = uuid_of(client, property->subject);
	/* set before, in the life of this client: what stands there now, if anything does, is ours or a person's */
	if (!uuid || (uuid == property->uuid && look(uuid, property) != NOTHING))
		return;
	if (jack_set_property(client, uuid, chr_property_uri(property->key), property->value, chr_property_type(property->key))) {
		chr_debug("the JACK server keeps no metadata: patchbays show plain names");
		metadata->off = true;
		return;
	}
	property->uuid = uuid;
}

/* A port's uuid may be that of another port of ours by now, which has the property already. PipeWire forgets by itself what was told of those that are
 * gone, and its library before 1.0.4 takes the property away from another one: it asks by the number in the uuid, which the server never knew. */
static void clear(struct chr_metadata *metadata, jack_client_t *client, const struct chr_property *stale)
{
	for (unsigned i = 0; i < metadata->wanted.count; i++)
		if (metadata->wanted.property[i].uuid == stale->uuid && metadata->wanted.property[i].key == stale->key)
			return;
	if (!is_pipewire() && look(stale->uuid, stale) == OURS)
		jack_remove_property(client, stale->uuid, chr_property_uri(stale->key));
}

bool chr_metadata_step(struct chr_metadata *metadata, jack_client_t *client)
{
	chr_log_hush(); /* libjack's database speaks to standard error */
	for (unsigned i = 0; i < STEP && !metadata->off; i++)
		if (metadata->stale_count)
			clear(metadata, client, &metadata->stale[--metadata->stale_count]);
		else if (metadata->next < metadata->wanted.count)
			set(metadata, client, &metadata->wanted.property[metadata->next++]);
	chr_log_unhush();
	return !metadata->off && (metadata->next < metadata->wanted.count || metadata->stale_count);
}

void chr_metadata_forget(struct chr_metadata *metadata)
{
	chr_properties_finish(&metadata->wanted);
	metadata->next = metadata->stale_count = 0;
	metadata->off = false;
}
