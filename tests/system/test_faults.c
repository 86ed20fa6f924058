/* Modules die and come back: the same name, connections and values, and no trace of the dead. */
#include "tests/lib/analysis.h"
#include "tests/lib/graph.h"
#include "tests/lib/leaks.h"
#include "tests/lib/patches.h"
#include "tests/lib/recorder.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"
#include "tests/lib/tries.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 48000.0

static struct chr_rig rig;
static struct chr_recorder *rec, *watch;

static void start_voices(void)
{
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(CHR_PATCH_VOICES)), 0);
	rec = chr_recorder_create("recorder", 1, 48000);
	watch = chr_recorder_create("watch", 0, 48000);
	ck_assert(rec && watch);
}

static void stop_voices(void)
{
	chr_recorder_destroy(rec);
	chr_recorder_destroy(watch);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}

/* Kills a module's process and waits until another plays in its place. */
static void kill_and_wait(const char *module, int signal)
{
	struct chr_rig_status before, after;
	ck_assert_int_eq(chr_rig_status(&rig, &before), 0);
	const struct chr_rig_instance *old = chr_rig_find(&before, module, "a"), *new;
	ck_assert_msg(old && old->pid > 0, "no instance of %s", module);
	ck_assert_int_eq(kill(old->pid, signal), 0);
	do {
		ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
		ck_assert_int_eq(chr_rig_status(&rig, &after), 0);
		new = chr_rig_find(&after, module, "a");
		ck_assert_ptr_nonnull(new);
	} while (new->pid == old->pid);
	ck_assert_int_eq(new->restarts, old->restarts + 1);
	ck_assert_str_eq(new->client, old->client);
}

static void expect_graph(const char *expected)
{
	char *text = NULL;
	/* the status says playing when the supervisor has made the connections; the server's answer to others may trail by a cycle */
	for (int i = 0; i < 50; i++) {
		free(text);
		text = chr_graph_text(chr_recorder_client(rec), "recorder");
		if (strcmp(text, expected) == 0)
			break;
		chr_recorder_start(watch);
		chr_recorder_wait(watch, 256);
		chr_recorder_stop(watch);
	}
	ck_assert_str_eq(text, expected);
	free(text);
}

/* Records half a second. Is all of the end of it a sine of 333 Hz? */
static bool plays_as_before(void)
{
	struct chr_sine sine = {0};
	ck_assert(chr_recorder_take(rec, watch, 24000));
	size_t from, length = chr_recorder_stretch(rec, &from);
	if (length < 12000 || chr_sine_fit(chr_recorder_data(rec, 0) + from + length - 12000, 12000, RATE, &sine))
		return false;
	printf("%.6f Hz, level %.3f; the machine stalled %u times\n", sine.hz, sine.amplitude, chr_recorder_stalls(watch));
	return fabs(sine.hz - 333.0) < 0.001 && sine.amplitude > 0.2;
}

START_TEST(a_killed_module_comes_back_as_it_was)
{
	static const char *const module[] = {"osc1", "osc2", "env1", "filt1", "out"};
	char *graph = chr_graph_text(chr_recorder_client(rec), "recorder");
	chr_peer_send(&rig.peer, "/osc1/freq", "f", 333.0);
	chr_peer_send(&rig.peer, "/osc2/level", "f", 0.0);
	chr_peer_send(&rig.peer, "/filt1/cutoff", "f", 2345.0);
	chr_peer_send(&rig.peer, "/env1/gate", "i", 1);
	for (size_t i = 0; i < sizeof module / sizeof *module; i++) {
		kill_and_wait(module[i], SIGKILL);
		expect_graph(graph);
		ck_assert_double_eq(chr_peer_ask(&rig.peer, "/osc1/freq"), 333.0);
		ck_assert_double_eq(chr_peer_ask(&rig.peer, "/filt1/cutoff"), 2345.0);
		ck_assert_int_eq(chr_recorder_connect(rec, 0, "out:play_left", 2000), 0);
		struct chr_tries tries = {.what = module[i], .fair_max = 3};
		while (!plays_as_before() && chr_tries_again(&tries, watch))
			;
		ck_assert_msg(!chr_tries_refute(&tries), "not the same sound after the death of %s", module[i]);
	}
	free(graph);
}
END_TEST

