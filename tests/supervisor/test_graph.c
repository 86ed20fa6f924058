/* Whose doing it was: the graph thread's passes and the control thread's judgement, with a server, a clock and people in the test's hands. */
#include "common/clock.h"
#include "tests/supervisor/fake_jack.h"
#include "tests/supervisor/lanes_bed.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EDGES_MAX 128
#define EDITS     3000
#define ALL       UINT32_MAX

static uint64_t now_us; /* what CLOCK_MONOTONIC says, here */

int clock_gettime(clockid_t id, struct timespec *at)
{
	if (id != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, id, at);
	at->tv_sec = (time_t)(now_us / 1000000);
	at->tv_nsec = (long)(now_us % 1000000) * 1000;
	return 0;
}

static struct lanes_bed *bed;
static struct chr_conductor *conductor;
static uint32_t joined;

static const struct {
	const char *inputs, *outputs;
} ports[BED_UNITS] = {{"left right", "clock"}, {"pitch clock", "out"}, {"in cutoff clock", "out"}, {"pitch clock", "out"}};

static void turn(void)
{
	fake_jack_deliver(ALL);
	chr_graph_pass(&conductor->graph);
	chr_conductor_take_posts(conductor);
}

static void pass_ms(unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		now_us += 1000;
		turn();
	}
}

/* Its death is seen `seen_us` after it began, JACK tells of it after `told_us`. */
static void die(unsigned unit, unsigned lane, unsigned seen_us, unsigned told_us)
{
	const char *client = bed_instance(bed, unit, lane)->client;
	for (unsigned us = 0; us <= seen_us || us <= told_us; us++, now_us++) {
		if (us == seen_us)
			bed_die(bed, unit, lane);
		if (us == told_us) {
			fake_jack_close(client);
			fake_jack_deliver(ALL);
		}
	}
}

/* Those that are starting are active, and the lane that follows joins. */
static void revive(void)
{
	for (unsigned lane = 0; lane < 2; lane++)
		for (unsigned i = 0; i < BED_UNITS; i++) {
			if (bed_instance(bed, i, lane)->state != CHR_INSTANCE_STARTING)
				continue;
			fake_jack_open(bed_instance(bed, i, lane)->client, ports[i].inputs, ports[i].outputs);
			now_us += 100;
			bed_run(bed, i, lane);
		}
	if (conductor->lanes.asked)
		bed_join_lane(bed, !conductor->lanes.leader, joined += 1000);
}

static bool desired(const char *from, const char *to)
{
	return chr_edges_find(&conductor->logical, from, to) >= 0;
}

static void setup(void)
{
	struct chr_graph *graph;
	now_us = 1000000;
	joined = 1000;
	fake_jack_reset();
	bed = bed_create(2);
	bed_spares(bed, 48);
	bed->patch->restart_count = 0;
	conductor = &bed->conductor;
	graph = &conductor->graph;
	graph->inbox = &conductor->inbox;
	ck_assert_int_eq(chr_graph_activate(graph, (jack_client_t *)bed), 0);
	atomic_store(&graph->client, (jack_client_t *)bed);
	for (unsigned lane = 0; lane < 2; lane++)
		for (unsigned i = 0; i < BED_UNITS; i++)
			fake_jack_open(bed_instance(bed, i, lane)->client, ports[i].inputs, ports[i].outputs);
	fake_jack_open("recorder", "in in_2", "out");
	bed_play(bed);
	chr_lanes_rewire(conductor);
	pass_ms(10);
	ck_assert(fake_jack_connected("osc1.b:out", "filt1.b:in") && fake_jack_connected("aside:out", "recorder:in"));
	ck_assert(chr_graph_quiet(graph));
}

static void teardown(void)
{
	chr_graph_forget(&conductor->graph);
	free(conductor->graph.wire);
	free(conductor->graph.act);
	free(conductor->graph.port);
	bed_destroy(bed);
}

START_TEST(what_it_moves_itself_is_not_erased)
{
	die(BED_FILT1, 0, 50, 100);
	pass_ms(5);
	ck_assert(fake_jack_connected("aside.b:out", "recorder:in") && !fake_jack_connected("aside:out", "recorder:in"));
	revive();
	pass_ms(5);
	ck_assert(fake_jack_connected("aside:out", "recorder:in") && !fake_jack_connected("aside.b:out", "recorder:in"));
	pass_ms(100);
	ck_assert(desired("aside:out", "recorder:in") && fake_jack_connected("aside:out", "recorder:in"));
}
END_TEST

static void erase_aside(void)
{
	ck_assert_int_eq(fake_jack_disconnect("aside:out", "recorder:in"), 0);
}

START_TEST(a_person_is_quicker_than_the_move)
{
	die(BED_FILT1, 0, 50, 100);
	fake_jack_before(erase_aside);
	pass_ms(5);
	ck_assert(!fake_jack_connected("aside:out", "recorder:in"));
	pass_ms(60);
	ck_assert(!desired("aside:out", "recorder:in"));
	ck_assert(!fake_jack_connected("aside.b:out", "recorder:in"));
}
END_TEST

