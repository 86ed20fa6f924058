#include "supervisor/graph.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/wake.h"
#include "supervisor/jackserver.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GRAPH_PRIORITY 40 /* SCHED_FIFO: below the control thread */
#define RECONNECT_MS   50
#define FINISH_WAIT_MS 400
#define ALARM_US       10000u /* until a server that is said to be gone is, and */
#define ALARM_PERIODS  4u     /* for so many periods, at */
#define LEAST_HZ       44100u

static void spawn_wanted(struct chr_graph *graph)
{
	for (;;) {
		pthread_mutex_lock(&graph->lock);
		bool any = graph->spawns_wanted > 0 && !graph->stop;
		graph->spawns_wanted -= any;
		pthread_mutex_unlock(&graph->lock);
		if (!any)
			return;
		struct chr_process *process = chr_process_spawn(&graph->spawn);
		struct chr_post post = {.kind = CHR_POST_SPAWNED, .process = process, .value = process ? 0 : -errno};
		chr_inbox_put(graph->inbox, &post);
	}
}

/* The server is lost: the client stays open until the control thread has let go of it. */
static void lose(struct chr_graph *graph)
{
	graph->up = false;
	chr_graph_forget(graph);
	chr_inbox_put(graph->inbox, &(struct chr_post){.kind = CHR_POST_SERVER_LOST, .time_us = chr_monotonic_us()});
}

/* PipeWire's libjack tells of some errors, a refused connection among them, as of the end of the server. One whose cycles go on is there. */
static bool is_false_alarm(struct chr_graph *graph)
{
	atomic_store_explicit(&graph->lost, 0, memory_order_release);
	uint32_t before = atomic_load_explicit(&graph->cycles, memory_order_acquire);
	uint64_t periods_us = atomic_load_explicit(&graph->period, memory_order_relaxed) * ALARM_PERIODS * 1000000ull / LEAST_HZ;
	for (uint64_t end = chr_monotonic_us() + ALARM_US + periods_us; chr_monotonic_us() < end; poll(NULL, 0, 1))
		if (atomic_load_explicit(&graph->cycles, memory_order_acquire) - before >= 2) {
			chr_debug("the JACK server is not gone: its cycles go on");
			return true;
		}
	return false;
}

static void try_to_return(struct chr_graph *graph)
{
	jack_client_t *old = atomic_exchange_explicit(&graph->client, NULL, memory_order_acq_rel);
	if (old)
		jack_client_close(old);
	bool taken;
	jack_client_t *client = chr_jack_probe(graph->server, graph->name, &taken);
	if (!client)
		return;
	if (chr_graph_activate(graph, client)) {
		jack_client_close(client);
		return;
	}
	atomic_store_explicit(&graph->client, client, memory_order_release);
	pthread_mutex_lock(&graph->lock);
	graph->reconnect = false;
	graph->poked = true;
	pthread_mutex_unlock(&graph->lock);
	graph->up = true;
	chr_inbox_put(graph->inbox, &(struct chr_post){.kind = CHR_POST_SERVER_UP, .time_us = chr_monotonic_us()});
}

/* Tells patchbays a little more. True when there is more to tell; whatever else is to be done comes first. */
static bool describe(struct chr_graph *graph)
{
	struct chr_properties list = {0};
	pthread_mutex_lock(&graph->lock);
	bool wanted = graph->described_generation == graph->generation, fresh = wanted && graph->described.property;
	if (fresh) {
		list = graph->described;
		graph->described = (struct chr_properties){0};
	}
	pthread_mutex_unlock(&graph->lock);
	if (fresh)
		chr_metadata_want(&graph->metadata, &list);
	return wanted && chr_metadata_step(&graph->metadata, chr_graph_client(graph));
}

static void *run(void *arg)
{
	struct chr_graph *graph = arg;
	for (;;) {
		pthread_mutex_lock(&graph->lock);
		bool stop = graph->stop, reconnect = graph->reconnect, latencies = graph->latencies;
		graph->latencies = false;
		pthread_mutex_unlock(&graph->lock);
		if (stop)
			break;
		int wait = -1;
		spawn_wanted(graph);
		if (graph->up && atomic_load_explicit(&graph->lost, memory_order_acquire) && !is_false_alarm(graph))
			lose(graph);
		if (graph->up)
			wait = chr_graph_pass(graph);
		if (graph->up && latencies)
			jack_recompute_total_latencies(chr_graph_client(graph));
		if (graph->up && describe(graph))
			wait = 0;
		if (!graph->up && reconnect)
			try_to_return(graph);
		if (!graph->up && reconnect)
			wait = RECONNECT_MS;
		else if (!graph->up)
			wait = -1;
		struct pollfd woken = {.fd = graph->wake_fd, .events = POLLIN};
		poll(&woken, 1, wait);
		chr_wake_clear(graph->wake_fd);
	}
	jack_client_t *client = atomic_exchange_explicit(&graph->client, NULL, memory_order_acq_rel);
	if (client)
		jack_client_close(client);
	return NULL;
}

/* Repairs wait for this thread: where it is permitted it runs before ordinary work. */
static int start_thread(struct chr_graph *graph)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &(struct sched_param){.sched_priority = GRAPH_PRIORITY});
	int rc = pthread_create(&graph->thread, &attr, run, graph);
	pthread_attr_destroy(&attr);
	if (rc == EPERM)
		rc = pthread_create(&graph->thread, NULL, run, graph);
	return -rc;
}

