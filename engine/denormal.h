/* Denormals as zero, in the thread that calls. */
#ifndef CHR_ENGINE_DENORMAL_H
#define CHR_ENGINE_DENORMAL_H

#include "common/module.h"

#include <stdint.h>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#define CHR_MXCSR_FTZ_DAZ 0x8040u
#define CHR_FPCR_FZ       (UINT64_C(1) << 24)

/* Sets FTZ and DAZ (x86) or FZ (aarch64) if they are not set. Returns the control word as it is then; 0 where there is none. */
CHR_RT static inline uint32_t chr_denormals_off(void)
{
#if defined(__SSE2__)
	uint32_t word = _mm_getcsr();
	if ((word & CHR_MXCSR_FTZ_DAZ) != CHR_MXCSR_FTZ_DAZ) {
		word |= CHR_MXCSR_FTZ_DAZ;
		_mm_setcsr(word);
	}
	return word;
#elif defined(__aarch64__)
	uint64_t word;
	__asm__ volatile("mrs %0, fpcr" : "=r"(word));
	if (!(word & CHR_FPCR_FZ)) {
		word |= CHR_FPCR_FZ;
		__asm__ volatile("msr fpcr, %0" : : "r"(word));
	}
	return (uint32_t)word;
#else
	return 0;
#endif
}

#endif
