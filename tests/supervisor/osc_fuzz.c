#include "tests/supervisor/osc_fuzz.h"

#include "supervisor/osc_private.h"
#include "tests/supervisor/osc_bed.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_MAX 2048
#define SEEDS_MAX  64

static struct osc_bed *bed;
static uint64_t handled;
static uint32_t state;

static struct {
	unsigned char data[PACKET_MAX];
	size_t bytes;
} seed[SEEDS_MAX];
static unsigned seeds;

static void demand(bool held, const char *what)
{
	if (held)
		return;
	fprintf(stderr, "osc_fuzz: %s after %llu datagrams\n", what, (unsigned long long)handled);
	abort();
}

static void check_values(void)
{
	for (unsigned u = 0; u < FAKE_UNITS; u++) {
		const struct chr_unit *unit = &bed->fake->unit[u];

		for (unsigned p = 0; p < unit->type->param_count; p++) {
			float value = unit->value[p];

			demand(value >= unit->type->param[p].min && value <= unit->type->param[p].max, "a value is out of range");
		}
	}
}

static void check_events(void)
{
	struct chr_event e;

	for (unsigned u = 0; u < FAKE_UNITS; u++) {
		const struct chr_descriptor *type = bed->fake->unit[u].type;

		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			while (fake_rack_next(bed->fake, u, lane, &e)) {
				demand(e.version == CHR_EVENT_VERSION && e.kind == CHR_EVENT_PARAM, "a strange event");
				demand(e.index < type->param_count, "an event for no parameter");
				demand(e.value >= type->param[e.index].min && e.value <= type->param[e.index].max,
				       "an event out of range");
			}
		}
	}
}

static void begin(void)
{
	bed = calloc(1, sizeof *bed);
	demand(bed != NULL, "no memory");
	bed_open(bed);
	chr_osc_receive(bed->osc);
}

void osc_fuzz_end(void)
{
	bed_close(bed);
	free(bed);
	bed = NULL;
}

void osc_fuzz_one(const uint8_t *data, size_t bytes)
{
	struct chr_osc_datagram datagram = {.real_ns = chr_osc_real_ns(), .bytes = (uint32_t)bytes};
	float before[FAKE_UNITS][CHR_PARAMS_MAX];

	if (!bed)
		begin();
	/* In memory of just its size, where a step too far is seen. */
	unsigned char *copy = malloc(bytes ? bytes : 1);
	demand(copy != NULL, "no memory");
	memcpy(copy, data, bytes);
	datagram.data = copy;
	if (handled++ % 64 == 0) {
		/* The limit of error replies would hide the making of most of them. */
		memset(bed->osc->limit, 0, sizeof bed->osc->limit);
		memset(&bed->osc->limit_all, 0, sizeof bed->osc->limit_all);
		bed->osc->now = bed->host.frame_now(bed);
		chr_rack_deliver(&bed->fake->rack, bed->osc->now);
		check_events();
		chr_osc_tell_gathered(bed->osc);
	}
	for (unsigned u = 0; u < FAKE_UNITS; u++)
		memcpy(before[u], bed->fake->unit[u].value, sizeof before[u]);
	uint64_t received = bed->fake->rack.totals.received, errors = bed->fake->rack.totals.errors;
	bed->osc->in_pass = true;
	chr_osc_packet(bed->osc, &datagram);
	bed->osc->in_pass = false;
	free(copy);
	check_values();
	received = bed->fake->rack.totals.received - received;
	errors = bed->fake->rack.totals.errors - errors;
	if (bytes < 8 || memcmp(data, "#bundle", 8) != 0)
		demand(received + (errors != 0) <= 1, "an error and an effect");
	for (unsigned u = 0; received == 0 && u < FAKE_UNITS; u++)
		demand(memcmp(before[u], bed->fake->unit[u].value, sizeof before[u]) == 0, "a value changed without a message");
}

static uint32_t dice(uint32_t sides)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % sides;
}

static void add_seed(const char *path, const char *types)
{
	lo_message message = lo_message_new();

	for (const char *t = types; *t; t++) {
		switch (*t) {
		case 'f':
			lo_message_add_float(message, 100);
			break;
		case 'i':
			lo_message_add_int32(message, 1);
			break;
		case 's':
			lo_message_add_string(message, "notch");
			break;
		case 'm':
			lo_message_add_string(message, "osc1");
			break;
		case 'd':
			lo_message_add_double(message, 0.25);
			break;
		case 'h':
			lo_message_add_int64(message, 1000);
			break;
		case 'T':
			lo_message_add_true(message);
			break;
		default:
			lo_message_add_blob(message, (lo_blob)(void *)&(struct {
						    uint32_t size;
						    char data[8];
					    }){5, "blobs"});
		}
	}
	size_t bytes = lo_message_length(message, path);
	demand(bytes <= PACKET_MAX && seeds < SEEDS_MAX, "too many seeds");
	lo_message_serialise(message, path, seed[seeds].data, &bytes);
	seed[seeds++].bytes = bytes;
	lo_message_free(message);
}

