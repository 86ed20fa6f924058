#include "supervisor/patience.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

static struct chr_jack_server server; /* none was started */

static void block(void)
{
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
}

/* A start that never comes back from its server is ended by the signal, though the signal is blocked. */
START_TEST(test_patience_ends)
{
	static const int signals[] = {SIGINT, SIGTERM};
	int status = 0;
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct chr_patience patience;
		block();
		chr_patience_begin(&patience, &server);
		kill(getpid(), signals[_i]);
		for (;;)
			pause();
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EX_UNAVAILABLE);
}
END_TEST

/* A start that succeeds goes on, and whoever reads signals then finds the one that came. */
START_TEST(test_patience_leaves_signal)
{
	struct chr_patience patience;
	sigset_t pending;
	block();
	chr_patience_begin(&patience, &server);
	ck_assert(patience.begun);
	kill(getpid(), SIGTERM);
	chr_patience_end(&patience);
	ck_assert(!patience.begun);
	sigpending(&pending);
	ck_assert(sigismember(&pending, SIGTERM));
	chr_patience_end(&patience);
	const struct timespec none = {0};
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	ck_assert_int_eq(sigtimedwait(&ends, NULL, &none), SIGTERM);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("patience");
	TCase *tcase = tcase_create("patience");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_patience_ends, 0, 2);
	tcase_add_test(tcase, test_patience_leaves_signal);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
