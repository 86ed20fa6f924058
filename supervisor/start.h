/* How a patch comes up: which lane has its turn, who counts as hung, how far it is, and whether the server has room for it.
 *
 * jackd has one thread for all that clients ask of it. A client that is opened, and again when it is activated, keeps that thread until the next cycle; it has to
 * make each client that comes and each that is there known to each other; and after every cycle in which anything changed it asks every active client for
 * its latencies, twice, one after the other. So the time that a patch takes grows with the square of its clients, and a lane that
 * comes while another one plays takes the longest. The lane that leads therefore comes up alone, and the other one when it is heard.
 *
 * Control thread only.
 */
#ifndef CHR_SUPERVISOR_START_H
#define CHR_SUPERVISOR_START_H

#include <stdbool.h>
#include <stdint.h>

#define CHR_START_PATIENCE_US 2000000u /* without anything coming further: the other lane does not wait any longer */

struct chr_conductor;
struct chr_instance;

struct chr_start {
	bool over[2];      /* the lane was whole since the server came */
	bool again;        /* the server came back: what played before plays on as far as it has room */
	uint64_t moved_us; /* when an instance became active last */
	uint64_t told_us;  /* when people were told last how it comes on */
	unsigned told;     /* how many were active then */
};

/* The server is there, nothing plays. */
void chr_start_begin(struct chr_conductor *conductor);

/* Lanes that are whole now have come up. */
void chr_start_whole(struct chr_conductor *conductor);

/* Has the lane still to come up for the first time? */
bool chr_start_pending(const struct chr_conductor *conductor, unsigned lane);

/* May processes of that lane be given their orders? */
bool chr_start_has_turn(const struct chr_conductor *conductor, unsigned lane);

/* An instance's client is active. */
void chr_start_moved(struct chr_conductor *conductor);

/* An instance could not start for that reason: when the server has no room for the patch, a person is told, and the program ends. */
void chr_start_failed(struct chr_conductor *conductor, const struct chr_instance *instance, const char *why);

/* Has it started for too long? While the server lets others in, one may have to wait. */
bool chr_start_hangs(const struct chr_conductor *conductor, const struct chr_instance *instance, uint64_t now);

/* Now and then: tells people of a patch that takes its time. */
void chr_start_tick(struct chr_conductor *conductor);

#endif
