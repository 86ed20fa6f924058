/* Feeds one instance's ring with events: in order while there is room; when the ring is full it keeps the newest value of each
 * parameter and every gate, and delivers them as soon as there is room. A flood can delay; it can never lose the last value.
 *
 * Control thread only. Allocates only for gates that wait.
 */
#ifndef CHR_SUPERVISOR_FEED_H
#define CHR_SUPERVISOR_FEED_H

#include "common/event.h"
#include "common/module.h"
#include "common/ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chr_feed {
	struct chr_ring *ring;                    /* NULL: no instance; events are not kept */
	struct chr_event waiting[CHR_PARAMS_MAX]; /* newest value of each parameter that found no room */
	uint32_t waiting_set;                     /* bit i: waiting[i] waits */
	struct chr_event *gates;                  /* heap: gates that wait, oldest first */
	size_t gate_first, gate_count, gate_space;
	uint64_t waiting_after[CHR_PARAMS_MAX]; /* gates ever put when waiting[i] was kept: these go first */
	uint64_t waiting_order[CHR_PARAMS_MAX]; /* order among the values that wait */
	uint64_t order, gates_taken;            /* values ever kept; gates ever taken from the queue */
	bool translated;                        /* parameters have other places in the instance's table: */
	uint8_t map[CHR_PARAMS_MAX];            /* these; one that is out of range: it has no such parameter */
	uint64_t delivered, coalesced, lost;    /* events; lost: only when memory for gates ran out */
};

void chr_feed_init(struct chr_feed *feed);
void chr_feed_finish(struct chr_feed *feed);

/* A new instance (its ring is empty), or none (NULL): what waited for the old one is dropped, the counters stay. */
void chr_feed_attach(struct chr_feed *feed, struct chr_ring *ring);

/* Delivers one event now or keeps it as said above. An event never overtakes an older one of the same parameter. */
void chr_feed_put(struct chr_feed *feed, const struct chr_event *event);

/* Delivers what waits as far as there is room. True when nothing waits any more. */
bool chr_feed_flush(struct chr_feed *feed);

/* Does anything wait? */
bool chr_feed_waiting(const struct chr_feed *feed);

#endif
