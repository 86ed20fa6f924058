/* What the engine adds to a JACK client: modules and empty clients by turns make one chain, and the processor time of each process is divided by the
 * cycles that went by.
 *
 * By turns, because a process also pays for waking the next one: an idle core costs far more to wake than one that is busy. Of two chains side by
 * side the longer one plays its end alone, wakes idle cores there, and seems to be dearer than it is.
 */
#include "tools/bench.h"
#include "tools/bench_chain.h"
#include "tools/bench_play.h"
#include "tools/bench_probe.h"
#include "tools/bench_stat.h"

#include <math.h>
#include <stdlib.h>

#define LENGTH     8u
#define ROUNDS_MAX 16u

struct sums {
	double modules, empty;
	jack_nframes_t frame;
};

static int look(struct chr_rig *rig, const struct chr_bench_chain *chain, jack_client_t *jack, struct sums *sums)
{
	struct chr_bench_spent spent;
	if (chr_bench_spent(rig, &spent))
		return -1;
	sums->modules = spent.modules;
	sums->empty = 0;
	for (unsigned i = 1; i <= LENGTH; i++)
		sums->empty += chr_bench_cpu_s(chain->child[i].pid);
	sums->frame = jack_frame_time(jack);
	return isnan(sums->empty) ? -1 : 0;
}

static int measure(struct chr_bench *bench, struct chr_rig *rig, const struct chr_bench_chain *chain, jack_client_t *jack)
{
	double ours[ROUNDS_MAX], theirs[ROUNDS_MAX];
	unsigned rounds = bench->quick ? 5 : 15;
	struct sums before, after;
	for (unsigned i = 0; i < rounds; i++) {
		if (look(rig, chain, jack, &before))
			return -1;
		chr_bench_sleep_ms(1000);
		if (look(rig, chain, jack, &after))
			return -1;
		double cycles = (double)(after.frame - before.frame) / jack_get_buffer_size(jack);
		ours[i] = (after.modules - before.modules) / cycles / LENGTH * 1e6;
		theirs[i] = (after.empty - before.empty) / cycles / LENGTH * 1e6;
	}
	struct chr_bench_row *row = chr_bench_row(
		bench, 4, "CPU of a module (biquad) per cycle of 256 frames, beside an empty JACK client", "us");
	double above = chr_stat_median(ours, rounds) - chr_stat_median(theirs, rounds);
	row->value = chr_stat_median(ours, rounds);
	row->floor = chr_stat_median(theirs, rounds);
	row = chr_bench_row(bench, 4, "engine and DSP above the empty client, per module and cycle", "us");
	row->value = above;
	row->goal = 10;
	chr_bench_note(bench, 4, "engine above the empty client: %u modules and as many empty clients by turns in one chain",
		       LENGTH);
	return 0;
}

/* empty0, m0, empty1, m1 ... and an empty one at the end. The first and the last, whose neighbours are others, do not count. */
static const char *make_patch(void)
{
	static char text[4096];
	FILE *f = fmemopen(text, sizeof text, "w");
	if (!f)
		abort();
	fputs("name = \"bench\";\nlanes = 1;\nmodules = (", f);
	for (unsigned i = 0; i < LENGTH; i++)
		fprintf(f, "%s{ name = \"m%u\"; type = \"biquad\"; }", i ? ", " : "", i);
	fputs(");\nconnections = (", f);
	for (unsigned i = 0; i < LENGTH; i++) {
		fprintf(f, "[ \"empty%u:out\", \"m%u:in\" ], ", i, i);
		fprintf(f, "[ \"m%u:out\", \"empty%u:in\" ], ", i, i + 1);
	}
	fprintf(f, "[ \"m%u:out\", \"out:left\" ]);\n", LENGTH - 1);
	fclose(f);
	return text;
}

static int connected(jack_client_t *jack)
{
	char from[32], to[32];
	for (unsigned i = 0; i < LENGTH; i++) {
		snprintf(from, sizeof from, "empty%u:out", i);
		snprintf(to, sizeof to, "m%u:in", i);
		if (chr_bench_connect(jack, from, to))
			return -1;
		snprintf(from, sizeof from, "m%u:out", i);
		snprintf(to, sizeof to, "empty%u:in", i + 1);
		if (chr_bench_connect(jack, from, to))
			return -1;
	}
	snprintf(from, sizeof from, "empty%u:out", LENGTH);
	snprintf(to, sizeof to, "empty%u:in", LENGTH + 1);
	return chr_bench_connect(jack, from, to);
}

int chr_bench_overhead(struct chr_bench *bench)
{
	struct chr_rig rig;
	struct chr_bench_chain chain = {0};
	if (chr_bench_server(bench, 256))
		return -1;
	jack_client_t *jack = jack_client_open("bench", JackNoStartServer, NULL);
	int rc = jack ? chr_bench_chain_spawn(&chain, bench->self, LENGTH + 2) : -1;
	if (!rc && !(rc = chr_bench_play(&rig, make_patch()))) {
		rc = connected(jack) ? -1 : measure(bench, &rig, &chain, jack);
		chr_rig_stop(&rig);
	}
	chr_bench_chain_stop(&chain);
	if (jack)
		jack_client_close(jack);
	return rc;
}
