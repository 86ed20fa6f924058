#include "supervisor/options.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS_MAX 16

static struct chr_options options;
static char *said; /* on standard output and standard error by the last read_args() */

/* What chronus was given besides its name, separated by blanks. */
static int read_args(const char *line)
{
	static char copy[512];
	char *argv[ARGS_MAX + 2] = {(char *)"chronus"};
	int argc = 1;
	snprintf(copy, sizeof copy, "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		ck_assert_int_le(argc, ARGS_MAX);
		argv[argc++] = word;
	}
	size_t bytes;
	FILE *const out = stdout, *const err = stderr;
	free(said);
	stdout = stderr = open_memstream(&said, &bytes);
	optind = 0;
	int rc = chr_options_read(&options, argc, argv);
	fclose(stdout);
	stdout = out;
	stderr = err;
	return rc;
}

static void setup(void)
{
	static const char *const names[] = {"JACK_DEFAULT_SERVER", "CHRONUS_JACK_SERVER", "CHRONUS_OSC_HOST", "CHRONUS_OSC_PORT",
					    "CHRONUS_CPU_LATENCY", "CHRONUS_VERBOSE",     "NSM_URL"};
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		unsetenv(names[i]);
}

static void teardown(void)
{
	free(said);
	said = NULL;
}

START_TEST(test_options_defaults)
{
	ck_assert_int_eq(read_args("a.cfg"), -1);
	ck_assert_str_eq(options.patch, "a.cfg");
	ck_assert_str_eq(options.server, "");
	ck_assert_str_eq(options.device, "");
	ck_assert_uint_eq(options.rate, 0);
	ck_assert_uint_eq(options.period, 0);
	ck_assert_str_eq(options.host, "127.0.0.1");
	ck_assert_uint_eq(options.port, 5005);
	ck_assert_int_eq(options.cpu_latency, CHR_CPU_LATENCY_AUTO);
	ck_assert_int_eq(options.verbose, 0);
	ck_assert(!options.check && !options.no_jack_start && !options.quiet);
	ck_assert(!options.server_given && !options.host_given && !options.port_given && !options.verbose_given);
	ck_assert_str_eq(said, "");
}
END_TEST

static const char *const spellings[] = {
	"-c -s studio -d hw:1 -r 44100 -p 64 --no-jack-start -H ::1",
	"--check --server=studio --device=hw:1 --rate=44100 --period=64 --no-jack-start --host=::1",
	"--check -sstudio -dhw:1 -r44100 -p64 --no-jack-start -H::1",
};

START_TEST(test_options_all)
{
	char line[256];
	snprintf(line, sizeof line, "%s a.cfg", spellings[_i]);
	ck_assert_int_eq(read_args(line), -1);
	ck_assert(options.check && options.no_jack_start && options.server_given && options.host_given);
	ck_assert_str_eq(options.server, "studio");
	ck_assert_str_eq(options.device, "hw:1");
	ck_assert_uint_eq(options.rate, 44100);
	ck_assert_uint_eq(options.period, 64);
	ck_assert_str_eq(options.host, "::1");
}
END_TEST

START_TEST(test_options_more)
{
	ck_assert_int_eq(read_args("a.cfg -P 0 -v -q"), -1);
	ck_assert_uint_eq(options.port, 0);
	ck_assert(options.port_given && options.verbose_given && options.quiet);
	ck_assert_int_eq(options.verbose, 1);
	ck_assert_str_eq(options.patch, "a.cfg");
}
END_TEST

/* Command lines that end the program: with which code, and what is said. */
static const struct {
	const char *line;
	int code;
	const char *says;
} endings[] = {
	{"--help", 0, "usage: chronus [options] PATCH"},
	{"-h", 0, "CHRONUS_OSC_PORT"},
	{"--version", 0, "chronus "},
	{"-V a.cfg", 0, "chronus "},
	{"", 64, "a patch file is needed"},
	{"a.cfg b.cfg", 64, "one patch file at a time"},
	{"--nonsense a.cfg", 64, "see chronus --help"},
	{"-x a.cfg", 64, "see chronus --help"},
	{"a.cfg --server", 64, "see chronus --help"},
	{"--check=yes a.cfg", 64, "see chronus --help"},
	{"-P 65536 a.cfg", 64, "--port takes a whole number from 0 to 65535, not \"65536\""},
	{"-P -1 a.cfg", 64, "not \"-1\""},
	{"-P 5005x a.cfg", 64, "not \"5005x\""},
	{"-P x a.cfg", 64, "not \"x\""},
	{"--port= a.cfg", 64, "not \"\""},
	{"-P 1e3 a.cfg", 64, "not \"1e3\""},
	{"-P 99999999999999999999 a.cfg", 64, "--port takes"},
	{"-r 7999 a.cfg", 64, "--rate takes a whole number from 8000 to 384000"},
	{"-r 384001 a.cfg", 64, "--rate takes"},
	{"-p 15 a.cfg", 64, "--period takes a whole number from 16 to 8192"},
	{"-p 8193 a.cfg", 64, "--period takes"},
	{"--cpu-latency=-1 a.cfg", 64, "--cpu-latency takes auto, off, or a whole number from 0 to 1000000, not \"-1\""},
	{"--cpu-latency 1000001 a.cfg", 64, "--cpu-latency takes"},
	{"--cpu-latency on a.cfg", 64, "--cpu-latency takes"},
	{"--cpu-latency= a.cfg", 64, "--cpu-latency takes"},
};

