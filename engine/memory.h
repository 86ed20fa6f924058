/* Memory for the audio thread: aligned to cache lines, zeroed and touched, so that it meets no page fault. Main thread; free() releases it. */
#ifndef CHR_ENGINE_MEMORY_H
#define CHR_ENGINE_MEMORY_H

#include "common/module.h"

#include <stdlib.h>
#include <string.h>

#define CHR_MEMORY_LINE 64u /* bytes: alignment of states and buffers */

static inline void *chr_memory_create(size_t bytes)
{
	size_t rounded = (bytes + CHR_MEMORY_LINE - 1) / CHR_MEMORY_LINE * CHR_MEMORY_LINE;
	void *memory = aligned_alloc(CHR_MEMORY_LINE, rounded ? rounded : CHR_MEMORY_LINE);
	if (memory)
		memset(memory, 0, rounded);
	return memory;
}

/* CHR_BLOCK_MAX samples. */
static inline float *chr_memory_buffer(void)
{
	return chr_memory_create(CHR_BLOCK_MAX * sizeof(float));
}

#endif
