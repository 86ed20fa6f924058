#include "tests/lib/fit.h"
#include "tests/lib/suite.h"
#include "tests/modules/host.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 8192u

static const float rates[] = {44100.0f, 48000.0f, 96000.0f};
#define RATES (sizeof rates / sizeof rates[0])

/* Frames played before the block that is in the buffer. */
static uint64_t play_blocks(struct host *host, unsigned blocks)
{
	for (unsigned i = 0; i < blocks; i++)
		host_run(host, 0, BLOCK);
	return (uint64_t)(blocks - 1) * BLOCK;
}

/* Deviation in cents of what plays from `hz`, seen over `blocks` blocks. */
static double cents_off(struct host *host, double hz, unsigned blocks)
{
	const double cycles = hz / host->sample_rate;
	const uint64_t first = play_blocks(host, blocks);
	const struct fit late = fit_sine(host_port(host, "out"), BLOCK, cycles, first);
	const double turns = late.turns - rint(late.turns); /* phase began at 0 */

	return 1200.0 * log2(1.0 + turns / (cycles * ((double)first + BLOCK / 2.0)));
}

/* 30 frequencies from 20 Hz to 20 kHz, none of which divides a sample rate. */
START_TEST(frequency_is_right)
{
	const struct chr_module *module = host_load("sine");

	for (unsigned i = 0; i < 30; i++) {
		struct host *host = host_create(module, rates[_i], BLOCK);
		const float hz = (float)(20.0137 * pow(19990.7 / 20.0137, i / 29.0));
		double cents;

		host_set(host, "freq", hz);
		cents = cents_off(host, hz, 40);
		ck_assert_msg(fabs(cents) <= 0.0005, "%g Hz at %g: %g cents off", (double)hz, (double)rates[_i], cents);
		host_destroy(host);
	}
}
END_TEST

/* Ten minutes of it: not a millionth of a turn is lost. */
START_TEST(phase_never_drifts)
{
	struct host *host = host_create(host_load("sine"), rates[_i], BLOCK);
	const double cycles = (double)440.3f / rates[_i];
	uint64_t first;
	struct fit fit;

	host_set(host, "freq", 440.3f);
	first = play_blocks(host, (unsigned)(600.0f * rates[_i] / BLOCK));
	fit = fit_sine(host_port(host, "out"), BLOCK, cycles, first);
	ck_assert_double_le(fabs(fit.turns - rint(fit.turns)), 1e-6);
	host_destroy(host);
}
END_TEST

/* The lowest frequencies, followed sample by sample through two periods. */
START_TEST(low_frequencies_are_right)
{
	static const float low[] = {0.01f, 0.0371f, 0.713f};

	for (unsigned f = 0; f < 3; f++) {
		struct host *host = host_create(host_load("sine"), rates[_i], BLOCK);
		const double cycles = (double)low[f] / rates[_i];
		double worst = 0.0;

		host_set(host, "freq", low[f]);
		host_set(host, "level", 1.0f);
		for (uint64_t first = 0; (double)first * cycles < 2.0; first += BLOCK) {
			host_run(host, 0, BLOCK);
			for (unsigned i = 0; i < BLOCK; i += 97)
				worst = fmax(worst,
					     fabs(host_port(host, "out")[i] - sin(2.0 * M_PI * fit_turns(cycles, first + i))));
		}
		ck_assert_msg(worst <= 1.5e-7, "%g Hz at %g: %g off", (double)low[f], (double)rates[_i], worst);
		host_destroy(host);
	}
}
END_TEST

START_TEST(distortion_is_that_of_float)
{
	static const struct {
		float hz, level;
		double limit_db;
	} cases[] = {
		{997.0f, 0.5f, -150.0},  {997.0f, 1.0f, -150.0},   {440.3f, 0.5f, -150.0}, {61.7f, 1.0f, -150.0},
		{6151.3f, 1.0f, -150.0}, {15013.9f, 0.5f, -150.0}, {997.0f, 0.7f, -147.5}, {19871.3f, 0.3f, -147.5},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct host *host = host_create(host_load("sine"), rates[_i], 1u << 17);
		struct fit fit;

		host_set(host, "freq", cases[i].hz);
		host_set(host, "level", cases[i].level);
		host_play(host, 256);
		fit = fit_sine(host_port(host, "out"), host->frames, (double)cases[i].hz / rates[_i], 0);
		ck_assert_double_eq_tol(fit.amplitude, cases[i].level, 1e-7);
		ck_assert_msg(fit.residual_db <= cases[i].limit_db, "%g Hz, level %g, at %g: THD+N %.2f dB", (double)cases[i].hz,
			      (double)cases[i].level, (double)rates[_i], fit.residual_db);
		host_destroy(host);
	}
}
END_TEST

