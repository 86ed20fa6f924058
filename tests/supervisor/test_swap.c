#include "tests/supervisor/lanes_bed.h"

#include "common/clock.h"
#include "supervisor/code.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/patch_fixture.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct lanes_bed *bed;
static struct chr_conductor *conductor;
static struct chr_swap *swap;
static struct chr_unit *unit;
static struct chr_code *old;

static void begin(unsigned lanes)
{
	char why[CHR_TEXT_MAX];
	bed = bed_create(lanes);
	conductor = &bed->conductor;
	swap = &conductor->swap;
	unit = &bed->unit[BED_OSC1];
	old = chr_code_copy(CHR_BUILD "/modules/biquad.so", why, sizeof why); /* any file will do */
	ck_assert_msg(old != NULL, "%s", why);
	old->descriptor = *unit->type;
	old->known = true;
	unit->code = old;
	unit->type = &old->descriptor;
}

static void setup(void)
{
	begin(2);
	bed_play(bed);
	bed_spares(bed, 2);
}

static void setup_one(void)
{
	begin(1);
	bed_run_lane(bed, 0);
	bed_spares(bed, 2);
	ck_assert_str_eq(bed_states(bed, 0), "ppp");
}

static void teardown(void)
{
	chr_swap_finish(conductor);
	chr_catalog_finish(&bed->catalog);
	bed_destroy(bed);
}

/* Asks for the swap of osc1, and has a process answer that the file holds `what`. */
static void swap_to(const struct chr_descriptor *what)
{
	struct chr_swap_ask ask = {.name = "osc1"};
	char here[512];
	const char *why;
	ck_assert_ptr_nonnull(getcwd(here, sizeof here));
	snprintf(ask.file, sizeof ask.file, "%s/" CHR_BUILD "/modules/sine.so", here);
	ck_assert_int_eq(chr_swap_ask(conductor, &ask, &why), 0);
	chr_swap_tick(conductor);
	ck_assert_int_eq(swap->state, CHR_SWAP_ASKING);
	chr_swap_tick(conductor);
	ck_assert_ptr_nonnull(swap->asked);
	struct chr_process *asked = swap->asked;
	struct chr_event order;
	ck_assert_uint_eq(chr_ring_read(&asked->slot->to_main, &order, 1), 1);
	ck_assert_uint_eq(order.kind, CHR_ORDER_LOAD);
	asked->slot->descriptor = *what;
	ck_assert(chr_swap_report(conductor, asked, CHR_REPORT_LOADED));
	chr_swap_tick(conductor);
}

static struct chr_descriptor changed(void)
{
	return *unit->type;
}

/* The instance that was ended by hand dies, starts anew and joins. */
static void restart_and_join(unsigned lane)
{
	ck_assert(bed_instance(bed, BED_OSC1, lane)->by_hand);
	ck_assert(!conductor->lanes.whole[lane]);
	bed_die(bed, BED_OSC1, lane);
	bed_spares(bed, 1);
	bed_run(bed, BED_OSC1, lane);
	bed_join_lane(bed, lane, 5000);
	ck_assert(conductor->lanes.whole[lane]);
	bed_drain(bed);
}

static void let_trial_pass(void)
{
	chr_swap_tick(conductor); /* begins */
	ck_assert_int_eq(swap->state, CHR_SWAP_TRIAL);
	chr_swap_tick(conductor);
	ck_assert_uint_ne(swap->trial_us, 0);
	swap->trial_us -= CHR_SWAP_TRIAL_US;
}

static void audit(uint64_t a, uint64_t b)
{
	struct chr_event ask;
	conductor->lanes.audit_us = 0;
	chr_lanes_tick(conductor);
	ck_assert(conductor->lanes.auditing);
	ck_assert(bed_take(bed, BED_OSC1, 0, CHR_EVENT_CHECKSUM, &ask));
	for (unsigned i = 0; i < BED_UNITS; i++) {
		bed_note(bed, i, 0, CHR_NOTE_CHECKSUM, ask.frame, i == BED_OSC1 ? a : 7);
		bed_note(bed, i, 1, CHR_NOTE_CHECKSUM, ask.frame, i == BED_OSC1 ? b : 7);
	}
	bed_drain(bed);
}

