#include "supervisor/osc_private.h"

#include "common/clock.h"
#include "common/log.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void chr_osc_send(struct chr_osc *osc, const struct chr_osc_peer *to, const char *path, lo_message message)
{
	size_t bytes = lo_message_length(message, path);

	if (bytes <= sizeof osc->out && lo_message_serialise(message, path, osc->out, &bytes)) {
		chr_osc_socket_send(&osc->socket, to, osc->out, bytes);
		osc->sent++;
	}
	lo_message_free(message);
}

void chr_osc_reply(struct chr_osc *osc, const char *path, lo_message message)
{
	chr_osc_send(osc, osc->from, path, message);
}

void chr_osc_reply_end(struct chr_osc *osc, const char *path, uint64_t before)
{
	lo_message message = lo_message_new();

	lo_message_add_int32(message, (int32_t)(osc->sent - before));
	chr_osc_reply(osc, path, message);
}

/* Takes one from a bucket that holds one second's worth. False when it is empty. */
static bool take(struct chr_osc_limit *limit, double per_second, uint64_t now_us)
{
	limit->left = fmin(per_second, limit->left + (double)(now_us - limit->filled_us) * per_second / 1e6);
	limit->filled_us = now_us;
	if (limit->left < 1)
		return false;
	limit->left -= 1;
	return true;
}

/* A sender that another one pushed out of the table begins anew with a full bucket; the limit over all still holds. */
static bool may_answer(struct chr_osc *osc)
{
	struct chr_osc_limit *limit = &osc->limit[chr_osc_peer_hash(osc->from) % CHR_OSC_LIMITS];
	uint64_t now_us = chr_monotonic_us();

	if (!chr_osc_peer_equal(&limit->peer, osc->from))
		*limit = (struct chr_osc_limit){.peer = *osc->from, .filled_us = now_us, .left = CHR_OSC_ERRORS_PER_S};
	return take(limit, CHR_OSC_ERRORS_PER_S, now_us) && take(&osc->limit_all, CHR_OSC_ERRORS_ALL_PER_S, now_us);
}

void chr_osc_error(struct chr_osc *osc, const char *address, const char *format, ...)
{
	char reason[CHR_TEXT_MAX];
	va_list args;

	osc->host.rack->totals.errors++;
	if (!may_answer(osc))
		return;
	va_start(args, format);
	vsnprintf(reason, sizeof reason, format, args);
	va_end(args);
	chr_debug("osc: %s: %s", address, reason);
	lo_message message = lo_message_new();
	lo_message_add_string(message, address);
	lo_message_add_string(message, reason);
	chr_osc_reply(osc, CHR_OSC_ROOT "error", message);
}

bool chr_osc_number(char type, const lo_arg *arg, double *number)
{
	union {
		int32_t i;
		int64_t h;
		float f;
		double d;
	} value;

	switch (type) {
	case 'i':
		memcpy(&value.i, arg, sizeof value.i);
		*number = value.i;
		return true;
	case 'h':
		memcpy(&value.h, arg, sizeof value.h);
		*number = (double)value.h;
		return true;
	case 'f':
		memcpy(&value.f, arg, sizeof value.f);
		*number = (double)value.f;
		return true;
	case 'd':
		memcpy(&value.d, arg, sizeof value.d);
		*number = value.d;
		return true;
	case 'T':
	case 'F':
		*number = type == 'T';
		return true;
	default:
		return false;
	}
}
