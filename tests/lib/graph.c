#include "tests/lib/graph.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool belongs(const char *port, const char *client)
{
	size_t n = client ? strlen(client) : 0;
	return client && strncmp(port, client, n) == 0 && port[n] == ':';
}

char *chr_graph_text(jack_client_t *client, const char *but)
{
	char *line[4096] = {0}, *text = NULL;
	size_t count = 0, bytes = 0;
	const char **ports = jack_get_ports(client, NULL, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput);
	for (size_t p = 0; ports && ports[p]; p++) {
		jack_port_t *port = jack_port_by_name(client, ports[p]);
		const char **sinks = port ? jack_port_get_all_connections(client, port) : NULL;
		for (size_t s = 0; sinks && sinks[s] && count < sizeof line / sizeof *line; s++)
			if (!belongs(ports[p], but) && !belongs(sinks[s], but) &&
			    asprintf(&line[count], "%s -> %s\n", ports[p], sinks[s]) > 0)
				count++;
		jack_free(sinks);
	}
	jack_free(ports);
	qsort(line, count, sizeof *line, by_text);
	FILE *f = open_memstream(&text, &bytes);
	for (size_t i = 0; i < count; i++) {
		fputs(line[i], f);
		free(line[i]);
	}
	fclose(f);
	return text;
}
