/* Underruns while the machine is busy, and the drift of what is played against JACK's clock. */
#include "tests/lib/analysis.h"
#include "tests/lib/recorder.h"
#include "tools/bench.h"
#include "tools/bench_play.h"
#include "tools/bench_probe.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define RATE      48000.0
#define CORES_MAX 64
#define ZEROS     8u /* so many zeros in a row are a hole: the voices cross zero, but do not stay there */
#define TONE_HZ   440.3
#define TONE                                                                                                                       \
	"lanes = 2; modules = ({ name = \"osc1\"; type = \"sine\"; params = { freq = 440.3; level = 0.5; }; });\n"                 \
	"connections = ([\"osc1:out\", \"out:left\"], [\"osc1:out\", \"out:right\"]);\n"

static unsigned burn(pid_t *pid)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned count = 0;
	for (long i = 0; i < cores && i < CORES_MAX; i++) {
		pid_t child = fork();
		if (child == 0) {
			chr_bench_forked((const int[]){-1});
			for (volatile unsigned k = 0;;)
				k++;
		}
		if (child > 0)
			pid[count++] = child;
	}
	return count;
}

static void put_out(const pid_t *pid, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
}

static unsigned holes(const float *x, size_t frames)
{
	unsigned count = 0;
	size_t zeros = 0;
	for (size_t i = 0; i < frames; i++) {
		zeros = x[i] == 0.0f ? zeros + 1 : 0;
		count += zeros == ZEROS;
	}
	return count;
}

/* Plays on under a load of ordinary work on every core and a hundred messages a second. */
static void be_busy(struct chr_rig *rig, unsigned seconds)
{
	pid_t pid[CORES_MAX];
	unsigned burners = burn(pid);
	for (unsigned i = 0; i < seconds * 100; i++) {
		chr_peer_send(&rig->peer, "/m2/cutoff", "f", 1000.0 + 10.0 * (i % 100));
		chr_bench_sleep_ms(10);
	}
	put_out(pid, burners);
}

static int underruns(struct chr_bench *bench)
{
	struct chr_rig rig;
	char name[96];
	unsigned seconds = bench->quick ? 10 : 60;
	size_t room = (size_t)((seconds + 4) * RATE);
	if (chr_bench_play(&rig, chr_bench_patch(CHR_SHAPE_VOICES, 6, 2, "")))
		return -1;
	struct chr_recorder *rec = chr_recorder_create("recorder", 1, room), *watch = chr_recorder_create("watch", 0, room);
	int rc = rec && watch && chr_recorder_connect(rec, 0, "out:play_left", 2000) == 0 ? 0 : -1;
	if (!rc) {
		chr_bench_sleep_ms(300);
		chr_recorder_start(watch);
		chr_recorder_start(rec);
		be_busy(&rig, seconds);
		chr_recorder_stop(rec);
		chr_recorder_stop(watch);
		unsigned heard = holes(chr_recorder_data(rec, 0), chr_recorder_frames(rec)) + chr_recorder_skips(rec);
		snprintf(name, sizeof name, "underruns in %u s with all cores busy and 100 OSC messages/s", seconds);
		struct chr_bench_row *row = chr_bench_row(bench, 1, name, "");
		row->value = heard;
		row->before = 0;
		row->floor = chr_recorder_skips(watch);
		row->goal = fmax(0, row->floor);
		chr_bench_note(bench, 1, "underruns: floor and target are those of a JACK client that is connected to nothing");
	}
	chr_recorder_destroy(rec);
	chr_recorder_destroy(watch);
	chr_rig_stop(&rig);
	return rc;
}

static int drift(struct chr_bench *bench)
{
	struct chr_rig rig;
	struct chr_sine sine;
	size_t from, frames, room = (size_t)((bench->quick ? 4 : 20) * RATE);
	if (chr_bench_play(&rig, TONE))
		return -1;
	struct chr_recorder *rec = chr_recorder_create("recorder", 1, room);
	int rc = rec && chr_recorder_connect(rec, 0, "out:play_left", 2000) == 0 ? 0 : -1;
	if (!rc) {
		frames = chr_recorder_take_stretch(rec, room, (size_t)RATE, &from);
		rc = chr_sine_fit(chr_recorder_data(rec, 0) + from, frames, RATE, &sine);
	}
	if (!rc) {
		struct chr_bench_row *row = chr_bench_row(bench, 1, "drift of a tone against JACK's clock", "%");
		row->value = fabs(sine.hz / TONE_HZ - 1) * 100;
		row->before = 0.5;
	}
	chr_recorder_destroy(rec);
	chr_rig_stop(&rig);
	return rc;
}

int chr_bench_underruns(struct chr_bench *bench)
{
	return chr_bench_server(bench, 256) || underruns(bench) || drift(bench) ? -1 : 0;
}
