#include "engine/libjack.h"

#include "common/clock.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define PAGE  4096u
#define SMALL (64u * PAGE)
#define LARGE (2048u * PAGE)

/* Page faults of the first use of memory that others have in use, after mlock(); -1 where locking is not permitted. */
static long faults(size_t bytes)
{
	int fd = memfd_create("graph", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, (off_t)bytes), 0);
	volatile char *other = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (size_t i = 0; i < bytes; i += PAGE)
		other[i] = 1;
	volatile char *own = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert(other != MAP_FAILED && own != MAP_FAILED);
	if (mlock((const void *)own, bytes))
		return -1;
	struct rusage before, after;
	getrusage(RUSAGE_SELF, &before);
	for (size_t i = 0; i < bytes; i += PAGE)
		own[i] = 2;
	getrusage(RUSAGE_SELF, &after);
	munmap((void *)other, bytes);
	munmap((void *)own, bytes);
	close(fd);
	return after.ru_minflt - before.ru_minflt;
}

START_TEST(small_memory_is_there_at_once)
{
	ck_assert_int_lt(faults(SMALL), SMALL / PAGE / 2);
}
END_TEST

START_TEST(large_memory_is_mapped_as_it_is_used)
{
	long count = faults(LARGE);
	if (count < 0)
		printf("test_libjack: no right to lock memory\n");
	else
		ck_assert_int_ge(count, LARGE / PAGE / 32); /* the kernel may map some pages around each */
}
END_TEST

static uint64_t slept(unsigned us)
{
	uint64_t begun = chr_monotonic_us();
	ck_assert_int_eq(usleep(us), 0);
	return chr_monotonic_us() - begun;
}

/* The first short ones of a hurry; a machine that stalls may make some of them long. */
START_TEST(short_sleeps_are_shorter_for_a_while)
{
	bool shorter = false;
	for (int i = 0; i < 1000 && !shorter; i++) {
		chr_libjack_hurry();
		shorter = slept(2000) < 2000;
	}
	ck_assert(shorter);
	for (int i = 0; i < 20; i++)
		slept(100);
	ck_assert_uint_ge(slept(2000), 2000);
	chr_libjack_hurry();
	ck_assert_uint_ge(slept(6000), 6000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("libjack");
	TCase *tcase = tcase_create("libjack");
	tcase_add_test(tcase, small_memory_is_there_at_once);
	tcase_add_test(tcase, large_memory_is_mapped_as_it_is_used);
	tcase_add_test(tcase, short_sleeps_are_shorter_for_a_while);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
