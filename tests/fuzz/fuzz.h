/* A target for libFuzzer each: tests/fuzz/fuzz_NAME.c defines LLVMFuzzerTestOneInput() and nothing else that has a name outside. The input
 * is a list of small commands, read with these, so that one byte changed changes one deed. See `make fuzz`.
 */
#ifndef CHR_TESTS_FUZZ_H
#define CHR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer calls it with one input. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

/* The next bytes; zeros behind the end. */
static inline void fuzz_take(struct fuzz_input *input, void *to, size_t bytes)
{
	size_t count = bytes < input->left ? bytes : input->left;

	memset(to, 0, bytes);
	if (count)
		memcpy(to, input->at, count);
	input->at += count;
	input->left -= count;
}

static inline unsigned fuzz_byte(struct fuzz_input *input)
{
	uint8_t byte;

	fuzz_take(input, &byte, 1);
	return byte;
}

static inline unsigned fuzz_word(struct fuzz_input *input)
{
	unsigned high = fuzz_byte(input);

	return high << 8 | fuzz_byte(input);
}

/* Writes over a piece of `area`: two bytes say where (modulo its size), one how long, and what follows is put there. */
static inline void fuzz_scribble(struct fuzz_input *input, void *area, size_t bytes)
{
	size_t at = fuzz_word(input) % bytes, count = fuzz_byte(input) % 64 + 1;

	fuzz_take(input, (unsigned char *)area + at, count < bytes - at ? count : bytes - at);
}

#define fuzz_demand(held)                                                                                                          \
	do {                                                                                                                       \
		if (!(held)) {                                                                                                     \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #held);                                  \
			abort();                                                                                                   \
		}                                                                                                                  \
	} while (0)

#endif
