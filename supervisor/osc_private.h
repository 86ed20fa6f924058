/* What the files of OSC share: the object, the message at hand, and the way of answers.
 *
 *   osc_socket.c     datagrams in, datagrams out
 *   osc_clock.c      times to frames
 *   osc_packet.c     datagrams to messages: everything hostile is found here
 *   osc_route.c      /<module>/<param>
 *   osc_system.c     /chronus/...: the table of commands
 *   osc_status.c     /chronus/status, /chronus/modules
 *   osc_describe.c   /chronus/describe
 *   osc_edit.c       modules and connections by hand, save and load
 *   osc_subscribe.c  who is told of changes
 *   osc_reply.c      answers and errors
 *
 * Control thread only.
 */
#ifndef CHR_SUPERVISOR_OSC_PRIVATE_H
#define CHR_SUPERVISOR_OSC_PRIVATE_H

#include "supervisor/osc.h"
#include "supervisor/osc_clock.h"
#include "supervisor/osc_socket.h"

#include <lo/lo_lowlevel.h>

#define CHR_OSC_ROOT             "/chronus/" /* the system's own space; no module can be named so */
#define CHR_OSC_DEPTH_MAX        8           /* bundles in bundles */
#define CHR_OSC_ARGS_MAX         64          /* arguments of one message */
#define CHR_OSC_ADDRESS_MAX      256         /* bytes of an address, with the final NUL */
#define CHR_OSC_AHEAD_MAX_S      3600        /* a timetag further ahead is an error */
#define CHR_OSC_MARGIN_PER_S     1000        /* steady timing: 1/1000 s on top of a period, in which the control thread delivers */
#define CHR_OSC_GUARD_PER_S      4000        /* soonest timing: a block that begins within 1/4000 s may be missed by one lane */
#define CHR_OSC_SUBSCRIBERS_MAX  32
#define CHR_OSC_TARGETS_MAX      (CHR_BOARD_MEMBERS * CHR_PARAMS_MAX)
#define CHR_OSC_ROUTES           2048u /* addresses remembered; a power of two */
#define CHR_OSC_LIMITS           64u   /* senders whose error replies are counted at a time; a power of two */
#define CHR_OSC_ERRORS_PER_S     200   /* error replies to one sender */
#define CHR_OSC_ERRORS_ALL_PER_S 2000  /* error replies to all: the sender's address can be forged */

/* One message of a packet, whose shape has been checked. */
struct chr_osc_message {
	const char *address;
	const char *types;        /* without the comma */
	unsigned count;           /* of arguments */
	const unsigned char *raw; /* the whole message */
	size_t raw_bytes;
	lo_message lo; /* as liblo reads it */
	lo_arg **argv;
};

/* When a message takes effect. */
struct chr_osc_when {
	uint32_t frame; /* 0 without a JACK server */
};

/* A parameter that a message speaks of, and the value it would get. */
struct chr_osc_target {
	struct chr_unit *unit;
	unsigned param;
	float value;
};

struct chr_osc_lease {
	struct chr_osc_peer peer; /* bytes 0: free */
	uint64_t until_us;
};

/* Error replies that a sender may still get: a bucket that fills with time. */
struct chr_osc_limit {
	struct chr_osc_peer peer;
	uint64_t filled_us;
	double left;
};

struct chr_osc {
	struct chr_osc_host host;
	struct chr_osc_socket socket;
	struct chr_osc_map map;
	uint64_t started_us;
	uint64_t dropped_seen;
	bool in_pass; /* chr_osc_receive() is at work: tells are gathered */

	/* the packet at hand */
	const struct chr_osc_peer *from;
	int64_t real_ns; /* its arrival */
	uint32_t now;    /* JACK's frame, not older than a few messages */
	uint64_t sent;   /* datagrams sent, ever */

	struct chr_osc_lease lease[CHR_OSC_SUBSCRIBERS_MAX];
	unsigned leases;
	uint32_t changed[CHR_BOARD_MEMBERS]; /* by member: bits of the parameters to tell of */
	bool any_changed;

	struct chr_osc_limit limit[CHR_OSC_LIMITS], limit_all;

	struct {
		uint8_t unit, param, used;
	} route[CHR_OSC_ROUTES]; /* hints by the hash of an address: checked by name before use */
	struct chr_osc_target target[CHR_OSC_TARGETS_MAX];
	unsigned target_count;

	unsigned char out[CHR_OSC_DATAGRAM_MAX];
};

/* osc_packet.c: carries one datagram out. The host's clock has been asked (osc->now), map and osc->in_pass are set. */
void chr_osc_packet(struct chr_osc *osc, const struct chr_osc_datagram *datagram);

/* osc_route.c: an address outside the system's space. */
void chr_osc_route(struct chr_osc *osc, const struct chr_osc_message *message, const struct chr_osc_when *when);

/* The value of a parameter as a message "/<module>/<param> value"; the caller frees it. The path goes to `path` (CHR_OSC_ADDRESS_MAX). */
lo_message chr_osc_value_message(const struct chr_unit *unit, unsigned param, char *path);

/* osc_system.c: an address inside it. */
void chr_osc_system(struct chr_osc *osc, const struct chr_osc_message *message);

/* Handlers of commands in other files. */
void chr_osc_status(struct chr_osc *osc, const struct chr_osc_message *message);
void chr_osc_modules(struct chr_osc *osc, const struct chr_osc_message *message);
void chr_osc_describe(struct chr_osc *osc, const struct chr_osc_message *message);
void chr_osc_subscribe(struct chr_osc *osc, const struct chr_osc_message *message);
void chr_osc_unsubscribe(struct chr_osc *osc, const struct chr_osc_message *message);
void chr_osc_edit(struct chr_osc *osc, const struct chr_osc_message *message);
void chr_osc_connections(struct chr_osc *osc, const struct chr_osc_message *message);

/* osc_subscribe.c: sends what was gathered while osc->in_pass. */
void chr_osc_tell_gathered(struct chr_osc *osc);

/* osc_reply.c. Sends a message to the sender of the packet at hand, or to anybody, and frees it. */
void chr_osc_reply(struct chr_osc *osc, const char *path, lo_message message);
void chr_osc_send(struct chr_osc *osc, const struct chr_osc_peer *to, const char *path, lo_message message);

/* Sends "<path> count": how many datagrams were sent since osc->sent was `before`. */
void chr_osc_reply_end(struct chr_osc *osc, const char *path, uint64_t before);

/* Counts an error and tells the sender, as far as the limits allow. */
void chr_osc_error(struct chr_osc *osc, const char *address, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A number from an argument (i h f d T F), which may stand at any address. False for other types. */
bool chr_osc_number(char type, const lo_arg *arg, double *number);

/* The text of an argument of type s. liblo gives no heed to the alignment of its union, so members of it are never named. */
static inline const char *chr_osc_text(const lo_arg *arg)
{
	return (const char *)arg;
}

#endif
