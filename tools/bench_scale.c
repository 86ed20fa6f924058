/* Processor time of a patch of N modules in one lane and in two: it should grow along a straight line. */
#include "tools/bench.h"
#include "tools/bench_play.h"
#include "tools/bench_stat.h"

#include <math.h>

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

int chr_bench_scale(struct chr_bench *bench)
{
	const unsigned *size = bench->quick ? quick_sizes : sizes;
	unsigned count = bench->quick ? 5 : sizeof sizes / sizeof sizes[0];
	struct chr_bench_plot *plot = chr_bench_plot(bench, "scale.svg", "Processor time of a patch (256 frames at 48 kHz)",
						     "modules", "% of one core");
	struct chr_bench_line *line[2] = {chr_bench_line(plot, "one lane"), chr_bench_line(plot, "two lanes")};
	if (chr_bench_server(bench, 256) || !line[0] || !line[1])
		return -1;
	line[0]->fit = line[1]->fit = true;
	for (unsigned i = 0; i < count; i++)
		for (unsigned lanes = 1; lanes <= 2; lanes++) {
			double jackd = 0, cpu = cost(size[i], lanes, bench->quick ? 1.5 : 3, &jackd);
			if (isnan(cpu) && size[i] < 30)
				return -1;
			if (isnan(cpu)) {
				chr_bench_note(bench, 4, "%u modules, lanes %u: they did not all come to play within %d s", size[i],
					       lanes, CHR_BENCH_PATIENCE_S);
				continue;
			}
			chr_bench_point(line[lanes - 1], size[i], cpu);
			if (size[i] == 3)
				enter_three(bench, cpu, jackd, lanes);
		}
	enter(bench, line[0], 1);
	enter(bench, line[1], 2);
	return 0;
}
