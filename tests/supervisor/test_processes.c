#include "common/wake.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/lanes_bed.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct lanes_bed *bed;
static struct chr_process *process; /* of osc1 in lane a */
static int module_socket;

static void setup(void)
{
	int pair[2];
	bed = bed_create(2);
	process = bed_instance(bed, BED_OSC1, 0)->process;
	ck_assert_int_eq(chr_poller_init(&bed->conductor.poller), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	process->socket = pair[0];
	module_socket = pair[1];
	process->from_main = chr_wake_create();
	process->pidfd = chr_wake_create();
	chr_processes_add(&bed->conductor, process);
	ck_assert_uint_eq(bed->conductor.process_count, 1);
}

static void report(unsigned kind)
{
	const struct chr_event event = {.version = CHR_EVENT_VERSION, .kind = (uint16_t)kind};
	ck_assert_uint_eq(chr_ring_write(&process->slot->from_main, &event, 1), 1);
	chr_wake(process->from_main);
	ck_assert_int_eq(chr_poller_wait(&bed->conductor.poller, 0), 0);
}

static unsigned open_fds(void)
{
	unsigned count = 0;
	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

START_TEST(ready_takes_the_jack_socket_and_wires)
{
	ck_assert_int_eq(bed_instance(bed, BED_OSC1, 0)->state, CHR_INSTANCE_STARTING);
	ck_assert_int_eq(chr_fd_send(module_socket, STDERR_FILENO, CHR_FD_TAG_JACK), 0);
	report(CHR_REPORT_READY);
	ck_assert_int_ge(process->jack_fd, 0);
	ck_assert(fcntl(process->jack_fd, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(bed_instance(bed, BED_OSC1, 0)->state, CHR_INSTANCE_WIRING);
}
END_TEST

START_TEST(descriptors_that_nobody_asked_for_are_closed)
{
	ck_assert_int_eq(chr_fd_send(module_socket, STDERR_FILENO, CHR_FD_TAG_JACK), 0);
	report(CHR_REPORT_READY);
	int jack_fd = process->jack_fd;
	unsigned before = open_fds();
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(chr_fd_send(module_socket, STDERR_FILENO, i % 2 ? CHR_FD_TAG_JACK : 'x'), 0);
		report(CHR_REPORT_READY);
	}
	ck_assert_uint_eq(open_fds(), before);
	ck_assert_int_eq(process->jack_fd, jack_fd);
}
END_TEST

START_TEST(failure_is_the_cause_and_its_text_ends_where_it_must)
{
	const struct chr_fault *fault = &bed_instance(bed, BED_OSC1, 0)->fault;
	memset(process->slot->report.text, 'x', sizeof process->slot->report.text);
	report(CHR_REPORT_FAILED);
	ck_assert_int_eq(strncmp(fault->cause, "could not start: xxx", 20), 0);
	ck_assert_uint_lt(strlen(fault->cause), sizeof fault->cause);
}
END_TEST

struct flood {
	struct chr_ring *ring;
	_Atomic int begun, stop;
};

/* A head that is always almost a ring away from the tail. */
static void *report_for_ever(void *arg)
{
	struct flood *flood = arg;
	while (!flood->stop) {
		flood->ring->head = flood->ring->tail + CHR_RING_EVENTS - 100;
		flood->begun = 1;
	}
	return NULL;
}

/* Whoever wrote faster than it is read would hold the control thread for ever. */
START_TEST(endless_reports_do_not_hold_the_supervisor)
{
	struct flood flood = {.ring = &process->slot->from_main};
	pthread_t thread;
	ck_assert_int_eq(pthread_create(&thread, NULL, report_for_ever, &flood), 0);
	while (!flood.begun)
		;
	for (int i = 0; i < 2000; i++) {
		uint32_t tail = flood.ring->tail;
		process->reports.ready(process);
		ck_assert_int_le((int32_t)(flood.ring->tail - tail), CHR_RING_EVENTS);
	}
	flood.stop = 1;
	pthread_join(thread, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processes");
	TCase *tcase = tcase_create("processes");
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, ready_takes_the_jack_socket_and_wires);
	tcase_add_test(tcase, descriptors_that_nobody_asked_for_are_closed);
	tcase_add_test(tcase, failure_is_the_cause_and_its_text_ends_where_it_must);
	tcase_add_test(tcase, endless_reports_do_not_hold_the_supervisor);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
