/* The tables, as text for a terminal and as Markdown. */
#include "tools/bench.h"

#include <math.h>
#include <string.h>

#define CELL    24
#define COLUMNS 5

enum source { BEFORE, VALUE, FLOOR, PEER_1, PEER_2, RATIO, GOAL };

struct column {
	const char *title;
	enum source source;
};

static const struct {
	const char *title;
	struct column column[COLUMNS];
} table[CHR_BENCH_TABLES] = {
	{"1. The predecessor's figures",
	 {{"predecessor", BEFORE}, {"Chronus", VALUE}, {"floor", FLOOR}, {"Chronus / floor", RATIO}, {"target", GOAL}}},
	{"2. Peers", {{"Chronus", VALUE}, {"scsynth", PEER_1}, {"supernova", PEER_2}, {"Chronus / best", RATIO}, {"goal", GOAL}}},
	{"3. Musical accuracy", {{"Chronus", VALUE}, {"goal", GOAL}}},
	{"4. Speed", {{"Chronus", VALUE}, {"floor or peer", FLOOR}, {"ratio", RATIO}, {"goal", GOAL}}},
};

static unsigned column_count(unsigned t)
{
	unsigned count = 0;
	while (count < COLUMNS && table[t].column[count].title)
		count++;
	return count;
}

static void number(char *text, double value)
{
	double size = fabs(value);
	if (isnan(value))
		snprintf(text, CELL, "-");
	else if (size >= 1000 || value == rint(value))
		snprintf(text, CELL, "%.0f", value);
	else
		snprintf(text, CELL, size >= 100 ? "%.1f" : size >= 1 ? "%.2f" : size >= 0.01 ? "%.3f" : "%.2g", value);
}

static void goal(char *text, const struct chr_bench_row *row)
{
	char limit[CELL];
	if (row->goal_says[0]) {
		snprintf(text, CELL, "%.*s", CELL - 1, row->goal_says);
		return;
	}
	number(limit, row->goal);
	if (isnan(row->goal))
		snprintf(text, CELL, "-");
	else
		snprintf(text, CELL, "%s %.16s%s", row->more ? ">=" : "<=", limit, row->of_ratio ? " x" : "");
}

static void cell(char *text, const struct chr_bench_row *row, enum source source)
{
	switch (source) {
	case BEFORE:
		number(text, row->before);
		break;
	case VALUE:
		number(text, row->value);
		break;
	case FLOOR:
		number(text, row->floor);
		break;
	case PEER_1:
	case PEER_2:
		number(text, row->peer[source - PEER_1]);
		if (row->peer_says[source - PEER_1][0])
			snprintf(text, CELL, "%s", row->peer_says[source - PEER_1]);
		break;
	case RATIO:
		number(text, chr_bench_ratio(row));
		break;
	case GOAL:
		goal(text, row);
		break;
	}
}

static bool present(const struct chr_bench *bench, unsigned t)
{
	for (size_t i = 0; i < bench->rows; i++)
		if (bench->row[i].table == t + 1)
			return true;
	for (size_t i = 0; i < bench->notes; i++)
		if (bench->note[i].table == t + 1)
			return true;
	return false;
}

static void label(char *text, size_t bytes, const struct chr_bench_row *row)
{
	snprintf(text, bytes, row->unit[0] ? "%s, %s" : "%s", row->name, row->unit);
}

static void print_table(const struct chr_bench *bench, unsigned t, FILE *file)
{
	char text[128];
	fprintf(file, "\n%-66s", table[t].title);
	for (unsigned c = 0; c < column_count(t); c++)
		fprintf(file, " %15s", table[t].column[c].title);
	fputc('\n', file);
	for (size_t i = 0; i < bench->rows; i++) {
		const struct chr_bench_row *row = &bench->row[i];
		if (row->table != t + 1)
			continue;
		label(text, sizeof text, row);
		fprintf(file, "%-66s", text);
		for (unsigned c = 0; c < column_count(t); c++) {
			cell(text, row, table[t].column[c].source);
			fprintf(file, " %15s", text);
		}
		fprintf(file, "  %s\n", chr_bench_verdict_name[chr_bench_verdict(row)]);
	}
	for (size_t i = 0; i < bench->notes; i++)
		if (bench->note[i].table == t + 1)
			fprintf(file, "  %s\n", bench->note[i].text);
}

void chr_bench_print(const struct chr_bench *bench, FILE *file)
{
	fprintf(file, "%s\n", bench->machine);
	for (unsigned t = 0; t < CHR_BENCH_TABLES; t++)
		if (present(bench, t))
			print_table(bench, t, file);
}

static void markdown_table(const struct chr_bench *bench, unsigned t, FILE *file)
{
	char text[128];
	bool first = true;
	fprintf(file, "\n### %s\n\n| |", table[t].title);
	for (unsigned c = 0; c < column_count(t); c++)
		fprintf(file, " %s |", table[t].column[c].title);
	fputs(" |\n|---|", file);
	for (unsigned c = 0; c < column_count(t); c++)
		fputs("--:|", file);
	fputs("---|\n", file);
	for (size_t i = 0; i < bench->rows; i++) {
		const struct chr_bench_row *row = &bench->row[i];
		if (row->table != t + 1)
			continue;
		label(text, sizeof text, row);
		fprintf(file, "| %s |", text);
		for (unsigned c = 0; c < column_count(t); c++) {
			cell(text, row, table[t].column[c].source);
			fprintf(file, " %s |", text);
		}
		fprintf(file, " %s |\n", chr_bench_verdict_name[chr_bench_verdict(row)]);
	}
	for (size_t i = 0; i < bench->notes; i++) {
		if (bench->note[i].table != t + 1)
			continue;
		fprintf(file, "%s- %s\n", first ? "\n" : "", bench->note[i].text);
		first = false;
	}
}

void chr_bench_markdown(const struct chr_bench *bench, FILE *file)
{
	fprintf(file, "Measured with `make bench%s` on: %s\n", bench->quick ? " BENCH=--quick" : "", bench->machine);
	for (unsigned t = 0; t < CHR_BENCH_TABLES; t++)
		if (present(bench, t))
			markdown_table(bench, t, file);
}
