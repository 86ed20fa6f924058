/* OSC against a running Chronus: values, answers, errors, and when and whether events arrive. */
#include "tests/lib/analysis.h"
#include "tests/lib/patches.h"
#include "tests/lib/recorder.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"
#include "tests/lib/tries.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RATE 48000.0

static struct chr_rig rig;
static struct chr_recorder *rec, *watch;

static void start_voices(void)
{
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(CHR_PATCH_VOICES)), 0);
}

static void stop_voices(void)
{
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}

START_TEST(a_value_set_is_the_value_told)
{
	chr_peer_send(&rig.peer, "/osc1/freq", "f", 330.5);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/osc1/freq"), 330.5);
	chr_peer_send(&rig.peer, "/osc1/freq", "i", 331);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/osc1/freq"), 331.0);
	chr_peer_send(&rig.peer, "/osc1/freq", "dd", 332.25, 10.0);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/osc1/freq"), 332.25);
	chr_peer_send(&rig.peer, "/env1/gate", "T");
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/env1/gate"), 1.0);
	struct chr_reply reply;
	chr_peer_send(&rig.peer, "/filt1/mode", "s", "highpass");
	chr_peer_send(&rig.peer, "/filt1/mode", "");
	ck_assert(chr_peer_expect(&rig.peer, "/filt1/mode", 2000, &reply));
	ck_assert_str_eq(chr_reply_string(&reply, 0), "highpass");
	chr_reply_finish(&reply);
}
END_TEST

START_TEST(patterns_set_and_ask_every_match)
{
	struct chr_reply reply;
	unsigned seen = 0;
	chr_peer_send(&rig.peer, "/osc*/freq", "f", 500.0);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/osc1/freq"), 500.0);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/osc2/freq"), 500.0);
	chr_peer_send(&rig.peer, "/osc[12]/{freq,level}", "");
	for (int i = 0; i < 4; i++) {
		ck_assert(chr_peer_receive(&rig.peer, 2000, &reply));
		seen |= strcmp(reply.path, "/osc1/freq") == 0 ? 1u : 0u;
		seen |= strcmp(reply.path, "/osc1/level") == 0 ? 2u : 0u;
		seen |= strcmp(reply.path, "/osc2/freq") == 0 ? 4u : 0u;
		seen |= strcmp(reply.path, "/osc2/level") == 0 ? 8u : 0u;
		chr_reply_finish(&reply);
	}
	ck_assert_uint_eq(seen, 15);
}
END_TEST

static void expect_error(const char *path)
{
	struct chr_reply reply;
	ck_assert_msg(chr_peer_expect(&rig.peer, "/chronus/error", 2000, &reply), "no error for %s", path);
	ck_assert_str_eq(chr_reply_string(&reply, 0), path);
	ck_assert_str_ne(chr_reply_string(&reply, 1), "");
	chr_reply_finish(&reply);
}

START_TEST(errors_are_told_and_change_nothing)
{
	chr_peer_send(&rig.peer, "/nobody/freq", "f", 1.0);
	expect_error("/nobody/freq");
	chr_peer_send(&rig.peer, "/osc1/nothing", "f", 1.0);
	expect_error("/osc1/nothing");
	chr_peer_send(&rig.peer, "/osc1/freq", "s", "loud");
	expect_error("/osc1/freq");
	chr_peer_send(&rig.peer, "/osc1/freq", "f", -5.0);
	expect_error("/osc1/freq");
	chr_peer_send(&rig.peer, "/osc1/freq", "f", (double)NAN);
	expect_error("/osc1/freq");
	chr_peer_send(&rig.peer, "/osc1/freq", "fff", 1.0, 2.0, 3.0);
	expect_error("/osc1/freq");
	chr_peer_send(&rig.peer, "/filt1/mode", "s", "sideways");
	expect_error("/filt1/mode");
	chr_peer_send(&rig.peer, "/zz*/freq", "f", 100.0);
	expect_error("/zz*/freq");
	chr_peer_send(&rig.peer, "/chronus/nonsense", "");
	expect_error("/chronus/nonsense");
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/osc1/freq"), 220.0);
	struct chr_rig_status status;
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	ck_assert_double_eq(status.errors, 9.0);
	ck_assert_double_eq(status.received, 0.0);
}
END_TEST

