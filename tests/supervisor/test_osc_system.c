/* The system's own space: every command, its replies and its errors. */
#include "common/clock.h"
#include "supervisor/osc_private.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/osc_bed.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct osc_bed bed;

static void setup(void)
{
	bed_open(&bed);
}

static void teardown(void)
{
	bed_close(&bed);
}

static void expect(const char *path)
{
	ck_assert_msg(bed_reply(&bed), "no %s", path);
	ck_assert_str_eq(bed.path, path);
}

static void expect_text(const char *key, const char *text)
{
	ck_assert_str_eq(bed_text(&bed, bed_key(&bed, key)), text);
}

static void expect_number(const char *key, char type, double number)
{
	int at = bed_key(&bed, key);

	ck_assert_msg(at > 0, "no key %s", key);
	ck_assert_msg(bed.types[at] == type, "%s is of type %c", key, bed.types[at]);
	ck_assert_msg(bed_number(&bed, at) == number, "%s is %g, not %g", key, bed_number(&bed, at), number);
}

/* Takes the end of a listing, which says how many messages came before it. */
static void expect_end(const char *path, int count)
{
	expect(path);
	ck_assert_str_eq(bed.types, "i");
	ck_assert_int_eq((int)bed_number(&bed, 0), count);
}

START_TEST(test_ping)
{
	bed_send(&bed, "/chronus/ping", "isdT", 7, "here", 0.5);
	expect("/chronus/pong");
	ck_assert_str_eq(bed.types, "isdT");
	ck_assert_int_eq((int)bed_number(&bed, 0), 7);
	ck_assert_str_eq(bed_text(&bed, 1), "here");
	ck_assert_double_eq(bed_number(&bed, 2), 0.5);
	bed_send(&bed, "/chronus/ping", "");
	expect("/chronus/pong");
	ck_assert_int_eq(bed.argc, 0);
}
END_TEST

/* What status has to tell: osc1 has worked and been restarted, osc2 is quarantined, drum has one lane. */
static void prepare_status(void)
{
	struct chr_slot_status *status = &bed.fake->process.slot->status;
	struct chr_instance *instance = &bed.fake->unit[UNIT_OSC1].instance[0];

	atomic_store_explicit(&status->applied, 5, memory_order_relaxed);
	atomic_store_explicit(&status->late, 2, memory_order_relaxed);
	atomic_store_explicit(&status->worst_us, 1500, memory_order_relaxed);
	atomic_store_explicit(&status->meter[0], 9, memory_order_relaxed);
	instance->load = 0.25f;
	instance->restarts = 3;
	instance->since_us = chr_monotonic_us() - 2000000;
	bed.fake->unit[UNIT_OSC2].instance[1].state = CHR_INSTANCE_QUARANTINED;
	bed.fake->unit[UNIT_DRUM].instance[1].state = CHR_INSTANCE_NONE;
	bed_send(&bed, "/osc1/freq", "f", 100.0);
}

static void expect_whole(void)
{
	expect("/chronus/status");
	expect_text("patch", "test");
	expect_text("file", "test.cfg");
	expect_text("server", "test");
	expect_text("jack", "playing");
	expect_text("timing", "steady");
	expect_number("lanes", 'i', 2);
	expect_number("rate", 'i', 48000);
	expect_number("period", 'i', 256);
	expect_number("tempo", 'd', 120);
	ck_assert_int_eq(bed.types[bed_key(&bed, "uptime")], 'd');
	ck_assert_int_gt(bed_key(&bed, "version"), 0);
}

