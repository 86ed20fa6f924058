/* Modules stay out of jackd's database of metadata, in which every client that is killed leaves locks behind until nobody can start any more. */
#include "tests/lib/patches.h"
#include "tests/lib/recorder.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool maps_database(pid_t pid)
{
	char path[64], line[512];
	bool found = false;
	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f))
		found |= strstr(line, "/jack_db") != NULL;
	fclose(f);
	return found;
}

START_TEST(modules_do_not_open_the_database)
{
	struct chr_rig rig;
	struct chr_rig_status status;
	struct chr_recorder *any = chr_recorder_create("any", 0, 4800);
	ck_assert_ptr_nonnull(any);
	/* a client of this process: the proof that the question finds what it looks for. A libjack without a database has none. */
	bool there = maps_database(getpid());
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(CHR_PATCH_VOICES)), 0);
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	for (unsigned i = 0; there && i < status.count; i++)
		ck_assert_msg(!maps_database(status.instance[i].pid), "%s has it open", status.instance[i].client);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
	chr_recorder_destroy(any);
	if (!there)
		printf("this libjack has no database\n");
}
END_TEST

static void fill(Suite *suite)
{
	tcase_add_test(chr_system_case(suite, "metadata", 60), modules_do_not_open_the_database);
}

int main(void)
{
	return chr_system_main("metadata", fill, 1);
}
