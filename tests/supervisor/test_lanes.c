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

#define ASSERT_STATES(a, b)                                    \
	do {                                                   \
		ck_assert_str_eq(bed_states(bed, 0), a);       \
		ck_assert_str_eq(bed_states(bed, 1), b);       \
	} while (0)
#define ASSERT_TOLD(a, b)                                      \
	do {                                                   \
		ck_assert_str_eq(bed_told(bed, 0), a);         \
		ck_assert_str_eq(bed_told(bed, 1), b);         \
	} while (0)

/* All members of the lane were asked, once, to join in one and the same cycle, and all of the other to publish. */
static void assert_asked(unsigned lane)
{
	struct chr_event event;
	ck_assert(lanes->asked);
	for (unsigned i = BED_OSC1; i < BED_UNITS; i++) {
		if (bed->unit[i].quarantined)
			continue;
		ck_assert_msg(bed_take(bed, i, lane, CHR_EVENT_JOIN, &event), "%s was not asked", bed->unit[i].name);
		ck_assert_uint_eq(event.frame, lanes->join_frame);
		ck_assert_uint_eq(event.version, CHR_EVENT_VERSION);
		ck_assert(!bed_take(bed, i, lane, CHR_EVENT_JOIN, &event));
		ck_assert(bed_take(bed, i, !lane, CHR_EVENT_PUBLISH, &event));
		ck_assert_uint_gt(event.count, 1);
	}
}

/* So much time has passed since the join or the audit was begun. */
static void let_pass(uint64_t us)
{
	lanes->asked_us -= us;
	for (unsigned i = 0; i < BED_UNITS; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++)
			if (bed_instance(bed, i, lane)->skip_us)
				bed_instance(bed, i, lane)->skip_us -= us;
}

START_TEST(test_lanes_start)
{
	ASSERT_STATES("sss", "www");
	bed_run_lane(bed, 0);
	/* heard as soon as one lane plays; only then comes the other's turn */
	ASSERT_STATES("ppp", "sss");
	ck_assert(lanes->whole[0] && !lanes->whole[1]);
	ASSERT_TOLD("of", "!");
	bed_run(bed, BED_OUT, 1);
	bed_run(bed, BED_OSC1, 1);
	bed_run(bed, BED_FILT1, 1);
	ASSERT_STATES("ppp", "jjs");
	ck_assert(!lanes->asked);
	bed_run(bed, BED_ASIDE, 1);
	assert_asked(1);
	ck_assert_uint_gt(lanes->join_frame, 256);
	ck_assert_str_eq(chr_lanes_word(&bed->conductor, 1), "joining");
	bed_note(bed, BED_OSC1, 1, CHR_NOTE_JOINED, 1000, 0);
	bed_note(bed, BED_ASIDE, 1, CHR_NOTE_JOINED, 1000, 0);
	ck_assert(!lanes->whole[1]);
	ASSERT_TOLD("of", "!");
	bed_note(bed, BED_FILT1, 1, CHR_NOTE_JOINED, 1000, 0);
	ck_assert(lanes->whole[1] && !lanes->asked);
	ck_assert_uint_eq(lanes->joins, 1);
	ASSERT_STATES("ppp", "ppp");
	ASSERT_TOLD("of", "of");
	ck_assert_str_eq(chr_lanes_word(&bed->conductor, 0), "playing");
	ck_assert_str_eq(chr_lanes_word(&bed->conductor, 1), "whole");
	ck_assert_uint_gt(bed->conductor.heard_us, 0);
}
END_TEST

/* A death in the lane that follows, or in the one that leads: the other one plays, all of its own join anew. */
START_TEST(test_lanes_death)
{
	unsigned broken = (unsigned)_i, other = !broken;
	bed_play(bed);
	bed_die(bed, BED_FILT1, broken);
	ck_assert_uint_eq(lanes->leader, other);
	ck_assert(lanes->whole[other] && !lanes->whole[broken]);
	ck_assert_str_eq(bed_states(bed, other), "ppp");
	ck_assert_str_eq(bed_states(bed, broken), "jwj");
	ck_assert_str_eq(bed_told(bed, other), "of");
	ck_assert_str_eq(bed_told(bed, broken), "!");
	ck_assert_str_eq(chr_lanes_word(&bed->conductor, broken), "broken");
	bed_spares(bed, 1);
	bed_run(bed, BED_FILT1, broken);
	assert_asked(broken);
	bed_join_lane(bed, broken, 9000);
	ck_assert_uint_eq(lanes->joins, 2);
	/* nothing is gained by leading again */
	ck_assert_uint_eq(lanes->leader, other);
	ASSERT_STATES("ppp", "ppp");
	ASSERT_TOLD("of", "of");
}
END_TEST