START_TEST(a_module_that_crashes_comes_back)
{
	static const int signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
	char *graph = chr_graph_text(chr_recorder_client(rec), "recorder");
	for (size_t i = 0; i < 4; i++) /* a fifth within 10 s would end in quarantine */
		kill_and_wait("osc1", signals[i]);
	kill_and_wait("osc2", signals[4]);
	expect_graph(graph);
	free(graph);
}
END_TEST

START_TEST(a_stopped_module_is_replaced)
{
	char *graph = chr_graph_text(chr_recorder_client(rec), "recorder");
	kill_and_wait("env1", SIGSTOP);
	expect_graph(graph);
	free(graph);
}
END_TEST

START_TEST(a_module_that_dies_too_often_is_quarantined_until_lifted)
{
	struct chr_rig_status status;
	const struct chr_rig_instance *osc;
	struct chr_reply reply;
	for (int i = 0; i < 4; i++)
		kill_and_wait("osc2", SIGKILL);
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	kill(chr_rig_find(&status, "osc2", "a")->pid, SIGKILL);
	do {
		ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
		osc = chr_rig_find(&status, "osc2", "a");
	} while (strcmp(osc->state, "quarantined") != 0);
	ck_assert_str_eq(chr_rig_find(&status, "osc1", "a")->state, "playing");
	chr_peer_send(&rig.peer, "/chronus/restart", "s", "osc2");
	ck_assert(chr_peer_expect(&rig.peer, "/chronus/done", 2000, &reply));
	chr_reply_finish(&reply);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
}
END_TEST

static void wait_frames(size_t frames)
{
	chr_recorder_start(watch);
	chr_recorder_wait(watch, frames);
	chr_recorder_stop(watch);
}

static bool no_more_than(const struct chr_holdings *a, const struct chr_holdings *b)
{
	return a->fds <= b->fds && a->threads <= b->threads && a->children <= b->children;
}

static void widen(struct chr_holdings *most, const struct chr_holdings *now)
{
	most->fds = now->fds > most->fds ? now->fds : most->fds;
	most->threads = now->threads > most->threads ? now->threads : most->threads;
	most->children = now->children > most->children ? now->children : most->children;
}

START_TEST(twelve_deaths_leave_no_trace_in_the_supervisor)
{
	static const char *const module[] = {"osc1", "osc2", "env1", "filt1"};
	struct chr_holdings most = {0}, last = {0};
	/* what it holds while it repairs and fills the spare pool again is part of the measure */
	for (int i = 0; i < 4; i++) {
		kill_and_wait(module[i], SIGKILL);
		for (int k = 0; k < 20; k++) {
			last = chr_holdings_of(rig.child.pid);
			widen(&most, &last);
			wait_frames(1024);
		}
	}
	struct chr_holdings settled = last;
	for (int i = 0; i < 8; i++) /* three of each in all: below the quarantine */
		kill_and_wait(module[i % 4], SIGKILL);
	for (int k = 0; k < 200; k++) {
		last = chr_holdings_of(rig.child.pid);
		if (no_more_than(&last, &settled))
			break;
		wait_frames(1024);
	}
	printf("supervisor after 4 deaths: %u fds, %u threads, %u children (at most %u, %u, %u); after 12: %u, %u, %u\n",
	       settled.fds, settled.threads, settled.children, most.fds, most.threads, most.children, last.fds, last.threads,
	       last.children);
	ck_assert(no_more_than(&last, &most));
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "faults", 60);
	tcase_add_checked_fixture(tests, start_voices, stop_voices);
	tcase_add_test(tests, a_killed_module_comes_back_as_it_was);
	tcase_add_test(tests, a_module_that_crashes_comes_back);
	tcase_add_test(tests, a_stopped_module_is_replaced);
	tcase_add_test(tests, a_module_that_dies_too_often_is_quarantined_until_lifted);
	tcase_add_test(tests, twelve_deaths_leave_no_trace_in_the_supervisor);
}

int main(void)
{
	return chr_system_main("faults", fill, 0);
}
