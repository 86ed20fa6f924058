/* The code of a module is swapped while it plays. A module that counts samples plays, so that every lost or invented frame shows. */
#include "tests/lib/recorder.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"
#include "tests/lib/tries.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RATE      48000
#define ATTEMPTS  3 /* a stall that the watch has missed spoils one */
#define SPOILED   3 /* times as many as are wanted may be spoiled by those that it saw */
#define ANSWER_MS 30000

static const char two_lanes[] = "name = \"swap\"; lanes = 2;\n"
				"modules = ({ name = \"t1\"; type = \"ticker\"; params = { spare = 0.875; }; },\n"
				"  { name = \"osc1\"; type = \"sine\"; }, { name = \"filt1\"; type = \"biquad\"; });\n"
				"connections = ([\"t1:out\", \"out:left\"], [\"osc1:out\", \"filt1:in\"],\n"
				"  [\"filt1:out\", \"out:right\"]);\n";
static const char one_lane[] = "name = \"swap\"; lanes = 1;\n"
			       "modules = ({ name = \"t1\"; type = \"ticker\"; params = { spare = 0.875; }; });\n"
			       "connections = ([\"t1:out\", \"out:left\"]);\n";

static struct chr_rig rig;
static struct chr_recorder *rec, *watch;
static char folder[PATH_MAX];

static const char *build_of(const char *name)
{
	static char path[PATH_MAX], whole[PATH_MAX];
	snprintf(path, sizeof path, "%s/tests/system/modules/%s.so", CHR_BUILD, name);
	ck_assert_ptr_nonnull(realpath(path, whole));
	return whole;
}

static void copy_to(const char *name, const char *to)
{
	char command[3 * PATH_MAX];
	snprintf(command, sizeof command, "cp %s %s", build_of(name), to);
	ck_assert_int_eq(system(command), 0); // NOLINT(cert-env33-c,concurrency-mt-unsafe)
}

static void start(const char *patch, const char *const *options)
{
	char file[PATH_MAX + 16];
	snprintf(folder, sizeof folder, "%s/modules-%d", chr_server_folder(), (int)getpid());
	ck_assert(mkdir(folder, 0700) == 0 || access(folder, W_OK) == 0);
	snprintf(file, sizeof file, "%s/ticker.so", folder);
	copy_to("ticker", file);
	setenv("CHRONUS_MODULE_PATH", folder, 1);
	ck_assert_int_eq(chr_rig_spawn(&rig, chr_rig_patch(patch), options), 0);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 15000), 0);
	rec = chr_recorder_create("recorder", 1, 20 * RATE);
	watch = chr_recorder_create("watch", 0, 20 * RATE);
	ck_assert(rec && watch);
	ck_assert_int_eq(chr_recorder_connect(rec, 0, "out:play_left", 2000), 0);
}

static void start_two(void)
{
	start(two_lanes, NULL);
}

static void start_one(void)
{
	start(one_lane, NULL);
}

static void start_watching(void)
{
	static const char *const options[] = {"--watch", NULL};
	start(two_lanes, options);
}

static void stop(void)
{
	chr_recorder_destroy(rec);
	chr_recorder_destroy(watch);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}

/* Asks for a swap and waits for what comes of it. True when it is done; the text goes to `text`. */
static bool answer(char *text, size_t bytes)
{
	struct chr_reply reply;
	for (;;) {
		ck_assert_msg(chr_peer_receive(&rig.peer, ANSWER_MS, &reply), "the swap was never answered");
		bool done = strcmp(reply.path, "/chronus/done") == 0, failed = strcmp(reply.path, "/chronus/error") == 0;
		snprintf(text, bytes, "%s", chr_reply_string(&reply, done ? 2 : 1));
		chr_reply_finish(&reply);
		if (done || failed)
			return done;
	}
}

static bool swap_to(const char *name, char *text, size_t bytes)
{
	if (name)
		chr_peer_send(&rig.peer, "/chronus/swap", "ss", "t1", build_of(name));
	else
		chr_peer_send(&rig.peer, "/chronus/swap", "s", "t1");
	return answer(text, bytes);
}

