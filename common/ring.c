#include "common/ring.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define MASK (CHR_RING_EVENTS - 1)

/* Events ahead of the present one whose cache lines are asked for: they travel between the cores while others are copied. Never beyond
 * what the other side has left: a line that it is about to use would only be taken from it. */
#define WRITE_AHEAD 12u
#define READ_AHEAD  12u

/* Neighbours in time lie 65 lines apart, on different pages. Side by side, the reader's processor would see a stream and fetch the lines
 * beyond the newest event, out of the writer's hands. */
#define APART 65u

static_assert(offsetof(struct chr_event, kind) == 2 && offsetof(struct chr_event, serial) == 4, "put() knows the first word");
static_assert(APART % 2 == 1, "every place is used once a round");

static uint32_t place(uint32_t index)
{
	return index * APART & MASK;
}

/* Asks for a line to write to. The compiler's builtin asks for one to read unless it builds for newer processors; the older ones take
 * the instruction for none. */
static void own_soon(const struct chr_event *event)
{
#ifdef __x86_64__
	__asm__ volatile("prefetchw %0" : : "m"(*event));
#else
	__builtin_prefetch(event, 1);
#endif
}

typedef uint32_t bits32 __attribute__((may_alias));
typedef uint32_t quad __attribute__((vector_size(16), may_alias));

/* Word `i` of an event, read by itself. Who writes an event has mostly just filled its fields one by one. A processor hands a fresh store
 * on to a load that lies within it; a load that spans several waits until they all, and every store before them, have reached the
 * cache: for the line of the event before, that is, to come over from the other core. */
static uint32_t fresh(const struct chr_event *event, uint32_t i)
{
	return ((const volatile bits32 *)event)[i];
}

/* The first word: two fields. */
static uint32_t fresh_first(const struct chr_event *event)
{
	const uint32_t version = *(const volatile uint16_t *)&event->version, kind = *(const volatile uint16_t *)&event->kind;

	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? version | kind << 16 : version << 16 | kind;
}

static void put(struct chr_event *to, const struct chr_event *from)
{
	quad *line = (quad *)to;

	line[0] = (quad){fresh_first(from), fresh(from, 1), fresh(from, 2), fresh(from, 3)};
	line[1] = (quad){fresh(from, 4), fresh(from, 5), fresh(from, 6), fresh(from, 7)};
	line[2] = (quad){fresh(from, 8), fresh(from, 9), fresh(from, 10), fresh(from, 11)};
	line[3] = (quad){fresh(from, 12), fresh(from, 13), fresh(from, 14), fresh(from, 15)};
}

/* One load and no second one: the word may be changed by the other process between two looks. */
static uint32_t look(const uint32_t *word)
{
	return *(const volatile uint32_t *)word;
}

void chr_ring_init(struct chr_ring *ring)
{
	memset(ring, 0, sizeof *ring);
}

/* Events that the producer may write. An impossible distance counts as full; the consumer heals it by catching up with the head. */
static uint32_t space(struct chr_ring *ring, uint32_t head, uint32_t wanted)
{
	uint32_t used = head - look(&ring->tail_seen);

	if (used > CHR_RING_EVENTS || CHR_RING_EVENTS - used < wanted) {
		/* acquire: the consumer has copied the events out before it stored its tail */
		uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

		ring->tail_seen = tail;
		used = head - tail;
	}
	return used > CHR_RING_EVENTS ? 0 : CHR_RING_EVENTS - used;
}

uint32_t chr_ring_space(struct chr_ring *ring)
{
	return space(ring, atomic_load_explicit(&ring->head, memory_order_relaxed), CHR_RING_EVENTS);
}

uint32_t chr_ring_write(struct chr_ring *ring, const struct chr_event *event, uint32_t count)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint32_t room = space(ring, head, count);

	if (count > room)
		count = room;
	if (!count)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		if (room > i + WRITE_AHEAD)
			own_soon(&ring->event[place(head + i + WRITE_AHEAD)]);
		put(&ring->event[place(head + i)], &event[i]);
	}
	/* release: the events are in place before the head that shows them */
	atomic_store_explicit(&ring->head, head + count, memory_order_release);
	return count;
}

uint32_t chr_ring_read(struct chr_ring *ring, struct chr_event *event, uint32_t count)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	uint32_t ready = look(&ring->head_seen) - tail;

	if (ready > CHR_RING_EVENTS || ready < count) {
		/* acquire: pairs with the release that showed the events */
		uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

		ring->head_seen = head;
		ready = head - tail;
		if (ready > CHR_RING_EVENTS) {
			/* Scribbled over: nothing between the two indices can be trusted, and starting afresh at the head is what
			 * lets both sides go on. */
			atomic_store_explicit(&ring->tail, head, memory_order_release);
			return 0;
		}
		for (uint32_t i = 1; i < READ_AHEAD && i < ready; i++)
			__builtin_prefetch(&ring->event[place(tail + i)]);
	}
	if (count > ready)
		count = ready;
	if (!count)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		if (ready > i + READ_AHEAD)
			__builtin_prefetch(&ring->event[place(tail + i + READ_AHEAD)]);
		event[i] = ring->event[place(tail + i)];
	}
	/* release: the events are copied out before the producer may write over them */
	atomic_store_explicit(&ring->tail, tail + count, memory_order_release);
	return count;
}
