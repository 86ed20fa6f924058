/* Events on their way to their frame: taken from the ring at the start of a cycle, kept in order of frame, applied between
 * the spans of a block.
 *
 * Requests (publish, join) are carried out when they are taken and have no frame. Only the events that change the state
 * (parameter, reset, fade) count in `serial`, and only they are handed to a joining twin.
 */
#ifndef CHR_ENGINE_EVENTS_H
#define CHR_ENGINE_EVENTS_H

#include "common/event.h"
#include "common/slot.h"

#include <stdbool.h>
#include <stdint.h>

struct chr_rt;

#define CHR_QUEUE_MAX   (2 * CHR_PENDING_MAX) /* a join adds the twin's pending events to one's own */
#define CHR_AHEAD_MAX_S 2                     /* an event farther in the future (seconds) is rejected */

struct chr_queued {
	struct chr_pending event;
	uint32_t serial;
};

/* Pending events in order of frame; of the same frame, checksums first and the others in the order in which they came. */
struct chr_queue {
	uint32_t first; /* index of the next one; 0 between cycles */
	uint32_t count; /* events from item[first] on */
	struct chr_queued item[CHR_QUEUE_MAX];
};

/* Puts an event in its place. Only while first == 0. False when the queue is full. */
CHR_RT bool chr_queue_insert(struct chr_queue *queue, const struct chr_queued *item);

/* Takes what has come for the cycle that begins at `frame`: requests are carried out, the rest goes into the queue, as long as fewer
 * than CHR_PENDING_MAX wait there; what does not fit stays in the ring. */
CHR_RT void chr_events_drain(struct chr_rt *rt, uint32_t frame);

/* Could this pending event be applied by this module? The cycle begins at `frame`. */
CHR_RT bool chr_events_valid(const struct chr_rt *rt, const struct chr_pending *event, uint32_t frame);

/* Applies the events due at `at` frames into the cycle that began at `frame`. Returns how many frames into the cycle the next
 * one is due, at most `end`. */
CHR_RT uint32_t chr_events_apply_due(struct chr_rt *rt, uint32_t frame, uint32_t at, uint32_t end);

/* The cycle is over: makes room at the end of the queue for the next. */
CHR_RT void chr_events_settle(struct chr_rt *rt);

#endif
