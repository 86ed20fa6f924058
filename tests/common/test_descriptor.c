#include "common/descriptor.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct chr_port ports[3];
static struct chr_param params[4];
static struct chr_meter meters[2];
static struct chr_module module;
static struct chr_descriptor desc;
static char why[256];
static const char *const waves[] = {"saw", "square", "triangle", NULL};

static void process(void *state, const struct chr_io *io)
{
	(void)state;
	(void)io;
}

/* A module that keeps every rule. */
static void setup(void)
{
	ports[0] = (struct chr_port){"in", CHR_IN, CHR_AUDIO, 0, "what comes in"};
	ports[1] = (struct chr_port){"gate", CHR_IN, CHR_GATE, 0, NULL};
	ports[2] = (struct chr_port){"out", CHR_OUT, CHR_AUDIO, 2, "what goes out"};
	params[0] = (struct chr_param){"freq", "Hz", 0.1f, 20000.0f, 440.0f, CHR_LOG, -1.0f, NULL, "frequency"};
	params[1] = (struct chr_param){"level", "", 0.0f, 1.0f, 0.5f, CHR_LINEAR, 5.0f, NULL, NULL};
	params[2] = (struct chr_param){"wave", "", 0.0f, 2.0f, 1.0f, CHR_CHOICE, 0.0f, waves, "shape"};
	params[3] = (struct chr_param){"gate", "", 0.0f, 1.0f, 0.0f, CHR_TOGGLE, 0.0f, NULL, "open"};
	meters[0] = (struct chr_meter){"clips", 0, "samples clamped"};
	meters[1] = (struct chr_meter){"wraps", 60, NULL};
	module = (struct chr_module){.abi = CHR_MODULE_ABI,
				     .name = "sine",
				     .help = "a sine",
				     .state_version = 3,
				     .state_bytes = 64,
				     .ports = ports,
				     .port_count = 3,
				     .params = params,
				     .param_count = 4,
				     .meters = meters,
				     .meter_count = 2,
				     .process = process};
	why[0] = 0;
}

START_TEST(good_module_is_flattened)
{
	ck_assert_msg(chr_descriptor_make(&desc, &module, why, sizeof why) == 0, "%s", why);
	ck_assert_str_eq(desc.name, "sine");
	ck_assert_uint_eq(desc.state_version, 3);
	ck_assert_uint_eq(desc.state_bytes, 64);
	ck_assert_int_eq(chr_descriptor_port(&desc, "out"), 2);
	ck_assert_uint_eq(desc.port[2].direction, CHR_OUT);
	ck_assert_uint_eq(desc.port[2].channel, 2);
	ck_assert_int_eq(chr_descriptor_port(&desc, "output"), -ENOENT);
	ck_assert_int_eq(chr_descriptor_param(&desc, "gate"), 3);
	ck_assert_int_eq(chr_descriptor_param(&desc, ""), -ENOENT);
	ck_assert_float_eq(desc.param[0].initial, 440.0f);
	ck_assert_str_eq(desc.param[0].unit, "Hz");
	ck_assert_uint_eq(desc.param[2].choice_count, 3);
	ck_assert_str_eq(desc.param[2].choice[2], "triangle");
	ck_assert_str_eq(desc.meter[1], "wraps");
	ck_assert_int_eq(chr_descriptor_check(&desc, why, sizeof why), 0);
}
END_TEST

START_TEST(range_of_choices_and_toggles_follows)
{
	params[2].max = params[3].max = 0.0f;
	ck_assert_msg(chr_descriptor_make(&desc, &module, why, sizeof why) == 0, "%s", why);
	ck_assert_float_eq(desc.param[2].max, 2.0f);
	ck_assert_float_eq(desc.param[3].max, 1.0f);
}
END_TEST

#define THIRTY_TWO "a2345678901234567890123456789012"

/* Each breaks one rule of a module. */
#define BREAK(name, code)                                                                                                          \
	static void name(void)                                                                                                     \
	{                                                                                                                          \
		code;                                                                                                              \
	}
