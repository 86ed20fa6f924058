/* The instruments themselves: the fit against sines made in double precision, the recorder against a generator client, the ends of children. */
#include "tests/lib/analysis.h"
#include "tests/lib/child.h"
#include "tests/lib/leaks.h"
#include "tests/lib/recorder.h"
#include "tests/lib/system.h"
#include "tests/lib/tries.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define RATE 48000.0

static float *make_sine(size_t frames, double hz, double level, double phase)
{
	float *x = malloc(frames * sizeof *x);
	ck_assert_ptr_nonnull(x);
	for (size_t i = 0; i < frames; i++)
		x[i] = (float)(level * sin(2.0 * M_PI * hz * (double)i / RATE + phase));
	return x;
}

START_TEST(fit_finds_frequency_level_and_noise)
{
	static const double hz[] = {61.7, 440.3, 997.0, 9999.9};
	size_t frames = 240000;
	for (size_t k = 0; k < sizeof hz / sizeof *hz; k++) {
		float *x = make_sine(frames, hz[k], 0.5, 1.0 + (double)k);
		struct chr_sine sine;
		ck_assert_int_eq(chr_sine_fit(x, frames, RATE, &sine), 0);
		ck_assert_double_eq_tol(sine.hz / hz[k], 1.0, 1e-10);
		ck_assert_double_eq_tol(sine.amplitude, 0.5, 1e-8);
		ck_assert_double_eq_tol(remainder(sine.phase - 1.0 - (double)k, 2.0 * M_PI), 0.0, 1e-6);
		ck_assert_double_lt(sine.thd_n_db, -150.0);
		free(x);
	}
}
END_TEST

START_TEST(fit_sees_a_millicent_and_a_harmonic)
{
	size_t frames = 240000;
	float *x = make_sine(frames, 440.3 * exp2(0.001 / 1200.0), 0.5, 0.0);
	for (size_t i = 0; i < frames; i++)
		x[i] += (float)(0.5e-6 * sin(2.0 * M_PI * 880.6 * (double)i / RATE));
	struct chr_sine sine;
	ck_assert_int_eq(chr_sine_fit(x, frames, RATE, &sine), 0);
	ck_assert_double_eq_tol(chr_cents(sine.hz, 440.3), 0.001, 1e-5);
	ck_assert_double_eq_tol(sine.thd_n_db, -120.0, 0.1);
	free(x);
}
END_TEST

START_TEST(clicks_gaps_and_onsets_are_found)
{
	size_t frames = 96000, at = 0;
	float *x = make_sine(frames, 440.3, 0.5, 0.0);
	struct chr_sine sine;
	ck_assert_int_eq(chr_sine_fit(x, frames, RATE, &sine), 0);
	ck_assert_uint_eq(chr_click_count(x, frames, RATE, &sine, 1e-6), 0);
	x[20000] += 1e-4f;
	memset(x + 50000, 0, 256 * sizeof *x);
	ck_assert_uint_eq(chr_click_count(x, frames, RATE, &sine, 1e-6), 2);
	ck_assert_uint_eq(chr_longest_gap(x, frames, &at), 256);
	ck_assert_uint_eq(at, 50000);
	memset(x, 0, 1000 * sizeof *x);
	ck_assert_uint_eq(chr_onset(x, frames, 0, 0.0f), 1000);
	free(x);
}
END_TEST

START_TEST(children_are_killed_and_their_parent_goes_on)
{
	static char shell[] = "sh", option[] = "-c", script[] = "sleep 100 & sleep 100 & wait";
	char *argv[] = {shell, option, script, NULL};
	struct chr_child parent;
	ck_assert_int_eq(chr_child_start(&parent, argv, NULL), 0);
	pid_t pid = parent.pid;
	for (unsigned i = 0; i < 1000 && chr_holdings_of(pid).children < 2; i++)
		poll(NULL, 0, 10);
	ck_assert_uint_eq(chr_children_kill(pid), 2);
	ck_assert(chr_child_ended(&parent, 10000)); /* it had nothing to do but wait for them */
	ck_assert_int_eq(chr_child_code(&parent), 0);
	ck_assert_uint_eq(chr_children_kill(pid), 0);
}
END_TEST

static jack_client_t *generator;
static jack_port_t *generator_port;

/* Its samples are their own frame time, so a recording shows where each came from. */
static int generate(jack_nframes_t n, void *arg)
{
	(void)arg;
	float *y = jack_port_get_buffer(generator_port, n);
	jack_nframes_t now = jack_last_frame_time(generator);
	for (jack_nframes_t i = 0; i < n; i++)
		y[i] = (float)((now + i) & 0xfffff);
	return 0;
}

/* Samples whose place is not that of their frame; places and frames must turn into each other. A server that counts a frame twice, as PipeWire
 * does after a stall, has it found where it came first. */
static size_t misplaced(const struct chr_recorder *rec)
{
	const float *x = chr_recorder_data(rec, 0);
	size_t frames = chr_recorder_frames(rec), count = 0;
	for (size_t i = 0; i < frames; i++) {
		jack_nframes_t frame = chr_recorder_frame(rec, i);
		count += (unsigned)x[i] != (frame & 0xfffff);
		if (i % 997 == 0) {
			long long place = chr_recorder_place(rec, frame);
			ck_assert(place >= 0 && place <= (long long)i);
			ck_assert_uint_eq(chr_recorder_frame(rec, (size_t)place), frame);
		}
	}
	return count;
}

START_TEST(recorder_places_every_sample)
{
	size_t wrong;
	generator = jack_client_open("generator", JackNoStartServer | JackUseExactName, NULL);
	ck_assert_ptr_nonnull(generator);
	generator_port = jack_port_register(generator, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
	jack_set_process_callback(generator, generate, NULL);
	ck_assert_int_eq(jack_activate(generator), 0);
	struct chr_recorder *rec = chr_recorder_create("recorder", 1, 24000), *watch = chr_recorder_create("watch", 0, 24000);
	ck_assert(rec && watch);
	ck_assert_int_eq(chr_recorder_connect(rec, 0, "generator:out", 2000), 0);
	/* a stall of the machine can cost the generator a cycle that the recorder does not lose */
	struct chr_tries tries = {.what = "places", .fair_max = 3};
	do {
		ck_assert(chr_recorder_take(rec, watch, 24000));
		wrong = misplaced(rec);
	} while (wrong && chr_tries_again(&tries, watch));
	ck_assert_msg(!chr_tries_refute(&tries), "%zu samples are out of place", wrong);
	chr_recorder_destroy(rec);
	chr_recorder_destroy(watch);
	jack_client_close(generator);
}
END_TEST

static void fill(Suite *suite)
{
	TCase *analysis = tcase_create("analysis");
	tcase_set_timeout(analysis, 60);
	tcase_add_test(analysis, fit_finds_frequency_level_and_noise);
	tcase_add_test(analysis, fit_sees_a_millicent_and_a_harmonic);
	tcase_add_test(analysis, clicks_gaps_and_onsets_are_found);
	suite_add_tcase(suite, analysis);
	TCase *children = tcase_create("children");
	tcase_set_timeout(children, 60);
	tcase_add_test(children, children_are_killed_and_their_parent_goes_on);
	suite_add_tcase(suite, children);
	tcase_add_test(chr_system_case(suite, "recorder", 30), recorder_places_every_sample);
}

int main(void)
{
	return chr_system_main("harness", fill, 0);
}
