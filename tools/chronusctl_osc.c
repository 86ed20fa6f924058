#include "tools/chronusctl_osc.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAM_MAX   65536
#define RECEIVE_BUFFER (4 << 20) /* bytes asked for; a status of many modules comes as one burst */

uint64_t chr_osc_now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* IPv4 first: "localhost" may name ::1 before 127.0.0.1, and chronus binds the latter. */
static struct addrinfo *resolve(const char *host, unsigned port)
{
	static const int family[] = {AF_INET, AF_INET6};
	char service[16];
	snprintf(service, sizeof service, "%u", port);
	for (size_t i = 0; i < sizeof family / sizeof family[0]; i++) {
		struct addrinfo hints = {.ai_family = family[i], .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
		struct addrinfo *found = NULL;
		if (getaddrinfo(host, service, &hints, &found) == 0)
			return found;
	}
	return NULL;
}

int chr_osc_client_open(struct chr_osc_client *client, const char *host, unsigned port)
{
	client->fd = -1;
	struct addrinfo *address = resolve(host, port);
	if (!address)
		return -EADDRNOTAVAIL;
	int error = 0;
	int fd = socket(address->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, address->ai_addr, address->ai_addrlen) != 0)
		error = -errno;
	freeaddrinfo(address);
	if (error) {
		if (fd >= 0)
			close(fd);
		return error;
	}
	int bytes = RECEIVE_BUFFER;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	client->fd = fd;
	return 0;
}

void chr_osc_client_close(struct chr_osc_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

int chr_osc_client_send(struct chr_osc_client *client, const char *path, lo_message message)
{
	lo_message empty = message ? NULL : lo_message_new();
	size_t bytes = 0;
	void *data = lo_message_serialise(message ? message : empty, path, NULL, &bytes);
	int error = data ? 0 : -ENOMEM;
	if (data && send(client->fd, data, bytes, MSG_NOSIGNAL) < 0)
		error = -errno;
	free(data);
	if (empty)
		lo_message_free(empty);
	return error;
}

/* 0 when `data` held a message, -EBADMSG when not. */
static int parse(char *data, size_t bytes, struct chr_osc_reply *reply)
{
	const char *path = bytes > 0 && data[0] == '/' ? lo_get_path(data, (ssize_t)bytes) : NULL;
	if (!path || strlen(path) >= sizeof reply->path)
		return -EBADMSG;
	int result = 0;
	reply->message = lo_message_deserialise(data, bytes, &result);
	if (!reply->message)
		return -EBADMSG;
	memcpy(reply->path, path, strlen(path) + 1);
	return 0;
}

int chr_osc_client_receive(struct chr_osc_client *client, uint64_t deadline_us, struct chr_osc_reply *reply)
{
	static _Alignas(8) char data[DATAGRAM_MAX];
	for (;;) {
		ssize_t bytes = recv(client->fd, data, sizeof data, 0);
		if (bytes >= 0) {
			if (parse(data, (size_t)bytes, reply) == 0)
				return 0;
			continue;
		}
		if (errno != EAGAIN)
			return -errno;
		uint64_t now_us = chr_osc_now_us();
		if (now_us >= deadline_us)
			return -ETIMEDOUT;
		struct pollfd wait = {.fd = client->fd, .events = POLLIN};
		struct timespec left = {.tv_sec = (time_t)((deadline_us - now_us) / 1000000u),
					.tv_nsec = (long)((deadline_us - now_us) % 1000000u) * 1000};
		if (ppoll(&wait, 1, &left, NULL) < 0)
			return -errno;
	}
}

void chr_osc_reply_finish(struct chr_osc_reply *reply)
{
	if (reply->message)
		lo_message_free(reply->message);
	reply->message = NULL;
}

/* Where the argument lies, when it is of that type. */
static const void *argument(lo_message message, int index, char type)
{
	const char *types = lo_message_get_types(message);
	if (!types || index < 0 || index >= lo_message_get_argc(message) || types[index] != type)
		return NULL;
	return lo_message_get_argv(message)[index];
}

static bool copy(lo_message message, int index, char type, void *value, size_t bytes)
{
	const void *from = argument(message, index, type);
	if (from)
		memcpy(value, from, bytes);
	return from != NULL;
}

bool chr_osc_int32(lo_message message, int index, int32_t *value)
{
	return copy(message, index, LO_INT32, value, sizeof *value);
}

bool chr_osc_int64(lo_message message, int index, int64_t *value)
{
	return copy(message, index, LO_INT64, value, sizeof *value);
}

bool chr_osc_float(lo_message message, int index, float *value)
{
	return copy(message, index, LO_FLOAT, value, sizeof *value);
}

bool chr_osc_double(lo_message message, int index, double *value)
{
	return copy(message, index, LO_DOUBLE, value, sizeof *value);
}

const char *chr_osc_string(lo_message message, int index)
{
	return argument(message, index, LO_STRING);
}
