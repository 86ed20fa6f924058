#include "supervisor/load.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/patch_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct chr_patch_rules rules = {.server = "studio", .types = fixture_type};
static struct chr_patch *running, *file;
static struct chr_load_plan plan;

static struct chr_patch *load(const char *text)
{
	int code;
	struct chr_patch *patch = fixture_load(text, strlen(text), &code);
	ck_assert_msg(patch != NULL, "%s", fixture_report());
	return patch;
}

/* The plan from one text to the other. The first one's edges to the hardware are made, as they are when it runs. */
static void make_plan(const char *from, const char *to)
{
	struct chr_edges logical = {0};
	running = load(from);
	file = load(to);
	ck_assert_int_eq(chr_wiring_logical(running, &logical), 0);
	free(running->edge);
	running->edge = calloc(logical.count + 1, sizeof *running->edge);
	running->edge_count = logical.count;
	for (unsigned i = 0; i < logical.count; i++) {
		strcpy(running->edge[i].from, logical.edge[i].from);
		strcpy(running->edge[i].to, logical.edge[i].to);
	}
	chr_edges_finish(&logical);
	ck_assert_int_eq(chr_load_plan(running, file, &rules, &plan), 0);
}

static void teardown(void)
{
	chr_load_plan_finish(&plan);
	chr_patch_destroy(running);
	chr_patch_destroy(file);
	running = file = NULL;
	fixture_finish();
}

#define OSC1  "{ name = \"osc1\"; type = \"sine\"; params = { freq = 220.0; }; }"
#define FILT  "{ name = \"filt1\"; type = \"biquad\"; }"
#define EDGES "connections = ([\"osc1:out\", \"filt1:in\"], [\"filt1:out\", \"out:left\"]);"
#define VOICE "name = \"v\"; modules = (" OSC1 "," FILT ");" EDGES

START_TEST(test_the_same_touches_nothing)
{
	make_plan(VOICE, VOICE);
	ck_assert(chr_load_plan_empty(&plan));
	ck_assert_str_eq(plan.left, "");
}
END_TEST

START_TEST(test_order_does_not_matter)
{
	make_plan(VOICE, "name = \"v\"; modules = (" FILT "," OSC1
			 "); connections = ([\"filt1:out\", \"out:left\"], [\"osc1:out\", \"filt1:in\"]);");
	ck_assert(chr_load_plan_empty(&plan));
}
END_TEST

START_TEST(test_parameters)
{
	make_plan(VOICE,
		  "name = \"v\"; tempo = 90.0; modules = ({ name = \"osc1\"; type = \"sine\"; params = { freq = 330.0; }; }," FILT
		  ");" EDGES);
	ck_assert_uint_eq(plan.gone_count + plan.come_count + plan.cut.count + plan.made.count, 0);
	ck_assert_uint_eq(plan.set_count, 2);
	ck_assert_str_eq(file->module[plan.set[0].module].name, "out");
	ck_assert_float_eq(plan.set[0].value, 90.0f);
	ck_assert_str_eq(file->module[plan.set[1].module].name, "osc1");
	ck_assert_uint_eq(plan.set[1].param, 0);
	ck_assert_float_eq(plan.set[1].value, 330.0f);
}
END_TEST

START_TEST(test_modules_come_and_go)
{
	make_plan(VOICE, "name = \"v\"; modules = (" OSC1 ", { name = \"env\"; type = \"adsr\"; });"
			 "connections = ([\"osc1:out\", \"env:in\"], [\"env:out\", \"out:left\"]);");
	ck_assert_uint_eq(plan.gone_count, 1);
	ck_assert_str_eq(running->module[plan.gone[0]].name, "filt1");
	ck_assert_uint_eq(plan.come_count, 1);
	ck_assert_str_eq(file->module[plan.come[0]].name, "env");
	/* the edges of what goes, go with it, faded */
	ck_assert_uint_eq(plan.cut.count, 0);
	ck_assert_uint_eq(plan.made.count, 2);
}
END_TEST

START_TEST(test_another_type_comes_anew_with_its_edges)
{
	make_plan(VOICE, "name = \"v\"; modules = (" OSC1 ", { name = \"filt1\"; type = \"adsr\"; });" EDGES);
	ck_assert_uint_eq(plan.gone_count, 1);
	ck_assert_uint_eq(plan.come_count, 1);
	ck_assert_uint_eq(plan.cut.count, 0);
	ck_assert_uint_eq(plan.made.count, 2);
	ck_assert_uint_eq(plan.set_count, 0);
}
END_TEST

#define OTHER(file) "name = \"v\"; modules = (" OSC1 ", { name = \"filt1\"; type = \"biquad\"; file = \"" file "\"; });" EDGES

START_TEST(test_another_file_comes_anew)
{
	make_plan(VOICE, OTHER("/lib/a.so"));
	ck_assert_uint_eq(plan.gone_count, 1);
	ck_assert_uint_eq(plan.come_count, 1);
	ck_assert_str_eq(file->module[plan.come[0]].file, "/lib/a.so");
	teardown();
	make_plan(OTHER("/lib/a.so"), OTHER("/lib/b.so"));
	ck_assert_uint_eq(plan.come_count, 1);
	teardown();
	make_plan(OTHER("/lib/a.so"), OTHER("/lib/a.so"));
	ck_assert(chr_load_plan_empty(&plan));
}
END_TEST

START_TEST(test_edges)
{
	make_plan(VOICE, "name = \"v\"; modules = (" OSC1 "," FILT "); connections = ([\"osc1:out\", \"filt1:in\"], [\"osc1:out\", "
			 "\"out:left\"], [\"system:capture_1\", \"filt1:in\"]);");
	ck_assert_uint_eq(plan.cut.count, 1);
	ck_assert_str_eq(plan.cut.edge[0].from, "filt1:out");
	ck_assert_uint_eq(plan.made.count, 2);
	ck_assert_str_eq(plan.made.edge[0].from, "osc1:out");
	ck_assert_str_eq(plan.made.edge[1].from, "system:capture_1");
}
END_TEST

START_TEST(test_the_hardware)
{
	make_plan(VOICE, "playback = false;" VOICE);
	ck_assert_uint_eq(plan.cut.count, 2);
	ck_assert_str_eq(plan.cut.edge[0].to, CHR_PLAYBACK_PREFIX "1");
	ck_assert_str_eq(plan.left, "");
}
END_TEST

START_TEST(test_settings)
{
	make_plan(VOICE,
		  "lanes = 1; timing = \"soonest\"; restart = { count = 9; }; jack = { rate = 44100; }; osc = { port = 99; };"
		  "modules = (" OSC1 "," FILT ");" EDGES);
	ck_assert_str_eq(plan.left, "lanes, jack rate, osc port");
	chr_load_take_settings(running, file);
	ck_assert_int_eq(running->timing, CHR_TIMING_SOONEST);
	ck_assert_uint_eq(running->restart_count, 9);
	ck_assert_str_eq(running->name, file->name);
	ck_assert_uint_eq(running->lanes, 2);
	ck_assert_uint_eq(running->osc_port, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load");
	TCase *tests = tcase_create("plan");
	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_test(tests, test_the_same_touches_nothing);
	tcase_add_test(tests, test_order_does_not_matter);
	tcase_add_test(tests, test_parameters);
	tcase_add_test(tests, test_modules_come_and_go);
	tcase_add_test(tests, test_another_type_comes_anew_with_its_edges);
	tcase_add_test(tests, test_another_file_comes_anew);
	tcase_add_test(tests, test_edges);
	tcase_add_test(tests, test_the_hardware);
	tcase_add_test(tests, test_settings);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