static void recognise(struct chr_graph *graph, const char *version)
{
	unsigned major = 0, minor = 0, micro = 0;
	const char *pipewire = strstr(version, "PipeWire ");
	graph->pipewire = pipewire;
	graph->reuses = pipewire && sscanf(pipewire, "PipeWire %u.%u.%u", &major, &minor, &micro) == 3 && !major &&
			(minor < 3 || (minor == 3 && micro < 72));
}

int chr_graph_init(struct chr_graph *graph, struct chr_inbox *inbox, const struct chr_spawn *spawn, const char *server,
		   jack_client_t *client)
{
	memset(graph, 0, sizeof *graph);
	graph->inbox = inbox;
	graph->spawn = *spawn;
	strncpy(graph->server, server, sizeof graph->server - 1);
	strncpy(graph->name, jack_get_client_name(client), sizeof graph->name - 1);
	graph->wake_fd = chr_wake_create();
	if (graph->wake_fd < 0)
		return graph->wake_fd;
	int rc = chr_graph_activate(graph, client);
	if (rc)
		goto close_wake;
	atomic_store_explicit(&graph->client, client, memory_order_release);
	graph->up = true;
	recognise(graph, jack_get_version_string());
	graph->poked = true;
	graph->hardware_stale = true;
	pthread_mutex_init(&graph->lock, NULL);
	rc = start_thread(graph);
	if (!rc)
		return 0;
	pthread_mutex_destroy(&graph->lock);
close_wake:
	close(graph->wake_fd);
	return rc;
}

bool chr_graph_finish(struct chr_graph *graph)
{
	pthread_mutex_lock(&graph->lock);
	graph->stop = true;
	pthread_mutex_unlock(&graph->lock);
	chr_wake(graph->wake_fd);
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_nsec += FINISH_WAIT_MS * 1000000L;
	deadline.tv_sec += deadline.tv_nsec / 1000000000L;
	deadline.tv_nsec %= 1000000000L;
	if (pthread_timedjoin_np(graph->thread, NULL, &deadline))
		return false; /* libjack hangs in a lost server: the end of the process ends it */
	chr_edges_finish(&graph->desired);
	chr_edges_finish(&graph->cuts);
	chr_properties_finish(&graph->described);
	chr_metadata_forget(&graph->metadata);
	chr_graph_forget(graph);
	pthread_mutex_destroy(&graph->lock);
	free(graph->wire);
	free(graph->act);
	free(graph->port);
	close(graph->wake_fd);
	return true;
}

void chr_graph_spawn(struct chr_graph *graph, unsigned count)
{
	pthread_mutex_lock(&graph->lock);
	graph->spawns_wanted += count;
	pthread_mutex_unlock(&graph->lock);
	chr_wake(graph->wake_fd);
}

void chr_graph_desire(struct chr_graph *graph, struct chr_edges *edges, int64_t generation)
{
	pthread_mutex_lock(&graph->lock);
	struct chr_edges old = graph->desired;
	graph->desired = *edges;
	graph->generation = generation;
	pthread_mutex_unlock(&graph->lock);
	chr_edges_finish(&old);
	*edges = (struct chr_edges){0};
	chr_wake(graph->wake_fd);
}

void chr_graph_judged(struct chr_graph *graph, int64_t number)
{
	pthread_mutex_lock(&graph->lock);
	graph->judged = number;
	pthread_mutex_unlock(&graph->lock);
	chr_wake(graph->wake_fd);
}

void chr_graph_cut(struct chr_graph *graph, const char *from, const char *to)
{
	pthread_mutex_lock(&graph->lock);
	chr_edges_add(&graph->cuts, from, to);
	pthread_mutex_unlock(&graph->lock);
	chr_wake(graph->wake_fd);
}

void chr_graph_reconnect(struct chr_graph *graph)
{
	pthread_mutex_lock(&graph->lock);
	graph->reconnect = true;
	pthread_mutex_unlock(&graph->lock);
	chr_wake(graph->wake_fd);
}

void chr_graph_latencies(struct chr_graph *graph)
{
	pthread_mutex_lock(&graph->lock);
	graph->latencies = true;
	pthread_mutex_unlock(&graph->lock);
	chr_wake(graph->wake_fd);
}

unsigned chr_graph_playback(struct chr_graph *graph, const char *port)
{
	unsigned place = 0;
	pthread_mutex_lock(&graph->lock);
	for (unsigned i = 0; i < graph->playback_count && !place; i++)
		if (!strcmp(graph->playback[i], port))
			place = i + 1;
	pthread_mutex_unlock(&graph->lock);
	return place;
}

bool chr_graph_quiet(const struct chr_graph *graph)
{
	/* `restless` is set before a notice is taken: whoever sees none waiting sees it set while one is dealt with */
	return atomic_load_explicit(&graph->notice_head, memory_order_acquire) ==
		       atomic_load_explicit(&graph->notice_tail, memory_order_acquire) &&
	       !atomic_load_explicit(&graph->restless, memory_order_acquire);
}

void chr_graph_describe(struct chr_graph *graph, struct chr_properties *list, int64_t generation)
{
	pthread_mutex_lock(&graph->lock);
	struct chr_properties old = graph->described;
	graph->described = *list;
	graph->described_generation = generation;
	pthread_mutex_unlock(&graph->lock);
	chr_properties_finish(&old);
	*list = (struct chr_properties){0};
	chr_wake(graph->wake_fd);
}