START_TEST(test_options_endings)
{
	ck_assert_int_eq(read_args(endings[_i].line), endings[_i].code);
	ck_assert_msg(strstr(said, endings[_i].says) != NULL, "\"%s\": %s", endings[_i].line, said);
}
END_TEST

START_TEST(test_options_limits)
{
	ck_assert_int_eq(read_args("-P 65535 -r 8000 -p 16 a.cfg"), -1);
	ck_assert_int_eq(read_args("-P 1 -r 384000 -p 8192 a.cfg"), -1);
	ck_assert_uint_eq(options.rate, 384000);
	ck_assert_uint_eq(options.period, 8192);
}
END_TEST

static const struct {
	const char *word;
	int us;
} latencies[] = {{"0", 0}, {"35", 35}, {"1000000", 1000000}, {"auto", CHR_CPU_LATENCY_AUTO}, {"off", CHR_CPU_LATENCY_OFF}};

START_TEST(test_options_cpu_latency)
{
	char line[64];
	setenv("CHRONUS_CPU_LATENCY", latencies[_i].word, 1);
	ck_assert_int_eq(read_args("a.cfg"), -1);
	ck_assert_int_eq(options.cpu_latency, latencies[_i].us);
	setenv("CHRONUS_CPU_LATENCY", "7", 1);
	snprintf(line, sizeof line, "--cpu-latency=%s a.cfg", latencies[_i].word);
	ck_assert_int_eq(read_args(line), -1);
	ck_assert_int_eq(options.cpu_latency, latencies[_i].us);
}
END_TEST

/* --help is made from the table: whatever getopt knows stands there. */
START_TEST(test_options_help_is_whole)
{
	static const char *const longs[] = {"--check", "--server",  "--device", "--rate", "--period",  "--no-jack-start", "--host",
					    "--port",  "--verbose", "--quiet",  "--help", "--version", "--cpu-latency"};
	ck_assert_int_eq(read_args("--help"), 0);
	for (unsigned i = 0; i < sizeof longs / sizeof longs[0]; i++)
		ck_assert_msg(strstr(said, longs[i]) != NULL, "%s", longs[i]);
}
END_TEST

static const struct {
	const char *name, *value;
	int code; /* -1: taken */
} environments[] = {
	{"CHRONUS_OSC_PORT", "6000", -1}, {"CHRONUS_OSC_PORT", "", -1},    {"CHRONUS_OSC_PORT", "70000", 64},
	{"CHRONUS_OSC_PORT", "no", 64},   {"CHRONUS_VERBOSE", "1", -1},    {"CHRONUS_VERBOSE", "0", -1},
	{"CHRONUS_VERBOSE", "yes", 64},   {"CHRONUS_OSC_HOST", "::1", -1}, {"CHRONUS_JACK_SERVER", "studio", -1},
	{"CHRONUS_CPU_LATENCY", "2", -1}, {"CHRONUS_CPU_LATENCY", "", -1}, {"CHRONUS_CPU_LATENCY", "soon", 64},
};

START_TEST(test_options_environment_values)
{
	setenv(environments[_i].name, environments[_i].value, 1);
	ck_assert_int_eq(read_args("a.cfg"), environments[_i].code);
	if (environments[_i].code > 0)
		ck_assert_msg(strstr(said, environments[_i].name) != NULL, "%s", said);
}
END_TEST

START_TEST(test_options_environment)
{
	setenv("JACK_DEFAULT_SERVER", "house", 1);
	ck_assert_int_eq(read_args("a.cfg"), -1);
	ck_assert_str_eq(options.server, "house");
	setenv("CHRONUS_JACK_SERVER", "studio", 1);
	setenv("CHRONUS_OSC_HOST", "0.0.0.0", 1);
	setenv("CHRONUS_OSC_PORT", "6000", 1);
	setenv("CHRONUS_VERBOSE", "1", 1);
	ck_assert_int_eq(read_args("a.cfg"), -1);
	ck_assert_str_eq(options.server, "studio");
	ck_assert_str_eq(options.host, "0.0.0.0");
	ck_assert_uint_eq(options.port, 6000);
	ck_assert_int_eq(options.verbose, 1);
	ck_assert(!options.server_given && !options.host_given && !options.port_given && !options.verbose_given);
}
END_TEST

