/* A chain of empty JACK clients, each a process of its own with one input and one output: what a module costs before it does anything. */
#ifndef CHR_TOOLS_BENCH_CHAIN_H
#define CHR_TOOLS_BENCH_CHAIN_H

#include "tests/lib/child.h"

#include <jack/jack.h>

#define CHR_CHAIN_MAX 64

struct chr_bench_chain {
	unsigned count;
	struct chr_child child[CHR_CHAIN_MAX];
};

/* Starts `count` empty clients, empty0 and so on, connected to nothing. 0 or -1; stop it in either case. */
int chr_bench_chain_spawn(struct chr_bench_chain *chain, const char *self, unsigned count);

/* Starts `count` of them and joins each to the next; `self` is the program, `jack` a client of the caller's. 0 or -1. */
int chr_bench_chain_start(struct chr_bench_chain *chain, const char *self, unsigned count, jack_client_t *jack);
void chr_bench_chain_stop(struct chr_bench_chain *chain);

/* Full names of the first input and the last output; static memory, until the next call. */
const char *chr_bench_chain_in(void);
const char *chr_bench_chain_out(const struct chr_bench_chain *chain);

/* Connects two ports, waiting up to two seconds for both to be there. 0 or -1. */
int chr_bench_connect(jack_client_t *jack, const char *from, const char *to);

/* The main of such a client: until SIGTERM. Its exit code. */
int chr_bench_empty_client(const char *name);

#endif