static void filt1_dies(void)
{
	fake_jack_close("filt1");
	fake_jack_open("filt1", ports[BED_FILT1].inputs, ports[BED_FILT1].outputs);
}

/* The module is dead, gone and back again before this thread hears anything of it. */
START_TEST(a_death_is_quicker_than_the_move)
{
	ck_assert_int_eq(fake_jack_connect("filt1:out", "recorder:in_2"), 0);
	pass_ms(1);
	ck_assert(desired("filt1:out", "recorder:in_2"));
	die(BED_ASIDE, 0, 50, 100);
	bed_die(bed, BED_FILT1, 0);
	fake_jack_before(filt1_dies);
	chr_graph_pass(&conductor->graph);
	bed_run(bed, BED_FILT1, 0);
	pass_ms(100);
	ck_assert(desired("filt1:out", "recorder:in_2"));
	ck_assert(fake_jack_connected("filt1.b:out", "recorder:in_2"));
}
END_TEST

START_TEST(what_was_drawn_to_one_who_dies_at_once_was_drawn)
{
	ck_assert_int_eq(fake_jack_connect("aside:out", "filt1:cutoff"), 0);
	fake_jack_deliver(ALL);
	die(BED_FILT1, 0, 50, 100);
	revive();
	pass_ms(100);
	ck_assert(desired("aside:out", "filt1:cutoff"));
	ck_assert(fake_jack_connected("aside:out", "filt1:cutoff") && fake_jack_connected("aside.b:out", "filt1.b:cutoff"));
}
END_TEST

START_TEST(an_edge_drawn_anew_in_the_other_lane_stays)
{
	ck_assert_int_eq(fake_jack_disconnect("aside:out", "recorder:in"), 0);
	pass_ms(10);
	ck_assert_int_eq(fake_jack_connect("aside.b:out", "recorder:in"), 0);
	pass_ms(100);
	ck_assert(desired("aside:out", "recorder:in"));
	ck_assert(fake_jack_connected("aside:out", "recorder:in") && !fake_jack_connected("aside.b:out", "recorder:in"));
}
END_TEST

/* The clock's edge is made first: the edge to out that a person drew is taken away and made again behind it. */
START_TEST(what_is_made_anew_behind_the_clock_is_not_erased)
{
	ck_assert_int_eq(fake_jack_connect("aside:out", "out:left"), 0);
	pass_ms(3);
	ck_assert(fake_jack_connected("out:clock", "aside:clock") && fake_jack_connected("aside:out", "out:left"));
	die(BED_ASIDE, 0, 50, 100);
	pass_ms(100);
	ck_assert(desired("aside:out", "out:left"));
	revive();
	pass_ms(10);
	ck_assert(fake_jack_connected("aside:out", "out:left"));
}
END_TEST

START_TEST(a_number_used_again_is_another_port)
{
	ck_assert_int_eq(fake_jack_connect("osc1:out", "recorder:in_2"), 0);
	fake_jack_close("recorder");
	fake_jack_open("stranger", "in in_2", "out");
	pass_ms(100);
	ck_assert(desired("osc1:out", "recorder:in_2") && !desired("osc1:out", "stranger:in_2"));
	ck_assert(!fake_jack_connected("osc1:out", "stranger:in_2"));
	fake_jack_open("recorder", "in in_2", "out");
	pass_ms(10);
	ck_assert(fake_jack_connected("osc1:out", "recorder:in_2") && fake_jack_connected("aside:out", "recorder:in"));
}
END_TEST

START_TEST(what_is_not_judged_yet_is_not_made_again)
{
	ck_assert_int_eq(fake_jack_disconnect("osc1:out", "filt1:in"), 0);
	for (unsigned i = 0; i < 100; i++) {
		now_us += 1000;
		if (i % 10 == 0)
			fake_jack_open(i % 20 ? "one" : "two", "", i < 50 ? "a" : "b");
		fake_jack_deliver(ALL);
		chr_graph_pass(&conductor->graph);
		ck_assert(!fake_jack_connected("osc1:out", "filt1:in"));
		if (i == 80)
			chr_conductor_take_posts(conductor);
	}
	ck_assert(!desired("osc1:out", "filt1:in") && !fake_jack_connected("osc1.b:out", "filt1.b:in"));
	ck_assert(chr_graph_quiet(&conductor->graph));
}
END_TEST

START_TEST(another_program_comes_back)
{
	fake_jack_close("recorder");
	pass_ms(200);
	ck_assert(desired("aside:out", "recorder:in"));
	fake_jack_open("recorder", "in in_2", "out");
	pass_ms(3);
	ck_assert(fake_jack_connected("aside:out", "recorder:in"));
	/* slowly: for a while its ports are there, bare */
	fake_jack_deactivate("recorder");
	pass_ms(300);
	fake_jack_close("recorder");
	pass_ms(10);
	fake_jack_open("recorder", "in in_2", "out");
	pass_ms(3);
	ck_assert(desired("aside:out", "recorder:in") && fake_jack_connected("aside:out", "recorder:in"));
}
END_TEST

