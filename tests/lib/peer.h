/* The other end of Chronus's OSC: a UDP socket of its own on the loopback interface, and what comes back on it. Main thread. */
#ifndef CHR_TESTS_LIB_PEER_H
#define CHR_TESTS_LIB_PEER_H

#include <lo/lo.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chr_peer {
	int fd;
	int serial; /* of the last barrier */
};

struct chr_reply {
	char path[256];
	lo_message message; /* chr_reply_finish frees it */
};

/* A socket that talks to 127.0.0.1:port. 0 or -errno. */
int chr_peer_open(struct chr_peer *peer, unsigned port);
void chr_peer_close(struct chr_peer *peer);

/* Sends a message; `types` as in OSC: i h f d s t (an lo_timetag) T F. Waits when the socket's buffer is full. */
void chr_peer_send(struct chr_peer *peer, const char *path, const char *types, ...);

/* The same in a bundle with this timetag. */
void chr_peer_send_at(struct chr_peer *peer, lo_timetag when, const char *path, const char *types, ...);

void chr_peer_send_raw(struct chr_peer *peer, const void *bytes, size_t count);

/* Takes the next message that comes within `timeout_ms`. False when none does; then there is nothing to finish. */
bool chr_peer_receive(struct chr_peer *peer, int timeout_ms, struct chr_reply *reply);
void chr_reply_finish(struct chr_reply *reply);

/* Takes messages, dropping others, until one comes whose path is `path`. */
bool chr_peer_expect(struct chr_peer *peer, const char *path, int timeout_ms, struct chr_reply *reply);

/* Everything sent before has been taken in: sends a ping and drops replies until its pong. False when none comes in time. */
bool chr_peer_barrier(struct chr_peer *peer, int timeout_ms);

/* Argument `i` as a number or a string; NAN and "" when it is not one. */
double chr_reply_number(const struct chr_reply *reply, int i);
const char *chr_reply_string(const struct chr_reply *reply, int i);

/* Argument `i` as a timetag: seconds since 1900 << 32 and 2^-32 s; 0 when it is not one. */
uint64_t chr_reply_timetag(const struct chr_reply *reply, int i);

/* Place of the value that follows `key` in a reply of keys and values; -1 without one. */
int chr_reply_key(const struct chr_reply *reply, const char *key);

/* Asks /module/param and returns the number of the answer; NAN when none comes within 2 s. */
double chr_peer_ask(struct chr_peer *peer, const char *path);

#endif
