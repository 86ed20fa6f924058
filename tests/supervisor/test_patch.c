#include "supervisor/patch_parts.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/patch_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define OSC1    "{ name = \"osc1\"; type = \"sine\"; }"
#define ENV1    "{ name = \"env1\"; type = \"adsr\"; }"
#define MODULES "modules = ( " OSC1 ", " ENV1 " );\n"

static struct chr_patch *good(const char *text)
{
	int code = -1;
	struct chr_patch *patch = fixture_load(text, strlen(text), &code);

	ck_assert_msg(patch, "%s", fixture_report());
	ck_assert_int_eq(code, EX_OK);
	ck_assert_uint_eq(fixture_problems.count, 0);
	return patch;
}

START_TEST(voice_is_read)
{
	static const char text[] = "name = \"voice\"; tempo = 90;\n"
				   "modules = (\n"
				   "  { name = \"osc1\"; type = \"sine\"; params = { freq = 220; level = 0.25; }; },\n"
				   "  { name = \"env1\"; type = \"adsr\"; params = { gate = true; }; },\n"
				   "  { name = \"filt1\"; type = \"biquad\"; params = { mode = \"bandpass\"; q = 2.5; }; },\n"
				   "  { name = \"filt2\"; type = \"biquad\"; params = { mode = 1; }; },\n"
				   "  { name = \"out\"; params = { level = 0.5; }; }\n"
				   ");\n"
				   "connections = ( [ \"osc1:out\", \"env1:in\" ], ( \"env1:out\", \"filt1:in\" ),\n"
				   "  [ \"filt1:out\", \"out:left\" ], [ \"system:capture_1\", \"filt2:in\" ],\n"
				   "  [ \"filt2:out\", \"a client:with: colons\" ], [ \"out:clock\", \"osc1:fm\" ] );\n";
	struct chr_patch *patch = good(text);
	const char *port = NULL;

	ck_assert_str_eq(patch->name, "voice");
	ck_assert_uint_eq(patch->module_count, 5);
	ck_assert_str_eq(patch->module[0].name, "out");
	ck_assert_str_eq(patch->module[0].type, "out");
	ck_assert_float_eq(patch->module[0].value[0], 90.0f);
	ck_assert_float_eq(patch->module[0].value[1], 0.5f);
	ck_assert_str_eq(patch->module[1].name, "osc1");
	ck_assert_uint_eq(patch->module[1].line, 3);
	ck_assert_float_eq(patch->module[1].value[0], 220.0f);
	ck_assert_float_eq(patch->module[1].value[1], 0.25f);
	ck_assert_float_eq(patch->module[2].value[0], 0.01f);
	ck_assert_float_eq(patch->module[2].value[2], 1.0f);
	ck_assert_float_eq(patch->module[3].value[2], 2.0f);
	ck_assert_float_eq(patch->module[4].value[2], 1.0f);
	ck_assert_uint_eq(patch->edge_count, 6);
	ck_assert_str_eq(patch->edge[1].from, "env1:out");
	ck_assert_str_eq(patch->edge[1].to, "filt1:in");
	ck_assert_uint_eq(patch->edge[3].line, 10);
	ck_assert_int_eq(chr_patch_endpoint(patch, patch->edge[1].to, &port), 3);
	ck_assert_str_eq(port, "in");
	ck_assert_int_lt(chr_patch_endpoint(patch, patch->edge[3].from, &port), 0);
	ck_assert_int_lt(chr_patch_endpoint(patch, "osc1", &port), 0);
	ck_assert_int_lt(chr_patch_endpoint(patch, "osc:out", &port), 0);
	chr_patch_destroy(patch);
}
END_TEST

START_TEST(settings_are_read)
{
	struct chr_patch *patch = good("lanes = 2; channels = 3; timing = \"soonest\"; watchdog = 20; verbose = 1;\n"
				       "restart = { count = 3; window = 2.5; };\n"
				       "jack = { server = \"live\"; device = \"hw:1,0\"; rate = 96000; period = 64; };\n"
				       "osc = { host = \"0.0.0.0\"; port = 7000; };\n"
				       "modules = ( " OSC1 " ); connections = ( [ \"osc1:out\", \"out:in_3\" ] );\n");

	ck_assert_uint_eq(patch->lanes, 2);
	ck_assert_uint_eq(patch->channels, 3);
	ck_assert_int_eq(patch->timing, CHR_TIMING_SOONEST);
	ck_assert_uint_eq(patch->watchdog_periods, 20);
	ck_assert_int_eq(patch->verbose, 1);
	ck_assert_uint_eq(patch->restart_count, 3);
	ck_assert_double_eq(patch->restart_window_s, 2.5);
	ck_assert_str_eq(patch->jack_server, "live");
	ck_assert_str_eq(patch->jack_device, "hw:1,0");
	ck_assert_uint_eq(patch->jack_rate, 96000);
	ck_assert_uint_eq(patch->jack_period, 64);
	ck_assert_str_eq(patch->osc_host, "0.0.0.0");
	ck_assert_uint_eq(patch->osc_port, 7000);
	chr_patch_destroy(patch);
}
END_TEST

