#include "supervisor/start.h"

#include "common/clock.h"
#include "common/log.h"
#include "supervisor/conductor.h"
#include "supervisor/room.h"

#include <string.h>
#include <sysexits.h>

#define TELL_US 1000000u /* between two words on how it comes on */

void chr_start_begin(struct chr_conductor *conductor)
{
	uint64_t now = chr_monotonic_us();
	conductor->start = (struct chr_start){.moved_us = now, .told_us = now};
}

void chr_start_whole(struct chr_conductor *conductor)
{
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		conductor->start.over[lane] |= conductor->lanes.whole[lane];
}

bool chr_start_pending(const struct chr_conductor *conductor, unsigned lane)
{
	return !conductor->start.over[lane];
}

bool chr_start_has_turn(const struct chr_conductor *conductor, unsigned lane)
{
	unsigned leader = conductor->lanes.leader;
	return lane == leader || !chr_start_pending(conductor, leader) ||
	       chr_monotonic_us() - conductor->start.moved_us > CHR_START_PATIENCE_US;
}

void chr_start_moved(struct chr_conductor *conductor)
{
	conductor->start.moved_us = chr_monotonic_us();
}

/* A refusal to let a client in has two possible reasons. */
static bool taken(const struct chr_conductor *conductor, const char *client)
{
	const char **ports = jack_get_ports(chr_graph_client((struct chr_graph *)&conductor->graph), NULL, NULL, 0);
	bool found = chr_jack_has_client(ports, client);
	jack_free(ports);
	return found;
}

void chr_start_failed(struct chr_conductor *conductor, const struct chr_instance *instance, const char *why)
{
	const struct chr_patch *patch = conductor->rack.patch;
	if (!strstr(why, CHR_NO_ROOM) || conductor->start.again || !chr_start_pending(conductor, instance->lane) ||
	    taken(conductor, instance->client))
		return;
	unsigned ports = chr_room_ports(patch, chr_catalog_type, conductor->catalog);
	chr_error("the JACK server has no room for the patch, which needs %u clients and %u ports: start jackd with -p %u, or use "
		  "lanes = 1 "
		  "or fewer modules",
		  chr_room_clients(patch), ports, chr_room_ports_to_ask(ports));
	conductor->code = EX_UNAVAILABLE;
	chr_conductor_quit(conductor);
}

bool chr_start_hangs(const struct chr_conductor *conductor, const struct chr_instance *instance, uint64_t now)
{
	uint64_t since = instance->since_us;
	if (instance->state != CHR_INSTANCE_STARTING)
		return false;
	if (since < conductor->start.moved_us)
		since = conductor->start.moved_us;
	return now > since && now - since > CHR_START_WAIT_US;
}

void chr_start_tick(struct chr_conductor *conductor)
{
	struct chr_start *start = &conductor->start;
	unsigned lanes = conductor->rack.patch->lanes, all = 0, active = 0;
	uint64_t now = chr_monotonic_us();
	bool over = start->over[0] && (start->over[1] || lanes == 1);
	if (over || !conductor->server_up || now - start->told_us < TELL_US)
		return;
	start->told_us = now;
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		for (unsigned lane = 0; lane < lanes; lane++) {
			enum chr_instance_state state = conductor->rack.unit[i]->instance[lane].state;
			all++;
			active += state >= CHR_INSTANCE_WIRING && state <= CHR_INSTANCE_PLAYING;
		}
	if (active != start->told)
		chr_info("coming up: %u of %u processes are on the JACK server", active, all);
	start->told = active;
}
