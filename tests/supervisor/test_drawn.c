/* What JACK tells of the edges, as the control thread judges it: a person's doing or not. */
#include "tests/lib/suite.h"
#include "tests/supervisor/lanes_bed.h"

#include "common/clock.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct lanes_bed *bed;
static struct chr_conductor *conductor;

static void setup(void)
{
	bed = bed_create(2);
	conductor = &bed->conductor;
	bed_play(bed);
	bed_spares(bed, 8);
}

static void teardown(void)
{
	bed_destroy(bed);
}

/* The edge osc1:out -> filt1:in of lane a vanished then; osc1's port went at `gone_us` (0: it did not), `alone` or not. */
static void vanish(uint64_t time_us, uint64_t gone_us, bool alone)
{
	static int64_t number;
	struct chr_post post = {.kind = CHR_POST_EDGE_VANISHED,
				.time_us = time_us,
				.value = ++number,
				.from = "osc1:out",
				.to = "filt1:in",
				.gone_us = {gone_us},
				.alone = {alone}};
	chr_edit_drawn(conductor, &post);
	ck_assert_int_eq(conductor->graph.judged, number);
}

static void draw(const char *from, const char *to, uint64_t time_us)
{
	struct chr_post post = {.kind = CHR_POST_EDGE_DRAWN, .time_us = time_us};
	snprintf(post.from, sizeof post.from, "%s", from);
	snprintf(post.to, sizeof post.to, "%s", to);
	chr_edit_drawn(conductor, &post);
}

START_TEST(test_who_died_has_erased_nothing)
{
	struct chr_instance *osc1 = bed_instance(bed, BED_OSC1, 0);
	uint64_t now = chr_monotonic_us();
	bed_instance(bed, BED_FILT1, 0)->ready_us = 1;
	/* its ports linger, though it died when the edge vanished */
	osc1->ready_us = now - 1000000;
	osc1->died_us = now - 60000;
	vanish(now - 59000, 0, true);
	ck_assert(bed_desired(bed, "osc1:out", "filt1:in"));
	/* it died, and is back since */
	osc1->ready_us = now - 10000;
	vanish(now - 59000, now - 58900, true);
	ck_assert(bed_desired(bed, "osc1:out", "filt1:in"));
	/* a person was quicker than death */
	vanish(now - 60001, now - 58900, true);
	ck_assert(!bed_desired(bed, "osc1:out", "filt1:in"));
}
END_TEST

/* The guard was kept from the processor: JACK told of the end before it was seen. */
START_TEST(test_a_death_that_is_seen_late)
{
	struct chr_instance *osc1 = bed_instance(bed, BED_OSC1, 0);
	uint64_t now = chr_monotonic_us();
	bed_instance(bed, BED_FILT1, 0)->ready_us = 1;
	osc1->ready_us = now - 1000000;
	osc1->died_us = now - 50000;
	vanish(now - 55000, now - 54900, true);
	ck_assert(bed_desired(bed, "osc1:out", "filt1:in"));
	/* it has not even been seen yet */
	osc1->died_us = 0;
	vanish(now - 55000, now - 54900, true);
	ck_assert(bed_desired(bed, "osc1:out", "filt1:in"));
	/* other things happened between the edge's end and the client's: that was not one go */
	vanish(now - 55000, now - 54900, false);
	ck_assert(!bed_desired(bed, "osc1:out", "filt1:in"));
}
END_TEST

/* The module closes its client itself as it crashes, before its death is seen. */
START_TEST(test_a_crash_takes_its_edges_along)
{
	struct chr_instance *osc1 = bed_instance(bed, BED_OSC1, 0);
	struct chr_slot_report *report = &osc1->process->slot->report;
	uint64_t now = chr_monotonic_us();
	bed_instance(bed, BED_FILT1, 0)->ready_us = 1;
	osc1->ready_us = now - 1000000;
	atomic_store(&report->time_us, now - 60000);
	atomic_store(&report->phase, CHR_PHASE_CRASHED);
	bed_die(bed, BED_OSC1, 0);
	vanish(now - 59000, 0, false);
	ck_assert(bed_desired(bed, "osc1:out", "filt1:in"));
	vanish(now - 61000, 0, false);
	ck_assert(!bed_desired(bed, "osc1:out", "filt1:in"));
}
END_TEST

