/* Lanes that play, that lose members, and that are played without them. */
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

START_TEST(test_lanes_start)
{
	bed_assert_states(bed, "sss", "www");
	bed_run_lane(bed, 0);
	/* heard as soon as one lane plays; only then comes the other's turn */
	bed_assert_states(bed, "ppp", "sss");
	ck_assert(lanes->whole[0] && !lanes->whole[1]);
	bed_assert_told(bed, "of", "!");
	bed_run(bed, BED_OUT, 1);
	bed_run(bed, BED_OSC1, 1);
	bed_run(bed, BED_FILT1, 1);
	bed_assert_states(bed, "ppp", "jjs");
	ck_assert(!lanes->asked);
	bed_run(bed, BED_ASIDE, 1);
	bed_assert_asked(bed, 1);
	ck_assert_uint_gt(lanes->join_frame, 256);
	ck_assert_str_eq(chr_lanes_word(&bed->conductor, 1), "joining");
	bed_note(bed, BED_OSC1, 1, CHR_NOTE_JOINED, 1000, 0);
	bed_note(bed, BED_ASIDE, 1, CHR_NOTE_JOINED, 1000, 0);
	ck_assert(!lanes->whole[1]);
	bed_assert_told(bed, "of", "!");
	bed_note(bed, BED_FILT1, 1, CHR_NOTE_JOINED, 1000, 0);
	ck_assert(!lanes->whole[1]);
	bed_note(bed, BED_OUT, 1, CHR_NOTE_JOINED, 1000, 0);
	ck_assert(lanes->whole[1] && !lanes->asked);
	ck_assert_uint_eq(lanes->joins, 1);
	bed_assert_states(bed, "ppp", "ppp");
	bed_assert_told(bed, "of", "of");
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
	bed_assert_asked(bed, broken);
	bed_join_lane(bed, broken, 9000);
	ck_assert_uint_eq(lanes->joins, 2);
	/* nothing is gained by leading again */
	ck_assert_uint_eq(lanes->leader, other);
	bed_assert_states(bed, "ppp", "ppp");
	bed_assert_told(bed, "of", "of");
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

START_TEST(test_lanes_both_broken)
{
	bed_play(bed);
	bed_die(bed, BED_OSC1, 0);
	bed_die(bed, BED_FILT1, 1);
	ck_assert_uint_eq(lanes->leader, 1);
	ck_assert(!lanes->whole[0] && !lanes->whole[1]);
	bed_assert_states(bed, "wjj", "pwp");
	bed_assert_told(bed, "!", "o");
	ck_assert_str_eq(chr_lanes_word(&bed->conductor, 0), "broken");
	ck_assert_str_eq(chr_lanes_word(&bed->conductor, 1), "broken");
	bed_spares(bed, 2);
	/* the lane that follows can be complete first: it still has nobody to join */
	bed_run(bed, BED_OSC1, 0);
	bed_assert_states(bed, "jjj", "psp");
	ck_assert(!lanes->asked);
	bed_drain(bed);
	bed_run(bed, BED_FILT1, 1);
	/* the state of its twin is older than the death, and nobody's to hear: it is taken over, and then all of lane a join */
	struct chr_event event;
	ck_assert(bed_take(bed, BED_FILT1, 1, CHR_EVENT_JOIN, &event));
	ck_assert(bed_take(bed, BED_FILT1, 0, CHR_EVENT_PUBLISH, &event));
	bed_assert_states(bed, "jjj", "pjp");
	bed_assert_told(bed, "!", "o");
	ck_assert(!lanes->asked);
	bed_note(bed, BED_FILT1, 1, CHR_NOTE_JOINED, 6000, 0);
	bed_assert_told(bed, "!", "of");
	bed_assert_asked(bed, 0);
	bed_join_lane(bed, 0, 7000);
	bed_assert_states(bed, "ppp", "ppp");
	ck_assert(lanes->whole[0] && lanes->whole[1]);
}
END_TEST

/* An heir whose twin dies, or does not answer, begins anew. */
START_TEST(test_lanes_no_inheritance)
{
	bed_play(bed);
	bed_die(bed, BED_OSC1, 0);
	bed_die(bed, BED_FILT1, 1);
	bed_spares(bed, 3);
	bed_run(bed, BED_FILT1, 1);
	bed_assert_states(bed, "sjj", "pjp");
	chr_lanes_tick(&bed->conductor);
	bed_assert_states(bed, "sjj", "pjp");
	if (_i)
		bed_die(bed, BED_FILT1, 0);
	else
		bed_instance(bed, BED_FILT1, 1)->inherit_us -= 200000;
	chr_lanes_tick(&bed->conductor);
	ck_assert_str_eq(bed_states(bed, 1), "ppp");
	bed_assert_told(bed, "!", "of");
	bed_run_lane(bed, 0);
	bed_drain(bed);
	bed_join_lane(bed, 0, 7000);
	bed_assert_states(bed, "ppp", "ppp");
}
END_TEST

/* A lane that was only to be put in step has all it takes to be heard: when the one that leads loses a member, it goes on as it is. */
START_TEST(test_lanes_take_over)
{
	struct chr_event event;
	bed_play(bed);
	chr_lanes_part(&bed->conductor);
	bed_assert_states(bed, "ppp", "jjj");
	ck_assert(bed_take(bed, BED_OSC1, 1, CHR_EVENT_JOIN, &event));
	ck_assert_uint_eq(event.flags & CHR_EVENT_CANCEL, 0);
	bed_die(bed, BED_OSC1, 0);
	ck_assert_uint_eq(lanes->leader, 1);
	bed_assert_states(bed, "wjj", "ppp");
	bed_assert_told(bed, "!", "of");
	ck_assert(bed_take(bed, BED_OSC1, 1, CHR_EVENT_JOIN, &event));
	ck_assert_uint_eq(event.flags, CHR_EVENT_CANCEL);
	/* it may have come about all the same */
	bed_join_lane(bed, 1, lanes->join_frame);
	bed_assert_states(bed, "wjj", "ppp");
	bed_drain(bed);
	bed_spares(bed, 1);
	bed_run(bed, BED_OSC1, 0);
	bed_assert_asked(bed, 0);
	bed_join_lane(bed, 0, 7000);
	bed_assert_states(bed, "ppp", "ppp");
}
END_TEST

/* But not with a new member that never had the sound's state, nor with other code. */
START_TEST(test_lanes_not_to_take_over)
{
	bed_play(bed);
	if (_i) {
		chr_lanes_part(&bed->conductor);
		bed->conductor.swap.state = CHR_SWAP_LEAVING;
	} else {
		bed_spares(bed, 1);
		bed_die(bed, BED_FILT1, 1);
		bed_run(bed, BED_FILT1, 1);
		bed_assert_states(bed, "ppp", "jjj");
	}
	bed_die(bed, BED_OSC1, 0);
	ck_assert_uint_eq(lanes->leader, 0);
	bed_assert_states(bed, "wpp", "jjj");
	bed_assert_told(bed, "f", "!");
	bed->conductor.swap.state = CHR_SWAP_NONE;
}
END_TEST

/* Both twins at once, as after a poisoned event: the one of the lane that leads starts fresh, and is joined. */
START_TEST(test_lanes_twins_die)
{
	bed_play(bed);
	bed_die(bed, BED_FILT1, 0);
	bed_die(bed, BED_FILT1, 1);
	bed_assert_states(bed, "jwj", "pwp");
	bed_spares(bed, 2);
	bed_run(bed, BED_FILT1, 0);
	bed_run(bed, BED_FILT1, 1);
	bed_assert_states(bed, "jjj", "ppp");
	bed_assert_asked(bed, 0);
	bed_join_lane(bed, 0, 7000);
	ck_assert(lanes->whole[0] && lanes->whole[1]);
}
END_TEST

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
	bed_let_pass(bed, 200000);
	chr_lanes_tick(&bed->conductor);
	bed_join_lane(bed, !lanes->leader, 9000);
	bed_assert_states(bed, "pqp", "pqp");
	ck_assert(lanes->whole[0] && lanes->whole[1]);
	bed_assert_told(bed, "o", "o");

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
	bed_assert_states(bed, "ppp", "ppp");
	bed_assert_told(bed, "of", "of");
}
END_TEST

