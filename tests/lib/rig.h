/* A running Chronus: build/chronus with a patch on the test's JACK server and an OSC port of its own. Main thread. */
#ifndef CHR_TESTS_LIB_RIG_H
#define CHR_TESTS_LIB_RIG_H

#include "tests/lib/child.h"
#include "tests/lib/peer.h"

#include <stdbool.h>
#include <sys/types.h>

#define CHR_RIG_INSTANCES 256

struct chr_rig {
	struct chr_child child;
	struct chr_peer peer;
	unsigned port;
	char log[160]; /* what it prints */
};

struct chr_rig_instance {
	char module[64], lane[8], client[80], state[32];
	pid_t pid;
	long restarts;
	double applied; /* events */
	double joins;
};

struct chr_rig_status {
	char jack[16]; /* "playing" or "lost" */
	pid_t supervisor;
	unsigned count;
	struct chr_rig_instance instance[CHR_RIG_INSTANCES];
	double received, applied, late, coalesced, errors, dropped;
};

/* Writes `text` to a patch file of its own in the server's folder and returns its path (static memory, until the next call). */
const char *chr_rig_patch(const char *text);
/* What is in a file that was saved, up to 4 KiB (static memory, until the next call but one). Aborts when there is none. */
const char *chr_rig_text(const char *path);

/* Starts it with `patch` and waits until every instance plays. 0, or -1 with its log on standard error. */
int chr_rig_start(struct chr_rig *rig, const char *patch);

/* Starts it without waiting, with further arguments (NULL-terminated, or NULL). 0 or -1. */
int chr_rig_spawn(struct chr_rig *rig, const char *patch, const char *const *options);

/* Waits until it answers, JACK plays and every instance is in the state "playing". 0, or -1 with its log. */
int chr_rig_wait_playing(struct chr_rig *rig, int timeout_ms);

/* Asks for its status. 0, or -1 when the answer does not come whole within 2 s. */
int chr_rig_status(struct chr_rig *rig, struct chr_rig_status *status);

/* The instance of a module in a lane ("a", "b"); NULL without one. */
const struct chr_rig_instance *chr_rig_find(const struct chr_rig_status *status, const char *module, const char *lane);

/* What it printed so far (static memory, until the next call; the first 64 KiB). Aborts when its log cannot be read. */
const char *chr_rig_printed(const struct chr_rig *rig);

/* Ends it by SIGTERM. Its exit code, or -1 when it had to be killed. */
int chr_rig_stop(struct chr_rig *rig);

#endif
