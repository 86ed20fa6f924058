/* Modules that come and go while two lanes play: nobody else may notice. */
#include "tests/lib/suite.h"
#include "tests/supervisor/lanes_bed.h"
#include "tests/supervisor/patch_fixture.h"

#include "common/clock.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct lanes_bed *bed;
static struct chr_conductor *conductor;
static struct chr_type *types[4];

static struct bed_answer answer;

static void begin(unsigned lanes)
{
	static const char *const names[] = {"adsr", "biquad", "out", "sine"};
	bed = bed_create(lanes);
	conductor = &bed->conductor;
	for (unsigned i = 0; i < 4; i++) {
		const char *why;
		types[i] = calloc(1, sizeof *types[i]);
		strcpy(types[i]->name, names[i]);
		types[i]->code = calloc(1, sizeof *types[i]->code);
		types[i]->code->known = true;
		types[i]->code->references = 1;
		types[i]->code->fd = -1;
		types[i]->code->descriptor = *fixture_type(NULL, names[i], "", &why);
	}
	bed->catalog.type = types;
	bed->catalog.count = 4;
	chr_edit_init(conductor, NULL);
	answer = (struct bed_answer){.self = &answer};
}

static void setup(void)
{
	begin(2);
	bed_play(bed);
	bed_spares(bed, 16);
}

static void teardown(void)
{
	chr_edit_finish(conductor);
	while (conductor->rack.unit_count > BED_UNITS)
		chr_rack_remove(&conductor->rack, conductor->rack.unit[conductor->rack.unit_count - 1]);
	for (unsigned i = 0; i < 4; i++)
		free(types[i]->code);
	for (unsigned i = 0; i < 4; i++)
		free(types[i]);
	bed_destroy(bed);
}

static void request(enum chr_edit_kind kind, const char *a, const char *b)
{
	int before = answer.count;
	ck_assert_int_eq(chr_edit_request(conductor, kind, a, b, bed_answer, &answer), 0);
	ck_assert_int_le(answer.count, before + 1);
}

static struct chr_unit *unit(const char *name)
{
	struct chr_unit *found = chr_rack_find(&conductor->rack, name);
	ck_assert_msg(found != NULL, "no %s", name);
	return found;
}

/* The client of the new module is active, its edges are made, its first cycle is complete. */
static void run(const char *name, unsigned lane)
{
	struct chr_unit *fresh = unit(name);
	chr_instances_ready(conductor, fresh->instance[lane].process);
	chr_instances_wired(conductor, conductor->generation);
	chr_pulse_complete(&conductor->board[lane]->pulse[fresh->member], 256);
	chr_instances_review(conductor);
}

/* The next fade in that instance's ring. */
static bool take_fade(const struct chr_unit *of, unsigned lane, struct chr_event *event)
{
	while (chr_ring_read(&of->instance[lane].process->slot->to_audio, event, 1))
		if (event->kind == CHR_EVENT_FADE)
			return true;
	return false;
}

START_TEST(test_a_new_module_is_outside_the_lanes)
{
	request(CHR_EDIT_ADD, "sine", "new");
	ck_assert_int_eq(answer.count, 1);
	ck_assert_int_eq(answer.rc, 0);
	struct chr_unit *fresh = unit("new");
	ck_assert_uint_eq(fresh->member, BED_UNITS);
	ck_assert_int_eq(fresh->stage, CHR_UNIT_ENTERING);
	ck_assert_uint_ne(fresh->instance[0].process->slot->order.silent, 0);
	request(CHR_EDIT_CONNECT, "new:out", "out:left");
	/* while it starts, both lanes are whole, and out waits for the same members as before */
	ck_assert(conductor->lanes.whole[0] && conductor->lanes.whole[1]);
	bed_assert_told(bed, "of", "of");
	chr_instances_ready(conductor, fresh->instance[0].process);
	ck_assert_ptr_null(fresh->instance[1].process);
	chr_instances_wired(conductor, conductor->generation);
	/* its twin comes behind it, when there is nothing left for the server to do */
	ck_assert_ptr_nonnull(fresh->instance[1].process);
	chr_pulse_complete(&conductor->board[0]->pulse[fresh->member], 256);
	chr_instances_review(conductor);
	bed_assert_told(bed, "of", "of");
	ck_assert(conductor->lanes.whole[1]);
	chr_edit_tick(conductor);
	ck_assert_int_eq(fresh->stage, CHR_UNIT_HERE);
}
END_TEST

