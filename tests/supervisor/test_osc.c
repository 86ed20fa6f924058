/* The modules' space: setting, asking, patterns, and what is wrong with a message. */
#include "tests/lib/suite.h"
#include "tests/supervisor/osc_bed.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct osc_bed bed;
static struct chr_unit *osc1, *osc2;

static void setup(void)
{
	bed_open(&bed);
	osc1 = &bed.fake->unit[UNIT_OSC1];
	osc2 = &bed.fake->unit[UNIT_OSC2];
}

static void teardown(void)
{
	bed_close(&bed);
}

/* Takes the events of osc1 from both lanes: they must be the same. */
static struct chr_event next(void)
{
	struct chr_event a, b;

	ck_assert(fake_rack_next(bed.fake, UNIT_OSC1, 0, &a));
	ck_assert(fake_rack_next(bed.fake, UNIT_OSC1, 1, &b));
	ck_assert_mem_eq(&a, &b, sizeof a);
	return a;
}

START_TEST(test_set_types)
{
	bed_send(&bed, "/osc1/freq", "i", 100);
	ck_assert_float_eq(next().value, 100);
	bed_send(&bed, "/osc1/freq", "f", 220.5);
	ck_assert_float_eq(next().value, 220.5f);
	bed_send(&bed, "/osc1/freq", "d", 330.25);
	ck_assert_float_eq(next().value, 330.25f);
	bed_send(&bed, "/osc1/freq", "h", INT64_C(1000));
	ck_assert_float_eq(next().value, 1000);
	bed_send(&bed, "/osc1/gate", "T");
	struct chr_event gate = next();
	ck_assert_float_eq(gate.value, 1);
	ck_assert_uint_eq(gate.flags, CHR_EVENT_GATE);
	bed_send(&bed, "/osc1/gate", "F");
	ck_assert_float_eq(next().value, 0);
	bed_send(&bed, "/osc1/mode", "s", "notch");
	ck_assert_float_eq(next().value, 2);
	bed_send(&bed, "/osc1/mode", "i", 1);
	ck_assert_float_eq(next().value, 1);
	ck_assert(bed_silent(&bed));
	ck_assert_uint_eq(bed.fake->rack.totals.received, 8);
	ck_assert_uint_eq(bed.fake->rack.totals.errors, 0);
	ck_assert_float_eq(osc1->value[VOICE_FREQ], 1000);
}
END_TEST

START_TEST(test_set_ramp)
{
	bed_send(&bed, "/osc1/freq", "f", 100.0);
	ck_assert_uint_eq(next().ramp_frames, 0);
	bed_send(&bed, "/osc1/freq", "fi", 100.0, 10);
	ck_assert_uint_eq(next().ramp_frames, 480);
	bed_send(&bed, "/osc1/freq", "fd", 100.0, 0.5);
	ck_assert_uint_eq(next().ramp_frames, 24);
	bed_send(&bed, "/osc1/freq", "ff", 100.0, 0.0);
	ck_assert_uint_eq(next().ramp_frames, CHR_RAMP_STEP);
	bed_send(&bed, "/osc1/freq", "fi", 100.0, 60000);
	ck_assert_uint_eq(next().ramp_frames, 2880000);
}
END_TEST

START_TEST(test_ask)
{
	bed_send(&bed, "/osc1/freq", "");
	ck_assert(bed_reply(&bed));
	ck_assert_str_eq(bed.path, "/osc1/freq");
	ck_assert_str_eq(bed.types, "f");
	ck_assert_float_eq((float)bed_number(&bed, 0), 440);
	bed_send(&bed, "/osc1/mode", "");
	ck_assert(bed_reply(&bed));
	ck_assert_str_eq(bed.types, "s");
	ck_assert_str_eq(bed_text(&bed, 0), "lowpass");
	bed_send(&bed, "/osc1/gate", "T");
	bed_send(&bed, "/osc1/gate", "");
	ck_assert(bed_reply(&bed));
	ck_assert_str_eq(bed.types, "i");
	ck_assert_int_eq((int)bed_number(&bed, 0), 1);
	bed_send(&bed, "/*/level", "");
	static const char *const level[] = {"/osc1/level", "/osc2/level", "/drum/level"};
	for (unsigned i = 0; i < 3; i++) {
		ck_assert(bed_reply(&bed));
		ck_assert_str_eq(bed.path, level[i]);
	}
	ck_assert(bed_silent(&bed));
}
END_TEST

START_TEST(test_patterns)
{
	static const struct {
		const char *pattern;
		bool osc1, osc2, drum;
	} cases[] = {
		{"/osc*/level", true, true, false},
		{"/osc[2-9]/level", false, true, false},
		{"/{osc1,drum}/level", true, false, true},
		{"/?r?m/level", false, false, true},
		{"/*/l?v*", true, true, true},
		{"/osc[!1]/level", false, true, false},
		{"/d*m/lev[e]l", false, false, true},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		float value = (float)(i + 1) / 100;
		const struct fake_rack *fake = bed.fake;

		bed_send(&bed, cases[i].pattern, "f", (double)value);
		ck_assert_msg((osc1->value[VOICE_LEVEL] == value) == cases[i].osc1, "%s", cases[i].pattern);
		ck_assert_msg((osc2->value[VOICE_LEVEL] == value) == cases[i].osc2, "%s", cases[i].pattern);
		ck_assert_msg((fake->unit[UNIT_DRUM].value[0] == value) == cases[i].drum, "%s", cases[i].pattern);
	}
	ck_assert(bed_silent(&bed));
	ck_assert_uint_eq(bed.fake->rack.totals.received, sizeof cases / sizeof *cases);
}
END_TEST