/* Foreign ports hear lane a while it is whole. */
START_TEST(test_lanes_foreign)
{
	bed_play(bed);
	ck_assert(bed_desired(bed, "aside:out", "recorder:in") && !bed_desired(bed, "aside.b:out", "recorder:in"));
	bed_die(bed, BED_OSC1, 0);
	ck_assert(!bed_desired(bed, "aside:out", "recorder:in") && bed_desired(bed, "aside.b:out", "recorder:in"));
	bed_spares(bed, 1);
	bed_run(bed, BED_OSC1, 0);
	ck_assert(!bed_desired(bed, "aside:out", "recorder:in"));
	bed_join_lane(bed, 0, 9000);
	ck_assert(bed_desired(bed, "aside:out", "recorder:in") && !bed_desired(bed, "aside.b:out", "recorder:in"));
}
END_TEST

/* A member that joined earlier than those it listens to would be wrong again: all try again, until it is one cycle for all. */
START_TEST(test_lanes_join_in_different_cycles)
{
	bed_run_lane(bed, 0);
	bed_run_lane(bed, 1);
	assert_asked(1);
	for (int i = 0; i < 3; i++) {
		bed_note(bed, BED_OSC1, 1, CHR_NOTE_JOINED, 1000, 0);
		bed_note(bed, BED_FILT1, 1, CHR_NOTE_JOINED, i == 1 ? 744 : 1000, 0);
		bed_note(bed, BED_ASIDE, 1, CHR_NOTE_JOINED, i == 1 ? 1000 : 1256, 0);
		ck_assert(!lanes->whole[1]);
		ASSERT_STATES("ppp", "jjj");
		ASSERT_TOLD("of", "!");
		assert_asked(1);
	}
	bed_join_lane(bed, 1, 2000);
	ck_assert(lanes->whole[1]);
	ck_assert_uint_eq(lanes->joins, 1);
}
END_TEST

START_TEST(test_lanes_join_that_does_not_come)
{
	bed_run_lane(bed, 0);
	bed_run_lane(bed, 1);
	assert_asked(1);
	bed_note(bed, BED_OSC1, 1, CHR_NOTE_JOINED, 1000, 0);
	bed_note(bed, BED_FILT1, 1, CHR_NOTE_JOINED, 1000, 0);
	let_pass(50000);
	chr_lanes_tick(&bed->conductor);
	ck_assert(lanes->asked);
	let_pass(60000);
	chr_lanes_tick(&bed->conductor);
	assert_asked(1);
	/* what was noted before counts no more, and what is late is of another cycle */
	bed_note(bed, BED_ASIDE, 1, CHR_NOTE_JOINED, 1000, 0);
	ck_assert(!lanes->whole[1]);
	bed_note(bed, BED_OSC1, 1, CHR_NOTE_JOINED, 2000, 0);
	bed_note(bed, BED_FILT1, 1, CHR_NOTE_JOINED, 2000, 0);
	ck_assert(!lanes->whole[1]);
	assert_asked(1);
	bed_join_lane(bed, 1, 3000);
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
	assert_asked(1);
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
	ASSERT_STATES("jwj", "ppp");
	ASSERT_TOLD("!", "of");
	bed_spares(bed, 1);
	bed_run(bed, BED_FILT1, 0);
	assert_asked(0);
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
	ASSERT_STATES("pwp", "jjj");
	/* degraded: the leader is played without the dead one */
	ASSERT_TOLD("o", "!");
	if (_i) {
		let_pass(200000);
		chr_lanes_tick(&bed->conductor);
		ck_assert(!lanes->asked);
	}
	/* and when it does, nobody waits for the old join to be given up */
	bed_spares(bed, 1);
	bed_run(bed, BED_FILT1, 0);
	ASSERT_TOLD("of", "!");
	assert_asked(1);
	for (unsigned i = BED_OSC1; i < BED_UNITS; i++)
		ck_assert(!bed_instance(bed, i, 1)->joined);
	bed_join_lane(bed, 1, 5000);
	ck_assert(lanes->whole[0] && lanes->whole[1]);
}
END_TEST