/* There is no JACK: the frame time stands at 0. */
static void let_frames_pass(void)
{
	swap->frame = (uint32_t)-1;
	chr_swap_tick(conductor);
}

static void finish_second(void)
{
	if (swap->state == CHR_SWAP_TURNING)
		let_frames_pass();
	ck_assert_int_eq(swap->state, CHR_SWAP_LEAVING);
	ck_assert_uint_eq(conductor->lanes.leader, 1);
	ck_assert_str_eq(bed_told(bed, 0), "!");
	let_frames_pass();
	ck_assert_int_eq(swap->state, CHR_SWAP_SECOND);
	ck_assert(!conductor->lanes.differ && !unit->apart);
	restart_and_join(0);
	chr_swap_tick(conductor);
	ck_assert_int_eq(swap->state, CHR_SWAP_NONE);
	ck_assert_uint_eq(swap->done, 1);
	ck_assert_ptr_ne(unit->code, old);
	ck_assert_ptr_eq(unit->type, &unit->code->descriptor);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		ck_assert_ptr_null(unit->instance[lane].code);
	bed_assert_states(bed, "ppp", "ppp");
	ck_assert_uint_eq(unit->instance[0].restarts + unit->instance[1].restarts, 0);
}

START_TEST(one_lane_after_the_other)
{
	struct chr_descriptor new = changed();
	new.sound_version = old->descriptor.sound_version = 5;
	swap_to(&new);
	ck_assert_int_eq(swap->state, CHR_SWAP_FIRST);
	ck_assert(swap->carries && swap->compares && !conductor->lanes.differ && !unit->apart);
	restart_and_join(1);
	ck_assert_str_eq(bed_instance(bed, BED_OSC1, 1)->process->slot->order.file, swap->code->file);
	let_trial_pass();
	chr_swap_tick(conductor);
	ck_assert_int_eq(swap->state, CHR_SWAP_TRIAL); /* not compared yet */
	audit(1, 1);
	audit(2, 2);
	chr_swap_tick(conductor);
	ck_assert_int_eq(swap->state, CHR_SWAP_TURNING);
	ck_assert(!swap->faded);
	finish_second();
}
END_TEST

/* Orders to end in the ring to that process. */
static unsigned exits(struct chr_process *process)
{
	unsigned count = 0;
	for (struct chr_event order; chr_ring_read(&process->slot->to_main, &order, 1);)
		count += order.kind == CHR_ORDER_EXIT;
	return count;
}

START_TEST(in_pipewire_the_edges_go_first)
{
	struct chr_descriptor new = changed();
	struct chr_instance *first = bed_instance(bed, BED_OSC1, 1);
	struct chr_process *process = first->process;
	conductor->rack.pipewire = true;
	exits(process);
	swap_to(&new);
	ck_assert_int_eq(swap->state, CHR_SWAP_FIRST);
	ck_assert(first->by_hand && first->parting && conductor->wired < first->parting);
	ck_assert(!bed_desired(bed, "osc1.b:out", "filt1.b:in"));
	ck_assert(bed_desired(bed, "osc1:out", "filt1:in"));
	chr_swap_tick(conductor);
	ck_assert_uint_eq(exits(process), 0);
	conductor->wired = conductor->generation;
	chr_swap_tick(conductor);
	chr_swap_tick(conductor);
	ck_assert_uint_eq(exits(process), 1);
	ck_assert(!bed_desired(bed, "osc1.b:out", "filt1.b:in"));
	restart_and_join(1);
	ck_assert(!first->parting);
	ck_assert(bed_desired(bed, "osc1.b:out", "filt1.b:in"));
}
END_TEST

START_TEST(in_pipewire_edges_that_stay_are_not_waited_for)
{
	struct chr_descriptor new = changed();
	struct chr_instance *first = bed_instance(bed, BED_OSC1, 1);
	conductor->rack.pipewire = true;
	exits(first->process);
	swap_to(&new);
	first->ending_us -= 210000;
	chr_swap_tick(conductor);
	ck_assert_uint_eq(exits(first->process), 1);
}
END_TEST