/* The greatest difference from the same sum in long double. */
static double difference(struct host *host)
{
	const float *freq = host_course(host, "freq"), *tune = host_course(host, "tune"), *depth = host_course(host, "fm_depth");
	const float *level = host_course(host, "level"), *pitch = host_port(host, "pitch"), *fm = host_port(host, "fm");
	long double turns = 0.0L;
	double worst = 0.0;

	for (uint32_t i = 0; i < host->frames; i++) {
		long double hz = freq[i] * exp2l(pitch[i] + tune[i] / 1200.0L) + (long double)depth[i] * fm[i];
		const long double limit = 0.4999999L * host->sample_rate;

		worst = fmax(worst, fabs(host_port(host, "out")[i] - level[i] * (double)sinl(2.0L * acosl(-1.0L) * turns)));
		hz = hz > limit ? limit : hz < -limit ? -limit : hz;
		turns += hz / host->sample_rate;
		turns -= floorl(turns);
	}
	return worst;
}

START_TEST(pitch_and_tune_follow_the_octave)
{
	struct host *host = host_create(host_load("sine"), rates[_i], 40000);

	for (uint32_t i = 0; i < host->frames; i++) {
		host_port(host, "pitch")[i] = 5.0f * sinf((float)i * 0.0017f);
		host_course(host, "tune")[i] = 100.0f * sinf((float)i * 0.01f);
		host_course(host, "level")[i] = 0.5f + 0.4f * sinf((float)i * 0.003f);
	}
	host_play(host, 256);
	ck_assert_double_le(difference(host), 2e-7);
	host_destroy(host);
}
END_TEST

/* 100 Hz with a swing of +-5000 Hz: most of the time it runs backwards or fast forwards. */
START_TEST(linear_fm_passes_through_zero)
{
	struct host *host = host_create(host_load("sine"), rates[_i], 40000);

	host_set(host, "freq", 100.0f);
	host_set(host, "fm_depth", 1000.0f);
	for (uint32_t i = 0; i < host->frames; i++)
		host_port(host, "fm")[i] = 5.0f * sinf((float)i * 0.031f);
	host_play(host, 256);
	ck_assert_double_le(difference(host), 3e-7);
	for (uint32_t i = 0; i < host->frames; i++)
		host_port(host, "fm")[i] = -1.0f;
	host_reset(host);
	host_play(host, 256);
	ck_assert_double_le(difference(host), 3e-7);
	host_destroy(host);
}
END_TEST

/* Ports that are the same at both ends of every block, and not in between: one sample of each, at each place of a block in turn. */
START_TEST(a_pulse_between_still_ends_is_heard)
{
	for (unsigned port = 0; port < 2; port++) {
		struct host *host = host_create(host_load("sine"), rates[_i], 256u * 256u);

		for (uint32_t block = 1; block < 255; block++)
			host_port(host, port ? "fm" : "pitch")[block * 256 + block] = 1.0f;
		host_set(host, "fm_depth", 3000.0f);
		host_play(host, 256);
		ck_assert_double_le(difference(host), 2e-7);
		host_destroy(host);
	}
}
END_TEST

/* Beyond Nyquist the frequency is Nyquist, both ways. */
START_TEST(beyond_nyquist_is_clamped)
{
	for (float volts = -5.0f; volts <= 5.0f; volts += 10.0f) {
		struct host *host = host_create(host_load("sine"), rates[_i], 4000);

		host_set(host, "fm_depth", 5000.0f);
		for (uint32_t i = 0; i < host->frames; i++) {
			host_port(host, "fm")[i] = 2.0f * volts;
			host_port(host, "pitch")[i] = volts;
		}
		host_play(host, 256);
		ck_assert_double_le(difference(host), 3e-7);
		host_destroy(host);
	}
}
END_TEST

START_TEST(full_level_never_clips)
{
	struct host *host = host_create(host_load("sine"), rates[_i], BLOCK);
	float peak = 0.0f;

	host_set(host, "level", 1.0f);
	for (unsigned k = 0; k < 400; k++) {
		host_set(host, "freq", 20.0f + 41.37f * (float)k);
		host_run(host, 0, BLOCK);
		for (uint32_t i = 0; i < BLOCK; i++)
			peak = fmaxf(peak, fabsf(host_port(host, "out")[i]));
	}
	ck_assert_float_eq(peak, 1.0f);
	host_destroy(host);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sine");
	TCase *tests = tcase_create("sine");

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, frequency_is_right, 0, RATES);
	tcase_add_loop_test(tests, phase_never_drifts, 0, RATES);
	tcase_add_loop_test(tests, low_frequencies_are_right, 0, RATES);
	tcase_add_loop_test(tests, distortion_is_that_of_float, 0, RATES);
	tcase_add_loop_test(tests, pitch_and_tune_follow_the_octave, 0, RATES);
	tcase_add_loop_test(tests, linear_fm_passes_through_zero, 0, RATES);
	tcase_add_loop_test(tests, a_pulse_between_still_ends_is_heard, 0, RATES);
	tcase_add_loop_test(tests, beyond_nyquist_is_clamped, 0, RATES);
	tcase_add_loop_test(tests, full_level_never_clips, 0, RATES);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