START_TEST(torn_datagrams_do_no_harm)
{
	static const char bundle[] = "#bundle\0\0\0\0\0\0\0\0\1\0\0\0\x7f/osc1/freq";
	chr_peer_send_raw(&rig.peer, "/osc1/freq", 10);
	chr_peer_send_raw(&rig.peer, "/osc1/freq\0\0,f\0\0\1\2", 18);
	chr_peer_send_raw(&rig.peer, bundle, sizeof bundle);
	chr_peer_send_raw(&rig.peer, "", 0);
	ck_assert(chr_peer_barrier(&rig.peer, 2000));
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/osc1/freq"), 220.0);
}
END_TEST

START_TEST(subscribers_hear_of_changes)
{
	struct chr_peer other;
	struct chr_reply reply;
	ck_assert_int_eq(chr_peer_open(&other, rig.port), 0);
	chr_peer_send(&other, "/chronus/subscribe", "i", 10);
	ck_assert(chr_peer_expect(&other, "/chronus/subscribed", 2000, &reply));
	chr_reply_finish(&reply);
	chr_peer_send(&rig.peer, "/osc2/freq", "f", 777.0);
	ck_assert(chr_peer_expect(&other, "/osc2/freq", 2000, &reply));
	ck_assert_double_eq(chr_reply_number(&reply, 0), 777.0);
	chr_reply_finish(&reply);
	chr_peer_close(&other);
}
END_TEST

/* ---- when events arrive ---- */

#define GATES      100
#define GATE_GAP   1920 /* frames from one opening to the next */
#define GATE_LEN   720
#define JITTER_MAX (0.05e-3 * RATE) /* frames, standard deviation */
#define ONSET      1                /* frames from the opening of the gate to the first sample of the envelope that is not zero */

static void open_recorders(double seconds)
{
	rec = chr_recorder_create("recorder", 1, (size_t)(seconds * RATE));
	watch = chr_recorder_create("watch", 0, (size_t)(seconds * RATE));
	ck_assert(rec && watch);
	ck_assert_int_eq(chr_recorder_connect(rec, 0, "env1:env", 2000), 0);
}

static void close_recorders(void)
{
	chr_recorder_stop(rec);
	chr_recorder_stop(watch);
	chr_recorder_destroy(rec);
	chr_recorder_destroy(watch);
}

/* Frame of the first sample of the envelope that follows `sent` and is not zero, as an offset to `sent`; NAN when it is not in the data. */
static double onset_after(jack_nframes_t sent)
{
	long long at = chr_recorder_place(rec, sent);
	size_t frames = chr_recorder_frames(rec);
	if (at < 0)
		return NAN;
	size_t onset = chr_onset(chr_recorder_data(rec, 0), frames, (size_t)at, 0.0f);
	return onset < frames ? (double)(onset - (size_t)at) : NAN;
}

/* Waits on JACK's own clock: an event of the recorder's callback would tie every sending to the start of a cycle. */
static jack_nframes_t wait_frame(jack_nframes_t frame)
{
	jack_client_t *client = chr_recorder_client(rec);
	for (;;) {
		jack_nframes_t now = jack_frame_time(client);
		int left = (int)(frame - now);
		if (left <= 0)
			return now;
		struct timespec most = {.tv_nsec = left * 20000L - 300000};
		if (most.tv_nsec > 0)
			nanosleep(&most, NULL);
	}
}

/* The moment of sending must be known to a frame: nothing but JACK and the control thread may come between. */
static void be_punctual(void)
{
	struct sched_param priority = {.sched_priority = 40};
	pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
}

/* What a moment of the machine's stalling does not touch: the recording around an event is whole for everybody. */
static bool undisturbed(jack_nframes_t frame)
{
	jack_nframes_t from = frame - 512, to = frame + 1024;
	return chr_recorder_whole(rec, from, to) && chr_recorder_whole(watch, from, to);
}

static int compare_frames(const void *x, const void *y)
{
	jack_nframes_t a = *(const jack_nframes_t *)x, b = *(const jack_nframes_t *)y;
	return a < b ? -1 : a > b;
}

/* Those that were sent about as fast as most: how fast that is, is the machine's. */
static void judge_sending(const jack_nframes_t took[GATES], bool punctual[GATES])
{
	jack_nframes_t sorted[GATES];
	memcpy(sorted, took, sizeof sorted);
	qsort(sorted, GATES, sizeof sorted[0], compare_frames);
	for (int i = 0; i < GATES; i++)
		punctual[i] = took[i] <= sorted[GATES / 2] + 2;
}

