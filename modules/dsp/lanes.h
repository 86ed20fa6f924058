/* Eight samples side by side. The compiler makes one, two or four registers of them, whatever the processor has; each lane is computed
 * on its own, so that the width changes no bit. */
#ifndef CHR_MODULES_DSP_LANES_H
#define CHR_MODULES_DSP_LANES_H

#include "modules/dsp/wide.h"

#include <stdint.h>
#include <string.h>

#define CHR_LANES 8u

typedef float chr_floats __attribute__((vector_size(32)));
typedef double chr_doubles __attribute__((vector_size(64)));

/* The lanes of two vectors that the numbers pick: 0-7 of the first, 8-15 of the second. */
#if defined(__clang__) || __GNUC__ >= 12
#define CHR_PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
typedef int32_t chr_picks __attribute__((vector_size(32)));
#define CHR_PICK(a, b, ...) __builtin_shuffle(a, b, (chr_picks){__VA_ARGS__})
#endif

/* Exchanges rows and columns: afterwards lane `b` of row `a` is what lane `a` of row `b` was. Realtime-safe. */
CHR_INLINE void chr_lanes_transpose(chr_floats row[CHR_LANES])
{
	chr_floats pair[CHR_LANES], four[CHR_LANES];

	for (unsigned i = 0; i < CHR_LANES; i += 2) {
		pair[i] = CHR_PICK(row[i], row[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
		pair[i + 1] = CHR_PICK(row[i], row[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
	}
	for (unsigned i = 0; i < CHR_LANES; i += 4)
		for (unsigned k = 0; k < 2; k++) {
			four[i + 2 * k] = CHR_PICK(pair[i + k], pair[i + k + 2], 0, 1, 8, 9, 4, 5, 12, 13);
			four[i + 2 * k + 1] = CHR_PICK(pair[i + k], pair[i + k + 2], 2, 3, 10, 11, 6, 7, 14, 15);
		}
	for (unsigned i = 0; i < 4; i++) {
		row[i] = CHR_PICK(four[i], four[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
		row[i + 4] = CHR_PICK(four[i], four[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
	}
}

/* Reads `rows` rows that follow each other; the rest is silent. All of them are told apart because they need no memory in between. */
CHR_INLINE void chr_lanes_load(chr_floats row[CHR_LANES], const float *from, unsigned rows)
{
	if (rows == CHR_LANES) {
		for (unsigned i = 0; i < CHR_LANES; i++)
			memcpy(&row[i], from + i * CHR_LANES, sizeof row[i]);
		return;
	}
	memset(row, 0, CHR_LANES * sizeof *row);
	for (unsigned i = 0; i < rows; i++)
		memcpy(&row[i], from + i * CHR_LANES, sizeof row[i]);
}

/* Writes the first `rows` rows. */
CHR_INLINE void chr_lanes_store(float *to, const chr_floats row[CHR_LANES], unsigned rows)
{
	if (rows == CHR_LANES) {
		for (unsigned i = 0; i < CHR_LANES; i++)
			memcpy(to + i * CHR_LANES, &row[i], sizeof row[i]);
		return;
	}
	for (unsigned i = 0; i < rows; i++)
		memcpy(to + i * CHR_LANES, &row[i], sizeof row[i]);
}

#endif
