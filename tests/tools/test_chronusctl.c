/* chronusctl's commands against a stand-in for chronus: what they print, what they send, how they end. */
#include "tests/lib/suite.h"
#include "tests/tools/double.h"
#include "tests/tools/runner.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static struct chr_double *server;
static struct chr_child child;

static void start(const struct chr_double_faults *faults)
{
	server = chr_double_start(faults);
}

static void setup(void)
{
	start(NULL);
}

static void teardown(void)
{
	if (server)
		chr_double_stop(server);
	server = NULL;
}

static int ctl(const char *line)
{
	chr_child_run(&child, CHR_PIPES, chr_double_port(server), line);
	return child.code;
}

static json_t *parsed(void)
{
	json_error_t error;
	json_t *value = json_loads(child.text, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(value, "line %d: %s in: %s", error.line, error.text, child.text);
	return value;
}

static void has(const char *text)
{
	ck_assert_msg(strstr(child.text, text), "'%s' is not in: %s", text, child.text);
}

static void is_clean(const char *text)
{
	for (const char *c = text; *c; c++)
		ck_assert_msg(*c == '\n' || (unsigned char)*c >= 0x20, "control character %d in: %s", *c, text);
}

START_TEST(status_is_a_table)
{
	ck_assert_int_eq(ctl("status"), 0);
	has("voice  JACK default, 48000 Hz, 256 frames (5.3 ms), tempo 120, up 1:02:03\n");
	has("MODULE  TYPE    LANE   PID  STATE    RESTARTS  LOAD %  WORST ms  PORTS  LATE  NOTES\n");
	has("\nosc1    sine    a     4701  playing         0     3.4      0.21      4     0\n");
	has("clips 3\n");
	has("\nevents  received 10, applied 20, late 0, coalesced 0, errors 1, dropped 0\n");
	ck_assert_str_eq(child.said, "");
	is_clean(child.text);
}
END_TEST

START_TEST(two_lanes_stand_under_one_name)
{
	start(&(struct chr_double_faults){.lanes = 2});
	ck_assert_int_eq(ctl("status"), 0);
	has("\nosc1    sine    a     4701  playing         0     3.4      0.21      4     0\n"
	    "                b     4711  playing         0     3.4      0.21      4     0\n");
	has("\nlanes  a playing (0 cycles), b whole (0 cycles), silent 0\nrepairs  joins 2, audits 3, divergences 0, xruns 1\n");
}
END_TEST

START_TEST(status_tells_of_trouble)
{
	start(&(struct chr_double_faults){.jack_lost = true});
	ck_assert_int_eq(ctl("status"), 0);
	has("JACK default lost,");
	has("env1    adsr    a        -  quarantined         5");
	has("chronusctl restart env1\n");
}
END_TEST

START_TEST(status_as_json)
{
	start(&(struct chr_double_faults){.lanes = 2, .hostile = true});
	ck_assert_int_eq(ctl("status --json"), 0);
	json_t *status = parsed();
	const char *name, *type, *lane, *state, *patch;
	json_int_t pid, restarts, future, received, clips;
	double load;
	ck_assert_int_eq(json_unpack(status, "{s:s, s:{s:I}}", "patch", &patch, "totals", "received", &received), 0);
	ck_assert_str_eq(patch, "\033[31mvoice\007");
	ck_assert_int_eq(received, 10);
	json_t *modules = json_object_get(status, "modules");
	ck_assert_uint_eq(json_array_size(modules), 4);
	json_t *instances = json_object_get(json_array_get(modules, 1), "instances");
	ck_assert_uint_eq(json_array_size(instances), 2);
	ck_assert_int_eq(json_unpack(json_array_get(modules, 1), "{s:s, s:s}", "name", &name, "type", &type), 0);
	ck_assert_int_eq(json_unpack(json_array_get(instances, 1), "{s:s, s:s, s:I, s:I, s:f, s:I, s:I}", "lane", &lane, "state",
				     &state, "pid", &pid, "restarts", &restarts, "load", &load, "future.count", &future,
				     "meter.clips", &clips),
			 0);
	ck_assert_str_eq(name, "osc1");
	ck_assert_str_eq(type, "sine");
	ck_assert_str_eq(lane, "b");
	ck_assert_str_eq(state, "playing");
	ck_assert_int_eq(pid, 4711);
	ck_assert_int_eq(restarts, 0);
	ck_assert_double_eq_tol(load, 0.034, 1e-12);
	ck_assert(future == (json_int_t)1 << 40);
	json_decref(status);
}
END_TEST

START_TEST(nothing_hostile_reaches_the_terminal)
{
	static const char *const line[] = {"status", "top --once", "get", "modules", "describe", "complete get \"\""};
	start(&(struct chr_double_faults){.hostile = true});
	for (size_t i = 0; i < sizeof line / sizeof line[0]; i++) {
		ck_assert_int_eq(ctl(line[i]), 0);
		is_clean(child.text);
	}
}
END_TEST

START_TEST(a_lost_datagram_is_asked_for_again)
{
	start(&(struct chr_double_faults){.lose = 2});
	ck_assert_int_eq(ctl("status --json"), 0);
	ck_assert_uint_eq(chr_double_count(server, "/chronus/status"), 3);
	json_t *status = parsed();
	ck_assert_uint_eq(json_array_size(json_object_get(status, "modules")), 4);
	ck_assert(json_object_get(status, "patch"));
	json_decref(status);
}
END_TEST

START_TEST(an_incomplete_answer_is_no_answer)
{
	start(&(struct chr_double_faults){.lose = 1000});
	ck_assert_int_eq(ctl("modules"), EX_TEMPFAIL);
	ck_assert_str_eq(child.text, "");
	ck_assert_ptr_nonnull(strstr(child.said, "incomplete"));
}
END_TEST

static const struct {
	const char *line, *out;
} got[] = {
	{"get osc1/freq", "440.3\n"},
	{"get /osc1/freq", "440.3\n"},
	{"get filt1/mode", "lowpass\n"},
	{"get env1/gate", "0\n"},
	{"get osc1", "osc1/freq   440.3\nosc1/level  0.5\n"},
	{"get *1/level", "osc1/level  0.5\n"},
	{"get {osc,env}1/[al]*", "osc1/level   0.5\nenv1/attack  0.005\n"},
	{"get", "osc1/freq     440.3\nosc1/level    0.5\nenv1/attack   0.005\nenv1/gate     0\nfilt1/cutoff  1200\nfilt1/mode    "
		"lowpass\n"},
	{"modules", "MODULE  TYPE\nout     out\nosc1    sine\nenv1    adsr\nfilt1   biquad\n"},
	{"restart osc1", "osc1 restarts\n"},
};

START_TEST(output_is)
{
	ck_assert_int_eq(ctl(got[_i].line), 0);
	ck_assert_str_eq(child.text, got[_i].out);
	ck_assert_str_eq(child.said, "");
}
END_TEST

START_TEST(get_as_json)
{
	ck_assert_int_eq(ctl("get --json"), 0);
	json_t *all = parsed();
	double freq;
	json_int_t gate;
	const char *mode;
	ck_assert_int_eq(json_unpack(all, "{s:{s:f}, s:{s:I}, s:{s:s}}", "osc1", "freq", &freq, "env1", "gate", &gate, "filt1",
				     "mode", &mode),
			 0);
	ck_assert(freq == 440.3);
	ck_assert_int_eq(gate, 0);
	ck_assert_str_eq(mode, "lowpass");
	json_decref(all);
}
END_TEST

static const struct {
	const char *line, *heard;
} sent[] = {
	{"set osc1 freq 100", "/osc1/freq f 100"},
	{"set osc1/freq 100", "/osc1/freq f 100"},
	{"set /osc1/freq 1e2 250", "/osc1/freq ff 100 250"},
	{"set osc1 level .5", "/osc1/level f 0.5"},
	{"set osc* level 0.25 1.5", "/osc*/level ff 0.25 1.5"},
	{"set filt1 mode highpass", "/filt1/mode s highpass"},
	{"set env1 gate on", "/env1/gate T"},
	{"set env1/gate off", "/env1/gate F"},
	{"set env1 gate 1", "/env1/gate f 1"},
};

START_TEST(set_sends)
{
	ck_assert_int_eq(ctl(sent[_i].line), 0);
	ck_assert_str_eq(child.text, "");
	ck_assert_uint_eq(chr_double_count(server, sent[_i].heard), 1);
	ck_assert_uint_eq(chr_double_count(server, "/chronus/ping i"), 1);
	ck_assert_uint_eq(chr_double_count(server, "/"), 2);
}
END_TEST

static const struct {
	const char *line, *said;
} refused[] = {
	{"set osc1 freq -12.5", "chronusctl: /osc1/freq: out of range\n"},
	{"set osc1 freq -1", "chronusctl: /osc1/freq: out of range\n"},
	{"set *1 freq 0", "chronusctl: /*1/freq: osc1/freq: out of range\n"},
	{"set osc1 level 2", "chronusctl: /osc1/level: out of range\n"},
	{"set filt1 mode comb", "chronusctl: /filt1/mode: no such choice\n"},
	{"set nobody freq 1", "chronusctl: /nobody/freq: no such parameter\n"},
	{"get nobody", "chronusctl: /nobody/*: no such parameter\n"},
	{"describe comb", "chronusctl: no such type or module\n"},
	{"restart nobody", "chronusctl: no such module\n"},
};

START_TEST(refusal_ends_with_1_and_the_reason)
{
	ck_assert_int_eq(ctl(refused[_i].line), 1);
	ck_assert_str_eq(child.said, refused[_i].said);
	ck_assert_str_eq(child.text, "");
}
END_TEST

static const char *const misused[] = {
	"",
	"frobnicate",
	"--frobnicate",
	"-x status",
	"status osc1",
	"status --once",
	"status --json=1",
	"status --interval 1",
	"set osc1 freq 1 --json",
	"top --once extra",
	"get osc1 freq",
	"get /",
	"get osc1/freq/x",
	"get #bundle",
	"set osc1 freq",
	"set osc1/freq",
	"set osc1/freq 1 2 3",
	"set osc1 freq 1 2 3",
	"set osc1 freq 12x",
	"set osc1 freq 0x10",
	"set osc1 freq nan",
	"set osc1 freq inf",
	"set osc1 freq -inf",
	"set osc1 freq Infinity",
	"set osc1 freq 1e39",
	"set osc1 freq --",
	"set osc1 freq 1,5",
	"set osc1 freq 1 -5",
	"set osc1 freq 1 soon",
	"restart",
	"ping 0",
	"ping 1.5",
	"ping many",
	"--port 0 ping",
	"--port 65536 ping",
	"--port 12x ping",
	"--port",
	"--timeout 0 ping",
	"--timeout x ping",
	"help frobnicate",
};

START_TEST(misuse_ends_with_64_and_sends_nothing)
{
	ck_assert_msg(ctl(misused[_i]) == EX_USAGE, "%s: %d", misused[_i], child.code);
	ck_assert_int_eq(strncmp(child.said, "chronusctl: ", 12), 0);
	ck_assert_ptr_eq(strchr(child.said, '\n'), strrchr(child.said, '\n'));
	ck_assert_str_eq(child.text, "");
	ck_assert_uint_eq(chr_double_count(server, "/"), 0);
}
END_TEST

static const char *const asking[] = {"status",       "top --once", "get", "set osc1 freq 1", "modules", "describe", "watch",
				     "restart osc1", "quit",       "ping"};

START_TEST(nobody_there_is_told_at_once)
{
	unsigned port = chr_double_port(server);
	char expected[256];
	teardown();
	snprintf(expected, sizeof expected,
		 "chronusctl: nothing answers at 127.0.0.1:%u: is chronus running? (start it with: chronus PATCH)\n", port);
	char line[128];
	/* Far longer than the test may take: only the refusal can end it. */
	snprintf(line, sizeof line, "--timeout 100 %s", asking[_i]);
	chr_child_run(&child, CHR_PIPES, port, line);
	ck_assert_int_eq(child.code, EX_UNAVAILABLE);
	ck_assert_str_eq(child.said, expected);
	ck_assert_str_eq(child.text, "");
}
END_TEST

START_TEST(silence_ends_at_the_deadline)
{
	start(&(struct chr_double_faults){.silent = true});
	char line[128];
	snprintf(line, sizeof line, "--timeout 0.1 %s", asking[_i]);
	ck_assert_int_eq(ctl(line), EX_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(child.said, "nothing answers at 127.0.0.1:"));
}
END_TEST

START_TEST(command_line_wins_over_environment)
{
	char line[256];
	snprintf(line, sizeof line, "-P %u ping", chr_double_port(server));
	chr_child_run(&child, CHR_PIPES, 1, line);
	ck_assert_int_eq(child.code, 0);
	snprintf(line, sizeof line,
		 "CHRONUS_OSC_HOST=256.1.1.1 $CTL --host 127.0.0.1 ping && CHRONUS_OSC_PORT=x $CTL --port=%u ping",
		 chr_double_port(server));
	chr_child_run(&child, CHR_SHELL, chr_double_port(server), line);
	ck_assert_int_eq(child.code, 0);
	chr_child_run(&child, CHR_SHELL, chr_double_port(server), "CHRONUS_OSC_PORT=x $CTL ping");
	ck_assert_int_eq(child.code, EX_USAGE);
	ck_assert_ptr_nonnull(strstr(child.said, "CHRONUS_OSC_PORT: 'x'"));
}
END_TEST

START_TEST(ping_measures)
{
	ck_assert_int_eq(ctl("ping 100 --json"), 0);
	ck_assert_uint_eq(chr_double_count(server, "/chronus/ping"), 100);
	json_t *told = parsed();
	double min, median, max;
	ck_assert_int_eq(json_unpack(told, "{s:f, s:f, s:f}", "min_ms", &min, "median_ms", &median, "max_ms", &max), 0);
	ck_assert(0 < min && min <= median && median <= max);
	json_decref(told);
}
END_TEST

START_TEST(describe_is_tables)
{
	ck_assert_int_eq(ctl("describe biquad"), 0);
	ck_assert_str_eq(child.text, "biquad: second-order filter with the RBJ responses\n"
				     "\n"
				     "  PORT  DIR  SIGNAL  HELP\n"
				     "  out   out  audio   the signal\n"
				     "\n"
				     "  PARAMETER  RANGE        UNIT  DEFAULT  SCALE   HELP\n"
				     "  cutoff     10 to 20000  Hz    1000     log     corner or centre frequency at 0 V\n"
				     "  mode       3 choices          lowpass  choice  response: lowpass, highpass, bandpass\n");
	ck_assert_int_eq(ctl("describe --json"), 0);
	json_t *types = parsed();
	ck_assert_uint_eq(json_array_size(types), 4);
	json_t *mode = json_array_get(json_object_get(json_array_get(types, 3), "params"), 1);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(mode, "choices"), 2)), "bandpass");
	json_decref(types);
}
END_TEST

