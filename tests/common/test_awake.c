#include "common/awake.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
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

static struct chr_awake_machine machine;

static void setup(void)
{
	static const char *const folders[] = {"cpuidle", "cpu0", "cpu0/cpuidle", "cpu0/cpuidle/state1", "cpu", "cpu/a", "a", "a/b"};
	static char path[4][128];
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (unsigned i = 0; i < sizeof folders / sizeof folders[0]; i++)
		ck_assert_int_eq(mkdir(in_folder(folders[i]), 0700), 0);
	strcpy(path[0], in_folder("cpuinfo"));
	strcpy(path[1], in_folder("group"));
	strcpy(path[2], in_folder("device"));
	machine = (struct chr_awake_machine){
		.states = folder, .cpuinfo = path[0], .groups = folder, .group = path[1], .device = path[2]};
}

static void teardown(void)
{
	static const char *const names[] = {"cpuidle/current_driver",
					    "cpu0/cpuidle/state1/latency",
					    "cpu0/cpuidle/state1",
					    "cpu0/cpuidle",
					    "cpu0",
					    "cpuidle",
					    "cpu/a/cpu.cfs_quota_us",
					    "cpu/a",
					    "cpu",
					    "a/b/cpu.max",
					    "a/b",
					    "a/cpu.max",
					    "a",
					    "cpuinfo",
					    "group",
					    "device",
					    ""};
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		remove(in_folder(names[i]));
}

static const char *const on_iron = "processor : 0\nmodel name : hypervisor\nflags\t\t: fpu sse2 lm\n";
static const char *const as_guest = "processor : 0\nflags\t\t: fpu sse2 hypervisor lm\n";

static const struct {
	const char *driver, *latency; /* NULL: no such file */
	int us;
} machines[] = {
	{"intel_idle\n", "2\n", 2}, {"acpi_idle\n", "1\n", 1},        {"intel_idle", "133", 133},
	{"haltpoll\n", "1\n", 0},   {"haltpoll\n", NULL, 0},          {"intel_idle\n", NULL, -ENOENT},
	{NULL, "2\n", 2},           {"intel_idle\n", "x\n", -EINVAL}, {"intel_idle\n", "-1\n", -EINVAL},
	{"intel_idle\n", "", -EIO}, {"none\n", NULL, -ENOENT},        {NULL, NULL, -ENOENT},
};

static void put_states(const char *driver, const char *latency)
{
	if (driver)
		put("cpuidle/current_driver", driver);
	if (latency)
		put("cpu0/cpuidle/state1/latency", latency);
}

START_TEST(the_limit_fits_the_idle_driver)
{
	put("cpuinfo", on_iron);
	put_states(machines[_i].driver, machines[_i].latency);
	struct chr_awake_way way = chr_awake_choose(&machine, CHR_AWAKE_FITTING);
	ck_assert_int_eq(way.us, machines[_i].us);
	ck_assert(!way.spin);
}
END_TEST

/* Without states to choose from it spins itself, when the limit is that nothing sleeps. */
static const struct {
	const char *driver;
	int wanted, us;
	bool spin;
} guests[] = {
	{"acpi_idle\n", CHR_AWAKE_FITTING, 0, false},
	{"haltpoll\n", CHR_AWAKE_FITTING, 0, false},
	{"acpi_idle\n", 7, 7, false},
	{"none\n", CHR_AWAKE_FITTING, 0, true},
	{NULL, CHR_AWAKE_FITTING, 0, true},
	{NULL, 0, 0, true},
	{NULL, 7, 7, false},
};

START_TEST(a_virtual_machine_does_not_sleep)
{
	put("cpuinfo", as_guest);
	put_states(guests[_i].driver, guests[_i].driver && strcmp(guests[_i].driver, "none\n") != 0 ? "1\n" : NULL);
	struct chr_awake_way way = chr_awake_choose(&machine, guests[_i].wanted);
	ck_assert_int_eq(way.us, guests[_i].us);
	ck_assert_int_eq(way.spin, guests[_i].spin);
}
END_TEST

