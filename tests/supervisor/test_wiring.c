#include "supervisor/wiring.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/patch_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULES(...)   "modules = (" __VA_ARGS__ ");"
#define EDGES(...)     "connections = (" __VA_ARGS__ ");"
#define OSC(name)      "{ name = \"" name "\"; type = \"sine\"; }"
#define FILTER(name)   "{ name = \"" name "\"; type = \"biquad\"; }"
#define EDGE(from, to) "[ \"" from "\", \"" to "\" ]"
#define VOICE                                                                                                                      \
	MODULES(OSC("osc1") "," FILTER("filt1"))                                                                                   \
	EDGES(EDGE("osc1:out", "filt1:in") "," EDGE("filt1:out", "out:left") "," EDGE("filt1:out", "out:right"))

static struct chr_patch *patch;
static struct chr_rack rack;
static struct chr_edges logical, jack;

/* A rack all of whose instances play. */
static void load(const char *text)
{
	int exit_code;
	patch = fixture_load(text, strlen(text), &exit_code);
	ck_assert_msg(patch != NULL, "%s", fixture_report());
	rack.patch = patch;
	rack.unit_count = patch->module_count;
	for (unsigned i = 0; i < patch->module_count; i++) {
		struct chr_unit *unit = calloc(1, sizeof *unit);
		const char *why;
		memcpy(unit->name, patch->module[i].name, sizeof unit->name);
		unit->type = fixture_type(NULL, patch->module[i].type, "", &why);
		unit->member = i;
		unit->prefix = rack.prefix;
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			unit->instance[lane].state = lane < patch->lanes ? CHR_INSTANCE_PLAYING : CHR_INSTANCE_NONE;
			chr_rack_client(unit, lane, unit->instance[lane].client);
		}
		rack.unit[i] = unit;
	}
	ck_assert_int_eq(chr_wiring_logical(patch, &logical), 0);
}

static void teardown(void)
{
	for (unsigned i = 0; i < rack.unit_count; i++)
		free(rack.unit[i]);
	rack.unit_count = 0;
	chr_edges_finish(&logical);
	chr_edges_finish(&jack);
	if (patch)
		chr_patch_destroy(patch);
	patch = NULL;
	fixture_finish();
}

static void set_state(const char *name, unsigned lane, enum chr_instance_state state)
{
	chr_rack_find(&rack, name)->instance[lane].state = state;
}

/* The edges as lines "from > to", those that are held behind a '-'; the hardware's ports as "@1". Valid until the next call. */
static const char *shown(const struct chr_edges *edges)
{
	static char text[16384];
	size_t prefix = strlen(CHR_PLAYBACK_PREFIX), at = 0;
	text[0] = 0;
	for (unsigned i = 0; i < edges->count; i++) {
		const struct chr_edge *edge = &edges->edge[i];
		bool hardware = !strncmp(edge->to, CHR_PLAYBACK_PREFIX, prefix);
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%s > %s%s\n", edge->held ? "-" : "", edge->from,
				       hardware ? "@" : "", hardware ? edge->to + prefix : edge->to);
		ck_assert_uint_lt(at, sizeof text);
	}
	return text;
}

static const char *expanded(unsigned heard)
{
	chr_edges_finish(&jack);
	ck_assert_int_eq(chr_wiring_expand(&rack, &logical, heard, &jack), 0);
	return shown(&jack);
}

START_TEST(test_logical_default_playback)
{
	load(VOICE);
	ck_assert_str_eq(shown(&logical), "osc1:out > filt1:in\n"
					  "filt1:out > out:left\n"
					  "filt1:out > out:right\n"
					  "out:play_left > @1\n"
					  "out:play_right > @2\n");
}
END_TEST

START_TEST(test_logical_channels)
{
	load("channels = 4;" MODULES(OSC("osc1")) EDGES(EDGE("osc1:out", "out:in_3")));
	ck_assert_str_eq(shown(&logical), "osc1:out > out:in_3\n"
					  "out:play_left > @1\n"
					  "out:play_right > @2\n"
					  "out:play_3 > @3\n"
					  "out:play_4 > @4\n");
}
END_TEST

