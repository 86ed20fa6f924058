#include "tests/supervisor/lanes_bed.h"

#include "common/clock.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct lanes_bed *bed;

static void setup(void)
{
	bed = bed_create(2);
}

static void setup_one(void)
{
	bed = bed_create(1);
}

static void teardown(void)
{
	bed_destroy(bed);
}

/* The lane that leads comes up alone while it comes on; one that does not come does not keep the other lane back without end. */
START_TEST(the_other_lane_waits_while_the_first_comes_on)
{
	bed_assert_states(bed, "sss", "www");
	bed_run(bed, BED_OUT, 0);
	bed_run(bed, BED_OSC1, 0);
	bed_assert_states(bed, "pss", "www");
	bed->conductor.start.moved_us -= CHR_START_PATIENCE_US + 1000;
	chr_instances_fill(&bed->conductor);
	bed_assert_states(bed, "pss", "sss");
	ck_assert(chr_start_pending(&bed->conductor, 0) && chr_start_pending(&bed->conductor, 1));
}
END_TEST

START_TEST(a_client_that_enters_renews_the_patience)
{
	bed_run(bed, BED_OUT, 0);
	bed->conductor.start.moved_us -= CHR_START_PATIENCE_US / 2;
	bed_run(bed, BED_OSC1, 0);
	bed->conductor.start.moved_us -= CHR_START_PATIENCE_US / 2;
	chr_instances_fill(&bed->conductor);
	bed_assert_states(bed, "pss", "www");
}
END_TEST

/* What comes once a lane was whole has no turn to wait for. */
START_TEST(repairs_wait_for_no_turn)
{
	bed_play(bed);
	ck_assert(!chr_start_pending(&bed->conductor, 0) && !chr_start_pending(&bed->conductor, 1));
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		bed_die(bed, BED_OSC1, lane);
		bed_spares(bed, 1);
		ck_assert_int_eq(bed_instance(bed, BED_OSC1, lane)->state, CHR_INSTANCE_STARTING);
	}
}
END_TEST

/* Who waits while others are let in does not hang; who does not come though nobody else does either hangs. */
START_TEST(a_hang_is_one_while_nobody_is_let_in)
{
	const struct chr_instance *last = bed_instance(bed, BED_ASIDE, 0);
	uint64_t now = chr_monotonic_us(), late = now + CHR_START_WAIT_US + 1000000u;
	ck_assert(!chr_start_hangs(&bed->conductor, last, now + CHR_START_WAIT_US / 2));
	ck_assert(chr_start_hangs(&bed->conductor, last, late));
	bed->conductor.start.moved_us = late;
	ck_assert(!chr_start_hangs(&bed->conductor, last, late + CHR_START_WAIT_US / 2));
	ck_assert(chr_start_hangs(&bed->conductor, last, late + CHR_START_WAIT_US + 1000));
	ck_assert(!chr_start_hangs(&bed->conductor, bed_instance(bed, BED_ASIDE, 1), late + CHR_START_WAIT_US + 1000));
}
END_TEST

/* The server comes back: all begins anew. */
START_TEST(a_server_that_returns_is_entered_as_the_first_time)
{
	bed_play(bed);
	bed->conductor.server_up = false;
	chr_instances_server_lost(&bed->conductor);
	bed->conductor.server_up = true;
	chr_start_begin(&bed->conductor);
	bed_spares(bed, 8);
	bed_assert_states(bed, "sss", "www");
	ck_assert(chr_start_pending(&bed->conductor, 0) && chr_start_pending(&bed->conductor, 1));
}
END_TEST

START_TEST(one_lane_comes_up_alone)
{
	bed_run_lane(bed, 0);
	bed_assert_states(bed, "ppp", "---");
	ck_assert(!chr_start_pending(&bed->conductor, 0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("start");
	TCase *two = tcase_create("two lanes"), *one = tcase_create("one lane");
	tcase_add_checked_fixture(two, setup, teardown);
	tcase_add_checked_fixture(one, setup_one, teardown);
	tcase_add_test(two, the_other_lane_waits_while_the_first_comes_on);
	tcase_add_test(two, a_client_that_enters_renews_the_patience);
	tcase_add_test(two, repairs_wait_for_no_turn);
	tcase_add_test(two, a_hang_is_one_while_nobody_is_let_in);
	tcase_add_test(two, a_server_that_returns_is_entered_as_the_first_time);
	tcase_add_test(one, one_lane_comes_up_alone);
	suite_add_tcase(suite, two);
	suite_add_tcase(suite, one);
	return chr_suite_run(suite);
}
