/* Packets: times, bundles in bundles, and datagrams that are none. */
#include "supervisor/osc_private.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/osc_bed.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct osc_bed bed;
static struct chr_unit *osc1;
static uint32_t frame0;
static uint64_t timetag0;

/* A point of the map, as a client learns it. */
static void setup(void)
{
	bed_open(&bed);
	osc1 = &bed.fake->unit[UNIT_OSC1];
	bed_send(&bed, "/chronus/clock", "");
	ck_assert(bed_reply(&bed));
	ck_assert_str_eq(bed.path, "/chronus/clock");
	ck_assert_int_eq((int)bed_number(&bed, bed_key(&bed, "rate")), 48000);
	frame0 = (uint32_t)(int64_t)bed_number(&bed, bed_key(&bed, "frame"));
	lo_timetag tag;
	memcpy(&tag, bed.argv[bed_key(&bed, "timetag")], sizeof tag);
	timetag0 = (uint64_t)tag.sec << 32 | tag.frac;
}

static void teardown(void)
{
	bed_close(&bed);
}

/* The timetag `frames` after the point, worked out as a client does. */
static uint64_t tag_at(int64_t frames)
{
	return timetag0 + (uint64_t)(int64_t)((double)frames / 48000 * 4294967296.0);
}

static void send_until(const unsigned char *start, const unsigned char *end)
{
	bed_send_raw(&bed, start, (size_t)(end - start));
}

static unsigned take(struct chr_event *event, unsigned most)
{
	unsigned n = 0;

	while (n < most && fake_rack_next(bed.fake, UNIT_OSC1, 0, &event[n]))
		n++;
	return n;
}

START_TEST(test_timetags_are_exact)
{
	unsigned char data[65536], *at = data;
	unsigned count = 900;

	/* The map of the test's JACK is exact but for the rounding of a microsecond: one frame. */
	ck_assert_int_le(abs(chr_frames_diff(frame0, bed.host.frame_now(&bed))), 480);
	at = bed_bundle(at, CHR_OSC_IMMEDIATELY);
	for (unsigned i = 0; i < count; i++) {
		unsigned char *element = at + 4, *end = bed_bundle(element, tag_at(4800 + (int64_t)i * 101));

		end = bed_element(end, "/osc1/level", (float)i / 1000);
		uint32_t size = htonl((uint32_t)(end - element));
		memcpy(at, &size, 4);
		at = end;
	}
	send_until(data, at);
	ck_assert_uint_eq(bed.fake->rack.schedule.count, count);
	for (unsigned i = 0; i < count; i++) {
		struct chr_scheduled due;

		ck_assert(chr_schedule_take(&bed.fake->rack.schedule, frame0 + 48000 * 60, &due));
		ck_assert_uint_eq(due.event.frame, frame0 + 4800 + i * 101);
		ck_assert_float_eq(due.event.value, (float)i / 1000);
	}
	ck_assert(bed_silent(&bed));
}
END_TEST

START_TEST(test_steady_delay)
{
	struct chr_event e;
	uint32_t before = bed.host.frame_now(&bed);

	bed_send(&bed, "/osc1/freq", "f", 100.0);
	uint32_t after = bed.host.frame_now(&bed);
	ck_assert_uint_eq(take(&e, 1), 1);
	ck_assert_int_ge(chr_frames_diff(e.frame, before), 256 + 48 - 3);
	ck_assert_int_le(chr_frames_diff(e.frame, after), 256 + 48 + 3);
	/* An immediate bundle is like none. */
	unsigned char data[256];
	before = bed.host.frame_now(&bed);
	send_until(data, bed_element(bed_bundle(data, CHR_OSC_IMMEDIATELY), "/osc1/freq", 100));
	after = bed.host.frame_now(&bed);
	ck_assert_uint_eq(take(&e, 1), 1);
	ck_assert_int_ge(chr_frames_diff(e.frame, before), 256 + 48 - 3);
	ck_assert_int_le(chr_frames_diff(e.frame, after), 256 + 48 + 3);
}
END_TEST

/* JACK's time has gone back, and the map of it does not know yet. */
START_TEST(test_steady_delay_while_jacks_time_jumps)
{
	struct chr_event e;

	bed_send(&bed, "/osc1/freq", "f", 100.0);
	ck_assert_uint_eq(take(&e, 1), 1);
	bed.start_ns += 500000000;
	uint32_t before = bed.host.frame_now(&bed);
	bed_send(&bed, "/osc1/freq", "f", 200.0);
	ck_assert_uint_eq(take(&e, 1), 1);
	ck_assert_int_ge(chr_frames_diff(e.frame, before), 256 + 48);
	ck_assert_int_le(chr_frames_diff(e.frame, bed.host.frame_now(&bed)), 256 + 48);
}
END_TEST

