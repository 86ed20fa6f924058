/* Programs that a test starts: their end is waited for by pidfd, and they never outlive the test.
 *
 * Every function belongs to the test's main thread.
 */
#ifndef CHR_TESTS_LIB_CHILD_H
#define CHR_TESTS_LIB_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct chr_child {
	pid_t pid; /* 0: none */
	int pidfd;
	int status; /* as waitpid gives it, once it has ended */
};

/* Starts argv[0] (searched in PATH) with standard output and error appended to the file `log`, NULL: to the test's own. The program gets
 * SIGTERM when the test's process dies. 0 or -errno. */
int chr_child_start(struct chr_child *child, char *const argv[], const char *log);

/* Has it ended? Waits up to `timeout_ms` (0: just looks). */
bool chr_child_ended(struct chr_child *child, int timeout_ms);

/* Asks it to end, by SIGTERM. True when it has ended within that time, or there is none. */
bool chr_child_ask_end(struct chr_child *child, int patience_ms);

/* Ends it: SIGTERM, and SIGKILL after `patience_ms`. Returns true when SIGTERM was enough. Nothing happens when there is none. */
bool chr_child_end(struct chr_child *child, int patience_ms);

/* Exit code of a program that has ended: 0..255, or 256 + the signal. */
int chr_child_code(const struct chr_child *child);

/* Milliseconds of CLOCK_MONOTONIC: for deadlines alone, never to judge by. */
long long chr_now_ms(void);

/* Prints a log file to standard error. */
void chr_log_show(const char *path);

#endif
