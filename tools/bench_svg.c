/* The plots as SVG: points, lines and, where asked, the straight line through them. */
#include "tools/bench.h"
#include "tools/bench_stat.h"

#include <math.h>
#include <sys/stat.h>

#define WIDTH  720.0
#define HEIGHT 420.0
#define LEFT   70.0
#define RIGHT  20.0
#define TOP    50.0
#define BOTTOM 60.0
#define MARKS  6

static const char *const color[CHR_BENCH_LINES] = {"#1f6fb4", "#d1495b", "#2e933c", "#7d5ba6"};

struct scale {
	double x_most, y_most, x_step, y_step;
};

static struct scale scale_of(const struct chr_bench_plot *plot)
{
	struct scale s = {1e-9, 1e-9, 0, 0};
	for (unsigned i = 0; i < plot->count; i++)
		for (unsigned k = 0; k < plot->line[i].count; k++) {
			s.x_most = fmax(s.x_most, plot->line[i].x[k]);
			s.y_most = fmax(s.y_most, plot->line[i].y[k]);
		}
	s.x_step = chr_stat_step(s.x_most, MARKS);
	s.y_step = chr_stat_step(s.y_most, MARKS);
	s.x_most = ceil(s.x_most / s.x_step) * s.x_step;
	s.y_most = ceil(s.y_most / s.y_step) * s.y_step;
	return s;
}

static double at_x(const struct scale *s, double x)
{
	return LEFT + x / s->x_most * (WIDTH - LEFT - RIGHT);
}

static double at_y(const struct scale *s, double y)
{
	return HEIGHT - BOTTOM - y / s->y_most * (HEIGHT - TOP - BOTTOM);
}

static void draw_axes(FILE *f, const struct chr_bench_plot *plot, const struct scale *s)
{
	double middle = (LEFT + WIDTH - RIGHT) / 2;
	for (double y = 0; y <= s->y_most * 1.0001; y += s->y_step)
		fprintf(f,
			"<path d=\"M%.1f %.1fH%.1f\" stroke=\"#ddd\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
			LEFT, at_y(s, y), WIDTH - RIGHT, LEFT - 8, at_y(s, y) + 4, y);
	for (double x = 0; x <= s->x_most * 1.0001; x += s->x_step)
		fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%g</text>\n", at_x(s, x), HEIGHT - BOTTOM + 18, x);
	fprintf(f, "<path d=\"M%.1f %.1fV%.1fH%.1f\" stroke=\"#444\" fill=\"none\"/>\n", LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT);
	fprintf(f, "<text x=\"%.1f\" y=\"24\" text-anchor=\"middle\" font-size=\"15\">%s</text>\n", middle, plot->title);
	fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", middle, HEIGHT - 16, plot->x);
	fprintf(f, "<text transform=\"translate(18 %.1f) rotate(-90)\" text-anchor=\"middle\">%s</text>\n", HEIGHT / 2, plot->y);
}

static void draw_line(FILE *f, const struct chr_bench_line *line, const struct scale *s, unsigned i)
{
	for (unsigned k = 0; k < line->count; k++)
		fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", at_x(s, line->x[k]), at_y(s, line->y[k]),
			color[i]);
	if (line->fit && line->count > 1) {
		struct chr_stat_fit fit = chr_stat_line(line->x, line->y, line->count);
		fprintf(f, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"%s\" stroke-dasharray=\"5 4\"/>\n", at_x(s, 0),
			at_y(s, fmax(fit.offset, 0)), at_x(s, s->x_most), at_y(s, fit.offset + fit.slope * s->x_most), color[i]);
	} else if (line->count > 1) {
		fprintf(f, "<polyline fill=\"none\" stroke=\"%s\" points=\"", color[i]);
		for (unsigned k = 0; k < line->count; k++)
			fprintf(f, "%.1f,%.1f ", at_x(s, line->x[k]), at_y(s, line->y[k]));
		fputs("\"/>\n", f);
	}
	fprintf(f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" fill=\"%s\"/><text x=\"%.1f\" y=\"%.1f\">%s</text>\n",
		LEFT + 14, TOP + 8 + 20 * i, color[i], LEFT + 32, TOP + 18 + 20 * i, line->name);
}

static int write_plot(const struct chr_bench_plot *plot, const char *folder)
{
	char path[4096];
	struct scale s = scale_of(plot);
	snprintf(path, sizeof path, "%s/%s", folder, plot->file);
	FILE *f = fopen(path, "w");
	if (!f) {
		fprintf(stderr, "chronus-bench: cannot write %s\n", path);
		return -1;
	}
	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\" font-size=\"12\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		WIDTH, HEIGHT);
	draw_axes(f, plot, &s);
	for (unsigned i = 0; i < plot->count; i++)
		draw_line(f, &plot->line[i], &s, i);
	fputs("</svg>\n", f);
	return fclose(f) ? -1 : 0;
}

int chr_bench_write_svg(const struct chr_bench *bench, const char *folder)
{
	int rc = 0;
	mkdir(folder, 0777);
	for (size_t i = 0; i < bench->plots; i++)
		if (write_plot(bench->plot[i], folder))
			rc = -1;
	return rc;
}
