/* top and watch: the commands that go on, with and without a terminal. */
#include "tests/lib/suite.h"
#include "tests/tools/double.h"
#include "tests/tools/runner.h"

#include <check.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>

#define ENTER "\033[?1049h"
#define LEAVE "\033[?1049l"

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

static void begin(enum chr_child_kind kind, const char *line)
{
	chr_child_start(&child, kind, chr_double_port(server), line);
}

static void reads(const char *text)
{
	ck_assert_msg(chr_child_reads(&child, text), "'%s' did not come: %s%s", text, child.text, child.said);
}

static void key(const char *key)
{
	ck_assert_int_eq(write(child.out, key, strlen(key)), (ssize_t)strlen(key));
}

static struct termios terminal(void)
{
	struct termios now;
	ck_assert_int_eq(tcgetattr(child.out, &now), 0);
	return now;
}

/* The last thing the terminal saw was the end of the alternate screen, with the cursor shown again. */
static void is_restored(void)
{
	const char *enter = strstr(child.text, ENTER), *leave = strstr(child.text, LEAVE),
		   *cursor = strstr(child.text, "\033[?25h");
	ck_assert_msg(enter && leave && cursor && enter < cursor && cursor < leave, "the screen was left as it was: %s",
		      child.text);
}

START_TEST(top_once_needs_no_terminal)
{
	chr_child_run(&child, CHR_PIPES, chr_double_port(server), "top --once");
	ck_assert_int_eq(child.code, 0);
	ck_assert_ptr_nonnull(strstr(child.text, "\nosc1    sine    a     4701  playing"));
	ck_assert_ptr_null(strchr(child.text, '\033'));
	/* seen in a low window, too */
	const char *events = strstr(child.text, "\nevents "), *table = strstr(child.text, "\nMODULE ");
	ck_assert(events && table && events < table);
	ck_assert_uint_eq(chr_double_count(server, "/chronus/status"), 1);
}
END_TEST

START_TEST(top_needs_a_terminal)
{
	chr_child_run(&child, CHR_PIPES, chr_double_port(server), "top");
	ck_assert_int_eq(child.code, EX_USAGE);
	ck_assert_ptr_nonnull(strstr(child.said, "top --once"));
}
END_TEST

START_TEST(top_draws_until_q)
{
	begin(CHR_TERMINAL, "top --interval 0.05");
	reads("q quits");
	ck_assert(!(terminal().c_lflag & (ICANON | ECHO)));
	ck_assert(chr_double_heard(server, "/chronus/status", 4));
	/* A key that means nothing is no reason to end. */
	key("x");
	unsigned seen = chr_double_count(server, "/chronus/status");
	ck_assert(chr_double_heard(server, "/chronus/status", seen + 2));
	key("q");
	reads(LEAVE);
	ck_assert_uint_eq(terminal().c_lflag & (ICANON | ECHO), ICANON | ECHO);
	chr_child_end(&child);
	ck_assert_int_eq(child.code, 0);
	is_restored();
}
END_TEST

static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGSEGV, SIGABRT};

START_TEST(top_restores_the_terminal_when_it_dies)
{
	begin(CHR_TERMINAL, "top --interval 0.05");
	reads("q quits");
	ck_assert_int_eq(kill(child.pid, deadly[_i]), 0);
	reads(LEAVE);
	chr_child_end(&child);
	ck_assert_int_eq(child.code, 128 + deadly[_i]);
	is_restored();
}
END_TEST

START_TEST(top_waits_for_a_server_that_went)
{
	begin(CHR_TERMINAL, "top --interval 0.05");
	reads("q quits");
	teardown();
	reads("nothing answers at");
	key("q");
	chr_child_end(&child);
	ck_assert_int_eq(child.code, 0);
	is_restored();
}
END_TEST

