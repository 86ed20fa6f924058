/* Hostile datagrams for OSC, handed to the packet handler in this process; after each of them everything must still be in order. */
#ifndef CHR_TESTS_OSC_FUZZ_H
#define CHR_TESTS_OSC_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Handles one datagram and checks: every value finite and inside its range, every event in the rings legal, an error or an effect but never
 * both for a single message. Ends the program (abort) when not. The first call sets everything up. */
void osc_fuzz_one(const uint8_t *data, size_t bytes);

/* Handles `count` datagrams made from `seed`: legal ones, legal ones damaged, and noise. Returns how many of them set something: a generator
 * whose datagrams all fail at the door would test nothing. */
uint64_t osc_fuzz_run(uint64_t count, uint32_t seed);

void osc_fuzz_end(void);

#endif
