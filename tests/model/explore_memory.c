/* The memory of an exploration. The real memory always holds the newest store of every cell,
 * except while a plain load that is to see an older one is on its way.
 */
#include "tests/model/explore_parts.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_MAX  40u
#define STORES_MAX 24u
#define BYTES_MAX  576u

/* How far somebody has seen: the newest store known of every cell, and the accesses of every thread (to tell races). */
struct view {
	uint16_t store[CELLS_MAX];
	uint16_t clock[EXPLORE_THREADS];
};

struct store {
	struct view view; /* what reading it with acquire tells */
	unsigned char value[BYTES_MAX];
};

struct cell {
	unsigned char *at;
	const struct explore_area *area;
	unsigned readers, writers; /* threads, of all runs */
	bool forbidden;
	unsigned stores;  /* so far; store[0] is what was there */
	unsigned ordered; /* the newest that was seq_cst */
	uint16_t read_at[EXPLORE_THREADS], written_at[EXPLORE_THREADS];
	struct store store[STORES_MAX];
};

struct thread {
	struct view view, acquired, released; /* knowledge; what an acquire fence would add; what a release fence has fixed */
	const struct cell *looked_at;         /* by the last atomic load */
	uint64_t looked;
};

static struct cell cells[CELLS_MAX];
static unsigned cell_count;
static struct thread threads[EXPLORE_THREADS];

static struct {
	struct cell *cell;
	bool write;
} pending[8];
static unsigned pendings;

static void join(struct view *into, const struct view *from)
{
	for (unsigned i = 0; i < cell_count; i++)
		if (from->store[i] > into->store[i])
			into->store[i] = from->store[i];
	for (unsigned i = 0; i < EXPLORE_THREADS; i++)
		if (from->clock[i] > into->clock[i])
			into->clock[i] = from->clock[i];
}

static struct thread *self(void)
{
	return &threads[explore_state.self];
}

static bool broken(const struct cell *cell, enum explore_breach breach)
{
	return explore_state.plan->breach == breach && explore_state.plan->tag == cell->area->tag;
}

/* NULL: not shared, or nobody runs. */
static struct cell *cell_of(const void *at)
{
	const struct explore_plan *plan = explore_state.plan;
	const unsigned char *byte = at;

	for (unsigned i = 0; explore_state.running && i < plan->areas; i++) {
		const struct explore_area *area = &plan->area[i];
		const unsigned char *base = area->at;
		if (byte < base || byte >= base + area->bytes)
			continue;
		unsigned char *first = (unsigned char *)(uintptr_t)base +
				       (size_t)(byte - base) / area->cell_bytes * area->cell_bytes;
		for (unsigned c = 0; c < cell_count; c++)
			if (cells[c].at == first)
				return &cells[c];
		if (cell_count == CELLS_MAX || area->cell_bytes > BYTES_MAX) {
			fputs("explore: too much shared memory\n", stderr);
			abort();
		}
		struct cell *cell = &cells[cell_count++];
		*cell = (struct cell){.at = first, .area = area, .stores = 1};
		memcpy(cell->store[0].value, first, area->cell_bytes);
		return cell;
	}
	return NULL;
}

void explore_memory_reset(void)
{
	for (unsigned i = 0; i < cell_count; i++) {
		struct cell *cell = &cells[i];
		memcpy(cell->at, cell->store[0].value, cell->area->cell_bytes);
		cell->stores = 1;
		cell->ordered = 0;
		cell->forbidden = false;
		memset(cell->read_at, 0, sizeof cell->read_at);
		memset(cell->written_at, 0, sizeof cell->written_at);
	}
	memset(threads, 0, sizeof threads);
	pendings = 0;
}

void explore_memory_forget(void)
{
	cell_count = 0;
	memset(cells, 0, sizeof cells);
}

/* ---- loads and stores ---- */

/* Before an access: others may go first, if they would notice. */
static void approach(struct cell *cell, bool write)
{
	unsigned bit = 1u << explore_state.self, *mask = write ? &cell->writers : &cell->readers;

	explore_settle();
	if (!(*mask & bit)) {
		*mask |= bit;
		explore_state.grown |= ((write ? cell->readers | cell->writers : cell->writers) & ~bit) != 0;
	}
	if ((write ? cell->readers | cell->writers : cell->writers) & ~bit)
		explore_point();
	explore_demand(!cell->forbidden, "memory was used after it was given back");
	self()->view.clock[explore_state.self]++;
}

