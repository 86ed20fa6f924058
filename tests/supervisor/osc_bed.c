#include "tests/supervisor/osc_bed.h"

#include "supervisor/osc_clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Without Check, because the benches and the fuzz program use the bed, too. */
__attribute__((format(printf, 2, 3))) static void must(bool held, const char *format, ...)
{
	va_list args;

	if (held)
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

static uint64_t time_now_us(void *self)
{
	const struct osc_bed *bed = self;

	return (uint64_t)(chr_osc_real_ns() - bed->start_ns) / 1000;
}

static uint32_t time_to_frame(void *self, uint64_t us)
{
	(void)self;
	return BED_FIRST_FRAME + (uint32_t)((us * 48 + 500) / 1000);
}

static uint32_t frame_now(void *self)
{
	return time_to_frame(self, time_now_us(self));
}

static uint32_t cycle_start(void *self)
{
	const struct osc_bed *bed = self;

	return bed->cycle;
}

static const struct chr_descriptor *type(void *self, const char *name, const char **why)
{
	const struct osc_bed *bed = self;

	if (strcmp(name, "voice") == 0)
		return &bed->fake->voice;
	if (strcmp(name, "bell") == 0)
		return &bed->fake->bell;
	*why = strcmp(name, "broken") == 0 ? "broken.so: another ABI" : NULL;
	return NULL;
}

static void types(void *self, void (*each)(void *arg, const char *type), void *arg)
{
	(void)self;
	each(arg, "voice");
	each(arg, "broken");
	each(arg, "bell");
}

static int restart(void *self, const char *module)
{
	struct osc_bed *bed = self;

	if (strcmp(module, "osc1") != 0)
		return -EBUSY;
	bed->restarts++;
	return 0;
}

static void quit(void *self)
{
	struct osc_bed *bed = self;

	bed->quits++;
}

struct chr_osc_host bed_host(struct osc_bed *bed)
{
	return (struct chr_osc_host){
		.self = bed,
		.rack = &bed->fake->rack,
		.frame_now = frame_now,
		.time_now_us = time_now_us,
		.time_to_frame = time_to_frame,
		.type = type,
		.types = types,
		.restart = restart,
		.quit = quit,
		.cycle_start = cycle_start,
		.file = "test.cfg",
		.server = "test",
	};
}

void bed_open(struct osc_bed *bed)
{
	int error;

	memset(bed, 0, sizeof *bed);
	bed->start_ns = chr_osc_real_ns() - 10 * INT64_C(1000000000); /* so that it can go back */
	bed->fake = fake_rack_create();
	bed->host = bed_host(bed);
	bed->osc = chr_osc_create("127.0.0.1", 0, &bed->host, &error);
	must(bed->osc != NULL, "chr_osc_create: %s", strerror(-error));
	bed->client = bed_client(bed);
}

void bed_close(struct osc_bed *bed)
{
	if (bed->message)
		lo_message_free(bed->message);
	close(bed->client);
	chr_osc_destroy(bed->osc);
	fake_rack_destroy(bed->fake);
}

int bed_client(const struct osc_bed *bed)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)chr_osc_port(bed->osc))};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd >= 0, "socket: %s", strerror(errno));
	must(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "connect: %s", strerror(errno));
	return fd;
}

void bed_send_raw(struct osc_bed *bed, const void *data, size_t bytes)
{
	must(send(bed->client, data, bytes, 0) == (ssize_t)bytes, "send: %s", strerror(errno));
	chr_osc_receive(bed->osc);
}

void bed_send(struct osc_bed *bed, const char *path, const char *tags, ...)
{
	unsigned char data[4096];
	size_t bytes = sizeof data;
	lo_message message = lo_message_new();
	va_list args;

	va_start(args, tags);
	for (const char *tag = tags; *tag; tag++) {
		switch (*tag) {
		case 'i':
			lo_message_add_int32(message, va_arg(args, int));
			break;
		case 'h':
			lo_message_add_int64(message, va_arg(args, int64_t));
			break;
		case 'f':
			lo_message_add_float(message, (float)va_arg(args, double));
			break;
		case 'd':
			lo_message_add_double(message, va_arg(args, double));
			break;
		case 's':
			lo_message_add_string(message, va_arg(args, const char *));
			break;
		case 'T':
			lo_message_add_true(message);
			break;
		case 'F':
			lo_message_add_false(message);
			break;
		case 'N':
			lo_message_add_nil(message);
			break;
		default:
			must(false, "no tag %c", *tag);
		}
	}
	va_end(args);
	must(lo_message_length(message, path) <= sizeof data, "%s: too long", path);
	lo_message_serialise(message, path, data, &bytes);
	lo_message_free(message);
	bed_send_raw(bed, data, bytes);
}

