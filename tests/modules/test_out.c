#include "tests/lib/fit.h"
#include "tests/lib/suite.h"
#include "tests/modules/host.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#define FRAMES 3000u

static const float rates[] = {44100.0f, 48000.0f, 96000.0f};
#define RATES (sizeof rates / sizeof rates[0])

/* Bit patterns of all kinds with a magnitude of 1 at most. */
static void fill_legal(float *to, uint64_t seed)
{
	for (uint32_t i = 0; i < FRAMES; i++) {
		uint32_t bits = host_random_below(&seed, 0x3f800001u) | (uint32_t)host_random_below(&seed, 2) << 31;

		if (i % 16 == 0)
			bits = (i % 32 ? 0x80000000u : 0) | 0x3f800000u; /* full scale itself */
		if (i % 16 == 1)
			bits &= 0x807fffffu; /* denormal */
		memcpy(&to[i], &bits, sizeof bits);
	}
}

START_TEST(level_one_passes_bits)
{
	struct host *host = host_create(host_load("out"), 48000.0f, FRAMES);

#if defined(__x86_64__)
	_mm_setcsr(_mm_getcsr() | 0x8040); /* FTZ and DAZ, as the audio thread has them */
#endif
	fill_legal(host_port(host, "left"), 1);
	fill_legal(host_port(host, "in_16"), 2);
	for (unsigned moving = 0; moving < 2; moving++) {
		host->always_moving = moving;
		host_play(host, 100);
		ck_assert(!memcmp(host_port(host, "left"), host_port(host, "play_left"), FRAMES * sizeof(float)));
		ck_assert(!memcmp(host_port(host, "in_16"), host_port(host, "play_16"), FRAMES * sizeof(float)));
	}
	/* A level that leaves 1 later on leaves the samples before it alone. */
	host_set_from(host, "level", 2050, 0.5f);
	host_play(host, FRAMES);
	ck_assert(!memcmp(host_port(host, "left"), host_port(host, "play_left"), 2050 * sizeof(float)));
	ck_assert_uint_eq(host_meter(host, "clips"), 0);
	ck_assert_uint_eq(host_meter(host, "nonfinite"), 0);
	host_destroy(host);
}
END_TEST

START_TEST(level_multiplies)
{
	struct host *host = host_create(host_load("out"), 48000.0f, FRAMES);
	float *level = host_course(host, "level"), *in = host_port(host, "right"), *out = host_port(host, "play_right");
	uint64_t seed = 1;

	for (uint32_t i = 0; i < FRAMES; i++) {
		level[i] = i < 1000 ? 0.25f : (float)i / FRAMES;
		in[i] = (float)(2.0 * host_random(&seed) - 1.0);
	}
	host_play(host, 100);
	for (uint32_t i = 0; i < FRAMES; i++)
		if (out[i] != level[i] * in[i])
			ck_abort_msg("frame %u: %g", i, (double)out[i]);
	host_destroy(host);
}
END_TEST

START_TEST(clips_are_clamped_and_counted)
{
	static const float loud[] = {1.0f, -1.0f, 1.0000001f, -1.0000001f, 7.0f, -3e38f, 0.5f, 0.0f};
	static const float quiet[] = {1.0f, -1.0f, 1.0f, -1.0f, 1.0f, -1.0f, 0.5f, 0.0f};
	struct host *host = host_create(host_load("out"), 48000.0f, FRAMES);

	for (uint32_t i = 0; i < FRAMES; i++)
		host_port(host, "in_3")[i] = loud[i % 8];
	host_play(host, 77);
	for (uint32_t i = 0; i < FRAMES; i++)
		if (host_port(host, "play_3")[i] != quiet[i % 8])
			ck_abort_msg("frame %u: %g", i, (double)host_port(host, "play_3")[i]);
	ck_assert_uint_eq(host_meter(host, "clips"), FRAMES / 8 * 4);
	ck_assert_uint_eq(host_meter(host, "nonfinite"), 0);
	/* Half the level: what is then within full scale is no clip. */
	host_set(host, "level", 0.5f);
	host_play(host, 77);
	ck_assert_uint_eq(host_meter(host, "clips"), FRAMES / 8 * 4 + FRAMES / 8 * 2);
	host_destroy(host);
}
END_TEST