/* As a store to all of it: whoever comes later fails, and whoever may come later is let go first, too. */
void explore_forbid(const void *at, size_t bytes)
{
	for (unsigned i = 0; i < cell_count; i++)
		if (cells[i].at >= (const unsigned char *)at && cells[i].at < (const unsigned char *)at + bytes) {
			unsigned bit = 1u << explore_state.self;
			explore_state.grown |= !(cells[i].writers & bit) && cells[i].readers & ~bit;
			cells[i].writers |= bit;
			cells[i].forbidden = true;
		}
}

/* A plain access beside which nobody else's may be. */
static void judge_race(struct cell *cell, bool write)
{
	const uint16_t *known = self()->view.clock;

	for (unsigned t = 0; t < EXPLORE_THREADS; t++)
		if (t != explore_state.self)
			explore_demand(cell->written_at[t] <= known[t] && (!write || cell->read_at[t] <= known[t]), "a data race");
	(write ? cell->written_at : cell->read_at)[explore_state.self] = known[explore_state.self];
}

/* One of the stores that this thread may see, the newest first. */
static const struct store *see(struct cell *cell, unsigned oldest)
{
	unsigned index = (unsigned)(cell - cells), floor = self()->view.store[index];

	if (oldest > floor)
		floor = oldest;
	unsigned newest = cell->stores - 1, seen = newest - explore_choose(newest - floor + 1);
	self()->view.store[index] = (uint16_t)seen;
	join(&self()->acquired, &cell->store[seen].view);
	return &cell->store[seen];
}

/* The real memory has the new value already. */
static void put(struct cell *cell, bool release)
{
	unsigned index = (unsigned)(cell - cells);

	if (cell->stores == STORES_MAX) {
		fputs("explore: too many stores\n", stderr);
		abort();
	}
	struct store *store = &cell->store[cell->stores];
	memcpy(store->value, cell->at, cell->area->cell_bytes);
	self()->view.store[index] = (uint16_t)cell->stores++;
	store->view = release ? self()->view : self()->released;
	store->view.store[index] = self()->view.store[index];
}

static bool acquires(int order)
{
	return order != memory_order_relaxed && order != memory_order_release;
}

static bool releases(int order)
{
	return order == memory_order_release || order == memory_order_acq_rel || order == memory_order_seq_cst;
}

uint64_t explore_load(const void *at, size_t bytes, int order)
{
	struct cell *cell = cell_of(at);
	uint64_t value = 0;

	if (!cell) {
		memcpy(&value, at, bytes);
		return value;
	}
	approach(cell, false);
	if (broken(cell, BREACH_LOAD_RELAXED))
		order = memory_order_relaxed;
	if (broken(cell, BREACH_NO_SECOND_LOOK) && self()->looked_at == cell) {
		self()->looked_at = NULL;
		return self()->looked;
	}
	self()->looked_at = cell;
	const struct store *store = see(cell, order == memory_order_seq_cst ? cell->ordered : 0);
	if (acquires(order))
		join(&self()->view, &store->view);
	memcpy(&value, store->value + ((const unsigned char *)at - cell->at), bytes);
	return self()->looked = value;
}

void explore_store(void *at, size_t bytes, uint64_t value, int order)
{
	struct cell *cell = cell_of(at);

	if (!cell) {
		memcpy(at, &value, bytes);
		return;
	}
	approach(cell, true);
	if (broken(cell, BREACH_STORE_RELAXED))
		order = memory_order_relaxed;
	if (broken(cell, BREACH_NO_CLEARING) && value == 0)
		return;
	memcpy(at, &value, bytes);
	put(cell, releases(order));
	if (order == memory_order_seq_cst)
		cell->ordered = cell->stores - 1;
}

/* The new value follows the newest there is, with nothing between. */
static void follow(struct cell *cell, void *at, size_t bytes, uint64_t value, int order)
{
	const struct view seen = cell->store[cell->stores - 1].view;

	if (broken(cell, BREACH_STORE_RELAXED))
		order = memory_order_relaxed;
	join(&self()->acquired, &seen);
	if (acquires(order))
		join(&self()->view, &seen);
	memcpy(at, &value, bytes);
	put(cell, releases(order));
	/* a release before it goes on through it */
	join(&cell->store[cell->stores - 1].view, &seen);
	if (order == memory_order_seq_cst)
		cell->ordered = cell->stores - 1;
}

