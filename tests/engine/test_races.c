/* What the threads and processes of a running patch do to each other's memory at the same time, as fast as they can: for the thread sanitizer
 * (`make test-races`), and without it for the eyes.
 */
#include "tests/engine/bed.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define ROUNDS 20000u
#else
#define ROUNDS 200000u
#endif
#define FIRST (UINT32_MAX - 5000u) /* so that frames wrap on the way */
#define N     64u

struct twins {
	struct bed *twin[2], *joiner;
	_Atomic uint32_t published; /* frame of the newest snapshot */
	_Atomic int done;
	unsigned joins, torn, tries;
};

/* Everything in the snapshot of one frame tells which frame it is. */
static void mark(struct chr_rt *rt, uint32_t frame)
{
	for (size_t i = 0; i + sizeof frame <= rt->module->state_bytes; i += sizeof frame)
		memcpy(rt->state + i, &frame, sizeof frame);
	chr_smoother_step(&rt->engine.param[PARAM_LEVEL], (float)(frame % 10));
	chr_smoother_step(&rt->engine.gain, (float)(frame % 1000));
	rt->serial = frame;
	rt->serial_known = true;
	rt->queue.count = 20;
	for (unsigned i = 0; i < rt->queue.count; i++)
		rt->queue.item[i].event = (struct chr_pending){
			.kind = CHR_EVENT_PARAM, .frame = frame + 100, .ramp_frames = frame, .value = (float)(frame % 10)};
}

static bool whole(const struct chr_rt *rt, uint32_t frame)
{
	uint32_t word;

	for (size_t i = 0; i + sizeof word <= rt->module->state_bytes; i += sizeof word) {
		memcpy(&word, rt->state + i, sizeof word);
		if (word != frame)
			return false;
	}
	if (rt->engine.param[PARAM_LEVEL].target != (float)(frame % 10) || rt->engine.gain.target != (float)(frame % 1000))
		return false;
	for (unsigned i = 0; i < rt->queue.count; i++)
		if (rt->queue.item[i].event.ramp_frames != frame)
			return false;
	return rt->floor == frame && rt->queue.count == 20;
}

/* As an audio thread, but without pause: a snapshot each cycle. */
static void *publish(void *arg)
{
	struct twins *twins = arg;
	uint32_t frame = FIRST;

	for (uint32_t i = 0; i < ROUNDS; i++, frame += N) {
		for (unsigned t = 0; t < 2; t++) {
			mark(twins->twin[t]->rt, frame);
			chr_join_publish(twins->twin[t]->rt, frame);
		}
		atomic_store_explicit(&twins->published, frame, memory_order_relaxed);
		/* not always, so that the joiner meets every stage */
		if (i % 3 == 0)
			sched_yield();
	}
	atomic_store_explicit(&twins->done, 1, memory_order_relaxed);
	return NULL;
}

/* The joiner's audio thread: tries the newest snapshot and the one before, which is the next to be written over. */
static void *join(void *arg)
{
	struct twins *twins = arg;
	struct chr_rt *rt = twins->joiner->rt;

	while (!atomic_load_explicit(&twins->done, memory_order_relaxed)) {
		uint32_t frame = atomic_load_explicit(&twins->published, memory_order_relaxed) - N * (twins->tries++ % 2);

		rt->queue.count = 0;
		rt->serial_known = false;
		if (!chr_join_try(rt, frame, frame, N))
			continue;
		twins->joins++;
		twins->torn += !whole(rt, frame);
	}
	return NULL;
}

/* While one is published and joined, the main thread changes the joiner's twin, and what it got back is its own again. */
static void switch_twins(struct twins *twins)
{
	struct chr_slot *stale = NULL;

	for (unsigned i = 0; !atomic_load_explicit(&twins->done, memory_order_relaxed); i++) {
		const struct chr_slot *before = chr_join_set_twin(twins->joiner->rt, twins->twin[i % 2]->slot);

		if (before && before == stale)
			memset(stale->snapshot, 0xff, 64);
		if (!stale) {
			int fd = -1;
			stale = chr_slot_create(&fd);
			ck_assert_ptr_nonnull(stale);
			close(fd);
		}
		before = chr_join_set_twin(twins->joiner->rt, stale);
		ck_assert(before == NULL || before == twins->twin[i % 2]->slot);
		sched_yield();
	}
	chr_join_set_twin(twins->joiner->rt, NULL);
	chr_slot_unmap(stale);
}

START_TEST(join_takes_a_whole_snapshot_or_none)
{
	struct twins twins = {0};
	pthread_t publisher, joiner;

	for (unsigned t = 0; t < 2; t++)
		twins.twin[t] = bed_create(&bed_probe, 2, 0, FIRST);
	twins.joiner = bed_create(&bed_probe, 2, 0, FIRST);
	chr_join_set_twin(twins.joiner->rt, twins.twin[0]->slot);
	atomic_store(&twins.published, FIRST);
	ck_assert_int_eq(pthread_create(&publisher, NULL, publish, &twins), 0);
	ck_assert_int_eq(pthread_create(&joiner, NULL, join, &twins), 0);
	switch_twins(&twins);
	pthread_join(publisher, NULL);
	pthread_join(joiner, NULL);
	printf("join: %u of %u tries joined\n", twins.joins, twins.tries);
	ck_assert_uint_eq(twins.torn, 0);
	ck_assert_uint_gt(twins.joins, 0);
	for (unsigned t = 0; t < 2; t++)
		bed_destroy(twins.twin[t]);
	bed_destroy(twins.joiner);
}
END_TEST

/* ---- boards ---- */

struct lane {
	struct chr_board *board;
	struct chr_member_set members;
	float *output; /* one sample a cycle */
	unsigned wrong, fresh;
};

static void *play(void *arg)
{
	struct lane *lane = arg;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t frame = FIRST + i * N;

		chr_pulse_enter(&lane->board->pulse[100], frame);
		lane->output[i] = (float)(i + 1);
		chr_pulse_complete(&lane->board->pulse[100], frame);
	}
	return NULL;
}

/* A pulse vouches for the output of its cycle. */
START_TEST(what_a_fresh_board_vouches_for_is_written)
{
	int fd = -1;
	struct lane lane = {.board = chr_board_create(&fd), .output = calloc(ROUNDS, sizeof(float))};
	pthread_t member;

	ck_assert(lane.board && lane.output);
	chr_member_set_put(&lane.members, 100, true);
	ck_assert_int_eq(pthread_create(&member, NULL, play, &lane), 0);
	for (uint32_t i = 0; i < ROUNDS;) {
		uint32_t previous = FIRST + i * N, last = (uint32_t)atomic_load(&lane.board->pulse[100].frames);

		if (chr_board_fresh(lane.board, &lane.members, previous, previous + N)) {
			lane.fresh++;
			lane.wrong += lane.output[i] != (float)(i + 1);
			i++;
		} else if (chr_frames_diff(last, previous) > 0) {
			i = (last - FIRST) / N; /* it is ahead: catch up */
		}
	}
	pthread_join(member, NULL);
	ck_assert_uint_eq(lane.wrong, 0);
	ck_assert_uint_gt(lane.fresh, 0);
	free(lane.output);
	chr_board_unmap(lane.board);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("races");
	TCase *tcase = tcase_create("races");
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, join_takes_a_whole_snapshot_or_none);
	tcase_add_test(tcase, what_a_fresh_board_vouches_for_is_written);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
