/* Leases of those who want to be told, and what they are told. While datagrams are carried out changes are only gathered, so
 * that a flood of one parameter becomes one message to each subscriber.
 */
#include "supervisor/osc_private.h"

#include "common/clock.h"

#include <string.h>

#define LEASE_S     60
#define LEASE_MAX_S 86400

static struct chr_osc_lease *find(struct chr_osc *osc, const struct chr_osc_peer *peer)
{
	for (unsigned i = 0; i < CHR_OSC_SUBSCRIBERS_MAX; i++) {
		if (osc->lease[i].peer.bytes && chr_osc_peer_equal(&osc->lease[i].peer, peer))
			return &osc->lease[i];
	}
	return NULL;
}

static struct chr_osc_lease *find_free(struct chr_osc *osc)
{
	for (unsigned i = 0; i < CHR_OSC_SUBSCRIBERS_MAX; i++) {
		if (!osc->lease[i].peer.bytes)
			return &osc->lease[i];
	}
	return NULL;
}

static void expire(struct chr_osc *osc)
{
	uint64_t now_us = chr_monotonic_us();

	for (unsigned i = 0; i < CHR_OSC_SUBSCRIBERS_MAX; i++) {
		struct chr_osc_lease *lease = &osc->lease[i];

		if (lease->peer.bytes && lease->until_us <= now_us) {
			lease->peer.bytes = 0;
			osc->leases--;
		}
	}
}

void chr_osc_subscribe(struct chr_osc *osc, const struct chr_osc_message *message)
{
	double seconds = LEASE_S;

	if (message->count == 1)
		chr_osc_number(message->types[0], message->argv[0], &seconds);
	if (!(seconds >= 1 && seconds <= LEASE_MAX_S)) {
		chr_osc_error(osc, message->address, "a lease lasts 1..%d seconds", LEASE_MAX_S);
		return;
	}
	expire(osc);
	struct chr_osc_lease *lease = find(osc, osc->from);
	if (!lease && (lease = find_free(osc))) {
		lease->peer = *osc->from;
		osc->leases += lease->peer.bytes != 0;
	}
	if (!lease) {
		chr_osc_error(osc, message->address, "%d subscribers already: no room", CHR_OSC_SUBSCRIBERS_MAX);
		return;
	}
	lease->until_us = chr_monotonic_us() + (uint64_t)(seconds * 1e6);
	lo_message reply = lo_message_new();
	lo_message_add_int32(reply, (int32_t)seconds);
	chr_osc_reply(osc, CHR_OSC_ROOT "subscribed", reply);
}

void chr_osc_unsubscribe(struct chr_osc *osc, const struct chr_osc_message *message)
{
	struct chr_osc_lease *lease = find(osc, osc->from);

	if (!lease) {
		chr_osc_error(osc, message->address, "not subscribed");
		return;
	}
	lease->peer.bytes = 0;
	osc->leases--;
	lo_message reply = lo_message_new();
	lo_message_add_string(reply, message->address);
	chr_osc_reply(osc, CHR_OSC_ROOT "done", reply);
}

/* Sends to everybody with a lease and frees the message. */
static void tell_all(struct chr_osc *osc, const char *path, lo_message message)
{
	size_t bytes = lo_message_length(message, path);

	if (bytes <= sizeof osc->out && lo_message_serialise(message, path, osc->out, &bytes)) {
		for (unsigned i = 0; i < CHR_OSC_SUBSCRIBERS_MAX; i++) {
			if (osc->lease[i].peer.bytes)
				chr_osc_socket_send(&osc->socket, &osc->lease[i].peer, osc->out, bytes);
		}
	}
	lo_message_free(message);
}

static void tell_value(struct chr_osc *osc, const struct chr_unit *unit, unsigned param)
{
	char path[CHR_OSC_ADDRESS_MAX];
	lo_message message = chr_osc_value_message(unit, param, path);

	tell_all(osc, path, message);
}

void chr_osc_tell_param(struct chr_osc *osc, const struct chr_unit *unit, unsigned param)
{
	if (osc->leases == 0 || param >= unit->type->param_count || unit->member >= CHR_BOARD_MEMBERS)
		return;
	if (osc->in_pass) {
		osc->changed[unit->member] |= UINT32_C(1) << param;
		osc->any_changed = true;
		return;
	}
	expire(osc);
	tell_value(osc, unit, param);
}

void chr_osc_tell_gathered(struct chr_osc *osc)
{
	const struct chr_rack *rack = osc->host.rack;

	if (!osc->any_changed)
		return;
	osc->any_changed = false;
	expire(osc);
	for (unsigned i = 0; i < rack->unit_count; i++) {
		const struct chr_unit *unit = rack->unit[i];
		uint32_t set = osc->changed[unit->member];

		osc->changed[unit->member] = 0;
		for (; set && osc->leases > 0; set &= set - 1)
			tell_value(osc, unit, (unsigned)__builtin_ctz(set));
	}
}

void chr_osc_tell_state(struct chr_osc *osc, const struct chr_unit *unit, const struct chr_instance *instance)
{
	const char lane[2] = {(char)('a' + instance->lane), 0};

	if (osc->leases == 0)
		return;
	expire(osc);
	lo_message message = lo_message_new();
	lo_message_add_string(message, unit->name);
	lo_message_add_string(message, lane);
	lo_message_add_string(message, chr_instance_state_name[instance->state]);
	tell_all(osc, CHR_OSC_ROOT "state", message);
}
