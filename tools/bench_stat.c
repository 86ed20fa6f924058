#include "tools/bench_stat.h"

#include <math.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double chr_stat_percentile(double *x, size_t count, double share)
{
	if (!count)
		return NAN;
	qsort(x, count, sizeof *x, by_size);
	size_t at = (size_t)ceil(share * (double)count);
	return x[at ? at - 1 : 0];
}

double chr_stat_median(double *x, size_t count)
{
	return chr_stat_percentile(x, count, 0.5);
}

double chr_stat_mean(const double *x, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += x[i];
	return count ? sum / (double)count : NAN;
}

double chr_stat_deviation(const double *x, size_t count)
{
	double mean = chr_stat_mean(x, count), squares = 0;
	for (size_t i = 0; i < count; i++)
		squares += (x[i] - mean) * (x[i] - mean);
	return count > 1 ? sqrt(squares / (double)(count - 1)) : NAN;
}

struct chr_stat_fit chr_stat_line(const double *x, const double *y, size_t count)
{
	double mx = chr_stat_mean(x, count), my = chr_stat_mean(y, count), xx = 0, xy = 0, yy = 0, rest = 0;
	struct chr_stat_fit fit = {0};
	for (size_t i = 0; i < count; i++) {
		xx += (x[i] - mx) * (x[i] - mx);
		xy += (x[i] - mx) * (y[i] - my);
		yy += (y[i] - my) * (y[i] - my);
	}
	fit.slope = xx > 0 ? xy / xx : 0;
	fit.offset = my - fit.slope * mx;
	for (size_t i = 0; i < count; i++) {
		double e = y[i] - fit.offset - fit.slope * x[i];
		rest += e * e;
		fit.worst = fmax(fit.worst, fabs(e));
	}
	fit.r2 = yy > 0 ? 1 - rest / yy : 1;
	return fit;
}

double chr_stat_step(double most, double marks)
{
	double raw = most / marks, power = pow(10, floor(log10(raw))), part = raw / power;
	return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}
