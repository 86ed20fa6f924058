/* The map from time to frames, against a JACK and a CLOCK_REALTIME that the test winds itself. */
#include "supervisor/osc.h"
#include "supervisor/osc_clock.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#define SECOND INT64_C(1000000000)

static struct chr_osc_map map;
static struct chr_osc_host host;
static int64_t real_ns;     /* what CLOCK_REALTIME says */
static double drift;        /* JACK's rate over the nominal one, less one */
static double noise_frames; /* JACK's estimate is off by up to this */
static int64_t origin_ns;
static uint32_t origin_frame;

static int64_t real_now(void)
{
	return real_ns;
}

static uint64_t time_now_us(void *self)
{
	(void)self;
	return (uint64_t)(real_ns - origin_ns) / 1000;
}

static uint32_t time_to_frame(void *self, uint64_t us)
{
	(void)self;
	return origin_frame + (uint32_t)llround((double)us * 0.048 * (1 + drift) + noise_frames);
}

static double true_frame(void)
{
	return (double)(real_ns - origin_ns) * 48e-6 * (1 + drift);
}

/* Frames by which the map is ahead of the truth. */
static double ahead(void)
{
	double truth = true_frame(), whole = floor(truth);
	uint32_t frame = origin_frame + (uint32_t)(int64_t)whole;

	return chr_frames_diff(chr_osc_map_frame(&map, real_ns), frame) - (truth - whole);
}

static void setup(void)
{
	map = (struct chr_osc_map){.now_ns = real_now};
	host = (struct chr_osc_host){.time_now_us = time_now_us, .time_to_frame = time_to_frame};
	origin_ns = real_ns = 1790000000 * SECOND + 123456789;
	origin_frame = UINT32_MAX - 1000;
	drift = noise_frames = 0;
}

static void run(double seconds, int64_t step_ns)
{
	for (int64_t end = real_ns + (int64_t)(seconds * 1e9); real_ns < end; real_ns += step_ns)
		chr_osc_map_update(&map, &host, 48000);
}

START_TEST(test_timetags)
{
	ck_assert(chr_osc_ns_timetag(0) == UINT64_C(2208988800) << 32);
	ck_assert(chr_osc_timetag_ns(UINT64_C(2208988800) << 32, 0) == 0);
	ck_assert(chr_osc_ns_timetag(SECOND / 2) == (UINT64_C(2208988800) << 32 | UINT64_C(0x80000000)));
	srand(1);
	for (unsigned i = 0; i < 10000; i++) {
		int64_t ns = real_ns + (int64_t)rand() * 12345;

		ck_assert(chr_osc_timetag_ns(chr_osc_ns_timetag(ns), real_ns) == ns);
	}
	/* The era begins anew in 2036. */
	int64_t later = 2085978496 * SECOND;
	ck_assert(chr_osc_ns_timetag(later) >> 32 == 0);
	ck_assert(chr_osc_timetag_ns(chr_osc_ns_timetag(later + SECOND), later - 100 * SECOND) == later + SECOND);
}
END_TEST

START_TEST(test_point_is_exact)
{
	chr_osc_map_update(&map, &host, 48000);
	ck_assert_double_le(fabs(ahead()), 0.51);
	uint32_t first = chr_osc_map_frame(&map, real_ns);
	for (int32_t k = -100000; k < 10000000; k += 997) {
		int64_t at = chr_osc_map_time(&map, first + (uint32_t)k);

		ck_assert_uint_eq(chr_osc_map_frame(&map, at), first + (uint32_t)k);
	}
	for (int64_t hours = -3; hours <= 24; hours++)
		ck_assert_uint_eq(chr_osc_map_frame(&map, real_ns + hours * 3600 * SECOND),
				  first + (uint32_t)(hours * 3600 * 48000));
}
END_TEST

/* Noise of JACK's own estimate moves nothing. */
START_TEST(test_noise_is_not_followed)
{
	chr_osc_map_update(&map, &host, 48000);
	int64_t point = real_ns;
	uint32_t frame = chr_osc_map_frame(&map, point);

	srand(2);
	for (unsigned i = 0; i < 20000; i++) {
		noise_frames = (double)rand() / RAND_MAX * 12 - 6;
		run(0.01, 10000000);
		ck_assert_uint_eq(chr_osc_map_frame(&map, point), frame);
	}
}
END_TEST

START_TEST(test_drift_is_followed_in_small_steps)
{
	static const double rates[] = {50e-6, -50e-6, 500e-6, -500e-6};

	for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++) {
		drift = rates[i];
		chr_osc_map_reset(&map);
		run(5, 10000000);
		double least = 1e9, most = -1e9;
		for (unsigned n = 0; n < 6000; n++) {
			int64_t point = real_ns;
			uint32_t before = chr_osc_map_frame(&map, point);

			run(0.01, 10000000);
			ck_assert_int_le(abs(chr_frames_diff(chr_osc_map_frame(&map, point), before)), 1);
			least = fmin(least, ahead());
			most = fmax(most, ahead());
		}
		/* It lags by the dead band and what drifts in the smoothing time, and keeps that distance. */
		ck_assert_double_le(most - least, 2.5);
		ck_assert_double_le(fmax(fabs(most), fabs(least)), 6 + fabs(drift) * 48000 * 1.2);
	}
}
END_TEST

/* After a pause the steps that were due are made at once. */
START_TEST(test_pause)
{
	drift = 20e-6;
	run(1, 10000000);
	real_ns += 30 * SECOND;
	chr_osc_map_update(&map, &host, 48000);
	run(2, 10000000);
	ck_assert_double_le(fabs(ahead()), 6);
}
END_TEST

START_TEST(test_jump)
{
	run(1, 10000000);
	real_ns += 10000000;
	origin_ns -= 5 * SECOND;
	run(0.1, 10000000);
	ck_assert_double_ge(fabs(ahead()), 48);
	run(0.1, 10000000);
	ck_assert_double_le(fabs(ahead()), 0.51);
	/* A clock set back, too. */
	real_ns -= 3600 * SECOND;
	origin_ns -= 3600 * SECOND + SECOND;
	run(0.2, 10000000);
	ck_assert_double_le(fabs(ahead()), 0.51);
}
END_TEST

/* After a late wake-up JACK's view is off for some periods and comes back: the map stays. */
START_TEST(test_passing_jump)
{
	run(1, 10000000);
	double before = ahead();
	origin_ns -= SECOND / 100;
	run(0.1, 10000000);
	origin_ns += SECOND / 100;
	run(0.5, 10000000);
	ck_assert_double_le(fabs(ahead() - before), 0.1);
}
END_TEST

START_TEST(test_server_comes_and_goes)
{
	run(0.1, 10000000);
	ck_assert_uint_eq(map.rate, 48000);
	chr_osc_map_update(&map, &host, 0);
	ck_assert_uint_eq(map.rate, 0);
	origin_frame = 77;
	chr_osc_map_update(&map, &host, 48000);
	ck_assert_double_le(fabs(ahead()), 0.51);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("osc_clock");
	TCase *tcase = tcase_create("osc_clock");
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_timetags);
	tcase_add_test(tcase, test_point_is_exact);
	tcase_add_test(tcase, test_noise_is_not_followed);
	tcase_add_test(tcase, test_drift_is_followed_in_small_steps);
	tcase_add_test(tcase, test_pause);
	tcase_add_test(tcase, test_jump);
	tcase_add_test(tcase, test_passing_jump);
	tcase_add_test(tcase, test_server_comes_and_goes);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
