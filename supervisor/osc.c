#include "supervisor/osc_private.h"

#include "common/clock.h"

#include <errno.h>
#include <stdlib.h>

#define MESSAGES_BETWEEN_DRAINS 64 /* datagrams carried out before the socket is emptied again */

static void on_changed(void *arg, struct chr_unit *unit, unsigned param)
{
	chr_osc_tell_param(arg, unit, param);
}

struct chr_osc *chr_osc_create(const char *host, unsigned port, const struct chr_osc_host *with, int *error)
{
	struct chr_osc *osc = calloc(1, sizeof *osc);

	*error = -ENOMEM;
	if (!osc)
		return NULL;
	*error = chr_osc_socket_open(&osc->socket, host, port);
	if (*error < 0) {
		free(osc);
		return NULL;
	}
	osc->host = *with;
	osc->started_us = chr_monotonic_us();
	osc->host.rack->changed = on_changed;
	osc->host.rack->changed_arg = osc;
	return osc;
}

void chr_osc_destroy(struct chr_osc *osc)
{
	if (!osc)
		return;
	osc->host.rack->changed = NULL;
	chr_osc_socket_close(&osc->socket);
	free(osc);
}

int chr_osc_fd(const struct chr_osc *osc)
{
	return osc->socket.fd;
}

unsigned chr_osc_port(const struct chr_osc *osc)
{
	return osc->socket.port;
}

void chr_osc_receive(struct chr_osc *osc)
{
	struct chr_rack *rack = osc->host.rack;
	const struct chr_osc_datagram *datagram;

	chr_osc_socket_rewind(&osc->socket);
	chr_osc_map_update(&osc->map, &osc->host, rack->sample_rate);
	osc->in_pass = true;
	do {
		chr_osc_socket_drain(&osc->socket);
		osc->now = osc->host.frame_now(osc->host.self);
		for (unsigned i = 0; i < MESSAGES_BETWEEN_DRAINS && (datagram = chr_osc_socket_next(&osc->socket)); i++)
			chr_osc_packet(osc, datagram);
	} while (osc->socket.next < osc->socket.count);
	osc->in_pass = false;
	osc->from = NULL;
	rack->totals.dropped += osc->socket.dropped - osc->dropped_seen;
	osc->dropped_seen = osc->socket.dropped;
	chr_osc_tell_gathered(osc);
}

void chr_osc_tick(struct chr_osc *osc)
{
	chr_osc_map_update(&osc->map, &osc->host, osc->host.rack->sample_rate);
}

void chr_osc_clock_reset(struct chr_osc *osc)
{
	chr_osc_map_reset(&osc->map);
}