/* ---- at random ---- */

static uint64_t seed;

static unsigned roll(unsigned below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % below;
}

static const char *const outputs[] = {"osc1:out", "filt1:out", "aside:out", "recorder:out"};
static const char *const inputs[] = {"osc1:pitch",  "filt1:in",      "filt1:cutoff", "aside:pitch",
				     "recorder:in", "recorder:in_2", "out:left"};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static bool drawn[COUNT(outputs)][COUNT(inputs)];

static bool foreign(const char *end)
{
	return !strncmp(end, "recorder:", 9);
}

static const char *in_lane(const char *end, unsigned lane, char name[64])
{
	size_t client = strcspn(end, ":");
	snprintf(name, 64, "%.*s%s%s", (int)client, end, lane && !foreign(end) ? ".b" : "", end + client);
	return name;
}

static void edit(void)
{
	unsigned i = roll(COUNT(outputs)), k = roll(COUNT(inputs)), lane = roll(2);
	char from[64], to[64];
	in_lane(outputs[i], lane, from);
	in_lane(inputs[k], lane, to);
	if (foreign(from) && foreign(to))
		return;
	if (!(drawn[i][k] ? fake_jack_disconnect(from, to) : fake_jack_connect(from, to)))
		drawn[i][k] = !drawn[i][k];
}

/* Nobody is at work on the edges of one who has just died, and nobody dies twice before the first is judged. A death may be seen late: then something happens between it and the last edit, else
 * nobody could say whether that was one. */
static void kill_one(void)
{
	unsigned unit = 1 + roll(BED_UNITS - 1), lane = roll(2);
	bool late = !roll(3);
	now_us += 10;
	const struct chr_instance *victim = bed_instance(bed, unit, lane);
	if (victim->state < CHR_INSTANCE_WIRING || bed->conductor.spare_count < 2 || now_us - victim->died_us < 200000)
		return;
	if (late)
		fake_jack_open("stranger", "", "out");
	fake_jack_deliver(ALL);
	die(unit, lane, late ? 3000 : roll(40), 40 + roll(2000));
	fake_jack_close("stranger");
}

static void step(void)
{
	/* the thread that JACK tells is prompt, the others lag */
	fake_jack_deliver(ALL);
	now_us += roll(20) ? roll(2000) : roll(60000);
	switch (roll(8)) {
	case 0:
	case 1:
		edit();
		break;
	case 2:
		chr_conductor_take_posts(conductor);
		break;
	case 3:
	case 4:
		chr_graph_pass(&conductor->graph);
		break;
	case 5:
		if (!roll(40))
			kill_one();
		break;
	default:
		revive();
	}
}

static void judge(unsigned long long with)
{
	for (unsigned i = 0; i < 10; i++) {
		revive();
		pass_ms(30);
	}
	ck_assert(chr_graph_quiet(&conductor->graph));
	for (unsigned i = 0; i < COUNT(outputs); i++)
		for (unsigned k = 0; k < COUNT(inputs); k++)
			for (unsigned lane = 0; lane < 2; lane++) {
				char from[64], to[64];
				bool heard = !foreign(inputs[k]) || lane == conductor->lanes.foreign;
				in_lane(outputs[i], lane, from);
				in_lane(inputs[k], lane, to);
				ck_assert_msg(drawn[i][k] == desired(outputs[i], inputs[k]), "seed %llu: %s -> %s is %sdesired",
					      with, outputs[i], inputs[k], drawn[i][k] ? "not " : "");
				ck_assert_msg((drawn[i][k] && heard) == fake_jack_connected(from, to),
					      "seed %llu: %s -> %s is %smade", with, from, to, drawn[i][k] ? "not " : "");
			}
}

START_TEST(random_edits_hold)
{
	unsigned long long with = (unsigned)_i + 1;
	seed = with;
	for (unsigned i = 0; i < COUNT(outputs); i++)
		for (unsigned k = 0; k < COUNT(inputs); k++)
			drawn[i][k] = desired(outputs[i], inputs[k]);
	for (unsigned i = 0; i < EDITS; i++)
		step();
	judge(with);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("graph");
	TCase *tests = tcase_create("graph");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_it_moves_itself_is_not_erased);
	tcase_add_test(tests, a_person_is_quicker_than_the_move);
	tcase_add_test(tests, a_death_is_quicker_than_the_move);
	tcase_add_test(tests, what_was_drawn_to_one_who_dies_at_once_was_drawn);
	tcase_add_test(tests, an_edge_drawn_anew_in_the_other_lane_stays);
	tcase_add_test(tests, what_is_made_anew_behind_the_clock_is_not_erased);
	tcase_add_test(tests, a_number_used_again_is_another_port);
	tcase_add_test(tests, what_is_not_judged_yet_is_not_made_again);
	tcase_add_test(tests, another_program_comes_back);
	tcase_add_loop_test(tests, random_edits_hold, 0, 40);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
