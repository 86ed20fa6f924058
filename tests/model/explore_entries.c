/* What gcc -fsanitize=thread calls before every access, see explore.h. */
#include "tests/model/explore_parts.h"

#define PLAIN(bytes)                                                                                                               \
	void __tsan_read##bytes(void *at);                                                                                         \
	void __tsan_write##bytes(void *at);                                                                                        \
	void __tsan_unaligned_read##bytes(void *at);                                                                               \
	void __tsan_unaligned_write##bytes(void *at);                                                                              \
	void __tsan_read##bytes(void *at)                                                                                          \
	{                                                                                                                          \
		explore_plain(at, false);                                                                                          \
	}                                                                                                                          \
	void __tsan_write##bytes(void *at)                                                                                         \
	{                                                                                                                          \
		explore_plain(at, true);                                                                                           \
	}                                                                                                                          \
	void __tsan_unaligned_read##bytes(void *at)                                                                                \
	{                                                                                                                          \
		explore_plain(at, false);                                                                                          \
	}                                                                                                                          \
	void __tsan_unaligned_write##bytes(void *at)                                                                               \
	{                                                                                                                          \
		explore_plain(at, true);                                                                                           \
	}
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

#define ATOMIC(bits)                                                                                                               \
	uint##bits##_t __tsan_atomic##bits##_load(const void *at, int order);                                                      \
	void __tsan_atomic##bits##_store(void *at, uint##bits##_t value, int order);                                               \
	uint##bits##_t __tsan_atomic##bits##_exchange(void *at, uint##bits##_t value, int order);                                  \
	uint##bits##_t __tsan_atomic##bits##_load(const void *at, int order)                                                       \
	{                                                                                                                          \
		return (uint##bits##_t)explore_load(at, bits / 8, order);                                                          \
	}                                                                                                                          \
	void __tsan_atomic##bits##_store(void *at, uint##bits##_t value, int order)                                                \
	{                                                                                                                          \
		explore_store(at, bits / 8, value, order);                                                                         \
	}                                                                                                                          \
	uint##bits##_t __tsan_atomic##bits##_exchange(void *at, uint##bits##_t value, int order)                                   \
	{                                                                                                                          \
		return (uint##bits##_t)explore_exchange(at, bits / 8, value, order);                                               \
	}
ATOMIC(32)
ATOMIC(64)

bool __tsan_atomic64_compare_exchange_strong(void *at, void *expected, uint64_t value, int order, int failed);
void __tsan_atomic_thread_fence(int order);
void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_read_range(void *at, size_t bytes);
void __tsan_write_range(void *at, size_t bytes);

bool __tsan_atomic64_compare_exchange_strong(void *at, void *expected, uint64_t value, int order, int failed)
{
	(void)failed;
	return explore_compare_exchange(at, sizeof value, expected, value, order);
}

void __tsan_atomic_thread_fence(int order)
{
	explore_fence(order);
}

void __tsan_init(void) {}

void __tsan_func_entry(void *caller)
{
	(void)caller;
}

void __tsan_func_exit(void) {}

void __tsan_read_range(void *at, size_t bytes)
{
	(void)bytes;
	explore_plain(at, false);
}

void __tsan_write_range(void *at, size_t bytes)
{
	(void)bytes;
	explore_plain(at, true);
}
