/* The ring in all interleavings of a producer and a consumer: while it runs empty, and while it is full and its slots are used again. */
#include "common/ring.h"
#include "tests/lib/suite.h"
#include "tests/model/explore.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define WRITES   3u
#define READS    4
#define START    (UINT32_MAX - 1u) /* the indices wrap on the way */
#define SWITCHES 99                /* all */

enum { EVENTS, HEAD, TAIL, PRIVATE };

static struct chr_ring ring;
static uint32_t filled; /* events in it at the start */
static uint32_t written, taken;

static const struct explore_area area[] = {
	{ring.event, sizeof ring.event, sizeof ring.event[0], false, EVENTS},
	{&ring.head, 4, 4, false, HEAD},
	{&ring.tail, 4, 4, false, TAIL},
	{&ring.head_seen, 4, 4, false, PRIVATE},
	{&ring.tail_seen, 4, 4, false, PRIVATE},
};

static struct chr_event numbered(uint32_t serial)
{
	return (struct chr_event){.version = CHR_EVENT_VERSION, .serial = serial, .sum = serial * UINT64_C(0x9e3779b97f4a7c15)};
}

static void fill(uint32_t count)
{
	filled = count;
	chr_ring_init(&ring);
	ring.head = ring.tail = ring.tail_seen = ring.head_seen = START - count;
	for (uint32_t i = 0; i < count; i++) {
		const struct chr_event event = numbered(i);
		ck_assert_uint_eq(chr_ring_write(&ring, &event, 1), 1);
	}
	ring.tail_seen = START - count;
}

static void reset(void)
{
	written = taken = 0;
}

/* One event, then as many as there are left, then what did not fit. */
static void produce(void)
{
	struct chr_event event[WRITES];

	for (uint32_t i = 0; i < WRITES; i++)
		event[i] = numbered(filled + i);
	written = chr_ring_write(&ring, event, 1);
	for (int i = 0; i < 2 && written < WRITES; i++)
		written += chr_ring_write(&ring, event + written, WRITES - written);
}

static void consume(void)
{
	struct chr_event event[2];

	for (uint32_t i = 0; i < READS; i++) {
		uint32_t count = chr_ring_read(&ring, event, i % 2 + 1);

		for (uint32_t k = 0; k < count; k++) {
			const struct chr_event expected = numbered(taken++);
			explore_demand(memcmp(&event[k], &expected, sizeof expected) == 0, "an event was lost, torn or doubled");
		}
	}
}

static void check(void)
{
	explore_demand(taken <= filled + written, "more came out than went in");
	explore_demand(ring.head - ring.tail == filled + written - taken, "the ring has forgotten how full it is");
}

static struct explore_result run(uint32_t count, enum explore_breach breach, int tag)
{
	const struct explore_plan plan = {.area = area,
					  .areas = sizeof area / sizeof *area,
					  .reset = reset,
					  .thread = {produce, consume},
					  .check = check,
					  .switches = SWITCHES,
					  .breach = breach,
					  .tag = tag};

	fill(count);
	return explore(&plan);
}

static const uint32_t fills[] = {0, CHR_RING_EVENTS - 1, CHR_RING_EVENTS};

START_TEST(no_interleaving_loses_an_event)
{
	struct explore_result result = run(fills[_i], BREACH_NONE, 0);

	printf("ring with %u events: %llu runs\n", fills[_i], (unsigned long long)result.runs);
	ck_assert_msg(!result.fault, "%s", result.fault);
	ck_assert_uint_gt(result.runs, 100);
}
END_TEST

static const struct {
	enum explore_breach breach;
	int tag;
	uint32_t fill;
} broken[] = {
	{BREACH_STORE_RELAXED, HEAD, 0},
	{BREACH_LOAD_RELAXED, HEAD, 0},
	{BREACH_STORE_RELAXED, TAIL, CHR_RING_EVENTS},
	{BREACH_LOAD_RELAXED, TAIL, CHR_RING_EVENTS},
};

START_TEST(a_ring_with_one_order_less_is_caught)
{
	struct explore_result result = run(broken[_i].fill, broken[_i].breach, broken[_i].tag);

	ck_assert_msg(result.fault != NULL, "breach %d went unseen in %llu runs", _i, (unsigned long long)result.runs);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model of the ring");
	TCase *tcase = tcase_create("ring");
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, no_interleaving_loses_an_event, 0, sizeof fills / sizeof *fills);
	tcase_add_loop_test(tcase, a_ring_with_one_order_less_is_caught, 0, sizeof broken / sizeof *broken);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
