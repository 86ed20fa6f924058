/* What a patch asks of the JACK server, and whether the server can have room for it.
 *
 * jackd's limits are fixed when it is built (clients: 256 in every distribution's, of which its own drivers take two) and when it is started (ports:
 * -p). It tells neither. PipeWire knows no such limits.
 *
 * Pure functions but for chr_room_check(); any thread.
 */
#ifndef CHR_SUPERVISOR_ROOM_H
#define CHR_SUPERVISOR_ROOM_H

#include "common/descriptor.h"
#include "supervisor/patch.h"

#include <jack/jack.h>
#include <stdbool.h>

#define CHR_ROOM_CLIENTS   254u  /* of jackd, for everybody */
#define CHR_ROOM_PORTS     4096u /* of jackd, at most */
#define CHR_ROOM_PORTS_LOW 512u  /* of a jackd that we start, at least; each costs every client 33 KB of memory */

/* Clients of the patch, with the supervisor's own. */
unsigned chr_room_clients(const struct chr_patch *patch);

/* Ports of the patch, all lanes. */
unsigned chr_room_ports(const struct chr_patch *patch, chr_patch_types types, void *types_self);

/* jackd's -p for a patch that needs `ports`: with room for other programs, and for what is added later. */
unsigned chr_room_ports_to_ask(unsigned ports);

/* Can the server that `client` is of have room for that many clients and ports of ours beside what is there? False with the reason in `why`. */
bool chr_room_check(jack_client_t *client, unsigned clients, unsigned ports, char why[CHR_TEXT_MAX]);

#endif
