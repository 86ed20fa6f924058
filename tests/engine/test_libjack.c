#include "engine/libjack.h"

#include "common/clock.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE (4u << 20)
#define SMALL 8192u

static unsigned char *area;

static void setup(void)
{
	area = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(area, MAP_FAILED);
}

static void teardown(void)
{
	munmap(area, LARGE);
}

/* Locked memory of this process, KiB. */
static unsigned long locked(void)
{
	char line[128];
	unsigned long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, "VmLck:", 6))
			kib = strtoul(line + 6, NULL, 10);
	fclose(f);
	return kib;
}

START_TEST(a_large_area_is_not_locked)
{
	ck_assert_int_eq(mlock(area, LARGE), 0);
	ck_assert_uint_eq(locked(), 0);
}
END_TEST

START_TEST(a_small_one_is)
{
	if (mlock(area, SMALL) == 0)
		ck_assert_uint_eq(locked(), SMALL / 1024);
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
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_large_area_is_not_locked);
	tcase_add_test(tcase, a_small_one_is);
	tcase_add_test(tcase, short_sleeps_are_shorter_for_a_while);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
