/* Memory that a module's process has for itself: what one more module costs. */
#include "tools/bench.h"
#include "tools/bench_play.h"
#include "tools/bench_probe.h"
#include "tools/bench_stat.h"

#include <math.h>
#include <string.h>

int chr_bench_memory(struct chr_bench *bench)
{
	static struct chr_rig_status status;
	struct chr_rig rig;
	double own[CHR_RIG_INSTANCES], out = NAN;
	size_t count = 0;
	if (chr_bench_server(bench, 256) || chr_bench_play(&rig, chr_bench_patch(CHR_SHAPE_VOICES, 12, 2, "")))
		return -1;
	chr_bench_sleep_ms(500);
	int rc = chr_rig_status(&rig, &status);
	double supervisor = chr_bench_private_kib(rig.child.pid) / 1024;
	for (unsigned i = 0; !rc && i < status.count; i++) {
		double mib = chr_bench_private_kib(status.instance[i].pid) / 1024;
		if (strcmp(status.instance[i].module, "out") == 0)
			out = fmax(mib, isnan(out) ? 0 : out);
		else if (!isnan(mib))
			own[count++] = mib;
	}
	chr_rig_stop(&rig);
	if (rc || !count)
		return -1;
	struct chr_bench_row *row = chr_bench_row(bench, 4, "private memory of a module's process, median", "MiB");
	row->value = chr_stat_median(own, count);
	row->goal = 6;
	row = chr_bench_row(bench, 4, "private memory of a module's process, most", "MiB");
	row->value = fmax(chr_stat_percentile(own, count, 1), out);
	row->goal = 6;
	row = chr_bench_row(bench, 4, "private memory of the supervisor, 12 modules in two lanes", "MiB");
	row->value = supervisor;
	return 0;
}
