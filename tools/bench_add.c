/* Module creation as a person sees it: from /chronus/add to its answer, in a patch of two lanes that plays. */
#include "tests/lib/peer.h"
#include "tools/bench.h"
#include "tools/bench_play.h"
#include "tools/bench_probe.h"
#include "tools/bench_stat.h"

#include <math.h>
#include <string.h>

#define MOST 20u

/* Milliseconds until a command is done; NAN when it was refused or nothing came. */
static double ask(struct chr_rig *rig, const char *command, const char *type, const char *name)
{
	struct chr_reply reply;
	uint64_t begin = chr_bench_now_ns();
	bool done = false, answered = false;
	if (type)
		chr_peer_send(&rig->peer, command, "ss", type, name);
	else
		chr_peer_send(&rig->peer, command, "s", name);
	while (!answered && chr_peer_receive(&rig->peer, 5000, &reply)) {
		done = strcmp(reply.path, "/chronus/done") == 0;
		answered = done || strcmp(reply.path, "/chronus/error") == 0;
		chr_reply_finish(&reply);
	}
	return done ? (double)(chr_bench_now_ns() - begin) / 1e6 : NAN;
}

int chr_bench_add(struct chr_bench *bench)
{
	struct chr_rig rig;
	double ms[MOST];
	size_t count = 0, wanted = bench->quick ? 7 : MOST;
	if (chr_bench_server(bench, 256) || chr_bench_play(&rig, chr_bench_patch(CHR_SHAPE_VOICES, 3, 2, "")))
		return -1;
	for (size_t i = 0; i < wanted; i++) {
		double took = ask(&rig, "/chronus/add", "sine", "extra");
		if (isnan(took))
			break;
		ms[count++] = took;
		chr_bench_sleep_ms(200);
		if (isnan(ask(&rig, "/chronus/remove", NULL, "extra")))
			break;
		chr_bench_sleep_ms(200);
	}
	chr_rig_stop(&rig);
	if (!count) {
		chr_bench_note(bench, 1, "/chronus/add: refused by this Chronus");
		return 0;
	}
	struct chr_bench_row *row = chr_bench_row(bench, 1, "module creation by /chronus/add, two lanes, until it is done, p50",
						  "ms");
	row->value = chr_stat_median(ms, count);
	row->before = 100;
	return count == wanted ? 0 : -1;
}
