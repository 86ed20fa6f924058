#include "common/log.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATE "^[0-9]{4}-[01][0-9]-[0-3][0-9] "
#define TIME "[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3} chronus\\[[0-9]+\\] "
#define HEAD DATE TIME

static int from_log; /* read end of the pipe that standard error is */

static void setup(void)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	from_log = ends[0];
	fcntl(from_log, F_SETFL, O_NONBLOCK);
	chr_log_set_level(CHR_LOG_INFO);
}

static const char *logged(void)
{
	static char text[65536];
	ssize_t n = read(from_log, text, sizeof text - 1);

	text[n > 0 ? n : 0] = 0;
	return text;
}

static void assert_matches(const char *text, const char *pattern)
{
	regex_t regex;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(!regexec(&regex, text, 0, NULL, 0), "'%s' does not match '%s'", text, pattern);
	regfree(&regex);
}

START_TEST(hushed_others_are_silent_and_lines_still_come)
{
	chr_log_identity("supervisor", NULL, 0);
	for (int i = 0; i < 2; i++) {
		chr_log_hush();
		fputs("noise", stderr);
		chr_info("line");
		chr_log_unhush();
		assert_matches(logged(), HEAD "supervisor: line\n$");
		fputs("voice", stderr);
		assert_matches(logged(), "^voice$");
	}
	chr_log_set_level(CHR_LOG_DEBUG);
	chr_log_hush();
	fputs("noise", stderr);
	chr_log_unhush();
	assert_matches(logged(), "^noise$");
}
END_TEST

START_TEST(line_names_the_process)
{
	char pattern[128];

	snprintf(pattern, sizeof pattern, "chronus\\[%d\\] supervisor: 7 of x\n$", (int)getpid());
	chr_log_identity("supervisor", NULL, 0);
	chr_info("%d of %s", 7, "x");
	assert_matches(logged(), pattern);
	chr_log_identity("module", NULL, 0);
	chr_info("spare");
	assert_matches(logged(), HEAD "module: spare\n$");
	chr_log_identity("module", "osc1", 'a');
	chr_error("hello");
	assert_matches(logged(), HEAD "module osc1/a: hello\n$");
	chr_log_identity("module", "osc1", 0);
	chr_error("hello");
	assert_matches(logged(), HEAD "module osc1: hello\n$");
}
END_TEST

START_TEST(level_filters)
{
	chr_debug("hidden");
	ck_assert_str_eq(logged(), "");
	chr_log_set_level(CHR_LOG_DEBUG);
	ck_assert_int_eq(chr_log_level(), CHR_LOG_DEBUG);
	chr_debug("shown");
	assert_matches(logged(), "shown\n$");
	chr_log_set_level(CHR_LOG_ERROR);
	chr_warn("hidden");
	ck_assert_str_eq(logged(), "");
	chr_error("shown");
	assert_matches(logged(), "shown\n$");
}
END_TEST

START_TEST(one_call_is_one_line)
{
	static char text[4000];
	const char *line;

	chr_info("a\nb\x1b[2Jc\x7f");
	assert_matches(logged(), ": a\\?b\\?\\[2Jc\\?\n$");
	memset(text, 'x', sizeof text - 1);
	chr_info("%s", text);
	line = logged();
	ck_assert_uint_gt(strlen(line), 900);
	ck_assert_uint_le(strlen(line), 1024);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}
END_TEST

/* What scrolls by needs no date. */
START_TEST(a_terminal_gets_the_time_alone)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY), side;
	struct pollfd ready = {.fd = terminal, .events = POLLIN};
	char text[256];
	ssize_t n;

	ck_assert_int_ge(terminal, 0);
	ck_assert_int_eq(grantpt(terminal) || unlockpt(terminal), 0);
	side = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	ck_assert_int_eq(dup2(side, STDERR_FILENO), STDERR_FILENO);
	chr_info("line");
	ck_assert_int_eq(poll(&ready, 1, 10000), 1);
	n = read(terminal, text, sizeof text - 1);
	text[n > 0 ? n : 0] = 0;
	assert_matches(text, "^" TIME "[a-z]+: line\r?\n$");
	close(side);
	close(terminal);
}
END_TEST

START_TEST(closed_pipe_is_harmless)
{
	sigset_t pending;

	close(from_log);
	errno = 77;
	chr_info("to nobody"); /* SIGPIPE would end the test here */
	ck_assert_int_eq(errno, 77);
	sigpending(&pending);
	ck_assert(!sigismember(&pending, SIGPIPE));
	close(STDERR_FILENO);
	chr_info("to nothing");
}
END_TEST

START_TEST(full_pipe_costs_lines_not_time)
{
	const char *text;
	int size = fcntl(STDERR_FILENO, F_GETPIPE_SZ);
	char *all = malloc((size_t)size + 1);
	ssize_t n;

	for (int i = 0; i < size / 50; i++) /* more than fits; a blocking write would end in the test's timeout */
		chr_info("%60d", i);
	n = read(from_log, all, (size_t)size);
	ck_assert_int_gt(n, size / 2);
	all[n] = 0;
	ck_assert_int_eq(all[n - 1], '\n');
	chr_info("back");
	text = logged();
	assert_matches(text, HEAD "[a-z]+: \\([1-9][0-9]* lines lost\\) back\n$");
	chr_info("again");
	assert_matches(logged(), HEAD "[a-z]+: again\n$");
	free(all);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, hushed_others_are_silent_and_lines_still_come);
	tcase_add_test(tcase, line_names_the_process);
	tcase_add_test(tcase, level_filters);
	tcase_add_test(tcase, one_call_is_one_line);
	tcase_add_test(tcase, a_terminal_gets_the_time_alone);
	tcase_add_test(tcase, closed_pipe_is_harmless);
	tcase_add_test(tcase, full_pipe_costs_lines_not_time);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
