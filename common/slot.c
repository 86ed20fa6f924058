#include "common/slot.h"

#include "common/clock.h"

#include "common/segment.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The kernel's robust-futex protocol, which glibc's mutex keeps in its first word: the owner's thread id, FUTEX_WAITERS,
 * FUTEX_OWNER_DIED. */
static_assert(offsetof(pthread_mutex_t, __data.__lock) == 0 && sizeof(((pthread_mutex_t *)0)->__data.__lock) == 4,
	      "the mutex begins with its futex word");
static_assert(sizeof(_Atomic uint32_t) == 4, "an atomic word is a futex word");

#define PAGE 4096
static_assert(offsetof(struct chr_slot, status) / PAGE == offsetof(struct chr_slot, to_audio.head_seen) / PAGE,
	      "what every cycle looks at is on one page");

#define RESTLESS_MAX 64 /* failed waits in a row that are believed to be chance */

static _Atomic uint32_t *life(struct chr_slot *slot)
{
	return (_Atomic uint32_t *)(void *)&slot->alive;
}

static int make_mutex(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attr;
	int rc = pthread_mutexattr_init(&attr);

	if (rc)
		return rc;
	rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (!rc)
		rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (!rc)
		rc = pthread_mutex_init(mutex, &attr);
	pthread_mutexattr_destroy(&attr);
	return rc;
}

struct chr_slot *chr_slot_create(int *fd)
{
	struct chr_slot *slot = chr_segment_create("chronus-slot", sizeof *slot, fd);
	int rc;

	if (!slot)
		return NULL;
	rc = make_mutex(&slot->alive);
	if (rc) {
		chr_slot_unmap(slot);
		close(*fd);
		*fd = -1;
		errno = rc;
		return NULL;
	}
	slot->magic = CHR_SLOT_MAGIC;
	slot->version = CHR_SLOT_VERSION;
	slot->bytes = sizeof *slot;
	return slot;
}

struct chr_slot *chr_slot_map(int fd, int writable)
{
	struct chr_slot *slot = chr_segment_map(fd, sizeof *slot, writable);

	if (!slot)
		return NULL;
	if (slot->magic != CHR_SLOT_MAGIC || slot->version != CHR_SLOT_VERSION || slot->bytes != sizeof *slot) {
		chr_slot_unmap(slot);
		errno = EPROTO;
		return NULL;
	}
	return slot;
}

void chr_slot_unmap(struct chr_slot *slot)
{
	chr_segment_unmap(slot, sizeof *slot);
}

int chr_slot_live(struct chr_slot *slot)
{
	return -pthread_mutex_trylock(&slot->alive);
}

/* Not FUTEX_PRIVATE: the other side is another process. */
static void wake(_Atomic uint32_t *word)
{
	int saved = errno;

	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	errno = saved;
}

void chr_slot_crashed(struct chr_slot *slot, int sig, uint64_t address)
{
	atomic_store_explicit(&slot->report.signal, (uint32_t)sig, memory_order_relaxed);
	atomic_store_explicit(&slot->report.address, address, memory_order_relaxed);
	atomic_store_explicit(&slot->report.time_us, chr_monotonic_us(), memory_order_relaxed);
	/* release: the phase vouches for signal, address and time */
	atomic_store_explicit(&slot->report.phase, CHR_PHASE_CRASHED, memory_order_release);
	atomic_fetch_or_explicit(life(slot), FUTEX_OWNER_DIED, memory_order_release);
	wake(life(slot));
}

int chr_slot_wait_death(struct chr_slot *slot, const _Atomic int *stop)
{
	/* The timeouts bound what a scribbled word can do: neither a wake-up that never comes nor one that comes without end
	 * keeps this thread from looking at `stop` or from sleeping. */
	static const struct timespec second = {.tv_sec = 1}, millisecond = {.tv_nsec = 1000000};
	_Atomic uint32_t *word = life(slot);
	unsigned restless = 0;

	for (;;) {
		/* acquire: what chr_slot_crashed() reported is visible to the caller */
		uint32_t seen = atomic_load_explicit(word, memory_order_acquire);

		if (seen & FUTEX_OWNER_DIED || !(seen & FUTEX_TID_MASK))
			return 0;
		/* The kernel wakes a dead owner's waiters only when this bit is set. */
		if (!(seen & FUTEX_WAITERS) && !atomic_compare_exchange_strong_explicit(word, &seen, seen | FUTEX_WAITERS,
											memory_order_seq_cst, memory_order_relaxed))
			continue;
		/* Looked at after the bit is set: chr_slot_wake_guard() clears the bit after `stop` was set, so one of the two is
		 * seen. */
		if (atomic_load_explicit(stop, memory_order_seq_cst))
			return -EINTR;
		if (!syscall(SYS_futex, word, FUTEX_WAIT, seen | FUTEX_WAITERS, &second, NULL, 0) || errno != EAGAIN)
			restless = 0;
		else if (++restless > RESTLESS_MAX)
			nanosleep(&millisecond, NULL);
	}
}

void chr_slot_wake_guard(struct chr_slot *slot)
{
	atomic_fetch_and_explicit(life(slot), ~(uint32_t)FUTEX_WAITERS, memory_order_seq_cst);
	wake(life(slot));
}
