/* One UDP socket to one OSC server: messages go out, replies come in until a deadline. liblo builds and parses the messages.
 *
 * The socket is connected, so that a port where nobody listens is refused at once, and so that only the server's own
 * datagrams arrive. One thread.
 */
#ifndef CHR_TOOLS_CHRONUSCTL_OSC_H
#define CHR_TOOLS_CHRONUSCTL_OSC_H

#include <lo/lo.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHR_OSC_PATH_MAX 256 /* bytes of an address, with the final NUL; replies with longer ones are ignored */

struct chr_osc_client {
	int fd; /* -1: closed */
};

struct chr_osc_reply {
	char path[CHR_OSC_PATH_MAX];
	lo_message message; /* owned; chr_osc_reply_finish() */
};

/* Monotonic time (us), the clock of the deadlines below. */
uint64_t chr_osc_now_us(void);

/* Opens the socket and connects it to `host` (a name or an address) and `port`. 0, or -errno; -EADDRNOTAVAIL when there is no such host. */
int chr_osc_client_open(struct chr_osc_client *client, const char *host, unsigned port);

/* Closes the socket; a closed one stays closed. */
void chr_osc_client_close(struct chr_osc_client *client);

/* Sends one message; the caller keeps it. `message` NULL: no arguments. 0 or -errno; -ECONNREFUSED when an earlier datagram was refused. */
int chr_osc_client_send(struct chr_osc_client *client, const char *path, lo_message message);

/* Waits until `deadline_us` for the next well-formed message and stores it (chr_osc_reply_finish). What is no OSC message is skipped.
 * 0, -ETIMEDOUT, -EINTR after a signal, -ECONNREFUSED when nobody listens there, -errno. */
int chr_osc_client_receive(struct chr_osc_client *client, uint64_t deadline_us, struct chr_osc_reply *reply);

void chr_osc_reply_finish(struct chr_osc_reply *reply);

/* Arguments of a message by their place, read by copying: liblo's unions lie at any multiple of four bytes. False (and *value as it was)
 * or NULL when there is no argument of that type at that place. The text belongs to the message. */
bool chr_osc_int32(lo_message message, int index, int32_t *value);
bool chr_osc_int64(lo_message message, int index, int64_t *value);
bool chr_osc_float(lo_message message, int index, float *value);
bool chr_osc_double(lo_message message, int index, double *value);
const char *chr_osc_string(lo_message message, int index);

#endif
