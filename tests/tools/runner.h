/* Runs the built chronusctl, or a shell that knows it as $CTL, and gathers what it prints. The binary lies in the folder that the environment's
 * CHR_BUILD_DIR names, else where this test was built.
 */
#ifndef CHR_TESTS_TOOLS_RUNNER_H
#define CHR_TESTS_TOOLS_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct chr_child {
	pid_t pid;
	int out, err;     /* what it prints arrives here; -1: ended. In a terminal both are `out`. */
	char text[65536]; /* standard output so far, terminated */
	char said[65536]; /* standard error so far */
	int code;         /* after chr_child_end(): exit code, or 128 + the signal */
};

enum chr_child_kind {
	CHR_PIPES,    /* prints into pipes */
	CHR_TERMINAL, /* has a terminal of 100 x 24 */
	CHR_SHELL,    /* prints into pipes; the line is one for bash, with $CTL and $CTL_DIR (its folder) */
};

/* Starts `chronusctl LINE` (words between spaces), with CHRONUS_OSC_PORT set to `port` (0: unset). */
void chr_child_start(struct chr_child *child, enum chr_child_kind kind, unsigned port, const char *line);

/* Reads until its standard output holds `text`; false when it ends before, or after 10 s. */
bool chr_child_reads(struct chr_child *child, const char *text);

/* Reads all and waits for its end; kills it after 10 s. */
void chr_child_end(struct chr_child *child);

/* Start and end. */
void chr_child_run(struct chr_child *child, enum chr_child_kind kind, unsigned port, const char *line);

#endif
