/* The join in all interleavings: snapshots that are written over while they are read, and a twin that is changed while it is looked at. */
#include "engine/join.h"
#include "engine/rt.h"
#include "tests/lib/suite.h"
#include "tests/model/explore.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_BYTES 8u
#define FIRST       1000u /* the frame of the first snapshot */
#define N           64u
#define PUBLISHED   3u
#define TRIES       2u

enum { STAMP, CONTENT, TWIN, BUSY };

static const struct chr_module module = {.name = "model", .state_bytes = STATE_BYTES};
static struct chr_descriptor desc = {.param_count = 1, .param = {{.name = "p", .min = 0, .max = 9, .initial = 0}}};
static struct chr_slot *twin_slot, *other_slot, *own_slot;
static struct chr_rt *twin, *joiner;
static uint64_t twin_state, state[2];

#define SNAPSHOT(i)                                                                                                                \
	{&twin_slot->snapshot[i].stamp, 8, 8, false, STAMP}, {&twin_slot->snapshot[i].state_bytes, 16, 4, true, CONTENT},          \
		{twin_slot->snapshot[i].pending, sizeof(struct chr_pending), sizeof(struct chr_pending), true, CONTENT},           \
		{twin_slot->snapshot[i].engine, 576, 576, true, CONTENT},                                                          \
	{                                                                                                                          \
		twin_slot->snapshot[i].state, STATE_BYTES, STATE_BYTES, true, CONTENT                                              \
	}

static void begin(void)
{
	twin_slot = aligned_alloc(64, sizeof *twin_slot);
	other_slot = aligned_alloc(64, sizeof *other_slot);
	own_slot = aligned_alloc(64, sizeof *own_slot);
	twin = aligned_alloc(64, sizeof *twin);
	joiner = aligned_alloc(64, sizeof *joiner);
	ck_assert(twin_slot && other_slot && own_slot && twin && joiner);
	memset(twin_slot, 0, sizeof *twin_slot);
	memset(other_slot, 0, sizeof *other_slot);
	memset(own_slot, 0, sizeof *own_slot);
	memset(twin, 0, sizeof *twin);
	memset(joiner, 0, sizeof *joiner);
	twin->module = joiner->module = &module;
	twin->desc = joiner->desc = &desc;
	twin->slot = twin_slot;
	joiner->slot = own_slot;
	joiner->sample_rate = twin->sample_rate = 48000;
	joiner->twin = twin_slot;
}

static void reset(void)
{
	memset(state, 0, sizeof state);
	joiner->state = (unsigned char *)&state[0];
	joiner->state_coming = (unsigned char *)&state[1];
	joiner->queue.count = 0;
	joiner->serial_known = joiner->floor_set = false;
	own_slot->from_audio.head = own_slot->from_audio.tail = 0;
	twin->state = (unsigned char *)&twin_state;
	twin->publish_turn = 0;
	twin->queue.count = 1;
	twin->serial_known = true;
}

/* Everything in snapshot `i` says that it is that one. */
static void publish(void)
{
	for (uint32_t i = 1; i <= PUBLISHED; i++) {
		uint32_t frame = FIRST + i * N;

		twin_state = i;
		twin->serial = i;
		chr_smoother_step(&twin->engine.param[0], (float)i);
		twin->queue.item[0].event = (struct chr_pending){
			.kind = CHR_EVENT_PARAM, .frame = frame + 5, .ramp_frames = i, .value = (float)i};
		chr_join_publish(twin, frame);
	}
}

static void try_one(uint32_t i)
{
	joiner->queue.count = 0;
	if (!chr_join_try(joiner, FIRST + i * N, FIRST + i * N, N))
		return;
	uint64_t got;
	memcpy(&got, joiner->state, sizeof got);
	explore_demand(got == i && joiner->engine.param[0].target == (float)i && joiner->floor == i && joiner->queue.count == 1 &&
			       joiner->queue.item[0].event.ramp_frames == i,
		       "a torn snapshot was joined");
}

