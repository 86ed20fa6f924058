/* After a load modules and connections are told in the file's order, and the file's edges close the loops. */
#include "supervisor/conductor.h"
#include "supervisor/edit_parts.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/lanes_bed.h"
#include "tests/supervisor/patch_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct lanes_bed *bed;
static struct chr_conductor *conductor;

static void setup(void)
{
	bed = bed_create(2);
	conductor = &bed->conductor;
	bed_play(bed);
}

static void teardown(void)
{
	bed_destroy(bed);
}

/* The modules of the bed in this order, with these connections. */
static struct chr_patch *file(const char *modules, const char *connections)
{
	static const char *const type[] = {"out", "sine", "biquad", "sine"};
	char text[2048] = "modules = (";
	for (const char *at = modules; *at; at++) {
		unsigned unit = (unsigned)(*at - '0');
		sprintf(text + strlen(text), "%s{ name = \"%s\"; type = \"%s\"; }", at > modules ? "," : "",
			conductor->rack.unit[unit]->name, type[unit]);
	}
	sprintf(text + strlen(text), "); connections = (%s);", connections);
	int exit_code;
	struct chr_patch *patch = fixture_load(text, strlen(text), &exit_code);
	ck_assert_msg(patch != NULL, "%s", fixture_report());
	return patch;
}

static void desire(const struct chr_patch *patch)
{
	chr_edges_finish(&conductor->logical);
	ck_assert_int_eq(chr_wiring_logical(patch, &conductor->logical), 0);
}

/* "from > to" of the running patch, a line each; static memory. */
static const char *told(void)
{
	static char text[4096];
	text[0] = 0;
	struct chr_patch *patch = chr_edit_snapshot(conductor);
	ck_assert_ptr_nonnull(patch);
	for (unsigned i = 0; i < patch->edge_count; i++)
		if (patch->edge[i].to[0] != CHR_PLAYBACK_PREFIX[0])
			sprintf(text + strlen(text), "%s > %s\n", patch->edge[i].from, patch->edge[i].to);
	chr_patch_destroy(patch);
	return text;
}

/* The same, of those that JACK delays in lane a and that lead to modules. */
static const char *delayed(void)
{
	static char text[4096];
	text[0] = 0;
	const struct chr_edges *jack = &conductor->graph.desired;
	for (unsigned i = 0; i < jack->count; i++) {
		const struct chr_edge *edge = &jack->edge[i];
		if (edge->closes && strncmp(edge->to, "out", 3) != 0 && !strstr(edge->to, ".b:"))
			sprintf(text + strlen(text), "%s > %s\n", edge->from, edge->to);
	}
	return text;
}

static bool take_order(struct chr_patch *patch)
{
	bool changed = chr_load_take_order(conductor, patch);
	chr_lanes_rewire(conductor);
	return changed;
}

#define EDGE(from, to) "[\"" from "\", \"" to "\"]"

START_TEST(test_modules_stand_as_in_the_file)
{
	struct chr_patch *patch = file("321", "");
	ck_assert(!take_order(patch));
	const char *const name[] = {"out", "aside", "filt1", "osc1"};
	for (unsigned i = 0; i < BED_UNITS; i++)
		ck_assert_str_eq(conductor->rack.unit[i]->name, name[i]);
	chr_patch_destroy(patch);
}
END_TEST

/* One that was added while the file was read. */
START_TEST(test_what_the_file_does_not_have_is_last)
{
	struct chr_patch *patch = file("32", "");
	ck_assert(!take_order(patch));
	ck_assert_str_eq(conductor->rack.unit[0]->name, "out");
	ck_assert_str_eq(conductor->rack.unit[3]->name, "osc1");
	chr_patch_destroy(patch);
}
END_TEST

