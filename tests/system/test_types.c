/* Module types that are built, or mended, while Chronus plays: added by hand, loaded in a patch, watched from then on. */
#include "tests/lib/patches.h"
#include "tests/lib/rig.h"
#include "tests/lib/server.h"
#include "tests/lib/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 20000

static const struct timespec moment = {.tv_nsec = 20000000}; /* between two questions */

static struct chr_rig rig;
static char folder[256];

/* Puts a built module of the tests into the folder as ticker.so. */
static void build(const char *name)
{
	char command[1024];
	snprintf(command, sizeof command, "cp %s/tests/%s.so %s/new && mv %s/new %s/ticker.so", CHR_BUILD, name, folder, folder,
		 folder);
	ck_assert_int_eq(system(command), 0); // NOLINT(cert-env33-c,concurrency-mt-unsafe)
}

static void start(void)
{
	static const char *const options[] = {"--watch", NULL};
	snprintf(folder, sizeof folder, "%s/types-%d", chr_server_folder(), (int)getpid());
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	setenv("CHRONUS_MODULE_PATH", folder, 1);
	ck_assert_int_eq(chr_rig_spawn(&rig, chr_rig_patch(CHR_PATCH_DRONE), options), 0);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 15000), 0);
}

static void stop(void)
{
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}

/* What came of the request before: done, or the reason against it. */
static void expect(bool done, const char *says)
{
	struct chr_reply reply;
	ck_assert_msg(chr_peer_receive(&rig.peer, ANSWER_MS, &reply), "no answer");
	bool is_done = strcmp(reply.path, "/chronus/done") == 0;
	ck_assert_msg(is_done == done && strstr(chr_reply_string(&reply, 1), says), "%s: %s", reply.path,
		      chr_reply_string(&reply, 1));
	chr_reply_finish(&reply);
}

static double swaps(void)
{
	struct chr_reply reply;
	double value = -1;
	chr_peer_send(&rig.peer, "/chronus/status", "");
	if (chr_peer_expect(&rig.peer, "/chronus/status", 2000, &reply)) {
		value = chr_reply_number(&reply, chr_reply_key(&reply, "swaps"));
		chr_reply_finish(&reply);
	}
	ck_assert(chr_peer_barrier(&rig.peer, 2000));
	return value;
}

START_TEST(a_type_built_meanwhile_is_added_and_watched)
{
	chr_peer_send(&rig.peer, "/chronus/add", "ss", "ticker", "t1");
	expect(false, "no ticker.so in the folders");
	build("system/modules/ticker");
	chr_peer_send(&rig.peer, "/chronus/add", "ss", "ticker", "t1");
	expect(true, "");
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
	build("system/modules/ticker_same");
	for (int i = 0; i < 1000 && swaps() < 1; i++)
		nanosleep(&moment, NULL);
	ck_assert_double_eq(swaps(), 1);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
}
END_TEST

START_TEST(a_type_mended_meanwhile_is_added)
{
	build("modules/bad/nothing");
	chr_peer_send(&rig.peer, "/chronus/add", "ss", "ticker", "t1");
	expect(false, "exports no chr_module");
	build("system/modules/ticker");
	chr_peer_send(&rig.peer, "/chronus/add", "ss", "ticker", "t1");
	expect(true, "");
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
}
END_TEST

START_TEST(a_patch_with_a_type_built_meanwhile_is_loaded)
{
	const char *patch = chr_rig_patch(
		"name = \"new\"; lanes = 1;\n"
		"modules = ({ name = \"osc1\"; type = \"sine\"; }, { name = \"t1\"; type = \"ticker\"; });\n"
		"connections = ([\"t1:out\", \"out:left\"]);\n");
	chr_peer_send(&rig.peer, "/chronus/load", "s", patch);
	expect(false, "no ticker.so in the folders");
	build("system/modules/ticker");
	chr_peer_send(&rig.peer, "/chronus/load", "s", patch);
	expect(true, "");
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/t1/spare"), 0.25);
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "types", 60);
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, a_type_built_meanwhile_is_added_and_watched);
	tcase_add_test(tests, a_type_mended_meanwhile_is_added);
	tcase_add_test(tests, a_patch_with_a_type_built_meanwhile_is_loaded);
}

int main(void)
{
	return chr_system_main("types", fill, 0);
}
