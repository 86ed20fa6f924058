/* Processor time of a patch of N modules in one lane and in two: it should grow along a straight line. */
#include "tools/bench.h"
#include "tools/bench_play.h"
#include "tools/bench_stat.h"

#include <math.h>

#define PASSES 3
#define SIZES  (sizeof sizes / sizeof sizes[0])

static const unsigned sizes[] = {1, 3, 6, 9, 12, 15, 21, 30, 39, 48, 60}, quick_sizes[] = {3, 9, 21, 39, 60};

/* Chronus's own processes and jackd, % of one core. */
static double cost(unsigned count, unsigned lanes, double seconds, double *jackd)
{
	struct chr_rig rig;
	struct chr_bench_spent share;
	chr_bench_tell("scale: %u modules, lanes: %u", count, lanes);
	if (chr_bench_play(&rig, chr_bench_patch(CHR_SHAPE_VOICES, count, lanes, "")))
		return NAN;
	int rc = chr_bench_load(&rig, seconds, &share);
	chr_rig_stop(&rig);
	*jackd = share.jackd * 100;
	return rc ? NAN : (share.supervisor + share.modules + share.out) * 100;
}

static void enter(struct chr_bench *bench, const struct chr_bench_line *line, unsigned lanes)
{
	struct chr_stat_fit fit = chr_stat_line(line->x, line->y, line->count);
	struct chr_bench_row *row = chr_bench_row(
		bench, 4, lanes == 1 ? "CPU of one more module, one lane, 256 frames" : "CPU of one more module, two lanes",
		"% of a core");
	row->value = fit.slope;
	row = chr_bench_row(bench, 4,
			    lanes == 1 ? "CPU of N = 1..60 modules is a straight line, one lane"
				       : "CPU of N = 1..60 modules is a straight line, two lanes",
			    "R^2");
	row->value = fit.r2;
	row->goal = 0.98;
	row->more = true;
}

static void enter_three(struct chr_bench *bench, double cpu, double jackd, unsigned lanes)
{
	struct chr_bench_row *row = chr_bench_row(bench, 1,
						  lanes == 1 ? "CPU of a chain of three modules, one lane, 256 frames"
							     : "CPU of a chain of three modules, two lanes, 256 frames",
						  "%");
	row->value = cpu;
	row->before = 6;
	if (lanes == 1)
		chr_bench_note(bench, 1, "CPU: Chronus's processes; jackd with them takes %.1f %% more of a core", jackd);
}

/* One size in one number of lanes: what the passes measured. */
struct spot {
	double cpu[PASSES], jackd[PASSES];
	unsigned count;
};

/* False when the patch is small and did not come to play all the same. */
static bool measure(struct chr_bench *bench, struct spot *spot, unsigned size, unsigned lanes)
{
	double jackd = 0, cpu = cost(size, lanes, bench->quick ? 1 : 1.5, &jackd);
	if (isnan(cpu)) {
		chr_bench_note(bench, 4, "%u modules, lanes %u: they did not all come to play within %d s", size, lanes,
			       CHR_BENCH_PATIENCE_S);
		return size >= 30;
	}
	spot->cpu[spot->count] = cpu;
	spot->jackd[spot->count++] = jackd;
	return true;
}

int chr_bench_scale(struct chr_bench *bench)
{
	const unsigned *size = bench->quick ? quick_sizes : sizes;
	unsigned count = bench->quick ? sizeof quick_sizes / sizeof quick_sizes[0] : SIZES;
	struct spot spot[SIZES][2] = {0};
	struct chr_bench_plot *plot = chr_bench_plot(bench, "scale.svg", "Processor time of a patch (256 frames at 48 kHz)",
						     "modules", "% of one core");
	struct chr_bench_line *line[2] = {chr_bench_line(plot, "one lane"), chr_bench_line(plot, "two lanes")};
	if (chr_bench_server(bench, 256) || !line[0] || !line[1])
		return -1;
	line[0]->fit = line[1]->fit = true;
	/* a disturbance that lasts meets one pass of many sizes, not all passes of one */
	for (unsigned pass = 0; pass < PASSES; pass++)
		for (unsigned i = 0; i < count; i++)
			for (unsigned lanes = 1; lanes <= 2; lanes++)
				if (!measure(bench, &spot[i][lanes - 1], size[i], lanes))
					return -1;
	for (unsigned i = 0; i < count; i++)
		for (unsigned lanes = 1; lanes <= 2; lanes++) {
			struct spot *s = &spot[i][lanes - 1];
			if (!s->count)
				continue;
			double cpu = chr_stat_median(s->cpu, s->count);
			chr_bench_point(line[lanes - 1], size[i], cpu);
			if (size[i] == 3)
				enter_three(bench, cpu, chr_stat_median(s->jackd, s->count), lanes);
		}
	enter(bench, line[0], 1);
	enter(bench, line[1], 2);
	chr_bench_note(bench, 4, "CPU of N modules: medians of %d passes through all sizes", PASSES);
	return 0;
}
