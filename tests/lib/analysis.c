#include "tests/lib/analysis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CLICK_APART 64

/* Frequency by the first and last upward zero crossing, interpolated: good to a few parts in 10^5 of a clean sine. */
static double crossing_hz(const float *x, size_t frames, double rate)
{
	double first = -1.0, last = -1.0;
	size_t count = 0;
	for (size_t i = 1; i < frames; i++) {
		if (!(x[i - 1] < 0.0f && x[i] >= 0.0f))
			continue;
		last = (double)(i - 1) + x[i - 1] / ((double)x[i - 1] - x[i]);
		if (count++ == 0)
			first = last;
	}
	return count < 2 ? 0.0 : (double)(count - 1) * rate / (last - first);
}

/* Solves a x = b for three unknowns by elimination with pivoting. */
static int solve3(double a[3][4], double x[3])
{
	for (int c = 0; c < 3; c++) {
		int pivot = c;
		for (int r = c + 1; r < 3; r++)
			if (fabs(a[r][c]) > fabs(a[pivot][c]))
				pivot = r;
		if (a[pivot][c] == 0.0)
			return -1;
		double row[4];
		memcpy(row, a[c], sizeof row);
		memcpy(a[c], a[pivot], sizeof row);
		memcpy(a[pivot], row, sizeof row);
		for (int r = 0; r < 3; r++) {
			double f = r == c ? 0.0 : a[r][c] / a[c][c];
			for (int k = c; k < 4; k++)
				a[r][k] -= f * a[c][k];
		}
	}
	for (int i = 0; i < 3; i++)
		x[i] = a[i][3] / a[i][i];
	return 0;
}

struct model {
	double w, s, c; /* s sin(w n) + c cos(w n); n counts from the middle of the window, which decouples w from the phase */
};

static int improve(const float *x, size_t frames, struct model *m)
{
	double a[3][4] = {{0}}, d[3], middle = floor((double)frames / 2.0);
	for (size_t i = 0; i < frames; i++) {
		double n = (double)i - middle, sn = sin(m->w * n), cs = cos(m->w * n);
		double g[3] = {sn, cs, n * (m->s * cs - m->c * sn) / (double)frames};
		double rest = x[i] - m->s * sn - m->c * cs;
		for (int r = 0; r < 3; r++) {
			for (int k = 0; k < 3; k++)
				a[r][k] += g[r] * g[k];
			a[r][3] += g[r] * rest;
		}
	}
	if (m->s == 0.0 && m->c == 0.0) { /* nothing known of the phase yet: w stays */
		a[2][2] = 1.0;
		a[2][3] = 0.0;
	}
	if (solve3(a, d) < 0)
		return -1;
	m->s += d[0];
	m->c += d[1];
	m->w += d[2] / (double)frames;
	return 0;
}

int chr_sine_fit(const float *x, size_t frames, double rate, struct chr_sine *sine)
{
	struct model m = {0};
	size_t start = frames < 4096 ? frames : 4096;
	m.w = 2.0 * M_PI * crossing_hz(x, start, rate) / rate;
	if (frames < 1024 || m.w < 2.0 * M_PI * 40.0 / rate || m.w > M_PI)
		return -1;
	/* Always windows from frame 0: the phase at the middle moves with the window, so it is found anew for each. */
	for (size_t window = start;; window = window * 2 < frames ? window * 2 : frames) {
		m.s = m.c = 0.0;
		for (int step = 0; step < 6; step++)
			if (improve(x, window, &m) < 0)
				return -1;
		if (window == frames)
			break;
	}
	double middle = floor((double)frames / 2.0), rest = 0.0;
	sine->hz = m.w * rate / (2.0 * M_PI);
	sine->amplitude = hypot(m.s, m.c);
	sine->phase = remainder(atan2(m.c, m.s) - m.w * middle, 2.0 * M_PI);
	sine->worst = 0.0;
	for (size_t i = 0; i < frames; i++) {
		double e = x[i] - sine->amplitude * sin(m.w * ((double)i - middle) + atan2(m.c, m.s));
		rest += e * e;
		sine->worst = fmax(sine->worst, fabs(e));
	}
	sine->thd_n_db = 10.0 * log10(rest / (double)frames / (sine->amplitude * sine->amplitude / 2.0));
	return sine->amplitude > 0.0 ? 0 : -1;
}

double chr_sine_residue(const float *x, size_t frames, double rate, double hz)
{
	double c = 2 * cos(2 * M_PI * hz / rate), worst = 0;
	for (size_t i = 1; i + 1 < frames; i++)
		worst = fmax(worst, fabs(x[i + 1] - c * x[i] + x[i - 1]));
	return worst;
}

double chr_peak(const float *x, size_t frames)
{
	double peak = 0;
	for (size_t i = 0; i < frames; i++)
		peak = fmax(peak, fabs((double)x[i]));
	return peak;
}

double chr_cents(double hz, double reference_hz)
{
	return 1200.0 * log2(hz / reference_hz);
}

size_t chr_click_count(const float *x, size_t frames, double rate, const struct chr_sine *sine, double threshold)
{
	double w = 2.0 * M_PI * sine->hz / rate;
	size_t clicks = 0, last = 0;
	for (size_t i = 0; i < frames; i++) {
		if (fabs(x[i] - sine->amplitude * sin(w * (double)i + sine->phase)) <= threshold)
			continue;
		if (clicks == 0 || i - last > CLICK_APART)
			clicks++;
		last = i;
	}
	return clicks;
}

size_t chr_longest_gap(const float *x, size_t frames, size_t *at)
{
	size_t longest = 0, run = 0;
	for (size_t i = 0; i < frames; i++) {
		run = x[i] == 0.0f ? run + 1 : 0;
		if (run > longest) {
			longest = run;
			if (at)
				*at = i + 1 - run;
		}
	}
	return longest;
}

size_t chr_onset(const float *x, size_t frames, size_t from, float threshold)
{
	for (size_t i = from; i < frames; i++)
		if (fabsf(x[i]) > threshold)
			return i;
	return frames;
}

double chr_deviation(const double *x, size_t count, double *mean)
{
	double sum = 0.0, squares = 0.0;
	for (size_t i = 0; i < count; i++)
		sum += x[i];
	double average = count ? sum / (double)count : 0.0;
	for (size_t i = 0; i < count; i++)
		squares += (x[i] - average) * (x[i] - average);
	if (mean)
		*mean = average;
	return count > 1 ? sqrt(squares / (double)(count - 1)) : 0.0;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double chr_spread(double *x, size_t count)
{
	if (count < 4)
		return INFINITY;
	qsort(x, count, sizeof *x, by_size);
	return (x[count * 3 / 4] - x[count / 4]) / 1.349;
}
