/* What OSC asks of the conductor: times and frames of JACK, module types, restarts, figures. */
#include "supervisor/conductor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t frame_now(void *self)
{
	return chr_conductor_frame_now(self);
}

static uint64_t time_now_us(void *self)
{
	(void)self;
	return jack_get_time();
}

static uint32_t time_to_frame(void *self, uint64_t us)
{
	jack_client_t *client = chr_conductor_client(self);
	return client ? jack_time_to_frames(client, us) : 0;
}

static uint32_t cycle_start(void *self)
{
	jack_client_t *client = chr_conductor_client(self);
	return client ? jack_last_frame_time(client) : 0;
}

static const struct chr_descriptor *type_of(void *self, const char *type, const char **why)
{
	return chr_catalog_type(((struct chr_conductor *)self)->catalog, type, "", why);
}

static void types_of(void *self, void (*each)(void *arg, const char *type), void *arg)
{
	const struct chr_catalog *catalog = ((struct chr_conductor *)self)->catalog;
	for (unsigned i = 0; i < catalog->count; i++)
		each(arg, catalog->type[i]->name);
}

static int restart_module(void *self, const char *module)
{
	struct chr_conductor *conductor = self;
	struct chr_unit *unit = chr_rack_find(&conductor->rack, module);
	if (!unit)
		return -ENOENT;
	chr_instances_restart(conductor, unit);
	return 0;
}

static int swap(void *self, const char *module, const char *file, const struct chr_osc_peer *peer, const char **why)
{
	struct chr_swap_ask ask = {.given = file != NULL, .peer = *peer};
	snprintf(ask.name, sizeof ask.name, "%s", module);
	if (file && strlen(file) >= sizeof ask.file)
		return -ENAMETOOLONG;
	snprintf(ask.file, sizeof ask.file, "%s", file ? file : "");
	return chr_swap_ask(self, &ask, why);
}

static void quit(void *self)
{
	chr_conductor_quit(self);
}

static const char *lane_word(void *self, unsigned lane)
{
	return chr_lanes_word(self, lane);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* Of the last assignments of a process to a module (us); 0: none yet. */
static uint64_t assignment(const struct chr_conductor *conductor, bool median)
{
	uint32_t us[CHR_ASSIGNS_KEPT];
	unsigned count = conductor->assigned < CHR_ASSIGNS_KEPT ? conductor->assigned : CHR_ASSIGNS_KEPT;
	if (!count)
		return 0;
	if (!median)
		return conductor->assign_us[(conductor->assigned - 1) % CHR_ASSIGNS_KEPT];
	memcpy(us, conductor->assign_us, sizeof us);
	qsort(us, count, sizeof us[0], compare);
	return us[count / 2];
}

/* Is nothing under way: every edge that can be made is made, every module that can play plays? */
static bool settled(const struct chr_conductor *conductor)
{
	bool graph = conductor->wired == conductor->generation && chr_graph_quiet(&conductor->graph);
	if (!graph || !conductor->server_up || chr_edit_busy(conductor) || conductor->edits.redrawn)
		return false;
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			enum chr_instance_state state = conductor->rack.unit[i]->instance[lane].state;
			if (state != CHR_INSTANCE_NONE && state != CHR_INSTANCE_PLAYING && state != CHR_INSTANCE_QUARANTINED)
				return false;
		}
	return true;
}

static bool figure(void *self, unsigned i, const char **name, uint64_t *value)
{
	const struct chr_conductor *conductor = self;
	const struct {
		const char *name;
		uint64_t value;
	} table[] = {
		{"joins", conductor->lanes.joins},
		{"audits", conductor->lanes.audits},
		{"divergences", conductor->lanes.divergences},
		{"swap", conductor->swap.queued + (conductor->swap.state != CHR_SWAP_NONE)},
		{"swaps", conductor->swap.done},
		{"taken_back", conductor->swap.taken_back},
		{"assign_us", assignment(conductor, false)},
		{"assign_us_median", assignment(conductor, true)},
		{"edges", conductor->logical.count},
		{"settled", settled(conductor)},
		{"xruns", atomic_load_explicit(&conductor->graph.xruns, memory_order_relaxed)},
	};
	if (i >= sizeof table / sizeof table[0])
		return false;
	*name = table[i].name;
	*value = table[i].value;
	return true;
}

static int edit(void *self, enum chr_edit_kind kind, const char *a, const char *b, chr_edit_done done, void *arg)
{
	return chr_edit_request(self, kind, a, b, done, arg);
}

static bool edge(void *self, unsigned i, const char **from, const char **to)
{
	const struct chr_edges *logical = &((struct chr_conductor *)self)->logical;
	if (i >= logical->count)
		return false;
	*from = logical->edge[i].from;
	*to = chr_wiring_name(logical->edge[i].to);
	return true;
}

void chr_conductor_osc_host(struct chr_conductor *conductor, struct chr_osc_host *host)
{
	*host = (struct chr_osc_host){.self = conductor,
				      .rack = &conductor->rack,
				      .frame_now = frame_now,
				      .time_now_us = time_now_us,
				      .time_to_frame = time_to_frame,
				      .cycle_start = cycle_start,
				      .type = type_of,
				      .types = types_of,
				      .restart = restart_module,
				      .swap = swap,
				      .quit = quit,
				      .server = conductor->jack.server,
				      .lane = lane_word,
				      .figure = figure,
				      .edit = edit,
				      .edge = edge};
}
