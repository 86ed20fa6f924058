/* A test bed for OSC: a fake rack behind a real UDP socket on a free port, a client socket, and a host whose JACK runs at exactly the
 * computer's clock: frame = (CLOCK_REALTIME - start) * 48 kHz.
 */
#ifndef CHR_TESTS_OSC_BED_H
#define CHR_TESTS_OSC_BED_H

#include "supervisor/osc.h"
#include "tests/supervisor/fake_rack.h"

#include <lo/lo_lowlevel.h>

#define BED_FIRST_FRAME (UINT32_MAX - 48000u) /* the frames wrap one second after the start */

struct osc_bed {
	struct fake_rack *fake;
	struct chr_osc *osc;
	struct chr_osc_host host;
	int64_t start_ns;
	int client;
	unsigned quits, restarts;
	uint32_t cycle; /* what cycle_start says */
	/* the reply at hand */
	char path[512];
	const char *types;
	lo_arg **argv;
	int argc;
	lo_message message;
};

/* Everything made anew; ends the test on failure. */
void bed_open(struct osc_bed *bed);
void bed_close(struct osc_bed *bed);

/* A host for a rack, without a socket. */
struct chr_osc_host bed_host(struct osc_bed *bed);

/* A client socket connected to the bed. */
int bed_client(const struct osc_bed *bed);

/* Sends bytes, or a message (lo_message_add's types and values), and has them received. */
void bed_send_raw(struct osc_bed *bed, const void *data, size_t bytes);
void bed_send(struct osc_bed *bed, const char *path, const char *types, ...);

/* Serialises a message behind `at` as an element of a bundle (size first). Returns the place behind it. */
unsigned char *bed_element(unsigned char *at, const char *path, float value);

/* The head of a bundle. Returns the place behind it. */
unsigned char *bed_bundle(unsigned char *at, uint64_t timetag);

/* Takes the next reply into the bed; waits up to 2 s. False when none came. */
bool bed_reply(struct osc_bed *bed);

/* Is there none? Asks with a ping, so that nothing is waited for in vain. */
bool bed_silent(struct osc_bed *bed);

/* Takes the next reply, which must be an error about `address` with `reason` in its text. */
void bed_expect_error(struct osc_bed *bed, const char *address, const char *reason);

/* An argument of the reply at hand as a text or a number; the test fails when it is none. */
const char *bed_text(const struct osc_bed *bed, int arg);
double bed_number(const struct osc_bed *bed, int arg);

/* The place of the value behind a key, in a reply made of keys and values; -1: no such key. */
int bed_key(const struct osc_bed *bed, const char *key);

#endif