/* One that was told to close its client lives on for a while, its ports too; and when it has ended, its edges still went by its closing. */
START_TEST(test_who_closes_has_erased_nothing)
{
	struct chr_instance *osc1 = bed_instance(bed, BED_OSC1, 0);
	uint64_t now = chr_monotonic_us();
	bed_instance(bed, BED_FILT1, 0)->ready_us = 1;
	osc1->ready_us = now - 1000000;
	osc1->ending_us = now - 70000;
	vanish(now - 60000, 0, true);
	ck_assert(bed_desired(bed, "osc1:out", "filt1:in"));
	bed_die(bed, BED_OSC1, 0);
	ck_assert_uint_eq(osc1->ending_us, 0);
	vanish(now - 60000, now - 59000, false);
	ck_assert(bed_desired(bed, "osc1:out", "filt1:in"));
	/* a person was quicker */
	vanish(now - 80000, now - 59000, false);
	ck_assert(!bed_desired(bed, "osc1:out", "filt1:in"));
}
END_TEST

START_TEST(test_a_person_erases)
{
	bed_instance(bed, BED_OSC1, 0)->ready_us = bed_instance(bed, BED_FILT1, 0)->ready_us = 1;
	vanish(chr_monotonic_us(), 0, true);
	ck_assert(!bed_desired(bed, "osc1:out", "filt1:in"));
	ck_assert(!bed_desired(bed, "osc1.b:out", "filt1.b:in"));
}
END_TEST

/* What vanished is judged later than what was drawn is told: what a person did last counts. */
START_TEST(test_the_last_word_counts)
{
	uint64_t now = chr_monotonic_us();
	bed_instance(bed, BED_OSC1, 0)->ready_us = bed_instance(bed, BED_FILT1, 0)->ready_us = 1;
	draw("osc1.b:out", "filt1.b:in", now - 10);
	vanish(now - 20, 0, true);
	ck_assert(bed_desired(bed, "osc1:out", "filt1:in"));
	vanish(now - 5, 0, true);
	ck_assert(!bed_desired(bed, "osc1:out", "filt1:in"));
}
END_TEST

START_TEST(test_another_program_that_goes_erases_nothing)
{
	uint64_t now = chr_monotonic_us();
	struct chr_post post = {
		.kind = CHR_POST_EDGE_VANISHED, .time_us = now, .from = "aside:out", .to = "recorder:in", .gone_us = {0, now}};
	bed_instance(bed, BED_ASIDE, 0)->ready_us = 1;
	chr_edit_drawn(conductor, &post);
	ck_assert(bed_desired(bed, "aside:out", "recorder:in"));
	/* what seemed erased was the program that ended slowly */
	post.gone_us[1] = 0;
	chr_edit_drawn(conductor, &post);
	ck_assert(!bed_desired(bed, "aside:out", "recorder:in"));
	post.kind = CHR_POST_EDGE_BACK;
	post.value = 1;
	chr_edit_drawn(conductor, &post);
	ck_assert(bed_desired(bed, "aside:out", "recorder:in"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("drawn");
	TCase *tests = tcase_create("drawn");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_who_died_has_erased_nothing);
	tcase_add_test(tests, test_a_death_that_is_seen_late);
	tcase_add_test(tests, test_a_crash_takes_its_edges_along);
	tcase_add_test(tests, test_who_closes_has_erased_nothing);
	tcase_add_test(tests, test_a_person_erases);
	tcase_add_test(tests, test_the_last_word_counts);
	tcase_add_test(tests, test_another_program_that_goes_erases_nothing);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
