/* Cycles that JACK ran a module in too late, or not at all: `late` has some of these, `steady` none, and what they play afterwards is compared. */
#include "engine/change.h"
#include "engine/missed.h"
#include "tests/engine/bed.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <string.h>

#define N      64u
#define ORIGIN (UINT32_MAX - 8 * N) /* the frame time wraps on the way */
#define ROOM   4800u                /* 100 ms, more than eight cycles */
#define LARGE  1000u                /* a cycle of which eight are more */

/* Sums of what came over an audio and over a control port. */
struct sums {
	double audio, gate;
};

static void sums_process(void *state, const struct chr_io *io)
{
	struct sums *sums = state;
	for (uint32_t i = 0; i < io->frames; i++) {
		io->out[2][i] = (float)(sums->audio += io->in[0][i]);
		io->out[3][i] = (float)(sums->gate += io->in[1][i]);
	}
}

static const struct chr_port ports[] = {
	{.name = "in", .direction = CHR_IN, .help = "in"},
	{.name = "gate", .direction = CHR_IN, .signal = CHR_GATE, .help = "gate"},
	{.name = "out", .direction = CHR_OUT, .help = "sum of in"},
	{.name = "sum", .direction = CHR_OUT, .signal = CHR_BIPOLAR, .help = "sum of gate"},
};

static const struct chr_module sums_module = {
	.abi = CHR_MODULE_ABI,
	.name = "sums",
	.help = "sums",
	.state_bytes = sizeof(struct sums),
	.ports = ports,
	.port_count = 4,
	.process = sums_process,
};

static struct bed *late, *steady;

static void setup(void)
{
	late = bed_create(&bed_probe, 2, 0, ORIGIN);
	steady = bed_create(&bed_probe, 2, 0, ORIGIN);
	bed_cycle(late, N);
	bed_cycle(steady, N);
}

static void teardown(void)
{
	bed_destroy(late);
	bed_destroy(steady);
}

/* A member of the lane that is called in every cycle, and `late`. */
static void cycle_late(uint32_t frames)
{
	struct chr_pulse *pulse = &late->board[0]->pulse[0];
	chr_pulse_call(pulse, late->frame, 0);
	chr_pulse_complete(pulse, late->frame);
	bed_cycle(late, frames);
}

static void both(void)
{
	cycle_late(N);
	bed_cycle(steady, N);
}

/* `late` misses these frames, `steady` plays them in cycles of N and a rest; both then play three cycles of N: in the second,
 * the member that was called tells that this one was passed over. */
static void miss(uint32_t frames)
{
	late->frame += frames;
	for (uint32_t left = frames; left; left -= left < N ? left : N)
		bed_cycle(steady, left < N ? left : N);
	for (unsigned i = 0; i < 3; i++)
		both();
}

/* Another member of the lane of `late`, called when JACK's time is `at`. */
static void other_member(unsigned member, uint32_t at, uint32_t lag)
{
	struct chr_pulse *pulse = &late->board[0]->pulse[member];
	chr_pulse_call(pulse, at, lag);
	chr_pulse_complete(pulse, at);
}

static void send_both(struct chr_event event)
{
	bed_send(late, event);
	bed_send(steady, event);
}

static void expect_same(void)
{
	ck_assert_uint_eq(late->frame, steady->frame);
	for (unsigned port = PROBE_LEVEL; port <= PROBE_TICK; port++)
		ck_assert(bed_same(late->out_buffer[port], steady->out_buffer[port], N * sizeof(float)));
	ck_assert_uint_eq(chr_join_checksum(late->rt), chr_join_checksum(steady->rt));
}

START_TEST(what_has_its_own_course_is_where_it_belongs)
{
	static const uint32_t frames[] = {N, 1, N - 1, 3 * N + 5, ROOM};
	miss(frames[_i]);
	expect_same();
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(3 * N + frames[_i]));
	ck_assert_uint_eq(bed_status(&late->slot->status.skipped), 1);
}
END_TEST