/* One edge of the patch's own from out's outputs, and the hardware is the patch's affair. The clock is no such edge. */
START_TEST(test_logical_own_playback)
{
	load(MODULES(OSC("osc1")) EDGES(EDGE("osc1:out", "out:left") "," EDGE("out:play_left", "recorder:in")));
	ck_assert_str_eq(shown(&logical), "osc1:out > out:left\nout:play_left > recorder:in\n");
	teardown();
	load(MODULES(OSC("osc1")) EDGES(EDGE("out:clock", "osc1:fm")));
	ck_assert_str_eq(shown(&logical), "out:clock > osc1:fm\nout:play_left > @1\nout:play_right > @2\n");
}
END_TEST

START_TEST(test_expand_one_lane)
{
	load("lanes = 1;" VOICE);
	ck_assert_str_eq(expanded(0), "out:clock > filt1:clock\n"
				      "filt1:out > out:left\n"
				      "filt1:out > out:right\n"
				      "osc1:out > filt1:in\n"
				      "out:play_left > @1\n"
				      "out:play_right > @2\n");
}
END_TEST

START_TEST(test_expand_two_lanes)
{
	load("lanes = 2;" VOICE);
	ck_assert_str_eq(expanded(0), "out:clock > filt1:clock\n"
				      "out.b:clock > filt1.b:clock\n"
				      "filt1:out > out:left\n"
				      "filt1.b:out > out.b:left\n"
				      "filt1:out > out:right\n"
				      "filt1.b:out > out.b:right\n"
				      "osc1:out > filt1:in\n"
				      "osc1.b:out > filt1.b:in\n"
				      "out:play_left > @1\n"
				      "out.b:play_left > @1\n"
				      "out:play_right > @2\n"
				      "out.b:play_right > @2\n");
}
END_TEST

/* A foreign output is heard by both lanes; a foreign input hears one of them. */
START_TEST(test_expand_foreign)
{
	load("lanes = 2;" MODULES(FILTER("filt1")) EDGES(EDGE("system:capture_1", "filt1:in") "," EDGE(
		"filt1:out", "recorder:in") "," EDGE("system:capture_2", "out:left") "," EDGE("out:play_left", "meter.b:in")));
	ck_assert_str_eq(expanded(0), "system:capture_1 > filt1:in\n"
				      "system:capture_1 > filt1.b:in\n"
				      "filt1:out > recorder:in\n"
				      "system:capture_2 > out:left\n"
				      "system:capture_2 > out.b:left\n"
				      "out:play_left > meter.b:in\n"
				      "out.b:play_left > meter.b:in\n");
	const char *other = expanded(1);
	ck_assert_ptr_nonnull(strstr(other, "filt1.b:out > recorder:in\n"));
	ck_assert_ptr_null(strstr(other, "filt1:out > recorder:in\n"));
	/* the outs settle between themselves which of them is heard */
	ck_assert_ptr_nonnull(strstr(other, "\nout:play_left > meter.b:in\n"));
	ck_assert_ptr_nonnull(strstr(other, "\nout.b:play_left > meter.b:in\n"));
}
END_TEST

/* A loop between modules, a module that hears itself, and out's clock as an ordinary source. */
START_TEST(test_expand_loops)
{
	load("lanes = 2;" MODULES(FILTER("x") "," FILTER("y")) EDGES(EDGE("x:out", "y:in") "," EDGE("y:out", "x:in") "," EDGE(
		"x:out", "x:cutoff") "," EDGE("y:out", "out:left") "," EDGE("out:clock", "x:in") "," EDGE("out:play_left", "z:z")));
	ck_assert_str_eq(expanded(0), "out:clock > y:clock\n"
				      "out.b:clock > y.b:clock\n"
				      "y:out > out:left\n"
				      "y.b:out > out.b:left\n"
				      "x:out > y:in\n"
				      "x.b:out > y.b:in\n"
				      "out:clock > x:in\n"
				      "out.b:clock > x.b:in\n"
				      "out:play_left > z:z\n"
				      "out.b:play_left > z:z\n"
				      "y:out > x:in\n"
				      "y.b:out > x.b:in\n"
				      "x:out > x:cutoff\n"
				      "x.b:out > x.b:cutoff\n");
	for (unsigned i = 0; i < jack.count; i++) {
		const struct chr_edge *edge = &jack.edge[i];
		bool to_out = !strncmp(edge->to, "out", 3), to_x = i >= 10 && !strncmp(edge->to, "x", 1);
		ck_assert_msg(edge->closes == (to_out || to_x), "%s > %s", edge->from, edge->to);
	}
}
END_TEST

