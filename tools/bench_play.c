#include "tools/bench_play.h"

#include "tests/lib/server.h"
#include "tools/bench_probe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 65536u

static void put_voice_module(FILE *f, unsigned i)
{
	static const char *const module[] = {
		"type = \"sine\"; params = { freq = %u.0; level = 0.01; };",
		"type = \"adsr\"; params = { gate = 1; sustain = 0.9; };",
		"type = \"biquad\"; params = { mode = \"lowpass\"; cutoff = 2400.0; q = 0.9; };",
	};
	char text[128];
	snprintf(text, sizeof text, module[i % 3], 200 + 7 * i);
	fprintf(f, "%s{ name = \"m%u\"; %s }", i ? ",\n  " : "\n  ", i, text);
}

static void put_modules(FILE *f, enum chr_bench_shape shape, unsigned count)
{
	fputs("modules = (", f);
	for (unsigned i = 0; i < count; i++) {
		if (shape == CHR_SHAPE_VOICES)
			put_voice_module(f, i);
		else
			fprintf(f, "%s{ name = \"m%u\"; type = \"biquad\"; }", i ? ",\n  " : "\n  ", i);
	}
	fputs("\n);\nconnections = (", f);
	for (unsigned i = 0; i < count; i++) {
		bool last = i + 1 == count || (shape == CHR_SHAPE_VOICES && i % 3 == 2);
		if (last)
			fprintf(f, "%s[ \"m%u:out\", \"out:left\" ]", i ? ",\n  " : "\n  ", i);
		else
			fprintf(f, "%s[ \"m%u:out\", \"m%u:in\" ]", i ? ",\n  " : "\n  ", i, i + 1);
	}
	fputs("\n);\n", f);
}

const char *chr_bench_patch(enum chr_bench_shape shape, unsigned count, unsigned lanes, const char *settings)
{
	static char text[TEXT_BYTES];
	FILE *f = fmemopen(text, sizeof text, "w");
	if (!f)
		abort();
	fprintf(f, "name = \"bench\";\nlanes = %u;\n%s\n", lanes, settings);
	put_modules(f, shape, count);
	fclose(f);
	return text;
}

int chr_bench_play(struct chr_rig *rig, const char *patch)
{
	if (chr_rig_spawn(rig, chr_rig_patch(patch), NULL) == 0 && chr_rig_wait_playing(rig, CHR_BENCH_PATIENCE_S * 1000) == 0)
		return 0;
	chr_rig_stop(rig);
	return -1;
}

int chr_bench_spent(struct chr_rig *rig, struct chr_bench_spent *spent)
{
	static struct chr_rig_status status;
	memset(spent, 0, sizeof *spent);
	if (chr_rig_status(rig, &status))
		return -1;
	spent->supervisor = chr_bench_cpu_s(rig->child.pid);
	spent->jackd = chr_server_pid() ? chr_bench_cpu_s(chr_server_pid()) : 0;
	for (unsigned i = 0; i < status.count; i++) {
		double one = chr_bench_cpu_s(status.instance[i].pid);
		if (strcmp(status.instance[i].module, "out") == 0) {
			spent->out += one;
		} else {
			spent->modules += one;
			spent->module_count++;
		}
	}
	return isnan(spent->supervisor + spent->jackd + spent->modules + spent->out) ? -1 : 0;
}

int chr_bench_load(struct chr_rig *rig, double seconds, struct chr_bench_spent *share)
{
	struct chr_bench_spent before, after;
	if (chr_bench_spent(rig, &before))
		return -1;
	uint64_t begin = chr_bench_now_ns();
	chr_bench_sleep_ms((unsigned)(seconds * 1000));
	double passed = (double)(chr_bench_now_ns() - begin) / 1e9;
	if (chr_bench_spent(rig, &after))
		return -1;
	*share = (struct chr_bench_spent){.supervisor = (after.supervisor - before.supervisor) / passed,
					  .modules = (after.modules - before.modules) / passed,
					  .out = (after.out - before.out) / passed,
					  .jackd = (after.jackd - before.jackd) / passed,
					  .module_count = after.module_count};
	return 0;
}