/* One that made up for a period is called for it after all: by then its time has gone by. */
START_TEST(made_up_for_is_not_computed_twice)
{
	bool within = _i == 0;
	late->frame += N;
	for (unsigned i = 0; i < 4; i++)
		bed_cycle(steady, N);
	cycle_late(N);
	cycle_late(N);
	cycle_late(N);
	expect_same();
	for (unsigned i = 0; i < (within ? 1 : CHR_MISSED_WAIT); i++)
		both();
	uint32_t cycles = bed_status(&late->slot->status.cycles);
	late->frame -= N;
	cycle_late(N);
	ck_assert_uint_eq(bed_status(&late->slot->status.cycles), cycles + 1);
	both();
	/* long after, it is another time that goes back, for all */
	if (within)
		expect_same();
	else
		ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], steady->out_buffer[PROBE_TICK][0] + N);
}
END_TEST

/* JACK calls a client that was late once for each period, but its frame time is already the last one's. */
START_TEST(late_cycles_are_computed_one_by_one)
{
	send_both((struct chr_event){
		.kind = CHR_EVENT_PARAM, .index = PARAM_LEVEL, .value = 3.0f, .frame = late->frame + N + 7, .ramp_frames = 100});
	late->frame += 2 * N;
	for (unsigned i = 0; i < 3; i++) {
		bed_cycle(late, N);
		bed_cycle(steady, N);
		for (unsigned port = PROBE_LEVEL; port <= PROBE_TICK; port++)
			ck_assert(bed_same(late->out_buffer[port], steady->out_buffer[port], N * sizeof(float)));
		if (i < 2)
			late->frame -= N;
	}
	both();
	expect_same();
	ck_assert_uint_eq(bed_status(&late->slot->status.skipped), 0);
	ck_assert_uint_eq(bed_status(&late->slot->status.late), 0);
}
END_TEST

/* Its pulse says what it computed, not when. */
START_TEST(a_late_cycle_bears_the_frame_that_was_due)
{
	const struct chr_pulse *pulse = &late->board[0]->pulse[BED_MEMBER];
	uint32_t due = late->frame;
	late->frame += N;
	bed_cycle(late, N);
	ck_assert(chr_pulse_fresh(pulse, due, due + N));
	late->frame -= N;
	bed_cycle(late, N);
	ck_assert(chr_pulse_fresh(pulse, due, due + N) && chr_pulse_fresh(pulse, due + N, due + 2 * N));
}
END_TEST

/* Cycles of `late` with members 1 and 2 of its lane, which lag that much. */
static void jump_with(uint32_t frames, uint32_t lag_1, uint32_t lag_2, unsigned cycles)
{
	late->frame += frames;
	for (unsigned i = 0; i < cycles; i++) {
		other_member(1, late->frame, lag_1);
		other_member(2, late->frame, lag_2);
		bed_cycle(late, N);
	}
}

/* All of the lane stood still. */
START_TEST(what_the_server_skipped_is_not_made_up_for)
{
	const struct chr_pulse *pulse = &late->board[0]->pulse[BED_MEMBER];
	const uint32_t from = late->frame;
	jump_with(3 * N, 3 * N, 3 * N, 2);
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(2 * N));
	ck_assert(chr_pulse_fresh(pulse, from + N, from + 2 * N)); /* all are equally late */
	bed_cycle(late, N);
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(3 * N));
	ck_assert_uint_eq(bed_status(&late->slot->status.skipped), 1);
	ck_assert(chr_pulse_fresh(pulse, from + 5 * N, from + 6 * N)); /* and on time again */
}
END_TEST

/* The server skipped one, and this one missed two more. */
START_TEST(what_others_do_not_owe_is_made_up_for)
{
	jump_with(3 * N, N, 3 * N, 3);
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(5 * N));
}
END_TEST

/* Who has not run for long does not count. */
START_TEST(one_that_is_gone_does_not_count)
{
	const uint32_t from = late->frame += N;
	other_member(1, from - ROOM - 2 * N, 0);
	for (unsigned i = 0; i < 3; i++) {
		other_member(2, late->frame, N);
		bed_cycle(late, N);
	}
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(3 * N));
}
END_TEST

/* What comes new is in step with those that are there, and what is the matter with it later is told from that. */
START_TEST(a_new_member_lags_as_the_others_do)
{
	struct bed *bed = bed_create(&bed_probe, 2, 0, ORIGIN);
	chr_pulse_complete(&bed->board[0]->pulse[0], ORIGIN);
	chr_pulse_call(&bed->board[0]->pulse[0], ORIGIN, 7 * N);
	bed_cycle(bed, N);
	ck_assert_uint_eq(bed->rt->lag, 7 * N);
	ck_assert_uint_eq(atomic_load(&bed->board[0]->pulse[BED_MEMBER].lag), 7 * N);
	bed_destroy(bed);
}
END_TEST

