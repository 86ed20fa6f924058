/* The clock of everything that is not a frame: CLOCK_MONOTONIC. JACK's own times come from libjack alone. */
#ifndef CHR_COMMON_CLOCK_H
#define CHR_COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Monotonic time (us). Any thread; realtime-safe (no system call on machines with a vDSO clock). */
static inline uint64_t chr_monotonic_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

#endif
