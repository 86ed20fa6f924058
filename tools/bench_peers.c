/* Chronus and its peers: messages per second, processor time of voices, cost of a sample, and what a SIGKILL does. */
#include "tests/lib/analysis.h"
#include "tests/lib/recorder.h"
#include "tools/bench.h"
#include "tools/bench_play.h"
#include "tools/bench_probe.h"
#include "tools/bench_rival.h"
#include "tools/bench_stat.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define BATCH 200u
#define RATE  48000.0

/* ---- flood ---- */

int chr_bench_peer_flood(struct chr_bench *bench)
{
	struct chr_rig rig;
	static struct chr_synthdef def;
	double seconds = bench->quick ? 1 : 3;
	struct chr_packet set = chr_packet_make("/m0/freq", 'f', 330), ping = chr_packet_make("/chronus/ping", 'i', 1);
	if (chr_bench_server(bench, 256) || chr_bench_play(&rig, chr_bench_patch(CHR_SHAPE_VOICES, 3, 2, "")))
		return -1;
	int fd = chr_flood_open(rig.port);
	double ours = chr_flood_rate(fd, &set, &ping, BATCH, seconds), theirs[CHR_BENCH_PEERS] = {NAN, NAN};
	close(fd);
	chr_rig_stop(&rig);
	chr_synthdef_voice(&def, "voice", 220, 0.005, 0.3, 1200);
	for (unsigned i = 0; i < CHR_BENCH_PEERS; i++) {
		struct chr_rival rival;
		struct chr_packet sync = chr_rival_sync(), freq = chr_rival_set(CHR_RIVAL_NODE, "freq", 330);
		if (!chr_rival_installed(bench, i))
			continue;
		if (chr_rival_start(&rival, i))
			return -1;
		if (chr_rival_define(&rival, &def) == 0 && chr_rival_play(&rival, "voice", 1) == 0)
			theirs[i] = chr_flood_rate(rival.fd, &freq, &sync, BATCH, seconds);
		chr_rival_stop(&rival);
	}
	struct chr_bench_row *row = chr_bench_row(bench, 2, "OSC messages taken without loss, most", "1/s");
	row->value = ours;
	row->more = true;
	memcpy(row->peer, theirs, sizeof theirs);
	return isnan(ours) ? -1 : 0;
}

/* ---- voices ---- */

/* % of a core. */
static double our_voices(unsigned voices, unsigned lanes, double seconds)
{
	struct chr_rig rig;
	struct chr_bench_spent share;
	if (chr_bench_play(&rig, chr_bench_patch(CHR_SHAPE_VOICES, 3 * voices, lanes, "")))
		return NAN;
	int rc = chr_bench_load(&rig, seconds, &share);
	chr_rig_stop(&rig);
	return rc ? NAN : (share.supervisor + share.modules + share.out) * 100;
}

static double cpu_of(pid_t pid, double seconds)
{
	uint64_t begin = chr_bench_now_ns();
	double before = chr_bench_cpu_s(pid);
	chr_bench_sleep_ms((unsigned)(seconds * 1000));
	return (chr_bench_cpu_s(pid) - before) * 1e9 / (double)(chr_bench_now_ns() - begin);
}

/* % of a core; NAN when it does not play. */
static double their_voices(enum chr_rival_kind kind, unsigned voices, double seconds)
{
	static struct chr_synthdef def;
	struct chr_rival rival;
	double share = NAN;
	chr_synthdef_voice(&def, "voice", 220, 0.005, 0.3, 1200);
	if (chr_rival_start(&rival, kind))
		return NAN;
	if (chr_rival_define(&rival, &def) == 0 && chr_rival_play(&rival, "voice", voices) == 0) {
		for (unsigned i = 0; i < voices; i++) {
			struct chr_packet on = chr_rival_set(CHR_RIVAL_NODE + (int)i, "gate", 1);
			chr_flood_send(rival.fd, &on, 1, 0);
		}
		chr_bench_sleep_ms(300);
		share = cpu_of(rival.child.pid, seconds) * 100;
	}
	chr_rival_stop(&rival);
	return share;
}