BREAK(other_abi, module.abi = CHR_MODULE_ABI + 1)
BREAK(no_process, module.process = NULL)
BREAK(no_name, module.name = NULL)
BREAK(long_name, module.name = THIRTY_TWO)
BREAK(capital_name, module.name = "Sine")
BREAK(two_line_help, module.help = "a\nb")
BREAK(state_too_big, module.state_bytes = CHR_STATE_MAX + 1)
BREAK(state_past_32_bits, module.state_bytes = (size_t)1 << 32)
BREAK(unknown_flag, module.flags = 0x80)
BREAK(many_ports, module.port_count = CHR_PORTS_MAX + 1)
BREAK(many_params, module.param_count = CHR_PARAMS_MAX + 1)
BREAK(many_meters, module.meter_count = CHR_METERS_MAX + 1)
BREAK(port_name, ports[1].name = "1st")
BREAK(port_twice, ports[1].name = "in")
BREAK(port_direction, ports[1].direction = (enum chr_direction)7)
BREAK(port_signal, ports[1].signal = (enum chr_signal)77)
BREAK(port_channel, ports[1].channel = CHR_PORTS_MAX + 1)
BREAK(param_name, params[0].name = "a-b")
BREAK(param_twice, params[1].name = "freq")
BREAK(param_scale, params[1].scale = (enum chr_scale)9)
BREAK(range_nan, params[1].max = NAN)
BREAK(range_infinite, params[1].max = INFINITY)
BREAK(range_upside_down, params[1].min = 2.0f)
BREAK(initial_outside, params[1].initial = 1.5f)
BREAK(initial_nan, params[1].initial = NAN)
BREAK(smooth_nan, params[1].smooth_ms = NAN)
BREAK(log_from_zero, params[0].min = 0.0f)
BREAK(toggle_range, params[3].max = 2.0f)
BREAK(toggle_initial, params[3].initial = 0.5f)
BREAK(long_unit, params[0].unit = "sixteen letters.")
BREAK(choice_none, params[2].choices = NULL)
BREAK(choice_range, params[2].max = 3.0f)
BREAK(choice_initial, params[2].initial = 0.5f)
BREAK(choice_in_linear, params[1].choices = waves)
BREAK(meter_name, meters[0].name = "")
BREAK(meter_twice, meters[1].name = "clips")
BREAK(meter_outside, meters[1].offset = 64)
BREAK(meter_far_outside, meters[1].offset = SIZE_MAX - 3)
BREAK(meter_crooked, meters[1].offset = 2)
static void choice_twice(void)
{
	static const char *const names[] = {"a", "b", "a", NULL};

	params[2].choices = names;
}
static void choice_empty(void)
{
	static const char *const names[] = {"a", "", "c", NULL};

	params[2].choices = names;
}
static void choice_many(void)
{
	static const char *const names[CHR_CHOICES_MAX + 2] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
							       "j", "k", "l", "m", "n", "o", "p", "q"};

	params[2].choices = names;
}

static const struct {
	void (*break_it)(void);
	const char *expected;
} breaks[] = {
	{other_abi, "ABI"},
	{no_process, "process"},
	{no_name, "name is not legal"},
	{long_name, "longer than 31"},
	{capital_name, "name is not legal"},
	{two_line_help, "help"},
	{state_too_big, "bytes of state"},
	{state_past_32_bits, "bytes of state"},
	{unknown_flag, "flags 0x80"},
	{many_ports, "ports"},
	{many_params, "parameters"},
	{many_meters, "meters"},
	{port_name, "port 1"},
	{port_twice, "two ports are named 'in'"},
	{port_direction, "direction 7"},
	{port_signal, "signal 77"},
	{port_channel, "channel"},
	{param_name, "parameter 0"},
	{param_twice, "two parameters are named 'freq'"},
	{param_scale, "scale 9"},
	{range_nan, "range"},
	{range_infinite, "range"},
	{range_upside_down, "range"},
	{initial_outside, "outside its range"},
	{initial_nan, "outside its range"},
	{smooth_nan, "smooth_ms"},
	{log_from_zero, "logarithmic"},
	{toggle_range, "toggle"},
	{toggle_initial, "whole number"},
	{long_unit, "longer than 15"},
	{choice_none, "choices"},
	{choice_range, "choices"},
	{choice_initial, "whole number"},
	{choice_in_linear, "has choices"},
	{choice_twice, "two choices are named 'a'"},
	{choice_empty, "choice 1"},
	{choice_many, "more than 16 choices"},
	{meter_name, "meter 0"},
	{meter_twice, "two meters are named 'clips'"},
	{meter_outside, "word of the state"},
	{meter_far_outside, "word of the state"},
	{meter_crooked, "word of the state"},
};

START_TEST(each_rule_holds)
{
	breaks[_i].break_it();
	ck_assert_int_eq(chr_descriptor_make(&desc, &module, why, sizeof why), -EINVAL);
	ck_assert_msg(strstr(why, breaks[_i].expected), "'%s' does not say '%s'", why, breaks[_i].expected);
}
END_TEST

