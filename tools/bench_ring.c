/* bench_ring: 64-byte events across two threads, beside JACK's ring buffer.
 *
 * Both rings hold as many events, both sides hand over one event at a time, and each event is made and looked at. The two take turns in
 * one process, so that a disturbance of the machine meets both; told is the median of each, and that of the ratios of neighbouring runs.
 * With --events N one long run follows in which every word of every event is checked.
 */
#include "common/ring.h"
#include "tools/figures.h"

#include <jack/ringbuffer.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS   15u
#define EVENTS 400000u /* of one run */

struct side {
	struct chr_ring *ring;
	jack_ringbuffer_t *jack;
	uint64_t events;
	bool full;      /* are all words checked? */
	uint64_t wrong; /* seen by the consumer */
};

static uint64_t mix(uint64_t number)
{
	return (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Two words of the event say which one it is; in the long run all do. The ring does not look into it. */
static void make(struct chr_event *event, uint64_t number, bool full)
{
	for (size_t i = 0; full && i < sizeof *event; i += sizeof number) {
		const uint64_t word = mix(number + i);

		memcpy((char *)event + i, &word, sizeof word);
	}
	if (full)
		return;
	event->serial = (uint32_t)number;
	event->sum = mix(number);
}

static bool right(const struct chr_event *event, uint64_t number, bool full)
{
	struct chr_event want = {0};

	if (!full)
		return event->serial == (uint32_t)number && event->sum == mix(number);
	make(&want, number, true);
	return !memcmp(event, &want, sizeof want);
}

static bool apart; /* each side has a processor of its own */

/* Lets the other side run, where there is one processor for both. Else whatever shares this one would: it has nothing to do with the ring. */
static void make_way(void)
{
	if (!apart)
		sched_yield();
}

static void *produce_ring(void *arg)
{
	const struct side *side = arg;
	struct chr_event event = {0};

	for (uint64_t i = 0; i < side->events; i++) {
		make(&event, i, side->full);
		while (!chr_ring_write(side->ring, &event, 1))
			make_way();
	}
	return NULL;
}

static void *produce_jack(void *arg)
{
	const struct side *side = arg;
	struct chr_event event = {0};

	for (uint64_t i = 0; i < side->events; i++) {
		make(&event, i, side->full);
		while (jack_ringbuffer_write_space(side->jack) < sizeof event)
			make_way();
		jack_ringbuffer_write(side->jack, (const char *)&event, sizeof event);
	}
	return NULL;
}

static void consume_ring(struct side *side)
{
	struct chr_event event;

	for (uint64_t i = 0; i < side->events; i++) {
		while (!chr_ring_read(side->ring, &event, 1))
			make_way();
		side->wrong += !right(&event, i, side->full);
	}
}

static void consume_jack(struct side *side)
{
	struct chr_event event;

	for (uint64_t i = 0; i < side->events; i++) {
		while (jack_ringbuffer_read_space(side->jack) < sizeof event)
			make_way();
		jack_ringbuffer_read(side->jack, (char *)&event, sizeof event);
		side->wrong += !right(&event, i, side->full);
	}
}

/* One core each where there are two, so that every event crosses from one to the other. False: not there. */
static bool stay(pthread_t thread, unsigned core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	return pthread_setaffinity_np(thread, sizeof set, &set) == 0;
}

/* Events per second. */
static double run(struct side *side, void *(*produce)(void *), void (*consume)(struct side *))
{
	struct timespec begin, end;
	pthread_t producer;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (pthread_create(&producer, NULL, produce, side)) {
		fputs("bench_ring: no thread\n", stderr);
		exit(EXIT_FAILURE);
	}
	stay(producer, 1);
	consume(side);
	pthread_join(producer, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)side->events / ((double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9);
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void compare(struct figures *figures, struct side *side)
{
	double ring[RUNS], jack[RUNS], ratio[RUNS];

	side->events = EVENTS;
	for (unsigned i = 0; i < RUNS; i++) {
		ring[i] = run(side, produce_ring, consume_ring);
		jack[i] = run(side, produce_jack, consume_jack);
		ratio[i] = ring[i] / jack[i];
	}
	qsort(ring, RUNS, sizeof *ring, by_size);
	qsort(jack, RUNS, sizeof *jack, by_size);
	qsort(ratio, RUNS, sizeof *ratio, by_size);
	figures_add(figures, ring[RUNS / 2] * 1e-6, "M events/s", NO_GOAL, 0.0, "ring, 64-byte events");
	figures_add(figures, jack[RUNS / 2] * 1e-6, "M events/s", NO_GOAL, 0.0, "jack_ringbuffer, 64-byte events");
	figures_add(figures, ratio[RUNS / 2], "x", AT_LEAST, 2.0, "ring, against jack_ringbuffer");
	figures_add(figures, (double)side->wrong, "events", AT_MOST, 0.0, "ring, events lost or torn in %u", 2 * RUNS * EVENTS);
}

int main(int argc, char **argv)
{
	static struct figures figures = {.table = 4};
	struct side side = {.ring = aligned_alloc(64, sizeof *side.ring),
			    .jack = jack_ringbuffer_create(CHR_RING_EVENTS * sizeof(struct chr_event))};
	const char *json = NULL;
	uint64_t events = 0;
	int error;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json") && i + 1 < argc) {
			json = argv[++i];
		} else if (!strcmp(argv[i], "--events") && i + 1 < argc) {
			events = strtoull(argv[++i], NULL, 10);
		} else {
			fputs("usage: bench_ring [--json FILE] [--events N]\n", stderr);
			return 64;
		}
	}
	if (!side.ring || !side.jack) {
		perror("bench_ring");
		return EXIT_FAILURE;
	}
	apart = stay(pthread_self(), 1) && stay(pthread_self(), 0);
	chr_ring_init(side.ring);
	compare(&figures, &side);
	if (events) {
		side.events = events;
		side.full = true;
		side.wrong = 0;
		run(&side, produce_ring, consume_ring);
		figures_add(&figures, (double)side.wrong, "events", AT_MOST, 0.0, "ring, events lost or torn in %.0f",
			    (double)events);
	}
	figures_print(&figures);
	error = json ? figures_write_json(&figures, json) : 0;
	if (error)
		fprintf(stderr, "bench_ring: %s: %s\n", json, strerror(-error));
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
