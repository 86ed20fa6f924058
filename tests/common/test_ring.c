#include "common/ring.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define START  (UINT32_MAX - 300000u) /* so that the indices wrap on the way */
#define EVENTS 3000000u

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static uint64_t mix(uint32_t i)
{
	return (i + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
}

static struct chr_ring *shared_ring(uint32_t start)
{
	struct chr_ring *ring = mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert(ring != MAP_FAILED);
	chr_ring_init(ring);
	atomic_store_explicit(&ring->head, start, memory_order_relaxed);
	atomic_store_explicit(&ring->tail, start, memory_order_relaxed);
	ring->head_seen = ring->tail_seen = start;
	return ring;
}

/* Puts EVENTS numbered events in batches of all sizes. */
static void *produce(void *arg)
{
	struct chr_ring *ring = arg;
	struct chr_event batch[64] = {0};
	uint32_t seed = 1, made = 0;

	while (made < EVENTS) {
		uint32_t count = next_random(&seed) % 64 + 1, put = 0;

		if (count > EVENTS - made)
			count = EVENTS - made;
		for (uint32_t i = 0; i < count; i++) {
			batch[i].serial = made + i;
			batch[i].sum = mix(made + i);
		}
		while (put < count) {
			uint32_t n = chr_ring_write(ring, batch + put, count - put);

			put += n;
			if (!n)
				sched_yield();
		}
		made += count;
	}
	return NULL;
}

/* Takes until EVENTS came; returns how many of them were right and in their place. */
static uint32_t consume(struct chr_ring *ring)
{
	struct chr_event batch[100];
	uint32_t seed = 2, taken = 0, right = 0;

	while (taken < EVENTS) {
		uint32_t n = chr_ring_read(ring, batch, next_random(&seed) % 100 + 1);

		for (uint32_t i = 0; i < n; i++)
			right += batch[i].serial == taken + i && batch[i].sum == mix(taken + i);
		taken += n;
		if (!n)
			sched_yield();
	}
	return right;
}

START_TEST(threads_pass_all_in_order)
{
	struct chr_ring *ring = shared_ring(START);
	struct chr_event left;
	pthread_t producer;

	ck_assert_int_eq(pthread_create(&producer, NULL, produce, ring), 0);
	ck_assert_uint_eq(consume(ring), EVENTS);
	pthread_join(producer, NULL);
	ck_assert_uint_eq(chr_ring_read(ring, &left, 1), 0);
	ck_assert_uint_eq(atomic_load(&ring->head), START + EVENTS);
}
END_TEST

START_TEST(processes_pass_all_in_order)
{
	struct chr_ring *ring = shared_ring(START);
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		produce(ring);
		_exit(0);
	}
	ck_assert_uint_eq(consume(ring), EVENTS);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(every_byte_passes)
{
	struct chr_ring *ring = shared_ring(START);
	_Alignas(struct chr_event) unsigned char in[3 * sizeof(struct chr_event)], out[sizeof in];
	uint32_t seed = 4;

	for (int i = 0; i < 1000; i++) {
		for (size_t k = 0; k < sizeof in; k++)
			in[k] = (unsigned char)next_random(&seed);
		ck_assert_uint_eq(chr_ring_write(ring, (const struct chr_event *)(const void *)in, 3), 3);
		ck_assert_uint_eq(chr_ring_read(ring, (struct chr_event *)(void *)out, 3), 3);
		ck_assert_mem_eq(in, out, sizeof in);
	}
}
END_TEST

START_TEST(full_ring_takes_no_more)
{
	static struct chr_event in[CHR_RING_EVENTS + 10], out[CHR_RING_EVENTS + 10];
	struct chr_ring *ring = shared_ring(UINT32_MAX - 5);

	for (uint32_t i = 0; i < CHR_RING_EVENTS + 10; i++)
		in[i].serial = i;
	ck_assert_uint_eq(chr_ring_space(ring), CHR_RING_EVENTS);
	ck_assert_uint_eq(chr_ring_read(ring, out, 1), 0);
	ck_assert_uint_eq(chr_ring_write(ring, in, 7), 7);
	ck_assert_uint_eq(chr_ring_space(ring), CHR_RING_EVENTS - 7);
	ck_assert_uint_eq(chr_ring_write(ring, in + 7, CHR_RING_EVENTS + 3), CHR_RING_EVENTS - 7);
	ck_assert_uint_eq(chr_ring_space(ring), 0);
	ck_assert_uint_eq(chr_ring_write(ring, in, 1), 0);
	ck_assert_uint_eq(chr_ring_read(ring, out, 3), 3);
	ck_assert_uint_eq(chr_ring_space(ring), 3);
	ck_assert_uint_eq(chr_ring_read(ring, out + 3, CHR_RING_EVENTS + 7), CHR_RING_EVENTS - 3);
	for (uint32_t i = 0; i < CHR_RING_EVENTS; i++)
		ck_assert_uint_eq(out[i].serial, i);
}
END_TEST

/* `bytes` of writable memory that ends where an unreadable page begins. */
static void *before_wall(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), body = (bytes + page - 1) / page * page;
	unsigned char *base = mmap(NULL, body + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert(base != MAP_FAILED);
	ck_assert_int_eq(mprotect(base + page, body, PROT_READ | PROT_WRITE), 0);
	return base + page + body - bytes;
}

START_TEST(hostile_indices_stay_inside)
{
	static struct chr_event *batch[50]; /* by size, each before a wall of its own */
	struct chr_ring *ring = before_wall(sizeof *ring);
	uint32_t seed = 3, most = 0;

	chr_ring_init(ring);
	for (int i = 0; i < 30000; i++) {
		uint32_t count = next_random(&seed) % 50, n;

		if (!batch[count])
			batch[count] = before_wall(count * sizeof *batch[count]);
		if (next_random(&seed) % 4 == 0)
			atomic_store(&ring->head, next_random(&seed) << 12 ^ next_random(&seed));
		if (next_random(&seed) % 4 == 0)
			atomic_store(&ring->tail, next_random(&seed) << 12 ^ next_random(&seed));
		if (next_random(&seed) % 4 == 0)
			ring->head_seen = atomic_load(&ring->tail) + next_random(&seed) % 2000;
		if (next_random(&seed) % 4 == 0)
			ring->tail_seen = atomic_load(&ring->head) - next_random(&seed) % 2000;
		n = next_random(&seed) % 2 ? chr_ring_read(ring, batch[count], count) : chr_ring_write(ring, batch[count], count);
		ck_assert_uint_le(n, count);
		ck_assert_uint_le(chr_ring_space(ring), CHR_RING_EVENTS);
		if (n > most)
			most = n;
	}
	ck_assert_uint_eq(most, 49);
}
END_TEST

START_TEST(scribbled_ring_recovers)
{
	struct chr_ring *ring = shared_ring(0);
	struct chr_event in = {.serial = 7}, out[2];

	ck_assert_uint_eq(chr_ring_write(ring, &in, 1), 1);
	atomic_fetch_xor(&ring->head, 0x40000000u);
	ck_assert_uint_eq(chr_ring_write(ring, &in, 1), 0);
	ck_assert_uint_eq(chr_ring_read(ring, out, 2), 0);
	ck_assert_uint_eq(chr_ring_write(ring, &in, 1), 1);
	ck_assert_uint_eq(chr_ring_read(ring, out, 2), 1);
	ck_assert_uint_eq(out[0].serial, 7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ring");
	TCase *tcase = tcase_create("ring");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, threads_pass_all_in_order);
	tcase_add_test(tcase, processes_pass_all_in_order);
	tcase_add_test(tcase, every_byte_passes);
	tcase_add_test(tcase, full_ring_takes_no_more);
	tcase_add_test(tcase, hostile_indices_stay_inside);
	tcase_add_test(tcase, scribbled_ring_recovers);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
