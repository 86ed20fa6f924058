/* What is made of a campaign: the table, the bars, the JSON. */
#include "common/clock.h"
#include "tests/lib/stall.h"
#include "tools/faults.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 48000.0

/* ---- figures ---- */

struct tally {
	unsigned count, heard, stalled, calm, unrecovered, failed; /* stalled, calm: of those heard */
	bool looked;                                               /* at processors: `calm` is known */
	uint64_t lost;
	uint32_t worst;
	double *repair, *seen, *gap; /* sorted; gap: ms, of those heard */
	unsigned repairs, seens, gaps;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Of `sorted` values; NAN of none. */
static double percentile(const double *sorted, unsigned count, double share)
{
	if (!count)
		return NAN;
	unsigned at = (unsigned)ceil(share * count);
	return sorted[at ? at - 1 : 0];
}

/* Sums up the shots of `kind`, or of all kinds that have one of `flags`. */
static struct tally tally(const struct chr_campaign *campaign, const struct chr_kind *kind, unsigned flags)
{
	struct tally t = {.repair = calloc(campaign->shots + 1, sizeof(double)),
			  .seen = calloc(campaign->shots + 1, sizeof(double)),
			  .gap = calloc(campaign->shots + 1, sizeof(double)),
			  .looked = campaign->options.processors};
	if (!t.repair || !t.seen || !t.gap)
		abort();
	for (unsigned i = 0; i < campaign->shots; i++) {
		const struct chr_shot *shot = &campaign->shot[i];
		if (kind ? shot->kind != kind : !(shot->kind->flags & flags))
			continue;
		t.count++;
		t.heard += shot->lost > 0;
		t.stalled += shot->lost > 0 && shot->stalled;
		t.calm += shot->lost > 0 && !shot->stalled && !shot->stood;
		t.unrecovered += shot->unrecovered;
		t.failed += shot->failed;
		t.lost += shot->lost;
		t.worst = shot->lost > t.worst ? shot->lost : t.worst;
		if (shot->repair_ms >= 0)
			t.repair[t.repairs++] = shot->repair_ms;
		if (shot->seen_us >= 0)
			t.seen[t.seens++] = shot->seen_us;
		if (shot->lost)
			t.gap[t.gaps++] = shot->lost * 1000.0 / RATE;
	}
	qsort(t.repair, t.repairs, sizeof(double), compare);
	qsort(t.seen, t.seens, sizeof(double), compare);
	qsort(t.gap, t.gaps, sizeof(double), compare);
	return t;
}

static void release(struct tally *t)
{
	free(t->repair);
	free(t->seen);
	free(t->gap);
}

/* ---- bars ---- */

enum measure {
	UNHEARD,    /* % of the single-module faults that lost no frame */
	WORST,      /* frames that one of them lost, in periods */
	REPAIR_P50, /* ms, after SIGKILL */
	REPAIR_P99,
	SEEN_P50, /* us, of deaths */
	SEEN_P99,
	GAP_P99,     /* ms, of the single-module faults that were heard */
	FAILURES,    /* faults that were not recovered from, or whose own checks failed */
	STRAY,       /* frames lost while nothing was struck and the machine did not stall */
	FALSE_ALARM, /* changes of state under stress */
	COST,        /* two lanes' CPU over one's */
};

static const struct bar {
	const char *name;
	enum measure measure;
	bool at_least;
	double limit;
	unsigned lanes, period; /* 0: any */
	int pipewire;           /* -1: either */
} bars[] = {
	{"single-module faults unheard, %", UNHEARD, true, 99.0, 2, 64, 0},
	{"single-module faults unheard, %", UNHEARD, true, 99.5, 2, 128, 0},
	{"single-module faults unheard, %", UNHEARD, true, 99.5, 2, 256, -1},
	{"most lost by one of them, periods", WORST, false, 1.0, 2, 0, -1},
	{"whole again after SIGKILL, p50 ms", REPAIR_P50, false, 60.0, 2, 0, -1},
	{"whole again after SIGKILL, p99 ms", REPAIR_P99, false, 100.0, 2, 0, -1},
	{"death seen, p50 us", SEEN_P50, false, 150.0, 0, 0, -1},
	{"death seen, p99 us", SEEN_P99, false, 1000.0, 0, 0, -1},
	{"gap with one lane, p99 ms", GAP_P99, false, 60.0, 1, 0, -1},
	{"faults not recovered from, or failed", FAILURES, false, 0.0, 0, 0, -1},
	{"frames lost without a fault or a stall", STRAY, false, 0.0, 2, 0, -1},
	{"false alarms under stress", FALSE_ALARM, false, 0.0, 0, 0, -1},
	{"CPU of two lanes over one lane", COST, false, 2.2, 0, 0, -1},
};

#define BARS (sizeof bars / sizeof bars[0])

static const struct chr_kind *kind_of(const char *name)
{
	for (unsigned i = 0; i < chr_kind_count; i++)
		if (strcmp(chr_kind[i].name, name) == 0)
			return &chr_kind[i];
	abort();
}

static double measure_single(const struct chr_campaign *campaign, enum measure measure)
{
	struct tally t = tally(campaign, NULL, CHR_KIND_SINGLE);
	double value = NAN;
	if (t.count && measure == UNHEARD)
		value = 100.0 * (t.count - t.heard) / t.count;
	if (t.count && measure == WORST)
		value = (double)t.worst / campaign->options.period;
	if (measure == GAP_P99)
		value = percentile(t.gap, t.gaps, 0.99);
	release(&t);
	return value;
}

static double measure_kill(const struct chr_campaign *campaign, double share)
{
	struct tally t = tally(campaign, kind_of("kill"), 0);
	double value = percentile(t.repair, t.repairs, share);
	release(&t);
	return value;
}

static double measure_seen(const struct chr_campaign *campaign, double share)
{
	struct tally t = tally(campaign, NULL, CHR_KIND_DEATH);
	double value = percentile(t.seen, t.seens, share);
	release(&t);
	return value;
}

static double measure_failures(const struct chr_campaign *campaign)
{
	struct tally t = tally(campaign, NULL, UINT32_MAX);
	unsigned bad = 0, mild = 0;
	for (unsigned i = 0; i < campaign->shots; i++)
		bad += campaign->shot[i].unrecovered || campaign->shot[i].failed;
	for (unsigned i = 0; i < campaign->shots; i++)
		mild += campaign->shot[i].kind == kind_of("stress");
	release(&t);
	return campaign->shots > mild ? bad : NAN;
}

static double measure_alarm(const struct chr_campaign *campaign)
{
	struct tally t = tally(campaign, kind_of("stress"), 0);
	double value = t.count ? t.failed : NAN;
	release(&t);
	return value;
}

/* NAN: the campaign says nothing about it. */
static double measured(const struct chr_campaign *campaign, enum measure measure)
{
	switch (measure) {
	case UNHEARD:
	case WORST:
	case GAP_P99:
		return measure_single(campaign, measure);
	case REPAIR_P50:
		return measure_kill(campaign, 0.5);
	case REPAIR_P99:
		return measure_kill(campaign, 0.99);
	case SEEN_P50:
		return measure_seen(campaign, 0.5);
	case SEEN_P99:
		return measure_seen(campaign, 0.99);
	case FAILURES:
		return measure_failures(campaign);
	case STRAY:
		return campaign->shots ? campaign->stray - campaign->stray_stalled : NAN;
	case FALSE_ALARM:
		return measure_alarm(campaign);
	case COST:
		return campaign->options.cost ? campaign->cpu[1] / campaign->cpu[0] : NAN;
	}
	return NAN;
}

static bool applies(const struct bar *bar, const struct chr_campaign_options *options)
{
	return (!bar->lanes || bar->lanes == options->lanes) && (!bar->period || bar->period == options->period) &&
	       (bar->pipewire < 0 || bar->pipewire == options->pipewire);
}

static bool holds(const struct bar *bar, double value)
{
	return bar->at_least ? value >= bar->limit : value <= bar->limit;
}

static unsigned print_bars(const struct chr_campaign *campaign)
{
	unsigned broken = 0;
	for (unsigned i = 0; i < BARS; i++) {
		double value = measured(campaign, bars[i].measure);
		if (!applies(&bars[i], &campaign->options) || isnan(value))
			continue;
		bool good = holds(&bars[i], value);
		broken += !good;
		printf("%-6s %-40s %10.4g   %s %g\n", good ? "holds" : "BROKEN", bars[i].name, value,
		       bars[i].at_least ? "at least" : "at most", bars[i].limit);
	}
	return broken;
}

/* ---- the table ---- */

static void print_number(double value, const char *format)
{
	if (isnan(value))
		printf("%10s", "-");
	else
		printf(format, value);
}

static void print_row(const char *name, const struct tally *t)
{
	printf("%-13s%7u%7u%9u%9llu%7u", name, t->count, t->heard, t->stalled, (unsigned long long)t->lost, t->worst);
	print_number(percentile(t->repair, t->repairs, 0.5), "%10.1f");
	print_number(percentile(t->repair, t->repairs, 0.99), "%10.1f");
	print_number(percentile(t->seen, t->seens, 0.5), "%10.0f");
	print_number(percentile(t->seen, t->seens, 0.99), "%10.0f");
	printf("%8u\n", t->unrecovered + t->failed);
}

static void print_table(const struct chr_campaign *campaign)
{
	printf("%-13s%7s%7s%9s%9s%7s%20s%20s%8s\n", "", "", "", "of them", "frames", "", "whole again (ms)", "death seen (us)", "");
	printf("%-13s%7s%7s%9s%9s%7s%10s%10s%10s%10s%8s\n", "fault", "count", "heard", "stalled", "lost", "worst", "p50", "p99",
	       "p50", "p99", "failed");
	for (unsigned i = 0; i < chr_kind_count; i++) {
		struct tally t = tally(campaign, &chr_kind[i], 0);
		if (t.count)
			print_row(chr_kind[i].name, &t);
		release(&t);
	}
	struct tally single = tally(campaign, NULL, CHR_KIND_SINGLE);
	if (single.count)
		print_row("single-module", &single);
	release(&single);
	for (unsigned i = 0; i < campaign->shots; i++)
		if (campaign->shot[i].note[0] && (campaign->shot[i].failed || campaign->shot[i].kind->flags & CHR_KIND_ONCE))
			printf("%s: %s\n", campaign->shot[i].kind->name, campaign->shot[i].note);
}

static void print_rest(const struct chr_campaign *campaign)
{
	const struct chr_session *session = &campaign->session;
	struct tally single = tally(campaign, NULL, CHR_KIND_SINGLE);
	if (single.heard && campaign->options.processors)
		printf("single-module faults heard though no processor stood still for half a period: %u of %u\n", single.calm,
		       single.heard);
	release(&single);
	if (campaign->shots)
		printf("frames lost while nothing was struck: %u, of them while the machine stalled: %u; frames the sentinel "
		       "missed: %llu\n",
		       campaign->stray, campaign->stray_stalled, (unsigned long long)session->stalled_frames);
	double stolen = chr_stall_stolen_s() - campaign->stolen_s;
	if (stolen > 0)
		printf("the host took processors away for %.1f s of %.0f\n", stolen,
		       (double)(chr_monotonic_us() - campaign->begun_us) / 1e6);
	if (campaign->options.cost)
		printf("CPU of all processes of chronus: one lane %.2f %% of a core, two lanes %.2f %%\n", 100 * campaign->cpu[0],
		       100 * campaign->cpu[1]);
}

/* ---- JSON ---- */

static void json_number(FILE *file, const char *key, double value)
{
	if (isnan(value))
		fprintf(file, ", \"%s\": null", key);
	else
		fprintf(file, ", \"%s\": %.6g", key, value);
}

static void json_row(FILE *file, const char *name, const struct tally *t)
{
	fprintf(file,
		"    {\"fault\": \"%s\", \"count\": %u, \"heard\": %u, \"heard_while_stalled\": %u, \"lost\": %llu, \"worst\": %u",
		name, t->count, t->heard, t->stalled, (unsigned long long)t->lost, t->worst);
	json_number(file, "heard_while_no_processor_stood_still", t->looked ? t->calm : NAN);
	json_number(file, "repair_p50_ms", percentile(t->repair, t->repairs, 0.5));
	json_number(file, "repair_p99_ms", percentile(t->repair, t->repairs, 0.99));
	json_number(file, "seen_p50_us", percentile(t->seen, t->seens, 0.5));
	json_number(file, "seen_p99_us", percentile(t->seen, t->seens, 0.99));
	fprintf(file, ", \"unrecovered\": %u, \"failed\": %u}", t->unrecovered, t->failed);
}

static void json_bars(FILE *file, const struct chr_campaign *campaign)
{
	const char *comma = "";
	for (unsigned i = 0; i < BARS; i++) {
		double value = measured(campaign, bars[i].measure);
		if (!applies(&bars[i], &campaign->options) || isnan(value))
			continue;
		fprintf(file, "%s\n    {\"bar\": \"%s\", \"value\": %.6g, \"%s\": %g, \"holds\": %s}", comma, bars[i].name, value,
			bars[i].at_least ? "at_least" : "at_most", bars[i].limit, holds(&bars[i], value) ? "true" : "false");
		comma = ",";
	}
}

static void write_json(const struct chr_campaign *campaign, FILE *file)
{
	const struct chr_campaign_options *options = &campaign->options;
	const char *comma = "";
	fprintf(file, "{\n  \"server\": \"%s\", \"period\": %u, \"lanes\": %u, \"seed\": %u,\n",
		options->pipewire ? "pipewire" : "jackd2", options->period, options->lanes, options->seed);
	fprintf(file, "  \"stray\": %u, \"stray_while_stalled\": %u, \"sentinel_missed\": %llu,\n  \"faults\": [", campaign->stray,
		campaign->stray_stalled, (unsigned long long)campaign->session.stalled_frames);
	for (unsigned i = 0; i < chr_kind_count; i++) {
		struct tally t = tally(campaign, &chr_kind[i], 0);
		if (t.count) {
			fprintf(file, "%s\n", comma);
			json_row(file, chr_kind[i].name, &t);
			comma = ",";
		}
		release(&t);
	}
	fprintf(file, "\n  ],\n  \"bars\": [");
	json_bars(file, campaign);
	fprintf(file, "\n  ]\n}\n");
}

unsigned chr_report(const struct chr_campaign *campaign)
{
	print_table(campaign);
	print_rest(campaign);
	unsigned broken = print_bars(campaign);
	if (campaign->options.json) {
		FILE *file = strcmp(campaign->options.json, "-") ? fopen(campaign->options.json, "w") : stdout;
		if (!file) {
			perror(campaign->options.json);
			return broken + 1;
		}
		write_json(campaign, file);
		if (file != stdout)
			fclose(file);
	}
	return broken;
}
