/* Lock-free ring of events for one producer and one consumer, which may live in different processes.
 *
 * The ring is plain memory without pointers: it stands inside a slot, and both sides map it at addresses of their own.
 * Each side passes its own constant capacity by type, never one read from the shared memory, and masks every index: a
 * ring that was scribbled over yields wrong events (the reader validates them) but never an access outside it.
 *
 * Each side keeps a cached copy of the other's index on its own cache line, so that the shared line moves only when the
 * ring looks full or empty. Where in the ring an event lies is the affair of ring.c.
 */
#ifndef CHR_COMMON_RING_H
#define CHR_COMMON_RING_H

#include "common/event.h"
#include "common/module.h"

#include <stdatomic.h>
#include <stdint.h>

#define CHR_RING_EVENTS 1024u /* capacity in events; a power of two */

static_assert((CHR_RING_EVENTS & (CHR_RING_EVENTS - 1)) == 0, "indices are masked");

struct chr_ring {
	_Alignas(64) _Atomic uint32_t head; /* events ever written; stored by the producer alone */
	uint32_t tail_seen;                 /* the producer's cached copy of tail */
	_Alignas(64) _Atomic uint32_t tail; /* events ever read; stored by the consumer alone */
	uint32_t head_seen;                 /* the consumer's cached copy of head */
	_Alignas(64) struct chr_event event[CHR_RING_EVENTS];
};

/* Empties the ring. Only while neither side uses it. */
void chr_ring_init(struct chr_ring *ring);

/* Producer: puts up to `count` events, in order. Returns how many fitted (0..count). Realtime-safe. */
CHR_RT uint32_t chr_ring_write(struct chr_ring *ring, const struct chr_event *event, uint32_t count);

/* Producer: events that can be written now, 0..CHR_RING_EVENTS. Realtime-safe. */
CHR_RT uint32_t chr_ring_space(struct chr_ring *ring);

/* Consumer: takes up to `count` events into `event`. Returns how many there were (0..count). Realtime-safe. */
CHR_RT uint32_t chr_ring_read(struct chr_ring *ring, struct chr_event *event, uint32_t count);

#endif
