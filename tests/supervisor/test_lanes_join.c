/* How the lane that follows joins the one that leads: in one cycle or not at all, again and again, and what a death in the middle does to it. */
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

/* A member that joined earlier than those it listens to would be wrong again: all try again, until it is one cycle for all. */
START_TEST(test_lanes_join_in_different_cycles)
{
	bed_run_lane(bed, 0);
	bed_run_lane(bed, 1);
	bed_assert_asked(bed, 1);
	for (int i = 0; i < 3; i++) {
		bed_note(bed, BED_OUT, 1, CHR_NOTE_JOINED, 4000, 0);
		bed_note(bed, BED_OSC1, 1, CHR_NOTE_JOINED, 4000, 0);
		bed_note(bed, BED_FILT1, 1, CHR_NOTE_JOINED, i == 1 ? 3744 : 4000, 0);
		bed_note(bed, BED_ASIDE, 1, CHR_NOTE_JOINED, i == 1 ? 4000 : 4256, 0);
		ck_assert(!lanes->whole[1]);
		bed_assert_states(bed, "ppp", "jjj");
		bed_assert_told(bed, "of", "!");
		bed_assert_asked(bed, 1);
	}
	bed_join_lane(bed, 1, 5000);
	ck_assert(lanes->whole[1]);
	ck_assert_uint_eq(lanes->joins, 1);
}
END_TEST

/* The last order to the process's main thread about its rank; 0: none. Empties the ring. */
static unsigned ranked(unsigned unit, unsigned lane)
{
	struct chr_process *process = bed_instance(bed, unit, lane)->process;
	struct chr_event order;
	unsigned kind = 0;
	while (chr_ring_read(&process->slot->to_main, &order, 1))
		if (order.kind == CHR_ORDER_AHEAD || order.kind == CHR_ORDER_BEHIND)
			kind = order.kind;
	return kind;
}

/* Twins exchange what they read where the graph has a loop, and there alone; the edges to out, and its clock's, make none. */
static void assert_loops(bool osc1, bool filt1)
{
	const bool wanted[BED_UNITS] = {[BED_OSC1] = osc1, [BED_FILT1] = filt1};
	struct chr_event event;
	ck_assert(lanes->asked);
	for (unsigned i = 0; i < BED_UNITS; i++) {
		ck_assert(bed_take(bed, i, 0, CHR_EVENT_PUBLISH, &event));
		ck_assert_uint_eq(event.flags, wanted[i] ? CHR_EVENT_LOOPS : 0);
		ck_assert(bed_take(bed, i, 1, CHR_EVENT_JOIN, &event));
		ck_assert_uint_eq(event.flags, wanted[i] ? CHR_EVENT_LOOPS : 0);
		ck_assert_uint_eq(ranked(i, 0), wanted[i] ? CHR_ORDER_AHEAD : 0);
		ck_assert_uint_eq(ranked(i, 1), wanted[i] ? CHR_ORDER_BEHIND : 0);
	}
	bed_join_lane(bed, 1, lanes->join_frame);
	bed_drain(bed);
}

START_TEST(test_lanes_join_in_loops)
{
	struct chr_edges *logical = &bed->conductor.logical;
	bed_run_lane(bed, 0);
	bed_run_lane(bed, 1);
	assert_loops(false, false);
	ck_assert_int_eq(chr_edges_add(logical, "out:clock", "osc1:fm"), 0);
	chr_lanes_part(&bed->conductor);
	assert_loops(false, false);
	ck_assert_int_eq(chr_edges_add(logical, "filt1:out", "osc1:fm"), 0);
	chr_lanes_part(&bed->conductor);
	assert_loops(true, true);
	ck_assert(chr_edges_remove(logical, "filt1:out", "osc1:fm"));
	ck_assert_int_eq(chr_edges_add(logical, "filt1:out", "filt1:cutoff"), 0);
	chr_lanes_part(&bed->conductor);
	assert_loops(false, true);
}
END_TEST