START_TEST(test_soonest_is_a_block_start)
{
	struct chr_event e;

	bed.fake->patch.timing = CHR_TIMING_SOONEST;
	for (uint32_t cycle = 0; cycle < 512; cycle += 16) {
		uint32_t now = bed.host.frame_now(&bed);

		bed.cycle = now - cycle;
		bed_send(&bed, "/osc1/freq", "f", 100.0);
		ck_assert_uint_eq(take(&e, 1), 1);
		ck_assert_uint_eq((e.frame - bed.cycle) % 256, 0);
		ck_assert_int_ge(chr_frames_diff(e.frame, now), 12);
		ck_assert_int_le(chr_frames_diff(e.frame, bed.host.frame_now(&bed)), 12 + 256);
	}
}
END_TEST

START_TEST(test_late_is_delivered)
{
	unsigned char data[256];
	struct chr_event e;

	send_until(data, bed_element(bed_bundle(data, tag_at(-4800)), "/osc1/freq", 100));
	ck_assert_uint_eq(take(&e, 1), 1);
	ck_assert_uint_eq(e.frame, frame0 - 4800);
	/* A year ago is a moment ago: frames wrap after a day. */
	send_until(data, bed_element(bed_bundle(data, timetag0 - (UINT64_C(31536000) << 32)), "/osc1/freq", 100));
	ck_assert_uint_eq(take(&e, 1), 1);
	ck_assert_int_lt(chr_frames_diff(e.frame, frame0), -40000);
	ck_assert_int_gt(chr_frames_diff(e.frame, frame0), -60000);
	ck_assert(bed_silent(&bed));
}
END_TEST

START_TEST(test_far_future)
{
	unsigned char data[256];

	send_until(data, bed_element(bed_bundle(data, timetag0 + (UINT64_C(3599) << 32)), "/osc1/freq", 100));
	ck_assert_uint_eq(bed.fake->rack.schedule.count, 1);
	send_until(data, bed_element(bed_bundle(data, timetag0 + (UINT64_C(3602) << 32)), "/osc1/freq", 100));
	bed_expect_error(&bed, "(packet)", "hour");
	send_until(data, bed_element(bed_bundle(data, 2), "/osc1/freq", 100));
	ck_assert(bed_reply(&bed));
	ck_assert_uint_eq(bed.fake->rack.schedule.count, 1);
}
END_TEST

/* Bundles around one message: `depth` of them, the innermost with `inner` as its time, the others with `outer`. */
static unsigned char *nest(unsigned char *data, unsigned depth, uint64_t outer, uint64_t inner)
{
	unsigned char *start[16], *at = data;

	for (unsigned i = 0; i < depth; i++) {
		start[i] = at;
		at = bed_bundle(at, i + 1 < depth ? outer : inner) + (i + 1 < depth ? 4 : 0);
	}
	at = bed_element(at, "/osc1/freq", 100);
	for (unsigned i = 1; i < depth; i++) {
		uint32_t size = htonl((uint32_t)(at - start[i]));

		memcpy(start[i] - 4, &size, 4);
	}
	return at;
}

START_TEST(test_nested)
{
	unsigned char data[1024];
	struct chr_event e;

	send_until(data, nest(data, 8, CHR_OSC_IMMEDIATELY, CHR_OSC_IMMEDIATELY));
	ck_assert_uint_eq(take(&e, 1), 1);
	send_until(data, nest(data, 9, CHR_OSC_IMMEDIATELY, CHR_OSC_IMMEDIATELY));
	bed_expect_error(&bed, "(packet)", "nested");
	/* Immediate inside timed is at the outer time; earlier than the outer is an error. */
	send_until(data, nest(data, 2, tag_at(480), CHR_OSC_IMMEDIATELY));
	ck_assert_uint_eq(take(&e, 1), 1);
	ck_assert_uint_eq(e.frame, frame0 + 480);
	send_until(data, nest(data, 2, tag_at(480), tag_at(500)));
	ck_assert_uint_eq(take(&e, 1), 1);
	ck_assert_uint_eq(e.frame, frame0 + 500);
	send_until(data, nest(data, 2, tag_at(480), tag_at(400)));
	bed_expect_error(&bed, "(packet)", "earlier");
	ck_assert_uint_eq(take(&e, 1), 0);
}
END_TEST