START_TEST(silence_means_the_defaults)
{
	struct chr_patch *patch = good("modules = ();");

	ck_assert_uint_gt(strlen(patch->name), 0);
	ck_assert_double_eq(patch->tempo_bpm, 120);
	ck_assert_uint_eq(patch->lanes, CHR_LANES_DEFAULT);
	ck_assert_uint_eq(patch->channels, 2);
	ck_assert_int_eq(patch->timing, CHR_TIMING_STEADY);
	ck_assert_uint_eq(patch->watchdog_periods, 8);
	ck_assert_uint_eq(patch->restart_count, 5);
	ck_assert_double_eq(patch->restart_window_s, 10);
	ck_assert_str_eq(patch->jack_server, "");
	ck_assert_uint_eq(patch->jack_rate, 0);
	ck_assert_uint_eq(patch->osc_port, 0);
	ck_assert_int_eq(patch->verbose, -1);
	ck_assert_uint_eq(patch->module_count, 1);
	ck_assert_float_eq(patch->module[0].value[0], 120.0f);
	ck_assert_float_eq(patch->module[0].value[1], 1.0f);
	chr_patch_destroy(patch);
}
END_TEST

START_TEST(name_may_be_that_of_a_file)
{
	struct chr_patch_problems problems;
	int code, calls = 0;
	char path[] = "/tmp/patch-XXXXXX.cfg";
	int fd = mkstemps(path, 4);
	struct chr_patch *patch;

	ck_assert_int_gt(dprintf(fd, "modules = ( " OSC1 ", { name = \"o\"; type = \"sine\"; } );"), 0);
	patch = chr_patch_load(path, NULL, fixture_type, &calls, &problems, &code);
	unlink(path);
	ck_assert_ptr_nonnull(patch);
	ck_assert_uint_eq(strlen(patch->name), strlen("patch-XXXXXX"));
	ck_assert_int_eq(calls, 2); /* each type is asked for once */
	chr_patch_destroy(patch);
}
END_TEST