static void send_gates(jack_nframes_t sent[GATES], bool punctual[GATES])
{
	jack_nframes_t took[GATES];
	jack_client_t *client = chr_recorder_client(rec);
	jack_nframes_t next = jack_frame_time(client) + 4800;
	for (int i = 0; i < GATES; i++) {
		/* the phase within a period is random */
		wait_frame(next + (jack_nframes_t)(rand() % 256));
		sent[i] = jack_frame_time(client);
		chr_peer_send(&rig.peer, "/env1/gate", "i", 1);
		took[i] = jack_frame_time(client) - sent[i];
		wait_frame(sent[i] + GATE_LEN);
		chr_peer_send(&rig.peer, "/env1/gate", "i", 0);
		next += GATE_GAP;
	}
	wait_frame(next + 4800);
	judge_sending(took, punctual);
}

START_TEST(untimetagged_events_arrive_without_jitter)
{
	double delay[GATES], mean = 0.0, spread = INFINITY;
	jack_nframes_t sent[GATES];
	bool punctual[GATES];
	open_recorders(GATES * GATE_GAP / RATE + 2.0);
	be_punctual();
	srand(1);
	/* A stall spoils all of a try: after an xrun JACK's own frame time takes a while to settle. What is late by design spoils those that it
	 * does not stall in, too. */
	struct chr_tries tries = {.what = "untimetagged onsets", .fair_max = 4};
	do {
		chr_recorder_start(watch);
		chr_recorder_start(rec);
		send_gates(sent, punctual);
		chr_recorder_stop(rec);
		chr_recorder_stop(watch);
		size_t count = 0;
		for (int i = 0; i < GATES; i++)
			if (punctual[i] && undisturbed(sent[i]))
				delay[count++] = onset_after(sent[i]);
		double sd = chr_deviation(delay, count, &mean);
		spread = count >= GATES / 4 ? chr_spread(delay, count) : INFINITY;
		printf("untimetagged onsets: %zu of %d judged, delay %.1f frames, sd %.2f frames (%.4f ms), spread of the middle "
		       "half %.2f\n",
		       count, GATES, mean, sd, sd / RATE * 1000.0, spread);
	} while (spread > JITTER_MAX && chr_tries_again(&tries, watch));
	ck_assert_msg(!chr_tries_refute(&tries), "the spread is %.2f frames, at most %.2f expected", spread, JITTER_MAX);
	close_recorders();
}
END_TEST

#define TAGS 20

/* A point of the map that Chronus goes by: this frame begins at this timetag. */
struct point {
	jack_nframes_t frame;
	uint64_t tag;
};

static struct point ask_clock(void)
{
	struct chr_reply reply;
	chr_peer_send(&rig.peer, "/chronus/clock", "");
	ck_assert(chr_peer_expect(&rig.peer, "/chronus/clock", 2000, &reply));
	struct point point = {.frame = (jack_nframes_t)chr_reply_number(&reply, chr_reply_key(&reply, "frame")),
			      .tag = chr_reply_timetag(&reply, chr_reply_key(&reply, "timetag"))};
	ck_assert(point.tag != 0);
	chr_reply_finish(&reply);
	return point;
}

static void send_gate_at(const struct point *origin, jack_nframes_t frame, int gate)
{
	uint64_t tag = origin->tag + (uint64_t)llround(ldexp((frame - origin->frame) / RATE, 32));
	lo_timetag when = {.sec = (uint32_t)(tag >> 32), .frac = (uint32_t)tag};
	chr_peer_send_at(&rig.peer, when, "/env1/gate", "i", gate);
}

/* Sends all gates ahead of their time. False when the map moved by a frame meanwhile, as it may every now and then. */
static bool send_tagged_gates(jack_nframes_t frame[TAGS])
{
	struct point origin = ask_clock();
	for (int i = 0; i < TAGS; i++) {
		frame[i] = origin.frame + 4800 + (jack_nframes_t)(i * GATE_GAP + rand() % 700);
		send_gate_at(&origin, frame[i], 1);
		send_gate_at(&origin, frame[i] + GATE_LEN, 0);
	}
	struct point after = ask_clock();
	double moved = (after.frame - origin.frame) - ldexp((double)(after.tag - origin.tag), -32) * RATE;
	return fabs(moved) < 0.5;
}

