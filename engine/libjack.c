#include "engine/libjack.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LARGE_BYTES (1u << 20) /* what is smaller is mapped at once, as asked */
#define SHORT_US    2000u      /* a longer sleep is for something else */
#define SHORTENED   10         /* sleeps in a row: whatever has not come by then takes its time */

static _Atomic int shortened;

void chr_libjack_hurry(void)
{
	atomic_store_explicit(&shortened, SHORTENED, memory_order_relaxed);
}

int mlock(const void *from, size_t bytes)
{
	return mlock2(from, bytes, bytes >= LARGE_BYTES ? MLOCK_ONFAULT : 0);
}

int usleep(useconds_t us)
{
	bool shorter = us <= SHORT_US && atomic_fetch_sub_explicit(&shortened, 1, memory_order_relaxed) > 0;
	long ns = (shorter ? us / 10 : us) * 1000L;
	const struct timespec time = {.tv_sec = ns / 1000000000L, .tv_nsec = ns % 1000000000L};
	return nanosleep(&time, NULL);
}
