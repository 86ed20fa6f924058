#include "tests/lib/cookbook.h"

#include <math.h>

const char *const cookbook_modes[COOKBOOK_MODES] = {"lowpass", "highpass", "bandpass", "notch",
						    "allpass", "peak",     "lowshelf", "highshelf"};

static struct cookbook shelf(double cosine, double alpha, double a, double sign)
{
	const double root = 2.0 * sqrt(a) * alpha;

	return (struct cookbook){
		.b = {a * ((a + 1.0) - sign * (a - 1.0) * cosine + root), sign * 2.0 * a * ((a - 1.0) - sign * (a + 1.0) * cosine),
		      a * ((a + 1.0) - sign * (a - 1.0) * cosine - root)},
		.a = {(a + 1.0) + sign * (a - 1.0) * cosine + root, sign * -2.0 * ((a - 1.0) + sign * (a + 1.0) * cosine),
		      (a + 1.0) + sign * (a - 1.0) * cosine - root},
	};
}

struct cookbook cookbook(unsigned mode, double hz, double q, double gain_db, double rate_hz)
{
	const double w = 2.0 * M_PI * hz / rate_hz, k = cos(w), alpha = sin(w) / (2.0 * q), a = pow(10.0, gain_db / 40.0);
	const struct cookbook rows[] = {
		{{(1.0 - k) / 2.0, 1.0 - k, (1.0 - k) / 2.0}, {1.0 + alpha, -2.0 * k, 1.0 - alpha}},
		{{(1.0 + k) / 2.0, -(1.0 + k), (1.0 + k) / 2.0}, {1.0 + alpha, -2.0 * k, 1.0 - alpha}},
		{{alpha, 0.0, -alpha}, {1.0 + alpha, -2.0 * k, 1.0 - alpha}},
		{{1.0, -2.0 * k, 1.0}, {1.0 + alpha, -2.0 * k, 1.0 - alpha}},
		{{1.0 - alpha, -2.0 * k, 1.0 + alpha}, {1.0 + alpha, -2.0 * k, 1.0 - alpha}},
		{{1.0 + alpha * a, -2.0 * k, 1.0 - alpha * a}, {1.0 + alpha / a, -2.0 * k, 1.0 - alpha / a}},
	};

	return mode < 6 ? rows[mode] : shelf(k, alpha, a, mode == 6 ? 1.0 : -1.0);
}

double complex cookbook_response(const struct cookbook *c, double hz, double rate_hz)
{
	const double complex z = cexp(-I * 2.0 * M_PI * hz / rate_hz);

	return (c->b[0] + (c->b[1] + c->b[2] * z) * z) / (c->a[0] + (c->a[1] + c->a[2] * z) * z);
}
