#include "engine/denormal.h"
#include "tests/engine/bed.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define STEP   CHR_RAMP_STEP
#define ORIGIN 1000u

static struct bed *bed;

static void setup(void)
{
	bed = bed_create(&bed_probe, 1, 0, ORIGIN);
}

static void teardown(void)
{
	bed_destroy(bed);
}

START_TEST(parameters_begin_without_a_ramp)
{
	bed_cycle(bed, 64);
	ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][0], 1.0f);
	ck_assert_uint_eq(bed->rt->engine.param[PARAM_LEVEL].total, 0);
}
END_TEST

START_TEST(illegal_first_value_becomes_the_initial_one)
{
	const float value[CHR_PARAMS_MAX] = {NAN, 5.0f, 1.0f, 0.5f, 0.25f};
	const struct chr_rt_setup with = {
		.module = &bed_probe, .desc = &bed->desc, .slot = bed->slot, .sample_rate = BED_RATE, .lanes = 1, .value = value};
	struct chr_rt *rt = chr_rt_create(&with);
	ck_assert_float_eq(chr_smoother_value(&rt->engine.param[PARAM_LEVEL]), 1.0f);
	ck_assert_float_eq(chr_smoother_value(&rt->engine.param[PARAM_MODE]), 0.0f);
	ck_assert_float_eq(chr_smoother_value(&rt->engine.param[PARAM_DIRECT]), 0.5f);
	chr_rt_destroy(rt);
}
END_TEST

START_TEST(nonfinite_block_is_silenced_and_the_state_fresh)
{
	struct chr_event note;
	bed_cycle(bed, 64);
	bed_send_param(bed, PARAM_POISON, 1.0f, bed->frame + 63, STEP);
	bed_send_param(bed, PARAM_POISON, 0.0f, bed->frame + 64, STEP);
	bed_cycle(bed, 64);
	for (unsigned i = 0; i < 64; i++)
		ck_assert(bed->out_buffer[PROBE_LEVEL][i] == 0.0f && bed->out_buffer[PROBE_SUM][i] == 0.0f);
	ck_assert_uint_eq(bed_status(&bed->slot->status.nonfinite), 1);
	ck_assert(bed_note(bed, CHR_NOTE_NONFINITE, &note));
	ck_assert_uint_eq(note.frame, ORIGIN + 64);
	/* without a pulse, so that out takes the twin's lane */
	ck_assert(!chr_pulse_fresh(&bed->board[0]->pulse[5], ORIGIN + 64, ORIGIN + 128));
	bed_cycle(bed, 64);
	ck_assert(chr_pulse_fresh(&bed->board[0]->pulse[5], ORIGIN + 128, ORIGIN + 192));
	ck_assert_float_eq(bed->out_buffer[PROBE_TICK][0], 0.0f);
	ck_assert_float_eq(bed->out_buffer[PROBE_SUM][0], 1.0f);
	ck_assert_uint_eq(bed_status(&bed->slot->status.nonfinite), 1);
}
END_TEST

START_TEST(every_kind_of_nonfinite_is_seen)
{
	const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
	const float good[] = {FLT_MAX, -FLT_MAX, 1e-45f, -0.0f};
	for (unsigned k = 0; k < 4; k++) {
		uint32_t before = bed_status(&bed->slot->status.nonfinite);
		bed->in_buffer[PROBE_IN][17] = good[k];
		bed_send(bed, (struct chr_event){.kind = CHR_EVENT_RESET, .frame = bed->frame});
		bed_cycle(bed, 19);
		ck_assert_uint_eq(bed_status(&bed->slot->status.nonfinite), before);
		bed->in_buffer[PROBE_IN][17] = bad[k];
		bed_cycle(bed, 19);
		ck_assert_uint_eq(bed_status(&bed->slot->status.nonfinite), before + 1);
	}
}
END_TEST