START_TEST(a_full_disk_is_told)
{
	chr_child_run(&child, CHR_SHELL, chr_double_port(server), "exec $CTL status >/dev/full");
	ck_assert_int_eq(child.code, EX_IOERR);
	ck_assert_ptr_nonnull(strstr(child.said, "No space left"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chronusctl");
	TCase *plain = tcase_create("healthy"), *odd = tcase_create("faults");
	tcase_add_checked_fixture(plain, setup, teardown);
	tcase_add_checked_fixture(odd, NULL, teardown);
	tcase_set_timeout(plain, 60);
	tcase_set_timeout(odd, 60);
	tcase_add_test(plain, status_is_a_table);
	tcase_add_loop_test(plain, output_is, 0, sizeof got / sizeof got[0]);
	tcase_add_test(plain, get_as_json);
	tcase_add_loop_test(plain, set_sends, 0, sizeof sent / sizeof sent[0]);
	tcase_add_loop_test(plain, refusal_ends_with_1_and_the_reason, 0, sizeof refused / sizeof refused[0]);
	tcase_add_loop_test(plain, misuse_ends_with_64_and_sends_nothing, 0, sizeof misused / sizeof misused[0]);
	tcase_add_loop_test(plain, nobody_there_is_told_at_once, 0, sizeof asking / sizeof asking[0]);
	tcase_add_test(plain, command_line_wins_over_environment);
	tcase_add_test(plain, ping_measures);
	tcase_add_test(plain, describe_is_tables);
	tcase_add_test(plain, a_full_disk_is_told);
	tcase_add_test(odd, two_lanes_stand_under_one_name);
	tcase_add_test(odd, status_tells_of_trouble);
	tcase_add_test(odd, status_as_json);
	tcase_add_test(odd, nothing_hostile_reaches_the_terminal);
	tcase_add_test(odd, a_lost_datagram_is_asked_for_again);
	tcase_add_test(odd, an_incomplete_answer_is_no_answer);
	tcase_add_loop_test(odd, silence_ends_at_the_deadline, 0, sizeof asking / sizeof asking[0]);
	suite_add_tcase(suite, plain);
	suite_add_tcase(suite, odd);
	return chr_suite_run(suite);
}
