/* A soak as a picture: panels one above the other over one time axis, the faults as lines through all of them. */
#include "tools/soak.h"

#include "tools/bench_stat.h"

#include <math.h>
#include <stdio.h>

#define WIDTH  960.0
#define LEFT   64.0
#define RIGHT  16.0
#define TOP    56.0
#define PANEL  110.0
#define GAP    34.0
#define LINES  3
#define MARKS  4
#define MINUTE 60.0

static const struct panel {
	const char *title;
	enum chr_soak_measure line[LINES];
	unsigned lines;
	bool dots; /* and no line between them */
} panels[] = {
	{"supervisor: memory, MiB", {CHR_SOAK_RSS, CHR_SOAK_PRIVATE}, 2, false},
	{"modules: memory, sum, MiB", {CHR_SOAK_MODULES_RSS, CHR_SOAK_MODULES_PRIVATE}, 2, false},
	{"supervisor: descriptors, threads; processes", {CHR_SOAK_FDS, CHR_SOAK_THREADS, CHR_SOAK_PROCESSES}, 3, false},
	{"supervisor: processor, % of a core", {CHR_SOAK_CPU}, 1, false},
	{"OSC round trip, ms", {CHR_SOAK_PING_P50, CHR_SOAK_PING_P99, CHR_SOAK_WITNESS_P99}, 3, false},
	{"repair, ms", {CHR_SOAK_REPAIR}, 1, true},
};

static const unsigned panel_count = sizeof panels / sizeof panels[0];

static const char *const color[LINES] = {"#1f6fb4", "#d1495b", "#2e933c"};

struct frame {
	double top;            /* of the panel */
	double x_most, y_most; /* minutes; the panel's unit */
};

static double at_x(const struct frame *frame, double minutes)
{
	return LEFT + minutes / frame->x_most * (WIDTH - LEFT - RIGHT);
}

static double at_y(const struct frame *frame, double value)
{
	return frame->top + PANEL - value / frame->y_most * PANEL;
}

static double most_of(const struct chr_soak *soak, const struct panel *panel)
{
	double most = 1e-3;
	for (unsigned i = 0; i < panel->lines; i++)
		for (size_t k = 0; k < soak->record.samples; k++)
			most = fmax(most, soak->record.sample[k].value[panel->line[i]]);
	for (unsigned i = 0; panel->dots && i < soak->faults; i++)
		most = fmax(most, soak->fault[i].repair_ms);
	return most;
}

static void draw_axes(FILE *f, const struct frame *frame, const char *title, double step)
{
	for (double y = 0; y <= frame->y_most * 1.0001; y += step)
		fprintf(f,
			"<path d=\"M%.1f %.1fH%.1f\" stroke=\"#ddd\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
			LEFT, at_y(frame, y), WIDTH - RIGHT, LEFT - 6, at_y(frame, y) + 4, y);
	fprintf(f, "<path d=\"M%.1f %.1fV%.1fH%.1f\" stroke=\"#444\" fill=\"none\"/>\n", LEFT, frame->top, frame->top + PANEL,
		WIDTH - RIGHT);
	fprintf(f, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", LEFT, frame->top - 8, title);
}

static void draw_line(FILE *f, const struct chr_soak *soak, const struct frame *frame, const struct panel *panel, unsigned i)
{
	enum chr_soak_measure measure = panel->line[i];
	double x = WIDTH - RIGHT - 190.0 * (panel->lines - i);
	fprintf(f, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"", color[i]);
	for (size_t k = 0; k < soak->record.samples; k++) {
		const struct chr_soak_sample *sample = &soak->record.sample[k];
		if (isfinite(sample->value[measure]))
			fprintf(f, "%.1f,%.1f ", at_x(frame, sample->at_s / MINUTE), at_y(frame, sample->value[measure]));
	}
	fprintf(f,
		"\"/>\n<rect x=\"%.1f\" y=\"%.1f\" width=\"10\" height=\"10\" fill=\"%s\"/><text x=\"%.1f\" y=\"%.1f\">%s</text>\n",
		x, frame->top - 17, color[i], x + 14, frame->top - 8, chr_soak_name[measure].name);
}

static void draw_repairs(FILE *f, const struct chr_soak *soak, const struct frame *frame)
{
	for (unsigned i = 0; i < soak->faults; i++)
		if (isfinite(soak->fault[i].repair_ms))
			fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2\" fill=\"%s\"/>\n",
				at_x(frame, soak->fault[i].at_s / MINUTE), at_y(frame, soak->fault[i].repair_ms), color[0]);
}

/* Those that were recovered from pale, so that what is plotted shows through. */
static void draw_faults(FILE *f, const struct chr_soak *soak, const struct frame *frame)
{
	for (unsigned i = 0; i < soak->faults; i++) {
		const struct chr_soak_fault *fault = &soak->fault[i];
		fprintf(f, "<path d=\"M%.1f %.1fV%.1f\" stroke=\"%s\"><title>%.1f s: %s %s/%c</title></path>\n",
			at_x(frame, fault->at_s / MINUTE), frame->top, frame->top + PANEL, fault->unrecovered ? "#f00" : "#f3e3c0",
			fault->at_s, fault->kind->name, fault->module, 'a' + (char)fault->lane);
	}
}

static void draw_panel(FILE *f, const struct chr_soak *soak, const struct panel *panel, double top, double minutes)
{
	struct frame frame = {.top = top, .x_most = minutes, .y_most = most_of(soak, panel)};
	double step = chr_stat_step(frame.y_most, MARKS);
	frame.y_most = ceil(frame.y_most / step) * step;
	draw_faults(f, soak, &frame);
	draw_axes(f, &frame, panel->title, step);
	for (unsigned i = 0; i < LINES && i < panel->lines && !panel->dots; i++)
		draw_line(f, soak, &frame, panel, i);
	if (panel->dots)
		draw_repairs(f, soak, &frame);
}

static void draw_time(FILE *f, double minutes, double top)
{
	struct frame frame = {.top = top, .x_most = minutes, .y_most = 1};
	double step = chr_stat_step(minutes, 10);
	for (double x = 0; x <= minutes * 1.0001; x += step)
		fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%g</text>\n", at_x(&frame, x), top + PANEL + 16, x);
	fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">minutes</text>\n", (LEFT + WIDTH - RIGHT) / 2,
		top + PANEL + 32);
}

int chr_soak_write_svg(const struct chr_soak *soak)
{
	const struct chr_soak_record *record = &soak->record;
	double height = TOP + panel_count * (PANEL + GAP) + 20, minutes = soak->options.minutes;
	FILE *f = fopen(soak->options.svg, "w");
	if (!f) {
		perror(soak->options.svg);
		return -1;
	}
	if (record->samples)
		minutes = fmax(record->sample[record->samples - 1].at_s / MINUTE, 1e-3);
	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\" font-size=\"12\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
		"<text x=\"%.1f\" y=\"22\" font-size=\"15\">chronus-soak on %s, %u frames, seed %u: %u faults (vertical lines), %u "
		"unrecovered, %u edits</text>\n",
		WIDTH, height, LEFT, soak->options.pipewire ? "PipeWire" : "jackd2", soak->options.period, soak->options.seed,
		record->faults, record->unrecovered, record->edits + soak->drawn);
	for (unsigned i = 0; i < panel_count; i++)
		draw_panel(f, soak, &panels[i], TOP + i * (PANEL + GAP), minutes);
	draw_time(f, minutes, TOP + (panel_count - 1) * (PANEL + GAP));
	fputs("</svg>\n", f);
	if (fclose(f)) {
		perror(soak->options.svg);
		return -1;
	}
	return 0;
}
