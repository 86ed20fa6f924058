#include "engine/change.h"

#include "tests/engine/bed.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <math.h>
#include <string.h>

#define TOTAL 960 /* frames of 20 ms */

static struct bed *bed, *alone;
static struct chr_module next;
static struct chr_param params[6];
static struct chr_descriptor desc;
static struct chr_change *change;

static void setup(void)
{
	bed = bed_create(&bed_probe, 1, 0, 1000);
	alone = bed_create(&bed_probe, 1, 0, 1000);
	next = bed_probe;
}

static void teardown(void)
{
	bed_destroy(bed);
	bed_destroy(alone);
}

static void give(void)
{
	char why[256];
	float value[CHR_PARAMS_MAX] = {1.0f};
	value[5] = 0.5f;
	ck_assert_msg(!chr_descriptor_make(&desc, &next, why, sizeof why), "%s", why);
	change = chr_change_create(bed->rt, &next, &desc, value);
	ck_assert_ptr_nonnull(change);
	chr_change_give(bed->rt, change);
}

static bool over(void)
{
	return atomic_load_explicit(&change->over, memory_order_acquire);
}

static void expect_same(uint32_t frames)
{
	for (unsigned port = PROBE_LEVEL; port <= PROBE_TICK; port++)
		ck_assert(bed_same(bed->out_buffer[port], alone->out_buffer[port], frames * sizeof(float)));
}

static void both(uint32_t frames)
{
	bed_cycle(bed, frames);
	bed_cycle(alone, frames);
}

START_TEST(the_same_code_changes_no_bit)
{
	static const uint32_t cycles[] = {256, 100, 1, 256, 256, 256, 64};
	both(256);
	give();
	for (unsigned i = 0; i < sizeof cycles / sizeof cycles[0]; i++) {
		bed_send_param(bed, PARAM_SLOW, (float)(i % 2), bed->frame + 10, 0);
		bed_send_param(alone, PARAM_SLOW, (float)(i % 2), alone->frame + 10, 0);
		bed_send_param(bed, PARAM_LEVEL, (float)i, bed->frame + 7, 0);
		bed_send_param(alone, PARAM_LEVEL, (float)i, alone->frame + 7, 0);
		both(cycles[i]);
		expect_same(cycles[i]);
	}
	ck_assert(over() && !change->broken);
	ck_assert_ptr_eq(bed->rt->module, &next);
	ck_assert_ptr_eq(bed->rt->desc, &desc);
	ck_assert_ptr_eq(change->module, &bed_probe);
	chr_change_destroy(change);
	both(256);
	expect_same(256);
	ck_assert_uint_eq(chr_join_checksum(bed->rt), chr_join_checksum(alone->rt));
}
END_TEST

static void louder(void *state, const struct chr_io *io)
{
	bed_probe.process(state, io);
	for (uint32_t i = 0; i < io->frames; i++)
		io->out[PROBE_LEVEL][i] += 1.0f;
}

START_TEST(the_sound_goes_over_in_20_ms)
{
	next.process = louder;
	give();
	for (uint32_t at = 0; at < 4 * 256; at += 256) {
		bed_cycle(bed, 256);
		for (uint32_t i = 0; i < 256; i++) {
			float gain = fminf(1.0f, (float)(at + i + 1) / TOTAL);
			ck_assert_float_eq_tol(bed->out_buffer[PROBE_LEVEL][i], 1.0f + gain, 1e-6f);
		}
		ck_assert_int_eq(over(), at + 256 >= TOTAL);
	}
	chr_change_destroy(change);
	bed_cycle(bed, 64);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][0], 2.0f);
	ck_assert_float_eq(bed->out_buffer[PROBE_TICK][0], 1024.0f);
}
END_TEST

START_TEST(a_state_that_does_not_fit_is_fresh)
{
	next.state_version = 2;
	bed_cycle(bed, 512);
	give();
	for (int i = 0; i < 4; i++)
		bed_cycle(bed, 256);
	ck_assert(over());
	chr_change_destroy(change);
	bed_cycle(bed, 64);
	ck_assert_float_eq(bed->out_buffer[PROBE_TICK][0], 1024.0f);
}
END_TEST

/* Values: those that the old code has at that moment; new ones as told; those that are out of range now at its edge. */
START_TEST(parameters_are_carried_over)
{
	memcpy(params, bed_probe.params, 5 * sizeof params[0]);
	params[PARAM_LEVEL].max = 4;
	params[5] = (struct chr_param){.name = "more", .unit = "", .max = 1, .smooth_ms = 0, .help = "more"};
	next.params = params;
	next.param_count = 6;
	bed_send_param(bed, PARAM_LEVEL, 9, bed->frame, CHR_RAMP_STEP);
	bed_cycle(bed, 64);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][63], 9.0f);
	give();
	for (int i = 0; i < 4; i++)
		bed_cycle(bed, 256);
	ck_assert(over());
	chr_change_destroy(change);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][255], 4.0f);
	ck_assert_float_eq(chr_smoother_value(&bed->rt->engine.param[5]), 0.5f);
	bed_send_param(bed, 5, 1, bed->frame, 0);
	bed_cycle(bed, 64);
	ck_assert_float_eq(chr_smoother_value(&bed->rt->engine.param[5]), 1.0f);
	ck_assert_uint_eq(bed_status(&bed->slot->status.rejected), 0);
}
END_TEST

static void poisonous(void *state, const struct chr_io *io)
{
	bed_probe.process(state, io);
	if (io->out[PROBE_TICK][0] >= 600.0f)
		io->out[PROBE_LEVEL][io->frames - 1] = NAN;
}

START_TEST(what_is_no_number_is_left)
{
	next.process = poisonous;
	give();
	for (int i = 0; i < 5; i++) {
		both(256);
		expect_same(256);
		ck_assert_int_eq(over(), i >= 3);
		if (over() && i == 3) {
			ck_assert(change->broken);
			ck_assert_ptr_eq(bed->rt->module, &bed_probe);
			ck_assert_ptr_eq(change->module, &next);
		}
	}
	ck_assert_uint_eq(bed_status(&bed->slot->status.nonfinite), 0);
	chr_change_destroy(change);
}
END_TEST

START_TEST(a_reset_reaches_both)
{
	bed_cycle(bed, 256);
	give();
	bed_cycle(bed, 256);
	bed_send(bed, (struct chr_event){.kind = CHR_EVENT_RESET, .frame = bed->frame});
	for (int i = 0; i < 3; i++)
		bed_cycle(bed, 256);
	ck_assert(over());
	chr_change_destroy(change);
	bed_cycle(bed, 64);
	ck_assert_float_eq(bed->out_buffer[PROBE_TICK][0], 768.0f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("change");
	TCase *tcase = tcase_create("change");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_same_code_changes_no_bit);
	tcase_add_test(tcase, the_sound_goes_over_in_20_ms);
	tcase_add_test(tcase, a_state_that_does_not_fit_is_fresh);
	tcase_add_test(tcase, parameters_are_carried_over);
	tcase_add_test(tcase, what_is_no_number_is_left);
	tcase_add_test(tcase, a_reset_reaches_both);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
