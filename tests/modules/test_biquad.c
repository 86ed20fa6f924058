#include "tests/lib/cookbook.h"
#include "tests/lib/fit.h"
#include "tests/lib/suite.h"
#include "tests/modules/host.h"

#include <check.h>
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float rates[] = {44100.0f, 48000.0f, 96000.0f};
#define RATES (sizeof rates / sizeof rates[0])

static struct host *filter(unsigned mode, float rate, float hz, float q, float gain, uint32_t frames)
{
	struct host *host = host_create(host_load("biquad"), rate, frames);

	host_set(host, "mode", host_choice(host, "mode", cookbook_modes[mode]));
	host_set(host, "cutoff", hz);
	host_set(host, "q", q);
	host_set(host, "gain", gain);
	return host;
}

/* Frames in which the slowest pole has fallen by 160 dB. */
static uint32_t ring_out(double hz, double q, double gain_db, double rate)
{
	const double widest = fmax(q * pow(10.0, fabs(gain_db) / 40.0), 0.5 / fmin(q, 0.5)) * pow(10.0, fabs(gain_db) / 80.0);

	return 2000 + (uint32_t)(18.4 * widest / (0.5 * sin(2.0 * M_PI * hz / rate)));
}

/* Magnitude and phase within 0.01 dB, from 20 Hz to 0.45 of the sample rate. */
static void check_response(unsigned mode, float rate, float hz, float q, float gain)
{
	struct host *host = filter(mode, rate, hz, q, gain, ring_out(hz, q, mode < 5 ? 0.0 : gain, rate));
	const struct cookbook want = cookbook(mode, hz, q, gain, rate);

	host_port(host, "in")[0] = 1.0f;
	host_play(host, 8192);
	for (unsigned i = 0; i <= 12; i++) {
		const double at = i == 12 ? hz : 20.0 * pow(0.45 * rate / 20.0, i / 11.0);
		const double complex h = fit_fourier(host_port(host, "out"), host->frames, at / host->sample_rate),
				     w = cookbook_response(&want, at, rate);

		if (cabs(h - w) > 0.00115 * cabs(w) + 1e-6)
			ck_abort_msg("%s, %g Hz, q %g, %g dB, rate %g: at %g Hz %g dB, cookbook %g dB (difference %g)",
				     cookbook_modes[mode], (double)hz, (double)q, (double)gain, (double)rate, at,
				     20.0 * log10(cabs(h)), 20.0 * log10(cabs(w)), cabs(h - w));
	}
	host_destroy(host);
}

START_TEST(responses_are_those_of_the_cookbook)
{
	static const float cutoffs[] = {10.0f, 31.7f, 441.3f, 3987.1f, 12011.0f, 19993.0f}, qs[] = {0.1f, 0.7071f, 3.3f, 40.0f};
	static const float gains[] = {-24.0f, -6.1f, 0.0f, 11.3f, 24.0f};

	for (unsigned c = 0; c < 6; c++)
		for (unsigned q = 0; q < 4; q++)
			for (unsigned g = 0; g < (_i < 5 ? 1 : 5); g++)
				/* The slowest corners take minutes to ring out and say nothing that the others do not. */
				if (c > 1 || (qs[q] > 0.5f && qs[q] < 10.0f && fabsf(gains[g]) < 20.0f))
					check_response((unsigned)_i, rates[(c + q + g) % RATES], cutoffs[c], qs[q], gains[g]);
}
END_TEST

/* The port moves the cutoff by an octave per volt and stops at its limits. */
START_TEST(cutoff_port_is_an_octave_per_volt)
{
	static const struct {
		float volts;
		double hz;
	} cases[] = {{1.0f, 882.0}, {-2.5f, 77.958521}, {5.0f, 14112.0}, {20.0f, 0.49 * 48000.0}};

	for (unsigned k = 0; k < 4; k++) {
		struct host *host = filter(0, 48000.0f, 441.0f, 0.9f, 0.0f, 60000);
		const struct cookbook want = cookbook(0, cases[k].hz, (double)0.9f, 0.0, 48000.0);

		for (uint32_t i = 0; i < host->frames; i++)
			host_port(host, "cutoff")[i] = cases[k].volts;
		host_port(host, "in")[0] = 1.0f;
		host_play(host, 256);
		for (double at = 20.0; at < 21000.0; at *= 2.7)
			ck_assert_double_le(cabs(fit_fourier(host_port(host, "out"), host->frames, at / host->sample_rate) -
						 cookbook_response(&want, at, 48000.0)),
					    0.00115 * cabs(cookbook_response(&want, at, 48000.0)) + 1e-6);
		host_destroy(host);
	}
}
END_TEST

