/* From an OSC message to the sound: Chronus and its peers play the same voice on the same server, a note each in turn, and one recorder
 * hears them all. The sending and the onset are both known by JACK's frame time.
 */
#include "tests/lib/analysis.h"
#include "tests/lib/recorder.h"
#include "tools/bench.h"
#include "tools/bench_chain.h"
#include "tools/bench_play.h"
#include "tools/bench_probe.h"
#include "tools/bench_rival.h"
#include "tools/bench_stat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLAYERS   3u /* Chronus, then the peers */
#define NOTES_MAX 100u
#define THRESHOLD 0.0005f
#define TONE_HZ   5000
#define VOICE                                                                                                                      \
	"lanes = %u; timing = \"%s\";\n"                                                                                           \
	"modules = ({ name = \"osc1\"; type = \"sine\"; params = { freq = 5000.0; level = 1.0; }; },\n"                            \
	"  { name = \"env1\"; type = \"adsr\"; params = { attack = 0.001; decay = 0.1; sustain = 0.7; release = 0.005; }; },\n"    \
	"  { name = \"filt1\"; type = \"biquad\"; params = { mode = \"lowpass\"; cutoff = 8000.0; q = 0.9; }; });\n"               \
	"connections = ([\"osc1:out\", \"env1:in\"], [\"env1:out\", \"filt1:in\"], [\"filt1:out\", \"out:left\"]);\n"

struct player {
	bool there;
	int fd;
	struct chr_packet on, off;
	jack_nframes_t sent[NOTES_MAX];
	double delay[NOTES_MAX]; /* frames */
	size_t heard;
};

struct stage {
	struct chr_rig rig;
	struct chr_rival rival[CHR_BENCH_PEERS];
	struct player player[PLAYERS];
	struct chr_recorder *rec;
};

static int begin_rivals(struct chr_bench *bench, struct stage *stage)
{
	static struct chr_synthdef def;
	chr_synthdef_voice(&def, "voice", TONE_HZ, 0.001, 0.005, 8000);
	for (unsigned i = 0; i < CHR_BENCH_PEERS; i++) {
		struct player *player = &stage->player[1 + i];
		struct chr_rival *rival = &stage->rival[i];
		if (!chr_rival_installed(bench, i))
			continue;
		if (chr_rival_start(rival, i) || chr_rival_define(rival, &def) || chr_rival_play(rival, "voice", 1) ||
		    chr_recorder_connect(stage->rec, 1 + i, chr_rival_left[i], 2000))
			return -1;
		player->there = true;
		player->fd = rival->fd;
		player->on = chr_rival_set(CHR_RIVAL_NODE, "gate", 1);
		player->off = chr_rival_set(CHR_RIVAL_NODE, "gate", 0);
	}
	return 0;
}

static int begin(struct chr_bench *bench, struct stage *stage, unsigned lanes, const char *timing, unsigned notes)
{
	char text[1024];
	memset(stage, 0, sizeof *stage);
	for (unsigned i = 0; i < CHR_BENCH_PEERS; i++)
		stage->rival[i].fd = -1;
	for (unsigned i = 0; i < PLAYERS; i++)
		stage->player[i].fd = -1;
	snprintf(text, sizeof text, VOICE, lanes, timing);
	if (chr_bench_play(&stage->rig, text))
		return -1;
	struct player *ours = &stage->player[0];
	ours->there = true;
	ours->fd = chr_flood_open(stage->rig.port);
	ours->on = chr_packet_make("/env1/gate", 'i', 1);
	ours->off = chr_packet_make("/env1/gate", 'i', 0);
	stage->rec = chr_recorder_create("recorder", PLAYERS, (size_t)notes * 12000 + 96000);
	if (!stage->rec || chr_recorder_connect(stage->rec, 0, "out:play_left", 2000))
		return -1;
	return begin_rivals(bench, stage);
}

static void end(struct stage *stage)
{
	chr_recorder_destroy(stage->rec);
	for (unsigned i = 0; i < CHR_BENCH_PEERS; i++)
		chr_rival_stop(&stage->rival[i]);
	if (stage->player[0].fd >= 0) {
		chr_flood_send(stage->player[0].fd, &stage->player[0].off, 1, 0);
		close(stage->player[0].fd);
	}
	chr_rig_stop(&stage->rig);
}