/* The first difference may be a stall's: the lane joins again. The second one is the code's. */
START_TEST(code_that_does_not_keep_its_word_is_taken_back)
{
	struct chr_descriptor new = changed();
	new.sound_version = old->descriptor.sound_version = 5;
	swap_to(&new);
	restart_and_join(1);
	let_trial_pass();
	audit(1, 2);
	ck_assert_int_eq(swap->state, CHR_SWAP_TRIAL);
	ck_assert(!conductor->lanes.whole[1]);
	bed_join_lane(bed, 1, 9000);
	bed_drain(bed);
	audit(3, 4);
	ck_assert_int_eq(swap->state, CHR_SWAP_BACK);
	ck_assert_ptr_nonnull(strstr(swap->why, "its sound version says so"));
	ck_assert_ptr_null(unit->instance[1].code);
	restart_and_join(1);
	chr_swap_tick(conductor);
	ck_assert_int_eq(swap->state, CHR_SWAP_NONE);
	ck_assert_uint_eq(swap->taken_back, 1);
	ck_assert_ptr_eq(unit->code, old);
	ck_assert_uint_eq(conductor->lanes.leader, 0);
}
END_TEST

START_TEST(another_sound_is_not_compared)
{
	struct chr_descriptor new = changed();
	struct chr_event fade;
	swap_to(&new);
	ck_assert(swap->carries && !swap->compares && conductor->lanes.differ);
	restart_and_join(1);
	conductor->lanes.audit_us = 0;
	chr_lanes_tick(conductor);
	ck_assert(!conductor->lanes.auditing);
	let_trial_pass();
	chr_swap_tick(conductor);
	ck_assert_int_eq(swap->state, CHR_SWAP_TURNING);
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		ck_assert(bed_take(bed, BED_OUT, lane, CHR_EVENT_FADE, &fade));
		ck_assert_float_eq(fade.value, 0.0f);
		ck_assert_uint_eq(fade.ramp_frames, 480);
	}
	let_frames_pass();
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		ck_assert(bed_take(bed, BED_OUT, lane, CHR_EVENT_FADE, &fade));
		ck_assert_float_eq(fade.value, 1.0f);
	}
	finish_second();
}
END_TEST

static struct chr_descriptor reordered(void)
{
	struct chr_descriptor new = changed();
	struct chr_param_desc first = new.param[0];
	new.param[0] = new.param[1];
	new.param[1] = first;
	strcpy(new.port[0].name, "renamed");
	new.state_version++;
	return new;
}

/* A state that does not fit, parameters in other places: fresh, by name, apart; edges to ports that are gone go. */
START_TEST(what_does_not_fit_starts_fresh)
{
	struct chr_descriptor new = reordered();
	struct chr_event event;
	const char *port = unit->type->port[0].name;
	char end[128];
	snprintf(end, sizeof end, "osc1:%s", port);
	ck_assert_int_eq(chr_edges_add(&conductor->logical, "foreign:out", end), 0);
	unit->value[0] = unit->type->param[0].max;
	unit->value[1] = unit->type->param[1].min;
	swap_to(&new);
	ck_assert(!swap->carries && unit->apart && conductor->lanes.differ);
	bed_die(bed, BED_OSC1, 1);
	bed_spares(bed, 1);
	const struct chr_slot_order *order = &bed_instance(bed, BED_OSC1, 1)->process->slot->order;
	ck_assert_float_eq(order->value[1], unit->value[0]);
	ck_assert_float_eq(order->value[0], unit->value[1]);
	bed_run(bed, BED_OSC1, 1);
	bed_drain(bed);
	chr_rack_set(&conductor->rack, unit, 0, unit->type->param[0].min, CHR_RAMP_STEP, 0, 0);
	ck_assert(bed_take(bed, BED_OSC1, 0, CHR_EVENT_PARAM, &event) && event.index == 0);
	ck_assert(bed_take(bed, BED_OSC1, 1, CHR_EVENT_PARAM, &event) && event.index == 1);
	bed_note(bed, BED_OUT, 1, CHR_NOTE_JOINED, 5000, 0);
	bed_note(bed, BED_FILT1, 1, CHR_NOTE_JOINED, 5000, 0);
	bed_note(bed, BED_ASIDE, 1, CHR_NOTE_JOINED, 5000, 0);
	ck_assert(conductor->lanes.whole[1]);
	let_trial_pass();
	chr_swap_tick(conductor);
	ck_assert_int_ge(chr_edges_find(&conductor->logical, "foreign:out", end), 0);
	let_frames_pass();
	ck_assert_int_lt(chr_edges_find(&conductor->logical, "foreign:out", end), 0);
	ck_assert_float_eq(unit->value[1], unit->type->param[1].min);
	bed_drain(bed);
	chr_rack_set(&conductor->rack, unit, 0, unit->type->param[0].max, CHR_RAMP_STEP, 0, 0);
	ck_assert(bed_take(bed, BED_OSC1, 0, CHR_EVENT_PARAM, &event) && event.index == 1);
	ck_assert(bed_take(bed, BED_OSC1, 1, CHR_EVENT_PARAM, &event) && event.index == 0);
	let_frames_pass();
	restart_and_join(0);
	chr_swap_tick(conductor);
	ck_assert_uint_eq(swap->done, 1);
	ck_assert(!unit->apart && !unit->instance[0].feed.translated && !unit->instance[1].feed.translated);
}
END_TEST

