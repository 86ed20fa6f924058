#include "tests/lib/edges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *chr_edge_text(const char *from, const char *to)
{
	static char text[2 * CHR_EDGE_END];
	snprintf(text, sizeof text, "%.90s -> %.90s", from, to);
	return text;
}

void chr_edge_ends(const char *text, char from[CHR_EDGE_END], char to[CHR_EDGE_END])
{
	if (sscanf(text, "%95s -> %95s", from, to) != 2)
		abort();
}

bool chr_edge_is_of(const char *end, const char *client)
{
	size_t length = strlen(client);
	return strncmp(end, client, length) == 0 && end[length] == ':';
}

static int find(const struct chr_edge_set *set, const char *text)
{
	for (unsigned i = 0; i < set->count; i++)
		if (strcmp(set->edge[i], text) == 0)
			return (int)i;
	return -1;
}

bool chr_edge_set_has(const struct chr_edge_set *set, const char *text)
{
	return find(set, text) >= 0;
}

void chr_edge_set_put(struct chr_edge_set *set, const char *text)
{
	if (find(set, text) >= 0)
		return;
	if (set->count == CHR_EDGE_SET_MAX)
		abort();
	strcpy(set->edge[set->count++], text);
}

void chr_edge_set_take(struct chr_edge_set *set, const char *text)
{
	int at = find(set, text);
	if (at >= 0)
		memmove(set->edge[at], set->edge[--set->count], sizeof set->edge[0]);
}

void chr_edge_set_read(struct chr_edge_set *set, jack_client_t *client)
{
	const char **port = jack_get_ports(client, NULL, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput);
	for (unsigned i = 0; port && port[i]; i++) {
		jack_port_t *from = jack_port_by_name(client, port[i]);
		const char **to = from ? jack_port_get_all_connections(client, from) : NULL;
		for (unsigned k = 0; to && to[k]; k++)
			chr_edge_set_put(set, chr_edge_text(port[i], to[k]));
		jack_free(to);
	}
	jack_free(port);
}

const char *chr_edge_set_difference(const struct chr_edge_set *wanted, const struct chr_edge_set *got)
{
	static char text[8192];
	size_t at = 0;
	text[0] = 0;
	for (unsigned i = 0; i < wanted->count && at < sizeof text - 256; i++)
		if (find(got, wanted->edge[i]) < 0)
			at += (size_t)sprintf(text + at, "lost: %s\n", wanted->edge[i]);
	for (unsigned i = 0; i < got->count && at < sizeof text - 256; i++)
		if (find(wanted, got->edge[i]) < 0)
			at += (size_t)sprintf(text + at, "invented: %s\n", got->edge[i]);
	return text;
}
