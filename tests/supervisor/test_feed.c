#include "supervisor/feed.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <stdlib.h>

static struct chr_feed feed;
static struct chr_ring *ring;
static uint32_t serial;

static void setup(void)
{
	ring = aligned_alloc(64, sizeof *ring);
	ck_assert_ptr_nonnull(ring);
	chr_ring_init(ring);
	chr_feed_init(&feed);
	chr_feed_attach(&feed, ring);
	serial = 0;
}

static void teardown(void)
{
	chr_feed_finish(&feed);
	free(ring);
}

static void put(uint32_t index, float value, uint32_t flags)
{
	struct chr_event event = {
		.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_PARAM, .index = index, .value = value, .flags = flags};

	event.serial = ++serial;
	chr_feed_put(&feed, &event);
}

static void fill(void)
{
	for (uint32_t i = 0; i < CHR_RING_EVENTS; i++)
		put(0, (float)i, 0);
	ck_assert(!chr_feed_waiting(&feed));
}

/* Empties the ring and checks that serials only increase. Returns how many there were; the last one in *last. */
static unsigned drain(struct chr_event *last)
{
	uint32_t before = 0;
	unsigned n = 0;

	while (chr_ring_read(ring, last, 1) == 1) {
		ck_assert_uint_gt(last->serial, before);
		before = last->serial;
		n++;
	}
	return n;
}

START_TEST(test_feed_room)
{
	struct chr_event e;

	for (unsigned i = 0; i < 100; i++)
		put(i % 4, (float)i, 0);
	for (unsigned i = 0; i < 100; i++) {
		ck_assert_uint_eq(chr_ring_read(ring, &e, 1), 1);
		ck_assert_float_eq(e.value, (float)i);
		ck_assert_uint_eq(e.serial, i + 1);
	}
	ck_assert_uint_eq(feed.delivered, 100);
	ck_assert_uint_eq(feed.coalesced, 0);
}
END_TEST

START_TEST(test_feed_full_keeps_newest)
{
	struct chr_event e;

	fill();
	for (unsigned i = 0; i < 50000; i++)
		put(1 + i % 31, (float)i, 0);
	ck_assert(chr_feed_waiting(&feed));
	ck_assert_uint_eq(feed.coalesced, 50000 - 31);
	ck_assert_uint_eq(drain(&e), CHR_RING_EVENTS);
	ck_assert(chr_feed_flush(&feed));
	float newest[CHR_PARAMS_MAX] = {0};
	unsigned n = 0;
	for (uint32_t before = 0; chr_ring_read(ring, &e, 1) == 1; n++) {
		ck_assert_uint_gt(e.serial, before);
		before = e.serial;
		newest[e.index] = e.value;
	}
	ck_assert_uint_eq(n, 31);
	for (unsigned i = 50000 - 31; i < 50000; i++)
		ck_assert_float_eq(newest[1 + i % 31], (float)i);
	ck_assert_uint_eq(feed.delivered, CHR_RING_EVENTS + 31);
	ck_assert_uint_eq(feed.lost, 0);
}
END_TEST

START_TEST(test_feed_full_keeps_every_gate)
{
	const unsigned gates = 20000;
	struct chr_event e;
	unsigned seen = 0;
	float level = -1;

	fill();
	for (unsigned i = 0; i < gates; i++) {
		put(2, (float)i, CHR_EVENT_GATE);
		put(1, (float)i, 0);
	}
	drain(&e);
	for (bool done = false; !done;) {
		done = chr_feed_flush(&feed);
		for (uint32_t before = 0; chr_ring_read(ring, &e, 1) == 1; before = e.serial) {
			ck_assert_uint_gt(e.serial, before);
			if (e.index == 2) {
				ck_assert_float_eq(e.value, (float)seen);
				seen++;
			} else
				level = e.value;
		}
	}
	ck_assert_uint_eq(seen, gates);
	ck_assert_float_eq(level, (float)(gates - 1));
	ck_assert_uint_eq(feed.lost, 0);
	ck_assert_uint_eq(feed.delivered, CHR_RING_EVENTS + gates + 1);
}
END_TEST

/* What waits goes first: a newer event never overtakes, neither one of its own parameter nor a gate. */
START_TEST(test_feed_order_around_waiting)
{
	static const struct {
		uint32_t index;
		float value;
	} expected[] = {{3, 1}, {2, 1}, {2, 0}, {1, 20}, {4, 5}};
	struct chr_event e;

	fill();
	put(1, 10, 0);
	put(3, 1, 0);
	put(2, 1, CHR_EVENT_GATE);
	put(2, 0, CHR_EVENT_GATE);
	put(1, 20, 0);
	ck_assert_uint_eq(drain(&e), CHR_RING_EVENTS);
	put(4, 5, 0);
	for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++) {
		ck_assert_uint_eq(chr_ring_read(ring, &e, 1), 1);
		ck_assert_uint_eq(e.index, expected[i].index);
		ck_assert_float_eq(e.value, expected[i].value);
	}
	ck_assert_uint_eq(chr_ring_read(ring, &e, 1), 0);
}
END_TEST

START_TEST(test_feed_other_kinds_never_coalesce)
{
	struct chr_event reset = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_RESET}, e;
	unsigned n = 0;

	fill();
	for (unsigned i = 0; i < 3; i++)
		chr_feed_put(&feed, &reset);
	while (chr_ring_read(ring, &e, 1) == 1)
		;
	ck_assert(chr_feed_flush(&feed));
	for (; chr_ring_read(ring, &e, 1) == 1; n++)
		ck_assert_uint_eq(e.kind, CHR_EVENT_RESET);
	ck_assert_uint_eq(n, 3);
}
END_TEST

START_TEST(test_feed_attach)
{
	struct chr_event e;

	fill();
	put(1, 1, 0);
	put(2, 1, CHR_EVENT_GATE);
	chr_feed_attach(&feed, NULL);
	ck_assert(!chr_feed_waiting(&feed));
	put(1, 2, 0);
	ck_assert(!chr_feed_waiting(&feed));
	chr_ring_init(ring);
	chr_feed_attach(&feed, ring);
	put(1, 3, 0);
	ck_assert_uint_eq(drain(&e), 1);
	ck_assert_float_eq(e.value, 3);
	ck_assert_uint_eq(feed.delivered, CHR_RING_EVENTS + 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("feed");
	TCase *tcase = tcase_create("feed");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_feed_room);
	tcase_add_test(tcase, test_feed_full_keeps_newest);
	tcase_add_test(tcase, test_feed_full_keeps_every_gate);
	tcase_add_test(tcase, test_feed_order_around_waiting);
	tcase_add_test(tcase, test_feed_other_kinds_never_coalesce);
	tcase_add_test(tcase, test_feed_attach);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