START_TEST(death_and_noise_on_trial_take_it_back)
{
	struct chr_descriptor new = changed();
	swap_to(&new);
	restart_and_join(1);
	chr_swap_tick(conductor);
	ck_assert_int_eq(swap->state, CHR_SWAP_TRIAL);
	if (_i) {
		bed_note(bed, BED_OSC1, 1, CHR_NOTE_NONFINITE, 6000, 0);
		ck_assert_ptr_nonnull(strstr(swap->why, "not numbers"));
		ck_assert(bed_instance(bed, BED_OSC1, 1)->by_hand);
	}
	bed_die(bed, BED_OSC1, 1);
	ck_assert_int_eq(swap->state, CHR_SWAP_BACK);
	ck_assert_ptr_null(unit->instance[1].code);
	ck_assert_uint_eq(unit->death_us[0], 0); /* no death of the module's */
	bed_spares(bed, 1);
	ck_assert_str_eq(bed_instance(bed, BED_OSC1, 1)->process->slot->order.file, old->file);
	bed_run(bed, BED_OSC1, 1);
	bed_join_lane(bed, 1, 9000);
	chr_swap_tick(conductor);
	ck_assert_int_eq(swap->state, CHR_SWAP_NONE);
	ck_assert_uint_eq(swap->taken_back, 1);
	ck_assert(!conductor->lanes.differ);
	bed_assert_states(bed, "ppp", "ppp");
}
END_TEST

START_TEST(wishes_are_checked_and_wait)
{
	struct chr_swap_ask ask = {.name = "nobody"};
	const char *why;
	ck_assert_int_eq(chr_swap_ask(conductor, &ask, &why), -ENOENT);
	strcpy(ask.name, "filt1");
	strcpy(ask.file, "biquad.so");
	ck_assert_int_eq(chr_swap_ask(conductor, &ask, &why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "whole path"));
	strcpy(ask.file, "/nonexistent.so");
	ck_assert_int_eq(chr_swap_ask(conductor, &ask, &why), 0);
	ck_assert_int_eq(chr_swap_ask(conductor, &ask, &why), -EALREADY);
	struct chr_descriptor new = changed();
	unsigned queued = swap->queued;
	chr_swap_tick(conductor); /* the file is not there: over at once */
	ck_assert_uint_eq(swap->queued, queued - 1);
	ck_assert_int_eq(swap->state, CHR_SWAP_NONE);
	swap_to(&new);
	ck_assert_int_eq(chr_swap_ask(conductor, &ask, &why), 0);
	chr_swap_tick(conductor);
	ck_assert_uint_eq(swap->queued, 1);
	chr_swap_forget(conductor, &bed->unit[BED_FILT1]);
	ck_assert_uint_eq(swap->queued, 0);
	ck_assert_int_eq(swap->state, CHR_SWAP_FIRST);
	chr_swap_server_lost(conductor);
	ck_assert_int_eq(swap->state, CHR_SWAP_NONE);
	ck_assert_ptr_null(unit->instance[1].code);
}
END_TEST

