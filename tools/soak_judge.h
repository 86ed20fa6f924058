/* What a soak has recorded, and what it comes to: start, end, slope, verdicts. Pure functions. */
#ifndef CHR_TOOLS_SOAK_JUDGE_H
#define CHR_TOOLS_SOAK_JUDGE_H

#include "tools/figures.h"

#include <stdbool.h>
#include <stddef.h>

enum chr_soak_measure {
	CHR_SOAK_RSS,             /* MiB, of the supervisor */
	CHR_SOAK_PRIVATE,         /* MiB, of the supervisor */
	CHR_SOAK_FDS,             /* of the supervisor */
	CHR_SOAK_THREADS,         /* of the supervisor */
	CHR_SOAK_CPU,             /* % of a core, of the supervisor */
	CHR_SOAK_PROCESSES,       /* supervisor, modules, spares */
	CHR_SOAK_MODULES_RSS,     /* MiB, sum */
	CHR_SOAK_MODULES_PRIVATE, /* MiB, sum */
	CHR_SOAK_PING_P50,        /* ms, round trips of the time since the sample before */
	CHR_SOAK_PING_P99,        /* ms */
	CHR_SOAK_WITNESS_P99,     /* ms, the same with a socket that has nothing to do with chronus */
	CHR_SOAK_REPAIR,          /* ms, median of the repairs since the sample before */
	CHR_SOAK_MEASURES
};

struct chr_soak_name {
	const char *key, *name, *unit;
};

extern const struct chr_soak_name chr_soak_name[CHR_SOAK_MEASURES];

struct chr_soak_sample {
	double at_s;                     /* since the soak began */
	double value[CHR_SOAK_MEASURES]; /* NAN: not known */
};

/* What the supervisor holds when nothing happens and the patch is the one it began with. */
struct chr_soak_rest {
	unsigned fds, threads, processes; /* descriptors beside the copies of code */
	unsigned copies;                  /* of module code: one for each module whose code was swapped, and one a type */
};

struct chr_soak_record {
	struct chr_soak_sample *sample; /* by time */
	size_t samples, room;
	struct chr_soak_rest before, after;
	unsigned types;               /* of modules */
	bool rested;                  /* false: it broke off, `after` is not known */
	unsigned faults, unrecovered; /* struck; not all played within 10 s */
	unsigned edits, refused, unanswered;
	unsigned pings, pings_lost;
	unsigned server_lost;    /* 1: the JACK server has gone */
	unsigned ended_badly;    /* 1: chronus ended, or could not be ended */
	unsigned skipped_frames; /* that out did not play while the machine did not stall */
};

/* Appends a copy. 0 or -ENOMEM. */
int chr_soak_record_add(struct chr_soak_record *record, const struct chr_soak_sample *sample);
void chr_soak_record_finish(struct chr_soak_record *record);

struct chr_soak_trend {
	double start, end; /* means of the first and of the last tenth */
	double slope; /* per minute, of the straight line through the second half; NAN of fewer than CHR_SOAK_FEWEST samples there */
	double growth; /* %, what that line rises by over the second half, of its mean; NAN likewise */
};

#define CHR_SOAK_FEWEST 6

struct chr_soak_trend chr_soak_trend_of(const struct chr_soak_record *record, enum chr_soak_measure measure);

/* How much the latency's p99 has grown within the second half (%), its later half against its earlier one, by medians; beyond what the
 * witness's has grown. NAN of too few samples. */
double chr_soak_latency_growth(const struct chr_soak_record *record);

/* Enters the verdicts. What a soak is too short to judge has no goal. */
void chr_soak_judge(const struct chr_soak_record *record, struct figures *figures);

#endif
