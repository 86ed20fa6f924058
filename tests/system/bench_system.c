/* Figures of the whole system: the purity of the drone, the time to the first sample, and the gap that the death of a module leaves.
 *
 *   CHRONUS_TEST_SECONDS  length of the drone's recording (60)
 *   CHRONUS_BENCH_KILLS   deaths (40)
 */
#include "tests/lib/analysis.h"
#include "tests/lib/patches.h"
#include "tests/lib/recorder.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define RATE    48000.0
#define STARTS  20
#define KILLS   40
#define SETTLE  (RATE / 4) /* frames before a death */
#define GAP_MAX RATE       /* frames after it */

static struct chr_rig rig;
static struct chr_recorder *rec;

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print_spread(const char *what, double *x, size_t count)
{
	qsort(x, count, sizeof *x, by_size);
	printf("%s: %zu times, p50 %.1f ms, p90 %.1f ms, worst %.1f ms\n", what, count, x[count / 2], x[count * 9 / 10],
	       x[count - 1]);
}

START_TEST(drone)
{
	double seconds = chr_system_seconds(60.0);
	struct chr_sine sine;
	size_t from;
	ck_assert_int_eq(chr_rig_start(&rig, "patches/drone.cfg"), 0);
	rec = chr_recorder_create("recorder", 1, (size_t)(seconds * RATE));
	ck_assert_ptr_nonnull(rec);
	ck_assert_int_eq(chr_recorder_connect(rec, 0, "out:play_left", 2000), 0);
	size_t frames = chr_recorder_take_stretch(rec, (size_t)(seconds * RATE), (size_t)RATE, &from);
	ck_assert_int_eq(chr_sine_fit(chr_recorder_data(rec, 0) + from, frames, RATE, &sine), 0);
	printf("drone: %.7f Hz (%+.7f cents), THD+N %.1f dB, %zu clicks in %.1f s without a stall of the machine (%u stalls in "
	       "%.0f s)\n",
	       sine.hz, chr_cents(sine.hz, 440.3), sine.thd_n_db,
	       chr_click_count(chr_recorder_data(rec, 0) + from, frames, RATE, &sine, 1e-6), (double)frames / RATE,
	       chr_recorder_skips(rec), seconds);
	chr_recorder_destroy(rec);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}
END_TEST

/* Three modules whose first sample is heard at once: a drone through a filter. */
#define PATCH_THREE                                                                                                                \
	"lanes = 1;\n"                                                                                                             \
	"modules = (\n"                                                                                                            \
	"  { name = \"osc1\"; type = \"sine\"; }, { name = \"osc2\"; type = \"sine\"; }, { name = \"filt1\"; type = \"biquad\"; "  \
	"}\n"                                                                                                                      \
	");\n"                                                                                                                     \
	"connections = ([\"osc1:out\", \"filt1:in\"], [\"osc2:out\", \"filt1:in\"], [\"filt1:out\", \"out:left\"]);\n"

/* The recorder is connected by polling, 5 ms apart, so the figure is an upper bound. */
START_TEST(first_sound)
{
	double took[STARTS];
	rec = chr_recorder_create("recorder", 1, (size_t)(2.0 * RATE));
	ck_assert_ptr_nonnull(rec);
	for (int i = 0; i < STARTS; i++) {
		const char *patch = chr_rig_patch(PATCH_THREE);
		jack_time_t begun = jack_get_time();
		chr_recorder_start(rec);
		ck_assert_int_eq(chr_rig_spawn(&rig, patch, NULL), 0);
		ck_assert_int_eq(chr_recorder_connect(rec, 0, "out:play_left", 1000), 0);
		ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
		ck_assert(chr_recorder_wait(rec, chr_recorder_frames(rec) + 4800));
		/* counted back from now, because PipeWire's frame time jumps when a client joins another driver */
		jack_time_t now = jack_get_time();
		chr_recorder_stop(rec);
		size_t frames = chr_recorder_frames(rec), onset = chr_onset(chr_recorder_data(rec, 0), frames, 0, 0.0f);
		ck_assert_uint_lt(onset, frames);
		took[i] = (double)(now - begun) / 1000.0 - (double)(frames - onset) / RATE * 1000.0;
		ck_assert_int_eq(chr_rig_stop(&rig), 0);
	}
	print_spread("patch file to first sample, three modules", took, STARTS);
	chr_recorder_destroy(rec);
}
END_TEST

START_TEST(gap)
{
	const char *text = getenv("CHRONUS_BENCH_KILLS");
	size_t kills = text ? strtoul(text, NULL, 10) : KILLS, count = 0;
	double *took = calloc(kills ? kills : 1, sizeof *took);
	struct chr_rig_status status;
	ck_assert_ptr_nonnull(took);
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch("restart = { count = 100; window = 1.0; };\n" CHR_PATCH_DRONE)), 0);
	rec = chr_recorder_create("recorder", 1, (size_t)(SETTLE + GAP_MAX));
	ck_assert_ptr_nonnull(rec);
	for (size_t i = 0; i < kills; i++) {
		ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
		ck_assert_int_eq(chr_recorder_connect(rec, 0, "out:play_left", 2000), 0);
		chr_recorder_start(rec);
		ck_assert(chr_recorder_wait(rec, (size_t)SETTLE));
		kill(chr_rig_find(&status, "osc1", "a")->pid, SIGKILL);
		ck_assert(chr_recorder_wait(rec, (size_t)(SETTLE + GAP_MAX)));
		chr_recorder_stop(rec);
		size_t frames = chr_longest_gap(chr_recorder_data(rec, 0), chr_recorder_frames(rec), NULL);
		took[count++] = (double)(frames + chr_recorder_skipped(rec)) / RATE * 1000.0;
		ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
	}
	print_spread("gap after SIGKILL of the only source", took, count);
	free(took);
	chr_recorder_destroy(rec);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "figures", 600);
	tcase_add_test(tests, drone);
	tcase_add_test(tests, first_sound);
	tcase_add_test(tests, gap);
}

int main(void)
{
	return chr_system_main("figures", fill, 0);
}
