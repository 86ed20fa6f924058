#include "supervisor/patch_parts.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const a_direction[] = {[CHR_IN] = "an input", [CHR_OUT] = "an output"};

/* One end of an edge, split. */
struct end {
	const char *text;
	enum chr_direction direction;
	char client[CHR_CLIENT_MAX];
	const char *port;
	int module;   /* -1: foreign */
	bool foreign; /* surely: no slip of the finger */
	char hardware[32];
};

struct sought {
	const struct chr_descriptor *type;
	enum chr_direction direction;
};

static const char *port_name(const void *table, unsigned i)
{
	const struct sought *sought = table;

	return sought->type->port[i].direction == sought->direction ? sought->type->port[i].name : NULL;
}

static int find_module(const struct chr_patch *patch, const char *name, size_t length)
{
	for (unsigned i = 0; i < patch->module_count; i++)
		if (strlen(patch->module[i].name) == length && !memcmp(patch->module[i].name, name, length))
			return (int)i;
	return -1;
}

int chr_patch_endpoint(const struct chr_patch *patch, const char *end, const char **port)
{
	const char *colon = strchr(end, ':');
	int module = colon ? find_module(patch, end, (size_t)(colon - end)) : -1;

	if (module < 0)
		return -ENOENT;
	*port = colon + 1;
	return module;
}

/* No colon: tells which port was probably meant. */
static void tell_no_colon(struct chr_patch_load *load, unsigned line, const struct end *end)
{
	int module = find_module(load->patch, end->text, strlen(end->text));
	const struct chr_descriptor *type = module >= 0 ? load->type[module] : NULL;
	const char *only = NULL;
	unsigned count = 0;

	for (unsigned i = 0; type && i < type->port_count; i++) {
		if (type->port[i].direction != (uint32_t)end->direction)
			continue;
		only = type->port[i].name;
		count++;
	}
	if (count == 1)
		chr_patch_problem(load, line, "'%.80s' names no port (did you mean '%s:%s'?)", end->text, end->text, only);
	else
		chr_patch_problem(load, line,
				  "'%.80s' names no port: an end is written MODULE:PORT or, for another program, CLIENT:PORT",
				  end->text);
}

/* Lane b's clients bear the names of lane a's with ".b". */
static bool is_lane_b(const struct chr_patch_load *load, const struct end *end)
{
	size_t client = strlen(end->client);

	return end->module < 0 && client > 2 && !strcmp(end->client + client - 2, ".b") &&
	       find_module(load->patch, end->client, client - 2) >= 0;
}

static bool check_own_port(struct chr_patch_load *load, unsigned line, const struct end *end)
{
	const struct chr_descriptor *type = load->type[end->module];
	const struct sought sought = {type, end->direction};
	const struct chr_port_desc *port;
	char what[CHR_NAME_MAX + 16];
	int place;

	if (!type)
		return false;
	place = chr_descriptor_port(type, end->port);
	if (place < 0) {
		snprintf(what, sizeof what, "port of '%s'", end->client);
		chr_patch_unknown(load, line, what, end->port, port_name, &sought, type->port_count);
		return false;
	}
	port = &type->port[place];
	if (port->direction != (uint32_t)end->direction) {
		chr_patch_problem(load, line, "'%s' is %s, but an edge %s %s", end->text, a_direction[port->direction],
				  end->direction == CHR_OUT ? "begins at" : "ends at", a_direction[end->direction]);
		return false;
	}
	if (port->channel > load->patch->channels) {
		chr_patch_problem(load, line, "'%s' exists only with channels = %u or more", end->text, port->channel);
		return false;
	}
	return true;
}

/* A foreign client one slip of the finger away from a module's name is taken for the slip. */
static bool check_foreign(struct chr_patch_load *load, unsigned line, const struct end *end)
{
	const struct chr_patch *patch = load->patch;

	if (end->foreign || !chr_name_legal(end->client) || strlen(end->client) < 3)
		return true;
	for (unsigned i = 0; i < patch->module_count; i++) {
		if (chr_patch_distance(end->client, patch->module[i].name) != 1)
			continue;
		chr_patch_problem(load, line, "no module '%s' in this patch (did you mean '%s:%.80s'?)", end->client,
				  patch->module[i].name, end->port);
		return false;
	}
	return true;
}

/* A place among the hardware's ports, as the desired graph has it or as a file says it. */
static bool is_hardware(struct end *end)
{
	static const char own[] = CHR_PLAYBACK_PREFIX, word[] = "playback:";
	size_t prefix = !strncmp(end->text, own, sizeof own - 1) ? sizeof own - 1 : sizeof word - 1;
	unsigned long place;
	char *rest;

	if (prefix == sizeof word - 1 && strncmp(end->text, word, prefix) != 0)
		return false;
	place = strtoul(end->text + prefix, &rest, 10);
	if (*rest || !isdigit((unsigned char)end->text[prefix]) || place < 1 || place > CHR_PLAYBACK_MAX)
		return false;
	snprintf(end->hardware, sizeof end->hardware, CHR_PLAYBACK_PREFIX "%lu", place);
	end->text = end->hardware;
	return true;
}

static bool printable(struct chr_patch_load *load, unsigned line, const struct end *end)
{
	static const char own[] = CHR_PLAYBACK_PREFIX;

	for (const char *c = end->text + (strncmp(end->text, own, sizeof own - 1) == 0); *c; c++) {
		if ((unsigned char)*c >= ' ' && *c != 127)
			continue;
		chr_patch_problem(load, line, "'%.80s' holds a control character", end->text);
		return false;
	}
	return true;
}