/* A patch with one error, and the one report expected. */
static const struct {
	const char *text, *report;
} wrong[] = {
	/* the file */
	{"", "0: has no modules"},
	{"# nothing\n", "0: has no modules"},
	{MODULES "@include \"/etc/passwd\"\n", "2: a patch is one file: @include is not allowed"},
	{"modules = (\n" OSC1 "\n;", "3: syntax error"},
	{"tempo = 100;\ntempo = 100;\n" MODULES, "2: this key was given before"},
	{"x = 1;\n" MODULES, "1: unknown key 'x'"},
	{MODULES "temp = 1;", "2: unknown key 'temp' (did you mean 'tempo'?)"},
	{"jack = { sever = \"a\"; };\n" MODULES, "1: unknown key 'sever' (did you mean 'server'?)"},
	{"osc = { tempo = 100; };\n" MODULES, "1: unknown key 'tempo'\n"},
	/* settings */
	{"tempo = \"fast\";\n" MODULES, "1: 'tempo' is a string, but must be a number"},
	{"tempo = 19.9;\n" MODULES, "1: 'tempo' = 19.9 is outside 20 to 400"},
	{"tempo = 1e999;\n" MODULES, "1: 'tempo' = inf is outside 20 to 400"},
	{"\nlanes = 3;\n" MODULES, "2: 'lanes' = 3 is outside 1 to 2"},
	{"channels = 1.5;\n" MODULES, "1: 'channels' = 1.5 is not a whole number"},
	{"channels = true;\n" MODULES, "1: 'channels' is true or false, but must be a number"},
	{"watchdog = 4294967304;\n" MODULES, "1: the number 4294967304 is too large"},
	{"watchdog = 99999999999999999999L;\n" MODULES, "1: the number 99999999999999999999 is too large"},
	{"watchdog = 4294967304L;\n" MODULES, "1: 'watchdog' = 4.29497e+09 is outside 2 to 1000"},
	{"timing = \"later\";\n" MODULES, "1: 'timing' must be \"steady\" or \"soonest\""},
	{"timing = 1;\n" MODULES, "1: 'timing' must be"},
	{"verbose = \"yes\";\n" MODULES, "1: 'verbose' is a string, but must be true or false"},
	{"restart = 5;\n" MODULES, "1: 'restart' is a number, but must be a group"},
	{"restart = { window = 0; };\n" MODULES, "1: 'window' = 0 is outside 1 to 3600"},
	{"name = 5;\n" MODULES, "1: 'name' is a number, but must be a string"},
	{"name = \"\";\n" MODULES, "1: 'name' is empty"},
	{"name = \"0123456789012345678901234567890123456789012345678901234567890123\";\n" MODULES, "1: 'name' is too long"},
	{"name = \"a\\nb\";\n" MODULES, "1: 'name' holds a control character"},
	{"jack = { device = \"hw:1 -x\"; };\n" MODULES, "1: 'device' holds a space"},
	{"jack = { device = \"-x\"; };\n" MODULES, "1: 'device' must not begin with '-'"},
	{"modules = { };", "1: 'modules' is a group, but must be a list"},
	{MODULES "connections = [ \"osc1:out\", \"out:left\" ];", "2: 'connections' is an array, but must be a list"},
	/* modules */
	{"modules = ( \"osc1\" );", "1: a module is a string, but must be a group"},
	{"modules = (\n{ type = \"sine\"; });", "2: a module without 'name'"},
	{"modules = (\n{ name = \"a\"; });", "2: a module without 'type'"},
	{"modules = ({ name = 1; type = \"sine\"; });", "1: 'name' is a number, but must be a string"},
	{"modules = ({ name = \"Osc\"; type = \"sine\"; });", "1: 'Osc' is no name of a module"},
	{"modules = ({ name = \"chronus\"; type = \"sine\"; });", "1: the name 'chronus' is the system's own"},
	{"modules = ({ name = \"studio\"; type = \"sine\"; });", "1: module 'studio' has the JACK server's name: a client named"},
	{"jack = { server = \"mine\"; };\nmodules = ({ name = \"mine\"; type = \"sine\"; });",
	 "2: module 'mine' has the JACK server's"},
	{"modules = (" OSC1 ",\n" OSC1 ");", "2: two modules are named 'osc1' (the first in line 1)"},
	{"modules = ({ name = \"out\"; },\n{ name = \"out\"; });", "2: two modules are named 'out' (the first in line 1)"},
	{"modules = ({ name = \"out\"; type = \"sine\"; });", "1: 'out' is the patch's output: its type is 'out', not 'sine'"},
	{"modules = ({ name = \"out2\"; type = \"out\"; });", "1: module 'out2': a patch has one output"},
	{"modules = ({ name = \"a\"; type = \"sin\"; });", "1: no module type 'sin': no sin.so in the folders"},
	{"modules = ({ name = \"a\"; type = \"broken\"; });", "1: no module type 'broken': it crashed while it was loaded"},
	{"modules = ({ name = \"a\"; type = \"../x\"; });", "1: '../x' is no name of a module type"},
	{"modules = ({ name = \"a\"; type = \"sine\"; parms = {}; });", "unknown key of a module 'parms' (did you mean 'params'?)"},
	{"modules = ({ name = \"a\"; type = \"sine\"; params = 1; });", "1: 'params' is a number, but must be a group"},
	{"jack = { server = \"osc1.b\"; };\nmodules = (" OSC1 ");", "2: module 'osc1' has the JACK server's"},
	{"modules = ({ name = \"Osc\"; type = \"sine\"; });\nconnections = ([\"Osc:out\", \"rec:in\"]);", "1: 'Osc' is no name"},
	{"modules = ({ name = \"a\"; type = \"sine\"; file = 1; });", "1: 'file' is a number, but must be a string"},
	{"modules = ({ name = \"a\"; type = \"sine\";\nfile = \"my/sine.so\"; });",
	 "2: 'file' is 'my/sine.so', but must be the whole path of a module file"},
	{"modules = ({ name = \"a\"; type = \"sine\"; file = \"/nowhere/a.so\"; });",
	 "1: no module type 'sine' in its file: no such file"},
	{"modules = ({ name = \"out\"; file = \"/nowhere/a.so\"; });", "1: no module type 'out' in its file: no such file"},
	/* parameters */
	{"modules = ({ name = \"a\"; type = \"adsr\"; params = {\natack = 1; }; });",
	 "2: unknown parameter 'atack' (did you mean 'attack'?)"},
	{"modules = ({ name = \"a\"; type = \"sine\"; params = { freq = 0; }; });", "1: 'freq' = 0 is outside 0.01 to 20000 Hz"},
	{"modules = ({ name = \"a\"; type = \"sine\"; params = { freq = \"a\"; }; });",
	 "1: 'freq' is a string, but must be a number"},
	{"modules = ({ name = \"a\"; type = \"sine\"; params = { freq = true; }; });",
	 "'freq' is true or false, but must be a number"},
	{"modules = ({ name = \"a\"; type = \"biquad\"; params = { mode = \"low\"; }; });",
	 "1: 'mode' has no choice 'low'; it has lowpass, highpass, bandpass\n"},
	{"modules = ({ name = \"a\"; type = \"biquad\"; params = { mode = \"lowpas\"; }; });",
	 "1: 'mode' has no choice 'lowpas' (did you mean 'lowpass'?)\n"},
	{"modules = ({ name = \"a\"; type = \"biquad\"; params = { mode = 3; }; });", "1: 'mode' = 3 is outside 0 to 2"},
	{"modules = ({ name = \"a\"; type = \"biquad\"; params = { mode = 0.5; }; });", "1: 'mode' = 0.5 is not a whole number"},
	{"modules = ({ name = \"a\"; type = \"adsr\"; params = { gate = \"on\"; }; });",
	 "1: 'gate' is a string, but must be true or false"},
	{"modules = ({ name = \"out\"; params = { tempo = 90; }; });", "1: the tempo is a key of the patch itself"},
	/* connections */
	{MODULES "connections = ( \"osc1:out\" );", "2: a connection is written"},
	{MODULES "connections = (\n[ \"osc1:out\" ]);", "3: a connection is written"},
	{MODULES "connections = ((\"osc1:out\", 5));", "2: a connection is written"},
	{MODULES "connections = ([\"osc1\", \"env1:in\"]);", "2: 'osc1' names no port (did you mean 'osc1:out'?)"},
	{MODULES "connections = ([\"env1\", \"out:left\"]);", "2: 'env1' names no port: an end is written"},
	{MODULES "connections = ([\"osc:out\", \"env1:in\"]);", "2: no module 'osc' in this patch (did you mean 'osc1:out'?)"},
	{MODULES "connections = ([\"osc1:out\", \"evn1:in\"]);", "2: no module 'evn1' in this patch (did you mean 'env1:in'?)"},
	{MODULES "connections = ([\"osc1:ot\", \"env1:in\"]);", "2: unknown port of 'osc1' 'ot' (did you mean 'out'?)"},
	{MODULES "connections = ([\"env1:in\", \"out:left\"]);", "2: 'env1:in' is an input, but an edge begins at an output"},
	{MODULES "connections = ([\"osc1:out\", \"env1:env\"]);", "2: 'env1:env' is an output, but an edge ends at an input"},
	{MODULES "connections = ([\"osc1:out\", \"out:in_3\"]);", "2: 'out:in_3' exists only with channels = 3 or more"},
	{MODULES "connections = ([\"osc1.b:out\", \"env1:in\"]);", "2: 'osc1.b:out' is of lane b"},
	{MODULES "connections = ([\"osc1:out\", \"out.b:left\"]);", "2: 'out.b:left' is of lane b"},
	{MODULES "connections = ([\"system:capture_1\", \"rec:in\"]);",
	 "2: neither 'system:capture_1' nor 'rec:in' is of a module"},
	{MODULES "connections = ([\"osc1:\", \"env1:in\"]);", "2: 'osc1:': a name before and after the colon is needed"},
	{MODULES "connections = ([\":out\", \"env1:in\"]);", "2: ':out': a name before and after the colon is needed"},
	{MODULES "connections = ([\"0123456789012345678901234567890123456789012345678901234567890123:a\", \"env1:in\"]);",
	 "the name is too long"},
	{MODULES "connections = ([\"a\\tb:c\", \"env1:in\"]);", "2: 'a?b:c' holds a control character"},
	{MODULES "connections = ([\"osc1:out\", \"env1:in\"],\n[\"osc1:out\", \"env1:in\"]);",
	 "3: 'osc1:out' to 'env1:in' is connected already (in line 2)"},
};

