/* What a patchbay is told about our clients and ports: JACK metadata.
 *
 *   client   pretty name ("osc1", lane b: "osc1 (standby)"), icon name
 *   port     its place in the module's table; of a control voltage its signal type "CV" and its range in volts
 *
 * The list of properties is a pure function of the rack. The graph thread sets them, when nothing else is to be done, a few at a time: a
 * process that is killed while it writes to JACK's database leaves it locked, so modules never set any. Each is set once in the life of a
 * client, whatever seems to stand there (numbers of ports are used again, and PipeWire's library remembers what was told of those that are
 * gone), and again only if it is missing: what a person puts in its place stays.
 *
 * jackd reads its whole database for each port that goes (measured: 0.8 us a property), which delays repairs. So there are at most
 * CHR_PROPERTIES_MAX; what a very large patch has beyond is left out, ranges and places first.
 */
#ifndef CHR_SUPERVISOR_METADATA_H
#define CHR_SUPERVISOR_METADATA_H

#include "supervisor/rack.h"

#include <jack/jack.h>
#include <stdbool.h>
#include <sys/types.h>

#define CHR_PROPERTIES_MAX 512
#define CHR_SUBJECT_MAX    (CHR_CLIENT_MAX + CHR_NAME_MAX + 4) /* bytes of a full port name of ours, with the final NUL */

enum chr_property_key {
	CHR_PROPERTY_PRETTY_NAME,
	CHR_PROPERTY_ICON_NAME,
	CHR_PROPERTY_SIGNAL_TYPE,
	CHR_PROPERTY_ORDER,
	CHR_PROPERTY_MINIMUM,
	CHR_PROPERTY_MAXIMUM,
};

struct chr_property {
	char subject[CHR_SUBJECT_MAX]; /* "client" or "client:port", as JACK names it */
	enum chr_property_key key;
	char value[CHR_NAME_MAX + 16];
	pid_t birth;      /* the process behind the client */
	jack_uuid_t uuid; /* under which it was set for that process; 0: not yet. The graph thread's */
};

struct chr_properties {
	struct chr_property *property; /* heap */
	unsigned count;
};

/* What our clients and their ports are to have. 0 or -ENOMEM. Control thread. */
int chr_properties_make(const struct chr_rack *rack, struct chr_properties *list);
void chr_properties_finish(struct chr_properties *list);

/* The key's URI and the type of its value. Any thread. */
const char *chr_property_uri(enum chr_property_key key);
const char *chr_property_type(enum chr_property_key key);

/* ---- the graph thread's (metadata_set.c) ---- */

struct chr_metadata {
	struct chr_properties wanted;
	unsigned next;                                 /* the first of them that was not looked at since they are wanted */
	struct chr_property stale[CHR_PROPERTIES_MAX]; /* set for a process that is gone */
	unsigned stale_count;
	bool off; /* the server keeps no metadata */
};

/* These are wanted from now on; takes the list over. */
void chr_metadata_want(struct chr_metadata *metadata, struct chr_properties *list);

/* Sets or removes a few. True when there is more to do. Blocks for about a millisecond at most. */
bool chr_metadata_step(struct chr_metadata *metadata, jack_client_t *client);

/* The server is lost, and its metadata with it; or the end. */
void chr_metadata_forget(struct chr_metadata *metadata);

#endif