/* A note of every player, at moments that have nothing to do with JACK's cycles. */
static void play(struct stage *stage, unsigned notes)
{
	unsigned seed = 1;
	for (unsigned n = 0; n < notes; n++) {
		for (unsigned i = 0; i < PLAYERS; i++) {
			struct player *player = &stage->player[i];
			if (!player->there)
				continue;
			usleep((unsigned)rand_r(&seed) % 10000);
			player->sent[n] = jack_frame_time(chr_recorder_client(stage->rec));
			chr_flood_send(player->fd, &player->on, 1, 0);
		}
		chr_bench_sleep_ms(45);
		for (unsigned i = 0; i < PLAYERS; i++)
			if (stage->player[i].there)
				chr_flood_send(stage->player[i].fd, &stage->player[i].off, 1, 0);
		chr_bench_sleep_ms(70);
	}
}

/* Notes around which the recorder lost frames are left out. */
static void hear(struct stage *stage, unsigned notes)
{
	for (unsigned i = 0; i < PLAYERS; i++) {
		struct player *player = &stage->player[i];
		const float *x = chr_recorder_data(stage->rec, i);
		for (unsigned n = 0; n < notes && player->there; n++) {
			long long from = chr_recorder_place(stage->rec, player->sent[n]);
			size_t most = (size_t)from + 4800, onset;
			if (from < 0 || most > chr_recorder_frames(stage->rec) ||
			    !chr_recorder_whole(stage->rec, player->sent[n] - 480, player->sent[n] + 4800))
				continue;
			onset = chr_onset(x, most, (size_t)from, THRESHOLD);
			if (onset < most)
				player->delay[player->heard++] = (double)(onset - (size_t)from);
		}
	}
}

static void enter(struct chr_bench *bench, struct stage *stage, struct chr_bench_line *const *line, unsigned period,
		  const char *how)
{
	char name[96];
	snprintf(name, sizeof name, "OSC to sound, mean, %u frames, %s", period, how);
	struct chr_bench_row *mean = chr_bench_row(bench, 2, name, "ms");
	mean->value = chr_stat_mean(stage->player[0].delay, stage->player[0].heard) / 48;
	for (unsigned i = 0; i < CHR_BENCH_PEERS; i++)
		mean->peer[i] = chr_stat_mean(stage->player[1 + i].delay, stage->player[1 + i].heard) / 48;
	snprintf(name, sizeof name, "jitter of onsets, sd, %u frames, %s", period, how);
	struct chr_bench_row *jitter = chr_bench_row(bench, 2, name, "frames");
	jitter->value = chr_stat_deviation(stage->player[0].delay, stage->player[0].heard);
	for (unsigned i = 0; i < CHR_BENCH_PEERS; i++)
		jitter->peer[i] = chr_stat_deviation(stage->player[1 + i].delay, stage->player[1 + i].heard);
	if (strncmp(how, "steady", 6) == 0) {
		chr_bench_point(line[0], period, jitter->value / 48);
		for (unsigned i = 0; i < CHR_BENCH_PEERS; i++)
			if (!isnan(jitter->peer[i]))
				chr_bench_point(line[1 + i], period, jitter->peer[i] / 48);
	}
	if (period == 256 && strncmp(how, "steady", 6) == 0) {
		double ours = jitter->value;
		struct chr_bench_row *row = chr_bench_row(bench, 1, "jitter of event synchronisation, sd of onsets, two lanes",
							  "ms");
		row->value = ours / 48;
		row->before = 0.035;
	}
}

int chr_bench_onset(struct chr_bench *bench)
{
	static struct stage stage;
	static const unsigned periods[] = {64, 128, 256};
	static const struct {
		const char *how, *timing;
		unsigned lanes;
	} way[] = {{"steady, two lanes", "steady", 2}, {"soonest, one lane", "soonest", 1}};
	unsigned notes = bench->quick ? 25 : NOTES_MAX;
	struct chr_bench_plot *plot = chr_bench_plot(bench, "jitter.svg", "Jitter of onsets, from an OSC message to the sound",
						     "frames per period at 48 kHz", "standard deviation, ms");
	struct chr_bench_line *line[PLAYERS] = {chr_bench_line(plot, "Chronus, two lanes")};
	for (unsigned i = 0; i < CHR_BENCH_PEERS; i++)
		line[1 + i] = chr_bench_line(plot, chr_rival_name[i]);
	int rc = 0;
	for (unsigned p = 0; !rc && p < 3; p++)
		for (unsigned w = 0; !rc && w < 2; w++) {
			chr_bench_tell("onset: %u frames, %s", periods[p], way[w].how);
			rc = chr_bench_server(bench, periods[p]) ? -1 : begin(bench, &stage, way[w].lanes, way[w].timing, notes);
			if (!rc) {
				chr_recorder_start(stage.rec);
				play(&stage, notes);
				chr_recorder_stop(stage.rec);
				hear(&stage, notes);
				enter(bench, &stage, line, periods[p], way[w].how);
			}
			end(&stage);
		}
	return rc;
}