/* Of those that close loops, the one into the module from which the others are fed comes first, though it was drawn last. */
START_TEST(test_expand_tangle)
{
	load("lanes = 1;" MODULES(FILTER("u") "," FILTER("b") "," FILTER("c") "," FILTER("d"))
		     EDGES(EDGE("u:out", "b:in") "," EDGE("u:out", "c:in") "," EDGE("c:out", "b:in") "," EDGE(
			     "b:out", "c:in") "," EDGE("c:out", "d:in") "," EDGE("d:out", "u:in") "," EDGE("d:out", "z:in")));
	ck_assert_str_eq(expanded(0), "u:out > b:in\n"
				      "u:out > c:in\n"
				      "c:out > b:in\n"
				      "c:out > d:in\n"
				      "d:out > z:in\n"
				      "out:play_left > @1\n"
				      "out:play_right > @2\n"
				      "d:out > u:in\n"
				      "b:out > c:in\n");
	bool delicate[CHR_BOARD_MEMBERS];
	chr_wiring_delicate(&rack, &logical, delicate);
	for (unsigned i = 0; i < CHR_BOARD_MEMBERS; i++)
		ck_assert(delicate[i] == (i > 0 && i < rack.unit_count));
	/* an edge of the loop that cannot be made yet holds what closes it, and nothing else */
	set_state("d", 0, CHR_INSTANCE_STARTING);
	ck_assert_ptr_nonnull(strstr(expanded(0), "-d:out > u:in\nb:out > c:in\n"));
	set_state("b", 0, CHR_INSTANCE_STARTING);
	set_state("d", 0, CHR_INSTANCE_PLAYING);
	ck_assert_ptr_nonnull(strstr(expanded(0), "\nd:out > u:in\n-b:out > c:in\n"));
}
END_TEST

/* From three on, what comes to an input of a module has an order, where there is another lane to agree with. */
START_TEST(test_expand_sums)
{
	const char *const text = MODULES(FILTER("x") "," FILTER("y")) EDGES(EDGE("reverb:out", "x:in") "," EDGE(
		"out:clock", "x:in") "," EDGE("y:out", "x:in") "," EDGE("reverb:out", "y:in") "," EDGE("y:out", "meter:in"));
	char two[1024];
	bool delicate[CHR_BOARD_MEMBERS];
	snprintf(two, sizeof two, "lanes = 2; %s", text);
	load(two);
	expanded(0);
	for (unsigned i = 0; i < jack.count; i++) {
		const struct chr_edge *edge = &jack.edge[i];
		ck_assert(edge->ordered == (edge->to[0] == 'x'));
	}
	chr_wiring_delicate(&rack, &logical, delicate);
	for (unsigned i = 0; i < CHR_BOARD_MEMBERS; i++)
		ck_assert(delicate[i] == (i == chr_rack_find(&rack, "x")->member));
	teardown();
	snprintf(two, sizeof two, "lanes = 1; %s", text);
	load(two);
	expanded(0);
	for (unsigned i = 0; i < jack.count; i++)
		ck_assert(!jack.edge[i].ordered);
}
END_TEST

