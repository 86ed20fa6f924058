#include "tests/tools/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CHR_BUILD
#define CHR_BUILD "build"
#endif

#define PATIENCE_MS 10000
#define WORDS_MAX   32

/* What the child is started with; all memory is made before the fork, since other threads run. */
struct start {
	char line[4096], program[512], ctl[600], dir[600], port[64];
	char *argv[WORDS_MAX], *envp[16];
};

static void must(bool fine, const char *what)
{
	if (!fine) {
		perror(what);
		exit(EXIT_FAILURE);
	}
}

static void prepare(struct start *start, enum chr_child_kind kind, unsigned port, const char *line)
{
	static char *shell[] = {"/bin/bash", "--norc", "-c"};
	static char term[] = "TERM=xterm", lang[] = "LC_ALL=C", no_color[] = "NO_COLOR=1";
	const char *build = getenv("CHR_BUILD_DIR");
	int words = 0, variables = 0;
	build = build ? build : CHR_BUILD;
	snprintf(start->line, sizeof start->line, "%s", line);
	snprintf(start->program, sizeof start->program, "%.480s/chronusctl", build);
	snprintf(start->ctl, sizeof start->ctl, "CTL=%s", start->program);
	snprintf(start->dir, sizeof start->dir, "CTL_DIR=%.480s", build);
	snprintf(start->port, sizeof start->port, "CHRONUS_OSC_PORT=%u", port);
	if (kind == CHR_SHELL) {
		for (; words < 3; words++)
			start->argv[words] = shell[words];
		start->argv[words++] = start->line;
	} else {
		start->argv[words++] = start->program;
		for (char *rest = start->line, *word; (word = strsep(&rest, " ")) && words < WORDS_MAX - 1;)
			if (*word)
				start->argv[words++] = word;
	}
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	start->envp[variables++] = path;
	start->envp[variables++] = term;
	start->envp[variables++] = lang;
	start->envp[variables++] = start->ctl;
	start->envp[variables++] = start->dir;
	if (port)
		start->envp[variables++] = start->port;
	if (getenv("NO_COLOR"))
		start->envp[variables++] = no_color;
}

void chr_child_start(struct chr_child *child, enum chr_child_kind kind, unsigned port, const char *line)
{
	static struct start start;
	start = (struct start){0};
	prepare(&start, kind, port, line);
	*child = (struct chr_child){.out = -1, .err = -1};
	int out[2] = {-1, -1}, err[2] = {-1, -1}, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct winsize size = {.ws_row = 24, .ws_col = 100};
	if (kind == CHR_TERMINAL) {
		child->pid = forkpty(&child->out, NULL, NULL, &size);
	} else {
		must(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0, "pipe");
		child->pid = fork();
	}
	must(child->pid >= 0 && null >= 0, "fork");
	if (child->pid == 0) {
		if (kind != CHR_TERMINAL) {
			dup2(null, STDIN_FILENO);
			dup2(out[1], STDOUT_FILENO);
			dup2(err[1], STDERR_FILENO);
		}
		execve(start.argv[0], start.argv, start.envp);
		_exit(127);
	}
	close(null);
	if (kind != CHR_TERMINAL) {
		close(out[1]);
		close(err[1]);
		child->out = out[0];
		child->err = err[0];
	}
}

static void take(int *fd, char *text, size_t space)
{
	size_t used = strlen(text);
	ssize_t bytes = read(*fd, text + used, space - used - 1);
	if (bytes > 0) {
		text[used + (size_t)bytes] = '\0';
		return;
	}
	/* A terminal whose last user is gone answers EIO. */
	close(*fd);
	*fd = -1;
}

static long long now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* Reads until `text` is there (NULL: never) or all is read. False at the deadline. */
static bool read_until(struct chr_child *child, const char *text)
{
	long long until_ms = now_ms() + PATIENCE_MS;
	while (child->out >= 0 || child->err >= 0) {
		if (text && strstr(child->text, text))
			return true;
		long long left_ms = until_ms - now_ms();
		struct pollfd wait[2] = {{.fd = child->out, .events = POLLIN}, {.fd = child->err, .events = POLLIN}};
		if (left_ms <= 0 || poll(wait, 2, (int)left_ms) <= 0)
			return false;
		if (wait[0].revents)
			take(&child->out, child->text, sizeof child->text);
		if (wait[1].revents)
			take(&child->err, child->said, sizeof child->said);
	}
	return true;
}

bool chr_child_reads(struct chr_child *child, const char *text)
{
	return read_until(child, text) && strstr(child->text, text);
}

void chr_child_end(struct chr_child *child)
{
	if (!read_until(child, NULL))
		kill(child->pid, SIGKILL);
	int status = 0;
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	child->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (child->out >= 0)
		close(child->out);
	if (child->err >= 0)
		close(child->err);
	child->out = child->err = -1;
}

void chr_child_run(struct chr_child *child, enum chr_child_kind kind, unsigned port, const char *line)
{
	chr_child_start(child, kind, port, line);
	chr_child_end(child);
}