/* Member 2 has only been called once yet: then it is called for the second time, owes nothing, and this one was passed over. */
START_TEST(one_that_may_be_called_twice_is_waited_for)
{
	const uint32_t from = late->frame + N;
	other_member(2, from, N);
	late->frame = from;
	for (unsigned i = 0; i < 4; i++) {
		other_member(1, late->frame, N);
		bed_cycle(late, N);
	}
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(4 * N));
	ck_assert_uint_eq(bed_status(&late->slot->status.skipped), 0);
	other_member(2, late->frame, 0);
	bed_cycle(late, N);
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(6 * N));
}
END_TEST

/* It died, perhaps. */
START_TEST(nobody_is_waited_for_for_ever)
{
	const uint32_t from = late->frame + N;
	other_member(2, from, N);
	late->frame = from;
	for (unsigned i = 0; i < 2 + CHR_MISSED_WAIT; i++)
		bed_cycle(late, N);
	ck_assert_uint_eq(bed_status(&late->slot->status.skipped), 0);
	bed_cycle(late, N);
	ck_assert_uint_eq(bed_status(&late->slot->status.skipped), 1);
}
END_TEST

START_TEST(events_of_missed_frames_take_effect_at_their_frames)
{
	const uint32_t from = late->frame;
	send_both((struct chr_event){
		.kind = CHR_EVENT_PARAM, .index = PARAM_LEVEL, .value = 3.0f, .frame = from - 5, .ramp_frames = 1000});
	both();
	send_both((struct chr_event){.kind = CHR_EVENT_RESET, .frame = from + N + 17});
	send_both((struct chr_event){
		.kind = CHR_EVENT_PARAM, .index = PARAM_LEVEL, .value = -1.0f, .frame = from + 2 * N + 9, .ramp_frames = 90});
	send_both((struct chr_event){.kind = CHR_EVENT_PARAM, .index = PARAM_MODE, .value = 2.0f, .frame = from + 4 * N + 3});
	miss(3 * N);
	expect_same();
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(5 * N - 17));
	/* and nobody heard the last two when they were due */
	ck_assert_uint_eq(bed_status(&late->slot->status.late), bed_status(&steady->slot->status.late) + 2);
	ck_assert_uint_eq(late->rt->queue.count, 0);
}
END_TEST

START_TEST(a_longer_absence_is_let_be)
{
	miss(ROOM + 1);
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(3 * N));
}
END_TEST

START_TEST(long_cycles_have_more_room)
{
	late->frame += CHR_MISSED_MAX * LARGE;
	for (unsigned i = 0; i < 3; i++)
		cycle_late(LARGE);
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(N + 2 * LARGE + CHR_MISSED_MAX * LARGE));
}
END_TEST

/* One cycle is missed and three are run. Was it made up for? */
static bool made_up(void)
{
	double before = late->out_buffer[PROBE_TICK][N - 1];
	late->frame += N;
	for (unsigned i = 0; i < 3; i++)
		cycle_late(N);
	return late->out_buffer[PROBE_TICK][0] == (float)(before + 1 + 3 * N);
}

/* Else a module that takes more than half of the time would miss every other cycle by making up for the one before. */
START_TEST(making_up_again_and_again_comes_to_an_end)
{
	unsigned times = 0;
	while (made_up() && times < 1000)
		times++;
	/* each takes a cycle, and the three that are run give three quarters of one back */
	ck_assert_uint_ge(times, ROOM / N);
	ck_assert_uint_le(times, ROOM / N * 4 + 4);
	/* and there is room again after as many that ran as they should */
	for (unsigned i = 0; i < 8; i++)
		cycle_late(N);
	ck_assert(made_up());
}
END_TEST

START_TEST(one_after_the_other_is_made_up_for)
{
	for (unsigned i = 0; i < 5; i++) {
		miss(2 * N);
		expect_same();
	}
}
END_TEST

START_TEST(frame_time_that_goes_back_is_nothing_missed)
{
	late->frame -= 2 * N;
	bed_cycle(late, N);
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)N);
}
END_TEST

