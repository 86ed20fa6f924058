/* Whose doing it was: what the graph thread's passes and the control thread's judgement make of what JACK tells. */
#include "tests/lib/suite.h"
#include "tests/supervisor/graph_bed.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

GRAPH_BED_CLOCK

START_TEST(what_it_moves_itself_is_not_erased)
{
	graph_die(BED_FILT1, 0, 50, 100);
	graph_pass_ms(5);
	ck_assert(jack_double_connected("aside.b:out", "recorder:in") && !jack_double_connected("aside:out", "recorder:in"));
	graph_revive();
	graph_pass_ms(5);
	ck_assert(jack_double_connected("aside:out", "recorder:in") && !jack_double_connected("aside.b:out", "recorder:in"));
	graph_pass_ms(100);
	ck_assert(graph_desired("aside:out", "recorder:in") && jack_double_connected("aside:out", "recorder:in"));
}
END_TEST

/* PipeWire's answer is the error of something else, and what was asked for is done. */
START_TEST(what_is_answered_wrongly_is_done_all_the_same)
{
	graph_conductor->graph.pipewire = true;
	jack_double_answer(ENOENT);
	graph_die(BED_FILT1, 0, 50, 100);
	graph_pass_ms(5);
	ck_assert(jack_double_connected("aside.b:out", "recorder:in") && !jack_double_connected("aside:out", "recorder:in"));
	graph_revive();
	graph_pass_ms(100);
	ck_assert(graph_desired("aside:out", "recorder:in") && jack_double_connected("aside:out", "recorder:in"));
	ck_assert(graph_desired("osc1:out", "filt1:in") && jack_double_connected("osc1:out", "filt1:in"));
	jack_double_answer(0);
}
END_TEST

static void erase_aside(void)
{
	ck_assert_int_eq(jack_double_disconnect("aside:out", "recorder:in"), 0);
}

START_TEST(a_person_is_quicker_than_the_move)
{
	graph_die(BED_FILT1, 0, 50, 100);
	jack_double_before(erase_aside);
	graph_pass_ms(5);
	ck_assert(!jack_double_connected("aside:out", "recorder:in"));
	graph_pass_ms(60);
	ck_assert(!graph_desired("aside:out", "recorder:in"));
	ck_assert(!jack_double_connected("aside.b:out", "recorder:in"));
}
END_TEST

static void filt1_dies(void)
{
	jack_double_close("filt1");
	graph_open(BED_FILT1, "filt1");
}

/* The module is dead, gone and back again before this thread hears anything of it. */
START_TEST(a_death_is_quicker_than_the_move)
{
	ck_assert_int_eq(jack_double_connect("filt1:out", "recorder:in_2"), 0);
	graph_pass_ms(1);
	ck_assert(graph_desired("filt1:out", "recorder:in_2"));
	graph_die(BED_ASIDE, 0, 50, 100);
	bed_die(graph_bed, BED_FILT1, 0);
	jack_double_before(filt1_dies);
	chr_graph_pass(&graph_conductor->graph);
	bed_run(graph_bed, BED_FILT1, 0);
	graph_pass_ms(100);
	ck_assert(graph_desired("filt1:out", "recorder:in_2"));
	ck_assert(jack_double_connected("filt1.b:out", "recorder:in_2"));
}
END_TEST

/* An edge is made to the next client of the name while its end is not heard of yet: that is this thread's doing all the same, and no newer word
 * than the erasure in the other lane. */
START_TEST(what_is_made_to_one_who_is_back_unheard_was_not_drawn)
{
	graph_die(BED_OSC1, 0, 50, 100);
	graph_pass_ms(5);
	ck_assert(jack_double_connected("osc1.b:out", "filt1.b:in") && !jack_double_connected("osc1:out", "filt1:in"));
	ck_assert_int_eq(jack_double_disconnect("osc1.b:out", "filt1.b:in"), 0);
	graph_now_us += 1000;
	jack_double_before(filt1_dies);
	graph_revive();
	graph_pass_ms(100);
	ck_assert(!graph_desired("osc1:out", "filt1:in"));
	ck_assert(!jack_double_connected("osc1:out", "filt1:in") && !jack_double_connected("osc1.b:out", "filt1.b:in"));
}
END_TEST

