#include "common/log.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/lanes_bed.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static struct lanes_bed *bed;

static void setup(void)
{
	bed = bed_create(2);
	bed_play(bed);
}

static void teardown(void)
{
	bed_destroy(bed);
}

static struct chr_instance *osc1(void)
{
	return bed_instance(bed, BED_OSC1, 0);
}

/* Every process has a pid of its own to be told by. */
static struct chr_process *dies(struct chr_instance *instance)
{
	struct chr_process *process = instance->process;
	process->born_pid = process->pid;
	chr_instances_died(&bed->conductor, process, 1000);
	return process;
}

START_TEST(wait_status_tells_the_cause)
{
	static const struct {
		int status;
		const char *cause;
	} end[] = {{SIGKILL, "killed by SIGKILL"},
		   {SIGBUS | 0x80, "killed by SIGBUS"},
		   {3 << 8, "ended with status 3"},
		   {63, "ended with status 0"}};
	chr_instances_reaped(&bed->conductor, dies(osc1()), end[_i].status);
	ck_assert_str_eq(osc1()->fault.cause, end[_i].cause);
	ck_assert(!osc1()->fault.crash);
	ck_assert_uint_eq(osc1()->restarts, 1);
}
END_TEST

/* What the module said of its end is more than what its wait status can say. */
START_TEST(crash_keeps_the_cause_that_the_slot_tells)
{
	struct chr_slot_report *report = &osc1()->process->slot->report;
	report->signal = SIGSEGV;
	report->address = 0x1234;
	report->phase = CHR_PHASE_CRASHED;
	chr_instances_reaped(&bed->conductor, dies(osc1()), SIGSEGV);
	ck_assert_str_eq(osc1()->fault.cause, "crashed by SIGSEGV at 0x1234");
	ck_assert(osc1()->fault.crash);
}
END_TEST

START_TEST(signal_that_is_none_is_told_as_unknown)
{
	struct chr_slot_report *report = &osc1()->process->slot->report;
	report->signal = 0xfffffff0u;
	report->phase = CHR_PHASE_CRASHED;
	dies(osc1());
	ck_assert_str_eq(osc1()->fault.cause, "crashed by SIG? at 0x0");
}
END_TEST

START_TEST(hang_is_told_as_one_and_counts_as_a_crash)
{
	osc1()->fault.hang = true;
	dies(osc1());
	ck_assert_ptr_nonnull(strstr(osc1()->fault.cause, "watchdog"));
	ck_assert(osc1()->fault.crash);
	ck_assert(!osc1()->fault.hang);
}
END_TEST

START_TEST(restart_by_hand_is_no_fault)
{
	chr_instances_restart(&bed->conductor, &bed->unit[BED_OSC1]);
	ck_assert(osc1()->by_hand && bed_instance(bed, BED_OSC1, 1)->by_hand);
	ck_assert_str_eq(osc1()->fault.cause, "restarted by hand");
	for (int i = 0; i < 20; i++) {
		osc1()->by_hand = true;
		if (!osc1()->process)
			bed_spares(bed, 1);
		dies(osc1());
	}
	ck_assert_uint_eq(osc1()->restarts, 0);
	ck_assert(!bed->unit[BED_OSC1].quarantined);
}
END_TEST

/* Its state is fresh and no longer its twin's. */
START_TEST(samples_that_are_no_numbers_break_the_lane)
{
	bed_note(bed, BED_OSC1, 0, CHR_NOTE_NONFINITE, 2000, 0);
	ck_assert(!bed->conductor.lanes.whole[0] && bed->conductor.lanes.whole[1]);
	ck_assert_uint_eq(bed->conductor.lanes.leader, 1);
	bed_assert_states(bed, "jjj", "ppp");
	bed_assert_asked(bed, 0);
}
END_TEST

/* A module that gives them out for days does not fill the disk. */
START_TEST(samples_that_are_no_numbers_are_logged_now_and_then)
{
	char text[4096];
	int to_log[2];
	ck_assert_int_eq(pipe2(to_log, O_NONBLOCK), 0);
	ck_assert_int_eq(dup2(to_log[1], STDERR_FILENO), STDERR_FILENO);
	chr_log_set_level(CHR_LOG_WARN);
	for (uint32_t i = 0; i < 1000; i++)
		bed_note(bed, BED_OSC1, 0, CHR_NOTE_NONFINITE, 2000 + 256 * i, 0);
	ssize_t n = read(to_log[0], text, sizeof text - 1);
	text[n > 0 ? n : 0] = 0;
	const char *first = strstr(text, "not numbers");
	ck_assert_msg(first && !strstr(first + 1, "not numbers"), "%.200s", text);
}
END_TEST

START_TEST(note_of_no_known_kind_changes_nothing)
{
	bed_note(bed, BED_OSC1, 0, 9999, 2000, 0);
	bed_assert_states(bed, "ppp", "ppp");
	ck_assert(bed->conductor.lanes.whole[0] && bed->conductor.lanes.whole[1]);
}
END_TEST

/* JACK is gone: nobody is to blame, and all begin anew when it is back. */
START_TEST(lost_server_is_no_fault_of_the_instances)
{
	bed->conductor.server_up = false;
	chr_instances_server_lost(&bed->conductor);
	bed_assert_states(bed, "www", "www");
	ck_assert_uint_eq(osc1()->restarts, 0);
	ck_assert_uint_eq(osc1()->fault.seen_us, 0);
	bed->conductor.server_up = true;
	bed_spares(bed, 8);
	ck_assert_int_eq(osc1()->state, CHR_INSTANCE_STARTING);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("instances");
	TCase *tcase = tcase_create("instances");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, wait_status_tells_the_cause, 0, 4);
	tcase_add_test(tcase, crash_keeps_the_cause_that_the_slot_tells);
	tcase_add_test(tcase, signal_that_is_none_is_told_as_unknown);
	tcase_add_test(tcase, hang_is_told_as_one_and_counts_as_a_crash);
	tcase_add_test(tcase, restart_by_hand_is_no_fault);
	tcase_add_test(tcase, samples_that_are_no_numbers_break_the_lane);
	tcase_add_test(tcase, samples_that_are_no_numbers_are_logged_now_and_then);
	tcase_add_test(tcase, note_of_no_known_kind_changes_nothing);
	tcase_add_test(tcase, lost_server_is_no_fault_of_the_instances);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
