#include "tests/lib/suite.h"
#include "tests/supervisor/lanes_bed.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct lanes_bed *bed;
static struct chr_lanes *lanes;

static void setup(void)
{
	bed = bed_create(2);
	lanes = &bed->conductor.lanes;
}

static void teardown(void)
{
	bed_destroy(bed);
}

static uint32_t begin_audit(void)
{
	struct chr_event event;
	uint32_t frame = 0;
	lanes->audit_us = 0;
	chr_lanes_tick(&bed->conductor);
	ck_assert(lanes->auditing);
	for (unsigned i = 0; i < BED_UNITS; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			ck_assert(bed_take(bed, i, lane, CHR_EVENT_CHECKSUM, &event));
			ck_assert(frame == 0 || event.frame == frame);
			frame = event.frame;
		}
	ck_assert_uint_gt(frame, 256);
	return frame;
}

/* The sums of all, filt1's in lane b being `odd`. */
static void sums(uint32_t frame, uint64_t odd)
{
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		for (unsigned i = 0; i < BED_UNITS; i++)
			bed_note(bed, i, lane, CHR_NOTE_CHECKSUM, frame, i == BED_FILT1 && lane == 1 ? odd : 100 + i);
}

START_TEST(test_lanes_audit_agrees)
{
	bed_play(bed);
	for (unsigned i = 1; i <= 3; i++) {
		sums(begin_audit(), 100 + BED_FILT1);
		ck_assert(!lanes->auditing);
		ck_assert_uint_eq(lanes->audits, i);
	}
	ck_assert_uint_eq(lanes->divergences, 0);
	ck_assert(lanes->whole[0] && lanes->whole[1]);
	/* not again before its time */
	chr_lanes_tick(&bed->conductor);
	ck_assert(!lanes->auditing);
}
END_TEST

START_TEST(test_lanes_audit_heals)
{
	bed_play(bed);
	uint32_t frame = begin_audit();
	/* sums of another frame are no answer */
	sums(frame + 256, 1);
	ck_assert(lanes->auditing);
	ck_assert_uint_eq(lanes->audits, 0);
	sums(frame, 1);
	ck_assert_uint_eq(lanes->audits, 1);
	ck_assert_uint_eq(lanes->divergences, 1);
	bed_assert_states(bed, "ppp", "jjj");
	bed_assert_told(bed, "of", "!");
	bed_assert_asked(bed, 1);
	bed_join_lane(bed, 1, 9000);
	ck_assert(lanes->whole[1]);
	sums(begin_audit(), 100 + BED_FILT1);
	ck_assert_uint_eq(lanes->divergences, 1);
}
END_TEST

/* An audit that finds a difference, and the join that heals it. */
static void differ(uint32_t joined)
{
	sums(begin_audit(), 1);
	bed_join_lane(bed, 1, joined);
	ck_assert(lanes->whole[0] && lanes->whole[1]);
	bed_drain(bed);
}

/* Where the order of connections matters, a difference that comes again and again is JACK's: the lane that follows gets new processes there, then the other
 * one, then it is told. */
START_TEST(test_lanes_audit_unlike)
{
	struct chr_instance *a = bed_instance(bed, BED_FILT1, 0), *b = bed_instance(bed, BED_FILT1, 1);
	bed_play(bed);
	for (uint32_t i = 0; i < 5; i++)
		differ(9000 + i);
	ck_assert(!a->by_hand && !b->by_hand);
	ck_assert_int_eq(chr_edges_add(&bed->conductor.logical, "filt1:out", "filt1:cutoff"), 0);
	differ(10000);
	/* one that does not come again is not */
	sums(begin_audit(), 100 + BED_FILT1);
	differ(11000);
	ck_assert(!a->by_hand && !b->by_hand);
	differ(12000);
	ck_assert(!a->by_hand && b->by_hand);
	ck_assert(!bed_instance(bed, BED_OSC1, 1)->by_hand);
	ck_assert_uint_eq(lanes->leader, 0);
	sums(begin_audit(), 1);
	ck_assert(a->by_hand);
	ck_assert_uint_eq(lanes->leader, 1);
	ck_assert(lanes->whole[1] && !lanes->whole[0]);
	bed_join_lane(bed, 0, 13000);
	ck_assert_str_eq(chr_lanes_word(&bed->conductor, 0), "whole");
	a->by_hand = b->by_hand = false;
	/* and once more */
	sums(begin_audit(), 1);
	ck_assert(a->by_hand && !b->by_hand);
	bed_join_lane(bed, 0, 13500);
	sums(begin_audit(), 1);
	ck_assert(b->by_hand);
	ck_assert_uint_eq(lanes->leader, 0);
	bed_join_lane(bed, 1, 13700);
	a->by_hand = b->by_hand = false;
	for (uint32_t i = 0; i < 2; i++) {
		sums(begin_audit(), 1);
		ck_assert_uint_eq(lanes->leader, 0);
		bed_join_lane(bed, 1, 14000 + i);
		ck_assert_str_eq(chr_lanes_word(&bed->conductor, 1), "unlike");
		ck_assert_str_eq(chr_lanes_word(&bed->conductor, 0), "playing");
	}
	ck_assert(!a->by_hand && !b->by_hand);
	sums(begin_audit(), 100 + BED_FILT1);
	ck_assert_str_eq(chr_lanes_word(&bed->conductor, 1), "whole");
}
END_TEST

