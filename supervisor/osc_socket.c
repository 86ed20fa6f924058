#include "supervisor/osc_socket.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define BATCH         64
#define STRIDE        (CHR_OSC_DATAGRAM_MAX + 192) /* so that the batch's buffers do not all fall on the same lines of the cache */
#define CONTROL_BYTES 128
#define BUFFER_BYTES  (16 << 20)

struct chr_osc_inlet {
	struct mmsghdr header[BATCH];
	struct iovec data[BATCH];
	struct sockaddr_in6 from[BATCH];
	_Alignas(struct cmsghdr) unsigned char control[BATCH][CONTROL_BYTES];
	unsigned char bytes[BATCH][STRIDE];
};

/* Best effort: a system that refuses one of these still works, only with less comfort. */
static void set_options(int fd)
{
	const int on = 1, bytes = BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
}

static int bind_one(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	set_options(fd);
	if (bind(fd, info->ai_addr, info->ai_addrlen) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

static int bind_host(const char *host, unsigned port)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list;
	char service[8];
	int fd = -EADDRNOTAVAIL;

	if (port > 65535)
		return -EINVAL;
	snprintf(service, sizeof service, "%u", port);
	/* a bare system may lack the name */
	if (!host || !*host || strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	int failed = getaddrinfo(host, service, &hints, &list);
	if (failed)
		return failed == EAI_SYSTEM ? -errno : failed == EAI_MEMORY ? -ENOMEM : -EADDRNOTAVAIL;
	for (int six = 0; six <= 1 && fd < 0; six++) {
		for (const struct addrinfo *info = list; info && fd < 0; info = info->ai_next) {
			if (info->ai_family == (six ? AF_INET6 : AF_INET))
				fd = bind_one(info);
		}
		if (fd == -EADDRINUSE)
			break;
	}
	freeaddrinfo(list);
	return fd;
}

static void *reserve(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static unsigned bound_port(int fd)
{
	struct sockaddr_in6 bound = {0};
	socklen_t bytes = sizeof bound;

	/* The port stands in the same place in both families. */
	return getsockname(fd, (struct sockaddr *)&bound, &bytes) == 0 ? ntohs(bound.sin6_port) : 0;
}

/* For the next datagram: the kernel leaves its lengths in the headers that it used, and in no others. */
static void make_ready(struct chr_osc_inlet *inlet, unsigned i)
{
	inlet->header[i].msg_hdr.msg_namelen = sizeof inlet->from[i];
	inlet->header[i].msg_hdr.msg_controllen = CONTROL_BYTES;
}

int chr_osc_socket_open(struct chr_osc_socket *sock, const char *host, unsigned port)
{
	memset(sock, 0, sizeof *sock);
	sock->fd = bind_host(host, port);
	if (sock->fd < 0)
		return sock->fd;
	sock->port = bound_port(sock->fd);
	sock->datagram = reserve(CHR_OSC_DATAGRAMS * sizeof *sock->datagram);
	sock->arena = reserve(CHR_OSC_ARENA_BYTES);
	sock->inlet = calloc(1, sizeof *sock->inlet);
	if (!sock->datagram || !sock->arena || !sock->inlet) {
		chr_osc_socket_close(sock);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < BATCH; i++) {
		struct chr_osc_inlet *inlet = sock->inlet;

		inlet->data[i] = (struct iovec){inlet->bytes[i], CHR_OSC_DATAGRAM_MAX};
		inlet->header[i].msg_hdr = (struct msghdr){
			.msg_name = &inlet->from[i],
			.msg_iov = &inlet->data[i],
			.msg_iovlen = 1,
			.msg_control = inlet->control[i],
		};
		make_ready(inlet, i);
	}
	return 0;
}

void chr_osc_socket_close(struct chr_osc_socket *sock)
{
	if (sock->datagram)
		munmap(sock->datagram, CHR_OSC_DATAGRAMS * sizeof *sock->datagram);
	if (sock->arena)
		munmap(sock->arena, CHR_OSC_ARENA_BYTES);
	free(sock->inlet);
	if (sock->fd >= 0)
		close(sock->fd);
	memset(sock, 0, sizeof *sock);
	sock->fd = -1;
}

static void read_control(struct chr_osc_socket *sock, struct msghdr *header, struct chr_osc_datagram *datagram)
{
	datagram->real_ns = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec at;

			memcpy(&at, CMSG_DATA(c), sizeof at);
			datagram->real_ns = at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
		} else if (c->cmsg_type == SO_RXQ_OVFL) {
			uint32_t overflow;

			memcpy(&overflow, CMSG_DATA(c), sizeof overflow);
			sock->dropped += overflow - sock->overflow_seen;
			sock->overflow_seen = overflow;
		}
	}
}

static void keep(struct chr_osc_socket *sock, unsigned i)
{
	struct chr_osc_inlet *inlet = sock->inlet;
	struct msghdr *header = &inlet->header[i].msg_hdr;
	struct chr_osc_datagram *datagram = &sock->datagram[sock->count++];

	read_control(sock, header, datagram);
	datagram->bytes = inlet->header[i].msg_len;
	datagram->data = sock->arena + sock->used_bytes;
	memcpy(sock->arena + sock->used_bytes, inlet->bytes[i], datagram->bytes);
	sock->used_bytes += (datagram->bytes + 7) & ~7u;
	datagram->from.bytes = header->msg_namelen <= sizeof datagram->from.address ? header->msg_namelen : 0;
	memcpy(&datagram->from.address, &inlet->from[i], sizeof datagram->from.address);
	make_ready(inlet, i);
}

bool chr_osc_socket_drain(struct chr_osc_socket *sock)
{
	for (;;) {
		unsigned room = (CHR_OSC_ARENA_BYTES - sock->used_bytes) / CHR_OSC_DATAGRAM_MAX;

		if (room > CHR_OSC_DATAGRAMS - sock->count)
			room = CHR_OSC_DATAGRAMS - sock->count;
		if (room == 0)
			return false;
		if (room > BATCH)
			room = BATCH;
		int n = recvmmsg(sock->fd, sock->inlet->header, room, MSG_DONTWAIT, NULL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return true;
		for (int i = 0; i < n; i++)
			keep(sock, (unsigned)i);
		if ((unsigned)n < room)
			return true;
	}
}

const struct chr_osc_datagram *chr_osc_socket_next(struct chr_osc_socket *sock)
{
	return sock->next < sock->count ? &sock->datagram[sock->next++] : NULL;
}

void chr_osc_socket_rewind(struct chr_osc_socket *sock)
{
	sock->count = sock->next = 0;
	sock->used_bytes = 0;
}

void chr_osc_socket_send(const struct chr_osc_socket *sock, const struct chr_osc_peer *to, const void *data, size_t bytes)
{
	ssize_t sent = 0;

	if (to->bytes > 0)
		sent = sendto(sock->fd, data, bytes, MSG_DONTWAIT | MSG_NOSIGNAL, &to->address.any, to->bytes);
	(void)sent; /* UDP promises nothing: a reply that finds no room is a reply lost on the way */
}

bool chr_osc_peer_equal(const struct chr_osc_peer *a, const struct chr_osc_peer *b)
{
	if (a->bytes != b->bytes || a->address.any.sa_family != b->address.any.sa_family)
		return false;
	if (a->address.any.sa_family == AF_INET)
		return a->address.in.sin_port == b->address.in.sin_port &&
		       a->address.in.sin_addr.s_addr == b->address.in.sin_addr.s_addr;
	return a->address.in6.sin6_port == b->address.in6.sin6_port &&
	       a->address.in6.sin6_scope_id == b->address.in6.sin6_scope_id &&
	       memcmp(&a->address.in6.sin6_addr, &b->address.in6.sin6_addr, sizeof(struct in6_addr)) == 0;
}

uint32_t chr_osc_peer_hash(const struct chr_osc_peer *peer)
{
	const unsigned char *bytes = (const unsigned char *)&peer->address;
	uint32_t hash = 2166136261u;

	for (socklen_t i = 0; i < peer->bytes && i < sizeof peer->address; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return hash;
}