START_TEST(nonfinite_is_seen_at_every_place)
{
	static const float wrong[] = {NAN, -NAN, INFINITY, -INFINITY};
	float block[40];
	for (uint32_t frames = 0; frames <= 40; frames++) {
		for (uint32_t i = 0; i < 40; i++)
			block[i] = i < frames ? (i % 2 ? FLT_MAX : -FLT_MIN) : NAN;
		ck_assert(chr_rt_finite(block, frames));
		for (uint32_t i = 0; i < frames; i++) {
			float before = block[i];
			block[i] = wrong[i % 4];
			ck_assert(!chr_rt_finite(block, frames));
			block[i] = before;
		}
	}
}
END_TEST

START_TEST(fade_is_a_ramp_over_all_outputs)
{
	bed_send(bed, (struct chr_event){.kind = CHR_EVENT_FADE, .frame = ORIGIN + 10, .value = 0.0f, .ramp_frames = 4});
	bed_send(bed, (struct chr_event){.kind = CHR_EVENT_FADE, .frame = ORIGIN + 30, .value = 1.0f, .ramp_frames = 10});
	bed_cycle(bed, 64);
	const float *level = bed->out_buffer[PROBE_LEVEL], *tick = bed->out_buffer[PROBE_TICK];
	ck_assert_float_eq(level[9], 1.0f);
	ck_assert_float_eq(level[10], 0.75f);
	ck_assert_float_eq(level[12], 0.25f);
	for (unsigned i = 13; i < 30; i++)
		ck_assert(level[i] == 0.0f && tick[i] == 0.0f);
	ck_assert_float_eq(level[34], 0.5f);
	ck_assert_float_eq(tick[34], 17.0f);
	for (unsigned i = 39; i < 64; i++)
		ck_assert(level[i] == 1.0f && tick[i] == (float)i);
}
END_TEST

/* With FTZ, a multiplication by one would make a denormal zero. */
START_TEST(gain_of_one_touches_no_sample)
{
	const float tiny = 1e-40f;
	bed_send_param(bed, PARAM_LEVEL, tiny, ORIGIN, STEP);
	bed_send(bed, (struct chr_event){.kind = CHR_EVENT_FADE, .frame = ORIGIN, .value = 1.0f, .ramp_frames = 50});
	bed_cycle(bed, 64);
	ck_assert(bed_same(&bed->out_buffer[PROBE_LEVEL][20], &tiny, sizeof tiny));
}
END_TEST

START_TEST(jump_of_the_frame_time_is_counted)
{
	struct chr_event note;
	bed_cycle(bed, 64);
	bed_cycle(bed, 32);
	ck_assert_uint_eq(bed_status(&bed->slot->status.skipped), 0);
	bed->frame += 512;
	bed_cycle(bed, 64);
	bed_cycle(bed, 64);
	ck_assert_uint_eq(bed_status(&bed->slot->status.skipped), 0); /* it may only be late */
	bed_cycle(bed, 64);
	ck_assert_uint_eq(bed_status(&bed->slot->status.skipped), 1);
	ck_assert(bed_note(bed, CHR_NOTE_SKIPPED, &note));
	ck_assert_uint_eq(note.frame, ORIGIN + 96 + 512 + 128);
	ck_assert_uint_eq(note.count, 512);
}
END_TEST

START_TEST(a_period_over_the_largest_block_is_cut)
{
	bed_send_param(bed, PARAM_LEVEL, 2.0f, ORIGIN + 15000, STEP);
	bed_cycle(bed, BED_FRAMES);
	for (uint32_t i = 0; i < BED_FRAMES; i++) {
		ck_assert_float_eq(bed->out_buffer[PROBE_TICK][i], (float)i);
		ck_assert_float_eq(bed->out_buffer[PROBE_LEVEL][i], i < 15000 ? 1.0f : 2.0f);
	}
}
END_TEST

START_TEST(absent_input_is_silence)
{
	bed->in[PROBE_IN] = NULL;
	bed->in_buffer[PROBE_IN][0] = 5.0f;
	bed_cycle(bed, 2);
	ck_assert_float_eq(bed->out_buffer[PROBE_SUM][0], 1.0f);
}
END_TEST