static void expect_osc1(void)
{
	expect("/chronus/status/module");
	expect_text("name", "osc1");
	expect_text("type", "voice");
	expect_number("quarantined", 'i', 0);
	expect("/chronus/status/instance");
	expect_text("module", "osc1");
	expect_text("lane", "a");
	expect_text("client", "osc1");
	expect_text("state", "playing");
	expect_number("pid", 'i', 4711);
	expect_number("restarts", 'i', 3);
	expect_number("load", 'f', 0.25);
	expect_number("worst_ms", 'f', 1.5);
	expect_number("ports", 'i', 2);
	expect_number("applied", 'i', 5);
	expect_number("late", 'i', 2);
	expect_number("nonfinite", 'i', 0);
	expect_number("skipped", 'i', 0);
	expect_number("joins", 'i', 0);
	expect_number("meter.clips", 'i', 9);
	ck_assert_double_ge(bed_number(&bed, bed_key(&bed, "since")), 2);
	expect("/chronus/status/instance");
	expect_text("client", "osc1.b");
	expect_number("pid", 'i', 0);
}

static void expect_totals(void)
{
	expect("/chronus/status/totals");
	expect_number("received", 'h', 1);
	expect_number("applied", 'h', 5);
	expect_number("late", 'h', 2);
	expect_number("coalesced", 'h', 0);
	expect_number("errors", 'h', 0);
	expect_number("dropped", 'h', 0);
}

START_TEST(test_status)
{
	prepare_status();
	bed_send(&bed, "/chronus/status", "");
	expect_whole();
	expect("/chronus/status/module");
	expect_text("name", "out");
	expect("/chronus/status/instance");
	expect_number("played", 'i', 0);
	expect("/chronus/status/instance");
	expect_osc1();
	expect("/chronus/status/module");
	expect_number("quarantined", 'i', 1);
	expect("/chronus/status/instance");
	expect("/chronus/status/instance");
	expect_text("state", "quarantined");
	expect("/chronus/status/module");
	expect("/chronus/status/instance");
	expect_totals();
	expect_end("/chronus/status/end", 13);
}
END_TEST

START_TEST(test_status_without_a_server)
{
	bed.fake->rack.sample_rate = 0;
	bed_send(&bed, "/chronus/status", "");
	expect("/chronus/status");
	expect_text("jack", "lost");
}
END_TEST

START_TEST(test_modules)
{
	static const char *const names[FAKE_UNITS] = {"out", "osc1", "osc2", "drum"};

	bed_send(&bed, "/chronus/modules", "");
	for (unsigned i = 0; i < FAKE_UNITS; i++) {
		expect("/chronus/modules/module");
		ck_assert_str_eq(bed_text(&bed, 0), names[i]);
	}
	ck_assert_str_eq(bed_text(&bed, 1), "bell");
	expect_end("/chronus/modules/end", FAKE_UNITS);
}
END_TEST

static void expect_voice(void)
{
	expect("/chronus/describe/type");
	expect_text("name", "voice");
	expect_text("help", "a voice");
	expect_number("state_bytes", 'i', 64);
	expect("/chronus/describe/port");
	expect_text("type", "voice");
	expect_text("name", "in");
	expect_text("direction", "in");
	expect_text("signal", "pitch");
	expect_text("help", "input");
	expect("/chronus/describe/port");
	expect_text("direction", "out");
	expect("/chronus/describe/param");
	expect_text("name", "freq");
	expect_text("unit", "Hz");
	expect_text("scale", "log");
	expect_text("choices", "");
	expect_number("min", 'f', 20);
	expect_number("max", 'f', 20000);
	expect_number("initial", 'f', 440);
	expect("/chronus/describe/param");
	expect_number("smooth_ms", 'f', -1);
	expect("/chronus/describe/param");
	expect_text("scale", "toggle");
	expect("/chronus/describe/param");
	expect_text("scale", "choice");
	expect_text("choices", "lowpass|highpass|notch");
}

START_TEST(test_describe)
{
	bed_send(&bed, "/chronus/describe", "s", "voice");
	expect_voice();
	expect_end("/chronus/describe/end", 7);
	bed_send(&bed, "/chronus/describe", "s", "osc2");
	expect_voice();
	expect_end("/chronus/describe/end", 7);
	bed_send(&bed, "/chronus/describe", "");
	expect_voice();
	bed_expect_error(&bed, "/chronus/describe", "another ABI");
	expect("/chronus/describe/type");
	expect("/chronus/describe/param");
	expect_end("/chronus/describe/end", 10);
	bed_send(&bed, "/chronus/describe", "s", "../../etc/passwd");
	bed_expect_error(&bed, "/chronus/describe", "no such module type");
	bed_send(&bed, "/chronus/describe", "s", "broken");
	bed_expect_error(&bed, "/chronus/describe", "another ABI");
}
END_TEST

