/* The filters of R. Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter coefficients", in double precision. Pure functions. */
#ifndef CHR_TESTS_LIB_COOKBOOK_H
#define CHR_TESTS_LIB_COOKBOOK_H

#include <complex.h>

/* Coefficients of z^0, z^-1, z^-2: numerator and denominator. */
struct cookbook {
	double b[3], a[3];
};

/* The modes of the module biquad, in the order of the cookbook. */
extern const char *const cookbook_modes[];
#define COOKBOOK_MODES 8u

struct cookbook cookbook(unsigned mode, double hz, double q, double gain_db, double rate_hz);

/* The response at a frequency. */
double complex cookbook_response(const struct cookbook *c, double hz, double rate_hz);

#endif
