/* The peers: SuperCollider's two servers, playing on the bench's JACK server. Main thread. */
#ifndef CHR_TOOLS_BENCH_RIVAL_H
#define CHR_TOOLS_BENCH_RIVAL_H

#include "tests/lib/child.h"
#include "tools/bench.h"
#include "tools/bench_flood.h"
#include "tools/bench_synthdef.h"

#include <stdbool.h>

enum chr_rival_kind { CHR_SCSYNTH, CHR_SUPERNOVA }; /* the order of chr_bench_row.peer */

#define CHR_RIVAL_NODE 1000 /* of the first synth */

struct chr_rival {
	enum chr_rival_kind kind;
	struct chr_child child;
	int fd;
};

extern const char *const chr_rival_name[CHR_BENCH_PEERS];
extern const char *const chr_rival_left[CHR_BENCH_PEERS]; /* JACK port */

/* Is its program installed? Tells in a note of table 2 when not, once. */
bool chr_rival_installed(struct chr_bench *bench, enum chr_rival_kind kind);

/* Starts it and waits until it answers. 0 or -1. */
int chr_rival_start(struct chr_rival *rival, enum chr_rival_kind kind);
void chr_rival_stop(struct chr_rival *rival);

/* Sends the definition and waits until it is in place. 0 or -1. */
int chr_rival_define(struct chr_rival *rival, const struct chr_synthdef *def);

/* Starts `count` synths of a definition, numbered from CHR_RIVAL_NODE on. 0 or -1. */
int chr_rival_play(struct chr_rival *rival, const char *name, unsigned count);

/* Ends all synths. */
int chr_rival_silence(struct chr_rival *rival);

/* Sets a control of a synth; the message alone. */
struct chr_packet chr_rival_set(int node, const char *control, double value);

/* The question that is answered when all before it has been done. */
struct chr_packet chr_rival_sync(void);

#endif
