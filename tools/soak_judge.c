#include "tools/soak_judge.h"

#include "tools/bench_stat.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define RSS_GROWTH     5.0  /* % */
#define LATENCY_GROWTH 50.0 /* % */

const struct chr_soak_name chr_soak_name[CHR_SOAK_MEASURES] = {
	[CHR_SOAK_RSS] = {"rss_mib", "supervisor, resident", "MiB"},
	[CHR_SOAK_PRIVATE] = {"private_mib", "supervisor, private", "MiB"},
	[CHR_SOAK_FDS] = {"fds", "supervisor, descriptors", ""},
	[CHR_SOAK_THREADS] = {"threads", "supervisor, threads", ""},
	[CHR_SOAK_CPU] = {"cpu_percent", "supervisor, processor", "% of a core"},
	[CHR_SOAK_PROCESSES] = {"processes", "processes", ""},
	[CHR_SOAK_MODULES_RSS] = {"modules_rss_mib", "modules, resident", "MiB"},
	[CHR_SOAK_MODULES_PRIVATE] = {"modules_private_mib", "modules, private", "MiB"},
	[CHR_SOAK_PING_P50] = {"ping_p50_ms", "OSC round trip, p50", "ms"},
	[CHR_SOAK_PING_P99] = {"ping_p99_ms", "OSC round trip, p99", "ms"},
	[CHR_SOAK_WITNESS_P99] = {"witness_p99_ms", "bare round trip, p99", "ms"},
	[CHR_SOAK_REPAIR] = {"repair_ms", "repair, median", "ms"},
};

int chr_soak_record_add(struct chr_soak_record *record, const struct chr_soak_sample *sample)
{
	if (record->samples == record->room) {
		size_t room = record->room ? 2 * record->room : 128;
		struct chr_soak_sample *grown = realloc(record->sample, room * sizeof *grown);
		if (!grown)
			return -ENOMEM;
		record->sample = grown;
		record->room = room;
	}
	record->sample[record->samples++] = *sample;
	return 0;
}

void chr_soak_record_finish(struct chr_soak_record *record)
{
	free(record->sample);
	*record = (struct chr_soak_record){0};
}

/* ---- series ---- */

struct series {
	double *x, *y; /* minutes, values */
	size_t count;
};

/* What is known of samples from..to. Empty without memory. */
static struct series series_of(const struct chr_soak_record *record, enum chr_soak_measure measure, size_t from, size_t to)
{
	struct series s = {.x = calloc(to - from + 1, sizeof(double)), .y = calloc(to - from + 1, sizeof(double))};
	for (size_t i = from; s.x && s.y && i < to; i++) {
		const struct chr_soak_sample *sample = &record->sample[i];
		if (!isfinite(sample->value[measure]))
			continue;
		s.x[s.count] = sample->at_s / 60;
		s.y[s.count++] = sample->value[measure];
	}
	return s;
}

static void release(struct series *s)
{
	free(s->x);
	free(s->y);
}

static double median_of(const struct chr_soak_record *record, enum chr_soak_measure measure, size_t from, size_t to)
{
	struct series s = series_of(record, measure, from, to);
	double median = chr_stat_median(s.y, s.count);
	release(&s);
	return median;
}

struct chr_soak_trend chr_soak_trend_of(const struct chr_soak_record *record, enum chr_soak_measure measure)
{
	struct chr_soak_trend trend = {.slope = NAN, .growth = NAN};
	struct series s = series_of(record, measure, 0, record->samples);
	size_t part = s.count / 10 ? s.count / 10 : s.count > 0;
	trend.start = chr_stat_mean(s.y, part);
	trend.end = s.count ? chr_stat_mean(s.y + s.count - part, part) : NAN;
	release(&s);
	s = series_of(record, measure, record->samples / 2, record->samples);
	if (s.count >= CHR_SOAK_FEWEST) {
		double mean = chr_stat_mean(s.y, s.count);
		trend.slope = chr_stat_line(s.x, s.y, s.count).slope;
		trend.growth = mean > 0 ? 100 * trend.slope * (s.x[s.count - 1] - s.x[0]) / mean : NAN;
	}
	release(&s);
	return trend;
}

static double ratio_of_halves(const struct chr_soak_record *record, enum chr_soak_measure measure)
{
	size_t half = record->samples / 2, middle = half + (record->samples - half) / 2;
	return median_of(record, measure, middle, record->samples) / median_of(record, measure, half, middle);
}

double chr_soak_latency_growth(const struct chr_soak_record *record)
{
	if (record->samples < 2 * (size_t)CHR_SOAK_FEWEST)
		return NAN;
	double ratio = ratio_of_halves(record, CHR_SOAK_PING_P99), witness = ratio_of_halves(record, CHR_SOAK_WITNESS_P99);
	return 100 * (ratio / (witness > 1 ? witness : 1) - 1);
}

/* ---- verdicts ---- */

static void at_most(struct figures *figures, double value, const char *unit, double goal, const char *name)
{
	figures_add(figures, value, unit, AT_MOST, goal, "%s", name);
}

/* A growth that is not known because there was no time for it has no goal. */
static void growth(struct figures *figures, double value, double goal, const char *name)
{
	figures_add(figures, value, "%", isnan(value) ? NO_GOAL : AT_MOST, goal, "%s", name);
}

static double grown(const struct chr_soak_record *record, unsigned before, unsigned after)
{
	return record->rested ? (double)after - before : NAN;
}

void chr_soak_judge(const struct chr_soak_record *record, struct figures *figures)
{
	const struct chr_soak_rest *before = &record->before, *after = &record->after;
	figures_add(figures, record->faults, "", AT_LEAST, 1, "faults struck");
	at_most(figures, record->unrecovered, "", 0, "faults after which not all played within 10 s");
	at_most(figures, record->server_lost, "", 0, "JACK servers lost");
	at_most(figures, record->ended_badly, "", 0, "ends that were not asked for, or were refused");
	at_most(figures, grown(record, before->fds, after->fds), "", 0, "growth of the supervisor's descriptors, at rest");
	at_most(figures, grown(record, before->copies, after->copies), "", record->types,
		"growth of its copies of code, at rest: one a type");
	at_most(figures, grown(record, before->threads, after->threads), "", 0, "growth of its threads, at rest");
	at_most(figures, grown(record, before->processes, after->processes), "", 0, "growth of the processes, at rest");
	growth(figures, chr_soak_trend_of(record, CHR_SOAK_RSS).growth, RSS_GROWTH, "growth of its resident memory, second half");
	growth(figures, chr_soak_latency_growth(record), LATENCY_GROWTH, "growth of the OSC round trip's p99, second half");
	at_most(figures, record->pings_lost, "", 0, "OSC pings without an answer within 1 s");
	at_most(figures, record->unanswered, "", 0, "edits without an answer within 15 s");
}