/* out has gone over to lane b by itself: what is heard is right, the other is healed. */
START_TEST(test_lanes_audit_heals_from_what_is_heard)
{
	bed_play(bed);
	_Atomic uint32_t *played[CHR_LANES];
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		played[lane] = &bed_instance(bed, BED_OUT, lane)->process->slot->status.played;
	atomic_store_explicit(played[0], 10, memory_order_relaxed);
	atomic_store_explicit(played[1], 20, memory_order_relaxed);
	sums(begin_audit(), 1);
	ck_assert_uint_eq(lanes->leader, 1);
	bed_assert_states(bed, "jjj", "ppp");
	bed_assert_told(bed, "!", "of");
	bed_assert_asked(bed, 0);
	bed_join_lane(bed, 0, 9000);
	/* since then lane a was heard more, though less in all */
	atomic_store_explicit(played[0], 19, memory_order_relaxed);
	sums(begin_audit(), 1);
	ck_assert_uint_eq(lanes->leader, 0);
	bed_assert_states(bed, "ppp", "jjj");
}
END_TEST

START_TEST(test_lanes_audit_without_answer)
{
	bed_play(bed);
	uint32_t frame = begin_audit();
	bed_note(bed, BED_OSC1, 0, CHR_NOTE_CHECKSUM, frame, 1);
	bed_let_pass(bed, 700000);
	lanes->audit_us = UINT64_MAX;
	chr_lanes_tick(&bed->conductor);
	ck_assert(!lanes->auditing);
	ck_assert_uint_eq(lanes->audits, 0);
	sums(frame, 1);
	ck_assert(lanes->whole[0] && lanes->whole[1]);
	ck_assert_uint_eq(lanes->divergences, 0);
}
END_TEST

/* A long period's sums are waited for until their cycle has come. */
START_TEST(test_lanes_audit_long_period)
{
	bed_play(bed);
	bed->conductor.rack.period = 8192;
	uint32_t frame = begin_audit();
	bed_let_pass(bed, 1000000ull * frame / 48000 + 50000);
	chr_lanes_tick(&bed->conductor);
	ck_assert(lanes->auditing);
	sums(frame, 100 + BED_FILT1);
	ck_assert_uint_eq(lanes->audits, 1);
}
END_TEST

START_TEST(test_lanes_death_ends_audit)
{
	bed_play(bed);
	uint32_t frame = begin_audit();
	bed_die(bed, BED_OSC1, 1);
	ck_assert(!lanes->auditing);
	lanes->audit_us = 0;
	chr_lanes_tick(&bed->conductor);
	ck_assert_msg(!lanes->auditing, "there are no two lanes to compare");
	sums(frame, 1);
	ck_assert_uint_eq(lanes->divergences, 0);
}
END_TEST

/* ---- skipped cycles ---- */

START_TEST(test_lanes_skip_of_one)
{
	unsigned lane = (unsigned)_i;
	bed_play(bed);
	bed_note(bed, BED_OSC1, lane, CHR_NOTE_SKIPPED, 4096, 256);
	chr_lanes_tick(&bed->conductor);
	ck_assert_msg(lanes->whole[0] && lanes->whole[1], "the twin may note it yet");
	bed_let_pass(bed, 30000);
	chr_lanes_tick(&bed->conductor);
	ck_assert(!lanes->whole[lane] && lanes->whole[!lane]);
	ck_assert_uint_eq(lanes->leader, !lane);
	bed_assert_asked(bed, lane);
}
END_TEST

/* The server skipped, not a lane: both missed the same. */
START_TEST(test_lanes_skip_of_both)
{
	bed_play(bed);
	bed_note(bed, BED_OSC1, 0, CHR_NOTE_SKIPPED, 4096, 256);
	bed_note(bed, BED_OSC1, 1, CHR_NOTE_SKIPPED, 4096, 256);
	bed_let_pass(bed, 30000);
	chr_lanes_tick(&bed->conductor);
	ck_assert(lanes->whole[0] && lanes->whole[1]);
	bed_note(bed, BED_OSC1, 0, CHR_NOTE_SKIPPED, 8192, 256);
	bed_note(bed, BED_OSC1, 1, CHR_NOTE_SKIPPED, 8192, 512);
	bed_let_pass(bed, 30000);
	chr_lanes_tick(&bed->conductor);
	ck_assert(lanes->whole[0] && !lanes->whole[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lanes_audit");
	TCase *tcase = tcase_create("lanes_audit");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_lanes_audit_agrees);
	tcase_add_test(tcase, test_lanes_audit_heals);
	tcase_add_test(tcase, test_lanes_audit_unlike);
	tcase_add_test(tcase, test_lanes_audit_heals_from_what_is_heard);
	tcase_add_test(tcase, test_lanes_audit_without_answer);
	tcase_add_test(tcase, test_lanes_audit_long_period);
	tcase_add_test(tcase, test_lanes_death_ends_audit);
	tcase_add_loop_test(tcase, test_lanes_skip_of_one, 0, CHR_LANES);
	tcase_add_test(tcase, test_lanes_skip_of_both);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