/* JACK hands a port that is patched to its own module the output's buffer, with the samples of the cycle before. */
START_TEST(a_port_patched_to_its_own_module_reads_the_cycle_before)
{
	struct bed *straight = bed_create(&bed_probe, 1, 0, ORIGIN);
	bed->in[PROBE_IN] = bed->out[PROBE_TICK];
	for (unsigned k = 0; k < 4; k++) {
		memcpy(straight->in_buffer[PROBE_IN], straight->out_buffer[PROBE_TICK], 64 * sizeof(float));
		bed_send_param(bed, PARAM_LEVEL, (float)k, bed->frame + 11, 30);
		bed_send_param(straight, PARAM_LEVEL, (float)k, straight->frame + 11, 30);
		bed_cycle(bed, 64);
		bed_cycle(straight, 64);
		ck_assert_ptr_ne(bed->rt->in[PROBE_IN], bed->out[PROBE_TICK]);
		ck_assert(bed_same(bed->out_buffer[PROBE_SUM], straight->out_buffer[PROBE_SUM], 64 * sizeof(float)));
	}
	bed_destroy(straight);
}
END_TEST

START_TEST(pulse_tells_completed_cycles)
{
	const struct chr_pulse *pulse = &bed->board[0]->pulse[5];
	bed_cycle(bed, 64);
	ck_assert(chr_pulse_fresh(pulse, ORIGIN, ORIGIN + 64));
	bed_cycle(bed, 64);
	ck_assert(chr_pulse_fresh(pulse, ORIGIN, ORIGIN + 64));
	ck_assert(!chr_pulse_fresh(pulse, ORIGIN, ORIGIN + 128));
	ck_assert_uint_eq(bed_status(&pulse->cycles), 2);
	ck_assert_uint_eq(bed_status(&pulse->entered), ORIGIN + 64);
}
END_TEST

START_TEST(status_tells_what_people_see)
{
	bed_cycle(bed, 64);
	bed_cycle(bed, 36);
	chr_rt_busy(bed->rt, 30);
	chr_rt_busy(bed->rt, 20);
	const struct chr_slot_status *status = &bed->slot->status;
	ck_assert_uint_eq(bed_status(&status->cycles), 2);
	ck_assert_uint_eq(bed_status(&status->meter[0]), 100);
	ck_assert_uint_eq(bed_status(&status->busy_us), 50);
	ck_assert_uint_eq(bed_status(&status->worst_us), 30);
#if defined(__SSE2__)
	ck_assert_uint_eq(bed_status(&status->mxcsr) & CHR_MXCSR_FTZ_DAZ, CHR_MXCSR_FTZ_DAZ);
	_mm_setcsr(_mm_getcsr() & ~CHR_MXCSR_FTZ_DAZ);
	bed_cycle(bed, 64);
	ck_assert_uint_eq(_mm_getcsr() & CHR_MXCSR_FTZ_DAZ, CHR_MXCSR_FTZ_DAZ);
#endif
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rt");
	TCase *tcase = tcase_create("rt");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, parameters_begin_without_a_ramp);
	tcase_add_test(tcase, illegal_first_value_becomes_the_initial_one);
	tcase_add_test(tcase, nonfinite_block_is_silenced_and_the_state_fresh);
	tcase_add_test(tcase, every_kind_of_nonfinite_is_seen);
	tcase_add_test(tcase, nonfinite_is_seen_at_every_place);
	tcase_add_test(tcase, fade_is_a_ramp_over_all_outputs);
	tcase_add_test(tcase, gain_of_one_touches_no_sample);
	tcase_add_test(tcase, jump_of_the_frame_time_is_counted);
	tcase_add_test(tcase, a_period_over_the_largest_block_is_cut);
	tcase_add_test(tcase, absent_input_is_silence);
	tcase_add_test(tcase, a_port_patched_to_its_own_module_reads_the_cycle_before);
	tcase_add_test(tcase, pulse_tells_completed_cycles);
	tcase_add_test(tcase, status_tells_what_people_see);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
