#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 1024 /* within PIPE_BUF, so that lines of several processes do not mix */

/* Two places, of which the lines use one while the other is written. */
static char identities[2][96] = {"chronus", "chronus"};
static _Atomic unsigned identity;
static _Atomic int limit = CHR_LOG_INFO;
static _Atomic unsigned lost; /* lines that found the pipe full */
static _Atomic int place = STDERR_FILENO;
static int kept = -1; /* another descriptor of standard error; never closed: a line may be on its way there */
static bool hushed;

void chr_log_identity(const char *role, const char *module, char lane)
{
	unsigned next = !atomic_load_explicit(&identity, memory_order_relaxed);
	char *to = identities[next];

	if (module && lane)
		snprintf(to, sizeof identities[0], "%s %s/%c", role, module, lane);
	else if (module)
		snprintf(to, sizeof identities[0], "%s %s", role, module);
	else
		snprintf(to, sizeof identities[0], "%s", role);
	atomic_store_explicit(&identity, next, memory_order_release);
}

void chr_log_set_level(enum chr_log_level level)
{
	atomic_store_explicit(&limit, (int)level, memory_order_relaxed);
}

enum chr_log_level chr_log_level(void)
{
	return (enum chr_log_level)atomic_load_explicit(&limit, memory_order_relaxed);
}

void chr_log_hush(void)
{
	int nowhere = chr_log_level() < CHR_LOG_DEBUG ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;

	if (nowhere < 0)
		return;
	if (kept < 0)
		kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (kept >= 0) {
		atomic_store_explicit(&place, kept, memory_order_release);
		hushed = dup2(nowhere, STDERR_FILENO) >= 0;
	}
	close(nowhere);
}

void chr_log_unhush(void)
{
	if (hushed)
		dup2(kept, STDERR_FILENO);
	hushed = false;
	atomic_store_explicit(&place, STDERR_FILENO, memory_order_release);
}

/* Writes without waiting for a reader: -1 with errno. */
static ssize_t write_now(int fd, char *bytes, size_t count)
{
	struct iovec iov = {.iov_base = bytes, .iov_len = count};
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	struct stat st;
	ssize_t n;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return write(fd, bytes, count);
	/* O_NONBLOCK would stay with the terminal after this process; RWF_NOWAIT does not, but older kernels have it not for pipes,
	 * and there another writer may take the room between the two calls. */
	if (poll(&ready, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	n = pwritev2(fd, &iov, 1, -1, RWF_NOWAIT);
	return n < 0 && errno == EOPNOTSUPP ? write(fd, bytes, count) : n;
}

/* As write_now(), but no SIGPIPE reaches the program, whatever its disposition. */
static ssize_t write_quietly(int fd, char *bytes, size_t count)
{
	static const struct timespec at_once;
	sigset_t pipe_signal, before, pending;
	ssize_t n;
	int error, was_pending;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
	n = write_now(fd, bytes, count);
	error = errno;
	if (n < 0 && error == EPIPE && !was_pending)
		sigtimedwait(&pipe_signal, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return n;
}

/* What stands in a file for days needs the date, what scrolls by on a terminal does not. */
static size_t put_head(char *line, size_t space, int fd, unsigned missing)
{
	struct timespec now;
	struct tm tm;
	int n = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	if (!isatty(fd))
		n = snprintf(line, space, "%04d-%02d-%02d ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	n += snprintf(line + n, space - (size_t)n, "%02d:%02d:%02d.%03ld chronus[%d] %s: ", tm.tm_hour, tm.tm_min, tm.tm_sec,
		      now.tv_nsec / 1000000, (int)getpid(), identities[atomic_load_explicit(&identity, memory_order_acquire)]);
	if (missing)
		n += snprintf(line + n, space - (size_t)n, "(%u lines lost) ", missing);
	return (size_t)n;
}

void chr_log(enum chr_log_level level, const char *format, ...)
{
	char line[LINE_BYTES];
	size_t head, length;
	unsigned missing;
	va_list args;
	int saved = errno, n, fd = atomic_load_explicit(&place, memory_order_acquire);

	if (level > chr_log_level())
		return;
	missing = atomic_exchange_explicit(&lost, 0, memory_order_relaxed);
	head = put_head(line, sizeof line, fd, missing);
	va_start(args, format);
	n = vsnprintf(line + head, sizeof line - head - 1, format, args);
	va_end(args);
	length = head + (n > 0 ? strlen(line + head) : 0);
	/* A text that came from elsewhere must not look like a line of its own. */
	for (size_t i = head; i < length; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = '?';
	line[length++] = '\n';
	if (write_quietly(fd, line, length) < 0)
		atomic_fetch_add_explicit(&lost, missing + 1, memory_order_relaxed);
	errno = saved;
}
