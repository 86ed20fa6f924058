#include "tests/model/explore.h"

#include "tests/model/explore_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STACK_BYTES (256u * 1024u)
#define CHOICES_MAX 512
#define RUNS_MAX    20000000u

static struct {
	unsigned taken, of;
} choice[CHOICES_MAX];
static unsigned choices, depth;

static ucontext_t home, context[EXPLORE_THREADS];
static unsigned char stack[EXPLORE_THREADS][STACK_BYTES];
static bool alive[EXPLORE_THREADS];
static unsigned wanted, switches_left;

struct explore_state explore_state;

/* One of `of` ways to go on: the one that this run is to try. */
unsigned explore_choose(unsigned of)
{
	if (of <= 1)
		return 0;
	if (depth == choices) {
		if (choices == CHOICES_MAX) {
			fputs("explore: too many choices in one run\n", stderr);
			abort();
		}
		choice[choices].taken = 0;
		choice[choices++].of = of;
	}
	if (choice[depth].of != of) {
		fputs("explore: a run does not repeat itself\n", stderr);
		abort();
	}
	return choice[depth++].taken;
}

/* The next run of the depth-first search; false when all were tried. */
static bool next_run(void)
{
	while (choices > 0 && choice[choices - 1].taken + 1 == choice[choices - 1].of)
		choices--;
	if (!choices)
		return false;
	choice[choices - 1].taken++;
	return true;
}

static void go_to(unsigned thread)
{
	unsigned self = explore_state.self;

	wanted = thread;
	swapcontext(&context[self], &home);
	explore_state.self = self;
}

void explore_point(void)
{
	unsigned other = !explore_state.self;

	if (!alive[other] || !switches_left || !explore_choose(2))
		return;
	switches_left--;
	go_to(other);
}

int explore_nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)time;
	(void)left;
	explore_settle();
	if (alive[!explore_state.self])
		go_to(!explore_state.self);
	return 0;
}

void explore_demand(bool held, const char *otherwise)
{
	if (!held && !explore_state.fault)
		explore_state.fault = otherwise;
}

static void enter(void)
{
	unsigned self = wanted;

	explore_state.self = self;
	explore_state.running = true;
	explore_state.plan->thread[self]();
	explore_settle();
	explore_state.running = false;
	alive[self] = false;
	swapcontext(&context[self], &home);
}

static void run_once(void)
{
	const struct explore_plan *plan = explore_state.plan;

	depth = 0;
	switches_left = plan->switches;
	explore_memory_reset();
	plan->reset();
	for (unsigned i = 0; i < EXPLORE_THREADS; i++) {
		alive[i] = true;
		getcontext(&context[i]);
		context[i].uc_stack.ss_sp = stack[i];
		context[i].uc_stack.ss_size = STACK_BYTES;
		context[i].uc_link = NULL;
		makecontext(&context[i], enter, 0);
	}
	wanted = explore_choose(EXPLORE_THREADS);
	while (alive[0] || alive[1]) {
		if (!alive[wanted])
			wanted = !wanted;
		explore_state.running = true;
		swapcontext(&home, &context[wanted]);
		explore_state.running = false;
	}
	if (plan->check)
		plan->check();
}

struct explore_result explore(const struct explore_plan *plan)
{
	struct explore_result result = {0};

	explore_state = (struct explore_state){.plan = plan};
	explore_memory_forget();
	choices = 0;
	do {
		run_once();
		result.runs++;
		/* a conflict nobody knew of makes points where there were none: everything anew */
		if (explore_state.grown)
			choices = 0;
		if (result.runs > RUNS_MAX)
			explore_demand(false, "too many runs");
	} while (!explore_state.fault && (explore_state.grown ? !(explore_state.grown = false) : next_run()));
	result.fault = explore_state.fault;
	return result;
}