START_TEST(what_was_drawn_to_one_who_dies_at_once_was_drawn)
{
	ck_assert_int_eq(jack_double_connect("aside:out", "filt1:cutoff"), 0);
	jack_double_deliver(GRAPH_BED_ALL);
	graph_die(BED_FILT1, 0, 50, 100);
	graph_revive();
	graph_pass_ms(100);
	ck_assert(graph_desired("aside:out", "filt1:cutoff"));
	ck_assert(jack_double_connected("aside:out", "filt1:cutoff") && jack_double_connected("aside.b:out", "filt1.b:cutoff"));
}
END_TEST

START_TEST(an_edge_drawn_anew_in_the_other_lane_stays)
{
	ck_assert_int_eq(jack_double_disconnect("aside:out", "recorder:in"), 0);
	graph_pass_ms(10);
	ck_assert_int_eq(jack_double_connect("aside.b:out", "recorder:in"), 0);
	graph_pass_ms(100);
	ck_assert(graph_desired("aside:out", "recorder:in"));
	ck_assert(jack_double_connected("aside:out", "recorder:in") && !jack_double_connected("aside.b:out", "recorder:in"));
}
END_TEST

/* The clock's edge is made first: the edge to out that a person drew is taken away and made again behind it. */
START_TEST(what_is_made_anew_behind_the_clock_is_not_erased)
{
	ck_assert_int_eq(jack_double_connect("aside:out", "out:left"), 0);
	graph_pass_ms(3);
	ck_assert(jack_double_connected("out:clock", "aside:clock") && jack_double_connected("aside:out", "out:left"));
	graph_die(BED_ASIDE, 0, 50, 100);
	graph_pass_ms(100);
	ck_assert(graph_desired("aside:out", "out:left"));
	graph_revive();
	graph_pass_ms(10);
	ck_assert(jack_double_connected("aside:out", "out:left"));
}
END_TEST

START_TEST(a_number_used_again_is_another_port)
{
	ck_assert_int_eq(jack_double_connect("osc1:out", "recorder:in_2"), 0);
	jack_double_close("recorder");
	jack_double_open("stranger", "in in_2", "out");
	graph_pass_ms(100);
	ck_assert(graph_desired("osc1:out", "recorder:in_2") && !graph_desired("osc1:out", "stranger:in_2"));
	ck_assert(!jack_double_connected("osc1:out", "stranger:in_2"));
	jack_double_open("recorder", "in in_2", "out");
	graph_pass_ms(10);
	ck_assert(jack_double_connected("osc1:out", "recorder:in_2") && jack_double_connected("aside:out", "recorder:in"));
}
END_TEST

START_TEST(what_is_not_judged_yet_is_not_made_again)
{
	ck_assert_int_eq(jack_double_disconnect("osc1:out", "filt1:in"), 0);
	for (unsigned i = 0; i < 100; i++) {
		graph_now_us += 1000;
		if (i % 10 == 0)
			jack_double_open(i % 20 ? "one" : "two", "", i < 50 ? "a" : "b");
		jack_double_deliver(GRAPH_BED_ALL);
		chr_graph_pass(&graph_conductor->graph);
		ck_assert(!jack_double_connected("osc1:out", "filt1:in"));
		if (i == 80)
			chr_conductor_take_posts(graph_conductor);
	}
	ck_assert(!graph_desired("osc1:out", "filt1:in") && !jack_double_connected("osc1.b:out", "filt1.b:in"));
	ck_assert(chr_graph_quiet(&graph_conductor->graph));
}
END_TEST

