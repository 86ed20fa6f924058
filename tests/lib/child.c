#include "tests/lib/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

long long chr_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void become(char *const argv[], const char *log)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (log) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (fd >= 0) {
			dup2(fd, STDOUT_FILENO);
			dup2(fd, STDERR_FILENO);
		}
	}
	/* libjack's sockets are not close-on-exec: a copy would keep the test's own clients alive in the graph. */
	close_range(3, ~0u, 0);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int chr_child_start(struct chr_child *child, char *const argv[], const char *log)
{
	child->pid = fork();
	if (child->pid < 0)
		return -errno;
	if (child->pid == 0)
		become(argv, log);
	child->status = 0;
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	return child->pidfd < 0 ? -errno : 0;
}

bool chr_child_ended(struct chr_child *child, int timeout_ms)
{
	if (child->pid == 0)
		return true;
	struct pollfd p = {.fd = child->pidfd, .events = POLLIN};
	int ready;
	do {
		ready = poll(&p, 1, timeout_ms);
	} while (ready < 0 && errno == EINTR);
	if (ready <= 0 || waitpid(child->pid, &child->status, 0) != child->pid)
		return false;
	close(child->pidfd);
	child->pid = 0;
	return true;
}

bool chr_child_ask_end(struct chr_child *child, int patience_ms)
{
	if (child->pid == 0)
		return true;
	kill(child->pid, SIGTERM);
	kill(child->pid, SIGCONT);
	return chr_child_ended(child, patience_ms);
}

bool chr_child_end(struct chr_child *child, int patience_ms)
{
	if (chr_child_ask_end(child, patience_ms))
		return true;
	kill(child->pid, SIGKILL);
	chr_child_ended(child, 10000);
	return false;
}

int chr_child_code(const struct chr_child *child)
{
	return WIFEXITED(child->status) ? WEXITSTATUS(child->status) : 256 + WTERMSIG(child->status);
}

void chr_log_show(const char *path)
{
	char text[4096];
	FILE *f = fopen(path, "r");
	if (!f)
		return;
	for (size_t n; (n = fread(text, 1, sizeof text, f)) > 0;)
		fwrite(text, 1, n, stderr);
	fclose(f);
}
