/* The UDP socket of OSC, and the memory into which it is emptied before anything is decoded.
 *
 * A default receive buffer holds some hundred small datagrams. Taking them out costs a third of what sending them costs, decoding
 * them more; so the socket is emptied first, and again after every few messages, and a burst at full speed finds room. The
 * memory is reserved once (touched only as far as bursts need it) and used again from its start by each pass.
 *
 * Control thread only.
 */
#ifndef CHR_SUPERVISOR_OSC_SOCKET_H
#define CHR_SUPERVISOR_OSC_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define CHR_OSC_DATAGRAMS    65536u      /* of one pass at most */
#define CHR_OSC_ARENA_BYTES  (32u << 20) /* of one pass at most */
#define CHR_OSC_DATAGRAM_MAX 65536u      /* more than UDP can carry */

struct chr_osc_peer {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} address;
	socklen_t bytes; /* 0: nobody; what is sent there goes nowhere */
};

struct chr_osc_datagram {
	int64_t real_ns; /* the kernel's receive time (CLOCK_REALTIME) */
	struct chr_osc_peer from;
	uint32_t bytes;
	const unsigned char *data; /* 8-byte aligned, until chr_osc_socket_rewind() */
};

struct chr_osc_inlet;

struct chr_osc_socket {
	int fd;
	unsigned port;
	uint64_t dropped; /* datagrams that the kernel dropped for want of room, as far as later datagrams have told */
	uint32_t overflow_seen;
	struct chr_osc_datagram *datagram; /* mapped: CHR_OSC_DATAGRAMS */
	unsigned char *arena;              /* mapped: CHR_OSC_ARENA_BYTES */
	uint32_t count, next;              /* datagrams that came in this pass; the first one not yet taken */
	uint32_t used_bytes;
	struct chr_osc_inlet *inlet; /* heap: where recvmmsg puts one batch */
};

/* Binds a UDP socket. `host`: numeric or a name, IPv4 before IPv6; NULL or "" is 127.0.0.1. `port` 0: any. 0, or -errno (-EADDRINUSE,
 * -EACCES, -EADDRNOTAVAIL for a host that does not resolve or is not ours, -ENOMEM). On failure nothing is left to close. */
int chr_osc_socket_open(struct chr_osc_socket *sock, const char *host, unsigned port);
void chr_osc_socket_close(struct chr_osc_socket *sock);

/* Takes in what waits. True when the socket was emptied, false when there was no more room (the kernel keeps the rest). Never blocks. */
bool chr_osc_socket_drain(struct chr_osc_socket *sock);

/* The oldest datagram not yet taken, or NULL. */
const struct chr_osc_datagram *chr_osc_socket_next(struct chr_osc_socket *sock);

/* Begins a pass: forgets all datagrams. */
void chr_osc_socket_rewind(struct chr_osc_socket *sock);

/* Sends one datagram; a full send buffer drops it. Never blocks. */
void chr_osc_socket_send(const struct chr_osc_socket *sock, const struct chr_osc_peer *to, const void *data, size_t bytes);

/* Same address and port? */
bool chr_osc_peer_equal(const struct chr_osc_peer *a, const struct chr_osc_peer *b);

/* A number made of address and port, for tables. */
uint32_t chr_osc_peer_hash(const struct chr_osc_peer *peer);

#endif
