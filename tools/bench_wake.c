#include "tools/bench_wake.h"

#include "common/ring.h"
#include "common/wake.h"
#include "tools/bench.h"
#include "tools/bench_probe.h"
#include "tools/bench_stat.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRIORITY 60
#define TURN     250u /* round trips before the other kind has its turn */

struct shared {
	struct chr_ring there, back;
};

struct partner {
	pid_t pid;
	int there, back; /* eventfds */
	int quiet[2];    /* what a module's main thread waits for besides */
	struct shared *shared;
};

static void echo_bare(const struct partner *p)
{
	uint64_t count;
	while (read(p->there, &count, sizeof count) == sizeof count)
		if (write(p->back, &count, sizeof count) != sizeof count)
			break;
}

/* As the engine's main loop: wait for three, clear, take the order, answer, wake. */
static void echo_ours(const struct partner *p)
{
	struct pollfd fds[] = {
		{.fd = p->there, .events = POLLIN}, {.fd = p->quiet[0], .events = POLLIN}, {.fd = p->quiet[1], .events = POLLIN}};
	struct chr_event event;
	for (;;) {
		if (poll(fds, 3, -1) < 0)
			return;
		chr_wake_clear(p->there);
		while (chr_ring_read(&p->shared->there, &event, 1)) {
			chr_ring_write(&p->shared->back, &event, 1);
			chr_wake(p->back);
		}
	}
}

static int partner_start(struct partner *p, bool ours)
{
	p->shared = mmap(NULL, sizeof *p->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->shared == MAP_FAILED || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p->quiet))
		return -1;
	p->there = ours ? chr_wake_create() : eventfd(0, EFD_CLOEXEC);
	p->back = ours ? chr_wake_create() : eventfd(0, EFD_CLOEXEC);
	chr_ring_init(&p->shared->there);
	chr_ring_init(&p->shared->back);
	p->pid = fork();
	if (p->pid == 0) {
		chr_bench_forked((const int[]){p->there, p->back, p->quiet[0], p->quiet[1], -1});
		chr_bench_hurry(PRIORITY, 1);
		(ours ? echo_ours : echo_bare)(p);
		_exit(0);
	}
	return p->pid < 0 ? -1 : 0;
}

static void partner_stop(struct partner *p)
{
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	close(p->there);
	close(p->back);
	close(p->quiet[0]);
	close(p->quiet[1]);
	munmap(p->shared, sizeof *p->shared);
}

static void trip_bare(const struct partner *p)
{
	uint64_t count = 1;
	if (write(p->there, &count, sizeof count) != sizeof count || read(p->back, &count, sizeof count) != sizeof count)
		abort();
}

static void trip_ours(const struct partner *p)
{
	struct chr_event event = {.version = CHR_EVENT_VERSION};
	struct pollfd fd = {.fd = p->back, .events = POLLIN};
	chr_ring_write(&p->shared->there, &event, 1);
	chr_wake(p->there);
	do {
		poll(&fd, 1, -1);
		chr_wake_clear(p->back);
	} while (!chr_ring_read(&p->shared->back, &event, 1));
}

static void trips(const struct partner *p, void (*trip)(const struct partner *p), double *us, size_t count)
{
	trip(p);
	for (size_t i = 0; i < count; i++) {
		uint64_t begin = chr_bench_now_ns();
		trip(p);
		us[i] = (double)(chr_bench_now_ns() - begin) / 2e3;
	}
}

int chr_bench_round_trips(double *bare, double *ours, size_t count)
{
	struct partner a = {0}, b = {0};
	if (partner_start(&a, false) || (ours && partner_start(&b, true))) {
		partner_stop(&a);
		return -1;
	}
	chr_bench_hurry(PRIORITY, 0);
	for (size_t at = 0; at < count; at += TURN) {
		size_t turn = count - at < TURN ? count - at : TURN;
		trips(&a, trip_bare, bare + at, turn);
		if (ours)
			trips(&b, trip_ours, ours + at, turn);
	}
	chr_bench_relax();
	partner_stop(&a);
	if (ours)
		partner_stop(&b);
	return 0;
}

double chr_bench_wake_floor_ms(void)
{
	double us[2 * TURN];
	if (chr_bench_round_trips(us, NULL, 2 * TURN))
		return NAN;
	return chr_stat_median(us, 2 * TURN) / 1e3;
}

int chr_bench_wake(struct chr_bench *bench)
{
	size_t count = bench->quick ? 10000 : 40000;
	double *bare = calloc(2 * count, sizeof *bare), *ours = bare + count;
	int rc = bare ? chr_bench_round_trips(bare, ours, count) : -1;
	static const struct {
		const char *name;
		double share;
	} part[] = {{"wake-up across processes with an event, p50, beside a bare eventfd", 0.5},
		    {"wake-up across processes with an event, p99", 0.99}};
	for (unsigned i = 0; !rc && i < 2; i++) {
		struct chr_bench_row *row = chr_bench_row(bench, 4, part[i].name, "us");
		row->value = chr_stat_percentile(ours, count, part[i].share);
		row->floor = chr_stat_percentile(bare, count, part[i].share);
		if (i == 0)
			row->goal = 1.3;
		row->of_ratio = true;
	}
	free(bare);
	return rc;
}