START_TEST(colours_are_for_terminals)
{
	static const char green[] = "\033[32mplaying";
	unsigned port = chr_double_port(server);
	chr_child_run(&child, CHR_TERMINAL, port, "status");
	ck_assert_ptr_nonnull(strstr(child.text, green));
	chr_child_run(&child, CHR_TERMINAL, port, "status --no-color");
	ck_assert_ptr_null(strchr(child.text, '\033'));
	ck_assert_ptr_nonnull(strstr(child.text, "playing"));
	setenv("NO_COLOR", "1", 1);
	chr_child_run(&child, CHR_TERMINAL, port, "status");
	unsetenv("NO_COLOR");
	ck_assert_ptr_null(strchr(child.text, '\033'));
	chr_child_run(&child, CHR_PIPES, port, "status");
	ck_assert_ptr_null(strchr(child.text, '\033'));
}
END_TEST

START_TEST(watch_prints_changes)
{
	begin(CHR_PIPES, "watch");
	reads("  osc1/freq  330.25\n");
	reads("  filt1/mode  bandpass\n");
	reads("  osc1 a  starting\n");
	ck_assert_int_eq(kill(child.pid, SIGINT), 0);
	chr_child_end(&child);
	ck_assert_int_eq(child.code, 0);
	ck_assert_str_eq(child.said, "");
	ck_assert(chr_double_heard(server, "/chronus/unsubscribe", 1));
	ck_assert_uint_eq(chr_double_count(server, "/chronus/subscribe i 60"), 1);
}
END_TEST

START_TEST(watch_as_lines_of_json)
{
	begin(CHR_PIPES, "watch --json");
	reads("starting\"");
	kill(child.pid, SIGTERM);
	chr_child_end(&child);
	ck_assert_int_eq(child.code, 0);
	const char *word[2];
	double value, seconds;
	char *rest = child.text;
	json_t *line = json_loads(strsep(&rest, "\n"), 0, NULL);
	ck_assert_int_eq(json_unpack(line, "{s:s, s:s, s:f, s:f !}", "module", &word[0], "param", &word[1], "value", &value, "time",
				     &seconds),
			 0);
	ck_assert_str_eq(word[0], "osc1");
	ck_assert_str_eq(word[1], "freq");
	ck_assert(value == 330.25 && seconds > 1e9);
	json_decref(line);
	json_decref(json_loads(strsep(&rest, "\n"), 0, NULL));
	line = json_loads(strsep(&rest, "\n"), 0, NULL);
	ck_assert_int_eq(json_unpack(line, "{s:s, s:s}", "lane", &word[0], "state", &word[1]), 0);
	ck_assert_str_eq(word[0], "a");
	ck_assert_str_eq(word[1], "starting");
	json_decref(line);
}
END_TEST

START_TEST(watch_renews_its_lease)
{
	start(&(struct chr_double_faults){.lease_s = 1});
	begin(CHR_PIPES, "watch");
	ck_assert(chr_double_heard(server, "/chronus/subscribe", 3));
	kill(child.pid, SIGINT);
	chr_child_end(&child);
	ck_assert_int_eq(child.code, 0);
}
END_TEST

START_TEST(watch_notices_that_the_server_went)
{
	start(&(struct chr_double_faults){.lease_s = 1});
	begin(CHR_PIPES, "watch");
	reads("starting");
	teardown();
	chr_child_end(&child);
	ck_assert_int_eq(child.code, EX_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(child.said, "nothing answers at"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chronusctl, live");
	TCase *plain = tcase_create("healthy"), *odd = tcase_create("faults");
	tcase_add_checked_fixture(plain, setup, teardown);
	tcase_add_checked_fixture(odd, NULL, teardown);
	tcase_set_timeout(plain, 60);
	tcase_set_timeout(odd, 60);
	tcase_add_test(plain, top_once_needs_no_terminal);
	tcase_add_test(plain, top_needs_a_terminal);
	tcase_add_test(plain, top_draws_until_q);
	tcase_add_loop_test(plain, top_restores_the_terminal_when_it_dies, 0, sizeof deadly / sizeof deadly[0]);
	tcase_add_test(plain, top_waits_for_a_server_that_went);
	tcase_add_test(plain, colours_are_for_terminals);
	tcase_add_test(plain, watch_prints_changes);
	tcase_add_test(plain, watch_as_lines_of_json);
	tcase_add_test(odd, watch_renews_its_lease);
	tcase_add_test(odd, watch_notices_that_the_server_went);
	suite_add_tcase(suite, plain);
	suite_add_tcase(suite, odd);
	return chr_suite_run(suite);
}
