/* CHR_WIDE marks a function that the compiler builds once per vector width of the processor family; the loader takes the widest
 * that the machine has. Every build computes the same bits: the operations are those of IEEE 754, lane by lane, and the tree is
 * compiled without contraction into fused multiply-adds. */
#ifndef CHR_MODULES_DSP_WIDE_H
#define CHR_MODULES_DSP_WIDE_H

#include <stdint.h> /* any header of the C library defines __GLIBC__, wherever this one is included */

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&                          \
	!defined(__SANITIZE_THREAD__)
#if __GNUC__ >= 12
#define CHR_WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CHR_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#endif
#else
#define CHR_WIDE
#endif

/* What such a function calls in its loops must become part of it. */
#define CHR_INLINE static inline __attribute__((always_inline))

#endif
