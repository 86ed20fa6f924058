/* The sinusoid of known frequency in a recording, by least squares in double precision. */
#ifndef CHR_TESTS_LIB_FIT_H
#define CHR_TESTS_LIB_FIT_H

#include <complex.h>
#include <stddef.h>
#include <stdint.h>

struct fit {
	double amplitude;
	double turns;       /* phase of the sine at frame 0, 0..1 */
	double residual_db; /* rms of what remains, relative to the rms of the sinusoid: THD+N when that is all there is */
};

/* `cycles` per frame; `first` is the frame number of samples[0]. */
struct fit fit_sine(const float *samples, size_t count, double cycles, uint64_t first);

/* Fourier transform at one frequency (`cycles` per frame); of an impulse response it is the response. */
double complex fit_fourier(const float *samples, size_t count, double cycles);

/* Fraction of a turn, 0..1, after `frames` frames; exact to 1e-15 for any count. */
double fit_turns(double cycles, uint64_t frames);

#endif