/* The server goes and comes back: the lanes begin anew, and are two again. */
START_TEST(test_lanes_server_lost)
{
	bed_play(bed);
	chr_conductor_server_lost(&bed->conductor);
	bed_assert_states(bed, "www", "www");
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
	bed_assert_states(bed, "ppp", "ppp");
	bed_assert_told(bed, "of", "of");
}
END_TEST

/* The out of a lane is a member of it like the others; the other lane's is heard meanwhile. */
START_TEST(test_lanes_out_dies)
{
	unsigned broken = (unsigned)_i, other = !broken;
	bed_play(bed);
	bed_die(bed, BED_OUT, broken);
	ck_assert_uint_eq(lanes->leader, other);
	ck_assert(lanes->whole[other] && !lanes->whole[broken]);
	ck_assert_str_eq(bed_told(bed, other), "of");
	ck_assert_str_eq(bed_told(bed, broken), "!");
	ck_assert(bed_desired(bed, "out:play_left", "\001playback:1") && bed_desired(bed, "out.b:play_left", "\001playback:1"));
	bed_spares(bed, 1);
	bed_run(bed, BED_OUT, broken);
	bed_assert_asked(bed, broken);
	bed_join_lane(bed, broken, 9000);
	bed_assert_told(bed, "of", "of");
}
END_TEST