START_TEST(test_it_sounds_and_its_twin_joins)
{
	struct chr_event a, b;
	request(CHR_EDIT_ADD, "sine", "new");
	request(CHR_EDIT_CONNECT, "new:out", "out:left");
	run("new", 0);
	chr_edit_tick(conductor);
	run("new", 1);
	struct chr_unit *fresh = unit("new");
	ck_assert_int_eq(fresh->stage, CHR_UNIT_HERE);
	/* its twin began silent too, and has the same fade until it takes it over with the rest of the state, wherever it is by then */
	ck_assert(take_fade(fresh, 0, &a) && take_fade(fresh, 1, &b));
	ck_assert_uint_ne(fresh->instance[1].process->slot->order.silent, 0);
	ck_assert(a.serial == b.serial && a.frame == b.frame && a.ramp_frames == b.ramp_frames && a.value == b.value);
	ck_assert_uint_eq(a.ramp_frames, 960);
	ck_assert_float_eq(a.value, 1.0f);
	/* the leader plays on with it in it, the other lane joins once */
	ck_assert(conductor->lanes.whole[0] && !conductor->lanes.whole[1] && conductor->lanes.asked);
	bed_assert_states(bed, "ppp", "jjj");
	ck_assert_int_eq(fresh->instance[1].state, CHR_INSTANCE_JOINING);
	ck_assert(chr_member_set_has(&bed_instance(bed, BED_OUT, 0)->process->slot->picker.required[0], fresh->member));
}
END_TEST

START_TEST(test_a_death_while_it_comes_breaks_no_lane)
{
	request(CHR_EDIT_ADD, "sine", "new");
	run("new", 0);
	chr_instances_died(conductor, unit("new")->instance[0].process, chr_monotonic_us());
	ck_assert(conductor->lanes.whole[0] && conductor->lanes.whole[1]);
	ck_assert_uint_eq(conductor->lanes.leader, 0);
}
END_TEST

/* The lane that the sentry marks when that instance dies; -1: none. */
static int marked(const struct chr_unit *of, unsigned lane)
{
	return of->instance[lane].process->guard->lane;
}

START_TEST(test_the_death_of_what_comes_or_goes_marks_no_lane)
{
	struct chr_sentry_guard guards[2] = {{.lane = -1}, {.lane = -1}};
	request(CHR_EDIT_ADD, "sine", "new");
	struct chr_unit *fresh = unit("new");
	fresh->instance[0].process->guard = &guards[0];
	run("new", 0);
	ck_assert_int_eq(marked(fresh, 0), -1);
	chr_edit_tick(conductor);
	ck_assert_int_eq(fresh->stage, CHR_UNIT_HERE);
	ck_assert_int_eq(marked(fresh, 0), 0);
	fresh->instance[1].process->guard = &guards[1];
	run("new", 1);
	ck_assert_int_eq(marked(fresh, 1), 1);
	request(CHR_EDIT_REMOVE, "new", NULL);
	ck_assert_int_eq(marked(fresh, 1), 1);
	fresh->stage_us -= 1000000;
	chr_edit_tick(conductor);
	ck_assert_int_eq(fresh->stage, CHR_UNIT_AWAY);
	ck_assert(marked(fresh, 0) == -1 && marked(fresh, 1) == -1);
	for (unsigned lane = 0; lane < 2; lane++)
		fresh->instance[lane].process->guard = NULL;
}
END_TEST

START_TEST(test_what_may_not_be_added)
{
	static const struct {
		const char *type, *name, *why;
	} rows[] = {{"sine", "osc1", "already"}, {"sine", "out", "already"},   {"sin", "x", "no module type"},
		    {"out", "x", "one output"},  {"sine", "Upper", "no name"}, {"sine", "chronus", "system"}};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		request(CHR_EDIT_ADD, rows[i].type, rows[i].name);
		ck_assert_int_eq(answer.count, (int)i + 1);
		ck_assert_int_ne(answer.rc, 0);
		ck_assert_msg(strstr(answer.why, rows[i].why) != NULL, "%s: %s", rows[i].name, answer.why);
	}
	ck_assert_uint_eq(conductor->rack.unit_count, BED_UNITS);
}
END_TEST

