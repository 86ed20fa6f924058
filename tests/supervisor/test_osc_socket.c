/* The socket: where it is bound, what a flood does to it. */
#include "tests/lib/suite.h"
#include "tests/supervisor/osc_bed.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BURST 50000u

static struct osc_bed bed;

static void setup(void)
{
	bed_open(&bed);
}

static void teardown(void)
{
	bed_close(&bed);
}

START_TEST(test_bind)
{
	int error = 0;

	ck_assert_ptr_null(chr_osc_create("127.0.0.1", chr_osc_port(bed.osc), &bed.host, &error));
	ck_assert_int_eq(error, -EADDRINUSE);
	ck_assert_ptr_null(chr_osc_create("192.0.2.1", 0, &bed.host, &error));
	ck_assert_int_eq(error, -EADDRNOTAVAIL);
	ck_assert_ptr_null(chr_osc_create("no such host", 0, &bed.host, &error));
	ck_assert_int_eq(error, -EADDRNOTAVAIL);
	ck_assert_ptr_null(chr_osc_create(NULL, 65536, &bed.host, &error));
	ck_assert_int_eq(error, -EINVAL);
}
END_TEST

static struct sockaddr_in bound(const struct chr_osc *osc)
{
	struct sockaddr_in address = {0};
	socklen_t bytes = sizeof address;

	ck_assert_int_eq(getsockname(chr_osc_fd(osc), (struct sockaddr *)&address, &bytes), 0);
	return address;
}

START_TEST(test_default_is_loopback)
{
	static const char *const hosts[] = {NULL, "", "localhost"};
	int error;

	for (unsigned i = 0; i < 3; i++) {
		struct chr_osc *osc = chr_osc_create(hosts[i], 0, &bed.host, &error);

		ck_assert_ptr_nonnull(osc);
		ck_assert_uint_eq(bound(osc).sin_family, AF_INET);
		ck_assert_uint_eq(ntohl(bound(osc).sin_addr.s_addr), INADDR_LOOPBACK);
		ck_assert_uint_eq(ntohs(bound(osc).sin_port), chr_osc_port(osc));
		chr_osc_destroy(osc);
	}
}
END_TEST

/* Where the machine has IPv6 at all. */
START_TEST(test_ipv6)
{
	int error, own = bed.client;
	struct chr_osc *osc = chr_osc_create("::1", 0, &bed.host, &error), *first = bed.osc;

	if (!osc) {
		ck_assert(error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT);
		return;
	}
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback, .sin6_port = htons((uint16_t)chr_osc_port(osc))};
	bed.client = socket(AF_INET6, SOCK_DGRAM, 0);
	ck_assert_int_eq(connect(bed.client, (struct sockaddr *)&to, sizeof to), 0);
	bed.osc = osc;
	ck_assert(bed_silent(&bed));
	bed_send(&bed, "/chronus/subscribe", "");
	ck_assert(bed_reply(&bed));
	bed_send(&bed, "/osc1/freq", "f", 100.0);
	ck_assert(bed_reply(&bed));
	ck_assert_str_eq(bed.path, "/osc1/freq");
	close(bed.client);
	bed.client = own;
	bed.osc = first;
	chr_osc_destroy(osc);
}
END_TEST

/* Message n of a burst: every tenth a gate, the others go round four parameters. */
static size_t burst_message(unsigned n, unsigned char *data)
{
	static const char *const path[] = {"/osc1/freq", "/osc1/level", "/osc2/freq", "/osc2/level"};
	size_t bytes = 64;
	lo_message message = lo_message_new();

	if (n % 10 == 9) {
		lo_message_add_int32(message, n / 10 % 2);
		lo_message_serialise(message, "/osc1/gate", data, &bytes);
	} else {
		lo_message_add_float(message, n % 2 ? (float)n / BURST : 20 + (float)n / 4);
		lo_message_serialise(message, path[n % 4], data, &bytes);
	}
	lo_message_free(message);
	return bytes;
}

static unsigned char burst_data[BURST][64];
static size_t burst_bytes[BURST];

static void *send_burst(void *arg)
{
	(void)arg;
	for (unsigned n = 0; n < BURST; n++) {
		while (send(bed.client, burst_data[n], burst_bytes[n], 0) < 0)
			;
	}
	return NULL;
}

