#include "common/choice.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define PERIOD 256u

static struct chr_choice choice;

static void setup(void)
{
	chr_choice_clear(&choice);
}

START_TEST(first_word_counts)
{
	uint32_t frame = 1000 * PERIOD;
	ck_assert_int_eq(chr_choice_made(&choice, frame, PERIOD), CHR_LANE_NONE);
	ck_assert_int_eq(chr_choice_make(&choice, frame, PERIOD, _i), _i);
	ck_assert_int_eq(chr_choice_make(&choice, frame, PERIOD, !_i), _i);
	ck_assert_int_eq(chr_choice_made(&choice, frame, PERIOD), _i);
	ck_assert_int_eq(chr_choice_made(&choice, frame + PERIOD, PERIOD), CHR_LANE_NONE);
}
END_TEST

/* Frame 0, and cycles on both sides of the wrap, are cycles like any other. */
START_TEST(frames_wrap)
{
	for (uint32_t frame = 0u - 8 * PERIOD, i = 0; i < 16; frame += PERIOD, i++) {
		ck_assert_int_eq(chr_choice_made(&choice, frame, PERIOD), CHR_LANE_NONE);
		ck_assert_int_eq(chr_choice_make(&choice, frame, PERIOD, i & 1), (int)(i & 1));
		ck_assert_int_eq(chr_choice_make(&choice, frame, PERIOD, !(i & 1)), (int)(i & 1));
	}
}
END_TEST

/* An out that is late by less than CHR_CHOICE_TURNS cycles reads what was said about its own; one that is later gets no word, and takes no
 * newer one away. */
START_TEST(late_out)
{
	uint32_t now = 5000 * PERIOD;
	for (uint32_t i = 0; i < CHR_CHOICE_TURNS; i++)
		chr_choice_make(&choice, now + i * PERIOD, PERIOD, 1);
	for (uint32_t i = 0; i < CHR_CHOICE_TURNS; i++)
		ck_assert_int_eq(chr_choice_make(&choice, now + i * PERIOD, PERIOD, 0), 1);
	ck_assert_int_eq(chr_choice_make(&choice, now - PERIOD, PERIOD, 0), CHR_LANE_NONE);
	ck_assert_int_eq(chr_choice_made(&choice, now + (CHR_CHOICE_TURNS - 1) * PERIOD, PERIOD), 1);
}
END_TEST

/* Frames that begin anew look older than what is remembered: until it is forgotten nothing can be agreed on. */
START_TEST(clear)
{
	chr_choice_make(&choice, 4000 * PERIOD, PERIOD, 0);
	ck_assert_int_eq(chr_choice_make(&choice, 0, PERIOD, 1), CHR_LANE_NONE);
	chr_choice_clear(&choice);
	ck_assert_int_eq(chr_choice_make(&choice, 0, PERIOD, 1), 1);
}
END_TEST

#define CYCLES 200000u

struct out {
	pthread_t thread;
	int lane;
	unsigned char heard[CYCLES];
};

static void *run_out(void *arg)
{
	struct out *out = arg;
	for (uint32_t i = 0; i < CYCLES; i++)
		out->heard[i] = chr_choice_make(&choice, i * PERIOD, PERIOD, out->lane) == out->lane;
	return NULL;
}

/* Two outs that run against each other: never are both of them heard. One that falls behind by turns may find its place taken. */
START_TEST(never_both)
{
	struct out *out = calloc(2, sizeof *out);
	unsigned heard = 0;
	for (int lane = 0; lane < 2; lane++) {
		out[lane].lane = lane;
		ck_assert_int_eq(pthread_create(&out[lane].thread, NULL, run_out, &out[lane]), 0);
	}
	for (int lane = 0; lane < 2; lane++)
		pthread_join(out[lane].thread, NULL);
	for (uint32_t i = 0; i < CYCLES; i++) {
		ck_assert_msg(!out[0].heard[i] || !out[1].heard[i], "both in cycle %u", i);
		heard += out[0].heard[i] + out[1].heard[i];
	}
	ck_assert_uint_eq(heard, CYCLES);
	free(out);
}
END_TEST

START_TEST(shared)
{
	int fd = -1;
	struct chr_choice *own = chr_choice_create(&fd), *other = chr_choice_map(fd);
	ck_assert_ptr_nonnull(own);
	ck_assert_ptr_nonnull(other);
	ck_assert_ptr_ne(own, other);
	chr_choice_make(own, 77, PERIOD, 1);
	ck_assert_int_eq(chr_choice_made(other, 77, PERIOD), 1);
	chr_choice_unmap(own);
	chr_choice_unmap(other);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("choice");
	TCase *tcase = tcase_create("choice");
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, first_word_counts, 0, 2);
	tcase_add_test(tcase, frames_wrap);
	tcase_add_test(tcase, late_out);
	tcase_add_test(tcase, clear);
	tcase_add_test(tcase, never_both);
	tcase_add_test(tcase, shared);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