/* Samples that do not follow the one before them by `step`, apart from those where the machine skipped frames. */
static size_t breaks(int step)
{
	const float *x = chr_recorder_data(rec, 0);
	size_t count = 0;
	for (size_t i = 1; i < chr_recorder_frames(rec); i++) {
		bool joined = chr_recorder_frame(rec, i) == chr_recorder_frame(rec, i - 1) + 1;
		int before = (int)lrintf(x[i - 1] * 65536.0f), now = (int)lrintf(x[i] * 65536.0f);
		bool follows = x[i] * 65536.0f == (float)now && ((now - before - step) & 0xffff) == 0;
		count += joined && !follows;
	}
	return count;
}

/* One swap of t1, or of `out`, under the recorder. Returns whether it was done; *lost: frames out of the count. */
static bool recorded_swap(const char *name, char *text, size_t bytes, size_t *lost)
{
	chr_recorder_start(watch);
	chr_recorder_start(rec);
	ck_assert(chr_recorder_wait(rec, 4800));
	bool out = name && strcmp(name, "out") == 0;
	if (out)
		chr_peer_send(&rig.peer, "/chronus/swap", "s", name);
	bool done = out ? answer(text, bytes) : swap_to(name, text, bytes);
	ck_assert(chr_recorder_wait(rec, chr_recorder_frames(rec) + 9600));
	chr_recorder_stop(rec);
	chr_recorder_stop(watch);
	size_t skipped = chr_recorder_skipped(rec), stalled = chr_recorder_skipped(watch);
	if (skipped)
		printf("%s: %zu frames skipped, %zu of them by the machine\n", name ? name : "its file", skipped, stalled);
	/* what the recorder missed and the watch did not, it missed for what is patched before it */
	*lost = breaks(1) + (skipped > stalled ? skipped - stalled : 0);
	return done;
}

static void swaps_lose_nothing(const char *const *name, unsigned names, unsigned swaps)
{
	unsigned clean = 0, tries = 0, unfair = 0;
	size_t all = 0;
	char text[256] = "";
	for (; clean < swaps && tries - unfair < swaps + ATTEMPTS && unfair < SPOILED * swaps; tries++) {
		size_t lost;
		bool done = recorded_swap(name[tries % names], text, sizeof text, &lost);
		/* lanes that a stall has put out of step do not play the same */
		ck_assert_msg(done || chr_recorder_stalls(watch), "%s", text);
		clean += done && lost == 0;
		all += lost;
		unfair += !done || (lost && chr_recorder_stalls(watch));
		if (lost)
			printf("swap %u: %zu frames; the machine stalled %u times\n", tries, lost, chr_recorder_stalls(watch));
	}
	printf("%u swaps, %u without a lost frame, %zu frames lost; the machine stalled in %u; the last one %s\n", tries, clean,
	       all, unfair, text);
	ck_assert_uint_ge(clean, swaps);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
}

START_TEST(a_swap_to_the_same_sound_loses_no_frame)
{
	static const char *const name[] = {NULL, "ticker_same", "out"};
	swaps_lose_nothing(name, 3, chr_system_number("CHRONUS_TEST_SWAPS", 6));
}
END_TEST

static const struct {
	const char *name, *says;
} bad[] = {
	{"ticker_crash", "crashed by SIGSEGV"},
	{"ticker_hang", "hung"},
	{"ticker_nan", "not numbers"},
	{"ticker_wrong", "does not play what the old code plays"},
	{"../../../modules/biquad", "the module in biquad.so is \"biquad\", not \"ticker\""},
};

START_TEST(bad_code_is_taken_back_unheard)
{
	char text[256] = "";
	struct chr_tries tries = {.what = bad[_i].name, .fair_max = ATTEMPTS};
	size_t lost;
	do {
		ck_assert(!recorded_swap(bad[_i].name, text, sizeof text, &lost));
		ck_assert_msg(strstr(text, bad[_i].says), "%s", text);
	} while (lost && chr_tries_again(&tries, watch));
	printf("%s: %s\n", bad[_i].name, text);
	ck_assert_msg(!chr_tries_refute(&tries), "%zu frames were lost", lost);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/t1/spare"), 0.875);
}
END_TEST

