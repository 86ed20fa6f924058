/* What the engine adds to a JACK client: a chain of modules and a chain of empty clients play side by side, and the processor time of each
 * process is divided by the cycles that went by.
 */
#include "tools/bench.h"
#include "tools/bench_chain.h"
#include "tools/bench_play.h"
#include "tools/bench_probe.h"
#include "tools/bench_stat.h"

#include <math.h>

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
	for (unsigned i = 0; i < chain->count; i++)
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
	return 0;
}

int chr_bench_overhead(struct chr_bench *bench)
{
	struct chr_rig rig;
	struct chr_bench_chain chain = {0};
	if (chr_bench_server(bench, 256) || chr_bench_play(&rig, chr_bench_patch(CHR_SHAPE_CHAIN, LENGTH, 1, "")))
		return -1;
	jack_client_t *jack = jack_client_open("bench", JackNoStartServer, NULL);
	int rc = jack ? chr_bench_chain_start(&chain, bench->self, LENGTH, jack) : -1;
	if (!rc)
		rc = measure(bench, &rig, &chain, jack);
	chr_bench_chain_stop(&chain);
	if (jack)
		jack_client_close(jack);
	chr_rig_stop(&rig);
	return rc;
}