/* Only one lane feeds another program, and both hear it: whichever was drawn last, JACK delays what goes to it. */
START_TEST(test_expand_loops_through_others)
{
	load("lanes = 2;" MODULES(FILTER("x") "," FILTER("y"))
		     EDGES(EDGE("x:out", "reverb:in") "," EDGE("reverb:out", "y:in") "," EDGE("y:out", "x:in") "," EDGE(
			     "y:out", "meter:in") "," EDGE("out:play_left", "reverb:in")));
	ck_assert_str_eq(expanded(0), "reverb:out > y:in\n"
				      "reverb:out > y.b:in\n"
				      "y:out > x:in\n"
				      "y.b:out > x.b:in\n"
				      "y:out > meter:in\n"
				      "out:play_left > reverb:in\n"
				      "out.b:play_left > reverb:in\n"
				      "x:out > reverb:in\n");
	for (unsigned i = 0; i < jack.count; i++)
		ck_assert(jack.edge[i].closes == (i + 1 == jack.count));
}
END_TEST

/* out hears another program without a period's delay, in both lanes: what feeds that program is delayed, if out's clock drives it. */
START_TEST(test_expand_loops_through_others_to_out)
{
	load("lanes = 2;" MODULES(FILTER("x") "," FILTER("y"))
		     EDGES(EDGE("x:out", "reverb:in") "," EDGE("y:out", "x:in") "," EDGE("reverb:out", "out:left") "," EDGE(
			     "x:out", "out:left") "," EDGE("y:out", "reverb:in") "," EDGE("out:play_left", "reverb:in")));
	ck_assert_str_eq(expanded(0), "out:clock > x:clock\n"
				      "out.b:clock > x.b:clock\n"
				      "y:out > x:in\n"
				      "y.b:out > x.b:in\n"
				      "reverb:out > out:left\n"
				      "reverb:out > out.b:left\n"
				      "y:out > reverb:in\n"
				      "x:out > reverb:in\n"
				      "out:play_left > reverb:in\n"
				      "out.b:play_left > reverb:in\n"
				      "x:out > out:left\n"
				      "x.b:out > out.b:left\n");
	for (unsigned i = 0; i < jack.count; i++)
		ck_assert_msg(jack.edge[i].closes == (i > 6), "%s > %s", jack.edge[i].from, jack.edge[i].to);
}
END_TEST

/* The edges of an instance that is not active yet are desired, but held. */
START_TEST(test_expand_held)
{
	static const enum chr_instance_state inactive[] = {CHR_INSTANCE_NONE, CHR_INSTANCE_WAITING, CHR_INSTANCE_STARTING,
							   CHR_INSTANCE_QUARANTINED};
	static const enum chr_instance_state active[] = {CHR_INSTANCE_WIRING, CHR_INSTANCE_JOINING, CHR_INSTANCE_PLAYING};
	load("lanes = 2;" VOICE);
	for (unsigned i = 0; i < sizeof inactive / sizeof inactive[0]; i++) {
		set_state("filt1", 1, inactive[i]);
		expanded(0);
		for (unsigned k = 0; k < jack.count; k++) {
			bool touches = strstr(jack.edge[k].from, "filt1.b:") || strstr(jack.edge[k].to, "filt1.b:");
			ck_assert_msg(jack.edge[k].held == touches, "%s", shown(&jack));
		}
	}
	for (unsigned i = 0; i < sizeof active / sizeof active[0]; i++) {
		set_state("filt1", 1, active[i]);
		ck_assert_ptr_null(strchr(expanded(0), '-'));
	}
}
END_TEST

/* An instance that parts has no edges, and its twin all of them. */
START_TEST(test_expand_parting)
{
	load("lanes = 2;" VOICE);
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		unsigned twins = 0;
		chr_rack_find(&rack, "filt1")->instance[lane].parting = 1;
		expanded(0);
		for (unsigned k = 0; k < jack.count; k++) {
			const struct chr_edge *edge = &jack.edge[k];
			const char *mine = lane ? "filt1.b:" : "filt1:", *twin = lane ? "filt1:" : "filt1.b:";
			ck_assert_msg(!strstr(edge->from, mine) && !strstr(edge->to, mine), "%s", shown(&jack));
			twins += strstr(edge->from, twin) || strstr(edge->to, twin);
		}
		ck_assert_uint_eq(twins, 4); /* osc1, left, right, the clock */
		chr_rack_find(&rack, "filt1")->instance[lane].parting = 0;
	}
}
END_TEST

