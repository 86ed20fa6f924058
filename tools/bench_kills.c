/* What a killed module costs: with two lanes as the fault campaign measures it, with one lane as it is heard; and what many deaths leave. */
#include "tests/lib/analysis.h"
#include "tests/lib/child.h"
#include "tests/lib/leaks.h"
#include "tests/lib/patches.h"
#include "tests/lib/recorder.h"
#include "tools/bench.h"
#include "tools/bench_play.h"
#include "tools/bench_probe.h"
#include "tools/bench_stat.h"
#include "tools/bench_wake.h"

#include <jansson.h>
#include <libgen.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RATE   48000.0
#define KILLS  50u
#define SETTLE ((size_t)RATE / 5)
#define AFTER  ((size_t)RATE / 2)

static double number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* The campaign's line on kills. The caller frees it. NULL when it did not run. */
static json_t *campaign(const struct chr_bench *bench, unsigned kills, unsigned period)
{
	char self[sizeof bench->self], program[sizeof bench->self + 32], path[] = "/tmp/chronus-bench-XXXXXX", count[16],
									 frames[16];
	struct chr_child child;
	json_t *all = NULL, *line = NULL;
	int fd = mkstemp(path);
	snprintf(self, sizeof self, "%s", bench->self);
	snprintf(program, sizeof program, "%s/chronus-faults", dirname(self));
	snprintf(count, sizeof count, "%u", kills);
	snprintf(frames, sizeof frames, "%u", period);
	char *argv[] = {program, "--faults", "kill", "--count", count, "--period", frames, "--json", path, NULL};
	if (fd < 0)
		return NULL;
	close(fd);
	if (chr_child_start(&child, argv, "/dev/null") == 0) {
		if (!chr_child_ended(&child, 300000))
			chr_child_end(&child, 5000);
		all = json_load_file(path, 0, NULL);
		line = json_incref(json_array_get(json_object_get(all, "faults"), 0));
	}
	json_decref(all);
	unlink(path);
	return line;
}

/* A repair waits for the server's cycles some fifteen times: the period counts as much as the machine. */
static void enter_repair(struct chr_bench *bench, const json_t *line, unsigned period)
{
	static const struct {
		const char *name, *key;
	} figure[] = {{"p50", "repair_p50_ms"}, {"p99", "repair_p99_ms"}};
	for (unsigned i = 0; i < sizeof figure / sizeof figure[0]; i++) {
		char name[96];
		snprintf(name, sizeof name, "kill and restart: whole again, two lanes, %u frames, %s", period, figure[i].name);
		struct chr_bench_row *row = chr_bench_row(bench, 1, name, "ms");
		row->value = number_of(line, figure[i].key);
		row->before = 60;
	}
}

static void enter_failover(struct chr_bench *bench, const json_t *line)
{
	char name[96];
	double count = number_of(line, "count");
	snprintf(name, sizeof name, "failover: sound lost by a SIGKILL, two lanes, mean of %.0f", count);
	struct chr_bench_row *row = chr_bench_row(bench, 1, name, "ms");
	row->value = number_of(line, "lost") / count / RATE * 1000;
	row->before = 2.12;
	row = chr_bench_row(bench, 1, "detection of a death, p50", "ms");
	row->value = number_of(line, "seen_p50_us") / 1e3;
	row->before = 0.01;
	row->floor = chr_bench_death_floor_ms();
	chr_bench_note(bench, 1, "failover: %.0f of %.0f kills were heard, %.0f of them while the whole machine stalled",
		       number_of(line, "heard"), count, number_of(line, "heard_while_stalled"));
}