/* A broken element anywhere in a bundle: nothing of it is carried out. */
START_TEST(test_bundle_is_checked_first)
{
	unsigned char data[1024], *at = bed_bundle(data, CHR_OSC_IMMEDIATELY);
	struct chr_event e;

	at = bed_element(at, "/osc1/freq", 100);
	unsigned char *last = at;
	at = bed_element(at, "/osc1/level", 1);
	for (uint32_t size = 0; size < 64; size++) {
		uint32_t wrong = htonl(size == 20 ? UINT32_MAX : size);

		memcpy(last, &wrong, 4);
		send_until(data, at);
		bed_expect_error(&bed, "(packet)", "");
		ck_assert_uint_eq(take(&e, 1), 0);
	}
}
END_TEST

START_TEST(test_truncated)
{
	unsigned char data[256];
	struct chr_event e;

	memset(data, 0, sizeof data);
	unsigned char *end = bed_element(data, "/osc1/freq", 100);
	for (const unsigned char *cut = data + 4; cut < end; cut++) {
		uint64_t errors = bed.fake->rack.totals.errors;

		send_until(data + 4, cut);
		ck_assert_uint_eq(bed.fake->rack.totals.errors, errors + 1);
		ck_assert(bed_reply(&bed));
		ck_assert_str_eq(bed.path, "/chronus/error");
	}
	ck_assert_uint_eq(take(&e, 1), 0);
	send_until(data + 4, end);
	ck_assert_uint_eq(take(&e, 1), 1);
}
END_TEST

START_TEST(test_malformed)
{
	static const struct {
		const char *data;
		size_t bytes;
		const char *address, *reason;
	} cases[] = {
		{"osc1", 4, "(packet)", "not an OSC address"},
		{"/a b\0\0\0\0,\0\0\0", 12, "(packet)", "not an OSC address"},
		{"/a#b\0\0\0\0,\0\0\0", 12, "(packet)", "not an OSC address"},
		{"/a\0x,\0\0\0", 8, "(packet)", "not an OSC address"},
		{"/abc", 4, "(packet)", "not an OSC address"},
		{"/a\0\0", 4, "/a", "no type tags"},
		{"/a\0\0f\0\0\0", 8, "/a", "no type tags"},
		{"/a\0\0,fff", 8, "/a", "do not end"},
		{"/a\0\0,[]\0", 8, "/a", "unknown type"},
		{"/a\0\0,f\0\0", 8, "/a", "not whole"},
		{"/a\0\0,\0\0\0\0\0\0\0", 12, "/a", "after the last"},
		{"/a\0\0,s\0\0abcd", 12, "/a", "not whole"},
		{"/a\0\0,b\0\0\0\0\0\5abcd", 16, "/a", "not whole"},
		{"/a\0\0,b\0\0\xff\xff\xff\xff"
		 "abcd",
		 16, "/a", "not whole"},
		{"#bundle", 8, "(packet)", "not an OSC address"},
	};

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		bed_send_raw(&bed, cases[i].data, cases[i].bytes);
		bed_expect_error(&bed, cases[i].address, cases[i].reason);
	}
	ck_assert_uint_eq(bed.fake->rack.totals.errors, sizeof cases / sizeof *cases);
}
END_TEST

/* A flood of garbage is counted, and answered for a while. */
START_TEST(test_error_replies_are_limited)
{
	uint64_t before = bed.osc->sent;

	for (unsigned i = 0; i < 2000; i++)
		bed_send_raw(&bed, "junk", 4);
	ck_assert_uint_eq(bed.fake->rack.totals.errors, 2000);
	ck_assert_uint_ge(bed.osc->sent - before, 200);
	ck_assert_uint_lt(bed.osc->sent - before, 1500);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("osc_packet");
	TCase *tcase = tcase_create("osc_packet");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_timetags_are_exact);
	tcase_add_test(tcase, test_steady_delay);
	tcase_add_test(tcase, test_steady_delay_while_jacks_time_jumps);
	tcase_add_test(tcase, test_soonest_is_a_block_start);
	tcase_add_test(tcase, test_late_is_delivered);
	tcase_add_test(tcase, test_far_future);
	tcase_add_test(tcase, test_nested);
	tcase_add_test(tcase, test_bundle_is_checked_first);
	tcase_add_test(tcase, test_truncated);
	tcase_add_test(tcase, test_malformed);
	tcase_add_test(tcase, test_error_replies_are_limited);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