START_TEST(timetags_are_exact_to_the_frame)
{
	jack_nframes_t frame[TAGS];
	int judged = 0;
	open_recorders(TAGS * GATE_GAP / RATE + 2.0);
	srand(2);
	for (int attempt = 0; attempt < 5 && judged < TAGS / 2; attempt++) {
		chr_recorder_start(watch);
		chr_recorder_start(rec);
		bool steady = send_tagged_gates(frame);
		ck_assert(chr_recorder_wait(rec, (size_t)(TAGS * GATE_GAP + RATE / 2)));
		chr_recorder_stop(rec);
		chr_recorder_stop(watch);
		judged = 0;
		for (int i = 0; i < TAGS && steady; i++) {
			if (!undisturbed(frame[i]))
				continue;
			judged++;
			ck_assert_msg(onset_after(frame[i] - 100) == 100.0 + ONSET, "event %d is %+g frames off", i,
				      onset_after(frame[i] - 100) - 100.0 - ONSET);
		}
	}
	ck_assert_msg(judged >= TAGS / 2, "the machine never held still");
	close_recorders();
}
END_TEST

/* ---- whether they arrive ---- */

/* Is what is recorded now a sine of that frequency? */
static bool sounds(double hz)
{
	struct chr_sine sine;
	ck_assert(chr_recorder_take(rec, watch, 12000));
	size_t from, length = chr_recorder_stretch(rec, &from);
	if (length < 2400 || chr_sine_fit(chr_recorder_data(rec, 0) + from, length, RATE, &sine))
		return false;
	printf("%.6f Hz in %zu frames, %.6f expected\n", sine.hz, length, hz);
	return fabs(sine.hz - hz) < 0.001;
}

START_TEST(a_burst_loses_nothing_that_counts)
{
	enum { MESSAGES = 50000, GATES_SENT = MESSAGES / 5 };
	struct chr_rig_status status;
	for (int i = 0; i < MESSAGES; i++) {
		if (i % 5 == 0)
			chr_peer_send(&rig.peer, "/env1/gate", "i", i / 5 % 2 ? 0 : 1);
		else if (i % 5 == 4)
			chr_peer_send(&rig.peer, "/filt1/cutoff", "f", 100.0 + i * 0.01);
		else
			chr_peer_send(&rig.peer, i % 5 == 1 ? "/osc1/freq" : "/osc2/freq", "f", 100.0 + i * 0.01);
	}
	ck_assert(chr_peer_barrier(&rig.peer, 20000));
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	printf("burst: %d sent, received %.0f, coalesced %.0f, dropped by the kernel %.0f, applied %.0f, late %.0f\n", MESSAGES,
	       status.received, status.coalesced, status.dropped, status.applied, status.late);
	ck_assert_double_eq(status.received, MESSAGES);
	ck_assert_double_eq(status.dropped, 0.0);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/osc1/freq"), (float)(100.0 + 49996 * 0.01));
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/osc2/freq"), (float)(100.0 + 49998 * 0.01));
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/filt1/cutoff"), (float)(100.0 + 49999 * 0.01));
	/* everything accepted is applied by the audio threads or was replaced by a newer value, after some cycles */
	open_recorders(1.0);
	for (int i = 0; i < 200 && status.applied + status.coalesced < MESSAGES; i++) {
		chr_recorder_start(watch);
		chr_recorder_wait(watch, 1024);
		chr_recorder_stop(watch);
		ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	}
	ck_assert_double_eq(status.applied + status.coalesced, MESSAGES);
	ck_assert_double_eq(chr_rig_find(&status, "env1", "a")->applied, (double)GATES_SENT); /* every gate */
	/* what sounds is the last value */
	jack_disconnect(chr_recorder_client(rec), "env1:env", "recorder:in_1");
	ck_assert_int_eq(chr_recorder_connect(rec, 0, "osc1:out", 2000), 0);
	struct chr_tries tries = {.what = "osc1 after the burst", .fair_max = 3};
	while (!sounds(100.0 + 49996 * 0.01) && chr_tries_again(&tries, watch))
		;
	ck_assert(!chr_tries_refute(&tries));
	close_recorders();
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "osc", 120);
	tcase_add_checked_fixture(tests, start_voices, stop_voices);
	tcase_add_test(tests, a_value_set_is_the_value_told);
	tcase_add_test(tests, patterns_set_and_ask_every_match);
	tcase_add_test(tests, errors_are_told_and_change_nothing);
	tcase_add_test(tests, torn_datagrams_do_no_harm);
	tcase_add_test(tests, subscribers_hear_of_changes);
	if (!CHR_SYSTEM_SANITIZED)
		tcase_add_test(tests, untimetagged_events_arrive_without_jitter);
	tcase_add_test(tests, timetags_are_exact_to_the_frame);
	tcase_add_test(tests, a_burst_loses_nothing_that_counts);
}

int main(void)
{
	return chr_system_main("osc", fill, 0);
}
