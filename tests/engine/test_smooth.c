#include "engine/smooth.h"
#include "tests/engine/bed.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static float buffer[CHR_BLOCK_MAX];

/* Runs `frames` in blocks of at most `block`, one value per frame into `to`. */
static void run(struct chr_smoother *smoother, uint32_t frames, uint32_t block, float *to)
{
	while (frames) {
		uint32_t n = frames < block ? frames : block;
		struct chr_control control = chr_smoother_run(smoother, n, buffer);
		for (uint32_t i = 0; i < n; i++)
			*to++ = chr_control_at(control, i);
		frames -= n;
	}
}

START_TEST(stands_still)
{
	struct chr_smoother smoother;
	chr_smoother_step(&smoother, 0.3f);
	struct chr_control control = chr_smoother_run(&smoother, 100, buffer);
	ck_assert_uint_eq(control.mask, 0);
	ck_assert(control.v[0] == 0.3f && chr_smoother_value(&smoother) == 0.3f);
}
END_TEST

START_TEST(ramp_is_a_line_and_ends_on_its_target)
{
	struct chr_smoother smoother;
	float value[12];
	chr_smoother_step(&smoother, 1.0f);
	chr_smoother_ramp(&smoother, 2.0f, 8);
	run(&smoother, 12, 12, value);
	for (int i = 0; i < 12; i++)
		ck_assert_float_eq(value[i], i < 8 ? 1.0f + (float)(i + 1) / 8.0f : 2.0f);
	ck_assert_uint_eq(chr_smoother_run(&smoother, 4, buffer).mask, 0);
}
END_TEST

START_TEST(one_frame_is_a_step)
{
	for (uint32_t frames = 0; frames < 2; frames++) {
		struct chr_smoother smoother;
		chr_smoother_step(&smoother, 1.0f);
		chr_smoother_ramp(&smoother, 2.0f, frames);
		struct chr_control control = chr_smoother_run(&smoother, 4, buffer);
		ck_assert(control.mask == 0 && control.v[0] == 2.0f);
	}
}
END_TEST

START_TEST(two_frames_are_a_ramp)
{
	struct chr_smoother smoother;
	chr_smoother_step(&smoother, 1.0f);
	chr_smoother_ramp(&smoother, 2.0f, 2);
	struct chr_control control = chr_smoother_run(&smoother, 2, buffer);
	ck_assert(chr_control_at(control, 0) == 1.5f && chr_control_at(control, 1) == 2.0f);
}
END_TEST

START_TEST(splitting_changes_no_bit)
{
	enum { FRAMES = 5000 };
	static float whole[FRAMES], split[FRAMES];
	const float ends[][2] = {{0.1f, 0.7f}, {-5.0f, 1e-6f}, {20000.0f, 20.0f}, {1e30f, 0.7f}};
	srand(3);
	for (int k = 0; k < 400; k++) {
		struct chr_smoother a, b;
		uint32_t total = 2 + (uint32_t)rand() % FRAMES;
		chr_smoother_step(&a, ends[k % 4][0]);
		chr_smoother_ramp(&a, ends[k % 4][1], total);
		b = a;
		run(&a, FRAMES, FRAMES, whole);
		for (uint32_t at = 0; at < FRAMES;) {
			uint32_t n = 1 + (uint32_t)rand() % 700;
			n = n < FRAMES - at ? n : FRAMES - at;
			run(&b, n, n, split + at);
			ck_assert(chr_smoother_value(&b) == split[at + n - 1]);
			at += n;
		}
		ck_assert(bed_same(whole, split, sizeof whole));
		ck_assert(bed_same(&a, &b, sizeof a));
		ck_assert(whole[total - 1] == ends[k % 4][1] && whole[FRAMES - 1] == ends[k % 4][1]);
	}
}
END_TEST

START_TEST(a_new_target_begins_where_the_old_ramp_stands)
{
	struct chr_smoother smoother;
	float value[8];
	chr_smoother_step(&smoother, 0.0f);
	chr_smoother_ramp(&smoother, 8.0f, 8);
	run(&smoother, 4, 4, value);
	chr_smoother_ramp(&smoother, 0.0f, 4);
	run(&smoother, 4, 4, value + 4);
	const float expected[] = {1, 2, 3, 4, 3, 2, 1, 0};
	ck_assert(bed_same(value, expected, sizeof value));
}
END_TEST

START_TEST(nonsense_is_not_sane)
{
	struct chr_smoother smoother = {.start = 1, .target = 2, .remaining = 3, .total = 4};
	ck_assert(chr_smoother_sane(&smoother));
	smoother.remaining = 5;
	ck_assert(!chr_smoother_sane(&smoother));
	smoother = (struct chr_smoother){.start = NAN};
	ck_assert(!chr_smoother_sane(&smoother));
	smoother = (struct chr_smoother){.target = INFINITY};
	ck_assert(!chr_smoother_sane(&smoother));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("smooth");
	TCase *tcase = tcase_create("smooth");
	tcase_add_test(tcase, stands_still);
	tcase_add_test(tcase, ramp_is_a_line_and_ends_on_its_target);
	tcase_add_test(tcase, one_frame_is_a_step);
	tcase_add_test(tcase, two_frames_are_a_ramp);
	tcase_add_test(tcase, splitting_changes_no_bit);
	tcase_add_test(tcase, a_new_target_begins_where_the_old_ramp_stands);
	tcase_add_test(tcase, nonsense_is_not_sane);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
