/* How fast OSC is: messages decoded and routed, bursts through a default-size socket, and the jitter of arrival frames. */
#include "supervisor/osc_private.h"
#include "tests/supervisor/osc_bed.h"

#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define MESSAGES       1000000u
#define BURST          50000u
#define DEFAULT_BUFFER 212992 /* net.core.rmem_default of a stock kernel */

static struct osc_bed bed;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One kind of message, again and again; the rings are emptied as two instances would. */
static void bench_decode(const char *path, const char *types)
{
	_Alignas(8) unsigned char data[64];
	size_t bytes = sizeof data;
	lo_message message = lo_message_new();
	struct chr_osc_datagram datagram = {.real_ns = chr_osc_real_ns(), .data = data};

	for (const char *t = types; *t; t++) {
		if (*t == 'f')
			lo_message_add_float(message, 0.5f);
		else if (*t == 'i')
			lo_message_add_int32(message, 1);
		else
			lo_message_add_string(message, "notch");
	}
	lo_message_serialise(message, path, data, &bytes);
	lo_message_free(message);
	datagram.bytes = (uint32_t)bytes;
	bed.osc->now = bed.host.frame_now(&bed);
	uint64_t received = bed.fake->rack.totals.received;
	double start = seconds(), emptying = 0;
	for (unsigned n = 0; n < MESSAGES; n++) {
		chr_osc_packet(bed.osc, &datagram);
		if (n % 256 == 255) {
			double before = seconds();

			fake_rack_drain(bed.fake);
			emptying += seconds() - before;
		}
	}
	double spent = seconds() - start - emptying;
	received = bed.fake->rack.totals.received - received;
	printf("osc decode+route  %-16s ,%-3s %9.0f messages/s  %4.0f ns each  (%llu set)\n", path, types, MESSAGES / spent,
	       spent * 1e9 / MESSAGES, (unsigned long long)received);
}

static void *send_burst(void *arg)
{
	static unsigned char data[] = "/osc1/level\0,f\0\0\x3f\0\0\0";

	for (unsigned n = 0; n < BURST; n++)
		(void)!send(bed.client, data, 20, 0);
	*(double *)arg = seconds();
	return NULL;
}

static void bench_burst(int buffer)
{
	struct chr_totals *totals = &bed.fake->rack.totals;
	struct pollfd poller = {.fd = chr_osc_fd(bed.osc), .events = POLLIN};
	uint64_t before = totals->received;
	double start = seconds(), sent = 0;
	pthread_t sender;

	if (buffer)
		setsockopt(chr_osc_fd(bed.osc), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	if (pthread_create(&sender, NULL, send_burst, &sent) != 0)
		return;
	while (totals->received - before < BURST && poll(&poller, 1, 200) == 1)
		chr_osc_receive(bed.osc);
	double spent = seconds() - start;
	pthread_join(sender, NULL);
	fake_rack_drain(bed.fake);
	printf("osc burst         %u messages, %s: %llu received, sent in %.0f ms, done in %.0f ms\n", BURST,
	       buffer ? "default-size buffer" : "own buffer", (unsigned long long)(totals->received - before), (sent - start) * 1e3,
	       spent * 1e3);
}

/* The frames given to messages against the moments at which they were sent. A message is counted when its sending took so little time that
 * the moment is known well enough.
 */
static void bench_jitter(void)
{
	static const unsigned char data[] = "/osc1/level\0,f\0\0\x3f\0\0\0";
	double sum = 0, squares = 0;
	unsigned counted = 0;
	struct chr_event e;

	for (unsigned n = 0; n < 4000; n++) {
		int64_t before = chr_osc_real_ns();
		(void)!send(bed.client, data, 20, 0);
		int64_t width = chr_osc_real_ns() - before;

		chr_osc_receive(bed.osc);
		if (fake_rack_next(bed.fake, UNIT_OSC1, 0, &e) && width < 20000) {
			double exact = ((double)(before - bed.start_ns) + (double)width / 2) * 48e-6;
			double delay = chr_frames_diff(e.frame, BED_FIRST_FRAME + (uint32_t)(int64_t)exact) -
				       (exact - floor(exact));

			sum += delay;
			squares += delay * delay;
			counted++;
		}
		fake_rack_drain(bed.fake);
		nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
	}
	double mean = sum / counted, sd = sqrt(squares / counted - mean * mean);
	printf("osc steady delay  %u messages: mean %.2f frames, sd %.3f frames = %.4f ms\n", counted, mean, sd, sd / 48);
}

int main(void)
{
	bed_open(&bed);
	chr_osc_receive(bed.osc);
	bench_decode("/osc1/level", "f");
	bench_decode("/osc1/level", "ff");
	bench_decode("/osc1/gate", "i");
	bench_decode("/osc1/mode", "s");
	bench_decode("/osc*/level", "f");
	for (unsigned i = 0; i < 5; i++)
		bench_burst(0);
	for (unsigned i = 0; i < 5; i++)
		bench_burst(DEFAULT_BUFFER / 2); /* the kernel doubles it */
	bench_jitter();
	bed_close(&bed);
	return 0;
}
