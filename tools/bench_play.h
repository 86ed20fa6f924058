/* A Chronus that plays for a stage: its patches, its processes and what they cost. One thread. */
#ifndef CHR_TOOLS_BENCH_PLAY_H
#define CHR_TOOLS_BENCH_PLAY_H

#include "tests/lib/rig.h"

#include <stdbool.h>

enum chr_bench_shape {
	CHR_SHAPE_CHAIN,  /* filters, one after the other */
	CHR_SHAPE_VOICES, /* sine, envelope, filter side by side; the last voice may lack its filter or its envelope */
};

/* A patch of `count` modules. `settings`: lines of the patch file besides, or "". The text is static memory, until the next call. */
const char *chr_bench_patch(enum chr_bench_shape shape, unsigned count, unsigned lanes, const char *settings);

#define CHR_BENCH_PATIENCE_S 90 /* two lanes of 96 modules take 18 s on two idle cores */

/* Starts it and waits until all play, CHR_BENCH_PATIENCE_S at most. 0 or -1. */
int chr_bench_play(struct chr_rig *rig, const char *patch);

/* Processor time (s) of the supervisor, of the modules, and of jackd, up to now. 0, or -1 when one of them is gone. */
struct chr_bench_spent {
	double supervisor, modules, out, jackd;
	unsigned module_count;
};
int chr_bench_spent(struct chr_rig *rig, struct chr_bench_spent *spent);

/* Shares of one core, measured for so long. 0 or -1. */
int chr_bench_load(struct chr_rig *rig, double seconds, struct chr_bench_spent *share);

#endif
