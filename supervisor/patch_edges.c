#include "supervisor/patch_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const a_direction[] = {[CHR_IN] = "an input", [CHR_OUT] = "an output"};

/* One end of an edge, split. */
struct end {
	const char *text;
	enum chr_direction direction;
	char client[CHR_CLIENT_MAX];
	const char *port;
	int module; /* -1: foreign */
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

	if (!chr_name_legal(end->client) || strlen(end->client) < 3)
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
	for (const char *c = end->text; *c; c++) {
		if ((unsigned char)*c >= ' ' && *c != 127)
			continue;
		chr_patch_problem(load, line, "'%.80s' holds a control character", end->text);
		return false;
	}
	memcpy(end->client, end->text, client);
	end->client[client] = 0;
	end->port = colon + 1;
	end->module = find_module(load->patch, end->client, client);
	if (is_lane_b(load, end)) {
		chr_patch_problem(load, line,
				  "'%.80s' is of lane b, which repeats the edges of lane a by itself: write the end without '.b'",
				  end->text);
		return false;
	}
	return end->module >= 0 ? check_own_port(load, line, end) : check_foreign(load, line, end);
}

static void add_edge(struct chr_patch_load *load, unsigned line, const char *from, const char *to)
{
	struct chr_patch *patch = load->patch;
	struct chr_patch_edge *edge;

	for (unsigned i = 0; i < patch->edge_count; i++) {
		if (strcmp(patch->edge[i].from, from) != 0 || strcmp(patch->edge[i].to, to) != 0)
			continue;
		chr_patch_problem(load, line, "'%.80s' to '%.80s' is connected already (in line %u)", from, to,
				  patch->edge[i].line);
		return;
	}
	edge = realloc(patch->edge, (patch->edge_count + 1) * sizeof *edge);
	if (!edge) {
		chr_patch_problem(load, line, "out of memory");
		return;
	}
	patch->edge = edge;
	edge += patch->edge_count++;
	snprintf(edge->from, sizeof edge->from, "%s", from);
	snprintf(edge->to, sizeof edge->to, "%s", to);
	edge->line = line;
}

static void take_edge(struct chr_patch_load *load, const config_setting_t *pair)
{
	unsigned line = chr_patch_line(pair);
	bool is_pair = (config_setting_is_list(pair) || config_setting_is_array(pair)) && config_setting_length(pair) == 2;
	struct end from = {.text = is_pair ? config_setting_get_string_elem(pair, 0) : NULL, .direction = CHR_OUT};
	struct end to = {.text = is_pair ? config_setting_get_string_elem(pair, 1) : NULL, .direction = CHR_IN};
	bool good;

	if (!from.text || !to.text) {
		chr_patch_problem(load, line, "a connection is written [ \"FROM:PORT\", \"TO:PORT\" ]");
		return;
	}
	good = check_end(load, line, &from);
	good = check_end(load, line, &to) && good;
	if (!good)
		return;
	if (from.module < 0 && to.module < 0) {
		if (!load->modules_missing)
			chr_patch_problem(load, line, "neither '%.80s' nor '%.80s' is of a module of this patch", from.text,
					  to.text);
		return;
	}
	add_edge(load, line, from.text, to.text);
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
