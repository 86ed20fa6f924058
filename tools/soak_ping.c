#include "tools/soak_ping.h"

#include "tools/bench_flood.h"
#include "tools/bench_probe.h"
#include "tools/bench_stat.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVERY_MS 10
#define ROOM     8192 /* round trips of a window; more are not kept */

struct series {
	double ms[ROOM];
	size_t count;
};

struct chr_soak_ping {
	int chronus, witness; /* sockets */
	pid_t echo;
	pthread_t thread;
	_Atomic bool end;

	pthread_mutex_t mutex; /* of what follows */
	struct series trip, bare;
	unsigned lost;
};

static void enter(struct series *series, double ms)
{
	if (!isnan(ms) && series->count < ROOM)
		series->ms[series->count++] = ms;
}

static void *ask(void *arg)
{
	struct chr_soak_ping *ping = arg;
	const struct chr_packet question = chr_packet_make("/chronus/ping", 'i', 1);
	/* relaxed: the flag carries nothing */
	while (!atomic_load_explicit(&ping->end, memory_order_relaxed)) {
		double trip = chr_flood_ask(ping->chronus, &question), bare = chr_flood_ask(ping->witness, &question);
		pthread_mutex_lock(&ping->mutex);
		enter(&ping->trip, trip);
		enter(&ping->bare, bare);
		ping->lost += isnan(trip);
		pthread_mutex_unlock(&ping->mutex);
		chr_bench_sleep_ms(EVERY_MS);
	}
	return NULL;
}

static void finish(struct chr_soak_ping *ping)
{
	if (ping->echo > 0) {
		kill(ping->echo, SIGKILL);
		waitpid(ping->echo, NULL, 0);
	}
	if (ping->chronus >= 0)
		close(ping->chronus);
	if (ping->witness >= 0)
		close(ping->witness);
	pthread_mutex_destroy(&ping->mutex);
	free(ping);
}

struct chr_soak_ping *chr_soak_ping_start(unsigned port)
{
	struct chr_soak_ping *ping = calloc(1, sizeof *ping);
	unsigned echo_port = 0;
	if (!ping)
		return NULL;
	pthread_mutex_init(&ping->mutex, NULL);
	ping->echo = chr_flood_echo(&echo_port);
	ping->chronus = chr_flood_open(port);
	ping->witness = chr_flood_open(echo_port);
	if (ping->echo > 0 && ping->chronus >= 0 && ping->witness >= 0 && pthread_create(&ping->thread, NULL, ask, ping) == 0)
		return ping;
	finish(ping);
	return NULL;
}

struct chr_soak_ping_window chr_soak_ping_take(struct chr_soak_ping *ping)
{
	pthread_mutex_lock(&ping->mutex);
	struct chr_soak_ping_window window = {
		.p50_ms = chr_stat_percentile(ping->trip.ms, ping->trip.count, 0.5),
		.p99_ms = chr_stat_percentile(ping->trip.ms, ping->trip.count, 0.99),
		.witness_p99_ms = chr_stat_percentile(ping->bare.ms, ping->bare.count, 0.99),
		.count = (unsigned)ping->trip.count + ping->lost,
		.lost = ping->lost,
	};
	ping->trip.count = ping->bare.count = 0;
	ping->lost = 0;
	pthread_mutex_unlock(&ping->mutex);
	return window;
}

void chr_soak_ping_stop(struct chr_soak_ping *ping)
{
	if (!ping)
		return;
	atomic_store_explicit(&ping->end, true, memory_order_relaxed);
	pthread_join(ping->thread, NULL);
	finish(ping);
}