START_TEST(test_restart_and_quit)
{
	bed_send(&bed, "/chronus/restart", "s", "osc1");
	expect("/chronus/done");
	ck_assert_str_eq(bed_text(&bed, 0), "/chronus/restart");
	ck_assert_str_eq(bed_text(&bed, 1), "osc1");
	ck_assert_uint_eq(bed.restarts, 1);
	bed_send(&bed, "/chronus/restart", "s", "osc9");
	bed_expect_error(&bed, "/chronus/restart", "no module osc9");
	bed_send(&bed, "/chronus/restart", "s", "osc2");
	bed_expect_error(&bed, "/chronus/restart", "busy");
	ck_assert_uint_eq(bed.restarts, 1);
	bed_send(&bed, "/chronus/quit", "");
	expect("/chronus/done");
	ck_assert_str_eq(bed_text(&bed, 0), "/chronus/quit");
	ck_assert_uint_eq(bed.quits, 1);
}
END_TEST

START_TEST(test_wrong_calls)
{
	static const struct {
		const char *address, *types, *reason;
	} cases[] = {
		{"/chronus/nonsense", "", "no such command"}, {"/chronus/", "", "no such command"},
		{"/chronus/status/x", "", "no such command"}, {"/chronus/sta*", "", "no such command"},
		{"/chronus/status", "i", "no arguments"},     {"/chronus/restart", "", "MODULE"},
		{"/chronus/swap", "", "MODULE [FILE]"},       {"/chronus/swap", "i", "MODULE [FILE]"},
		{"/chronus/restart", "i", "MODULE"},          {"/chronus/quit", "i", "no arguments"},
		{"/chronus/describe", "i", "TYPE"},           {"/chronus/subscribe", "T", "seconds"},
		{"/chronus/subscribe", "ii", "seconds"},      {"/chronus", "", "form /module/param"},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		bed_send(&bed, cases[i].address, cases[i].types, 1, 1);
		bed_expect_error(&bed, cases[i].address, cases[i].reason);
	}
	ck_assert_uint_eq(bed.fake->rack.totals.errors, sizeof cases / sizeof *cases);
	ck_assert_uint_eq(bed.quits, 0);
	bed.fake->rack.sample_rate = 0;
	bed_send(&bed, "/chronus/clock", "");
	bed_expect_error(&bed, "/chronus/clock", "no JACK server");
}
END_TEST

START_TEST(test_help_lists_what_works)
{
	unsigned count = 0;

	bed_send(&bed, "/chronus/help", "");
	while (bed_reply(&bed) && strcmp(bed.path, "/chronus/help/command") == 0) {
		ck_assert_int_ne(bed_text(&bed, bed_key(&bed, "help"))[0], 0);
		count++;
	}
	ck_assert_str_eq(bed.path, "/chronus/help/end");
	ck_assert_uint_eq(count, 19);
}
END_TEST