/* Who is given a share of the processors' time would spin it away. */
static const struct {
	const char *group, *file, *quota;
	int us;
} shares[] = {
	{"0::/\n", NULL, NULL, 0},
	{"0::/a/b\n", "a/b/cpu.max", "max 100000\n", 0},
	{"0::/a/b\n", "a/b/cpu.max", "50000 100000\n", -EDQUOT},
	{"0::/a/b\n", "a/cpu.max", "50000 100000\n", -EDQUOT},
	{"0::/\n", "a/cpu.max", "50000 100000\n", 0},
	{"3:cpuset:/\n1:cpu:/a\n0::/\n", "cpu/a/cpu.cfs_quota_us", "50000\n", -EDQUOT},
	{"1:cpu:/a\n", "cpu/a/cpu.cfs_quota_us", "-1\n", 0},
	{"1:cpuset:/a\n", "cpu/a/cpu.cfs_quota_us", "50000\n", 0},
};

START_TEST(a_share_of_the_processors_is_not_spun_away)
{
	put("cpuinfo", as_guest);
	put("group", shares[_i].group);
	if (shares[_i].file)
		put(shares[_i].file, shares[_i].quota);
	struct chr_awake_way way = chr_awake_choose(&machine, CHR_AWAKE_FITTING);
	ck_assert_int_eq(way.us, shares[_i].us);
	ck_assert_int_eq(way.spin, !shares[_i].us);
}
END_TEST

static int begin(struct chr_awake *awake, int us)
{
	return chr_awake_begin(awake, &machine, us, NULL, NULL);
}

/* What holds the device open: a link of the process's descriptors leads to it. */
static bool holds_device(pid_t pid)
{
	char path[64], to[128] = "", wanted[128];
	bool found = false;
	for (int fd = 0; fd < 256 && !found; fd++) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
		ssize_t length = readlink(path, to, sizeof to - 1);
		to[length > 0 ? length : 0] = 0;
		found = realpath(machine.device, wanted) && !strcmp(to, wanted);
	}
	return found;
}

START_TEST(what_is_held_is_a_number_of_the_kernel)
{
	struct chr_awake awake;
	int32_t got = -1;
	put("device", "");
	ck_assert_int_eq(begin(&awake, 20), 20);
	ck_assert_uint_eq(awake.keepers, 1);
	ck_assert(!awake.spins && holds_device(awake.keeper[0]) && !holds_device(getpid()));
	FILE *f = fopen(in_folder("device"), "r");
	ck_assert_uint_eq(fread(&got, 1, sizeof got, f), sizeof got);
	ck_assert_int_eq(fgetc(f), EOF);
	ck_assert_int_eq(got, 20);
	fclose(f);
	pid_t keeper = awake.keeper[0];
	chr_awake_end(&awake);
	ck_assert_int_eq(kill(keeper, 0), -1);
	chr_awake_end(&awake);
}
END_TEST

START_TEST(a_device_that_cannot_be_had_is_an_error)
{
	struct chr_awake awake;
	ck_assert_int_eq(begin(&awake, 0), -ENOENT);
	machine.device = folder;
	ck_assert_int_eq(begin(&awake, 0), -EISDIR);
	machine.device = "/dev/full";
	ck_assert_int_eq(begin(&awake, 0), -ENOSPC);
	ck_assert_uint_eq(awake.keepers, 0);
	ck_assert_ptr_null(awake.keeper);
}
END_TEST

/* ---- processes ---- */

static const struct timespec moment = {.tv_nsec = 1000000};

/* How many of them spin by now, on one processor each. Stores what they are bound to, together. */
static unsigned count_spinning(const struct chr_awake *awake, cpu_set_t *bound)
{
	unsigned count = 0;
	CPU_ZERO(bound);
	for (unsigned i = 0; i < awake->keepers; i++) {
		pid_t pid = awake->keeper[i];
		cpu_set_t its;
		if (sched_getscheduler(pid) != SCHED_IDLE || sched_getaffinity(pid, sizeof its, &its) || CPU_COUNT(&its) != 1)
			continue;
		count++;
		CPU_OR(bound, bound, &its);
	}
	return count;
}