START_TEST(a_process_that_dies_of_the_file_ends_it)
{
	struct chr_swap_ask ask = {.name = "osc1"};
	const char *why;
	char here[256];
	ck_assert_ptr_nonnull(getcwd(here, sizeof here));
	snprintf(ask.file, sizeof ask.file, "%s/" CHR_BUILD "/modules/sine.so", here);
	ck_assert_int_eq(chr_swap_ask(conductor, &ask, &why), 0);
	chr_swap_tick(conductor);
	chr_swap_tick(conductor);
	ck_assert_ptr_nonnull(swap->asked);
	chr_instances_died(conductor, swap->asked, chr_monotonic_us());
	ck_assert_int_eq(swap->state, CHR_SWAP_NONE);
	bed_assert_states(bed, "ppp", "ppp");
}
END_TEST

/* ---- one lane ---- */

START_TEST(one_lane_fades_by_itself)
{
	struct chr_descriptor new = changed();
	struct chr_process *process = bed_instance(bed, BED_OSC1, 0)->process;
	swap_to(&new);
	if (swap->state == CHR_SWAP_FIRST) { /* nothing can be sent to a process that is none: as if it had been */
		unit->instance[0].by_hand = false;
		chr_code_release(unit->instance[0].code);
		unit->instance[0].code = NULL;
		swap->state = CHR_SWAP_FADING;
	}
	ck_assert(!process->dying);
	ck_assert(chr_swap_report(conductor, process, CHR_REPORT_SWAPPED));
	ck_assert_int_eq(swap->state, CHR_SWAP_TRIAL);
	ck_assert_ptr_eq(unit->instance[0].code, swap->code);
	if (_i) {
		bed_die(bed, BED_OSC1, 0);
		ck_assert_int_eq(swap->state, CHR_SWAP_BACK);
		bed_run(bed, BED_OSC1, 0);
		chr_swap_tick(conductor);
		ck_assert_uint_eq(swap->taken_back, 1);
		ck_assert_ptr_eq(unit->code, old);
		return;
	}
	chr_swap_tick(conductor);
	swap->trial_us -= CHR_SWAP_TRIAL_US;
	chr_swap_tick(conductor);
	ck_assert_int_eq(swap->state, CHR_SWAP_NONE);
	ck_assert_uint_eq(swap->done, 1);
	ck_assert_ptr_ne(unit->code, old);
}
END_TEST

START_TEST(one_lane_restarts_what_does_not_fit)
{
	struct chr_descriptor new = reordered();
	swap_to(&new);
	ck_assert_int_eq(swap->state, CHR_SWAP_FIRST);
	ck_assert(bed_instance(bed, BED_OSC1, 0)->by_hand);
	bed_die(bed, BED_OSC1, 0);
	bed_run(bed, BED_OSC1, 0);
	chr_swap_tick(conductor);
	ck_assert_int_eq(swap->state, CHR_SWAP_TRIAL);
	chr_swap_tick(conductor);
	swap->trial_us -= CHR_SWAP_TRIAL_US;
	chr_swap_tick(conductor);
	ck_assert_uint_eq(swap->done, 1);
	ck_assert_str_eq(unit->type->port[0].name, "renamed");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swap");
	TCase *two = tcase_create("two lanes");
	tcase_add_checked_fixture(two, setup, teardown);
	tcase_add_test(two, one_lane_after_the_other);
	tcase_add_test(two, in_pipewire_the_edges_go_first);
	tcase_add_test(two, in_pipewire_edges_that_stay_are_not_waited_for);
	tcase_add_test(two, code_that_does_not_keep_its_word_is_taken_back);
	tcase_add_test(two, another_sound_is_not_compared);
	tcase_add_test(two, what_does_not_fit_starts_fresh);
	tcase_add_loop_test(two, death_and_noise_on_trial_take_it_back, 0, 2);
	tcase_add_test(two, wishes_are_checked_and_wait);
	tcase_add_test(two, a_process_that_dies_of_the_file_ends_it);
	suite_add_tcase(suite, two);
	TCase *one = tcase_create("one lane");
	tcase_add_checked_fixture(one, setup_one, teardown);
	tcase_add_loop_test(one, one_lane_fades_by_itself, 0, 2);
	tcase_add_test(one, one_lane_restarts_what_does_not_fit);
	suite_add_tcase(suite, one);
	return chr_suite_run(suite);
}
