/* Modules map of the server's memory what they use, and not the 50 MB that libjack would have them lock. */
#include "tests/lib/patches.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct chr_rig rig;

static void start(void)
{
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(CHR_PATCH_VOICES)), 0);
}

static void stop(void)
{
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}

/* Kilobytes of jackd's shared memory in the address space of a process, and how many of them are mapped. */
static void measure(pid_t pid, long *size, long *mapped)
{
	char path[64], line[512];
	bool jack = false;
	*size = *mapped = 0;
	snprintf(path, sizeof path, "/proc/%d/smaps", (int)pid);
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file)) {
		if (strchr(line, '-') && strchr(line, '/'))
			jack = strstr(line, "/dev/shm/jack") != NULL;
		else if (jack && !strncmp(line, "Size:", 5))
			*size += strtol(line + 5, NULL, 10);
		else if (jack && !strncmp(line, "Rss:", 4))
			*mapped += strtol(line + 4, NULL, 10);
	}
	fclose(file);
}

START_TEST(modules_map_what_they_use)
{
	struct chr_rig_status status;
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	ck_assert_uint_gt(status.count, 0);
	for (unsigned i = 0; i < status.count; i++) {
		long size, mapped;
		measure(status.instance[i].pid, &size, &mapped);
		ck_assert_int_gt(size, 16 * 1024);
		ck_assert_msg(mapped < size / 4, "%s has %ld kB of %ld mapped", status.instance[i].client, mapped, size);
	}
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "mapped", 30);
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, modules_map_what_they_use);
}

int main(void)
{
	return chr_system_main("mapped", fill, 1);
}
