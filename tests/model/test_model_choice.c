/* The choice of two outs in all interleavings: whoever comes first and however late the other, never are both heard, and while neither is late by
 * more cycles than are remembered, one is.
 */
#include "common/choice.h"
#include "tests/lib/suite.h"
#include "tests/model/explore.h"

#include <check.h>
#include <stdio.h>

#define PERIOD 64u
#define CYCLES 5                 /* one more than are remembered */
#define FIRST  (0u - 2 * PERIOD) /* the frame time wraps on the way */

enum { TURNS };

static struct chr_choice choice;
static int heard[2][CYCLES]; /* what the out of a lane made of a cycle: a lane, or none */

static const struct explore_area area[] = {{choice.turn, sizeof choice.turn, sizeof choice.turn[0], false, TURNS}};

static void reset(void) {}

static void play(int lane)
{
	for (unsigned i = 0; i < CYCLES; i++)
		heard[lane][i] = chr_choice_make(&choice, FIRST + i * PERIOD, PERIOD, lane);
}

static void play_a(void)
{
	play(0);
}

static void play_b(void)
{
	play(1);
}

static void check(void)
{
	for (unsigned i = 0; i < CYCLES; i++) {
		explore_demand(heard[0][i] != 0 || heard[1][i] != 1, "both were heard");
		explore_demand(heard[0][i] != 1 || heard[1][i] != 0, "each took the other for the one that is heard");
		explore_demand(heard[0][i] != CHR_LANE_NONE || heard[1][i] != CHR_LANE_NONE, "neither got a word");
	}
	/* what both said of the last cycles is what anybody reads of them */
	for (unsigned i = CYCLES - CHR_CHOICE_TURNS; i < CYCLES; i++) {
		int made = chr_choice_made(&choice, FIRST + i * PERIOD, PERIOD);
		explore_demand(made == heard[0][i] && made == heard[1][i], "they did not agree");
	}
}

static struct explore_result run(enum explore_breach breach)
{
	const struct explore_plan plan = {.area = area,
					  .areas = 1,
					  .reset = reset,
					  .thread = {play_a, play_b},
					  .check = check,
					  .switches = 4,
					  .breach = breach,
					  .tag = TURNS};

	chr_choice_clear(&choice);
	return explore(&plan);
}

START_TEST(never_both_and_never_neither)
{
	struct explore_result result = run(BREACH_NONE);

	printf("choice: %llu runs\n", (unsigned long long)result.runs);
	ck_assert_msg(!result.fault, "%s", result.fault);
	ck_assert_uint_gt(result.runs, 100);
}
END_TEST

START_TEST(a_choice_in_two_steps_is_caught)
{
	struct explore_result result = run(BREACH_TORN_EXCHANGE);

	ck_assert_msg(result.fault != NULL, "unseen in %llu runs", (unsigned long long)result.runs);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model of the choice");
	TCase *tcase = tcase_create("choice");
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, never_both_and_never_neither);
	tcase_add_test(tcase, a_choice_in_two_steps_is_caught);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