static int two_lanes(struct chr_bench *bench)
{
	static const unsigned periods[] = {256, 128}; /* the default first */
	/* the campaign has a server of its own */
	chr_bench_no_server();
	for (unsigned i = 0; i < sizeof periods / sizeof periods[0]; i++) {
		json_t *line = campaign(bench, bench->quick ? 20 : KILLS, periods[i]);
		bool good = number_of(line, "count") > 0;
		if (good && i == 0)
			enter_failover(bench, line);
		if (good)
			enter_repair(bench, line, periods[i]);
		json_decref(line);
		if (!good) {
			fprintf(stderr, "chronus-bench: chronus-faults wrote no figures\n");
			return -1;
		}
	}
	return 0;
}

/* Kills the only source and returns how long it was silent (ms); NAN when it does not come back. */
static double gap(struct chr_rig *rig, struct chr_recorder *rec)
{
	static struct chr_rig_status status;
	if (chr_rig_status(rig, &status) || chr_recorder_connect(rec, 0, "out:play_left", 2000))
		return NAN;
	chr_recorder_start(rec);
	if (!chr_recorder_wait(rec, SETTLE))
		return NAN;
	const struct chr_rig_instance *source = chr_rig_find(&status, "osc1", "a");
	if (!source || kill(source->pid, SIGKILL))
		return NAN;
	bool alive = chr_recorder_wait(rec, SETTLE + AFTER);
	chr_recorder_stop(rec);
	size_t frames = chr_longest_gap(chr_recorder_data(rec, 0), chr_recorder_frames(rec), NULL);
	if (!alive || chr_rig_wait_playing(rig, 10000))
		return NAN;
	return (double)(frames + chr_recorder_skipped(rec)) / RATE * 1000.0;
}

static void enter(struct chr_bench *bench, double *ms, unsigned kills, const struct chr_holdings *before,
		  const struct chr_holdings *after, double grown_kib)
{
	char name[96];
	struct chr_bench_row *row = chr_bench_row(bench, 1, "respawn: silence after a SIGKILL, one lane, p50", "ms");
	row->value = chr_stat_median(ms, kills);
	row->before = 105;
	snprintf(name, sizeof name, "descriptors, threads and children left by %u kills", kills);
	row = chr_bench_row(bench, 1, name, "");
	row->value = fmax(0, (double)after->fds - before->fds) + fmax(0, (double)after->threads - before->threads) +
		     fmax(0, (double)after->children - before->children);
	row->before = 0;
	row->goal = 0;
	row = chr_bench_row(bench, 1, "growth of the supervisor's memory by them", "KiB");
	row->value = grown_kib;
}

static int one_lane(struct chr_bench *bench)
{
	struct chr_rig rig;
	double ms[KILLS], memory = NAN;
	struct chr_holdings before = {0}, after = {0};
	unsigned kills = bench->quick ? 20 : KILLS, warm = 5;
	if (chr_bench_server(bench, 256) || chr_bench_play(&rig, "restart = { count = 100; window = 1.0; };\n" CHR_PATCH_DRONE))
		return -1;
	struct chr_recorder *rec = chr_recorder_create("recorder", 1, SETTLE + AFTER);
	int rc = rec ? 0 : -1;
	/* the first ones fill what is made once */
	for (unsigned i = 0; !rc && i < warm; i++)
		rc = isnan(gap(&rig, rec)) ? -1 : 0;
	chr_bench_sleep_ms(500);
	before = chr_holdings_of(rig.child.pid);
	memory = chr_bench_resident_kib(rig.child.pid);
	for (unsigned i = 0; !rc && i < kills; i++) {
		chr_bench_tell("kills: %u of %u", i + 1, kills);
		ms[i] = gap(&rig, rec);
		rc = isnan(ms[i]) ? -1 : 0;
	}
	chr_bench_sleep_ms(500);
	after = chr_holdings_of(rig.child.pid);
	if (!rc)
		enter(bench, ms, kills, &before, &after, chr_bench_resident_kib(rig.child.pid) - memory);
	chr_recorder_destroy(rec);
	chr_rig_stop(&rig);
	return rc;
}

int chr_bench_kills(struct chr_bench *bench)
{
	return two_lanes(bench) || one_lane(bench) ? -1 : 0;
}
