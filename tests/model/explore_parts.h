/* The explorer's parts: explore.c chooses and switches, explore_memory.c is the memory, explore_entries.c what the compiler calls. */
#ifndef CHR_TESTS_MODEL_EXPLORE_PARTS_H
#define CHR_TESTS_MODEL_EXPLORE_PARTS_H

#include "tests/model/explore.h"

struct explore_state {
	const struct explore_plan *plan;
	unsigned self; /* the thread that runs */
	bool running;
	bool grown; /* this run met a conflict that no run before it had met */
	const char *fault;
};
extern struct explore_state explore_state;

unsigned explore_choose(unsigned of);

/* Another thread may go on here. */
void explore_point(void);

/* Plain accesses that were announced have happened: takes them into the books. */
void explore_settle(void);

/* The accesses of the code under test, of 1 to 8 bytes; `order` is a memory_order. A plain one is announced before it happens. */
uint64_t explore_load(const void *at, size_t bytes, int order);
void explore_store(void *at, size_t bytes, uint64_t value, int order);
uint64_t explore_exchange(void *at, size_t bytes, uint64_t value, int order);
bool explore_compare_exchange(void *at, size_t bytes, void *expected, uint64_t value, int order);
void explore_fence(int order);
void explore_plain(const void *at, bool write);

/* Before a run: every cell as it was. Before an exploration: there are no cells. */
void explore_memory_reset(void);
void explore_memory_forget(void);

#endif