int chr_bench_peer_voices(struct chr_bench *bench)
{
	static const unsigned count[] = {1, 8, 32};
	double seconds = bench->quick ? 1.5 : 4;
	char name[96];
	if (chr_bench_server(bench, 256))
		return -1;
	for (unsigned n = 0; n < sizeof count / sizeof count[0]; n++) {
		double theirs[CHR_BENCH_PEERS] = {NAN, NAN};
		for (unsigned i = 0; i < CHR_BENCH_PEERS; i++)
			if (chr_rival_installed(bench, i))
				theirs[i] = their_voices(i, count[n], seconds);
		for (unsigned lanes = 1; lanes <= 2; lanes++) {
			chr_bench_tell("voices: %u, lanes: %u", count[n], lanes);
			snprintf(name, sizeof name, "CPU of %u voice%s (%u processes), lanes: %u, 256 frames", count[n],
				 count[n] > 1 ? "s" : "", 3 * count[n] * lanes, lanes);
			double ours = our_voices(count[n], lanes, seconds);
			struct chr_bench_row *row = chr_bench_row(bench, 2, name, "%");
			row->value = ours;
			memcpy(row->peer, theirs, sizeof theirs);
			if (isnan(ours) && count[n] == 1)
				return -1;
			if (isnan(ours))
				chr_bench_note(bench, 2, "%u voices, lanes %u: %u processes did not all come to play within %d s",
					       count[n], lanes, 3 * count[n] * lanes, CHR_BENCH_PATIENCE_S);
		}
	}
	return 0;
}

/* ---- SIGKILL ---- */

#define BEFORE 24000u
#define AFTER  96000u

/* Sound lost (ms) within two seconds of a SIGKILL; `left` is who is heard. NAN when it was not to be heard at all. */
static double lost(struct chr_recorder *rec, const char *left, pid_t pid)
{
	if (chr_recorder_connect(rec, 0, left, 2000))
		return NAN;
	chr_bench_sleep_ms(200);
	chr_recorder_start(rec);
	if (!chr_recorder_wait(rec, BEFORE))
		return NAN;
	kill(pid, SIGKILL);
	chr_recorder_wait(rec, BEFORE + AFTER);
	chr_recorder_stop(rec);
	size_t gap = chr_longest_gap(chr_recorder_data(rec, 0), chr_recorder_frames(rec), NULL);
	/* a tone crosses zero without staying there */
	return (double)((gap < 8 ? 0 : gap) + chr_recorder_skipped(rec)) / RATE * 1000;
}

static double our_loss(struct chr_recorder *rec)
{
	static struct chr_rig_status status;
	struct chr_rig rig;
	double ms = NAN;
	if (chr_bench_play(&rig, chr_bench_patch(CHR_SHAPE_VOICES, 3, 2, "")))
		return NAN;
	if (chr_rig_status(&rig, &status) == 0 && chr_rig_find(&status, "m2", "a"))
		ms = lost(rec, "out:play_left", chr_rig_find(&status, "m2", "a")->pid);
	chr_rig_stop(&rig);
	return ms;
}

static double their_loss(struct chr_recorder *rec, enum chr_rival_kind kind)
{
	static struct chr_synthdef def;
	struct chr_rival rival;
	struct chr_packet on = chr_rival_set(CHR_RIVAL_NODE, "gate", 1);
	double ms = NAN;
	chr_synthdef_voice(&def, "voice", 220, 0.005, 0.3, 1200);
	if (chr_rival_start(&rival, kind))
		return NAN;
	if (chr_rival_define(&rival, &def) == 0 && chr_rival_play(&rival, "voice", 1) == 0) {
		chr_flood_send(rival.fd, &on, 1, 0);
		ms = lost(rec, chr_rival_left[kind], rival.child.pid);
	}
	chr_rival_stop(&rival);
	return ms;
}

int chr_bench_peer_kill(struct chr_bench *bench)
{
	if (chr_bench_server(bench, 256))
		return -1;
	struct chr_recorder *rec = chr_recorder_create("recorder", 1, BEFORE + AFTER);
	if (!rec)
		return -1;
	double ours = our_loss(rec), theirs[CHR_BENCH_PEERS] = {NAN, NAN};
	for (unsigned i = 0; i < CHR_BENCH_PEERS; i++)
		if (chr_rival_installed(bench, i))
			theirs[i] = their_loss(rec, i);
	chr_recorder_destroy(rec);
	struct chr_bench_row *row = chr_bench_row(bench, 2, "sound lost within 2 s of a SIGKILL of what makes it", "ms");
	row->value = ours;
	row->no_ratio = true;
	memcpy(row->peer, theirs, sizeof theirs);
	for (unsigned i = 0; i < CHR_BENCH_PEERS; i++)
		if (theirs[i] > 1900)
			snprintf(row->peer_says[i], sizeof row->peer_says[i], "all: it dies");
	return isnan(ours) ? -1 : 0;
}
