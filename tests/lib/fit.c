#include "tests/lib/fit.h"

#include <math.h>

double fit_turns(double cycles, uint64_t frames)
{
	const long double turns = (long double)cycles * (long double)frames;

	return (double)(turns - floorl(turns));
}

struct fit fit_sine(const float *samples, size_t count, double cycles, uint64_t first)
{
	double ss = 0.0, cc = 0.0, sc = 0.0, xs = 0.0, xc = 0.0, rest = 0.0, a, b, det;
	struct fit fit;

	for (size_t i = 0; i < count; i++) {
		const double angle = 2.0 * M_PI * fit_turns(cycles, first + i), s = sin(angle), c = cos(angle);

		ss += s * s;
		cc += c * c;
		sc += s * c;
		xs += samples[i] * s;
		xc += samples[i] * c;
	}
	det = ss * cc - sc * sc;
	a = (xs * cc - xc * sc) / det;
	b = (xc * ss - xs * sc) / det;
	for (size_t i = 0; i < count; i++) {
		const double angle = 2.0 * M_PI * fit_turns(cycles, first + i), r = samples[i] - a * sin(angle) - b * cos(angle);

		rest += r * r;
	}
	fit.amplitude = hypot(a, b);
	fit.turns = atan2(b, a) / (2.0 * M_PI);
	fit.turns -= floor(fit.turns);
	fit.residual_db = 10.0 * log10(rest / (double)count / (fit.amplitude * fit.amplitude / 2.0));
	return fit;
}

double complex fit_fourier(const float *samples, size_t count, double cycles)
{
	const double complex turn = cexp(-I * 2.0 * M_PI * cycles);
	double complex sum = 0.0;

	for (size_t i = count; i-- > 0;)
		sum = sum * turn + (double)samples[i];
	return sum;
}