unsigned char *bed_element(unsigned char *at, const char *path, float value)
{
	lo_message message = lo_message_new();
	size_t bytes;

	lo_message_add_float(message, value);
	lo_message_serialise(message, path, at + 4, &bytes);
	lo_message_free(message);
	uint32_t size = htonl((uint32_t)bytes);
	memcpy(at, &size, 4);
	return at + 4 + bytes;
}

unsigned char *bed_bundle(unsigned char *at, uint64_t timetag)
{
	uint32_t parts[2] = {htonl((uint32_t)(timetag >> 32)), htonl((uint32_t)timetag)};

	memcpy(at, "#bundle", 8);
	memcpy(at + 8, parts, 8);
	return at + 16;
}

bool bed_reply(struct osc_bed *bed)
{
	static _Alignas(8) unsigned char data[65536];
	struct pollfd poller = {.fd = bed->client, .events = POLLIN};
	int result;

	if (bed->message)
		lo_message_free(bed->message);
	bed->message = NULL;
	if (poll(&poller, 1, 2000) != 1)
		return false;
	ssize_t bytes = recv(bed->client, data, sizeof data, 0);
	must(bytes > 0, "recv: %s", strerror(errno));
	bed->message = lo_message_deserialise(data, (size_t)bytes, &result);
	must(bed->message != NULL, "a reply that liblo cannot read: %d", result);
	snprintf(bed->path, sizeof bed->path, "%.511s", (const char *)data);
	bed->types = lo_message_get_types(bed->message);
	bed->argv = lo_message_get_argv(bed->message);
	bed->argc = lo_message_get_argc(bed->message);
	return true;
}

bool bed_silent(struct osc_bed *bed)
{
	bed_send(bed, "/chronus/ping", "s", "silent");
	return bed_reply(bed) && strcmp(bed->path, "/chronus/pong") == 0;
}

void bed_expect_error(struct osc_bed *bed, const char *address, const char *reason)
{
	must(bed_reply(bed), "no error about %s", address);
	must(strcmp(bed->path, "/chronus/error") == 0 && strcmp(bed->types, "ss") == 0, "no error about %s but %s", address,
	     bed->path);
	must(strcmp(bed_text(bed, 0), address) == 0, "an error about %s, not %s", bed_text(bed, 0), address);
	must(strstr(bed_text(bed, 1), reason) != NULL, "%s: '%s' lacks '%s'", address, bed_text(bed, 1), reason);
}

const char *bed_text(const struct osc_bed *bed, int arg)
{
	must(arg >= 0 && arg < bed->argc && bed->types[arg] == 's', "%s: argument %d is no text", bed->path, arg);
	return (const char *)bed->argv[arg];
}

double bed_number(const struct osc_bed *bed, int arg)
{
	union {
		int32_t i;
		int64_t h;
		float f;
		double d;
	} value;

	must(arg >= 0 && arg < bed->argc && strchr("ihfd", bed->types[arg]), "%s: argument %d is no number", bed->path, arg);
	memcpy(&value, bed->argv[arg], strchr("hd", bed->types[arg]) ? 8 : 4);
	switch (bed->types[arg]) {
	case 'i':
		return value.i;
	case 'h':
		return (double)value.h;
	case 'f':
		return (double)value.f;
	default:
		return value.d;
	}
}

int bed_key(const struct osc_bed *bed, const char *key)
{
	for (int i = 0; i + 1 < bed->argc; i += 2) {
		if (strcmp(bed_text(bed, i), key) == 0)
			return i + 1;
	}
	return -1;
}