/* A bundle of earlier seeds, which may be bundles themselves. */
static void add_bundle(uint64_t timetag, unsigned first, unsigned count)
{
	unsigned char *at = bed_bundle(seed[seeds].data, timetag);

	for (unsigned i = first; i < first + count; i++) {
		uint32_t size = htonl((uint32_t)seed[i].bytes);

		memcpy(at, &size, 4);
		memcpy(at + 4, seed[i].data, seed[i].bytes);
		at += 4 + seed[i].bytes;
	}
	seed[seeds].bytes = (size_t)(at - seed[seeds].data);
	seeds++;
}

static void make_seeds(void)
{
	static const char *const messages[][2] = {
		{"/osc1/freq", "f"},
		{"/osc1/freq", "ff"},
		{"/osc1/level", "d"},
		{"/osc1/gate", "T"},
		{"/osc2/gate", "i"},
		{"/osc1/mode", "s"},
		{"/osc2/freq", "hi"},
		{"/*/level", "d"},
		{"/osc[1-2]/*", "i"},
		{"/{osc1,drum}/l*", "d"},
		{"/osc?/freq", "f"},
		{"/osc1/freq", ""},
		{"/*/*", ""},
		{"/chronus/ping", "isdb"},
		{"/chronus/status", ""},
		{"/chronus/modules", ""},
		{"/chronus/clock", ""},
		{"/chronus/describe", "m"},
		{"/chronus/subscribe", "i"},
		{"/chronus/unsubscribe", ""},
		{"/chronus/restart", "m"},
		{"/chronus/help", ""},
	};
	uint64_t soon = chr_osc_ns_timetag(chr_osc_real_ns() + 10000000000);

	for (unsigned i = 0; i < sizeof messages / sizeof *messages; i++)
		add_seed(messages[i][0], messages[i][1]);
	add_bundle(CHR_OSC_IMMEDIATELY, 0, 4);
	add_bundle(soon, 4, 4);
	add_bundle(CHR_OSC_IMMEDIATELY, seeds - 2, 2);
	for (unsigned depth = 0; depth < 10; depth++)
		add_bundle(soon, seeds - 1, 1);
}

static size_t splice(unsigned char *data, size_t bytes)
{
	unsigned other = dice(seeds);
	size_t from = dice((uint32_t)seed[other].bytes) & ~3u, to = dice((uint32_t)bytes + 1) & ~3u;
	size_t count = seed[other].bytes - from;

	if (to + count > PACKET_MAX)
		count = PACKET_MAX - to;
	memcpy(data + to, seed[other].data + from, count);
	return to + count;
}

/* Damages a datagram in one way. Returns its new size. */
static size_t damage(unsigned char *data, size_t bytes)
{
	static const uint32_t odd[] = {0, 1, 4, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fc00000, 0x7f800000, 0xff7fffff};
	static const char sharp[] = "/,*?[]{}#-!\\ifsbhdtTFN\0\xff";
	size_t at = bytes ? dice((uint32_t)bytes) : 0;
	uint32_t word = htonl(odd[dice(sizeof odd / sizeof *odd)]);

	switch (bytes < 4 ? 6u : dice(7)) {
	case 0:
		data[at] ^= (unsigned char)(1u << dice(8));
		return bytes;
	case 1:
		data[at] = (unsigned char)dice(256);
		return bytes;
	case 2:
		data[at] = (unsigned char)sharp[dice(sizeof sharp)];
		return bytes;
	case 3:
		memcpy(data + (at & ~(size_t)3), &word, bytes - (at & ~(size_t)3) < 4 ? 1 : 4);
		return bytes;
	case 4:
		return at;
	case 5:
		return splice(data, bytes);
	default:
		for (unsigned n = dice(9); n > 0 && bytes < PACKET_MAX; n--)
			data[bytes++] = dice(2) ? 0 : (unsigned char)dice(256);
		return bytes;
	}
}

uint64_t osc_fuzz_run(uint64_t count, uint32_t with)
{
	unsigned char data[PACKET_MAX];

	state = with | 1;
	if (!bed)
		begin();
	if (seeds == 0)
		make_seeds();
	uint64_t received = bed->fake->rack.totals.received;
	for (uint64_t n = 0; n < count; n++) {
		unsigned pick = dice(seeds);
		size_t bytes = seed[pick].bytes;

		memcpy(data, seed[pick].data, bytes);
		if (dice(16) == 0) {
			bytes = dice(200);
			for (size_t i = 0; i < bytes; i++)
				data[i] = (unsigned char)dice(256);
		}
		for (unsigned i = dice(5); i > 0; i--)
			bytes = damage(data, bytes);
		osc_fuzz_one(data, bytes);
	}
	return bed->fake->rack.totals.received - received;
}