START_TEST(what_is_no_module_file_changes_nothing)
{
	char text[256] = "";
	chr_peer_send(&rig.peer, "/chronus/swap", "ss", "t1", "/nonexistent/ticker.so");
	ck_assert(!answer(text, sizeof text));
	ck_assert_msg(strstr(text, "No such file"), "%s", text);
	chr_peer_send(&rig.peer, "/chronus/swap", "ss", "t1", "/proc/self/status");
	ck_assert(!answer(text, sizeof text));
	chr_peer_send(&rig.peer, "/chronus/swap", "ss", "t1", "ticker.so");
	ck_assert(!answer(text, sizeof text));
	chr_peer_send(&rig.peer, "/chronus/swap", "s", "nobody");
	ck_assert(!answer(text, sizeof text));
	ck_assert_msg(strstr(text, "no module"), "%s", text);
}
END_TEST

/* How many of the last `frames` samples do not count by `step`. */
static size_t breaks_now(int step)
{
	chr_recorder_start(rec);
	ck_assert(chr_recorder_wait(rec, 9600));
	chr_recorder_stop(rec);
	return breaks(step);
}

static void expect_other(void)
{
	char text[256] = "";
	size_t down = 1;
	ck_assert_msg(swap_to("ticker_other", text, sizeof text), "%s", text);
	ck_assert_msg(strstr(text, "carried over"), "%s", text);
	for (int i = 0; i < ATTEMPTS && down; i++)
		down = breaks_now(-1);
	ck_assert_uint_eq(down, 0);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/t1/spare"), 0.875);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/t1/more"), 0.5);
	chr_peer_send(&rig.peer, "/t1/more", "f", 0.25);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/t1/more"), 0.25);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
}

START_TEST(another_sound_is_meant_and_stays)
{
	expect_other();
}
END_TEST

START_TEST(a_state_that_does_not_fit_starts_fresh)
{
	char text[256] = "";
	ck_assert_msg(swap_to("ticker_fresh", text, sizeof text), "%s", text);
	ck_assert_msg(strstr(text, "fresh"), "%s", text);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/t1/spare"), 0.875);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/t1/first"), 0.75);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
	/* and back: the port is there again, the edge is not, as it was told */
	ck_assert_msg(swap_to("ticker", text, sizeof text), "%s", text);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/t1/spare"), 0.875);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
}
END_TEST

/* ---- one lane ---- */

START_TEST(a_crossfade_to_the_same_sound_changes_no_bit)
{
	static const char *const name[] = {"ticker_same", NULL, "out"};
	swaps_lose_nothing(name, 3, chr_system_number("CHRONUS_TEST_SWAPS", 6));
}
END_TEST

/* The greatest step from a sample to the next, apart from where the count begins anew. */
static float steepest(float *level)
{
	const float *x = chr_recorder_data(rec, 0);
	size_t begin = 65536 - (size_t)(lrintf(x[0] * 65536.0f) + 32768);
	float most = 0.0f;
	*level = 0.0f;
	for (size_t i = 1; i < chr_recorder_frames(rec); i++) {
		float step = fabsf(x[i] - x[i - 1]);
		if ((i - begin) % 65536 == 0 || step <= most)
			continue;
		most = step;
		*level = x[i];
	}
	return most;
}

START_TEST(a_crossfade_to_another_sound_does_not_click)
{
	char text[256] = "";
	float step = 1.0f, level = 0.0f;
	for (int i = 0; i < ATTEMPTS && step > 0.003f; i++) {
		ck_assert_msg(swap_to("ticker", text, sizeof text), "%s", text);
		chr_recorder_start(rec);
		ck_assert(chr_recorder_wait(rec, 28800)); /* the count stands far from 0 then */
		ck_assert_msg(swap_to("ticker_other", text, sizeof text), "%s", text);
		chr_recorder_stop(rec);
		step = chr_recorder_skips(rec) ? 1.0f : steepest(&level);
	}
	printf("steepest step of the crossfade: %g, near level %g (%s)\n", (double)step, (double)level, text);
	ck_assert_float_le(step, 0.003f); /* 2/960 of the level a frame, and the count's own step */
	expect_other();
}
END_TEST