/* What the outs agreed on is forgotten when none of them is left, because the frames of another server may be older. */
START_TEST(test_lanes_choice_begins_anew)
{
	bed_play(bed);
	ck_assert_int_eq(chr_choice_make(bed->conductor.choice, 5000, 256, 1), 1);
	bed_spares(bed, 1);
	bed_die(bed, BED_OUT, 0);
	ck_assert_int_eq(chr_choice_made(bed->conductor.choice, 5000, 256), 1);
	bed_run(bed, BED_OUT, 0);
	chr_conductor_server_lost(&bed->conductor);
	bed->conductor.server_up = true;
	bed_spares(bed, 8);
	ck_assert_int_eq(chr_choice_made(bed->conductor.choice, 5000, 256), CHR_LANE_NONE);
}
END_TEST

/* A crash takes back what was set just before it; a server that is lost later takes nothing back. */
START_TEST(test_lanes_poison)
{
	bed_destroy(bed);
	bed = bed_create(1);
	struct chr_unit *filt1 = &bed->unit[BED_FILT1];
	struct chr_rack *rack = &bed->conductor.rack;
	bed_run_lane(bed, 0);
	float before = filt1->value[0];
	chr_rack_set(rack, filt1, 0, before + 1, 0, 0, 0);
	ck_assert_float_eq(filt1->value[0], before + 1);
	atomic_store(&bed_instance(bed, BED_FILT1, 0)->process->slot->report.phase, CHR_PHASE_CRASHED);
	bed_die(bed, BED_FILT1, 0);
	ck_assert_float_eq(filt1->value[0], before);
	bed_run(bed, BED_FILT1, 0);
	chr_rack_set(rack, filt1, 0, before + 2, 0, 0, 0);
	atomic_store(&bed_instance(bed, BED_FILT1, 0)->process->slot->report.phase, CHR_PHASE_SERVER_LOST);
	bed_die(bed, BED_FILT1, 0);
	ck_assert_float_eq(filt1->value[0], before + 2);
}
END_TEST

START_TEST(test_lanes_one_lane)
{
	teardown();
	bed = bed_create(1);
	lanes = &bed->conductor.lanes;
	bed_run_lane(bed, 0);
	bed_assert_states(bed, "ppp", "---");
	bed_assert_told(bed, "of", "!");
	bed_die(bed, BED_FILT1, 0);
	/* the rest plays on, and the pool had more */
	bed_assert_states(bed, "psp", "---");
	bed_assert_told(bed, "o", "!");
	bed_run(bed, BED_FILT1, 0);
	bed_assert_states(bed, "ppp", "---");
	bed_assert_told(bed, "of", "!");
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
	tcase_add_test(tcase, test_lanes_both_broken);
	tcase_add_loop_test(tcase, test_lanes_no_inheritance, 0, 2);
	tcase_add_test(tcase, test_lanes_take_over);
	tcase_add_loop_test(tcase, test_lanes_not_to_take_over, 0, 2);
	tcase_add_test(tcase, test_lanes_twins_die);
	tcase_add_test(tcase, test_lanes_quarantine);
	tcase_add_test(tcase, test_lanes_server_lost);
	tcase_add_loop_test(tcase, test_lanes_out_dies, 0, CHR_LANES);
	tcase_add_test(tcase, test_lanes_choice_begins_anew);
	tcase_add_test(tcase, test_lanes_poison);
	tcase_add_test(tcase, test_lanes_one_lane);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
