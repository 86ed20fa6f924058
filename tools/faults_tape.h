/* A JACK client that passes on what it hears, cycle by cycle with the frame at which each began, without an end.
 *
 * The audio thread writes into a ring of about a minute; the main thread drains it. A tape without ports is the sentinel: nothing in
 * the graph feeds it, so that the frames it misses were lost by the machine or the server and not by what is tested.
 */
#ifndef CHR_TOOLS_FAULTS_TAPE_H
#define CHR_TOOLS_FAULTS_TAPE_H

#include <jack/jack.h>
#include <stdbool.h>
#include <stdint.h>

#define CHR_TAPE_PORTS 2

struct chr_tape;

struct chr_tape_cycle {
	uint32_t frame;                    /* JACK's frame time at its start */
	uint32_t frames;                   /* its length */
	const float *data[CHR_TAPE_PORTS]; /* valid until the next call of chr_tape_next() */
};

/* Opens a client with inputs in_1 .. in_<ports> and begins. NULL when JACK refuses. */
struct chr_tape *chr_tape_create(const char *client, unsigned ports);
void chr_tape_destroy(struct chr_tape *tape);

jack_client_t *chr_tape_client(struct chr_tape *tape);

/* Connects the output `source` to input `port`, waiting up to `timeout_ms` for it to exist. 0 or -1. */
int chr_tape_connect(struct chr_tape *tape, unsigned port, const char *source, int timeout_ms);

/* Takes the oldest cycle that has not been taken. False when there is none yet. Main thread. */
bool chr_tape_next(struct chr_tape *tape, struct chr_tape_cycle *cycle);

/* Cycles that found the ring full: what was heard then is not known. */
uint32_t chr_tape_overruns(const struct chr_tape *tape);

/* Has the server gone? */
bool chr_tape_lost(const struct chr_tape *tape);

#endif
