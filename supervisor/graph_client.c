#include "common/clock.h"
#include "common/wake.h"
#include "supervisor/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* No two at the same time: whoever was told first was first. */
static uint64_t next_us(struct chr_graph *graph)
{
	uint64_t now = chr_monotonic_us();
	graph->noticed_us = now > graph->noticed_us ? now : graph->noticed_us + 1;
	return graph->noticed_us;
}

static void notice(struct chr_graph *graph, const struct chr_notice *seen)
{
	uint32_t head = atomic_load_explicit(&graph->notice_head, memory_order_relaxed);
	if (head - atomic_load_explicit(&graph->notice_tail, memory_order_acquire) == CHR_GRAPH_NOTICES) {
		atomic_fetch_add_explicit(&graph->notice_lost, 1, memory_order_relaxed);
		free(seen->name);
	} else {
		graph->notice[head % CHR_GRAPH_NOTICES] = *seen;
		graph->notice[head % CHR_GRAPH_NOTICES].time_us = next_us(graph);
		atomic_store_explicit(&graph->notice_head, head + 1, memory_order_release);
	}
	chr_wake(graph->wake_fd);
}

static void on_connect(jack_port_id_t a, jack_port_id_t b, int connected, void *arg)
{
	notice(arg, &(struct chr_notice){.kind = connected ? CHR_NOTICE_CONNECT : CHR_NOTICE_DISCONNECT, .a = a, .b = b});
}

/* A port's name is asked for while it certainly has the number. */
static void notice_port(struct chr_graph *graph, enum chr_notice_kind kind, jack_port_id_t port, const char *name)
{
	jack_client_t *client = atomic_load_explicit(&graph->client, memory_order_acquire);
	jack_port_t *there = client && kind != CHR_NOTICE_PORT_GONE ? jack_port_by_id(client, port) : NULL;
	struct chr_notice seen = {.kind = kind, .a = port, .b = port};
	if (there && !name)
		name = jack_port_name(there);
	if (there && name && *name) {
		seen.name = strdup(name);
		seen.input = jack_port_flags(there) & JackPortIsInput;
	}
	notice(graph, &seen);
}

static void on_port(jack_port_id_t port, int registered, void *arg)
{
	notice_port(arg, registered ? CHR_NOTICE_PORT : CHR_NOTICE_PORT_GONE, port, NULL);
}

static void on_rename(jack_port_id_t port, const char *before, const char *after, void *arg)
{
	(void)before;
	notice_port(arg, CHR_NOTICE_RENAMED, port, after);
}

static int on_xrun(void *arg)
{
	struct chr_graph *graph = arg;
	atomic_fetch_add_explicit(&graph->xruns, 1, memory_order_relaxed);
	return 0;
}

static int on_period(jack_nframes_t frames, void *arg)
{
	struct chr_graph *graph = arg;
	atomic_store_explicit(&graph->period, frames, memory_order_relaxed);
	chr_inbox_put(graph->inbox, &(struct chr_post){.kind = CHR_POST_PERIOD, .value = frames});
	return 0;
}

/* Without ports it hangs on nobody: it counts the server's cycles whoever else stands still. */
static int on_cycle(jack_nframes_t frames, void *arg)
{
	(void)frames;
	struct chr_graph *graph = arg;
	atomic_fetch_add_explicit(&graph->cycles, 1, memory_order_release);
	return 0;
}

static void on_shutdown(void *arg)
{
	struct chr_graph *graph = arg;
	atomic_store_explicit(&graph->lost, 1, memory_order_release);
	chr_wake(graph->wake_fd);
}

int chr_graph_activate(struct chr_graph *graph, jack_client_t *client)
{
	atomic_store_explicit(&graph->lost, 0, memory_order_release);
	atomic_store_explicit(&graph->period, jack_get_buffer_size(client), memory_order_relaxed);
	jack_on_shutdown(client, on_shutdown, graph);
	if (jack_set_process_callback(client, on_cycle, graph) || jack_set_xrun_callback(client, on_xrun, graph) ||
	    jack_set_buffer_size_callback(client, on_period, graph) || jack_set_port_connect_callback(client, on_connect, graph) ||
	    jack_set_port_registration_callback(client, on_port, graph) ||
	    jack_set_port_rename_callback(client, on_rename, graph) || jack_activate(client))
		return -EIO;
	return 0;
}