START_TEST(foreign_memory_is_checked)
{
	static unsigned char image[sizeof desc];
	uint32_t seed = 1;
	int refused = 0;

	ck_assert_int_eq(chr_descriptor_make(&desc, &module, why, sizeof why), 0);
	memcpy(image, &desc, sizeof desc);
	memset(desc.param[1].help, 'x', sizeof desc.param[1].help);
	ck_assert_int_eq(chr_descriptor_check(&desc, why, sizeof why), -EINVAL);
	memcpy(&desc, image, sizeof desc);
	desc.param[2].choice_count = UINT32_MAX;
	ck_assert_int_eq(chr_descriptor_check(&desc, why, sizeof why), -EINVAL);
	memcpy(&desc, image, sizeof desc);
	desc.param[1].choice_count = 1;
	ck_assert_int_eq(chr_descriptor_check(&desc, why, sizeof why), -EINVAL);
	for (int round = 0; round < 2000; round++) {
		unsigned char *byte = (unsigned char *)&desc;

		memcpy(&desc, image, sizeof desc);
		for (int i = 0; i < 40; i++) {
			seed = seed * 1664525u + 1013904223u;
			byte[(seed >> 4) % (i % 2 ? 400 : sizeof desc)] = (unsigned char)(seed >> 3);
		}
		refused += chr_descriptor_check(&desc, why, sizeof why) != 0;
		ck_assert_ptr_nonnull(memchr(why, 0, sizeof why));
	}
	ck_assert_int_gt(refused, 1000);
}
END_TEST

START_TEST(reason_fits_where_it_goes)
{
	char small[8] = "zzzzzzz";

	module.process = NULL;
	ck_assert_int_eq(chr_descriptor_make(&desc, &module, small, 4), -EINVAL);
	ck_assert_str_eq(small, "has");
	ck_assert_int_eq(chr_descriptor_make(&desc, &module, NULL, 0), -EINVAL);
}
END_TEST

START_TEST(names)
{
	ck_assert(chr_name_legal("a"));
	ck_assert(chr_name_legal("osc_1"));
	ck_assert(chr_name_legal("a234567890123456789012345678901"));
	ck_assert(!chr_name_legal(THIRTY_TWO));
	ck_assert(!chr_name_legal(""));
	ck_assert(!chr_name_legal(NULL));
	ck_assert(!chr_name_legal("1a"));
	ck_assert(!chr_name_legal("_a"));
	ck_assert(!chr_name_legal("A"));
	ck_assert(!chr_name_legal("a.b"));
	ck_assert(!chr_name_legal("a:b"));
	ck_assert(!chr_name_legal("a b"));
	ck_assert(!chr_name_legal("\xc3\xa4"));
}
END_TEST

static int accept(int param, float *value)
{
	return chr_param_accept(&desc.param[param], value);
}

START_TEST(values)
{
	float value;

	ck_assert_int_eq(chr_descriptor_make(&desc, &module, why, sizeof why), 0);
	ck_assert_int_eq(accept(1, &(float){1.0f}), 0);
	value = 1.0001f;
	ck_assert_int_eq(accept(1, &value), -ERANGE);
	ck_assert_float_eq(value, 1.0001f);
	ck_assert_int_eq(accept(1, &(float){-0.0001f}), -ERANGE);
	ck_assert_int_eq(accept(1, &(float){NAN}), -ERANGE);
	ck_assert_int_eq(accept(0, &(float){INFINITY}), -ERANGE);
	value = 0.25f;
	ck_assert_int_eq(accept(1, &value), 0);
	ck_assert_float_eq(value, 0.25f);
	value = 1.4f;
	ck_assert_int_eq(accept(2, &value), 0);
	ck_assert_float_eq(value, 1.0f);
	ck_assert_int_eq(accept(2, &(float){2.4f}), -ERANGE);
	value = 0.6f;
	ck_assert_int_eq(accept(3, &value), 0);
	ck_assert_float_eq(value, 1.0f);
	ck_assert_int_eq(chr_param_choice(&desc.param[2], "square"), 1);
	ck_assert_int_eq(chr_param_choice(&desc.param[2], "sq"), -ENOENT);
	ck_assert_int_eq(chr_param_choice(&desc.param[0], "square"), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("descriptor");
	TCase *tcase = tcase_create("descriptor");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, good_module_is_flattened);
	tcase_add_test(tcase, range_of_choices_and_toggles_follows);
	tcase_add_loop_test(tcase, each_rule_holds, 0, (int)(sizeof breaks / sizeof breaks[0]));
	tcase_add_test(tcase, foreign_memory_is_checked);
	tcase_add_test(tcase, reason_fits_where_it_goes);
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, values);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