START_TEST(each_error_is_told_once_with_its_line)
{
	int code = 0;
	struct chr_patch *patch = fixture_load(wrong[_i].text, strlen(wrong[_i].text), &code);

	ck_assert_msg(!patch, "accepted:\n%s", wrong[_i].text);
	ck_assert_int_eq(code, EX_DATAERR);
	ck_assert_msg(fixture_problems.count == 1 && strstr(fixture_report(), wrong[_i].report),
		      "for\n%s\n'%s' was expected, but:\n%s", wrong[_i].text, wrong[_i].report, fixture_report());
}
END_TEST

START_TEST(all_errors_are_told_at_once_by_line)
{
	static const char text[] = "connections = (\n"
				   "  [ \"osc1:ou\", \"env1:nn\" ],\n"
				   "  [ \"lost:out\", \"gone:in\" ],\n"
				   "  [ \"bad:out\", \"env1:in\" ]\n"
				   ");\n"
				   "tempo = 1000;\n"
				   "modules = (\n"
				   "  { name = \"osc1\"; type = \"sine\"; params = { freq = -1; level = 2; }; },\n"
				   "  { name = \"bad\"; type = \"unheard\"; params = { what = 1; }; },\n"
				   "  { name = \"env1\"; type = \"adsr\"; }\n"
				   ");\n"
				   "lanes = 0;\n";
	static const char expected[] = "2: unknown port of 'osc1' 'ou' (did you mean 'out'?)\n"
				       "2: unknown port of 'env1' 'nn' (did you mean 'in'?)\n"
				       "3: neither 'lost:out' nor 'gone:in' is of a module of this patch\n"
				       "6: 'tempo' = 1000 is outside 20 to 400\n"
				       "8: 'freq' = -1 is outside 0.01 to 20000 Hz\n"
				       "8: 'level' = 2 is outside 0 to 1\n"
				       "9: no module type 'unheard': no unheard.so in the folders of modules "
				       "(CHRONUS_MODULE_PATH names more)\n"
				       "12: 'lanes' = 0 is outside 1 to 2\n";
	int code;

	ck_assert_ptr_null(fixture_load(text, strlen(text), &code));
	ck_assert_str_eq(fixture_report(), expected);
}
END_TEST

