/* The book of figures. */
#include "tools/bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define EVEN 0.05 /* closer to a peer than this is neither ahead nor behind */

const char *const chr_bench_verdict_name[] = {
	[CHR_BENCH_OPEN] = "",       [CHR_BENCH_MET] = "met",   [CHR_BENCH_MISSED] = "missed",
	[CHR_BENCH_AHEAD] = "ahead", [CHR_BENCH_EVEN] = "even", [CHR_BENCH_BEHIND] = "behind",
};

/* Room for one more of an array; ends the program when there is none. */
static void *grown(void *array, size_t count, size_t bytes)
{
	void *more = realloc(array, (count + 1) * bytes);
	if (!more) {
		perror("chronus-bench");
		exit(EXIT_FAILURE);
	}
	memset((char *)more + count * bytes, 0, bytes);
	return more;
}

static struct chr_bench_row *find_row(const struct chr_bench *bench, unsigned table, const char *name)
{
	for (size_t i = 0; i < bench->rows; i++)
		if (bench->row[i].table == table && strcmp(bench->row[i].name, name) == 0)
			return &bench->row[i];
	return NULL;
}

struct chr_bench_row *chr_bench_row(struct chr_bench *bench, unsigned table, const char *name, const char *unit)
{
	struct chr_bench_row *row = find_row(bench, table, name);
	if (!row) {
		bench->row = grown(bench->row, bench->rows, sizeof *bench->row);
		row = &bench->row[bench->rows++];
	}
	memset(row, 0, sizeof *row);
	row->table = table;
	snprintf(row->name, sizeof row->name, "%s", name);
	snprintf(row->unit, sizeof row->unit, "%s", unit);
	row->value = row->before = row->floor = row->goal = NAN;
	for (unsigned i = 0; i < CHR_BENCH_PEERS; i++)
		row->peer[i] = NAN;
	row->told = -1;
	return row;
}

/* A note with the same beginning, up to its colon. */
static struct chr_bench_note *find_note(const struct chr_bench *bench, unsigned table, const char *text)
{
	size_t length = strcspn(text, ":") + 1;
	for (size_t i = 0; i < bench->notes; i++)
		if (bench->note[i].table == table && strncmp(bench->note[i].text, text, length) == 0)
			return &bench->note[i];
	return NULL;
}

void chr_bench_note(struct chr_bench *bench, unsigned table, const char *format, ...)
{
	char text[sizeof bench->note->text];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	struct chr_bench_note *note = find_note(bench, table, text);
	if (!note) {
		bench->note = grown(bench->note, bench->notes, sizeof *bench->note);
		note = &bench->note[bench->notes++];
	}
	note->table = table;
	snprintf(note->text, sizeof note->text, "%s", text);
}

struct chr_bench_plot *chr_bench_plot(struct chr_bench *bench, const char *file, const char *title, const char *x, const char *y)
{
	if (bench->plots == sizeof bench->plot / sizeof bench->plot[0])
		return NULL;
	struct chr_bench_plot *plot = grown(NULL, 0, sizeof *plot);
	bench->plot[bench->plots++] = plot;
	snprintf(plot->file, sizeof plot->file, "%s", file);
	snprintf(plot->title, sizeof plot->title, "%s", title);
	snprintf(plot->x, sizeof plot->x, "%s", x);
	snprintf(plot->y, sizeof plot->y, "%s", y);
	return plot;
}

struct chr_bench_line *chr_bench_line(struct chr_bench_plot *plot, const char *name)
{
	if (!plot || plot->count == CHR_BENCH_LINES)
		return NULL;
	struct chr_bench_line *line = &plot->line[plot->count++];
	snprintf(line->name, sizeof line->name, "%s", name);
	return line;
}

void chr_bench_point(struct chr_bench_line *line, double x, double y)
{
	if (!line || line->count == CHR_BENCH_POINTS)
		return;
	line->x[line->count] = x;
	line->y[line->count++] = y;
}

/* The better of the peers; NAN without one. */
static double best_peer(const struct chr_bench_row *row)
{
	double best = NAN;
	for (unsigned i = 0; i < CHR_BENCH_PEERS; i++) {
		double peer = row->peer[i];
		if (!isnan(peer) && (isnan(best) || (row->more ? peer > best : peer < best)))
			best = peer;
	}
	return best;
}

double chr_bench_ratio(const struct chr_bench_row *row)
{
	double base = row->table == 2 ? best_peer(row) : row->floor;
	return row->no_ratio || base == 0 ? NAN : row->value / base;
}

static enum chr_bench_verdict against_goal(const struct chr_bench_row *row)
{
	double value = row->of_ratio ? chr_bench_ratio(row) : row->value;
	if (isnan(value))
		return CHR_BENCH_OPEN;
	return (row->more ? value >= row->goal : value <= row->goal) ? CHR_BENCH_MET : CHR_BENCH_MISSED;
}

static enum chr_bench_verdict against(const struct chr_bench_row *row, double other)
{
	double gain = row->more ? row->value - other : other - row->value;
	if (isnan(gain))
		return CHR_BENCH_OPEN;
	if (fabs(gain) <= EVEN * fabs(other))
		return CHR_BENCH_EVEN;
	return gain > 0 ? CHR_BENCH_AHEAD : CHR_BENCH_BEHIND;
}

enum chr_bench_verdict chr_bench_verdict(const struct chr_bench_row *row)
{
	if (row->told >= 0)
		return row->told ? CHR_BENCH_MET : CHR_BENCH_MISSED;
	if (!isnan(row->goal))
		return against_goal(row);
	return against(row, row->table == 2 ? best_peer(row) : row->before);
}

void chr_bench_finish(struct chr_bench *bench)
{
	free(bench->row);
	free(bench->note);
	for (size_t i = 0; i < bench->plots; i++)
		free(bench->plot[i]);
}