/* The first snapshot, which the third is written over, and the second. */
static void join(void)
{
	for (uint32_t i = 1; i <= TRIES; i++)
		try_one(i);
}

static struct explore_result run_snapshots(enum explore_breach breach, int tag)
{
	const struct explore_area area[] = {SNAPSHOT(0), SNAPSHOT(1)};
	const struct explore_plan plan = {.area = area,
					  .areas = sizeof area / sizeof *area,
					  .reset = reset,
					  .thread = {publish, join},
					  .switches = 3,
					  .breach = breach,
					  .tag = tag};

	return explore(&plan);
}

START_TEST(no_interleaving_joins_a_torn_snapshot)
{
	begin();
	struct explore_result result = run_snapshots(BREACH_NONE, 0);

	printf("snapshots: %llu runs\n", (unsigned long long)result.runs);
	ck_assert_msg(!result.fault, "%s", result.fault);
	ck_assert_uint_gt(result.runs, 100);
}
END_TEST

static const struct {
	enum explore_breach breach;
	int tag;
} torn[] = {
	{BREACH_STORE_RELAXED, STAMP}, {BREACH_LOAD_RELAXED, STAMP}, {BREACH_ACQUIRE_FENCE, 0},
	{BREACH_RELEASE_FENCE, 0},     {BREACH_NO_CLEARING, STAMP},  {BREACH_NO_SECOND_LOOK, STAMP},
};

START_TEST(a_snapshot_with_one_order_less_is_caught)
{
	begin();
	struct explore_result result = run_snapshots(torn[_i].breach, torn[_i].tag);

	ck_assert_msg(result.fault != NULL, "breach %d went unseen in %llu runs", _i, (unsigned long long)result.runs);
}
END_TEST

/* The main thread gives the old twin back as soon as it is told that nobody reads it. */
static void change_twin(void)
{
	if (chr_join_set_twin(joiner, other_slot))
		explore_forbid(twin_slot, sizeof *twin_slot);
}

static struct explore_result run_change(enum explore_breach breach, int tag)
{
	const struct explore_area area[] = {
		SNAPSHOT(0), SNAPSHOT(1), {&joiner->twin, 8, 8, false, TWIN}, {&joiner->twin_busy, 4, 4, false, BUSY}};
	const struct explore_plan plan = {.area = area,
					  .areas = sizeof area / sizeof *area,
					  .reset = reset,
					  .thread = {join, change_twin},
					  .switches = 4,
					  .breach = breach,
					  .tag = tag};
	return explore(&plan);
}

START_TEST(a_twin_is_not_read_after_it_was_given_back)
{
	begin();
	struct explore_result result = run_change(BREACH_NONE, 0);

	printf("change of the twin: %llu runs\n", (unsigned long long)result.runs);
	ck_assert_msg(!result.fault, "%s", result.fault);
	ck_assert_uint_gt(result.runs, 10);
}
END_TEST

static const struct {
	enum explore_breach breach;
	int tag;
} used[] = {{BREACH_STORE_RELAXED, BUSY}, {BREACH_LOAD_RELAXED, BUSY}, {BREACH_STORE_RELAXED, TWIN}, {BREACH_LOAD_RELAXED, TWIN}};

START_TEST(a_change_with_one_order_less_is_caught)
{
	begin();
	struct explore_result result = run_change(used[_i].breach, used[_i].tag);

	ck_assert_msg(result.fault != NULL, "breach %d went unseen in %llu runs", _i, (unsigned long long)result.runs);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model of the join");
	TCase *tcase = tcase_create("join");
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, no_interleaving_joins_a_torn_snapshot);
	tcase_add_loop_test(tcase, a_snapshot_with_one_order_less_is_caught, 0, sizeof torn / sizeof *torn);
	tcase_add_test(tcase, a_twin_is_not_read_after_it_was_given_back);
	tcase_add_loop_test(tcase, a_change_with_one_order_less_is_caught, 0, sizeof used / sizeof *used);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