START_TEST(every_processor_has_one_that_spins)
{
	struct chr_awake awake;
	cpu_set_t mine, bound;
	char path[64], name[32] = "";
	ck_assert_int_eq(sched_getaffinity(0, sizeof mine, &mine), 0);
	put("cpuinfo", as_guest);
	ck_assert_int_eq(begin(&awake, CHR_AWAKE_FITTING), 0);
	ck_assert(awake.spins);
	ck_assert_uint_eq(awake.keepers, (unsigned)CPU_COUNT(&mine));
	while (count_spinning(&awake, &bound) < awake.keepers)
		nanosleep(&moment, NULL);
	ck_assert(CPU_EQUAL(&bound, &mine));
	snprintf(path, sizeof path, "/proc/%d/comm", (int)awake.keeper[0]);
	FILE *f = fopen(path, "r");
	ck_assert(f && fgets(name, sizeof name, f));
	fclose(f);
	ck_assert_str_eq(name, "chronus-awake\n");
	chr_awake_end(&awake);
	ck_assert_uint_eq(awake.keepers, 0);
	while (waitpid(-1, NULL, WNOHANG) >= 0) /* none is left, or what is left dies */
		nanosleep(&moment, NULL);
}
END_TEST

/* A process that begins it and is killed then; what it leaves to the test, in shared memory. */
struct killed {
	_Atomic bool needed;
	_Atomic unsigned asked;
	_Atomic int keepers; /* negative: they have not begun */
	pid_t keeper[CPU_SETSIZE];
};

static bool is_needed(void *self)
{
	struct killed *killed = self;
	atomic_fetch_add(&killed->asked, 1);
	return atomic_load(&killed->needed);
}

static void begin_and_wait(struct killed *killed, chr_awake_needed needed)
{
	struct chr_awake awake;
	if (chr_awake_begin(&awake, &machine, CHR_AWAKE_FITTING, needed, killed) < 0)
		_exit(1);
	memcpy(killed->keeper, awake.keeper, awake.keepers * sizeof awake.keeper[0]);
	atomic_store(&killed->keepers, (int)awake.keepers);
	for (;;)
		pause();
}

/* Begins it in a process that is killed at once. The keepers are children of the test then. */
static struct killed *begin_and_kill(bool spins, chr_awake_needed needed)
{
	struct killed *killed = mmap(NULL, sizeof *killed, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(killed, MAP_FAILED);
	atomic_store(&killed->keepers, -1);
	atomic_store(&killed->needed, true);
	put("cpuinfo", spins ? as_guest : on_iron);
	put("cpu0/cpuidle/state1/latency", spins ? "" : "2\n");
	put("device", "");
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	pid_t pid = fork();
	if (!pid)
		begin_and_wait(killed, needed);
	while (atomic_load(&killed->keepers) < 0)
		nanosleep(&moment, NULL);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_ge(atomic_load(&killed->keepers), 1);
	return killed;
}

START_TEST(they_outlive_who_was_killed_while_they_are_needed)
{
	struct killed *killed = begin_and_kill(_i, is_needed);
	int status, keepers = atomic_load(&killed->keepers);
	while (atomic_load(&killed->asked) < 3u * (unsigned)keepers)
		nanosleep(&moment, NULL);
	for (int i = 0; i < keepers; i++)
		ck_assert_int_eq(waitpid(killed->keeper[i], NULL, WNOHANG), 0);
	atomic_store(&killed->needed, false);
	for (int i = 0; i < keepers; i++) {
		ck_assert_int_eq(waitpid(killed->keeper[i], &status, 0), killed->keeper[i]);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	munmap(killed, sizeof *killed);
}
END_TEST

START_TEST(they_die_with_who_alone_needs_them)
{
	struct killed *killed = begin_and_kill(_i, NULL);
	for (int i = 0; i < atomic_load(&killed->keepers); i++)
		ck_assert_int_eq(waitpid(killed->keeper[i], NULL, 0), killed->keeper[i]);
	munmap(killed, sizeof *killed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("awake");
	TCase *tcase = tcase_create("awake");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, the_limit_fits_the_idle_driver, 0, sizeof machines / sizeof machines[0]);
	tcase_add_loop_test(tcase, a_virtual_machine_does_not_sleep, 0, sizeof guests / sizeof guests[0]);
	tcase_add_loop_test(tcase, a_share_of_the_processors_is_not_spun_away, 0, sizeof shares / sizeof shares[0]);
	tcase_add_test(tcase, what_is_held_is_a_number_of_the_kernel);
	tcase_add_test(tcase, a_device_that_cannot_be_had_is_an_error);
	tcase_add_test(tcase, every_processor_has_one_that_spins);
	tcase_add_loop_test(tcase, they_outlive_who_was_killed_while_they_are_needed, 0, 2);
	tcase_add_loop_test(tcase, they_die_with_who_alone_needs_them, 0, 2);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
