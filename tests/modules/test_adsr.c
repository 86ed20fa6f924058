#include "tests/lib/suite.h"
#include "tests/modules/host.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float rates[] = {44100.0f, 48000.0f, 96000.0f};
#define RATES (sizeof rates / sizeof rates[0])

#define ON 100u /* frame at which the tests' gates rise */

static double level(struct host *host, uint32_t i)
{
	return (double)host_port(host, "env")[i] / 10.0;
}

/* The shape as the module's head defines it, by other means. */
static double shape(double x, double curve)
{
	const double nepers = curve * log(1000.0);

	return curve == 0.0 ? x : expm1(-nepers * x) / expm1(-nepers);
}

static struct host *envelope(float rate, float attack, float decay, float sustain, float release, float curve, double seconds)
{
	struct host *host = host_create(host_load("adsr"), rate, (uint32_t)(seconds * rate));

	host_set(host, "attack", attack);
	host_set(host, "decay", decay);
	host_set(host, "sustain", sustain);
	host_set(host, "release", release);
	host_set(host, "curve", curve);
	return host;
}

static uint32_t first_at(struct host *host, uint32_t from, double value)
{
	while (from < host->frames && level(host, from) != value)
		from++;
	return from;
}

START_TEST(segments_last_their_time)
{
	static const float times[][3] = {
		{0.0005f, 0.0005f, 0.0005f}, {0.00123f, 0.0171f, 0.0333f}, {0.1f, 0.25f, 0.5f}, {0.7f, 0.0123f, 1.1f}};

	for (unsigned t = 0; t < 4; t++)
		for (float curve = 0.0f; curve <= 1.0f; curve += 0.5f) {
			const float *s = times[t];
			const double rate = rates[_i];
			struct host *host = envelope(rates[_i], s[0], s[1], 0.25f, s[2], curve, s[0] + s[1] + s[2] + 0.2);
			const uint32_t off = (uint32_t)((s[0] + s[1] + 0.1) * rate);
			uint32_t top, low, end;

			host_set_from(host, "gate", ON, 1.0f);
			host_set_from(host, "gate", off, 0.0f);
			host_play(host, 333);
			for (uint32_t i = 0; i <= ON; i++)
				ck_assert_double_eq(level(host, i), 0.0);
			top = first_at(host, ON, 1.0);
			low = first_at(host, top, 0.25);
			end = first_at(host, off, 0.0);
			ck_assert_double_le(fabs((top - ON) - s[0] * rate), 1.0);
			ck_assert_double_le(fabs((low - top) - s[1] * rate), 1.0);
			ck_assert_double_le(fabs((end - off) - s[2] * rate), 1.0);
			ck_assert_double_eq(level(host, off), 0.25);
			host_destroy(host);
		}
}
END_TEST

/* Nothing adds up to an error in 20 s. Linear, so that the last step before the end can be told from it. */
START_TEST(long_segments_last_their_time)
{
	struct host *host = envelope(rates[_i], 20.0f, 0.1f, 1.0f, 1.0f, 0.0f, 20.1);

	host_set_from(host, "gate", ON, 1.0f);
	host_play(host, 8192);
	ck_assert_double_le(fabs((first_at(host, ON, 1.0) - ON) - 20.0 * rates[_i]), 1.0);
	host_destroy(host);
}
END_TEST

START_TEST(shapes_are_those_of_the_equation)
{
	static const float curves[] = {0.0f, 1e-8f, 1e-6f, 1e-3f, 0.1f, 0.5f, 0.83f, 1.0f};

	for (unsigned c = 0; c < sizeof curves / sizeof curves[0]; c++) {
		const double rate = rates[_i], attack = 0.1f, decay = 0.2f, release = 0.3f;
		struct host *host = envelope(rates[_i], 0.1f, 0.2f, 0.4f, 0.3f, curves[c], 0.8);
		const uint32_t off = (uint32_t)(0.4 * rate);
		double worst = 0.0;

		host_set_from(host, "gate", ON, 1.0f);
		host_set_from(host, "gate", off, 0.0f);
		host_play(host, 256);
		for (uint32_t i = ON; i < host->frames; i++) {
			const double t = (i - ON) / rate, after = ((double)i - off) / rate;
			double want = (double)0.4f;

			if (i >= off)
				want = after < release ? want * (1.0 - shape(after / release, curves[c])) : 0.0;
			else if (t < attack)
				want = shape(t / attack, curves[c]);
			else if (t < attack + decay)
				want = 1.0 + (want - 1.0) * shape((t - attack) / decay, curves[c]);
			worst = fmax(worst, fabs(level(host, i) - want));
		}
		ck_assert_msg(worst <= 1e-5, "curve %g: %g off", (double)curves[c], worst);
		host_destroy(host);
	}
}
END_TEST

/* A gate that falls and rises in every stage: the level never moves faster than the steepest segment allows. */
START_TEST(retrigger_makes_no_step)
{
	for (float curve = 0.0f; curve <= 1.0f; curve += 0.25f) {
		struct host *host = envelope(rates[_i], 0.02f, 0.03f, 0.3f, 0.05f, curve, 2.0);
		const double slope = (curve == 0.0f ? 1.0 : curve * log(1000.0) / -expm1(-curve * log(1000.0))) /
				     (0.02 * rates[_i]);
		bool gate = false;
		unsigned edges = 0;
		uint64_t seed = 7;

		for (uint32_t at = 0; at < host->frames; at += 1 + host_random_below(&seed, 4000), edges++)
			host_set_from(host, "gate", at, (gate = !gate) ? 1.0f : 0.0f);
		ck_assert_uint_gt(edges, 30);
		host_play(host, 256);
		for (uint32_t i = 1; i < host->frames; i++) {
			const double moved = fabs(level(host, i) - level(host, i - 1));

			if (moved > slope * 1.001)
				ck_abort_msg("curve %g, frame %u: moved %g, at most %g", (double)curve, i, moved, slope);
		}
		host_destroy(host);
	}
}
END_TEST