START_TEST(one_lane_takes_bad_code_back)
{
	char text[256] = "";
	ck_assert(!swap_to(bad[_i].name, text, sizeof text));
	ck_assert_msg(strstr(text, bad[_i].says), "%s", text);
	printf("%s: %s\n", bad[_i].name, text);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/t1/spare"), 0.875);
}
END_TEST

/* ---- watching ---- */

static double figure(const char *name)
{
	struct chr_reply reply;
	double value = -1;
	chr_peer_send(&rig.peer, "/chronus/status", "");
	while (chr_peer_receive(&rig.peer, 2000, &reply)) {
		bool end = strcmp(reply.path, "/chronus/status/end") == 0;
		if (strcmp(reply.path, "/chronus/status") == 0)
			value = chr_reply_number(&reply, chr_reply_key(&reply, name));
		chr_reply_finish(&reply);
		if (end)
			break;
	}
	return value;
}

static void wait_swaps(double count)
{
	for (int i = 0; i < 200 && figure("swaps") < count; i++) {
		chr_recorder_start(rec);
		ck_assert(chr_recorder_wait(rec, 4800));
		chr_recorder_stop(rec);
	}
	ck_assert_double_eq(figure("swaps"), count);
}

START_TEST(a_rebuilt_file_is_swapped_in)
{
	char file[PATH_MAX + 16], new[PATH_MAX + 16];
	snprintf(file, sizeof file, "%s/ticker.so", folder);
	snprintf(new, sizeof new, "%s/new", folder);
	copy_to("ticker", file); /* the same again: nothing to do */
	copy_to("ticker_same", new);
	ck_assert_int_eq(rename(new, file), 0);
	wait_swaps(1);
	copy_to("ticker_crash", file); /* written over in place, as some linkers do */
	for (int i = 0; i < 200 && figure("taken_back") < 1; i++) {
		chr_recorder_start(rec);
		ck_assert(chr_recorder_wait(rec, 4800));
		chr_recorder_stop(rec);
	}
	ck_assert_double_eq(figure("taken_back"), 1);
	copy_to("ticker_other", file);
	wait_swaps(2);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/t1/more"), 0.5);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
}
END_TEST

static void fill(Suite *suite)
{
	int seconds = getenv("CHRONUS_TEST_SWAPS") ? 1800 : 120; // NOLINT(concurrency-mt-unsafe)
	TCase *two = chr_system_case(suite, "two lanes", seconds);
	tcase_add_checked_fixture(two, start_two, stop);
	tcase_add_test(two, a_swap_to_the_same_sound_loses_no_frame);
	tcase_add_loop_test(two, bad_code_is_taken_back_unheard, 0, sizeof bad / sizeof bad[0]);
	tcase_add_test(two, what_is_no_module_file_changes_nothing);
	tcase_add_test(two, another_sound_is_meant_and_stays);
	tcase_add_test(two, a_state_that_does_not_fit_starts_fresh);
	TCase *one = chr_system_case(suite, "one lane", seconds);
	tcase_add_checked_fixture(one, start_one, stop);
	tcase_add_test(one, a_crossfade_to_the_same_sound_changes_no_bit);
	tcase_add_test(one, a_crossfade_to_another_sound_does_not_click);
	tcase_add_loop_test(one, one_lane_takes_bad_code_back, 0, 3); /* without a twin nobody can tell that it differs */
	TCase *watching = chr_system_case(suite, "watching", seconds);
	tcase_add_checked_fixture(watching, start_watching, stop);
	tcase_add_test(watching, a_rebuilt_file_is_swapped_in);
}

int main(void)
{
	return chr_system_main("swap", fill, 0);
}
