/* What a recording holds: the sine in it, clicks, gaps, onsets. Pure functions; main thread; frames count from the start of the data. */
#ifndef CHR_TESTS_LIB_ANALYSIS_H
#define CHR_TESTS_LIB_ANALYSIS_H

#include <stddef.h>

struct chr_sine {
	double hz; /* relative to the sample clock */
	double amplitude;
	double phase;    /* rad at frame 0: amplitude * sin(2 pi hz n / rate + phase) */
	double thd_n_db; /* everything that is not the sine, DC included, against the sine (RMS / RMS) */
	double worst;    /* largest magnitude of a sample's difference from the sine */
};

/* Fits one sine by least squares (Gauss-Newton on frequency, sine and cosine part, over windows that double; IEEE Std 1057 4.1.4.3). Good to
 * 1e-9 relative for a second of clean signal. `frames` >= 1024. 0, or -1 when there is no sine above 40 Hz to be found. */
int chr_sine_fit(const float *x, size_t frames, double rate, struct chr_sine *sine);

/* The worst error of the rule of a sine of `hz` and any amplitude and phase, y[n+1] = 2 cos(w) y[n] - y[n-1]: what clicks shows, whatever the level. */
double chr_sine_residue(const float *x, size_t frames, double rate, double hz);

/* The largest magnitude. */
double chr_peak(const float *x, size_t frames);

/* Difference of two frequencies in cents. */
double chr_cents(double hz, double reference_hz);

/* Clicks: places where the data departs from the sine by more than `threshold`; departures less than 64 frames apart are one. */
size_t chr_click_count(const float *x, size_t frames, double rate, const struct chr_sine *sine, double threshold);

/* Longest run of samples that are exactly zero; its start in *at (may be NULL). */
size_t chr_longest_gap(const float *x, size_t frames, size_t *at);

/* First frame from `from` on whose magnitude exceeds `threshold`; `frames` when there is none. */
size_t chr_onset(const float *x, size_t frames, size_t from, float threshold);

/* Standard deviation of `count` numbers; their mean in *mean (may be NULL). */
double chr_deviation(const double *x, size_t count, double *mean);

/* Spread of `count` numbers that a few strays do not move: the width of their middle half over 1.349, which is the standard deviation of what is
 * normally distributed. Sorts the numbers. */
double chr_spread(double *x, size_t count);

#endif
