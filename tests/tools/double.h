/* A stand-in for chronus: a thread that speaks its OSC address space for one fixed patch, and remembers what it was told.
 *
 * The patch: out (out), osc1 (sine), env1 (adsr), filt1 (biquad), each in as many lanes as the faults below say.
 */
#ifndef CHR_TESTS_TOOLS_DOUBLE_H
#define CHR_TESTS_TOOLS_DOUBLE_H

#include <stdbool.h>

struct chr_double;

/* How the double differs from a healthy server. */
struct chr_double_faults {
	bool silent;      /* takes everything, answers nothing */
	bool hostile;     /* puts escape sequences into its texts, adds keys nobody knows, and sends datagrams that are no OSC */
	bool jack_lost;   /* status says so, and env1 is quarantined */
	unsigned lose;    /* so many messages of the next answers to questions get lost, the first of each answer */
	unsigned lanes;   /* 1 or 2; 0: 1 */
	unsigned lease_s; /* granted to subscribers; 0: what they ask for */
	unsigned pings;   /* after so many pings it falls silent; 0: never */
};

/* Starts on a free port of 127.0.0.1; ends the test program when it cannot. */
struct chr_double *chr_double_start(const struct chr_double_faults *faults);
void chr_double_stop(struct chr_double *d);

unsigned chr_double_port(const struct chr_double *d);

/* Waits until the double has received `times` messages that begin with `text`, and returns whether it has (false after 10 s).
 * Messages are noted as address, types and arguments: "/osc1/freq ff 440 100". */
bool chr_double_heard(struct chr_double *d, const char *text, unsigned times);

/* How many it has received so far. */
unsigned chr_double_count(struct chr_double *d, const char *text);

#endif