START_TEST(test_lanes_both_broken)
{
	bed_play(bed);
	bed_die(bed, BED_OSC1, 0);
	bed_die(bed, BED_FILT1, 1);
	ck_assert_uint_eq(lanes->leader, 1);
	ck_assert(!lanes->whole[0] && !lanes->whole[1]);
	ASSERT_STATES("wjj", "pwp");
	ASSERT_TOLD("!", "o");
	ck_assert_str_eq(chr_lanes_word(&bed->conductor, 0), "broken");
	ck_assert_str_eq(chr_lanes_word(&bed->conductor, 1), "broken");
	bed_spares(bed, 2);
	/* the lane that follows can be complete first: it still has nobody to join */
	bed_run(bed, BED_OSC1, 0);
	ASSERT_STATES("jjj", "psp");
	ck_assert(!lanes->asked);
	bed_run(bed, BED_FILT1, 1);
	ASSERT_TOLD("!", "of");
	assert_asked(0);
	bed_join_lane(bed, 0, 7000);
	ASSERT_STATES("ppp", "ppp");
	ck_assert(lanes->whole[0] && lanes->whole[1]);
}
END_TEST

/* Both twins at once, as after a poisoned event: the one of the lane that leads starts fresh, and is joined. */
START_TEST(test_lanes_twins_die)
{
	bed_play(bed);
	bed_die(bed, BED_FILT1, 0);
	bed_die(bed, BED_FILT1, 1);
	ASSERT_STATES("jwj", "pwp");
	bed_spares(bed, 2);
	bed_run(bed, BED_FILT1, 0);
	bed_run(bed, BED_FILT1, 1);
	ASSERT_STATES("jjj", "ppp");
	assert_asked(0);
	bed_join_lane(bed, 0, 7000);
	ck_assert(lanes->whole[0] && lanes->whole[1]);
}
END_TEST

/* ---- the audit ---- */

static uint32_t begin_audit(void)
{
	struct chr_event event;
	uint32_t frame = 0;
	lanes->audit_us = 0;
	chr_lanes_tick(&bed->conductor);
	ck_assert(lanes->auditing);
	for (unsigned i = BED_OSC1; i < BED_UNITS; i++)
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
		for (unsigned i = BED_OSC1; i < BED_UNITS; i++)
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
	ASSERT_STATES("ppp", "jjj");
	ASSERT_TOLD("of", "!");
	assert_asked(1);
	bed_join_lane(bed, 1, 9000);
	ck_assert(lanes->whole[1]);
	sums(begin_audit(), 100 + BED_FILT1);
	ck_assert_uint_eq(lanes->divergences, 1);
}
END_TEST

/* out has gone over to lane b by itself: what is heard is right, the other is healed. */
START_TEST(test_lanes_audit_heals_from_what_is_heard)
{
	bed_play(bed);
	struct chr_slot_status *status = &bed_instance(bed, BED_OUT, 0)->process->slot->status;
	atomic_store_explicit(&status->played[0], 10, memory_order_relaxed);
	atomic_store_explicit(&status->played[1], 20, memory_order_relaxed);
	sums(begin_audit(), 1);
	ck_assert_uint_eq(lanes->leader, 1);
	ASSERT_STATES("jjj", "ppp");
	ASSERT_TOLD("!", "of");
	assert_asked(0);
	bed_join_lane(bed, 0, 9000);
	/* since then lane a was heard more, though less in all */
	atomic_store_explicit(&status->played[0], 19, memory_order_relaxed);
	sums(begin_audit(), 1);
	ck_assert_uint_eq(lanes->leader, 0);
	ASSERT_STATES("ppp", "jjj");
}
END_TEST

START_TEST(test_lanes_audit_without_answer)
{
	bed_play(bed);
	uint32_t frame = begin_audit();
	bed_note(bed, BED_OSC1, 0, CHR_NOTE_CHECKSUM, frame, 1);
	let_pass(600000);
	lanes->audit_us = UINT64_MAX;
	chr_lanes_tick(&bed->conductor);
	ck_assert(!lanes->auditing);
	ck_assert_uint_eq(lanes->audits, 0);
	sums(frame, 1);
	ck_assert(lanes->whole[0] && lanes->whole[1]);
	ck_assert_uint_eq(lanes->divergences, 0);
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
	let_pass(30000);
	chr_lanes_tick(&bed->conductor);
	ck_assert(!lanes->whole[lane] && lanes->whole[!lane]);
	ck_assert_uint_eq(lanes->leader, !lane);
	assert_asked(lane);
}
END_TEST