/* Its answer would tell of a state that the twin does not have, and look like a divergence. */
START_TEST(no_audit_of_a_missed_frame)
{
	struct chr_event note;
	send_both((struct chr_event){.kind = CHR_EVENT_CHECKSUM, .frame = late->frame + N + 3});
	miss(N);
	ck_assert(!bed_note(late, CHR_NOTE_CHECKSUM, &note));
	ck_assert(bed_note(steady, CHR_NOTE_CHECKSUM, &note));
}
END_TEST

START_TEST(missed_input_is_silent_and_control_stands_still)
{
	struct bed *bed = bed_create(&sums_module, 1, 0, ORIGIN);
	for (uint32_t i = 0; i < N; i++) {
		bed->in_buffer[0][i] = 1.0f;
		bed->in_buffer[1][i] = i < N - 1 ? 0.0f : 10.0f;
	}
	bed_cycle(bed, N);
	bed->frame += 2 * N;
	chr_pulse_complete(&bed->board[0]->pulse[0], bed->frame);
	chr_pulse_call(&bed->board[0]->pulse[0], bed->frame + N, 0);
	bed_cycle(bed, N);
	bed_cycle(bed, N);
	memset(bed->in_buffer[1], 0, N * sizeof(float));
	bed_cycle(bed, N);
	ck_assert_float_eq(bed->out_buffer[2][N - 1], (float)(4 * N));
	ck_assert_float_eq(bed->out_buffer[3][N - 1], 30.0f + 10.0f * 2 * N);
	bed_destroy(bed);
}
END_TEST

/* What it reads is what it wrote the cycle before, in the buffer that it would write to. */
START_TEST(a_module_patched_to_itself_does_not_make_up)
{
	late->in[PROBE_IN] = late->out[PROBE_SUM];
	late->frame += N;
	cycle_late(N);
	cycle_late(N);
	float before = late->out_buffer[PROBE_SUM][0];
	double sum = late->out_buffer[PROBE_SUM][N - 1];
	cycle_late(N);
	ck_assert_uint_eq(bed_status(&late->slot->status.skipped), 1);
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(3 * N));
	ck_assert_float_eq(late->out_buffer[PROBE_SUM][0], (float)(sum * 0.5 + (double)before + 1.0));
}
END_TEST

/* `late` is to take over the state of `steady`, which publishes it. */
static void ask_to_join(void)
{
	const struct chr_event publish = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_PUBLISH, .count = 5};
	const struct chr_event join = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_JOIN, .frame = late->frame};
	chr_join_set_twin(late->rt, steady->slot);
	chr_ring_write(&steady->slot->to_audio, &publish, 1);
	chr_ring_write(&late->slot->to_audio, &join, 1);
}

START_TEST(a_twins_state_has_nothing_to_make_up_for)
{
	ask_to_join();
	bed_cycle(steady, N);
	bed_cycle(steady, N);
	late->frame = steady->frame;
	both();
	/* not while it is late */
	ck_assert_uint_eq(bed_status(&late->slot->status.joins), 0);
	both();
	ck_assert_uint_eq(bed_status(&late->slot->status.joins), 1);
	expect_same();
}
END_TEST

/* The lane of `steady` stood still for a period in which the other one ran. Of that one `late` alone joins. */
START_TEST(a_twins_state_brings_its_lag_with_it)
{
	steady->frame += N;
	cycle_late(N);
	for (unsigned i = 0; i < 8; i++)
		both();
	ck_assert_uint_eq(steady->rt->lag, N);
	ask_to_join();
	both();
	both();
	ck_assert_uint_eq(bed_status(&late->slot->status.joins), 1);
	ck_assert_uint_eq(chr_join_checksum(late->rt), chr_join_checksum(steady->rt));
	ck_assert_uint_eq(atomic_load(&late->board[0]->pulse[BED_MEMBER].lag), N);
	for (unsigned i = 0; i < 3; i++)
		both();
	/* it is in step with its own lane */
	ck_assert_uint_eq(late->rt->lag, 0);
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], steady->out_buffer[PROBE_TICK][0] + (float)N);
}
END_TEST

