/* Tangles drawn, erased and repaired at random on JACK servers that are made here, of which each decides for itself what it delays. Whatever happened, the
 * edges among the modules of both lanes are then made, delayed and added up alike, and nobody waits for himself.
 *
 * CHRONUS_TEST_TANGLES: how many (400); CHRONUS_TEST_SEED: others.
 */
#include "supervisor/graph.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/jack_double.h"
#include "tests/supervisor/patch_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MODULES   6
#define STEPS     60
#define NAME_SIZE 32
#define ALL       UINT32_MAX
#define BEGIN_US  1000000 /* Check reads that clock, too: it is set back after each tangle */

static const char patch_text[] = "lanes = 2; modules = ({name=\"x1\";type=\"biquad\";},{name=\"x2\";type=\"biquad\";},"
				 "{name=\"x3\";type=\"biquad\";},{name=\"x4\";type=\"biquad\";},{name=\"x5\";type=\"biquad\";},"
				 "{name=\"x6\";type=\"biquad\";}); connections = ([\"x1:out\", \"out:left\"]);";
static struct chr_patch *patch;
static struct chr_rack rack;
static struct chr_inbox inbox;
static struct chr_graph graph;
static struct chr_edges logical;
static unsigned long long seed;
static uint64_t now_us = BEGIN_US; /* what CLOCK_MONOTONIC says, here */

int clock_gettime(clockid_t id, struct timespec *at)
{
	if (id != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, id, at);
	at->tv_sec = (time_t)(now_us / 1000000);
	at->tv_nsec = (long)(now_us % 1000000) * 1000;
	return 0;
}

static unsigned roll(unsigned below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % below;
}

static bool lane_lives(unsigned lane)
{
	for (unsigned i = 0; i < rack.unit_count; i++)
		if (rack.unit[i]->instance[lane].state != CHR_INSTANCE_PLAYING)
			return false;
	return true;
}

static void rewire(void)
{
	struct chr_edges jack = {0};
	ck_assert_int_eq(chr_wiring_expand(&rack, &logical, !lane_lives(0) && lane_lives(1), &jack), 0);
	chr_edges_finish(&graph.desired);
	graph.desired = jack;
	graph.generation++;
}

/* What the control thread does with what the graph thread tells. */
static void take(const struct chr_post *post)
{
	struct chr_edge jack = {0}, edge;
	snprintf(jack.from, sizeof jack.from, "%s", post->from);
	snprintf(jack.to, sizeof jack.to, "%s", post->to);
	bool ours = chr_wiring_reduce(&rack, &jack, &edge), gone = post->gone_us[0] || post->gone_us[1];
	if (post->kind == CHR_POST_EDGE_DRAWN && ours) {
		ck_assert_int_eq(chr_edges_add(&logical, edge.from, edge.to), 0);
		rewire();
		chr_graph_cut(&graph, jack.from, jack.to);
	} else if (post->kind == CHR_POST_EDGE_VANISHED) {
		if (ours && !gone)
			chr_edges_remove(&logical, edge.from, edge.to);
		rewire();
		chr_graph_judged(&graph, post->value);
	}
}

static void work(unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		struct chr_post post;
		now_us += 1000;
		jack_double_deliver(ALL);
		chr_graph_pass(&graph);
		while (chr_inbox_take(&inbox, &post))
			take(&post);
	}
}

static void live(unsigned unit, unsigned lane)
{
	jack_double_open(rack.unit[unit]->instance[lane].client, unit ? "in cutoff clock" : "left right",
			 unit ? "out env" : "clock");
}

static void setup(void)
{
	int code;
	patch = fixture_load(patch_text, sizeof patch_text - 1, &code);
	ck_assert_msg(patch && patch->module_count == MODULES + 1, "%s", fixture_report());
	rack = (struct chr_rack){.patch = patch, .unit_count = patch->module_count};
	for (unsigned i = 0; i < rack.unit_count; i++) {
		const char *why;
		struct chr_unit *unit = rack.unit[i] = calloc(1, sizeof *unit);
		ck_assert_ptr_nonnull(unit);
		memcpy(unit->name, patch->module[i].name, sizeof unit->name);
		unit->type = fixture_type(NULL, patch->module[i].type, "", &why);
		unit->member = i;
		unit->prefix = rack.prefix;
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			unit->instance[lane].state = CHR_INSTANCE_PLAYING;
			chr_rack_client(unit, lane, unit->instance[lane].client);
		}
	}
	ck_assert_int_eq(chr_inbox_init(&inbox), 0);
}

static void teardown(void)
{
	for (unsigned i = 0; i < rack.unit_count; i++)
		free(rack.unit[i]);
	chr_inbox_finish(&inbox);
	chr_patch_destroy(patch);
	fixture_finish();
}

static void begin(bool pipewire)
{
	memset(&graph, 0, sizeof graph);
	jack_double_reset();
	jack_double_pipewire(pipewire);
	pthread_mutex_init(&graph.lock, NULL);
	graph.wake_fd = -1;
	graph.inbox = &inbox;
	graph.pipewire = pipewire;
	ck_assert_int_eq(chr_graph_activate(&graph, (jack_client_t *)&graph), 0);
	atomic_store(&graph.client, (jack_client_t *)&graph);
	for (unsigned i = 0; i < rack.unit_count * 2; i++)
		live(i / 2, i % 2);
	jack_double_open("other", "in", "out");
	ck_assert_int_eq(chr_wiring_logical(patch, &logical), 0);
	rewire();
	work(5);
}

