/* What guards, the watchdog and the graph thread saw, on its way to the control thread: a queue behind a mutex with an eventfd.
 *
 * The posters are few and the posts rare; the mutex inherits priority, because a guard runs above everybody else.
 */
#ifndef CHR_SUPERVISOR_INBOX_H
#define CHR_SUPERVISOR_INBOX_H

#include "supervisor/patch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct chr_process;

enum chr_post_kind {
	CHR_POST_DEATH,         /* `process` dies; seen at `time_us` */
	CHR_POST_HANG,          /* the watchdog killed `process`; its death follows */
	CHR_POST_SPAWNED,       /* `process` was made (NULL: it failed with `value` = -errno) */
	CHR_POST_WIRED,         /* the graph equals the desired one of generation `value`, as far as its ports exist */
	CHR_POST_EDGE_DRAWN,    /* others connected `from` to `to`, at `time_us` */
	CHR_POST_EDGE_VANISHED, /* others, or the end of a client, took that edge away at `time_us`; the `value`th of its kind */
	CHR_POST_EDGE_BACK,     /* that edge had vanished only because the client of its output (`value` 0) or input (1) ended */
	CHR_POST_JOB,           /* a chr_job is over */
	CHR_POST_SERVER_UP,     /* the graph thread's JACK client is active */
	CHR_POST_SERVER_LOST,   /* the JACK server went away; the client is not to be used any more */
	CHR_POST_PERIOD,        /* the server's period is now `value` frames */
};

struct chr_post {
	enum chr_post_kind kind;
	struct chr_process *process;
	uint64_t time_us; /* chr_monotonic_us() */
	int64_t value;
	char from[CHR_EDGE_NAME_MAX], to[CHR_EDGE_NAME_MAX];
	/* VANISHED, at the output and at the input: when the port went too (0: it did not), and whether JACK told of nothing but that client's
	 * edges and ports in between */
	uint64_t gone_us[2];
	bool alone[2];
};

struct chr_inbox {
	pthread_mutex_t lock;
	int wake_fd;
	struct chr_post *post; /* ring of `space` posts */
	unsigned first, count, space;
};

/* 0 or -errno. */
int chr_inbox_init(struct chr_inbox *inbox);
void chr_inbox_finish(struct chr_inbox *inbox);

/* Any thread. Grows when full; a post is lost only when memory is. */
void chr_inbox_put(struct chr_inbox *inbox, const struct chr_post *post);

/* Control thread: takes the oldest post; false when there is none. */
bool chr_inbox_take(struct chr_inbox *inbox, struct chr_post *post);

#endif
