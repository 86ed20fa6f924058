#include "tests/lib/manager.h"

#include "tests/lib/child.h"

#include <arpa/inet.h>
#include <lo/lo.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int manager = -1;
static struct sockaddr_in peer; /* the client that spoke last */
static char heard[1024];

void chr_manager_start(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof at;
	char url[64];
	manager = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(manager, (struct sockaddr *)&at, sizeof at) || getsockname(manager, (struct sockaddr *)&at, &bytes))
		abort();
	snprintf(url, sizeof url, "osc.udp://127.0.0.1:%u/", ntohs(at.sin_port));
	setenv("NSM_URL", url, 1);
	heard[0] = 0;
}

void chr_manager_leave(void)
{
	close(manager);
	manager = -1;
}

void chr_manager_stop(void)
{
	unsetenv("NSM_URL");
	chr_manager_leave();
}

const char *chr_manager_heard(void)
{
	return heard;
}

/* `data` as text. False when it is no message. */
static bool read_message(char *data, size_t bytes)
{
	lo_message message = lo_message_deserialise(data, bytes, NULL);
	if (!message)
		return false;
	int at = snprintf(heard, sizeof heard, "%s", data);
	const char *types = lo_message_get_types(message);
	for (int i = 0; i < lo_message_get_argc(message) && (size_t)at < sizeof heard; i++) {
		const void *arg = lo_message_get_argv(message)[i]; /* aligned to four bytes, the union to eight */
		int32_t number;
		float fraction;
		memcpy(&number, arg, sizeof number);
		memcpy(&fraction, arg, sizeof fraction);
		size_t room = sizeof heard - (size_t)at;
		if (types[i] == 's')
			at += snprintf(heard + at, room, " %s", (const char *)arg);
		else if (types[i] == 'f')
			at += snprintf(heard + at, room, " %.2f", (double)fraction);
		else
			at += snprintf(heard + at, room, " %d", number);
	}
	lo_message_free(message);
	return true;
}

bool chr_manager_await(const char *beginning, int timeout_ms)
{
	for (long long end = chr_now_ms() + timeout_ms, now; (now = chr_now_ms()) < end;) {
		char data[4096];
		socklen_t bytes = sizeof peer;
		struct pollfd ready = {.fd = manager, .events = POLLIN};
		if (poll(&ready, 1, (int)(end - now)) <= 0)
			break;
		ssize_t n = recvfrom(manager, data, sizeof data, 0, (struct sockaddr *)&peer, &bytes);
		if (n > 0 && read_message(data, (size_t)n) && strncmp(heard, beginning, strlen(beginning)) == 0)
			return true;
	}
	return false;
}

void chr_manager_say(const char *path, const char *a, const char *b, const char *c)
{
	const char *text[] = {a, b, c};
	char data[4096];
	size_t bytes = sizeof data;
	lo_message message = lo_message_new();
	for (int i = 0; i < 3 && text[i]; i++)
		lo_message_add_string(message, text[i]);
	if (!lo_message_serialise(message, path, data, &bytes) ||
	    sendto(manager, data, bytes, 0, (struct sockaddr *)&peer, sizeof peer) != (ssize_t)bytes)
		abort();
	lo_message_free(message);
}