START_TEST(test_lanes_join_that_does_not_come)
{
	bed_run_lane(bed, 0);
	bed_run_lane(bed, 1);
	bed_assert_asked(bed, 1);
	bed_note(bed, BED_OUT, 1, CHR_NOTE_JOINED, 1000, 0);
	bed_note(bed, BED_OSC1, 1, CHR_NOTE_JOINED, 1000, 0);
	bed_note(bed, BED_FILT1, 1, CHR_NOTE_JOINED, 1000, 0);
	bed_let_pass(bed, 50000);
	chr_lanes_tick(&bed->conductor);
	ck_assert(lanes->asked);
	bed_let_pass(bed, 80000);
	chr_lanes_tick(&bed->conductor);
	bed_assert_asked(bed, 1);
	/* what was noted before counts no more, and what is late is of another cycle */
	bed_note(bed, BED_ASIDE, 1, CHR_NOTE_JOINED, 1000, 0);
	ck_assert(!lanes->whole[1]);
	bed_note(bed, BED_OUT, 1, CHR_NOTE_JOINED, 2000, 0);
	bed_note(bed, BED_OSC1, 1, CHR_NOTE_JOINED, 2000, 0);
	bed_note(bed, BED_FILT1, 1, CHR_NOTE_JOINED, 2000, 0);
	ck_assert(!lanes->whole[1]);
	bed_assert_asked(bed, 1);
	bed_join_lane(bed, 1, 3000);
	ck_assert(lanes->whole[1]);
}
END_TEST

/* Where a request takes as long as the cycles that it is ahead, each attempt would fail as the first one did. */
START_TEST(test_lanes_join_lead_grows)
{
	uint32_t lead = 320;
	bed_run_lane(bed, 0);
	bed_run_lane(bed, 1);
	for (int i = 0; i < 6; i++) {
		ck_assert_uint_eq(lanes->join_frame, lead);
		lead *= i < 3 ? 2 : 1;
		bed_drain(bed);
		if (i % 2) {
			bed_let_pass(bed, 300000);
			chr_lanes_tick(&bed->conductor);
		} else {
			for (unsigned unit = 0; unit < BED_UNITS; unit++)
				bed_note(bed, unit, 1, CHR_NOTE_JOINED, unit ? 4000 : 4256, 0);
		}
		ck_assert(!lanes->whole[1]);
	}
	bed_assert_asked(bed, 1);
	bed_join_lane(bed, 1, 4000);
	ck_assert(lanes->whole[1]);
	chr_lanes_part(&bed->conductor);
	ck_assert_uint_eq(lanes->join_frame, 320);
}
END_TEST

/* The longest lead is shorter than the leader publishes. */
START_TEST(test_lanes_join_published)
{
	struct chr_event publish;
	bed_run_lane(bed, 0);
	bed_run_lane(bed, 1);
	for (int i = 0; i < 8; i++) {
		bed_drain(bed);
		bed_let_pass(bed, 300000);
		chr_lanes_tick(&bed->conductor);
	}
	ck_assert(bed_take(bed, BED_OSC1, 0, CHR_EVENT_PUBLISH, &publish));
	ck_assert_uint_gt(publish.count * 256, lanes->join_frame + 512);
}
END_TEST

/* A long period's join is not given up before its cycle has come. */
START_TEST(test_lanes_join_long_period)
{
	bed->conductor.rack.period = 8192;
	bed_run_lane(bed, 0);
	bed_run_lane(bed, 1);
	bed_assert_asked(bed, 1);
	bed_let_pass(bed, 2 * 8192 * 1000000ull / 48000);
	chr_lanes_tick(&bed->conductor);
	ck_assert(lanes->asked);
	for (unsigned i = 0; i < BED_UNITS; i++) {
		struct chr_event event;
		ck_assert(!bed_take(bed, i, 1, CHR_EVENT_JOIN, &event));
	}
	bed_join_lane(bed, 1, 16384);
	ck_assert(lanes->whole[1]);
}
END_TEST

/* The answers to a request that was given up may come after the next one: what was taken over then may be void. */
START_TEST(test_lanes_join_stale)
{
	bed_run_lane(bed, 0);
	bed_run_lane(bed, 1);
	ck_assert(lanes->asked);
	bed_join_lane(bed, 1, lanes->join_frame - 1);
	ck_assert(lanes->asked && !lanes->whole[1]);
	bed_assert_asked(bed, 1);
	/* and one that is always an answer behind does not keep the lane from joining */
	bed_note(bed, BED_OUT, 1, CHR_NOTE_JOINED, 4000, 0);
	bed_note(bed, BED_OSC1, 1, CHR_NOTE_JOINED, 4000, 0);
	bed_note(bed, BED_FILT1, 1, CHR_NOTE_JOINED, 4000, 0);
	bed_note(bed, BED_ASIDE, 1, CHR_NOTE_JOINED, 64, 0);
	ck_assert(lanes->asked && !lanes->whole[1]);
	bed_note(bed, BED_ASIDE, 1, CHR_NOTE_JOINED, 4000, 0);
	ck_assert(lanes->whole[1]);
}
END_TEST

