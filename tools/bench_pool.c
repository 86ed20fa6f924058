/* A spare process and what it takes to have it work: the bench plays the supervisor to a real chronus-module. */
#include "common/board.h"
#include "common/choice.h"
#include "common/slot.h"
#include "common/wake.h"
#include "tests/lib/server.h"
#include "tools/bench.h"
#include "tools/bench_probe.h"
#include "tools/bench_stat.h"
#include "tools/bench_wake.h"

#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH     200 /* descriptors are made above those that the process expects */
#define PARTS    (CHR_FD_FIRST_FREE - CHR_FD_SLOT)
#define PRIORITY 60

struct spare {
	pid_t pid;
	struct chr_slot *slot;
	struct chr_board *board[CHR_LANES];
	struct chr_choice *choice;
	int fd[PARTS]; /* by enum chr_slot_fd, less CHR_FD_SLOT */
	int socket;
};

static int high(int fd)
{
	int up = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
	if (fd >= 0)
		close(fd);
	return up;
}

static int make_parts(struct spare *spare)
{
	int fd, pair[2];
	if (!(spare->slot = chr_slot_create(&fd)))
		return -1;
	spare->fd[0] = high(fd);
	spare->fd[CHR_FD_TO_MAIN - CHR_FD_SLOT] = high(chr_wake_create());
	spare->fd[CHR_FD_FROM_MAIN - CHR_FD_SLOT] = high(chr_wake_create());
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -1;
	spare->socket = pair[0];
	spare->fd[CHR_FD_SOCKET - CHR_FD_SLOT] = high(pair[1]);
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		if (!(spare->board[lane] = chr_board_create(&fd)))
			return -1;
		spare->fd[CHR_FD_BOARD_A + lane - CHR_FD_SLOT] = high(fd);
	}
	if (!(spare->choice = chr_choice_create(&fd)))
		return -1;
	spare->fd[CHR_FD_CHOICE - CHR_FD_SLOT] = high(fd);
	return 0;
}

static int spawn(struct spare *spare, const char *program)
{
	posix_spawn_file_actions_t actions;
	char *argv[] = {(char *)program, NULL};
	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < PARTS; i++)
		posix_spawn_file_actions_adddup2(&actions, spare->fd[i], CHR_FD_SLOT + i);
	posix_spawn_file_actions_addclosefrom_np(&actions, CHR_FD_FIRST_FREE);
	int rc = posix_spawn(&spare->pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc ? -1 : 0;
}

/* The next report of the process's main thread: its kind; 0 when none comes within 5 s. */
static unsigned report(struct spare *spare)
{
	int from = spare->fd[CHR_FD_FROM_MAIN - CHR_FD_SLOT];
	struct pollfd fd = {.fd = from, .events = POLLIN};
	struct chr_event event;
	while (!chr_ring_read(&spare->slot->from_main, &event, 1)) {
		if (poll(&fd, 1, 5000) != 1)
			return 0;
		chr_wake_clear(from);
	}
	return event.kind;
}

static void give(struct spare *spare, unsigned kind)
{
	const struct chr_event event = {.version = CHR_EVENT_VERSION, .kind = (uint16_t)kind};
	chr_ring_write(&spare->slot->to_main, &event, 1);
	chr_wake(spare->fd[CHR_FD_TO_MAIN - CHR_FD_SLOT]);
}

static unsigned order(struct spare *spare, unsigned kind)
{
	give(spare, kind);
	return report(spare);
}

static int spare_start(struct spare *spare, const char *folder)
{
	char program[4096], self[4000];
	memset(spare, 0, sizeof *spare);
	for (int i = 0; i < PARTS; i++)
		spare->fd[i] = -1;
	spare->socket = -1;
	snprintf(self, sizeof self, "%s", folder);
	snprintf(program, sizeof program, "%s/chronus-module", dirname(self));
	if (make_parts(spare) || spawn(spare, program))
		return -1;
	return report(spare) == CHR_REPORT_HELLO ? 0 : -1;
}