START_TEST(nonfinite_is_silenced_and_counted)
{
	static const float wild[] = {NAN, INFINITY, -INFINITY, 0.25f};
	const uint32_t signalling = 0xff800001u;
	struct host *host = host_create(host_load("out"), 48000.0f, FRAMES);

	for (float level = 1.0f; level >= 0.0f; level -= 0.5f) {
		for (uint32_t i = 0; i < FRAMES; i++)
			host_port(host, "left")[i] = wild[i % 4];
		memcpy(&host_port(host, "left")[0], &signalling, sizeof signalling);
		host_reset(host);
		host_set(host, "level", level);
		host_play(host, 77);
		for (uint32_t i = 0; i < FRAMES; i++)
			if (host_port(host, "play_left")[i] != (i % 4 == 3 ? 0.25f * level : 0.0f))
				ck_abort_msg("level %g, frame %u: %g", (double)level, i, (double)host_port(host, "play_left")[i]);
		ck_assert_uint_eq(host_meter(host, "nonfinite"), FRAMES / 4 * 3);
		ck_assert_uint_eq(host_meter(host, "clips"), 0);
	}
	host_destroy(host);
}
END_TEST

/* Every input goes to the output of its own channel and to no other. */
START_TEST(channels_stay_apart)
{
	struct host *host = host_create(host_load("out"), 48000.0f, 64);

	for (unsigned c = 1; c <= 16; c++) {
		char in[16], play[16];

		snprintf(in, sizeof in, c == 1 ? "left" : c == 2 ? "right" : "in_%u", c);
		snprintf(play, sizeof play, c == 1 ? "play_left" : c == 2 ? "play_right" : "play_%u", c);
		for (uint32_t i = 0; i < 64; i++)
			host_port(host, in)[i] = (float)c / 16.0f;
		host_play(host, 64);
		ck_assert_float_eq(host_port(host, play)[63], (float)c / 16.0f);
		if (c < 16) {
			snprintf(play, sizeof play, c == 1 ? "play_right" : "play_%u", c + 1);
			ck_assert_float_eq(host_port(host, play)[63], 0.0f);
		}
	}
	host_destroy(host);
}
END_TEST

/* Ten minutes of beats, judged at the end by the same product in long double. */
START_TEST(clock_never_drifts)
{
	static const float tempos[] = {20.0f, 120.0f, 123.45f, 400.0f};

	for (unsigned t = 0; t < 4; t++) {
		struct host *host = host_create(host_load("out"), rates[_i], 8192);
		const double cycles = (double)tempos[t] / 60.0 / rates[_i];
		const unsigned blocks = (unsigned)(600.0f * rates[_i] / 8192.0f);
		const float *clock = host_port(host, "clock");

		host->channels = 0;
		host_set(host, "tempo", tempos[t]);
		for (unsigned b = 0; b < blocks; b++) {
			host_run(host, 0, 8192);
			for (uint32_t i = 0; i < 8192; i++)
				if (!(clock[i] >= 0.0f && clock[i] < 1.0f))
					ck_abort_msg("clock is %g", (double)clock[i]);
		}
		for (uint32_t i = 0; i < 8192; i += 13) {
			double off = clock[i] - fit_turns(cycles, (uint64_t)(blocks - 1) * 8192 + i);

			off -= rint(off);
			if (fabs(off) > 1.3e-7)
				ck_abort_msg("%g bpm: %g beats off after ten minutes", (double)tempos[t], off);
		}
		host_destroy(host);
	}
}
END_TEST

START_TEST(tempo_may_move)
{
	struct host *host = host_create(host_load("out"), rates[_i], FRAMES);
	long double beats = 0.0L;

	for (uint32_t i = 0; i < FRAMES; i++)
		host_course(host, "tempo")[i] = 20.0f + 380.0f * (float)i / FRAMES;
	host_play(host, 100);
	for (uint32_t i = 0; i < FRAMES; i++) {
		if (fabsl(host_port(host, "clock")[i] - beats) > 1e-6L)
			ck_abort_msg("frame %u: %g", i, (double)host_port(host, "clock")[i]);
		beats += (long double)host_course(host, "tempo")[i] / 60.0L / rates[_i];
		beats -= floorl(beats);
	}
	host_destroy(host);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("out");
	TCase *tests = tcase_create("out");

	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, level_one_passes_bits);
	tcase_add_test(tests, level_multiplies);
	tcase_add_test(tests, clips_are_clamped_and_counted);
	tcase_add_test(tests, nonfinite_is_silenced_and_counted);
	tcase_add_test(tests, channels_stay_apart);
	tcase_add_loop_test(tests, clock_never_drifts, 0, RATES);
	tcase_add_loop_test(tests, tempo_may_move, 0, RATES);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