/* What plays is not made anew: the list keeps its order, in which sums are added up. */
START_TEST(test_edges_are_told_as_in_the_file)
{
	static const char three[] = EDGE("osc1:out", "filt1:in") "," EDGE("aside:out", "filt1:in") "," EDGE("osc1:out", "out:left");
	struct chr_patch *patch = file("123", three);
	desire(patch);
	chr_edges_remove(&conductor->logical, "osc1:out", "filt1:in");
	ck_assert_int_eq(chr_edit_put_edge(conductor, "osc1:out", "filt1:in"), 0);
	ck_assert_str_eq(told(), "aside:out > filt1:in\nosc1:out > out:left\nosc1:out > filt1:in\n");
	ck_assert(!take_order(patch));
	ck_assert_str_eq(told(), "osc1:out > filt1:in\naside:out > filt1:in\nosc1:out > out:left\n");
	ck_assert_int_gt(chr_edges_find(&conductor->logical, "osc1:out", "filt1:in"),
			 chr_edges_find(&conductor->logical, "aside:out", "filt1:in"));
	/* one that comes later comes last, one that goes and comes again too */
	ck_assert_int_eq(chr_edit_put_edge(conductor, "aside:out", "filt1:cutoff"), 0);
	chr_edit_take_edge(conductor, "osc1:out", "filt1:in");
	ck_assert_int_eq(chr_edit_put_edge(conductor, "osc1:out", "filt1:in"), 0);
	ck_assert_str_eq(told(), "aside:out > filt1:in\nosc1:out > out:left\naside:out > filt1:cutoff\nosc1:out > filt1:in\n");
	chr_patch_destroy(patch);
}
END_TEST

#define A_LOOP EDGE("osc1:out", "filt1:in") "," EDGE("filt1:out", "aside:fm") "," EDGE("aside:out", "osc1:fm")

START_TEST(test_loops_are_closed_as_in_the_file)
{
	struct chr_patch *patch = file("123", A_LOOP "," EDGE("osc1:out", "out:left"));
	desire(patch);
	chr_lanes_rewire(conductor);
	ck_assert_str_eq(delayed(), "aside:out > osc1:fm\n");
	/* filt1 goes and comes back */
	chr_edit_drop_edges(conductor, &bed->unit[BED_FILT1]);
	ck_assert_int_eq(chr_edit_put_edge(conductor, "osc1:out", "filt1:in"), 0);
	ck_assert_int_eq(chr_edit_put_edge(conductor, "filt1:out", "aside:fm"), 0);
	chr_lanes_rewire(conductor);
	ck_assert_str_eq(delayed(), "filt1:out > aside:fm\n");
	ck_assert(take_order(patch));
	ck_assert_str_eq(delayed(), "aside:out > osc1:fm\n");
	ck_assert_str_eq(told(), "osc1:out > filt1:in\nfilt1:out > aside:fm\naside:out > osc1:fm\nosc1:out > out:left\n");
	/* and then nothing is left to be done */
	ck_assert(!take_order(patch));
	chr_patch_destroy(patch);
}
END_TEST

/* Lanes whose loops are closed anew do it at different times: they part and join. */
START_TEST(test_lanes_whose_loops_change_join_again)
{
	struct chr_patch *patch = file("123", A_LOOP),
			 *other = file("123", EDGE("aside:out", "osc1:fm") "," EDGE("osc1:out", "filt1:in") "," EDGE("filt1:out",
														     "aside:fm"));
	desire(patch);
	chr_lanes_rewire(conductor);
	conductor->edits.redrawn = 0;
	ck_assert(!take_order(patch));
	ck_assert_int_eq(conductor->edits.redrawn, 0);
	ck_assert(take_order(other));
	ck_assert_int_eq(conductor->edits.redrawn, conductor->generation);
	ck_assert_str_eq(delayed(), "filt1:out > aside:fm\n");
	chr_patch_destroy(patch);
	chr_patch_destroy(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load order");
	TCase *tcase = tcase_create("load order");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_modules_stand_as_in_the_file);
	tcase_add_test(tcase, test_what_the_file_does_not_have_is_last);
	tcase_add_test(tcase, test_edges_are_told_as_in_the_file);
	tcase_add_test(tcase, test_loops_are_closed_as_in_the_file);
	tcase_add_test(tcase, test_lanes_whose_loops_change_join_again);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