uint64_t explore_exchange(void *at, size_t bytes, uint64_t value, int order)
{
	struct cell *cell = cell_of(at);
	uint64_t before = 0;

	if (cell)
		approach(cell, true);
	memcpy(&before, at, bytes);
	if (cell)
		follow(cell, at, bytes, value, order);
	else
		memcpy(at, &value, bytes);
	return before;
}

bool explore_compare_exchange(void *at, size_t bytes, void *expected, uint64_t value, int order)
{
	struct cell *cell = cell_of(at);

	if (!cell) {
		bool equal = memcmp(at, expected, bytes) == 0;
		memcpy(equal ? at : expected, equal ? (const void *)&value : at, bytes);
		return equal;
	}
	approach(cell, true);
	/* one that fails is a load, of an older value perhaps */
	const struct store *store = see(cell, 0);
	if (memcmp(store->value, expected, bytes) == 0 && !broken(cell, BREACH_TORN_EXCHANGE))
		store = see(cell, cell->stores - 1);
	if (memcmp(store->value, expected, bytes) != 0) {
		memcpy(expected, store->value, bytes);
		return false;
	}
	if (broken(cell, BREACH_TORN_EXCHANGE))
		approach(cell, true);
	follow(cell, at, bytes, value, order);
	return true;
}

void explore_settle(void)
{
	unsigned count = pendings;

	pendings = 0;
	for (unsigned i = 0; i < count; i++) {
		struct cell *cell = pending[i].cell;
		if (pending[i].write)
			put(cell, false);
		else
			memcpy(cell->at, cell->store[cell->stores - 1].value, cell->area->cell_bytes);
	}
}

/* A plain access is about to happen. */
void explore_plain(const void *at, bool write)
{
	struct cell *cell = cell_of(at);

	if (!cell)
		return;
	approach(cell, write);
	if (!cell->area->racy) {
		judge_race(cell, write);
		return;
	}
	if (pendings == sizeof pending / sizeof *pending) {
		fputs("explore: too many plain accesses at once\n", stderr);
		abort();
	}
	if (!write)
		memcpy(cell->at, see(cell, 0)->value, cell->area->cell_bytes);
	pending[pendings].cell = cell;
	pending[pendings++].write = write;
}

static void copy_out(unsigned char *to, const unsigned char *from, size_t bytes)
{
	for (size_t done = 0, part; done < bytes; done += part) {
		struct cell *cell = cell_of(from + done);
		size_t at = (size_t)(from + done - cell->at);
		part = cell->area->cell_bytes - at < bytes - done ? cell->area->cell_bytes - at : bytes - done;
		approach(cell, false);
		if (!cell->area->racy)
			judge_race(cell, false);
		const unsigned char *value = cell->area->racy ? see(cell, 0)->value : cell->at;
		memcpy(to + done, value + at, part);
	}
}

static void copy_in(unsigned char *to, const unsigned char *from, size_t bytes)
{
	for (size_t done = 0, part; done < bytes; done += part) {
		struct cell *cell = cell_of(to + done);
		size_t at = (size_t)(to + done - cell->at);
		part = cell->area->cell_bytes - at < bytes - done ? cell->area->cell_bytes - at : bytes - done;
		approach(cell, true);
		memcpy(to + done, from + done, part);
		if (cell->area->racy)
			put(cell, false);
		else
			judge_race(cell, true);
	}
}

void *explore_memcpy(void *to, const void *from, size_t bytes)
{
	if (cell_of(from))
		copy_out(to, from, bytes);
	else if (cell_of(to))
		copy_in(to, from, bytes);
	else
		memcpy(to, from, bytes);
	return to;
}

void explore_fence(int order)
{
	explore_settle();
	if (acquires(order) && explore_state.plan->breach != BREACH_ACQUIRE_FENCE)
		join(&self()->view, &self()->acquired);
	if (releases(order) && explore_state.plan->breach != BREACH_RELEASE_FENCE)
		self()->released = self()->view;
}
