/* What many measurements of one thing come to. Pure functions. */
#ifndef CHR_TOOLS_BENCH_STAT_H
#define CHR_TOOLS_BENCH_STAT_H

#include <stddef.h>

/* Sorts `x` and returns the value that `share` (0..1) of it does not exceed; NAN of none. */
double chr_stat_percentile(double *x, size_t count, double share);
double chr_stat_median(double *x, size_t count);

/* Standard deviation; NAN of fewer than two. */
double chr_stat_deviation(const double *x, size_t count);
double chr_stat_mean(const double *x, size_t count);

struct chr_stat_fit {
	double slope, offset;
	double r2;    /* share of the variance that the line explains */
	double worst; /* largest distance from the line */
};

/* The straight line of least squares. */
struct chr_stat_fit chr_stat_line(const double *x, const double *y, size_t count);

/* A round distance between the marks of an axis that ends at `most`: 1, 2 or 5 times a power of ten, about `marks` of them. */
double chr_stat_step(double most, double marks);

#endif
