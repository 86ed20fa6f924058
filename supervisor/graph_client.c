#include "common/clock.h"
#include "common/wake.h"
#include "supervisor/graph.h"

#include <errno.h>

static void notice(struct chr_graph *graph, enum chr_notice_kind kind, jack_port_id_t a, jack_port_id_t b)
{
	uint32_t head = atomic_load_explicit(&graph->notice_head, memory_order_relaxed);
	if (head - atomic_load_explicit(&graph->notice_tail, memory_order_acquire) == CHR_GRAPH_NOTICES) {
		atomic_fetch_add_explicit(&graph->notice_lost, 1, memory_order_relaxed);
	} else {
		graph->notice[head % CHR_GRAPH_NOTICES] = (struct chr_notice){
			.kind = kind, .a = a, .b = b, .time_us = chr_monotonic_us()};
		atomic_store_explicit(&graph->notice_head, head + 1, memory_order_release);
	}
	chr_wake(graph->wake_fd);
}

static void on_connect(jack_port_id_t a, jack_port_id_t b, int connected, void *arg)
{
	notice(arg, connected ? CHR_NOTICE_CONNECT : CHR_NOTICE_DISCONNECT, a, b);
}

static void on_port(jack_port_id_t port, int registered, void *arg)
{
	notice(arg, registered ? CHR_NOTICE_PORT : CHR_NOTICE_PORT_GONE, port, port);
}

static void on_rename(jack_port_id_t port, const char *before, const char *after, void *arg)
{
	(void)before;
	(void)after;
	notice(arg, CHR_NOTICE_RENAMED, port, port);
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