START_TEST(test_expand_held_out)
{
	load("lanes = 2;" VOICE);
	set_state("out", 0, CHR_INSTANCE_STARTING);
	expanded(0);
	for (unsigned k = 0; k < jack.count; k++) {
		const struct chr_edge *edge = &jack.edge[k];
		bool touches = !strncmp(edge->from, "out:", 4) || !strncmp(edge->to, "out:", 4);
		ck_assert_msg(edge->held == touches, "%s", shown(&jack));
	}
	set_state("out", 0, CHR_INSTANCE_PLAYING);
	set_state("out", 1, CHR_INSTANCE_STARTING);
	expanded(0);
	for (unsigned k = 0; k < jack.count; k++) {
		const struct chr_edge *edge = &jack.edge[k];
		bool touches = !strncmp(edge->from, "out.b:", 6) || !strncmp(edge->to, "out.b:", 6);
		ck_assert_msg(edge->held == touches, "%s", shown(&jack));
	}
}
END_TEST

static const struct {
	const char *from, *to, *logical_from, *logical_to; /* NULL: none of ours */
} reductions[] = {
	{"osc1:out", "filt1:cutoff", "osc1:out", "filt1:cutoff"},
	{"osc1.b:out", "filt1.b:cutoff", "osc1:out", "filt1:cutoff"},
	/* across the lanes: what a person can only have meant */
	{"osc1.b:out", "filt1:cutoff", "osc1:out", "filt1:cutoff"},
	{"filt1:out", "out:left", "filt1:out", "out:left"},
	{"filt1.b:out", "out.b:left", "filt1:out", "out:left"},
	{"filt1:out", "out.b:left", "filt1:out", "out:left"},
	{"filt1.b:out", "out:right", "filt1:out", "out:right"},
	{"out:play_left", "recorder:in", "out:play_left", "recorder:in"},
	{"out.b:play_left", "recorder:in", "out:play_left", "recorder:in"},
	{"system:capture_1", "osc1.b:pitch", "system:capture_1", "osc1:pitch"},
	{"osc1.b:out", "strange.b:in.b", "osc1:out", "strange.b:in.b"},
	{"out:clock", "osc1.b:fm", "out:clock", "osc1:fm"},
	{"system:capture_1", "system:playback_1", NULL, NULL},
	{"osc1.c:out", "recorder:in", NULL, NULL},
	{"nocolon", "alsonone", NULL, NULL},
};

START_TEST(test_reduce)
{
	struct chr_edge got, drawn = {0};
	load("lanes = 2;" VOICE);
	snprintf(drawn.from, sizeof drawn.from, "%s", reductions[_i].from);
	snprintf(drawn.to, sizeof drawn.to, "%s", reductions[_i].to);
	bool ours = chr_wiring_reduce(&rack, &drawn, &got);
	ck_assert(ours == (reductions[_i].logical_from != NULL));
	if (ours) {
		ck_assert_str_eq(got.from, reductions[_i].logical_from);
		ck_assert_str_eq(got.to, reductions[_i].logical_to);
	}
}
END_TEST

/* In a session our clients bear a prefix, of which people's names of edges know nothing; then another client may bear a module's name. */
START_TEST(test_prefix)
{
	struct chr_edge got, other = {.from = "osc1:out", .to = "Chronus.nA/filt1:in"};
	snprintf(rack.prefix, sizeof rack.prefix, "Chronus.nA/");
	load("lanes = 2;" MODULES(OSC("osc1") "," FILTER("filt1")) EDGES(
		EDGE("osc1:out", "filt1:in") "," EDGE("filt1:out", "out:left") "," EDGE("out:play_left", "recorder:in")));
	expanded(0);
	for (unsigned i = 0; i < jack.count; i++) {
		ck_assert_msg(!strncmp(jack.edge[i].from, "Chronus.nA/", 11), "%s", jack.edge[i].from);
		ck_assert_msg(!strncmp(jack.edge[i].to, "Chronus.nA/", 11) || !strcmp(jack.edge[i].to, "recorder:in"), "%s",
			      jack.edge[i].to);
		ck_assert(chr_wiring_reduce(&rack, &jack.edge[i], &got));
		ck_assert_ptr_null(strstr(got.from, "nA"));
		ck_assert_ptr_null(strstr(got.to, "nA"));
	}
	ck_assert_int_ge(chr_edges_find(&jack, "Chronus.nA/filt1.b:out", "Chronus.nA/out.b:left"), 0);
	ck_assert(!chr_wiring_reduce(&rack, &other, &got));
	rack.prefix[0] = 0;
}
END_TEST