START_TEST(errors_of_a_module_whose_name_is_taken_are_told_too)
{
	static const char text[] = "modules = ({ name = \"osc1\"; type = \"sine\"; },\n"
				   "  { name = \"osc1\"; type = \"sine\"; params = { levl = 1; freq = \"high\"; }; });\n";
	int code;

	ck_assert_ptr_null(fixture_load(text, strlen(text), &code));
	ck_assert_str_eq(fixture_report(), "2: two modules are named 'osc1' (the first in line 1)\n"
					   "2: unknown parameter 'levl' (did you mean 'level'?)\n"
					   "2: 'freq' is a string, but must be a number\n");
}
END_TEST

START_TEST(foreign_names_are_left_alone)
{
	chr_patch_destroy(
		good("modules = ( { name = \"a\"; type = \"sine\"; } );\n"
		     "connections = ( [ \"a:out\", \"b:in\" ], [ \"system:capture_1\", \"a:fm\" ], [ \"a:out\", \"Out:left\" ],\n"
		     "[ \"a:out\", \"x.b:in\" ], [ \"a:out\", \"PulseAudio JACK Source:front-left\" ] );"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("patch");
	TCase *tcase = tcase_create("patch");

	tcase_add_checked_fixture(tcase, NULL, fixture_finish);
	tcase_add_test(tcase, voice_is_read);
	tcase_add_test(tcase, settings_are_read);
	tcase_add_test(tcase, silence_means_the_defaults);
	tcase_add_test(tcase, name_may_be_that_of_a_file);
	tcase_add_loop_test(tcase, each_error_is_told_once_with_its_line, 0, (int)(sizeof wrong / sizeof wrong[0]));
	tcase_add_test(tcase, all_errors_are_told_at_once_by_line);
	tcase_add_test(tcase, errors_of_a_module_whose_name_is_taken_are_told_too);
	tcase_add_test(tcase, foreign_names_are_left_alone);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
