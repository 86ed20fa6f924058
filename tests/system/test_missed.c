/* A module that misses cycles goes on where it belongs in time, not where it was held up.
 *
 * The sine has a period of 4096 frames, which its phase divides exactly: the sample of a frame equals that of any frame 4096 earlier bit for
 * bit. One that came back late would be off by the frames it missed, fewer than that.
 */
#include "tests/lib/recorder.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define CYCLE 4096  /* frames after which the sound repeats itself */
#define TAKE  36000 /* recorded around each stop */
#define STOP  300   /* frames that the module is held up for: some cycles of it, fewer than the watchdog lets it */
#define TRIES 12

static const char patch[] = "name = \"missed\"; lanes = 1; watchdog = 16;\n"
			    "modules = ( { name = \"osc1\"; type = \"sine\"; params = { freq = 11.71875; level = 0.5; }; } );\n"
			    "connections = ( [\"osc1:out\", \"out:left\"] );\n";

static struct chr_rig rig;
static struct chr_recorder *rec;

static void start(void)
{
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(patch)), 0);
	rec = chr_recorder_create("recorder", 1, TAKE);
	ck_assert(rec);
	ck_assert_int_eq(chr_recorder_connect(rec, 0, "out:play_left", 2000), 0);
}

static void stop(void)
{
	chr_recorder_destroy(rec);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}

static pid_t osc_pid(void)
{
	struct chr_rig_status status;
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	const struct chr_rig_instance *osc = chr_rig_find(&status, "osc1", "a");
	ck_assert(osc && osc->pid > 0);
	return osc->pid;
}

/* Frames from place `from` to `to` that differ from what stands at their time in `cycle`, a period of the sound. */
static size_t wrong_frames(const float *cycle, size_t from, size_t to)
{
	const float *x = chr_recorder_data(rec, 0);
	size_t wrong = 0;
	for (size_t i = from; i < to; i++)
		wrong += memcmp(&x[i], &cycle[chr_recorder_frame(rec, i) % CYCLE], sizeof *x) != 0;
	return wrong;
}

/* The period of the sound that begins with the recording, by frame time. False when it was not recorded whole. */
static bool learn(float *cycle)
{
	const float *x = chr_recorder_data(rec, 0);
	jack_nframes_t first = chr_recorder_frame(rec, 0);
	if (!chr_recorder_whole(rec, first, first + 2 * CYCLE))
		return false;
	for (size_t i = 0; i < CYCLE; i++)
		cycle[(first + i) % CYCLE] = x[i];
	return wrong_frames(cycle, 0, 2 * CYCLE) == 0;
}

/* Holds it up in the middle of a recording. False when that did not come about as it was meant: it lost no cycle, or so many that it was
 * replaced. Then *late tells how much of the end of the recording is not as it should be. */
static bool hold_up(size_t *late)
{
	static float cycle[CYCLE];
	pid_t pid = osc_pid();
	chr_recorder_start(rec);
	ck_assert(chr_recorder_wait(rec, 2 * CYCLE + 1024));
	size_t at = chr_recorder_frames(rec);
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	ck_assert(chr_recorder_wait(rec, at + STOP));
	kill(pid, SIGCONT);
	ck_assert(chr_recorder_wait(rec, TAKE));
	chr_recorder_stop(rec);
	if (osc_pid() != pid || !learn(cycle) || wrong_frames(cycle, at, at + 4 * CYCLE) == 0)
		return false;
	*late = wrong_frames(cycle, TAKE - 2 * CYCLE, TAKE);
	return true;
}

START_TEST(a_module_that_missed_cycles_is_not_late)
{
	size_t late = 1;
	unsigned done = 0;
	/* the first try that comes about may have lost more cycles than are made up for, where the machine stalls */
	for (int i = 0; i < TRIES && late; i++)
		done += hold_up(&late);
	ck_assert_msg(done, "it was never held up as it was meant");
	ck_assert_msg(!late, "%zu frames of %d are out of step, %u times out of %u", late, 2 * CYCLE, done, done);
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "missed", 60);
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, a_module_that_missed_cycles_is_not_late);
}

int main(void)
{
	return chr_system_main("missed", fill, 0);
}
