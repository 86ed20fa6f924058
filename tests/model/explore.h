/* Runs real code in every interleaving, under a memory that reorders as C allows.
 *
 * The code under test is compiled with -fsanitize=thread, whose calls before every access come here instead of to the sanitizer. Two or three
 * threads of it run in turns on one thread of the system; before each access that another thread could notice, any of them may go on. What a
 * load sees is any store that C11 lets it see: each cell of memory keeps all stores made to it, each thread and each release knows how far it has
 * seen each cell, acquire takes that knowledge over. (Stores take effect in the order they run: a load never sees the future.) An exploration tries
 * all of that, by replaying from the start with another choice each time, up to a number of switches away from a thread that could go on.
 *
 * Memory that is not shared with explore_share() belongs to one thread and is not looked at.
 */
#ifndef CHR_TESTS_MODEL_EXPLORE_H
#define CHR_TESTS_MODEL_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLORE_THREADS 2

/* A piece of shared memory in cells of equal size. `racy`: plain accesses to it may be concurrent, and count as relaxed ones; elsewhere that
 * is a fault. `tag` names it for a breach. */
struct explore_area {
	const void *at;
	size_t bytes, cell_bytes;
	bool racy;
	int tag;
};

/* What is made worse than it is written, at the areas with the tag: an exploration that then finds no fault is blind. */
enum explore_breach {
	BREACH_NONE,
	BREACH_LOAD_RELAXED,  /* loads order nothing */
	BREACH_STORE_RELAXED, /* stores and exchanges order nothing */
	BREACH_ACQUIRE_FENCE, /* there is none; whatever the tag */
	BREACH_RELEASE_FENCE,
	BREACH_NO_CLEARING,    /* atomic stores of 0 do not happen */
	BREACH_NO_SECOND_LOOK, /* a thread's atomic load of what it has just loaded gives the same again */
	BREACH_TORN_EXCHANGE,  /* a compare-and-exchange is a load and then a store */
};

struct explore_plan {
	const struct explore_area *area;
	unsigned areas;
	void (*reset)(void); /* before each run: memory that is not shared as it was */
	void (*thread[EXPLORE_THREADS])(void);
	void (*check)(void); /* after each run; may be NULL */
	unsigned switches;   /* away from a thread that could go on */
	enum explore_breach breach;
	int tag;
};

struct explore_result {
	uint64_t runs;
	const char *fault; /* the first; NULL: none in all runs */
};

struct explore_result explore(const struct explore_plan *plan);

/* From the code of the plan: something is wrong in this run. */
void explore_demand(bool held, const char *otherwise);

/* From a thread: nobody may touch this piece of shared memory any more. */
void explore_forbid(const void *at, size_t bytes);

/* What the code under test calls in place of memcpy() and nanosleep(); the latter lets the other thread go on. */
void *explore_memcpy(void *to, const void *from, size_t bytes);
struct timespec;
int explore_nanosleep(const struct timespec *time, struct timespec *left);

#endif
