#include "tools/bench_flood.h"

#include "tools/bench_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <lo/lo.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ECHO_PRIORITY 50 /* as the supervisor's thread that it stands beside */

struct chr_packet chr_packet_make(const char *path, char type, double value)
{
	struct chr_packet packet = {.count = sizeof packet.bytes};
	lo_message m = lo_message_new();
	if (type == 'f')
		lo_message_add_float(m, (float)value);
	else if (type == 'i')
		lo_message_add_int32(m, (int32_t)value);
	if (lo_message_length(m, path) > sizeof packet.bytes || !lo_message_serialise(m, path, packet.bytes, &packet.count))
		abort();
	lo_message_free(m);
	return packet;
}

int chr_flood_open(unsigned port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void empty(int fd)
{
	char bytes[4096];
	while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) >= 0)
		;
}

double chr_flood_ask(int fd, const struct chr_packet *question)
{
	char bytes[4096];
	struct pollfd p = {.fd = fd, .events = POLLIN};
	empty(fd);
	uint64_t begin = chr_bench_now_ns();
	if (send(fd, question->bytes, question->count, 0) < 0 || poll(&p, 1, 1000) != 1 || recv(fd, bytes, sizeof bytes, 0) < 0)
		return NAN;
	return (double)(chr_bench_now_ns() - begin) / 1e6;
}

unsigned chr_flood_send(int fd, const struct chr_packet *message, unsigned count, double per_second)
{
	unsigned sent = 0;
	uint64_t begin = chr_bench_now_ns();
	for (unsigned i = 0; i < count; i++) {
		double ahead = per_second > 0 ? i / per_second - (double)(chr_bench_now_ns() - begin) / 1e9 : 0;
		if (ahead > 0.001)
			chr_bench_sleep_ms((unsigned)(ahead * 1000));
		sent += send(fd, message->bytes, message->count, 0) >= 0;
	}
	return sent;
}

double chr_flood_rate(int fd, const struct chr_packet *message, const struct chr_packet *question, unsigned batch, double seconds)
{
	uint64_t begin = chr_bench_now_ns(), count = 0;
	double passed = 0;
	while (passed < seconds) {
		count += chr_flood_send(fd, message, batch, 0);
		if (isnan(chr_flood_ask(fd, question)))
			return NAN;
		passed = (double)(chr_bench_now_ns() - begin) / 1e9;
	}
	return (double)count / passed;
}

static void echo(int fd)
{
	char bytes[4096];
	struct sockaddr_in from;
	for (;;) {
		socklen_t length = sizeof from;
		ssize_t count = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length);
		if (count >= 0)
			sendto(fd, bytes, (size_t)count, 0, (struct sockaddr *)&from, length);
	}
}

int chr_flood_echo(unsigned *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof at;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || getsockname(fd, (struct sockaddr *)&at, &length))
		return -1;
	*port = ntohs(at.sin_port);
	pid_t pid = fork();
	if (pid == 0) {
		chr_bench_forked((const int[]){fd, -1});
		chr_bench_hurry(ECHO_PRIORITY, -1);
		echo(fd);
	}
	close(fd);
	return (int)pid;
}