static void spare_stop(struct spare *spare)
{
	if (spare->pid > 0) {
		kill(spare->pid, SIGTERM);
		waitpid(spare->pid, NULL, 0);
	}
	for (int i = 0; i < PARTS; i++)
		if (spare->fd[i] >= 0)
			close(spare->fd[i]);
	if (spare->socket >= 0)
		close(spare->socket);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		if (spare->board[lane])
			chr_board_unmap(spare->board[lane]);
	if (spare->choice)
		chr_choice_unmap(spare->choice);
	if (spare->slot)
		chr_slot_unmap(spare->slot);
}

static void prepare(struct spare *spare, const struct chr_bench *bench)
{
	struct chr_slot_order *o = &spare->slot->order;
	char self[CHR_PATH_BYTES - 32];
	snprintf(self, sizeof self, "%.*s", (int)sizeof self - 1, bench->self);
	snprintf(o->file, sizeof o->file, "%s/modules/sine.so", dirname(self));
	snprintf(o->client, sizeof o->client, "bench_spare");
	snprintf(o->module, sizeof o->module, "spare");
	snprintf(o->server, sizeof o->server, "%s", chr_server_name());
	o->lanes = 1;
	o->value[0] = 440;
	o->value[3] = 0.5f;
}

/* The time until the order stands in the ring and the process is woken, and half the time until its answer is there; a second order to load is
 * answered at once, with a refusal. us. */
static int assign(struct spare *spare, double *handed, double *answered, size_t count)
{
	chr_bench_hurry(PRIORITY, 0);
	for (size_t i = 0; i < count; i++) {
		uint64_t begin = chr_bench_now_ns();
		give(spare, CHR_ORDER_LOAD);
		handed[i] = (double)(chr_bench_now_ns() - begin) / 1e3;
		if (report(spare) != CHR_REPORT_FAILED)
			return -1;
		answered[i] = (double)(chr_bench_now_ns() - begin) / 2e3;
		usleep(500);
	}
	chr_bench_relax();
	return 0;
}

/* From nothing, and from a spare process, to a client that plays; ms. */
static int create(const struct chr_bench *bench, double *whole, double *spared)
{
	struct spare spare;
	uint64_t begin = chr_bench_now_ns();
	int rc = spare_start(&spare, bench->self);
	if (!rc) {
		prepare(&spare, bench);
		uint64_t middle = chr_bench_now_ns();
		rc = order(&spare, CHR_ORDER_LOAD) == CHR_REPORT_LOADED && order(&spare, CHR_ORDER_OPEN) == CHR_REPORT_READY ? 0
															     : -1;
		*whole = (double)(chr_bench_now_ns() - begin) / 1e6;
		*spared = (double)(chr_bench_now_ns() - middle) / 1e6;
	}
	spare_stop(&spare);
	return rc;
}

static int creations(struct chr_bench *bench)
{
	double whole[64], spared[64];
	size_t count = bench->quick ? 11 : 41;
	for (size_t i = 0; i < count; i++)
		if (create(bench, &whole[i], &spared[i]))
			return -1;
	struct chr_bench_row *row = chr_bench_row(bench, 1, "module creation, from nothing to a JACK client that plays", "ms");
	row->value = chr_stat_median(whole, count);
	row->before = 100;
	row = chr_bench_row(bench, 1, "module creation, from a spare process to a JACK client that plays", "ms");
	row->value = chr_stat_median(spared, count);
	row->before = 100;
	return 0;
}

int chr_bench_pool(struct chr_bench *bench)
{
	struct spare spare;
	double handed[1000], answered[1000];
	size_t count = bench->quick ? 300 : 1000;
	if (chr_bench_server(bench, 256))
		return -1;
	int rc = spare_start(&spare, bench->self);
	if (!rc) {
		prepare(&spare, bench);
		rc = order(&spare, CHR_ORDER_LOAD) == CHR_REPORT_LOADED && assign(&spare, handed, answered, count) == 0 ? 0 : -1;
	}
	spare_stop(&spare);
	if (rc)
		return -1;
	struct chr_bench_row *row = chr_bench_row(bench, 1, "assignment from the pool: the order is given, the process woken",
						  "ms");
	row->value = chr_stat_median(handed, count) / 1e3;
	row->before = 0.02;
	row = chr_bench_row(bench, 1, "assignment from the pool: the process has the order (half of order and answer)", "ms");
	row->value = chr_stat_median(answered, count) / 1e3;
	row->before = 0.02;
	row->floor = chr_bench_wake_floor_ms();
	return creations(bench);
}