/* Counts the gates in a lane's ring and checks that they take turns. */
static unsigned count_gates(unsigned lane, unsigned counted)
{
	struct chr_event e;

	while (fake_rack_next(bed.fake, UNIT_OSC1, lane, &e)) {
		if (e.index == VOICE_GATE)
			ck_assert_float_eq(e.value, (float)(counted++ % 2));
	}
	return counted;
}

/* Nobody reads the rings until all has come: what counts is what the feeds keep. */
START_TEST(test_burst)
{
	struct chr_totals *totals = &bed.fake->rack.totals;
	struct pollfd poller = {.fd = chr_osc_fd(bed.osc), .events = POLLIN};
	unsigned gates[CHR_LANES] = {0, 0};
	pthread_t sender;

	for (unsigned n = 0; n < BURST; n++)
		burst_bytes[n] = burst_message(n, burst_data[n]);
	ck_assert_int_eq(pthread_create(&sender, NULL, send_burst, NULL), 0);
	while (totals->received + totals->dropped < BURST && poll(&poller, 1, 5000) == 1)
		chr_osc_receive(bed.osc);
	pthread_join(sender, NULL);
	ck_assert_uint_eq(totals->received, BURST);
	ck_assert_uint_eq(totals->dropped, 0);
	ck_assert_uint_eq(totals->errors, 0);
	for (int wait = 1; wait > 0;) {
		wait = chr_rack_deliver(&bed.fake->rack, bed.host.frame_now(&bed));
		for (unsigned lane = 0; lane < CHR_LANES; lane++)
			gates[lane] = count_gates(lane, gates[lane]);
		fake_rack_drain(bed.fake);
	}
	ck_assert_uint_eq(gates[0], BURST / 10);
	ck_assert_uint_eq(gates[1], BURST / 10);
	const struct chr_unit *osc1 = &bed.fake->unit[UNIT_OSC1], *osc2 = &bed.fake->unit[UNIT_OSC2];
	ck_assert_float_eq(osc1->value[VOICE_FREQ], 20 + (float)(BURST - 4) / 4);
	ck_assert_float_eq(osc1->value[VOICE_LEVEL], (float)(BURST - 3) / BURST);
	ck_assert_float_eq(osc2->value[VOICE_FREQ], 20 + (float)(BURST - 2) / 4);
	ck_assert_float_eq(osc2->value[VOICE_LEVEL], (float)(BURST - 5) / BURST);
	ck_assert_uint_gt(totals->coalesced, 0);
}
END_TEST

/* What the kernel has to drop is counted once the next datagram comes. */
START_TEST(test_dropped_is_counted)
{
	struct chr_totals *totals = &bed.fake->rack.totals;
	const unsigned sent = 3000;
	unsigned char data[64];
	int bytes = 8192;

	ck_assert_int_eq(setsockopt(chr_osc_fd(bed.osc), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes), 0);
	size_t size = burst_message(0, data);
	for (unsigned n = 0; n < sent; n++)
		ck_assert_int_eq(send(bed.client, data, size, 0), (ssize_t)size);
	chr_osc_receive(bed.osc);
	bed_send_raw(&bed, data, size);
	ck_assert_uint_gt(totals->dropped, 0);
	ck_assert_uint_eq(totals->received + totals->dropped, sent + 1);
}
END_TEST

START_TEST(test_large_datagrams)
{
	static unsigned char data[60000];
	unsigned pongs = 0;

	memset(data, 0, sizeof data);
	memcpy(data, "/chronus/ping\0\0\0,b\0\0", 20);
	uint32_t blob = htonl(sizeof data - 24);
	memcpy(data + 20, &blob, 4);
	for (unsigned i = 0; i < 100; i++) {
		bed_send_raw(&bed, data, sizeof data);
		ck_assert(bed_reply(&bed));
		pongs += strcmp(bed.path, "/chronus/pong") == 0;
	}
	ck_assert_uint_eq(pongs, 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("osc_socket");
	TCase *tcase = tcase_create("osc_socket");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_bind);
	tcase_add_test(tcase, test_default_is_loopback);
	tcase_add_test(tcase, test_ipv6);
	tcase_add_test(tcase, test_burst);
	tcase_add_test(tcase, test_dropped_is_counted);
	tcase_add_test(tcase, test_large_datagrams);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