static void end(void)
{
	chr_graph_forget(&graph);
	chr_edges_finish(&graph.desired);
	chr_edges_finish(&graph.cuts);
	chr_edges_finish(&logical);
	free(graph.wire);
	free(graph.act);
	free(graph.port);
	pthread_mutex_destroy(&graph.lock);
	now_us = BEGIN_US;
}

/* ---- what happens ---- */

/* A person draws an edge in a lane, or erases it where it is there. */
static void draw(void)
{
	static const char *const out[] = {"out", "env"}, *const in[] = {"in", "cutoff"};
	char from[NAME_SIZE] = "other:out", to[NAME_SIZE] = "other:in";
	unsigned lane = roll(2), a = roll(MODULES + 1), b = roll(MODULES + 2);
	if (!a && !b)
		return;
	if (a)
		snprintf(from, sizeof from, "%.8s:%s", rack.unit[a]->instance[lane].client, out[roll(2)]);
	if (b)
		snprintf(to, sizeof to, "%.8s:%s", rack.unit[b % (MODULES + 1)]->instance[lane].client,
			 b > MODULES ? "left" : in[roll(2)]);
	if (jack_double_connect(from, to) > 0)
		jack_double_disconnect(from, to);
}

static void step(void)
{
	unsigned what = roll(10), unit = roll(MODULES + 1), lane = roll(2);
	struct chr_instance *instance = &rack.unit[unit]->instance[lane];
	if (what < 6) {
		draw();
	} else if (what == 6 && logical.count) {
		struct chr_edge gone = logical.edge[roll(logical.count)];
		chr_edges_remove(&logical, gone.from, gone.to);
		rewire();
	} else if (instance->state == CHR_INSTANCE_PLAYING) {
		instance->state = CHR_INSTANCE_WAITING;
		jack_double_close(instance->client);
		rewire();
	} else {
		bool late = roll(2); /* its ports become known after it said that it is ready */
		instance->state = CHR_INSTANCE_PLAYING;
		rewire();
		if (late)
			work(2);
		live(unit, lane);
	}
	now_us += roll(500);
	if (roll(3))
		work(1 + roll(4));
	else if (!roll(5))
		work(150);
}

/* ---- what is to have come of it ---- */

static bool is_foreign(const char *port)
{
	return strncmp(port, "other:", 6) == 0;
}

static void twin(const char *port, char name[NAME_SIZE])
{
	if (is_foreign(port))
		snprintf(name, NAME_SIZE, "%s", port);
	else
		snprintf(name, NAME_SIZE, "%.*s.b%s", (int)strcspn(port, ":"), port, strchr(port, ':'));
}

/* The place of an edge among those to its input, as the sum counts them; of fewer than three there is none. */
static unsigned place(const char *from, const char *to)
{
	const char *a, *b;
	unsigned all = 0, at = 0;
	for (unsigned i = 0; jack_double_edge(i, &a, &b); i++) {
		if (!strcmp(a, from) && !strcmp(b, to))
			at = all;
		all += !strcmp(b, to);
	}
	return all < CHR_WIRING_ORDERED ? 0 : at;
}

static const char *wrong(void)
{
	static char text[256];
	const char *from, *to;
	if (jack_double_stuck())
		return "somebody waits for himself";
	for (unsigned i = 0; i < graph.wire_count; i++)
		if (!graph.wire[i].made && graph.wire[i].edge.to[0] != CHR_PLAYBACK_PREFIX[0]) {
			snprintf(text, sizeof text, "%.99s is not connected to %.99s", graph.wire[i].edge.from,
				 graph.wire[i].edge.to);
			return text;
		}
	for (unsigned i = 0; jack_double_edge(i, &from, &to); i++) {
		char a[NAME_SIZE], b[NAME_SIZE];
		if (is_foreign(to) || strstr(to, ".b:"))
			continue;
		twin(from, a);
		twin(to, b);
		bool there = jack_double_connected(a, b),
		     alike = there && jack_double_delayed(from, to) == jack_double_delayed(a, b);
		if (!alike || place(from, to) != place(a, b)) {
			snprintf(text, sizeof text, "%s > %s is %s", from, to,
				 alike   ? "added up at another place"
				 : there ? "delayed in one lane"
					 : "in one lane");
			return text;
		}
	}
	return NULL;
}

START_TEST(tangles_are_alike)
{
	const char *tangles = getenv("CHRONUS_TEST_TANGLES"), *first = getenv("CHRONUS_TEST_SEED");
	for (unsigned i = 0, count = tangles ? (unsigned)atoi(tangles) : 400; i < count; i++) {
		unsigned long long began = seed = (first ? strtoull(first, NULL, 10) : 1) + i;
		begin(_i);
		for (unsigned k = 0; k < STEPS; k++)
			step();
		for (unsigned k = 0; k < rack.unit_count * 2; k++) {
			struct chr_instance *instance = &rack.unit[k / 2]->instance[k % 2];
			if (instance->state != CHR_INSTANCE_PLAYING)
				live(k / 2, k % 2);
			instance->state = CHR_INSTANCE_PLAYING;
		}
		rewire();
		work(300);
		ck_assert_msg(!wrong(), "%s, tangle %llu: %s", _i ? "PipeWire" : "jackd2", began, wrong());
		end();
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loops of the graph");
	TCase *tests = tcase_create("loops");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, tangles_are_alike, 0, 2);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