/* Whatever edge of the graph a person erases, the logical edge behind it is found; only the clock edges have none. */
START_TEST(test_reduce_undoes_expand)
{
	load("lanes = 2;" MODULES(OSC("osc1") "," FILTER("filt1")) EDGES(
		EDGE("osc1:out", "filt1:in") "," EDGE("filt1:out", "out:left") "," EDGE("out:play_left", "recorder:in")));
	expanded(1);
	unsigned clocks = 0;
	for (unsigned i = 0; i < jack.count; i++) {
		struct chr_edge got;
		ck_assert(chr_wiring_reduce(&rack, &jack.edge[i], &got));
		if (chr_edges_find(&logical, got.from, got.to) >= 0)
			continue;
		clocks++;
		ck_assert_str_eq(got.from, "out:clock");
		ck_assert_str_eq(got.to, "filt1:clock");
	}
	ck_assert_uint_eq(clocks, 2);
}
END_TEST

START_TEST(test_upstream)
{
	static const char *const wanted[] = {"far", "near", "loop_a", "loop_b"};
	bool need[CHR_BOARD_MEMBERS];
	/* clang-format off */
	load(MODULES(OSC("far") "," FILTER("near") "," FILTER("loop_a") "," FILTER("loop_b") ","
		     OSC("idle") "," FILTER("deaf_a") "," FILTER("deaf_b") "," FILTER("aside"))
	     EDGES(EDGE("far:out", "near:in") ","
		   EDGE("near:out", "out:left") ","
		   EDGE("loop_a:out", "loop_b:in") ","
		   EDGE("loop_b:out", "loop_a:in") ","
		   EDGE("loop_b:out", "near:cutoff") ","
		   EDGE("deaf_a:out", "deaf_b:in") ","
		   EDGE("deaf_b:out", "deaf_a:in") ","
		   EDGE("far:out", "aside:in") ","
		   EDGE("aside:out", "recorder:in") ","
		   EDGE("system:capture_1", "near:in") ","
		   EDGE("out:clock", "idle:fm")));
	/* clang-format on */
	memset(need, 1, sizeof need);
	chr_wiring_upstream(&rack, &logical, need);
	unsigned count = 0;
	for (unsigned i = 0; i < CHR_BOARD_MEMBERS; i++)
		count += need[i];
	ck_assert_uint_eq(count, sizeof wanted / sizeof wanted[0]);
	for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		ck_assert_msg(need[chr_rack_find(&rack, wanted[i])->member], "%s", wanted[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wiring");
	TCase *tcase = tcase_create("wiring");
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, test_logical_default_playback);
	tcase_add_test(tcase, test_logical_channels);
	tcase_add_test(tcase, test_logical_own_playback);
	tcase_add_test(tcase, test_expand_one_lane);
	tcase_add_test(tcase, test_expand_two_lanes);
	tcase_add_test(tcase, test_expand_foreign);
	tcase_add_test(tcase, test_expand_loops);
	tcase_add_test(tcase, test_expand_tangle);
	tcase_add_test(tcase, test_expand_sums);
	tcase_add_test(tcase, test_expand_loops_through_others);
	tcase_add_test(tcase, test_expand_loops_through_others_to_out);
	tcase_add_test(tcase, test_expand_held);
	tcase_add_test(tcase, test_expand_held_out);
	tcase_add_test(tcase, test_expand_parting);
	tcase_add_loop_test(tcase, test_reduce, 0, sizeof reductions / sizeof reductions[0]);
	tcase_add_test(tcase, test_reduce_undoes_expand);
	tcase_add_test(tcase, test_prefix);
	tcase_add_test(tcase, test_upstream);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
