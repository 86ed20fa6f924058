/* A JACK server as plain memory, in place of libjack's functions for ports and connections. What it tells of waits until the test delivers it. One
 * client listens: the one that was activated last. Port numbers are used again at once, the lowest first. */
#ifndef CHR_TESTS_JACK_DOUBLE_H
#define CHR_TESTS_JACK_DOUBLE_H

#include <stdbool.h>

/* Empty: no ports. */
void jack_double_reset(void);

/* The client's ports: inputs, then outputs, names separated by blanks. Active at once. */
void jack_double_open(const char *client, const char *inputs, const char *outputs);
/* It ends: its edges go, then its ports. */
void jack_double_close(const char *client);
/* It is inactive: its edges go, its ports stay and nothing is told of them. As in PipeWire. */
void jack_double_deactivate(const char *client);

/* What others do: 0, or nonzero as libjack's functions. */
int jack_double_connect(const char *from, const char *to);
int jack_double_disconnect(const char *from, const char *to);
bool jack_double_connected(const char *from, const char *to);

/* The i-th edge; false beyond the last. */
bool jack_double_edge(unsigned i, const char **from, const char **to);

/* As an edge is made it is decided whether it is delayed: as jackd2 does, or as PipeWire, oversights included. jackd2 until told otherwise. */
void jack_double_pipewire(bool pipewire);
/* How many edges from the one port's client to the other's are delayed; on PipeWire, is that one? */
unsigned jack_double_delayed(const char *from, const char *to);
/* Does a client wait for itself? */
bool jack_double_stuck(void);

/* Tells the listener of up to `count` changes, in their order. */
void jack_double_deliver(unsigned count);

/* Called once, before the next jack_connect() or jack_disconnect() is carried out: somebody is quicker. */
void jack_double_before(void (*act)(void));

/* What jack_connect() and jack_disconnect() answer though they have done it, as PipeWire's do with the error of something else. 0: what is true. */
void jack_double_answer(int rc);

#endif