/* Noise in, while cutoff, q and gain move at audio rate over all they can: the output stays bounded and dies away afterwards. */
START_TEST(audio_rate_modulation_stays_bounded)
{
	static const float sweeps[] = {0.00013f, 0.013f, 0.37f, 1.9f, 0.0f}; /* radians per frame; 0: noise */
	static const float qs[] = {0.1f, 0.7071f, 5.0f, 40.0f};

	for (unsigned s = 0; s < 5; s++)
		for (unsigned q = 0; q < 4; q++) {
			struct host *host = filter((unsigned)_i, 48000.0f, 632.0f, qs[q], 24.0f, 96000);
			uint64_t seed = s * 4 + q;
			float peak = 0.0f, end = 0.0f;

			for (uint32_t i = 0; i < host->frames; i++) {
				const double swing = sweeps[s] > 0.0f ? sin((double)sweeps[s] * i) : 2.0 * host_random(&seed) - 1.0;

				host_port(host, "cutoff")[i] = (float)(5.0 * swing);
				host_port(host, "in")[i] = i < 48000 ? (float)(2.0 * host_random(&seed) - 1.0) : 0.0f;
				if (q == 3) {
					host_course(host, "q")[i] = (float)(0.1 * pow(400.0, host_random(&seed)));
					host_course(host, "gain")[i] = (float)(48.0 * host_random(&seed) - 24.0);
				}
			}
			host_play(host, 256);
			for (uint32_t i = 0; i < host->frames; i++) {
				const float size = fabsf(host_port(host, "out")[i]);

				if (!(size < 1e4f))
					ck_abort_msg("%s, q %g, sweep %g: %g at frame %u", cookbook_modes[_i], (double)qs[q],
						     (double)sweeps[s], (double)host_port(host, "out")[i], i);
				peak = fmaxf(peak, size);
				end = i > 95000 ? fmaxf(end, size) : end;
			}
			ck_assert_msg(end < peak * 0.1f, "%s, q %g, sweep %g: still %g of %g", cookbook_modes[_i], (double)qs[q],
				      (double)sweeps[s], (double)end, (double)peak);
			host_destroy(host);
		}
}
END_TEST

/* A 20 Hz filter against the cookbook's difference equation in long double. */
START_TEST(low_cutoffs_are_quiet)
{
	struct host *host = filter((unsigned)_i, 48000.0f, 20.0f, 0.7071f, 12.0f, 240000);
	const struct cookbook c = cookbook((unsigned)_i, 20.0, (double)0.7071f, 12.0, 48000.0);
	const float *in = host_port(host, "in"), *out = host_port(host, "out");
	long double y1 = 0.0L, y2 = 0.0L, signal = 0.0L, noise = 0.0L;
	uint64_t seed = 1;

	for (uint32_t i = 0; i < host->frames; i++)
		host_port(host, "in")[i] = (float)(0.5 * sin(i * 0.0031) + 0.5 * (host_random(&seed) - 0.5));
	host_play(host, 256);
	for (uint32_t i = 0; i < host->frames; i++) {
		const long double x1 = i > 0 ? in[i - 1] : 0.0f, x2 = i > 1 ? in[i - 2] : 0.0f;
		const long double y = (c.b[0] * (long double)in[i] + c.b[1] * x1 + c.b[2] * x2 - c.a[1] * y1 - c.a[2] * y2) /
				      c.a[0];

		noise += (out[i] - y) * (out[i] - y);
		signal += y * y;
		y2 = y1;
		y1 = y;
	}
	ck_assert_msg(10.0L * log10l(noise / signal) <= -130.0L, "%s: %.1Lf dB", cookbook_modes[_i],
		      10.0L * log10l(noise / signal));
	host_destroy(host);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("biquad");
	TCase *tests = tcase_create("biquad");

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, responses_are_those_of_the_cookbook, 0, COOKBOOK_MODES);
	tcase_add_test(tests, cutoff_port_is_an_octave_per_volt);
	tcase_add_loop_test(tests, audio_rate_modulation_stays_bounded, 0, COOKBOOK_MODES);
	tcase_add_loop_test(tests, low_cutoffs_are_quiet, 0, COOKBOOK_MODES);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
