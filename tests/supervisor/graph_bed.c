#include "tests/supervisor/graph_bed.h"

#include <check.h>
#include <stdlib.h>

uint64_t graph_now_us;
struct lanes_bed *graph_bed;
struct chr_conductor *graph_conductor;
static uint32_t joined;

static const struct {
	const char *inputs, *outputs;
} ports[BED_UNITS] = {{"left right", "clock"}, {"pitch clock", "out"}, {"in cutoff clock", "out"}, {"pitch clock", "out"}};

void graph_open(unsigned unit, const char *client)
{
	jack_double_open(client, ports[unit].inputs, ports[unit].outputs);
}

static void turn(void)
{
	jack_double_deliver(GRAPH_BED_ALL);
	chr_graph_pass(&graph_conductor->graph);
	chr_conductor_take_posts(graph_conductor);
}

void graph_pass_ms(unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		graph_now_us += 1000;
		turn();
	}
}

void graph_die(unsigned unit, unsigned lane, unsigned seen_us, unsigned told_us)
{
	const char *client = bed_instance(graph_bed, unit, lane)->client;
	for (unsigned us = 0; us <= seen_us || us <= told_us; us++, graph_now_us++) {
		if (us == seen_us)
			bed_die(graph_bed, unit, lane);
		if (us == told_us) {
			jack_double_close(client);
			jack_double_deliver(GRAPH_BED_ALL);
		}
	}
}

void graph_revive(void)
{
	for (unsigned lane = 0; lane < 2; lane++)
		for (unsigned i = 0; i < BED_UNITS; i++) {
			if (bed_instance(graph_bed, i, lane)->state != CHR_INSTANCE_STARTING)
				continue;
			graph_open(i, bed_instance(graph_bed, i, lane)->client);
			graph_now_us += 100;
			bed_run(graph_bed, i, lane);
		}
	if (graph_conductor->lanes.asked)
		bed_join_lane(graph_bed, !graph_conductor->lanes.leader, joined += 1000);
}

bool graph_desired(const char *from, const char *to)
{
	return chr_edges_find(&graph_conductor->logical, from, to) >= 0;
}

void graph_setup(void)
{
	struct chr_graph *graph;
	graph_now_us = 1000000;
	joined = 1000;
	jack_double_reset();
	graph_bed = bed_create(2);
	bed_spares(graph_bed, 48);
	graph_bed->patch->restart_count = 0;
	graph_conductor = &graph_bed->conductor;
	graph = &graph_conductor->graph;
	graph->inbox = &graph_conductor->inbox;
	ck_assert_int_eq(chr_graph_activate(graph, (jack_client_t *)graph_bed), 0);
	atomic_store(&graph->client, (jack_client_t *)graph_bed);
	for (unsigned lane = 0; lane < 2; lane++)
		for (unsigned i = 0; i < BED_UNITS; i++)
			graph_open(i, bed_instance(graph_bed, i, lane)->client);
	jack_double_open("recorder", "in in_2", "out");
	bed_play(graph_bed);
	chr_lanes_rewire(graph_conductor);
	graph_pass_ms(10);
	ck_assert(jack_double_connected("osc1.b:out", "filt1.b:in") && jack_double_connected("aside:out", "recorder:in"));
	ck_assert(chr_graph_quiet(graph));
}

void graph_teardown(void)
{
	chr_graph_forget(&graph_conductor->graph);
	free(graph_conductor->graph.wire);
	free(graph_conductor->graph.act);
	free(graph_conductor->graph.port);
	bed_destroy(graph_bed);
}