/* The server skipped, not a lane: both missed the same. */
START_TEST(test_lanes_skip_of_both)
{
	bed_play(bed);
	bed_note(bed, BED_OSC1, 0, CHR_NOTE_SKIPPED, 4096, 256);
	bed_note(bed, BED_OSC1, 1, CHR_NOTE_SKIPPED, 4096, 256);
	let_pass(30000);
	chr_lanes_tick(&bed->conductor);
	ck_assert(lanes->whole[0] && lanes->whole[1]);
	bed_note(bed, BED_OSC1, 0, CHR_NOTE_SKIPPED, 8192, 256);
	bed_note(bed, BED_OSC1, 1, CHR_NOTE_SKIPPED, 8192, 512);
	let_pass(30000);
	chr_lanes_tick(&bed->conductor);
	ck_assert(lanes->whole[0] && !lanes->whole[1]);
}
END_TEST

/* ---- what is not usual ---- */

/* A module that died too often is silent, and both lanes are whole without it; lifted by a person, it plays in both again. */
START_TEST(test_lanes_quarantine)
{
	bed_play(bed);
	bed_spares(bed, 20);
	for (unsigned i = 0; i < bed->patch->restart_count && !bed->unit[BED_FILT1].quarantined; i++) {
		bed_die(bed, BED_FILT1, 0);
		if (!bed->unit[BED_FILT1].quarantined)
			bed_run(bed, BED_FILT1, 0);
	}
	ck_assert(bed->unit[BED_FILT1].quarantined);
	bed_die(bed, BED_FILT1, 1); /* its twin was ended with it */
	bed_drain(bed);
	let_pass(200000);
	chr_lanes_tick(&bed->conductor);
	bed_join_lane(bed, !lanes->leader, 9000);
	ASSERT_STATES("pqp", "pqp");
	ck_assert(lanes->whole[0] && lanes->whole[1]);
	ASSERT_TOLD("o", "o");

	chr_instances_restart(&bed->conductor, &bed->unit[BED_FILT1]);
	unsigned first = lanes->leader, second = !first;
	bed_run(bed, BED_FILT1, first);
	ck_assert(!lanes->whole[second]);
	lanes->audit_us = 0;
	chr_lanes_tick(&bed->conductor);
	ck_assert(!lanes->auditing);
	bed_drain(bed);
	if (bed_instance(bed, BED_FILT1, second)->state == CHR_INSTANCE_STARTING)
		bed_run(bed, BED_FILT1, second);
	ck_assert(lanes->asked);
	bed_join_lane(bed, second, 12000);
	ASSERT_STATES("ppp", "ppp");
	ASSERT_TOLD("of", "of");
}
END_TEST

/* The server goes and comes back: the lanes begin anew, and are two again. */
START_TEST(test_lanes_server_lost)
{
	bed_play(bed);
	chr_conductor_server_lost(&bed->conductor);
	ASSERT_STATES("www", "www");
	ck_assert(!lanes->whole[0] && !lanes->whole[1]);
	lanes->audit_us = 0;
	chr_lanes_tick(&bed->conductor);
	bed->conductor.server_up = true;
	bed->conductor.rack.sample_rate = 48000;
	bed->conductor.rack.period = 256;
	bed_spares(bed, 8);
	unsigned first = lanes->leader;
	bed_run_lane(bed, first);
	ck_assert_str_eq(bed_states(bed, first), "ppp");
	ck_assert_str_eq(bed_told(bed, first), "of");
	ck_assert_str_eq(bed_told(bed, !first), "!");
	chr_lanes_tick(&bed->conductor);
	bed_drain(bed);
	bed_run_lane(bed, !first);
	ck_assert(lanes->asked);
	bed_join_lane(bed, !first, 9000);
	ASSERT_STATES("ppp", "ppp");
	ASSERT_TOLD("of", "of");
}
END_TEST

static uint64_t muted(unsigned lane)
{
	return atomic_load_explicit(&bed_instance(bed, BED_OUT, lane)->process->slot->picker.muted, memory_order_acquire);
}