/* The twin is late by a period, and publishes what was due; who joins in time is as far. */
START_TEST(what_a_late_twin_owes_is_not_its_lag)
{
	ask_to_join();
	cycle_late(N);
	steady->frame += N;
	bed_cycle(steady, N);
	ck_assert_uint_eq(steady->rt->lag, N);
	cycle_late(N);
	ck_assert_uint_eq(bed_status(&late->slot->status.joins), 1);
	ck_assert_uint_eq(late->rt->lag, 0);
	for (unsigned i = 0; i < 3; i++)
		cycle_late(N);
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(5 * N));
}
END_TEST

/* The other member has joined, this one is told not to any more: its twin is dead. */
START_TEST(one_that_is_not_to_join_is_in_step_with_those_that_did)
{
	const struct chr_event cancel = {.version = CHR_EVENT_VERSION, .kind = CHR_EVENT_JOIN, .flags = CHR_EVENT_CANCEL};
	late->frame += N;
	for (unsigned i = 0; i < 8; i++) {
		other_member(0, late->frame, N);
		bed_cycle(late, N);
	}
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(8 * N));
	other_member(0, late->frame, 0);
	chr_ring_write(&late->slot->to_audio, &cancel, 1);
	bed_cycle(late, N);
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(9 * N));
	for (unsigned i = 0; i < 3; i++) {
		other_member(0, late->frame, 0);
		bed_cycle(late, N);
	}
	ck_assert_float_eq(late->out_buffer[PROBE_TICK][0], (float)(13 * N));
	ck_assert_uint_eq(late->rt->lag, 0);
}
END_TEST

/* The crossfade goes on, and the coming module is where it belongs too. */
START_TEST(a_change_of_code_goes_on_through_missed_frames)
{
	static struct chr_descriptor desc;
	const float value[CHR_PARAMS_MAX] = {1.0f};
	char why[256];
	ck_assert(!chr_descriptor_make(&desc, &bed_probe, why, sizeof why));
	struct chr_change *change = chr_change_create(late->rt, &bed_probe, &desc, value);
	ck_assert_ptr_nonnull(change);
	chr_change_give(late->rt, change);
	both();
	miss(5 * N);
	expect_same();
	ck_assert_uint_eq(change->done, 9 * N);
	while (!atomic_load_explicit(&change->over, memory_order_acquire))
		both();
	expect_same();
	chr_change_destroy(change);
	late->rt->desc = &late->desc;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("missed");
	TCase *tcase = tcase_create("missed");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, what_has_its_own_course_is_where_it_belongs, 0, 5);
	tcase_add_loop_test(tcase, made_up_for_is_not_computed_twice, 0, 2);
	tcase_add_test(tcase, late_cycles_are_computed_one_by_one);
	tcase_add_test(tcase, a_late_cycle_bears_the_frame_that_was_due);
	tcase_add_test(tcase, what_the_server_skipped_is_not_made_up_for);
	tcase_add_test(tcase, what_others_do_not_owe_is_made_up_for);
	tcase_add_test(tcase, one_that_is_gone_does_not_count);
	tcase_add_test(tcase, a_new_member_lags_as_the_others_do);
	tcase_add_test(tcase, one_that_may_be_called_twice_is_waited_for);
	tcase_add_test(tcase, nobody_is_waited_for_for_ever);
	tcase_add_test(tcase, events_of_missed_frames_take_effect_at_their_frames);
	tcase_add_test(tcase, a_longer_absence_is_let_be);
	tcase_add_test(tcase, long_cycles_have_more_room);
	tcase_add_test(tcase, making_up_again_and_again_comes_to_an_end);
	tcase_add_test(tcase, one_after_the_other_is_made_up_for);
	tcase_add_test(tcase, frame_time_that_goes_back_is_nothing_missed);
	tcase_add_test(tcase, no_audit_of_a_missed_frame);
	tcase_add_test(tcase, missed_input_is_silent_and_control_stands_still);
	tcase_add_test(tcase, a_module_patched_to_itself_does_not_make_up);
	tcase_add_test(tcase, a_twins_state_has_nothing_to_make_up_for);
	tcase_add_test(tcase, a_twins_state_brings_its_lag_with_it);
	tcase_add_test(tcase, what_a_late_twin_owes_is_not_its_lag);
	tcase_add_test(tcase, one_that_is_not_to_join_is_in_step_with_those_that_did);
	tcase_add_test(tcase, a_change_of_code_goes_on_through_missed_frames);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