/* One match that refuses the value is enough for none to take it. */
START_TEST(test_pattern_all_or_nothing)
{
	bed_send(&bed, "/osc1/{level,freq}", "f", 0.25);
	bed_expect_error(&bed, "/osc1/{level,freq}", "osc1/freq");
	bed_send(&bed, "/osc1/*", "s", "notch");
	bed_expect_error(&bed, "/osc1/*", "osc1/freq");
	ck_assert_float_eq(osc1->value[VOICE_LEVEL], 0.5f);
	ck_assert_float_eq(osc1->value[VOICE_MODE], 0);
	ck_assert_uint_eq(fake_rack_drain(bed.fake), 0);
	ck_assert_uint_eq(bed.fake->rack.totals.received, 0);
	ck_assert(bed_silent(&bed));
}
END_TEST

START_TEST(test_errors_change_nothing)
{
	static const struct {
		const char *address, *types;
		double value;
		const char *reason;
	} cases[] = {
		{"/osc9/freq", "f", 1, "no module osc9"},
		{"/osc1/pitch", "f", 1, "no parameter pitch"},
		{"/osc1", "f", 1, "form /module/param"},
		{"/", "f", 1, "form /module/param"},
		{"/osc1/freq/x", "f", 1, "no parameter"},
		{"/osc1/freq", "f", 19, "20..20000 Hz"},
		{"/osc1/freq", "d", 20001, "outside"},
		{"/osc1/freq", "d", 1e300, "outside"},
		{"/osc1/freq", "f", NAN, "finite"},
		{"/osc1/freq", "f", INFINITY, "finite"},
		{"/osc1/freq", "d", -INFINITY, "finite"},
		{"/osc1/*", "f", NAN, "finite"},
		{"/nobody*/freq", "f", 100, "nothing matches"},
		{"/nobody/*", "f", 100, "no module nobody"},
		{"/osc1/fr[eq", "f", 100, "brackets"},
		{"/osc1/fr{eq", "f", 100, "brackets"},
		{"/osc1/freq]", "f", 100, "brackets"},
		{"/osc1/[]freq", "f", 100, "brackets"},
		{"/osc1/{f[r]eq}", "f", 100, "brackets"},
		{"/*a*a*a*a*a/freq", "f", 100, "too many stars"},
		{"/*/*/*", "f", 100, "form /module/param"},
		{"//freq*", "f", 100, "form /module/param"},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		bed_send(&bed, cases[i].address, cases[i].types, cases[i].value);
		bed_expect_error(&bed, cases[i].address, cases[i].reason);
		ck_assert_uint_eq(bed.fake->rack.totals.errors, i + 1);
	}
	ck_assert_uint_eq(fake_rack_drain(bed.fake), 0);
	ck_assert_uint_eq(bed.fake->rack.totals.received, 0);
	ck_assert_float_eq(osc1->value[VOICE_FREQ], 440);
}
END_TEST

START_TEST(test_argument_errors)
{
	bed_send(&bed, "/osc1/freq", "s", "loud");
	bed_expect_error(&bed, "/osc1/freq", "a value is a number");
	bed_send(&bed, "/osc1/mode", "s", "bandpass");
	bed_expect_error(&bed, "/osc1/mode", "lowpass|highpass|notch");
	bed_send(&bed, "/osc1/freq", "N");
	bed_expect_error(&bed, "/osc1/freq", "not of type N");
	bed_send(&bed, "/osc1/freq", "fs", 100.0, "slow");
	bed_expect_error(&bed, "/osc1/freq", "ramp");
	bed_send(&bed, "/osc1/freq", "fi", 100.0, -1);
	bed_expect_error(&bed, "/osc1/freq", "ramp");
	bed_send(&bed, "/osc1/freq", "fi", 100.0, 60001);
	bed_expect_error(&bed, "/osc1/freq", "ramp");
	bed_send(&bed, "/osc1/freq", "fd", 100.0, (double)NAN);
	bed_expect_error(&bed, "/osc1/freq", "ramp");
	bed_send(&bed, "/osc1/freq", "fii", 100.0, 1, 1);
	bed_expect_error(&bed, "/osc1/freq", "no more");
	ck_assert_uint_eq(fake_rack_drain(bed.fake), 0);
	ck_assert_float_eq(osc1->value[VOICE_FREQ], 440);
}
END_TEST

START_TEST(test_without_server)
{
	bed.fake->rack.sample_rate = bed.fake->rack.period = 0;
	bed_send(&bed, "/osc1/freq", "f", 100.0);
	bed_send(&bed, "/osc1/freq", "ff", 200.0, 10.0);
	ck_assert(bed_silent(&bed));
	ck_assert_float_eq(osc1->value[VOICE_FREQ], 200);
	ck_assert_uint_eq(fake_rack_drain(bed.fake), 0);
	ck_assert_uint_eq(bed.fake->rack.totals.received, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("osc");
	TCase *tcase = tcase_create("osc");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_set_types);
	tcase_add_test(tcase, test_set_ramp);
	tcase_add_test(tcase, test_ask);
	tcase_add_test(tcase, test_patterns);
	tcase_add_test(tcase, test_pattern_all_or_nothing);
	tcase_add_test(tcase, test_errors_change_nothing);
	tcase_add_test(tcase, test_argument_errors);
	tcase_add_test(tcase, test_without_server);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