START_TEST(test_connections)
{
	request(CHR_EDIT_CONNECT, "aside:out", "filt1:cutoff");
	ck_assert_int_eq(answer.rc, 0);
	ck_assert(bed_desired(bed, "aside:out", "filt1:cutoff") && bed_desired(bed, "aside.b:out", "filt1.b:cutoff"));
	/* both lanes hear it, but not from one frame on: when it is made, the lane that follows joins */
	ck_assert(conductor->lanes.whole[1]);
	chr_instances_wired(conductor, conductor->generation);
	ck_assert(!conductor->lanes.whole[1] && conductor->lanes.whole[0]);
	request(CHR_EDIT_CONNECT, "aside:out", "filt1:cutoff");
	ck_assert_ptr_nonnull(strstr(answer.why, "already"));
	request(CHR_EDIT_CONNECT, "aside:out", "filt1:sideways");
	ck_assert_ptr_nonnull(strstr(answer.why, "port"));
	request(CHR_EDIT_DISCONNECT, "aside:out", "filt1:cutoff");
	ck_assert_int_eq(answer.rc, 0);
	ck_assert(!bed_desired(bed, "aside:out", "filt1:cutoff") && !bed_desired(bed, "aside.b:out", "filt1.b:cutoff"));
	request(CHR_EDIT_DISCONNECT, "aside:out", "filt1:cutoff");
	ck_assert_ptr_nonnull(strstr(answer.why, "not connected"));
}
END_TEST

START_TEST(test_requests_are_answered_in_order)
{
	request(CHR_EDIT_ADD, "sine", "new");
	ck_assert_int_eq(answer.count, 1);
	request(CHR_EDIT_REMOVE, "new", NULL);
	request(CHR_EDIT_ADD, "biquad", "new");
	/* the old one is still fading */
	ck_assert_int_eq(answer.count, 1);
	ck_assert_int_eq(unit("new")->stage, CHR_UNIT_LEAVING);
	struct chr_unit *old = unit("new");
	old->stage_us -= 1000000;
	chr_edit_tick(conductor);
	ck_assert_int_eq(old->stage, CHR_UNIT_AWAY);
	ck_assert_int_eq(answer.count, 1);
	ck_assert_ptr_null(old->instance[1].process);
	chr_instances_died(conductor, old->instance[0].process, chr_monotonic_us());
	chr_edit_tick(conductor);
	ck_assert_int_eq(answer.count, 3);
	ck_assert_int_eq(answer.rc, 0);
	ck_assert_str_eq(unit("new")->type->name, "biquad");
	ck_assert_uint_eq(unit("new")->member, BED_UNITS);
}
END_TEST

START_TEST(test_what_goes_fades_first)
{
	struct chr_event a, b;
	request(CHR_EDIT_ADD, "sine", "new");
	request(CHR_EDIT_CONNECT, "new:out", "filt1:cutoff");
	run("new", 0);
	chr_edit_tick(conductor);
	run("new", 1);
	struct chr_unit *old = unit("new");
	ck_assert(take_fade(old, 0, &a));
	request(CHR_EDIT_REMOVE, "new", NULL);
	ck_assert(take_fade(old, 0, &a) && take_fade(old, 1, &b));
	ck_assert_uint_eq(a.frame, b.frame);
	ck_assert_float_eq(a.value, 0.0f);
	ck_assert(bed_desired(bed, "new:out", "filt1:cutoff"));
	old->stage_us -= 1000000;
	chr_edit_tick(conductor);
	ck_assert(!bed_desired(bed, "new:out", "filt1:cutoff"));
	ck_assert(!chr_member_set_has(&bed_instance(bed, BED_OUT, 0)->process->slot->picker.required[0], old->member));
	request(CHR_EDIT_REMOVE, "out", NULL);
	request(CHR_EDIT_REMOVE, "nobody", NULL);
}
END_TEST

