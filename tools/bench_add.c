/* Module creation as a person sees it: from /chronus/add until the new module plays in both lanes of a patch that plays. */
#include "tests/lib/peer.h"
#include "tools/bench.h"
#include "tools/bench_play.h"
#include "tools/bench_probe.h"
#include "tools/bench_stat.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST 100u /* the 99th percentile is the second worst then */

static bool is_refusal(const struct chr_reply *reply)
{
	return strcmp(reply->path, "/chronus/error") == 0;
}

/* Which lane of the new module this message says to play, as a bit; 0: it says something else. */
static unsigned lane_playing(const struct chr_reply *reply)
{
	if (strcmp(reply->path, "/chronus/state") != 0 || strcmp(chr_reply_string(reply, 0), "extra") != 0 ||
	    strcmp(chr_reply_string(reply, 2), "playing") != 0)
		return 0;
	return strcmp(chr_reply_string(reply, 1), "a") == 0 ? 1 : 2;
}

/* Milliseconds until it plays in both lanes, and in *first until it does in one; NAN when it was refused or never played. */
static double add(struct chr_rig *rig, double *first)
{
	struct chr_reply reply;
	uint64_t begin = chr_bench_now_ns();
	unsigned playing = 0;
	bool refused = false;
	chr_peer_send(&rig->peer, "/chronus/add", "ss", "sine", "extra");
	while (playing != 3 && !refused && chr_peer_receive(&rig->peer, 5000, &reply)) {
		unsigned lane = lane_playing(&reply);
		if (lane && !playing)
			*first = (double)(chr_bench_now_ns() - begin) / 1e6;
		playing |= lane;
		refused = is_refusal(&reply);
		chr_reply_finish(&reply);
	}
	return playing == 3 ? (double)(chr_bench_now_ns() - begin) / 1e6 : NAN;
}

/* Enters p50 and p99 of `x`, which is sorted by it. */
static void enter(struct chr_bench *bench, const char *what, double *x, size_t count, double goal)
{
	char text[96];
	snprintf(text, sizeof text, "module creation by /chronus/add, %s, p50", what);
	struct chr_bench_row *row = chr_bench_row(bench, 1, text, "ms");
	row->value = chr_stat_median(x, count);
	row->before = 100;
	snprintf(text, sizeof text, "module creation by /chronus/add, %s, p99", what);
	row = chr_bench_row(bench, 1, text, "ms");
	row->value = chr_stat_percentile(x, count, 0.99);
	row->goal = goal;
}

static bool take_away(struct chr_rig *rig)
{
	struct chr_reply reply;
	chr_peer_send(&rig->peer, "/chronus/remove", "s", "extra");
	bool done = chr_peer_expect(&rig->peer, "/chronus/done", 5000, &reply);
	if (done)
		chr_reply_finish(&reply);
	chr_bench_sleep_ms(300);
	return done;
}

int chr_bench_add(struct chr_bench *bench)
{
	struct chr_rig rig;
	double ms[MOST], first[MOST];
	size_t count = 0, wanted = bench->quick ? 15 : MOST;
	if (chr_bench_server(bench, 256) || chr_bench_play(&rig, chr_bench_patch(CHR_SHAPE_VOICES, 3, 2, "")))
		return -1;
	chr_peer_send(&rig.peer, "/chronus/subscribe", "i", 600);
	for (bool good = true; good && count < wanted;) {
		double took = add(&rig, &first[count]);
		good = !isnan(took);
		if (good)
			ms[count++] = took;
		good = good && take_away(&rig);
	}
	chr_rig_stop(&rig);
	if (!count) {
		chr_bench_note(bench, 1, "/chronus/add: refused by this Chronus");
		return 0;
	}
	enter(bench, "until it fades in", first, count, 60);
	enter(bench, "until both lanes play it", ms, count, NAN);
	return count == wanted ? 0 : -1;
}