/* The attack that follows a retrigger begins at the level of that moment and takes its full time. */
START_TEST(retrigger_begins_at_the_level_it_has)
{
	struct host *host = envelope(rates[_i], 0.05f, 0.1f, 0.6f, 0.2f, 0.7f, 0.5);
	const uint32_t off = (uint32_t)(0.2 * rates[_i]), again = (uint32_t)(0.25 * rates[_i]);
	double from;

	host_set(host, "gate", 1.0f);
	host_set_from(host, "gate", off, 0.0f);
	host_set_from(host, "gate", again, 1.0f);
	host_play(host, 100);
	from = level(host, again - 1);
	ck_assert(from > 0.1 && from < 0.5);
	ck_assert_double_eq(level(host, again), from);
	for (uint32_t i = again; level(host, i) != 1.0; i++) {
		const double x = (i - again) / ((double)0.05f * rates[_i]);

		if (fabs(level(host, i) - (from + (1.0 - from) * shape(x, (double)0.7f))) > 1e-5)
			ck_abort_msg("frame %u of the attack: %g", i - again, level(host, i));
	}
	ck_assert_double_le(fabs((first_at(host, again, 1.0) - again) - 0.05 * rates[_i]), 1.0);
	host_destroy(host);
}
END_TEST

/* On from 2 V, off at 0.1 V, and the parameter holds the gate whatever the port says. */
START_TEST(gate_port_is_a_schmitt_trigger)
{
	static const struct {
		float volts, param;
		bool on;
	} steps[] = {
		{1.9f, 0.0f, false}, {2.0f, 0.0f, true},  {0.2f, 0.0f, true},   {0.1f, 0.0f, false},
		{1.9f, 0.0f, false}, {10.0f, 0.0f, true}, {0.0f, 1.0f, true},   {0.0f, 0.0f, false},
		{5.0f, 1.0f, true},  {5.0f, 0.0f, true},  {-3.0f, 0.0f, false},
	};
	const unsigned count = sizeof steps / sizeof steps[0];
	struct host *host = envelope(rates[_i], 0.001f, 0.001f, 1.0f, 0.001f, 0.5f, 0.12);
	const uint32_t length = host->frames / count;

	for (unsigned k = 0; k < count; k++) {
		host_set_from(host, "gate", k * length, steps[k].param);
		for (uint32_t i = k * length; i < (k + 1) * length; i++)
			host_port(host, "gate")[i] = steps[k].volts;
	}
	host_play(host, 77);
	for (unsigned k = 0; k < count; k++)
		ck_assert_msg(level(host, (k + 1) * length - 1) == (steps[k].on ? 1.0 : 0.0), "step %u", k);
	host_destroy(host);
}
END_TEST

START_TEST(amplifier_multiplies)
{
	struct host *host = envelope(rates[_i], 0.05f, 0.1f, 0.6f, 0.2f, 1.0f, 0.3);

	host_set(host, "gate", 1.0f);
	for (uint32_t i = 0; i < host->frames; i++)
		host_port(host, "in")[i] = sinf((float)i * 0.1f);
	host_play(host, 256);
	for (uint32_t i = 0; i < host->frames; i++)
		if (fabs(host_port(host, "out")[i] - host_port(host, "in")[i] * level(host, i)) > 2e-7)
			ck_abort_msg("frame %u: %g", i, (double)host_port(host, "out")[i]);
	host_destroy(host);
}
END_TEST

/* While the gate is held the level is the sustain parameter, wherever that goes. */
START_TEST(sustain_follows_its_parameter)
{
	struct host *host = envelope(rates[_i], 0.001f, 0.001f, 0.6f, 0.2f, 1.0f, 0.3);
	float *sustain = host_course(host, "sustain");

	host_set(host, "gate", 1.0f);
	for (uint32_t i = 0; i < host->frames; i++)
		sustain[i] = 0.5f + 0.4f * sinf((float)i * 0.001f);
	host_play(host, 256);
	for (uint32_t i = host->frames / 2; i < host->frames; i++)
		if (fabs(level(host, i) - sustain[i]) > 1e-6)
			ck_abort_msg("frame %u: %g", i, level(host, i));
	host_destroy(host);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adsr");
	TCase *tests = tcase_create("adsr");

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, segments_last_their_time, 0, RATES);
	tcase_add_loop_test(tests, long_segments_last_their_time, 0, RATES);
	tcase_add_loop_test(tests, shapes_are_those_of_the_equation, 0, RATES);
	tcase_add_loop_test(tests, retrigger_makes_no_step, 0, RATES);
	tcase_add_loop_test(tests, retrigger_begins_at_the_level_it_has, 0, RATES);
	tcase_add_loop_test(tests, gate_port_is_a_schmitt_trigger, 0, RATES);
	tcase_add_loop_test(tests, amplifier_multiplies, 0, RATES);
	tcase_add_loop_test(tests, sustain_follows_its_parameter, 0, RATES);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
