/* Kill anything, hear nothing: with two lanes a death changes not one sample.
 *
 * The patch is made so that what is right needs no second opinion: its sines have periods of 1024 and 512 frames, which the 64-bit phase
 * divides exactly, so that every sample equals the one 1024 frames before it bit for bit, while a block lost, repeated, late or
 * silent does not.
 */
#include "tests/lib/recorder.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"
#include "tests/lib/tries.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CYCLE 1024  /* frames after which the sound repeats itself */
#define TAKE  24000 /* recorded around each death */
#define TRIES 6

static const char patch[] =
	"name = \"exact\"; restart = { count = 50; window = 1.0; };\n"
	"modules = (\n"
	"  { name = \"osc1\"; type = \"sine\"; params = { freq = 46.875; level = 0.5; }; },\n"
	"  { name = \"env1\"; type = \"adsr\"; params = { attack = 0.001; decay = 0.001; sustain = 1.0; gate = 1; }; },\n"
	"  { name = \"osc2\"; type = \"sine\"; params = { freq = 93.75; level = 0.25; }; },\n"
	"  { name = \"env2\"; type = \"adsr\"; params = { attack = 0.001; decay = 0.001; sustain = 0.5; gate = 1; }; }\n"
	");\n"
	"connections = (\n"
	"  [\"osc1:out\", \"env1:in\"], [\"env1:out\", \"out:left\"],\n"
	"  [\"osc2:out\", \"env2:in\"], [\"env2:out\", \"out:left\"]\n"
	");\n";

static struct chr_rig rig;
static struct chr_recorder *rec, *watch;

static void start(void)
{
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(patch)), 0);
	rec = chr_recorder_create("recorder", 2, TAKE);
	watch = chr_recorder_create("watch", 0, TAKE);
	ck_assert(rec && watch);
	ck_assert_int_eq(chr_recorder_connect(rec, 0, "out:play_left", 2000), 0);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
}

static void stop(void)
{
	chr_recorder_destroy(rec);
	chr_recorder_destroy(watch);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}

/* Frames that differ from those a cycle before. */
static size_t wrong_frames(void)
{
	const float *x = chr_recorder_data(rec, 0);
	size_t wrong = 0;
	for (size_t i = CYCLE; i < chr_recorder_frames(rec); i++)
		wrong += memcmp(&x[i], &x[i - CYCLE], sizeof *x) != 0;
	return wrong;
}

static bool loud(void)
{
	const float *x = chr_recorder_data(rec, 0);
	float peak = 0;
	for (size_t i = 0; i < chr_recorder_frames(rec); i++)
		peak = x[i] > peak ? x[i] : peak;
	return peak > 0.5f && peak < 0.75f;
}

/* Sends a signal to an instance in the middle of a recording. True when not a frame was lost or changed, false when the machine stalled. */
static bool unheard(const char *module, const char *lane, int sig)
{
	struct chr_rig_status status;
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	const struct chr_rig_instance *victim = chr_rig_find(&status, module, lane);
	ck_assert_msg(victim && victim->pid > 0, "no %s in lane %s", module, lane);
	chr_recorder_start(watch);
	chr_recorder_start(rec);
	ck_assert(chr_recorder_wait(rec, 3 * CYCLE));
	ck_assert_int_eq(kill(victim->pid, sig), 0);
	ck_assert(chr_recorder_wait(rec, TAKE));
	chr_recorder_stop(rec);
	chr_recorder_stop(watch);
	ck_assert(loud());
	size_t wrong = wrong_frames();
	unsigned skips = chr_recorder_skips(rec), stalls = chr_recorder_stalls(watch);
	if (wrong || skips)
		printf("%s/%s, signal %d: %zu frames wrong, %u skips; the machine stalled %u times\n", module, lane, sig, wrong,
		       skips, stalls);
	return !wrong && !skips;
}

static void expect_unheard(const char *module, const char *lane, int sig)
{
	struct chr_tries tries = {.what = module, .fair_max = TRIES};
	do {
		if (unheard(module, lane, sig))
			return;
	} while (chr_tries_again(&tries, watch));
	ck_assert_msg(!chr_tries_refute(&tries), "the death of %s/%s by signal %d was heard %u times out of %u", module, lane, sig,
		      tries.fair, tries.fair);
}

START_TEST(a_death_changes_no_sample)
{
	static const char *const module[] = {"osc1", "env1", "osc2", "env2"};
	static const int sig[] = {SIGKILL, SIGSEGV, SIGABRT, SIGSTOP};
	for (size_t i = 0; i < sizeof module / sizeof module[0]; i++) {
		expect_unheard(module[i], "a", sig[i]);
		expect_unheard(module[i], "b", sig[i]);
	}
}
END_TEST

/* After the death of an out the other one plays; whoever listens to both waits for JACK to drop the dead one, no longer. */
START_TEST(the_death_of_an_out_leaves_the_other)
{
	static const char *const lane[] = {"a", "b"};
	for (int i = 0; i < 2; i++) {
		struct chr_tries tries = {.what = "out", .fair_max = TRIES};
		size_t wrong;
		do {
			unheard("out", lane[i], SIGKILL);
			/* the place of the cut is wrong for one cycle of the sound, the rest is as it was */
			wrong = wrong_frames();
		} while (wrong > 2 * CYCLE && chr_tries_again(&tries, watch));
		ck_assert(!chr_tries_refute(&tries));
		ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
	}
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "lanes", 120);
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, a_death_changes_no_sample);
	tcase_add_test(tests, the_death_of_an_out_leaves_the_other);
}

int main(void)
{
	return chr_system_main("lanes", fill, 0);
}