/* A note that nobody asked for changes nothing. */
START_TEST(test_lanes_join_unasked)
{
	bed_play(bed);
	bed_die(bed, BED_OSC1, 1);
	bed_join_lane(bed, 1, 3000);
	ck_assert(!lanes->whole[1]);
	ck_assert_str_eq(bed_told(bed, 1), "!");
}
END_TEST

START_TEST(test_lanes_follower_dies_while_joining)
{
	bed_run_lane(bed, 0);
	bed_run_lane(bed, 1);
	bed_note(bed, BED_OSC1, 1, CHR_NOTE_JOINED, 1000, 0);
	bed_note(bed, BED_FILT1, 1, CHR_NOTE_JOINED, 1000, 0);
	bed_drain(bed);
	bed_die(bed, BED_ASIDE, 1);
	ck_assert(!lanes->asked && !lanes->whole[1]);
	bed_spares(bed, 1);
	bed_run(bed, BED_ASIDE, 1);
	bed_assert_asked(bed, 1);
	bed_join_lane(bed, 1, 5000);
	ck_assert(lanes->whole[1]);
}
END_TEST

/* The leader dies when its twins have its state but the news of that is still under way: they are the ones that go on. */
START_TEST(test_lanes_leader_dies_at_the_join)
{
	bed_run_lane(bed, 0);
	bed_run_lane(bed, 1);
	bed_drain(bed);
	bed_die(bed, BED_FILT1, 0);
	bed_join_lane(bed, 1, 1000);
	ck_assert_uint_eq(lanes->leader, 1);
	ck_assert(lanes->whole[1] && !lanes->whole[0]);
	bed_assert_states(bed, "jwj", "ppp");
	bed_assert_told(bed, "!", "of");
	bed_spares(bed, 1);
	bed_run(bed, BED_FILT1, 0);
	bed_assert_asked(bed, 0);
	bed_join_lane(bed, 0, 5000);
	ck_assert(lanes->whole[0] && lanes->whole[1]);
}
END_TEST

/* The leader dies before its twins have its state: there is nothing to join, until it plays again. */
START_TEST(test_lanes_leader_dies_before_the_join)
{
	bed_run_lane(bed, 0);
	bed_run_lane(bed, 1);
	bed_drain(bed);
	bed_note(bed, BED_OSC1, 1, CHR_NOTE_JOINED, 1000, 0);
	bed_die(bed, BED_FILT1, 0);
	ck_assert_uint_eq(lanes->leader, 0);
	ck_assert(!lanes->whole[0] && !lanes->whole[1]);
	bed_assert_states(bed, "pwp", "jjj");
	/* degraded: the leader is played without the dead one */
	bed_assert_told(bed, "o", "!");
	if (_i) {
		bed_let_pass(bed, 200000);
		chr_lanes_tick(&bed->conductor);
		ck_assert(!lanes->asked);
	}
	/* and when it does, nobody waits for the old join to be given up */
	bed_spares(bed, 1);
	bed_run(bed, BED_FILT1, 0);
	bed_assert_told(bed, "of", "!");
	bed_assert_asked(bed, 1);
	for (unsigned i = BED_OSC1; i < BED_UNITS; i++)
		ck_assert(!bed_instance(bed, i, 1)->joined);
	bed_join_lane(bed, 1, 5000);
	ck_assert(lanes->whole[0] && lanes->whole[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lanes_join");
	TCase *tcase = tcase_create("lanes_join");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_lanes_join_in_different_cycles);
	tcase_add_test(tcase, test_lanes_join_in_loops);
	tcase_add_test(tcase, test_lanes_join_lead_grows);
	tcase_add_test(tcase, test_lanes_join_published);
	tcase_add_test(tcase, test_lanes_join_long_period);
	tcase_add_test(tcase, test_lanes_join_stale);
	tcase_add_test(tcase, test_lanes_join_that_does_not_come);
	tcase_add_test(tcase, test_lanes_join_unasked);
	tcase_add_test(tcase, test_lanes_follower_dies_while_joining);
	tcase_add_test(tcase, test_lanes_leader_dies_at_the_join);
	tcase_add_loop_test(tcase, test_lanes_leader_dies_before_the_join, 0, 2);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
