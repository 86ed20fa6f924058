/* What a person hears first: drone.cfg, exact in pitch, clean, without a click, on both channels of the hardware. */
#include "tests/lib/analysis.h"
#include "tests/lib/patches.h"
#include "tests/lib/recorder.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"
#include "tests/lib/tries.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 48000.0

static struct chr_rig rig;
static struct chr_recorder *rec, *watch;

static void open_recorders(unsigned ports, double seconds)
{
	rec = chr_recorder_create("recorder", ports, (size_t)(seconds * RATE));
	watch = chr_recorder_create("watch", 0, (size_t)(seconds * RATE));
	ck_assert(rec && watch);
}

static void close_recorders(void)
{
	chr_recorder_destroy(rec);
	chr_recorder_destroy(watch);
}

/* Records both channels, tells what the left one is, and sees that the right one is the same. */
static bool drone_is_clean(double seconds, struct chr_sine *sine)
{
	size_t from, frames = chr_recorder_take_stretch(rec, (size_t)(seconds * RATE), (size_t)RATE, &from);
	ck_assert_msg(frames >= (size_t)RATE, "the machine never held still for a second");
	const float *left = chr_recorder_data(rec, 0) + from, *right = chr_recorder_data(rec, 1) + from;
	bool same = memcmp(left, right, frames * sizeof *left) == 0;
	ck_assert_int_eq(chr_sine_fit(left, frames, RATE, sine), 0);
	size_t clicks = chr_click_count(left, frames, RATE, sine, 1e-6);
	printf("drone: %.6f Hz (%+.7f cents), level %.6f, THD+N %.1f dB, clicks %zu in %.1f s%s\n", sine->hz,
	       chr_cents(sine->hz, 440.3), sine->amplitude, sine->thd_n_db, clicks, (double)frames / RATE,
	       same ? "" : ", the channels differ");
	return clicks == 0 && same;
}

START_TEST(drone_is_exact_and_clean)
{
	double seconds = chr_system_seconds(5.0);
	struct chr_sine sine;
	bool clean = false;
	ck_assert_int_eq(chr_rig_start(&rig, "patches/drone.cfg"), 0);
	open_recorders(2, seconds);
	ck_assert_int_eq(chr_recorder_connect(rec, 0, "out:play_left", 2000), 0);
	ck_assert_int_eq(chr_recorder_connect(rec, 1, "out:play_right", 2000), 0);
	/* a machine that stalls under the modules alone spoils an attempt; a sound that is not clean spoils all of them */
	for (int attempt = 0; attempt < 5 && !clean; attempt++)
		clean = drone_is_clean(seconds, &sine);
	ck_assert(clean);
	ck_assert_double_le(fabs(chr_cents(sine.hz, 440.3)), 0.0005);
	ck_assert_double_eq_tol(sine.amplitude, 0.5, 1e-5);
	ck_assert_double_le(sine.thd_n_db, -140.0);
	close_recorders();
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}
END_TEST

static bool is_connected_to_hardware(const char *port)
{
	jack_client_t *client = chr_recorder_client(rec);
	const char **sinks = jack_port_get_all_connections(client, jack_port_by_name(client, port));
	bool found = false;
	for (size_t i = 0; sinks && sinks[i]; i++)
		found |= (jack_port_flags(jack_port_by_name(client, sinks[i])) & JackPortIsPhysical) != 0;
	jack_free(sinks);
	return found;
}

START_TEST(out_reaches_the_hardware_by_itself)
{
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(CHR_PATCH_DRONE)), 0);
	open_recorders(0, 0.1);
	ck_assert(is_connected_to_hardware("out:play_left"));
	ck_assert(is_connected_to_hardware("out:play_right"));
	close_recorders();
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}
END_TEST

/* Is the end of what is recorded now the voice's note? */
static bool plays_the_note(size_t frames)
{
	struct chr_sine sine;
	ck_assert(chr_recorder_take(rec, watch, frames));
	size_t from, length = chr_recorder_stretch(rec, &from);
	if (length < frames / 4 || chr_sine_fit(chr_recorder_data(rec, 0) + from + length / 2, length / 2, RATE, &sine))
		return false;
	printf("the note: %.6f Hz, level %.4f\n", sine.hz, sine.amplitude);
	/* sustain 0.5 of level 0.5, through a lowpass that passes 220 Hz */
	return fabs(sine.hz - 220.0) < 0.001 && fabs(sine.amplitude - 0.25) < 0.01;
}

START_TEST(voice_is_silent_until_it_is_played)
{
	size_t frames = 24000;
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(CHR_PATCH_VOICES)), 0);
	open_recorders(1, 0.5);
	ck_assert_int_eq(chr_recorder_connect(rec, 0, "out:play_left", 2000), 0);
	ck_assert(chr_recorder_take(rec, NULL, frames));
	ck_assert_uint_eq(chr_longest_gap(chr_recorder_data(rec, 0), frames, NULL), frames);
	chr_peer_send(&rig.peer, "/osc2/level", "f", 0.0);
	chr_peer_send(&rig.peer, "/env1/gate", "i", 1);
	ck_assert(chr_peer_barrier(&rig.peer, 2000));
	struct chr_tries tries = {.what = "the note", .fair_max = 3};
	while (!plays_the_note(frames) && chr_tries_again(&tries, watch))
		;
	ck_assert(!chr_tries_refute(&tries));
	close_recorders();
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "sound", 60 + (int)(3 * chr_system_seconds(5.0)));
	tcase_add_test(tests, drone_is_exact_and_clean);
	tcase_add_test(tests, out_reaches_the_hardware_by_itself);
	tcase_add_test(tests, voice_is_silent_until_it_is_played);
}

int main(void)
{
	return chr_system_main("sound", fill, 0);
}
