/* Edits, deaths and lags at random: what is drawn, desired and made is one in the end. */
#include "tests/lib/suite.h"
#include "tests/supervisor/graph_bed.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

GRAPH_BED_CLOCK

#define EDITS 3000
#define SEEDS 40

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
	if (!(drawn[i][k] ? jack_double_disconnect(from, to) : jack_double_connect(from, to)))
		drawn[i][k] = !drawn[i][k];
}

/* Nobody is at work on the edges of one who has just died, and nobody dies twice before the first is judged. A death may be seen late: then something happens between it and the last edit, else
 * nobody could say whether that was one. */
static void kill_one(void)
{
	unsigned unit = 1 + roll(BED_UNITS - 1), lane = roll(2);
	bool late = !roll(3);
	graph_now_us += 10;
	const struct chr_instance *victim = bed_instance(graph_bed, unit, lane);
	if (victim->state < CHR_INSTANCE_WIRING || graph_conductor->spare_count < 2 || graph_now_us - victim->died_us < 200000)
		return;
	if (late)
		jack_double_open("stranger", "", "out");
	jack_double_deliver(GRAPH_BED_ALL);
	graph_die(unit, lane, late ? 3000 : roll(40), 40 + roll(2000));
	jack_double_close("stranger");
}

static void step(void)
{
	/* the thread that JACK tells is prompt, the others lag */
	jack_double_deliver(GRAPH_BED_ALL);
	graph_now_us += roll(20) ? roll(2000) : roll(60000);
	switch (roll(8)) {
	case 0:
	case 1:
		edit();
		break;
	case 2:
		chr_conductor_take_posts(graph_conductor);
		break;
	case 3:
	case 4:
		chr_graph_pass(&graph_conductor->graph);
		break;
	case 5:
		if (!roll(40))
			kill_one();
		break;
	default:
		graph_revive();
	}
}

static void judge(unsigned long long with)
{
	for (unsigned i = 0; i < 10; i++) {
		graph_revive();
		graph_pass_ms(30);
	}
	ck_assert(chr_graph_quiet(&graph_conductor->graph));
	for (unsigned i = 0; i < COUNT(outputs); i++)
		for (unsigned k = 0; k < COUNT(inputs); k++)
			for (unsigned lane = 0; lane < 2; lane++) {
				char from[64], to[64];
				bool heard = !foreign(inputs[k]) || lane == graph_conductor->lanes.foreign;
				in_lane(outputs[i], lane, from);
				in_lane(inputs[k], lane, to);
				ck_assert_msg(drawn[i][k] == graph_desired(outputs[i], inputs[k]),
					      "seed %llu: %s -> %s is %sdesired", with, outputs[i], inputs[k],
					      drawn[i][k] ? "not " : "");
				ck_assert_msg((drawn[i][k] && heard) == jack_double_connected(from, to),
					      "seed %llu: %s -> %s is %smade", with, from, to, drawn[i][k] ? "not " : "");
			}
}

START_TEST(random_edits_hold)
{
	unsigned long long with = (unsigned)_i + 1;
	seed = with;
	for (unsigned i = 0; i < COUNT(outputs); i++)
		for (unsigned k = 0; k < COUNT(inputs); k++)
			drawn[i][k] = graph_desired(outputs[i], inputs[k]);
	for (unsigned i = 0; i < EDITS; i++)
		step();
	judge(with);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("graph_random");
	TCase *tests = tcase_create("graph_random");
	tcase_add_checked_fixture(tests, graph_setup, graph_teardown);
	tcase_add_loop_test(tests, random_edits_hold, 0, SEEDS);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
