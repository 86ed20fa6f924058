#include "tests/lib/peer.h"

#include "tests/lib/child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int chr_peer_open(struct chr_peer *peer, unsigned port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int bytes = 4 << 20;
	peer->serial = 0;
	peer->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (peer->fd < 0)
		return -errno;
	setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	if (connect(peer->fd, (struct sockaddr *)&to, sizeof to) < 0) {
		int status = -errno;
		close(peer->fd);
		return status;
	}
	return 0;
}

void chr_peer_close(struct chr_peer *peer)
{
	close(peer->fd);
	peer->fd = -1;
}

void chr_peer_send_raw(struct chr_peer *peer, const void *bytes, size_t count)
{
	/* ECONNREFUSED is the news of an earlier datagram that met no listener; this one has not been sent. */
	while (send(peer->fd, bytes, count, 0) < 0 && (errno == EINTR || errno == ECONNREFUSED))
		if (errno == ECONNREFUSED && send(peer->fd, bytes, count, 0) >= 0)
			return;
}

static lo_message make_message(const char *types, va_list args)
{
	lo_message m = lo_message_new();
	for (; *types; types++) {
		switch (*types) {
		case 'i':
			lo_message_add_int32(m, va_arg(args, int));
			break;
		case 'h':
			lo_message_add_int64(m, va_arg(args, int64_t));
			break;
		case 'f':
			lo_message_add_float(m, (float)va_arg(args, double));
			break;
		case 'd':
			lo_message_add_double(m, va_arg(args, double));
			break;
		case 's':
			lo_message_add_string(m, va_arg(args, const char *));
			break;
		case 't':
			lo_message_add_timetag(m, va_arg(args, lo_timetag));
			break;
		case 'T':
			lo_message_add_true(m);
			break;
		case 'F':
			lo_message_add_false(m);
			break;
		default:
			abort();
		}
	}
	return m;
}

void chr_peer_send(struct chr_peer *peer, const char *path, const char *types, ...)
{
	va_list args;
	va_start(args, types);
	lo_message m = make_message(types, args);
	va_end(args);
	size_t bytes;
	void *text = lo_message_serialise(m, path, NULL, &bytes);
	chr_peer_send_raw(peer, text, bytes);
	free(text);
	lo_message_free(m);
}

void chr_peer_send_at(struct chr_peer *peer, lo_timetag when, const char *path, const char *types, ...)
{
	va_list args;
	va_start(args, types);
	lo_bundle bundle = lo_bundle_new(when);
	lo_bundle_add_message(bundle, path, make_message(types, args));
	va_end(args);
	size_t bytes;
	void *text = lo_bundle_serialise(bundle, NULL, &bytes);
	chr_peer_send_raw(peer, text, bytes);
	free(text);
	lo_bundle_free_recursive(bundle);
}

bool chr_peer_receive(struct chr_peer *peer, int timeout_ms, struct chr_reply *reply)
{
	char text[65536];
	for (long long end = chr_now_ms() + timeout_ms;;) {
		long long left = end - chr_now_ms();
		struct pollfd p = {.fd = peer->fd, .events = POLLIN};
		if (poll(&p, 1, left > 0 ? (int)left : 0) == 0)
			return false;
		ssize_t count = recv(peer->fd, text, sizeof text, MSG_DONTWAIT);
		if (count <= 0)
			continue;
		reply->message = lo_message_deserialise(text, (size_t)count, NULL);
		if (!reply->message)
			continue;
		snprintf(reply->path, sizeof reply->path, "%.*s", (int)sizeof reply->path - 1, text);
		return true;
	}
}

void chr_reply_finish(struct chr_reply *reply)
{
	lo_message_free(reply->message);
	reply->message = NULL;
}

bool chr_peer_expect(struct chr_peer *peer, const char *path, int timeout_ms, struct chr_reply *reply)
{
	for (long long end = chr_now_ms() + timeout_ms; chr_now_ms() <= end;) {
		if (!chr_peer_receive(peer, (int)(end - chr_now_ms()), reply))
			return false;
		if (strcmp(reply->path, path) == 0)
			return true;
		chr_reply_finish(reply);
	}
	return false;
}

bool chr_peer_barrier(struct chr_peer *peer, int timeout_ms)
{
	int serial = ++peer->serial;
	struct chr_reply reply;
	chr_peer_send(peer, "/chronus/ping", "i", serial);
	for (long long end = chr_now_ms() + timeout_ms;
	     chr_peer_expect(peer, "/chronus/pong", (int)(end - chr_now_ms()), &reply);) {
		bool ours = chr_reply_number(&reply, 0) == serial;
		chr_reply_finish(&reply);
		if (ours)
			return true;
	}
	return false;
}

/* liblo's arguments lie at multiples of four bytes: they are copied out, not looked at as what they are. */
static const void *argument(const struct chr_reply *reply, int i, char *type)
{
	if (i < 0 || i >= lo_message_get_argc(reply->message))
		return NULL;
	*type = lo_message_get_types(reply->message)[i];
	return lo_message_get_argv(reply->message)[i];
}

double chr_reply_number(const struct chr_reply *reply, int i)
{
	char type;
	const void *at = argument(reply, i, &type);
	union {
		int32_t i;
		int64_t h;
		float f;
		double d;
	} value;
	if (!at)
		return NAN;
	switch (type) {
	case 'i':
		memcpy(&value.i, at, sizeof value.i);
		return value.i;
	case 'h':
		memcpy(&value.h, at, sizeof value.h);
		return (double)value.h;
	case 'f':
		memcpy(&value.f, at, sizeof value.f);
		return value.f;
	case 'd':
		memcpy(&value.d, at, sizeof value.d);
		return value.d;
	case 'T':
		return 1.0;
	case 'F':
		return 0.0;
	default:
		return NAN;
	}
}

const char *chr_reply_string(const struct chr_reply *reply, int i)
{
	char type;
	const void *at = argument(reply, i, &type);
	return at && type == 's' ? at : "";
}

uint64_t chr_reply_timetag(const struct chr_reply *reply, int i)
{
	char type;
	const void *at = argument(reply, i, &type);
	lo_timetag t = {0};
	if (at && type == 't')
		memcpy(&t, at, sizeof t);
	return (uint64_t)t.sec << 32 | t.frac;
}

int chr_reply_key(const struct chr_reply *reply, const char *key)
{
	int count = lo_message_get_argc(reply->message);
	for (int i = 0; i + 1 < count; i += 2)
		if (strcmp(chr_reply_string(reply, i), key) == 0)
			return i + 1;
	return -1;
}

double chr_peer_ask(struct chr_peer *peer, const char *path)
{
	struct chr_reply reply;
	chr_peer_send(peer, path, "");
	if (!chr_peer_expect(peer, path, 2000, &reply))
		return NAN;
	double value = chr_reply_number(&reply, 0);
	chr_reply_finish(&reply);
	return value;
}
