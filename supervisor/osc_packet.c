/* A packet is checked as a whole before anything of it is carried out: sizes, padding, strings, type tags, arguments, bundles in bundles
 * and their times. What passes is safe for liblo, which reads the arguments.
 */
#include "supervisor/osc_private.h"

#include <string.h>

#define PACKET      "(packet)" /* stands for the address in errors about what has none */
#define BUNDLE_HEAD 16         /* "#bundle", NUL, timetag */

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t be64(const unsigned char *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

/* Bytes of a padded string at the start of `data`, or 0 when it does not end there properly. `length` without the NUL. */
static size_t string_bytes(const unsigned char *data, size_t bytes, size_t *length)
{
	const unsigned char *end = memchr(data, 0, bytes);

	if (!end)
		return 0;
	*length = (size_t)(end - data);
	size_t padded = (*length + 4) & ~(size_t)3;
	if (padded > bytes)
		return 0;
	for (size_t i = *length; i < padded; i++) {
		if (data[i] != 0)
			return 0;
	}
	return padded;
}

/* Bytes of an argument of that type, or -1 when it is not whole or the type is unknown. */
static long argument_bytes(char type, const unsigned char *data, size_t bytes)
{
	size_t need, length;

	switch (type) {
	case 'T':
	case 'F':
	case 'N':
	case 'I':
		return 0;
	case 'i':
	case 'f':
	case 'c':
	case 'm':
		need = 4;
		break;
	case 'h':
	case 'd':
	case 't':
		need = 8;
		break;
	case 's':
	case 'S':
		need = string_bytes(data, bytes, &length);
		return need ? (long)need : -1;
	case 'b':
		if (bytes < 4 || be32(data) > bytes - 4)
			return -1;
		need = 4 + (((size_t)be32(data) + 3) & ~(size_t)3);
		break;
	default:
		return -1;
	}
	return need <= bytes ? (long)need : -1;
}

/* Is every byte of an address one that OSC allows? The '#' begins bundles alone. */
static bool address_legal(const char *address)
{
	if (*address != '/')
		return false;
	for (const char *c = address; *c; c++) {
		if (*c <= ' ' || *c > '~' || *c == '#')
			return false;
	}
	return true;
}

/* Reads the shape of a message. NULL, or what is wrong; message->address is NULL as long as there is none to show. */
static const char *read_message(struct chr_osc_message *message, const unsigned char *data, size_t bytes)
{
	size_t length, at;

	*message = (struct chr_osc_message){.raw = data, .raw_bytes = bytes};
	at = string_bytes(data, bytes, &length);
	if (at == 0 || length >= CHR_OSC_ADDRESS_MAX || !address_legal((const char *)data))
		return "not an OSC address";
	message->address = (const char *)data;
	if (at == bytes || data[at] != ',')
		return "no type tags";
	size_t tags = string_bytes(data + at, bytes - at, &length);
	if (tags == 0)
		return "type tags do not end";
	if (length - 1 > CHR_OSC_ARGS_MAX)
		return "too many arguments";
	message->types = (const char *)data + at + 1;
	message->count = (unsigned)length - 1;
	at += tags;
	for (const char *type = message->types; *type; type++) {
		long argument = argument_bytes(*type, data + at, bytes - at);

		if (argument < 0)
			return "arguments are not whole or of an unknown type";
		at += (size_t)argument;
	}
	return at == bytes ? NULL : "bytes after the last argument";
}

static void run_message(struct chr_osc *osc, struct chr_osc_message *message, const struct chr_osc_when *when)
{
	bool system = strncmp(message->address, CHR_OSC_ROOT, sizeof CHR_OSC_ROOT - 1) == 0;
	int result = 0;

	message->lo = lo_message_deserialise((void *)message->raw, message->raw_bytes, &result);
	if (!message->lo) {
		chr_osc_error(osc, message->address, "malformed message (liblo: %d)", result);
		return;
	}
	message->argv = lo_message_get_argv(message->lo);
	if (system)
		chr_osc_system(osc, message);
	else
		chr_osc_route(osc, message, when);
	lo_message_free(message->lo);
}

/* The start of the next block that both lanes can still make. */
static uint32_t soonest_frame(const struct chr_osc *osc)
{
	const struct chr_rack *rack = osc->host.rack;

	if (!osc->host.cycle_start)
		return osc->now + rack->period;
	uint32_t start = osc->host.cycle_start(osc->host.self);
	int32_t ahead = chr_frames_diff(osc->now, start) + (int32_t)(rack->sample_rate / CHR_OSC_GUARD_PER_S);
	return ahead < 0 ? start : start + ((uint32_t)ahead / rack->period + 1) * rack->period;
}

static struct chr_osc_when when_arrived(const struct chr_osc *osc)
{
	const struct chr_rack *rack = osc->host.rack;
	struct chr_osc_when when = {.frame = 0};

	if (osc->map.rate == 0 || rack->period == 0)
		return when;
	if (rack->patch->timing == CHR_TIMING_SOONEST) {
		when.frame = soonest_frame(osc);
		return when;
	}
	uint32_t delay = rack->period + rack->sample_rate / CHR_OSC_MARGIN_PER_S, latest = osc->now + delay;
	when.frame = chr_osc_map_frame(&osc->map, osc->real_ns) + delay;
	/* It came before now. When JACK's time has gone back, the map is wrong until it sees that the jump lasts: what is meant for now is
	 * not to wait for as long as that was. */
	if (chr_frames_diff(when.frame, latest) > (int32_t)delay)
		when.frame = latest;
	return when;
}

/* A time long past is brought near: frames wrap, and what is late is late. */
static struct chr_osc_when when_tagged(const struct chr_osc *osc, uint64_t timetag)
{
	int64_t ns = chr_osc_timetag_ns(timetag, osc->real_ns);

	if (osc->map.rate == 0)
		return (struct chr_osc_when){.frame = 0};
	if (ns < osc->real_ns - INT64_C(1000000000))
		ns = osc->real_ns - INT64_C(1000000000);
	return (struct chr_osc_when){.frame = chr_osc_map_frame(&osc->map, ns)};
}

/* Takes the next element of a bundle's body. Its start, or NULL when its size is wrong. */
static const unsigned char *next_element(const unsigned char **body, size_t *left, size_t *bytes)
{
	const unsigned char *element = *body + 4;

	if (*left < 4)
		return NULL;
	*bytes = be32(*body);
	if (*bytes > *left - 4 || *bytes == 0 || *bytes % 4 != 0)
		return NULL;
	*body += 4 + *bytes;
	*left -= 4 + *bytes;
	return element;
}

static bool is_bundle(const unsigned char *data, size_t bytes)
{
	return bytes >= BUNDLE_HEAD && memcmp(data, "#bundle", 8) == 0;
}

/* Checks a bundle with everything in it. NULL, or what is wrong. `timetag`: of the bundle around it. */
static const char *check_bundle(const struct chr_osc *osc, const unsigned char *data, size_t bytes, uint64_t outer, unsigned depth)
{
	uint64_t timetag = be64(data + 8);
	const unsigned char *body = data + BUNDLE_HEAD;
	size_t left = bytes - BUNDLE_HEAD, element_bytes;

	if (depth > CHR_OSC_DEPTH_MAX)
		return "bundles nested too deeply";
	if (timetag == CHR_OSC_IMMEDIATELY)
		timetag = outer;
	else if (outer != CHR_OSC_IMMEDIATELY && (int64_t)(timetag - outer) < 0)
		return "a bundle earlier than the one around it";
	if (timetag != CHR_OSC_IMMEDIATELY &&
	    chr_osc_timetag_ns(timetag, osc->real_ns) - osc->real_ns > CHR_OSC_AHEAD_MAX_S * INT64_C(1000000000))
		return "a timetag more than an hour ahead";
	while (left > 0) {
		const unsigned char *element = next_element(&body, &left, &element_bytes);
		struct chr_osc_message message;
		const char *wrong;

		if (!element)
			return "a bundle's element has a wrong size";
		if (is_bundle(element, element_bytes))
			wrong = check_bundle(osc, element, element_bytes, timetag, depth + 1);
		else
			wrong = read_message(&message, element, element_bytes);
		if (wrong)
			return wrong;
	}
	return NULL;
}

static void run_bundle(struct chr_osc *osc, const unsigned char *data, size_t bytes, struct chr_osc_when when)
{
	uint64_t timetag = be64(data + 8);
	const unsigned char *body = data + BUNDLE_HEAD, *element;
	size_t left = bytes - BUNDLE_HEAD, element_bytes;

	if (timetag != CHR_OSC_IMMEDIATELY)
		when = when_tagged(osc, timetag);
	while ((element = next_element(&body, &left, &element_bytes))) {
		struct chr_osc_message message;

		if (is_bundle(element, element_bytes))
			run_bundle(osc, element, element_bytes, when);
		else if (!read_message(&message, element, element_bytes))
			run_message(osc, &message, &when);
	}
}

void chr_osc_packet(struct chr_osc *osc, const struct chr_osc_datagram *datagram)
{
	const unsigned char *data = datagram->data;
	size_t bytes = datagram->bytes;
	struct chr_osc_message message = {.address = NULL};
	const char *wrong;

	osc->from = &datagram->from;
	osc->real_ns = datagram->real_ns ? datagram->real_ns : chr_osc_real_ns();
	if (bytes == 0 || bytes % 4 != 0)
		wrong = "the size is not a multiple of four";
	else if (is_bundle(data, bytes))
		wrong = check_bundle(osc, data, bytes, CHR_OSC_IMMEDIATELY, 1);
	else
		wrong = read_message(&message, data, bytes);
	if (wrong) {
		chr_osc_error(osc, message.address ? message.address : PACKET, "%s", wrong);
		return;
	}
	struct chr_osc_when when = when_arrived(osc);
	if (message.address)
		run_message(osc, &message, &when);
	else
		run_bundle(osc, data, bytes, when);
}