static bool check_end(struct chr_patch_load *load, unsigned line, struct end *end)
{
	const char *colon = strchr(end->text, ':');
	size_t client = colon ? (size_t)(colon - end->text) : 0;

	if (!colon) {
		tell_no_colon(load, line, end);
		return false;
	}
	if (!client || !colon[1] || client >= sizeof end->client || strlen(end->text) >= CHR_EDGE_NAME_MAX) {
		chr_patch_problem(load, line, "'%.80s': %s", end->text,
				  !client || !colon[1] ? "a name before and after the colon is needed" : "the name is too long");
		return false;
	}
	if (!printable(load, line, end))
		return false;
	memcpy(end->client, end->text, client);
	end->client[client] = 0;
	end->port = colon + 1;
	end->module = find_module(load->patch, end->client, client);
	if (end->direction == CHR_IN && end->module < 0 && is_hardware(end))
		return true;
	if (is_lane_b(load, end)) {
		chr_patch_problem(load, line,
				  "'%.80s' is of lane b, which repeats the edges of lane a by itself: write the end without '.b'",
				  end->text);
		return false;
	}
	return end->module >= 0 ? check_own_port(load, line, end) : check_foreign(load, line, end);
}

static bool is_new(struct chr_patch_load *load, unsigned line, const struct chr_patch_edge *edge)
{
	const struct chr_patch *patch = load->patch;

	for (unsigned i = 0; i < patch->edge_count; i++) {
		if (strcmp(patch->edge[i].from, edge->from) != 0 || strcmp(patch->edge[i].to, edge->to) != 0)
			continue;
		if (patch->edge[i].line)
			chr_patch_problem(load, line, "'%.80s' to '%.80s' is connected already (in line %u)", edge->from, edge->to,
					  patch->edge[i].line);
		else
			chr_patch_problem(load, line, "'%.80s' to '%.80s' is connected already", edge->from, edge->to);
		return false;
	}
	return true;
}

bool chr_patch_check_edge(struct chr_patch_load *load, unsigned line, const char *from, const char *to, bool foreign,
			  struct chr_patch_edge *edge)
{
	struct end a = {.text = from, .direction = CHR_OUT, .foreign = foreign};
	struct end b = {.text = to, .direction = CHR_IN, .foreign = foreign};
	bool good = check_end(load, line, &a);

	good = check_end(load, line, &b) && good;
	if (good && a.module < 0 && b.module < 0) {
		good = false;
		if (!load->modules_missing)
			chr_patch_problem(load, line, "neither '%.80s' nor '%.80s' is of a module of this patch", from, to);
	}
	if (!good)
		return false;
	snprintf(edge->from, sizeof edge->from, "%s", a.text);
	snprintf(edge->to, sizeof edge->to, "%s", b.text);
	edge->line = line;
	return true;
}

static void add_edge(struct chr_patch_load *load, const struct chr_patch_edge *edge)
{
	struct chr_patch *patch = load->patch;
	struct chr_patch_edge *more = realloc(patch->edge, (patch->edge_count + 1) * sizeof *more);

	if (!more) {
		chr_patch_problem(load, edge->line, "out of memory");
		return;
	}
	patch->edge = more;
	more[patch->edge_count++] = *edge;
}

static void take_edge(struct chr_patch_load *load, const config_setting_t *pair)
{
	unsigned line = chr_patch_line(pair);
	int length = config_setting_is_list(pair) || config_setting_is_array(pair) ? config_setting_length(pair) : 0;
	const char *word = length == 3 ? config_setting_get_string_elem(pair, 2) : NULL;
	bool foreign = word && !strcmp(word, CHR_PATCH_FOREIGN), shaped = length == 2 || foreign;
	const char *from = shaped ? config_setting_get_string_elem(pair, 0) : NULL;
	const char *to = shaped ? config_setting_get_string_elem(pair, 1) : NULL;
	struct chr_patch_edge edge;

	if (!from || !to)
		chr_patch_problem(load, line, "a connection is written [ \"FROM:PORT\", \"TO:PORT\" ]");
	else if (chr_patch_check_edge(load, line, from, to, foreign, &edge) && is_new(load, line, &edge))
		add_edge(load, &edge);
}

void chr_patch_take_edges(struct chr_patch_load *load, const config_setting_t *list)
{
	for (int i = 0; i < config_setting_length(list); i++) {
		const config_setting_t *pair = config_setting_get_elem(list, (unsigned)i);

		if (i == CHR_PATCH_EDGES_MAX) {
			chr_patch_problem(load, chr_patch_line(pair), "more than %d connections", CHR_PATCH_EDGES_MAX);
			return;
		}
		take_edge(load, pair);
	}
}

void chr_patch_default_edge(unsigned channel, struct chr_patch_edge *edge)
{
	static const char *const name[] = {"left", "right"};

	*edge = (struct chr_patch_edge){0};
	if (channel <= 2)
		snprintf(edge->from, sizeof edge->from, CHR_OUT_NAME ":play_%s", name[channel - 1]);
	else
		snprintf(edge->from, sizeof edge->from, CHR_OUT_NAME ":play_%u", channel);
	snprintf(edge->to, sizeof edge->to, CHR_PLAYBACK_PREFIX "%u", channel);
}
