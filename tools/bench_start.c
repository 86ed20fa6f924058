/* From the patch file to the first sample: three modules whose sound is heard at once. */
#include "tests/lib/analysis.h"
#include "tests/lib/recorder.h"
#include "tools/bench.h"
#include "tools/bench_play.h"
#include "tools/bench_stat.h"

#define RATE       48000.0
#define STARTS_MAX 20u
#define THREE                                                                                                                      \
	"lanes = %u;\n"                                                                                                            \
	"modules = ({ name = \"osc1\"; type = \"sine\"; }, { name = \"osc2\"; type = \"sine\"; }, { name = \"filt1\"; type = "     \
	"\"biquad\"; });\n"                                                                                                        \
	"connections = ([\"osc1:out\", \"filt1:in\"], [\"osc2:out\", \"filt1:in\"], [\"filt1:out\", \"out:left\"]);\n"

/* ms; negative when it did not come. The recorder is connected by polling, 5 ms apart, so the figure is an upper bound. */
static double first_sample(struct chr_recorder *rec, unsigned lanes)
{
	struct chr_rig rig;
	char text[512];
	double ms = -1;
	snprintf(text, sizeof text, THREE, lanes);
	const char *patch = chr_rig_patch(text);
	jack_time_t begun = jack_get_time();
	chr_recorder_start(rec);
	if (chr_rig_spawn(&rig, patch, NULL))
		return -1;
	if (chr_recorder_connect(rec, 0, "out:play_left", 3000) == 0 && chr_rig_wait_playing(&rig, 10000) == 0 &&
	    chr_recorder_wait(rec, chr_recorder_frames(rec) + 9600)) {
		/* counted back from now, because PipeWire's frame time jumps when a client joins another driver */
		jack_time_t now = jack_get_time();
		chr_recorder_stop(rec);
		size_t frames = chr_recorder_frames(rec), onset = chr_onset(chr_recorder_data(rec, 0), frames, 0, 0.0f);
		if (onset < frames)
			ms = (double)(now - begun) / 1000.0 - (double)(frames - onset) / RATE * 1000.0;
	}
	chr_recorder_stop(rec);
	chr_rig_stop(&rig);
	return ms;
}

int chr_bench_start(struct chr_bench *bench)
{
	double took[2][STARTS_MAX];
	size_t count = bench->quick ? 5 : STARTS_MAX;
	if (chr_bench_server(bench, 256))
		return -1;
	struct chr_recorder *rec = chr_recorder_create("recorder", 1, (size_t)(4 * RATE));
	int rc = rec ? 0 : -1;
	for (size_t i = 0; !rc && i < count; i++)
		for (unsigned lanes = 1; !rc && lanes <= 2; lanes++) {
			took[lanes - 1][i] = first_sample(rec, lanes);
			rc = took[lanes - 1][i] < 0 ? -1 : 0;
		}
	chr_recorder_destroy(rec);
	if (rc)
		return -1;
	chr_bench_row(bench, 4, "start: patch file to first sample, three modules, one lane, p50", "ms")->value = chr_stat_median(
		took[0], count);
	chr_bench_row(bench, 4, "start: patch file to first sample, three modules, two lanes, p50", "ms")->value = chr_stat_median(
		took[1], count);
	return 0;
}
