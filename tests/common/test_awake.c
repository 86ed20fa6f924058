#include "common/awake.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/chronus-awake-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in_folder(name), "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void setup(void)
{
	static const char *const folders[] = {"cpuidle", "cpu0", "cpu0/cpuidle", "cpu0/cpuidle/state1"};
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (unsigned i = 0; i < sizeof folders / sizeof folders[0]; i++)
		ck_assert_int_eq(mkdir(in_folder(folders[i]), 0700), 0);
}

static void teardown(void)
{
	static const char *const names[] = {"cpuidle/current_driver",
					    "cpu0/cpuidle/state1/latency",
					    "cpu0/cpuidle/state1",
					    "cpu0/cpuidle",
					    "cpu0",
					    "cpuidle",
					    "device",
					    ""};
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		remove(in_folder(names[i]));
}

static const struct {
	const char *driver, *latency; /* NULL: no such file */
	int us;
} machines[] = {
	{"intel_idle\n", "2\n", 2}, {"acpi_idle\n", "1\n", 1},        {"intel_idle", "133", 133},
	{"haltpoll\n", "1\n", 0},   {"haltpoll\n", NULL, 0},          {"intel_idle\n", NULL, -ENOENT},
	{NULL, "2\n", -ENOENT},     {"intel_idle\n", "x\n", -EINVAL}, {"intel_idle\n", "-1\n", -EINVAL},
	{"intel_idle\n", "", -EIO},
};

START_TEST(the_limit_fits_the_idle_driver)
{
	if (machines[_i].driver)
		put("cpuidle/current_driver", machines[_i].driver);
	if (machines[_i].latency)
		put("cpu0/cpuidle/state1/latency", machines[_i].latency);
	ck_assert_int_eq(chr_awake_fitting_us(folder), machines[_i].us);
}
END_TEST

START_TEST(what_is_held_is_a_number_of_the_kernel)
{
	int32_t got = -1;
	put("device", "");
	int fd = chr_awake_hold(in_folder("device"), 20);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	FILE *f = fopen(in_folder("device"), "r");
	ck_assert_uint_eq(fread(&got, 1, sizeof got, f), sizeof got);
	ck_assert_int_eq(fgetc(f), EOF);
	ck_assert_int_eq(got, 20);
	fclose(f);
	close(fd);
}
END_TEST

START_TEST(a_device_that_cannot_be_had_is_an_error)
{
	ck_assert_int_eq(chr_awake_hold(in_folder("device"), 0), -ENOENT);
	ck_assert_int_eq(chr_awake_hold(in_folder(""), 0), -EISDIR);
	ck_assert_int_eq(chr_awake_hold("/dev/full", 0), -ENOSPC);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("awake");
	TCase *tcase = tcase_create("awake");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, the_limit_fits_the_idle_driver, 0, sizeof machines / sizeof machines[0]);
	tcase_add_test(tcase, what_is_held_is_a_number_of_the_kernel);
	tcase_add_test(tcase, a_device_that_cannot_be_had_is_an_error);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
