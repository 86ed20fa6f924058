/* A Chronus under test: the program with a patch of saboteurs on the campaign's own JACK server, what it tells of itself over OSC, and
 * what is heard of it. One thread.
 */
#ifndef CHR_TOOLS_FAULTS_SESSION_H
#define CHR_TOOLS_FAULTS_SESSION_H

#include "tests/lib/child.h"
#include "tests/lib/stall.h"
#include "tools/chronusctl_osc.h"
#include "tools/faults_judge.h"
#include "tools/faults_page.h"
#include "tools/faults_reference.h"
#include "tools/faults_tape.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CHR_SESSION_INSTANCES 64
#define CHR_SESSION_STALLS    256 /* remembered */

struct chr_session_instance {
	char module[CHR_NAME_MAX];
	unsigned lane;
	bool out;
	pid_t pid;
	char state[24];
	int32_t restarts, joins;
	int64_t seen_us, back_us; /* of the last fault, CLOCK_MONOTONIC */
	char cause[80];
};

/* A stretch of frames that the sentinel missed. */
struct chr_session_stall {
	uint64_t begin, end;
};

struct chr_session {
	const char *programs; /* folder of chronus and its modules */
	const char *folder;   /* for files */
	unsigned lanes, period;
	bool verbose;

	struct chr_child child;
	struct chr_osc_client ask, watch;
	unsigned port;
	char patch[128], log[128], saboteurs[128], page_path[128];
	struct chr_faults_page *page;

	unsigned count;
	struct chr_session_instance instance[CHR_SESSION_INSTANCES];
	bool disturbed;    /* an instance has left the state "playing" since this was cleared */
	uint64_t whole_us; /* when all were told to play again */
	uint32_t changes;  /* of states, ever */

	struct chr_tape *tape, *sentinel;
	bool looks;                   /* at processors, too: */
	struct chr_stall *processors; /* counts those that stood still for half a period; NULL: nobody can tell */
	struct chr_judge judge;
	struct chr_reference *reference;
	bool sentinel_begun;
	uint32_t sentinel_next;
	struct chr_session_stall stall[CHR_SESSION_STALLS]; /* a ring */
	unsigned stalls;
	uint64_t stalled_frames;
	/* called with every cycle that was judged; may be NULL */
	void (*heard)(void *arg, uint64_t frame, uint32_t frames, const float *const data[]);
	void *heard_arg;
};

/* Starts chronus with `patch` (its lanes and, where `restart` is given, its restart setting replaced), waits until all play, listens.
 * `log`: where it prints. 0, or -1 after telling why. */
int chr_session_start(struct chr_session *session, const char *patch, const char *restart, const char *log);

/* Ends it. False when it did not end by itself. */
bool chr_session_stop(struct chr_session *session);

/* Opens and closes what listens. */
int chr_session_listen(struct chr_session *session);
void chr_session_deafen(struct chr_session *session);

/* Takes in what waits: states, sound. Waits up to `timeout_ms` for something to happen. */
void chr_session_pump(struct chr_session *session, int timeout_ms);

/* Pumps for that long. */
void chr_session_pass(struct chr_session *session, int ms);

/* Pumps until all play. 0, or -1 after `timeout_ms`. */
int chr_session_wait_whole(struct chr_session *session, int timeout_ms);
bool chr_session_whole(const struct chr_session *session);

/* Asks for everything there is to know of the instances. 0 or -1. */
int chr_session_status(struct chr_session *session);

struct chr_session_instance *chr_session_find(struct chr_session *session, const char *module, unsigned lane);

/* The same, once, for up to 300 ms. */
int chr_session_ask(struct chr_session *session);

/* For faults_session.c: has every change of a state pushed from now on (0 or -1), and takes in those that came. */
int chr_session_subscribe(struct chr_session *session);
void chr_session_take_pushes(struct chr_session *session);

/* Captures all states and judges by them from then on. Both lanes' states are compared. 0; -1 after telling why. */
int chr_session_capture(struct chr_session *session);

/* From the next cycle on only silence is judged. */
void chr_session_forget(struct chr_session *session);

/* The frame now, without a wrap, as the judge counts. */
uint64_t chr_session_frame(struct chr_session *session);

/* Was the sentinel stalled within `margin` frames of begin..end? */
bool chr_session_stalled(const struct chr_session *session, uint64_t begin, uint64_t end, uint64_t margin);

/* Has process `pid` do `deed` in its next callback. Returns the moment (CLOCK_MONOTONIC us), or 0 when it did not within 200 ms. */
uint64_t chr_session_order(struct chr_session *session, pid_t pid, enum chr_deed deed, uint32_t seed);

/* The same without waiting, with order number `at`. */
void chr_session_order_async(struct chr_session *session, unsigned at, pid_t pid, enum chr_deed deed, uint32_t seed);

#endif
