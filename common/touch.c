#include "common/touch.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

void chr_touch(const void *from, size_t bytes, bool writing)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t before = (uintptr_t)from % page;
	void *first = (char *)from - before;
	if (!madvise(first, before + bytes, writing ? MADV_POPULATE_WRITE : MADV_POPULATE_READ))
		return;
	/* An older kernel: reading maps a page of shared memory for writing too. */
	for (size_t at = 0; at < bytes; at += page)
		(void)((const volatile unsigned char *)from)[at];
}
