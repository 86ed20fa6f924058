/* What is measured while it goes on, and at rest. */
#include "tools/soak.h"

#include "common/clock.h"
#include "tests/lib/leaks.h"
#include "tools/bench_probe.h"
#include "tools/bench_stat.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB      1024.0 /* KiB */
#define STILL_MS 1000   /* for so long nothing moves at rest */
#define REST_MS  20000  /* until it must rest */
#define SAMPLES  120.0  /* of a soak, about */
#define FEWEST_S 0.5    /* between two */
#define MOST_S   5.0
#define REPAIRS  64u

static void sum_modules(const struct chr_session *session, struct chr_soak_sample *sample)
{
	double resident = 0, private = 0;
	for (unsigned i = 0; i < session->count; i++) {
		if (session->instance[i].pid <= 0)
			continue;
		double r = chr_bench_resident_kib(session->instance[i].pid), p = chr_bench_private_kib(session->instance[i].pid);
		/* one that has just died has none */
		resident += isnan(r) ? 0 : r;
		private += isnan(p) ? 0 : p;
	}
	sample->value[CHR_SOAK_MODULES_RSS] = resident / MIB;
	sample->value[CHR_SOAK_MODULES_PRIVATE] = private / MIB;
}

static void take_pings(struct chr_soak *soak, struct chr_soak_sample *sample)
{
	struct chr_soak_ping_window window = chr_soak_ping_take(soak->ping);
	sample->value[CHR_SOAK_PING_P50] = window.p50_ms;
	sample->value[CHR_SOAK_PING_P99] = window.p99_ms;
	sample->value[CHR_SOAK_WITNESS_P99] = window.witness_p99_ms;
	soak->record.pings += window.count;
	soak->record.pings_lost += window.lost;
}

static double median_repair(struct chr_soak *soak)
{
	double repair[REPAIRS];
	size_t count = 0;
	/* the last one may not be over */
	unsigned end = soak->faults - (soak->open ? 1 : 0);
	for (; soak->sampled < end; soak->sampled++)
		if (!isnan(soak->fault[soak->sampled].repair_ms) && count < REPAIRS)
			repair[count++] = soak->fault[soak->sampled].repair_ms;
	return chr_stat_median(repair, count);
}

static void progress(const struct chr_soak *soak, const struct chr_soak_sample *sample)
{
	double left = soak->options.minutes * 60 - sample->at_s;
	if (!isatty(STDERR_FILENO))
		return;
	left = fmax(left, 0);
	fprintf(stderr, "\r%d:%02d to go, %u faults, %u unrecovered, %u edits, %.1f MiB, %.0f descriptors, p99 %.2f ms\033[K",
		(int)left / 60, (int)left % 60, soak->record.faults, soak->record.unrecovered, soak->record.edits,
		sample->value[CHR_SOAK_RSS], sample->value[CHR_SOAK_FDS], sample->value[CHR_SOAK_PING_P99]);
}

static void check_alive(struct chr_soak *soak)
{
	if (chr_tape_lost(soak->campaign.session.sentinel)) {
		fprintf(stderr, "\nchronus-soak: %.1f s: the JACK server has gone\n", chr_soak_now_s(soak));
		soak->record.server_lost = 1;
		soak->broken = true;
	}
	if (chr_child_ended(&soak->campaign.session.child, 0)) {
		fprintf(stderr, "\nchronus-soak: %.1f s: chronus has ended with %d\n", chr_soak_now_s(soak),
			chr_child_code(&soak->campaign.session.child));
		soak->record.ended_badly = 1;
		soak->broken = true;
	}
}

void chr_soak_sample(struct chr_soak *soak)
{
	struct chr_session *session = &soak->campaign.session;
	struct chr_soak_sample sample = {.at_s = chr_soak_now_s(soak)};
	pid_t pid = session->child.pid;
	if (sample.at_s < soak->sample_next_s)
		return;
	if (soak->sample_every_s <= 0) {
		soak->sample_every_s = fmin(fmax(soak->options.minutes * 60 / SAMPLES, FEWEST_S), MOST_S);
		soak->cpu_s = chr_bench_cpu_s(pid);
		soak->cpu_at_s = sample.at_s;
		soak->sample_next_s = sample.at_s + soak->sample_every_s;
		return;
	}
	soak->sample_next_s += soak->sample_every_s;
	check_alive(soak);
	if (soak->broken)
		return;
	struct chr_holdings holdings = chr_holdings_of(pid);
	double cpu_s = chr_bench_cpu_s(pid);
	chr_session_status(session);
	sample.value[CHR_SOAK_RSS] = chr_bench_resident_kib(pid) / MIB;
	sample.value[CHR_SOAK_PRIVATE] = chr_bench_private_kib(pid) / MIB;
	sample.value[CHR_SOAK_FDS] = holdings.fds;
	sample.value[CHR_SOAK_THREADS] = holdings.threads;
	sample.value[CHR_SOAK_CPU] = 100 * (cpu_s - soak->cpu_s) / (sample.at_s - soak->cpu_at_s);
	sample.value[CHR_SOAK_PROCESSES] = holdings.children + 1;
	sum_modules(session, &sample);
	take_pings(soak, &sample);
	sample.value[CHR_SOAK_REPAIR] = median_repair(soak);
	soak->cpu_s = cpu_s;
	soak->cpu_at_s = sample.at_s;
	if (chr_soak_record_add(&soak->record, &sample))
		soak->broken = true;
	progress(soak, &sample);
}

/* ---- at rest ---- */

struct chr_soak_rest chr_soak_rest(struct chr_soak *soak)
{
	struct chr_session *session = &soak->campaign.session;
	struct chr_holdings held = chr_holdings_of(session->child.pid), now;
	uint64_t end = chr_monotonic_us() + REST_MS * 1000u;
	if (chr_soak_edit_wait(soak, "/chronus/load", soak->base, NULL))
		fprintf(stderr, "chronus-soak: the patch it began with could not be loaded\n");
	if (chr_session_status(session) || chr_session_wait_whole(session, REST_MS))
		fprintf(stderr, "chronus-soak: not everything plays at rest\n");
	for (uint64_t since = chr_monotonic_us(); chr_monotonic_us() < end; held = now) {
		chr_session_pass(session, 20);
		now = chr_holdings_of(session->child.pid);
		if (now.fds != held.fds || now.threads != held.threads || now.children != held.children)
			since = chr_monotonic_us();
		if (chr_monotonic_us() - since > STILL_MS * 1000u)
			break;
	}
	unsigned copies = chr_memory_files(session->child.pid, ".so");
	return (struct chr_soak_rest){
		.fds = held.fds - copies, .copies = copies, .threads = held.threads, .processes = held.children + 1};
}
