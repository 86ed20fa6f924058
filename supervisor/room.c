#include "supervisor/room.h"

#include <stdio.h>
#include <string.h>

unsigned chr_room_clients(const struct chr_patch *patch)
{
	return patch->module_count * patch->lanes + 1;
}

unsigned chr_room_ports(const struct chr_patch *patch, chr_patch_types types, void *types_self)
{
	unsigned count = 0;
	for (unsigned i = 0; i < patch->module_count; i++) {
		const char *why;
		const struct chr_descriptor *type = types(types_self, patch->module[i].type, patch->module[i].file, &why);
		for (unsigned k = 0; type && k < type->port_count; k++)
			count += type->port[k].channel <= patch->channels;
		count += type && chr_descriptor_port(type, "clock") < 0; /* every client has one */
	}
	return count * patch->lanes;
}

unsigned chr_room_ports_to_ask(unsigned ports)
{
	unsigned ask = CHR_ROOM_PORTS_LOW;
	while (ask < ports + ports / 4 + 64 && ask < CHR_ROOM_PORTS)
		ask += CHR_ROOM_PORTS_LOW / 2;
	return ask;
}

/* Other programs' clients, as far as they have ports, and all ports. */
static void count_others(jack_client_t *client, unsigned *clients, unsigned *ports)
{
	const char **port = jack_get_ports(client, NULL, NULL, 0);
	*clients = 0;
	for (*ports = 0; port && port[*ports]; (*ports)++) {
		size_t length = strcspn(port[*ports], ":") + 1;
		bool known = !strncmp(port[*ports], "system:", length); /* jackd's own */
		for (unsigned i = 0; i < *ports && !known; i++)
			known = !strncmp(port[*ports], port[i], length);
		*clients += !known;
	}
	jack_free(port);
}

bool chr_room_check(jack_client_t *client, unsigned clients, unsigned ports, char why[CHR_TEXT_MAX])
{
	unsigned other_clients, other_ports;
	if (strstr(jack_get_version_string(), "PipeWire"))
		return true;
	count_others(client, &other_clients, &other_ports);
	if (clients + other_clients > CHR_ROOM_CLIENTS) {
		snprintf(why, CHR_TEXT_MAX,
			 "the patch needs %u clients of the JACK server, which has room for %u, and others have %u: use lanes = 1 "
			 "or "
			 "fewer modules, or PipeWire",
			 clients, CHR_ROOM_CLIENTS, other_clients);
		return false;
	}
	if (ports + other_ports > CHR_ROOM_PORTS) {
		snprintf(why, CHR_TEXT_MAX,
			 "the patch needs %u ports of the JACK server, which has room for %u, and others have %u: use lanes = 1 or "
			 "fewer modules, or PipeWire",
			 ports, CHR_ROOM_PORTS, other_ports);
		return false;
	}
	return true;
}
