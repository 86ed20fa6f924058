/* Two kinds of events wait: those of which only the newest counts (one place per parameter) and those that must all arrive (a
 * queue: gates, and every kind that is not a parameter). A place per parameter remembers how many of the queue were put before it,
 * so that flushing merges both in the order in which they came, and an event's serial never decreases inside a ring.
 */
#include "supervisor/feed.h"

#include <stdlib.h>
#include <string.h>

#define GATES_MAX 1048576u /* 64 MiB a feed: far more than a flood brings before the watchdog ends an instance that reads nothing */

void chr_feed_init(struct chr_feed *feed)
{
	memset(feed, 0, sizeof *feed);
}

void chr_feed_finish(struct chr_feed *feed)
{
	free(feed->gates);
	memset(feed, 0, sizeof *feed);
}

void chr_feed_attach(struct chr_feed *feed, struct chr_ring *ring)
{
	feed->ring = ring;
	feed->waiting_set = 0;
	feed->gates_taken += feed->gate_count;
	feed->gate_first = 0;
	feed->gate_count = 0;
}

static bool coalesces(const struct chr_event *event)
{
	return event->kind == CHR_EVENT_PARAM && !(event->flags & CHR_EVENT_GATE) && event->index < CHR_PARAMS_MAX;
}

static void keep_newest(struct chr_feed *feed, const struct chr_event *event)
{
	uint32_t bit = UINT32_C(1) << event->index;

	if (feed->waiting_set & bit)
		feed->coalesced++;
	feed->waiting_set |= bit;
	feed->waiting[event->index] = *event;
	feed->waiting_after[event->index] = feed->gates_taken + feed->gate_count;
	feed->waiting_order[event->index] = ++feed->order;
}

/* Room for one more at the end of the queue. */
static bool gate_room(struct chr_feed *feed)
{
	if (feed->gate_first + feed->gate_count < feed->gate_space)
		return true;
	if (feed->gate_first >= feed->gate_count && feed->gate_first > 0) {
		memmove(feed->gates, feed->gates + feed->gate_first, feed->gate_count * sizeof *feed->gates);
		feed->gate_first = 0;
		return true;
	}
	size_t space = feed->gate_space ? feed->gate_space * 2 : 256;
	if (space > GATES_MAX * 2)
		return false;
	struct chr_event *gates = realloc(feed->gates, space * sizeof *gates);
	if (!gates)
		return false;
	feed->gates = gates;
	feed->gate_space = space;
	return true;
}

static void keep_gate(struct chr_feed *feed, const struct chr_event *event)
{
	if (feed->gate_count >= GATES_MAX || !gate_room(feed)) {
		feed->lost++;
		return;
	}
	feed->gates[feed->gate_first + feed->gate_count++] = *event;
}

static void take_gate(struct chr_feed *feed)
{
	feed->gate_first++;
	feed->gates_taken++;
	if (--feed->gate_count == 0)
		feed->gate_first = 0;
}

/* The parameter whose value comes before everything else that waits, or -1 when a gate does. */
static int oldest_param(const struct chr_feed *feed)
{
	int oldest = -1;

	for (uint32_t set = feed->waiting_set; set; set &= set - 1) {
		int i = __builtin_ctz(set);

		if (feed->waiting_after[i] > feed->gates_taken && feed->gate_count > 0)
			continue;
		if (oldest < 0 || feed->waiting_order[i] < feed->waiting_order[oldest])
			oldest = i;
	}
	return oldest;
}

bool chr_feed_waiting(const struct chr_feed *feed)
{
	return feed->waiting_set != 0 || feed->gate_count > 0;
}

bool chr_feed_flush(struct chr_feed *feed)
{
	while (chr_feed_waiting(feed)) {
		int param = oldest_param(feed);
		const struct chr_event *event = param >= 0 ? &feed->waiting[param] : &feed->gates[feed->gate_first];

		if (!feed->ring || chr_ring_write(feed->ring, event, 1) == 0)
			return false;
		feed->delivered++;
		if (param >= 0)
			feed->waiting_set &= ~(UINT32_C(1) << param);
		else
			take_gate(feed);
	}
	return true;
}

void chr_feed_put(struct chr_feed *feed, const struct chr_event *event)
{
	struct chr_event other;

	if (!feed->ring)
		return;
	if (feed->translated && event->kind == CHR_EVENT_PARAM && event->index < CHR_PARAMS_MAX) {
		other = *event;
		other.index = feed->map[event->index];
		if (other.index >= CHR_PARAMS_MAX)
			return;
		event = &other;
	}
	if (chr_feed_flush(feed) && chr_ring_write(feed->ring, event, 1) == 1) {
		feed->delivered++;
		return;
	}
	if (coalesces(event))
		keep_newest(feed, event);
	else
		keep_gate(feed, event);
}
