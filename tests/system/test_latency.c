/* out plays one period later than it is fed, sample by sample, and says so through JACK's latency API. */
#include "tests/lib/recorder.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"
#include "tests/lib/tries.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define FRAMES 9600

static const char patch[] = "name = \"late\"; lanes = %d;\n"
			    "modules = (\n"
			    "  { name = \"osc1\"; type = \"sine\"; params = { freq = 211.0; level = 0.5; }; }\n"
			    ");\n"
			    "connections = (\n"
			    "  [\"osc1:out\", \"out:left\"]\n"
			    ");\n";

static struct chr_rig rig;
static struct chr_recorder *rec, *watch;

static void start(int lanes)
{
	char text[512];
	snprintf(text, sizeof text, patch, lanes);
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(text)), 0);
	rec = chr_recorder_create("recorder", 2, FRAMES);
	watch = chr_recorder_create("watch", 0, FRAMES);
	ck_assert(rec && watch);
	/* what an observer of lane a listens to moves to the lane that is heard: both are the same here */
	ck_assert_int_eq(chr_recorder_connect(rec, 0, "osc1:out", 2000), 0);
	ck_assert_int_eq(chr_recorder_connect(rec, 1, "out:play_left", 2000), 0);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
}

static void stop(void)
{
	chr_recorder_destroy(rec);
	chr_recorder_destroy(watch);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}

/* Frames of out's sound that are not what it was fed `delay` frames before; FRAMES, when little was recorded in one piece, or silence. */
static size_t strangers(size_t delay)
{
	size_t from, length = chr_recorder_stretch(rec, &from), wrong = 0, sounding = 0;
	const float *fed = chr_recorder_data(rec, 0) + from, *played = chr_recorder_data(rec, 1) + from;
	for (size_t i = delay; i < length; i++) {
		wrong += memcmp(&played[i], &fed[i - delay], sizeof *fed) != 0;
		sounding += fed[i] != 0.0f;
	}
	return length >= FRAMES / 2 && sounding > length / 2 ? wrong : FRAMES;
}

START_TEST(out_plays_one_period_later)
{
	start(_i);
	struct chr_tries tries = {.what = "one period", .fair_max = 3};
	size_t wrong;
	do {
		ck_assert(chr_recorder_take(rec, watch, FRAMES));
		wrong = strangers(chr_server_period());
		printf("%d lanes: %zu of %zu frames are not those of a period before; nor of the same one: %zu\n", _i, wrong,
		       chr_recorder_frames(rec), strangers(0));
	} while (wrong && chr_tries_again(&tries, watch));
	ck_assert(!chr_tries_refute(&tries));
	stop();
}
END_TEST

static jack_latency_range_t latency_of(const char *name, jack_latency_callback_mode_t mode)
{
	jack_latency_range_t range = {0};
	jack_port_t *port = jack_port_by_name(chr_recorder_client(rec), name);
	ck_assert_msg(port != NULL, "%s is not there", name);
	jack_port_get_latency_range(port, mode, &range);
	return range;
}

/* Does `later` have `frames` more than `sooner`, at both ends? */
static bool adds(const char *sooner, const char *later, jack_latency_callback_mode_t mode, unsigned frames)
{
	jack_latency_range_t a = latency_of(sooner, mode), b = latency_of(later, mode);
	return b.min == a.min + frames && b.max == a.max + frames;
}

/* Latencies are computed anew once the graph has settled, and soon after that they are told. */
START_TEST(out_reports_one_period)
{
	static const struct timespec moment = {.tv_nsec = 20000000};
	unsigned period = chr_server_period();
	bool capture = false, playback = false;
	start(_i);
	for (int i = 0; i < 250 && !(capture && playback); i++, nanosleep(&moment, NULL)) {
		capture = adds("out:left", "out:play_left", JackCaptureLatency, period);
		playback = adds("out:play_left", "out:left", JackPlaybackLatency, period) &&
			   latency_of("osc1:out", JackPlaybackLatency).max == latency_of("out:left", JackPlaybackLatency).max;
	}
	ck_assert_msg(capture, "out:play_left has another capture latency than a period more than out:left's");
	ck_assert_msg(playback, "out:left has another playback latency than a period more than out:play_left's, or osc1 than it");
	stop();
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "latency", 60);
	tcase_add_loop_test(tests, out_plays_one_period_later, 1, 3);
	tcase_add_loop_test(tests, out_reports_one_period, 1, 3);
}

int main(void)
{
	return chr_system_main("latency", fill, 0);
}
