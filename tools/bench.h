/* chronus-bench: what all of its stages share: the book of figures, the stages, the pictures. One thread.
 *
 * A stage measures and enters rows into the book; what a row means (who is better, which bar holds) is decided here, once, for the printed
 * table, the JSON and the README alike.
 */
#ifndef CHR_TOOLS_BENCH_H
#define CHR_TOOLS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CHR_BENCH_TABLES 4u /* numbered from 1 */
#define CHR_BENCH_PEERS  2u
#define CHR_BENCH_LINES  4u   /* of a plot */
#define CHR_BENCH_POINTS 128u /* of a line */

/* A figure. NAN: there is none. */
struct chr_bench_row {
	unsigned table; /* 1 the predecessor's, 2 peers, 3 accuracy, 4 speed */
	char name[96], unit[16];
	double value;                 /* ours */
	double before;                /* table 1: the predecessor's */
	double floor;                 /* tables 1 and 4: what the same work costs at least, measured in the same run */
	double peer[CHR_BENCH_PEERS]; /* table 2: scsynth, supernova */
	double goal;
	bool of_ratio;                       /* the goal is one of the ratio value / floor */
	bool more;                           /* more is better */
	bool no_ratio;                       /* value and floor are shown side by side, but dividing them says nothing */
	char peer_says[CHR_BENCH_PEERS][24]; /* instead of a number: "dies" */
	char goal_says[32];                  /* a goal that is no number, of a merged row */
	int told;                            /* a merged row's own verdict: 1 met, 0 missed; -1: reckoned here */
};

enum chr_bench_verdict { CHR_BENCH_OPEN, CHR_BENCH_MET, CHR_BENCH_MISSED, CHR_BENCH_AHEAD, CHR_BENCH_EVEN, CHR_BENCH_BEHIND };

struct chr_bench_line {
	char name[48];
	unsigned count;
	double x[CHR_BENCH_POINTS], y[CHR_BENCH_POINTS];
	bool fit; /* draw the straight line through it */
};

struct chr_bench_plot {
	char file[48], title[96], x[48], y[48];
	unsigned count;
	struct chr_bench_line line[CHR_BENCH_LINES];
};

struct chr_bench_note {
	unsigned table;
	char text[256];
};

struct chr_bench {
	bool quick, full; /* full: --long */
	bool pipewire;
	char self[4096];   /* path of the program itself */
	char machine[256]; /* see chr_bench_machine() */
	struct chr_bench_row *row;
	size_t rows;
	struct chr_bench_note *note;
	size_t notes;
	struct chr_bench_plot *plot[16];
	size_t plots;
};

struct chr_bench_stage {
	const char *name, *help;
	/* 0; -1 when it could not run, after telling why on standard error. */
	int (*run)(struct chr_bench *bench);
};

extern const struct chr_bench_stage chr_bench_stages[];
extern const unsigned chr_bench_stage_count;

/* ---- the book ---- */

/* A row, all figures NAN: the one of this name in the table, or a new one. Valid until the next row is made. */
struct chr_bench_row *chr_bench_row(struct chr_bench *bench, unsigned table, const char *name, const char *unit);

/* A line below a table; it takes the place of one that begins with the same words up to a colon. */
void chr_bench_note(struct chr_bench *bench, unsigned table, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A plot that becomes FOLDER/file; a line of it, and a point of that. NULL when there are too many. */
struct chr_bench_plot *chr_bench_plot(struct chr_bench *bench, const char *file, const char *title, const char *x, const char *y);
struct chr_bench_line *chr_bench_line(struct chr_bench_plot *plot, const char *name);
void chr_bench_point(struct chr_bench_line *line, double x, double y);

/* value / floor, or value / the better peer in table 2; NAN without one. */
double chr_bench_ratio(const struct chr_bench_row *row);
enum chr_bench_verdict chr_bench_verdict(const struct chr_bench_row *row);
extern const char *const chr_bench_verdict_name[];

void chr_bench_finish(struct chr_bench *bench);

/* ---- what is made of it ---- */

void chr_bench_print(const struct chr_bench *bench, FILE *file);
void chr_bench_markdown(const struct chr_bench *bench, FILE *file);
int chr_bench_write_json(const struct chr_bench *bench, const char *path);  /* 0 or -1 */
int chr_bench_merge_json(struct chr_bench *bench, const char *path);        /* rows of another program or run; how many, or -1 */
int chr_bench_write_svg(const struct chr_bench *bench, const char *folder); /* 0 or -1 */

/* Replaces what stands between the two marker lines of the file `path` by the tables. 0 or -1. */
int chr_bench_rewrite(const struct chr_bench *bench, const char *path);

/* One line: processor, cores, kernel, JACK, date. */
void chr_bench_machine(char *text, size_t bytes);

/* ---- for stages ---- */

/* Progress, on a terminal. */
void chr_bench_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A server of our own with this period: the one that runs, or another. 0 or -1. */
int chr_bench_server(const struct chr_bench *bench, unsigned period);
void chr_bench_no_server(void);

int chr_bench_accuracy(struct chr_bench *bench);
int chr_bench_dsp(struct chr_bench *bench);
int chr_bench_ring(struct chr_bench *bench);
int chr_bench_wake(struct chr_bench *bench);
int chr_bench_pool(struct chr_bench *bench);
int chr_bench_overhead(struct chr_bench *bench);
int chr_bench_scale(struct chr_bench *bench);
int chr_bench_latency(struct chr_bench *bench);
int chr_bench_underruns(struct chr_bench *bench);
int chr_bench_promise(struct chr_bench *bench);
int chr_bench_osc(struct chr_bench *bench);
int chr_bench_hop(struct chr_bench *bench);
int chr_bench_kills(struct chr_bench *bench);
int chr_bench_add(struct chr_bench *bench);
int chr_bench_onset(struct chr_bench *bench);
int chr_bench_peer_flood(struct chr_bench *bench);
int chr_bench_peer_voices(struct chr_bench *bench);
int chr_bench_peer_kill(struct chr_bench *bench);
int chr_bench_ugens(struct chr_bench *bench);
int chr_bench_memory(struct chr_bench *bench);
int chr_bench_start(struct chr_bench *bench);

#endif
