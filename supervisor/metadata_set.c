#include "common/log.h"
#include "supervisor/metadata.h"

#include <jack/metadata.h>
#include <jack/uuid.h>
#include <string.h>

#define STEP 2 /* properties: 15 to 45 us each on jackd2 */

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
	return uuid;
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

/* A port's uuid may be that of another port of ours by now, which has the property already. */
static void clear(struct chr_metadata *metadata, jack_client_t *client, const struct chr_property *stale)
{
	for (unsigned i = 0; i < metadata->wanted.count; i++)
		if (metadata->wanted.property[i].uuid == stale->uuid && metadata->wanted.property[i].key == stale->key)
			return;
	if (look(stale->uuid, stale) == OURS)
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