/* One of the two outs is heard. The one that came back first takes the other's state over, then both change at one frame. */
START_TEST(test_lanes_outs_take_turns)
{
	struct chr_event event;
	bed_play(bed);
	ck_assert_uint_eq(muted(0), CHR_PLAY);
	ck_assert_uint_eq(muted(1), CHR_MUTE);
	/* what the guard of out does */
	atomic_store_explicit(&bed_instance(bed, BED_OUT, 1)->process->slot->picker.muted, CHR_PLAY, memory_order_relaxed);
	bed_die(bed, BED_OUT, 0);
	ck_assert(lanes->whole[0] && lanes->whole[1]);
	bed_spares(bed, 1);
	ck_assert_uint_eq(muted(0), CHR_MUTE);
	bed_run(bed, BED_OUT, 0);
	ck_assert(bed_take(bed, BED_OUT, 1, CHR_EVENT_PUBLISH, &event));
	ck_assert(bed_take(bed, BED_OUT, 0, CHR_EVENT_JOIN, &event));
	ck_assert_uint_eq((uint32_t)muted(0), CHR_PLAY_FROM);
	ck_assert_uint_eq((uint32_t)muted(1), CHR_MUTE_FROM);
	ck_assert_uint_eq(muted(0) >> 32, muted(1) >> 32);
	ck_assert_int_gt(chr_frames_diff((uint32_t)(muted(0) >> 32), event.frame), 0);
	ASSERT_TOLD("of", "of");
	/* the standby's death is heard by nobody */
	bed_die(bed, BED_OUT, 1);
	bed_spares(bed, 1);
	ck_assert_uint_eq(muted(1), CHR_MUTE);
	bed_run(bed, BED_OUT, 1);
	ck_assert(bed_take(bed, BED_OUT, 1, CHR_EVENT_JOIN, &event));
	ck_assert_uint_eq(muted(1), CHR_MUTE);
	ck_assert_uint_eq((uint32_t)muted(0), CHR_PLAY_FROM);
}
END_TEST

START_TEST(test_lanes_one_lane)
{
	teardown();
	bed = bed_create(1);
	lanes = &bed->conductor.lanes;
	bed_run_lane(bed, 0);
	ASSERT_STATES("ppp", "---");
	ASSERT_TOLD("of", "!");
	bed_die(bed, BED_FILT1, 0);
	/* the rest plays on, and the pool had more */
	ASSERT_STATES("psp", "---");
	ASSERT_TOLD("o", "!");
	bed_run(bed, BED_FILT1, 0);
	ASSERT_STATES("ppp", "---");
	ASSERT_TOLD("of", "!");
	lanes->audit_us = 0;
	chr_lanes_tick(&bed->conductor);
	ck_assert(!lanes->asked && !lanes->auditing);
	ck_assert(bed_desired(bed, "aside:out", "recorder:in"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lanes");
	TCase *tcase = tcase_create("lanes");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_lanes_start);
	tcase_add_loop_test(tcase, test_lanes_death, 0, CHR_LANES);
	tcase_add_test(tcase, test_lanes_foreign);
	tcase_add_test(tcase, test_lanes_join_in_different_cycles);
	tcase_add_test(tcase, test_lanes_join_that_does_not_come);
	tcase_add_test(tcase, test_lanes_join_unasked);
	tcase_add_test(tcase, test_lanes_follower_dies_while_joining);
	tcase_add_test(tcase, test_lanes_leader_dies_at_the_join);
	tcase_add_loop_test(tcase, test_lanes_leader_dies_before_the_join, 0, 2);
	tcase_add_test(tcase, test_lanes_both_broken);
	tcase_add_test(tcase, test_lanes_twins_die);
	tcase_add_test(tcase, test_lanes_audit_agrees);
	tcase_add_test(tcase, test_lanes_audit_heals);
	tcase_add_test(tcase, test_lanes_audit_heals_from_what_is_heard);
	tcase_add_test(tcase, test_lanes_audit_without_answer);
	tcase_add_test(tcase, test_lanes_death_ends_audit);
	tcase_add_loop_test(tcase, test_lanes_skip_of_one, 0, CHR_LANES);
	tcase_add_test(tcase, test_lanes_skip_of_both);
	tcase_add_test(tcase, test_lanes_quarantine);
	tcase_add_test(tcase, test_lanes_server_lost);
	tcase_add_test(tcase, test_lanes_outs_take_turns);
	tcase_add_test(tcase, test_lanes_one_lane);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