START_TEST(test_subscribe)
{
	bed_send(&bed, "/chronus/subscribe", "");
	expect("/chronus/subscribed");
	ck_assert_int_eq((int)bed_number(&bed, 0), 60);
	/* Told once per change, by whomever; in one packet only the last value. */
	bed_send(&bed, "/osc1/freq", "f", 100.0);
	expect("/osc1/freq");
	ck_assert_double_eq(bed_number(&bed, 0), 100);
	unsigned char data[256], *at = bed_bundle(data, 1);
	at = bed_element(at, "/osc1/freq", 200);
	at = bed_element(at, "/osc1/freq", 300);
	at = bed_element(at, "/osc1/mode", 2);
	bed_send_raw(&bed, data, (size_t)(at - data));
	expect("/osc1/freq");
	ck_assert_double_eq(bed_number(&bed, 0), 300);
	expect("/osc1/mode");
	ck_assert_str_eq(bed_text(&bed, 0), "notch");
	chr_osc_tell_state(bed.osc, &bed.fake->unit[UNIT_OSC2], &bed.fake->unit[UNIT_OSC2].instance[1]);
	expect("/chronus/state");
	ck_assert_str_eq(bed_text(&bed, 0), "osc2");
	ck_assert_str_eq(bed_text(&bed, 1), "b");
	ck_assert_str_eq(bed_text(&bed, 2), "playing");
	/* A refused value is not told. */
	bed_send(&bed, "/osc1/freq", "f", 1.0);
	bed_expect_error(&bed, "/osc1/freq", "outside");
	bed_send(&bed, "/chronus/unsubscribe", "");
	expect("/chronus/done");
	bed_send(&bed, "/osc1/freq", "f", 400.0);
	ck_assert(bed_silent(&bed));
	bed_send(&bed, "/chronus/unsubscribe", "");
	bed_expect_error(&bed, "/chronus/unsubscribe", "not subscribed");
}
END_TEST

START_TEST(test_subscribe_scheduled)
{
	struct chr_rack *rack = &bed.fake->rack;
	uint32_t now = bed.host.frame_now(&bed);

	bed_send(&bed, "/chronus/subscribe", "i", 10);
	expect("/chronus/subscribed");
	chr_rack_set(rack, rack->unit[UNIT_OSC1], VOICE_FREQ, 700, 0, now + 48000, now);
	ck_assert(bed_silent(&bed));
	chr_rack_deliver(rack, now + 48000);
	expect("/osc1/freq");
	ck_assert_double_eq(bed_number(&bed, 0), 700);
}
END_TEST

START_TEST(test_lease_ends)
{
	bed_send(&bed, "/chronus/subscribe", "i", 1);
	expect("/chronus/subscribed");
	bed.osc->lease[0].until_us = chr_monotonic_us();
	bed_send(&bed, "/osc1/freq", "f", 100.0);
	ck_assert(bed_silent(&bed));
	ck_assert_uint_eq(bed.osc->leases, 0);
}
END_TEST

START_TEST(test_subscribers_have_room)
{
	int own = bed.client, other[32];

	bed_send(&bed, "/chronus/subscribe", "i", 0);
	bed_expect_error(&bed, "/chronus/subscribe", "seconds");
	bed_send(&bed, "/chronus/subscribe", "i", 86401);
	bed_expect_error(&bed, "/chronus/subscribe", "seconds");
	for (unsigned i = 0; i < 32; i++) {
		bed.client = other[i] = bed_client(&bed);
		bed_send(&bed, "/chronus/subscribe", "i", 60);
		expect("/chronus/subscribed");
	}
	bed.client = own;
	bed_send(&bed, "/chronus/subscribe", "i", 60);
	bed_expect_error(&bed, "/chronus/subscribe", "no room");
	/* Renewing takes no new place; one who leaves makes room. */
	bed.client = other[31];
	bed_send(&bed, "/chronus/subscribe", "i", 60);
	expect("/chronus/subscribed");
	bed_send(&bed, "/chronus/unsubscribe", "");
	expect("/chronus/done");
	bed.client = own;
	bed_send(&bed, "/chronus/subscribe", "i", 60);
	expect("/chronus/subscribed");
	for (unsigned i = 0; i < 32; i++)
		close(other[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("osc_system");
	TCase *tcase = tcase_create("osc_system");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_ping);
	tcase_add_test(tcase, test_status);
	tcase_add_test(tcase, test_status_without_a_server);
	tcase_add_test(tcase, test_modules);
	tcase_add_test(tcase, test_describe);
	tcase_add_test(tcase, test_restart_and_quit);
	tcase_add_test(tcase, test_wrong_calls);
	tcase_add_test(tcase, test_help_lists_what_works);
	tcase_add_test(tcase, test_subscribe);
	tcase_add_test(tcase, test_subscribe_scheduled);
	tcase_add_test(tcase, test_lease_ends);
	tcase_add_test(tcase, test_subscribers_have_room);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