START_TEST(test_another_name_goes_lane_by_lane)
{
	request(CHR_EDIT_RENAME, "osc1", "lfo");
	struct chr_unit *osc1 = unit("lfo");
	conductor->lanes.led_us = 0;
	chr_edit_tick(conductor);
	/* the lane that follows first */
	ck_assert_str_eq(osc1->instance[0].client, "osc1");
	ck_assert_str_eq(osc1->instance[1].client, "lfo.b");
	ck_assert(bed_desired(bed, "osc1:out", "filt1:in") && bed_desired(bed, "lfo.b:out", "filt1.b:in"));
	bed_die(bed, BED_OSC1, 1);
	ck_assert(conductor->lanes.whole[0]);
	chr_edit_tick(conductor);
	ck_assert_str_eq(osc1->instance[0].client, "osc1");
	bed_run(bed, BED_OSC1, 1);
	bed_join_lane(bed, 1, 2000);
	/* then the lanes change places, and the other one */
	chr_edit_tick(conductor);
	ck_assert_uint_eq(conductor->lanes.leader, 1);
	ck_assert_str_eq(osc1->instance[0].client, "osc1");
	conductor->lanes.led_us = 0;
	chr_edit_tick(conductor);
	ck_assert_str_eq(osc1->instance[0].client, "lfo");
	ck_assert(bed_desired(bed, "lfo:out", "filt1:in"));
	ck_assert(conductor->lanes.whole[1]);
	ck_assert_int_eq(answer.count, 0);
	bed_die(bed, BED_OSC1, 0);
	bed_run(bed, BED_OSC1, 0);
	bed_join_lane(bed, 0, 3000);
	chr_edit_tick(conductor);
	ck_assert_int_eq(answer.count, 1);
	ck_assert_int_eq(answer.rc, 0);
	ck_assert_uint_eq(osc1->instance[0].restarts, 0);
}
END_TEST

START_TEST(test_dirty)
{
	ck_assert(!chr_edit_dirty(conductor));
	request(CHR_EDIT_CONNECT, "aside:out", "filt1:cutoff");
	ck_assert(chr_edit_dirty(conductor));
	request(CHR_EDIT_DISCONNECT, "aside:out", "filt1:cutoff");
	ck_assert(!chr_edit_dirty(conductor));
	chr_rack_set(&conductor->rack, unit("osc1"), 0, 330.0f, 0, 0, 0);
	conductor->rack.totals.received++;
	ck_assert(chr_edit_dirty(conductor));
}
END_TEST

START_TEST(test_the_end_answers_what_is_left)
{
	request(CHR_EDIT_ADD, "sine", "new");
	request(CHR_EDIT_REMOVE, "new", NULL);
	request(CHR_EDIT_ADD, "sine", "other");
	chr_edit_finish(conductor);
	ck_assert_int_eq(answer.count, 3);
	ck_assert_int_eq(answer.rc, -ECANCELED);
}
END_TEST

/* jackd lets clients go one by one; spares are no clients. */
START_TEST(test_edit_few_leave_at_once)
{
	for (unsigned i = 0; i < BED_UNITS; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++)
			conductor->process[conductor->process_count++] = bed_instance(bed, i, lane)->process;
	ck_assert(chr_processes_may_leave(conductor, 4) && !chr_processes_may_leave(conductor, 5));
	for (unsigned i = 0; i < 3; i++)
		conductor->process[i]->told = true;
	ck_assert(chr_processes_may_leave(conductor, 1) && !chr_processes_may_leave(conductor, 2));
	ck_assert_uint_gt(conductor->spare_count, 0);
	conductor->process[conductor->process_count++] = conductor->spare[0];
	conductor->spare[0]->told = true;
	ck_assert(chr_processes_may_leave(conductor, 1));
	conductor->process_count = 0;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edit");
	TCase *tests = tcase_create("lanes");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_edit_few_leave_at_once);
	tcase_add_test(tests, test_a_new_module_is_outside_the_lanes);
	tcase_add_test(tests, test_it_sounds_and_its_twin_joins);
	tcase_add_test(tests, test_a_death_while_it_comes_breaks_no_lane);
	tcase_add_test(tests, test_the_death_of_what_comes_or_goes_marks_no_lane);
	tcase_add_test(tests, test_what_may_not_be_added);
	tcase_add_test(tests, test_connections);
	tcase_add_test(tests, test_requests_are_answered_in_order);
	tcase_add_test(tests, test_what_goes_fades_first);
	tcase_add_test(tests, test_another_name_goes_lane_by_lane);
	tcase_add_test(tests, test_dirty);
	tcase_add_test(tests, test_the_end_answers_what_is_left);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