START_TEST(another_program_comes_back)
{
	jack_double_close("recorder");
	graph_pass_ms(200);
	ck_assert(graph_desired("aside:out", "recorder:in"));
	jack_double_open("recorder", "in in_2", "out");
	graph_pass_ms(3);
	ck_assert(jack_double_connected("aside:out", "recorder:in"));
	/* slowly: for a while its ports are there, bare */
	jack_double_deactivate("recorder");
	graph_pass_ms(300);
	jack_double_close("recorder");
	graph_pass_ms(10);
	jack_double_open("recorder", "in in_2", "out");
	graph_pass_ms(3);
	ck_assert(graph_desired("aside:out", "recorder:in") && jack_double_connected("aside:out", "recorder:in"));
}
END_TEST

static void forget_ports(void)
{
	graph_conductor->graph.port_count = 0;
}

/* Nobody knows the numbers of ports that were there before; and when their names are asked for, they are gone. */
START_TEST(ports_that_went_unknown)
{
	ck_assert_int_eq(jack_double_connect("osc1:out", "recorder:in_2"), 0);
	graph_pass_ms(1);
	forget_ports();
	graph_die(BED_FILT1, 0, 50, 100);
	chr_graph_pass(&graph_conductor->graph);
	chr_conductor_take_posts(graph_conductor);
	chr_graph_pass(&graph_conductor->graph);
	forget_ports();
	jack_double_close("recorder");
	graph_pass_ms(100);
	jack_double_open("recorder", "in in_2", "out");
	graph_revive();
	graph_pass_ms(100);
	ck_assert(jack_double_connected("osc1:out", "recorder:in_2") && jack_double_connected("aside:out", "recorder:in"));
	ck_assert(!graph_desired("out:clock", "filt1:clock"));
}
END_TEST

START_TEST(more_than_can_be_taken_in)
{
	jack_double_open("stranger", "in", "out");
	for (unsigned i = 0; i < CHR_GRAPH_NOTICES; i++) {
		ck_assert_int_eq(i % 2 ? jack_double_disconnect("stranger:out", "stranger:in")
				       : jack_double_connect("stranger:out", "stranger:in"),
				 0);
		jack_double_deliver(GRAPH_BED_ALL);
	}
	ck_assert_int_eq(jack_double_disconnect("osc1:out", "filt1:in"), 0);
	/* the clock's edge is told of when it is not known any more that it was made here */
	graph_die(BED_FILT1, 0, 50, 100);
	graph_revive();
	chr_graph_pass(&graph_conductor->graph);
	chr_graph_forget_acts(&graph_conductor->graph, NULL);
	graph_pass_ms(100);
	ck_assert(jack_double_connected("osc1:out", "filt1:in") && chr_graph_quiet(&graph_conductor->graph));
	ck_assert(!graph_desired("out:clock", "filt1:clock") && jack_double_connected("out:clock", "filt1:clock"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("graph");
	TCase *tests = tcase_create("graph");
	tcase_add_checked_fixture(tests, graph_setup, graph_teardown);
	tcase_add_test(tests, what_it_moves_itself_is_not_erased);
	tcase_add_test(tests, what_is_answered_wrongly_is_done_all_the_same);
	tcase_add_test(tests, a_person_is_quicker_than_the_move);
	tcase_add_test(tests, a_death_is_quicker_than_the_move);
	tcase_add_test(tests, what_is_made_to_one_who_is_back_unheard_was_not_drawn);
	tcase_add_test(tests, what_was_drawn_to_one_who_dies_at_once_was_drawn);
	tcase_add_test(tests, an_edge_drawn_anew_in_the_other_lane_stays);
	tcase_add_test(tests, what_is_made_anew_behind_the_clock_is_not_erased);
	tcase_add_test(tests, a_number_used_again_is_another_port);
	tcase_add_test(tests, what_is_not_judged_yet_is_not_made_again);
	tcase_add_test(tests, another_program_comes_back);
	tcase_add_test(tests, ports_that_went_unknown);
	tcase_add_test(tests, more_than_can_be_taken_in);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
