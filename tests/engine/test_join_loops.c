/* Joins in a loop: the probe's sum goes into its input, a cycle late, as JACK does with the edge that closes a loop. */
#include "tests/engine/bed.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define N        64u
#define CYCLES   400
#define LOOPGAIN 0.499f /* the loop's gain is just below 1: an error in it stays for many cycles */

static struct bed *healthy, *joiner;

static void setup(void)
{
	healthy = bed_create(&bed_probe, 2, 0, 1000);
	joiner = bed_create(&bed_probe, 2, 0, 1000);
	chr_join_set_twin(joiner->rt, healthy->slot);
}

static void teardown(void)
{
	bed_destroy(healthy);
	bed_destroy(joiner);
}

static void cycle(struct bed *bed)
{
	for (uint32_t i = 0; i < N; i++)
		bed->in_buffer[PROBE_IN][i] = LOOPGAIN * bed->out_buffer[PROBE_SUM][i];
	bed_cycle(bed, N);
}

static void ask(uint32_t publish_flags, uint32_t join_flags)
{
	const struct chr_event publish = {
		.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_PUBLISH, .count = 16, .flags = publish_flags};
	const struct chr_event join = {
		.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_JOIN, .frame = joiner->frame, .flags = join_flags};
	chr_ring_write(&healthy->slot->to_audio, &publish, 1);
	chr_ring_write(&joiner->slot->to_audio, &join, 1);
}

static bool joined(void)
{
	return bed_status(&joiner->slot->status.joins);
}

static bool same(void)
{
	return bed_same(healthy->out_buffer[PROBE_SUM], joiner->out_buffer[PROBE_SUM], N * sizeof(float)) &&
	       chr_join_checksum(healthy->rt) == chr_join_checksum(joiner->rt);
}

/* The twin has played for a while; the joiner is fresh, and so is what comes back to it. */
static void play_apart(void)
{
	for (int i = 0; i < 8; i++)
		cycle(healthy);
	joiner->frame = healthy->frame;
}

START_TEST(lockstep_in_a_loop)
{
	play_apart();
	ask(CHR_EVENT_LOOPS, CHR_EVENT_LOOPS);
	for (int i = 0; i < CYCLES; i++) {
		cycle(healthy);
		cycle(joiner);
		if (i > 1)
			ck_assert(joined());
		if (joined())
			ck_assert(same());
	}
}
END_TEST

/* That the test above can fail: with the state alone the error goes round and round. */
START_TEST(the_state_alone_leaves_the_loop_wrong)
{
	play_apart();
	ask(0, 0);
	for (int i = 0; i < 20; i++) {
		cycle(healthy);
		cycle(joiner);
		if (joined())
			ck_assert(!same());
	}
	ck_assert(joined());
}
END_TEST

/* The blocks of the cycle before are not those of this one: it joins when the twin comes first again. */
START_TEST(twin_that_comes_later_in_the_cycle_is_not_joined)
{
	play_apart();
	ask(CHR_EVENT_LOOPS, CHR_EVENT_LOOPS);
	for (int i = 0; i < 5; i++) {
		cycle(joiner);
		cycle(healthy);
		ck_assert(!joined());
	}
	cycle(healthy);
	cycle(joiner);
	ck_assert(joined() && same());
}
END_TEST

START_TEST(nothing_is_lent_unasked)
{
	play_apart();
	ask(0, CHR_EVENT_LOOPS);
	for (int i = 0; i < 5; i++) {
		cycle(healthy);
		cycle(joiner);
	}
	ck_assert(!joined());
	for (unsigned i = 0; i < 2; i++)
		ck_assert_uint_eq(healthy->slot->inputs[i].stamp, 0);
}
END_TEST

/* What a broken twin may leave in its slot, in the cycle that it lent. */
enum { HALF_WRITTEN, OTHER_LENGTH, NO_PORT, ALL_PORTS, DAMAGES };

START_TEST(damaged_inputs)
{
	play_apart();
	ask(CHR_EVENT_LOOPS, CHR_EVENT_LOOPS);
	cycle(healthy);
	cycle(joiner);
	ck_assert(!joined());
	cycle(healthy);
	for (unsigned i = 0; i < 2; i++) {
		struct chr_inputs *inputs = &healthy->slot->inputs[i];
		if (_i == HALF_WRITTEN)
			atomic_store_explicit(&inputs->stamp, 0, memory_order_relaxed);
		else if (_i == OTHER_LENGTH)
			inputs->frames = UINT32_MAX;
		else
			inputs->ports = _i == NO_PORT ? 0 : UINT64_MAX;
	}
	cycle(joiner);
	ck_assert(joined() == (_i == NO_PORT || _i == ALL_PORTS));
	ck_assert(same() == (_i == ALL_PORTS));
}
END_TEST

START_TEST(longest_cycle_is_lent_and_a_longer_one_is_not)
{
	play_apart();
	ask(CHR_EVENT_LOOPS, CHR_EVENT_LOOPS);
	for (int i = 0; i < 3; i++) {
		bed_cycle(healthy, CHR_BLOCK_MAX + 1);
		bed_cycle(joiner, CHR_BLOCK_MAX + 1);
		ck_assert(!joined());
	}
	bed_cycle(healthy, CHR_BLOCK_MAX);
	bed_cycle(joiner, CHR_BLOCK_MAX);
	ck_assert(joined() && chr_join_checksum(healthy->rt) == chr_join_checksum(joiner->rt));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("join in loops");
	TCase *tcase = tcase_create("loops");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, lockstep_in_a_loop);
	tcase_add_test(tcase, the_state_alone_leaves_the_loop_wrong);
	tcase_add_test(tcase, twin_that_comes_later_in_the_cycle_is_not_joined);
	tcase_add_test(tcase, nothing_is_lent_unasked);
	tcase_add_loop_test(tcase, damaged_inputs, 0, DAMAGES);
	tcase_add_test(tcase, longest_cycle_is_lent_and_a_longer_one_is_not);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