static void set_environment(void)
{
	setenv("CHRONUS_JACK_SERVER", "env", 1);
	setenv("CHRONUS_OSC_HOST", "10.0.0.1", 1);
	setenv("CHRONUS_OSC_PORT", "6000", 1);
	setenv("CHRONUS_VERBOSE", "1", 1);
}

static const struct chr_patch spoken = {.jack_server = "patch",
					.jack_device = "dummy",
					.jack_rate = 96000,
					.jack_period = 128,
					.osc_host = "10.0.0.2",
					.osc_port = 7000,
					.verbose = 0};
static const struct chr_patch silent = {.verbose = -1};

START_TEST(test_options_patch_over_environment)
{
	set_environment();
	ck_assert_int_eq(read_args("a.cfg"), -1);
	chr_options_merge(&options, &spoken);
	ck_assert_str_eq(options.server, "patch");
	ck_assert_str_eq(options.device, "dummy");
	ck_assert_uint_eq(options.rate, 96000);
	ck_assert_uint_eq(options.period, 128);
	ck_assert_str_eq(options.host, "10.0.0.2");
	ck_assert_uint_eq(options.port, 7000);
	ck_assert_int_eq(options.verbose, 0);
}
END_TEST

START_TEST(test_options_line_over_patch)
{
	set_environment();
	ck_assert_int_eq(read_args("-sline -dhw:9 -r44100 -p64 -H10.0.0.3 -P0 -v a.cfg"), -1);
	chr_options_merge(&options, &spoken);
	ck_assert_str_eq(options.server, "line");
	ck_assert_str_eq(options.device, "hw:9");
	ck_assert_uint_eq(options.rate, 44100);
	ck_assert_uint_eq(options.period, 64);
	ck_assert_str_eq(options.host, "10.0.0.3");
	ck_assert_uint_eq(options.port, 0);
	ck_assert_int_eq(options.verbose, 1);
}
END_TEST

/* An empty server given on the command line is a choice too: JACK's default. */
START_TEST(test_options_empty_server_over_patch)
{
	set_environment();
	ck_assert_int_eq(read_args("--server= a.cfg"), -1);
	chr_options_merge(&options, &spoken);
	ck_assert_str_eq(options.server, "");
}
END_TEST

START_TEST(test_options_silent_patch)
{
	set_environment();
	ck_assert_int_eq(read_args("a.cfg"), -1);
	chr_options_merge(&options, &silent);
	ck_assert_str_eq(options.server, "env");
	ck_assert_str_eq(options.host, "10.0.0.1");
	ck_assert_uint_eq(options.port, 6000);
	ck_assert_int_eq(options.verbose, 1);
	ck_assert_uint_eq(options.rate, 0);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(table)[0])

START_TEST(test_session_needs_no_patch)
{
	setenv("NSM_URL", "osc.udp://localhost:1234/", 1);
	ck_assert_int_eq(read_args("--port 7000"), -1);
	ck_assert_ptr_null(options.patch);
	ck_assert_int_eq(read_args("my.cfg"), -1);
	ck_assert_str_eq(options.patch, "my.cfg");
	ck_assert_int_eq(read_args("--check"), 64);
	ck_assert_int_eq(read_args("a.cfg b.cfg"), 64);
	setenv("NSM_URL", "", 1);
	ck_assert_int_eq(read_args(""), 64);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *tcase = tcase_create("options");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_session_needs_no_patch);
	tcase_add_test(tcase, test_options_defaults);
	tcase_add_loop_test(tcase, test_options_all, 0, COUNT(spellings));
	tcase_add_test(tcase, test_options_more);
	tcase_add_loop_test(tcase, test_options_endings, 0, COUNT(endings));
	tcase_add_test(tcase, test_options_limits);
	tcase_add_loop_test(tcase, test_options_cpu_latency, 0, sizeof latencies / sizeof latencies[0]);
	tcase_add_test(tcase, test_options_help_is_whole);
	tcase_add_loop_test(tcase, test_options_environment_values, 0, COUNT(environments));
	tcase_add_test(tcase, test_options_environment);
	tcase_add_test(tcase, test_options_patch_over_environment);
	tcase_add_test(tcase, test_options_line_over_patch);
	tcase_add_test(tcase, test_options_empty_server_over_patch);
	tcase_add_test(tcase, test_options_silent_patch);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
