#include "engine/ending.h"

#include "common/wake.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

volatile sig_atomic_t chr_ending;

static int wake_fd = -1;
static timer_t deadline;

void chr_ending_begin(void)
{
	static const struct itimerspec once = {
		.it_value = {.tv_sec = CHR_ENDING_MS / 1000, .tv_nsec = CHR_ENDING_MS % 1000 * 1000000}};
	if (chr_ending)
		return;
	chr_ending = 1;
	timer_settime(deadline, 0, &once, NULL);
	chr_wake(wake_fd);
}

static void on_term(int sig)
{
	(void)sig;
	int saved = errno;
	chr_ending_begin();
	errno = saved;
}

static void on_deadline(int sig)
{
	(void)sig;
	_exit(CHR_EXIT_DEADLINE);
}

int chr_ending_install(int wake)
{
	static const struct {
		int sig;
		void (*handler)(int);
	} table[] = {
		{SIGTERM, on_term}, {SIGALRM, on_deadline}, {SIGINT, SIG_IGN}, {SIGQUIT, SIG_IGN},
		{SIGTSTP, SIG_IGN}, {SIGTTOU, SIG_IGN},     {SIGHUP, SIG_IGN}, {SIGPIPE, SIG_IGN},
	};
	struct sigevent alarm = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	sigset_t none;
	wake_fd = wake;
	if (timer_create(CLOCK_MONOTONIC, &alarm, &deadline))
		return -errno;
	for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct sigaction action = {.sa_handler = table[i].handler};
		sigemptyset(&action.sa_mask);
		if (sigaction(table[i].sig, &action, NULL))
			return -errno;
	}
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) ? -errno : 0;
}
