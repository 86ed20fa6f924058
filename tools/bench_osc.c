/* OSC: how long a message takes, how many are taken, and how punctually events are handed to both lanes. */
#include "tools/bench.h"
#include "tools/bench_flood.h"
#include "tools/bench_play.h"
#include "tools/bench_probe.h"
#include "tools/bench_stat.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH    200u
#define BURST    50000u
#define PRIORITY 60 /* of who asks: what is measured is not whether it gets a processor */

static void end_echo(pid_t pid)
{
	if (pid > 0 && kill(pid, SIGKILL) == 0)
		waitpid(pid, NULL, 0);
}

/* A question for a parameter and its answer, beside an echo of the bare kernel, in turns. */
static int latency(struct chr_bench *bench, const struct chr_rig *rig)
{
	size_t count = bench->quick ? 500 : 2000;
	double *ours = calloc(2 * count, sizeof *ours), *bare = ours + count;
	struct chr_packet ask = chr_packet_make("/m0/freq", 0, 0);
	unsigned port = 0;
	int pid = chr_flood_echo(&port), fd = chr_flood_open(rig->port), echo = chr_flood_open(port);
	int rc = ours && pid > 0 && fd >= 0 && echo >= 0 ? 0 : -1;
	chr_bench_hurry(PRIORITY, -1);
	for (size_t i = 0; !rc && i < count; i++) {
		ours[i] = chr_flood_ask(fd, &ask) / 2;
		bare[i] = chr_flood_ask(echo, &ask) / 2;
		rc = isnan(ours[i]) || isnan(bare[i]) ? -1 : 0;
		chr_bench_sleep_ms(1);
	}
	chr_bench_relax();
	if (!rc) {
		struct chr_bench_row *row = chr_bench_row(bench, 1, "OSC message latency (half of question and answer)", "ms");
		row->value = chr_stat_median(ours, count);
		row->floor = chr_stat_median(bare, count);
		row->before = 0.068;
	}
	end_echo(pid);
	close(fd);
	close(echo);
	free(ours);
	return rc;
}

/* Messages that arrived of those sent; negative when the status does not come. */
static double taken(struct chr_rig *rig, int fd, const struct chr_packet *message, unsigned count, double per_second,
		    unsigned *sent)
{
	static struct chr_rig_status before, after;
	if (chr_rig_status(rig, &before))
		return -1;
	*sent = chr_flood_send(fd, message, count, per_second);
	chr_bench_sleep_ms(200);
	return chr_rig_status(rig, &after) ? -1 : after.received - before.received;
}

static int throughput(struct chr_bench *bench, struct chr_rig *rig)
{
	struct chr_packet set = chr_packet_make("/m0/level", 'f', 0.01), ping = chr_packet_make("/chronus/ping", 'i', 1);
	unsigned seconds = bench->quick ? 5 : 40, sent = 0;
	char name[96];
	int fd = chr_flood_open(rig->port);
	double got = taken(rig, fd, &set, seconds * 1000, 1000, &sent);
	if (got < 0)
		return -1;
	snprintf(name, sizeof name, "OSC messages lost of 1,000/s for %u s", seconds);
	struct chr_bench_row *row = chr_bench_row(bench, 1, name, "");
	row->value = fmax(0, sent - got);
	row->before = 0;
	row->goal = 0;
	row = chr_bench_row(bench, 1, "OSC messages taken without loss, most", "1/s");
	row->value = chr_flood_rate(fd, &set, &ping, BATCH, bench->quick ? 1 : 3);
	row->before = 1000;
	row->more = true;
	double burst = taken(rig, fd, &set, BURST, 0, &sent);
	chr_bench_note(bench, 1, "a burst of %u OSC messages at once: %.0f taken", sent, burst);
	close(fd);
	return isnan(row->value) || burst < 0 ? -1 : 0;
}

/* A subscriber is told a value after the event for it stands in the rings of both lanes. Half of the way there and back, every 10 ms; beside it, 5 ms
 * later and as seldom, an echo of the bare kernel: a processor that has slept for long is slow to wake. */
static int synchronisation(struct chr_bench *bench, const struct chr_rig *rig)
{
	static const struct {
		const char *name;
		double share, before, goal;
	} part[] = {
		{"event synchronisation, two lanes, 100 OSC messages/s, p50", 0.5, 0.084, 0.05},
		{"event synchronisation, p95", 0.95, 0.155, 0.2},
		{"event synchronisation, p99", 0.99, 0.190, 0.5},
	};
	size_t count = bench->quick ? 300 : 2000;
	double *ours = calloc(2 * count, sizeof *ours), *bare = ours + count;
	struct chr_packet subscribe = chr_packet_make("/chronus/subscribe", 0, 0);
	unsigned port = 0;
	int pid = chr_flood_echo(&port), fd = chr_flood_open(rig->port), echo = chr_flood_open(port);
	int rc = ours && pid > 0 && echo >= 0 && !isnan(chr_flood_ask(fd, &subscribe)) ? 0 : -1;
	chr_bench_hurry(PRIORITY, -1);
	for (size_t i = 0; !rc && i < count; i++) {
		struct chr_packet set = chr_packet_make("/m0/freq", 'f', 220.0 + (double)(i % 100));
		ours[i] = chr_flood_ask(fd, &set) / 2;
		chr_bench_sleep_ms(5);
		bare[i] = chr_flood_ask(echo, &set) / 2;
		chr_bench_sleep_ms(5);
		rc = isnan(ours[i]) || isnan(bare[i]) ? -1 : 0;
	}
	chr_bench_relax();
	end_echo(pid);
	close(fd);
	close(echo);
	for (unsigned i = 0; !rc && i < sizeof part / sizeof part[0]; i++) {
		struct chr_bench_row *row = chr_bench_row(bench, 1, part[i].name, "ms");
		row->value = chr_stat_percentile(ours, count, part[i].share);
		row->floor = chr_stat_percentile(bare, count, part[i].share);
		row->before = part[i].before;
		row->goal = part[i].goal;
	}
	free(ours);
	return rc;
}

int chr_bench_osc(struct chr_bench *bench)
{
	struct chr_rig rig;
	if (chr_bench_server(bench, 256) || chr_bench_play(&rig, chr_bench_patch(CHR_SHAPE_VOICES, 3, 2, "")))
		return -1;
	int rc = latency(bench, &rig) || throughput(bench, &rig) || synchronisation(bench, &rig) ? -1 : 0;
	chr_rig_stop(&rig);
	return rc;
}
