/* The control thread's event loop: epoll with one callback per descriptor. Control thread only. */
#ifndef CHR_SUPERVISOR_POLLER_H
#define CHR_SUPERVISOR_POLLER_H

#include <stdbool.h>

/* Embedded by whoever owns the descriptor; it must outlive its registration. */
struct chr_poll {
	int fd;
	void (*ready)(void *self); /* called while `fd` is readable or hung up */
	void *self;
};

struct chr_poller {
	int epoll_fd;
	const struct chr_poll *current[32]; /* what the running pass will still call */
	int current_count;
	bool stop;
};

/* 0 or -errno. */
int chr_poller_init(struct chr_poller *poller);
void chr_poller_finish(struct chr_poller *poller);

/* Watches `poll->fd` for input. 0 or -errno. */
int chr_poller_add(struct chr_poller *poller, struct chr_poll *poll);

/* Stops watching; safe from within any callback. The descriptor must still be open. */
void chr_poller_remove(struct chr_poller *poller, struct chr_poll *poll);

/* Waits up to `timeout_ms` (-1: for ever) and calls what is ready. 0 or -errno. */
int chr_poller_wait(struct chr_poller *poller, int timeout_ms);

/* Runs until chr_poller_stop(). 0 or -errno. */
int chr_poller_run(struct chr_poller *poller);
void chr_poller_stop(struct chr_poller *poller);

#endif
