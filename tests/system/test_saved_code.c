/* The file of a module that was swapped to one of a person's own is kept with the patch: saved, and loaded, by the running one and by the next. */
#include "tests/lib/rig.h"
#include "tests/lib/system.h"

#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS 30000
#define WAIT_MS   15000

static struct chr_rig rig;

static void write_patch(unsigned lanes, char path[256])
{
	char text[512];
	snprintf(text, sizeof text,
		 "name = \"kept\"; lanes = %u;\n"
		 "modules = ({ name = \"t1\"; type = \"ticker\"; }, { name = \"t2\"; type = \"ticker\"; });\n"
		 "connections = ([\"t1:out\", \"out:left\"], [\"t2:out\", \"out:right\"]);\n",
		 lanes);
	snprintf(path, 256, "%s", chr_rig_patch(text));
}

/* Sends it and waits until it is done. */
static void ask(const char *path, const char *a, const char *b)
{
	struct chr_reply reply;
	if (b)
		chr_peer_send(&rig.peer, path, "ss", a, b);
	else
		chr_peer_send(&rig.peer, path, "s", a);
	for (bool done = false; !done;) {
		ck_assert_msg(chr_peer_receive(&rig.peer, ANSWER_MS, &reply), "%s: no answer", path);
		done = strcmp(reply.path, "/chronus/done") == 0;
		ck_assert_msg(strcmp(reply.path, "/chronus/error") != 0, "%s: %s", path, chr_reply_string(&reply, 1));
		chr_reply_finish(&reply);
	}
	ck_assert_int_eq(chr_rig_wait_playing(&rig, WAIT_MS), 0);
}

/* The other code has a parameter `more`, which has this value; NAN: it is not the other code. */
static void expect_more(const char *module, double value)
{
	char path[64];
	snprintf(path, sizeof path, "/%s/more", module);
	double got = chr_peer_ask(&rig.peer, path);
	ck_assert_msg(isnan(value) ? isnan(got) : got == value, "%s is %g, not %g", path, got, value);
}

static void kill_one(const char *module, const char *lane)
{
	struct chr_rig_status status;
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	ck_assert_int_eq(kill(chr_rig_find(&status, module, lane)->pid, SIGKILL), 0);
	do
		ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	while (!chr_rig_find(&status, module, lane)->restarts);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, WAIT_MS), 0);
}

START_TEST(a_file_of_ones_own_is_kept)
{
	char modules[PATH_MAX], own[PATH_MAX + 32], line[PATH_MAX + 64], plain[256], saved[256], again[256];
	ck_assert_ptr_nonnull(realpath(CHR_BUILD "/tests/system/modules", modules));
	snprintf(own, sizeof own, "%s/ticker_other.so", modules);
	snprintf(line, sizeof line, "file = \"%s\"", own);
	snprintf(saved, sizeof saved, "%s/saved-%d.cfg", chr_server_folder(), (int)getpid());
	snprintf(again, sizeof again, "%s/again-%d.cfg", chr_server_folder(), (int)getpid());
	write_patch((unsigned)_i, plain);
	setenv("CHRONUS_MODULE_PATH", modules, 1);
	ck_assert_int_eq(chr_rig_start(&rig, plain), 0);
	ask("/chronus/swap", "t1", own);
	chr_peer_send(&rig.peer, "/t1/more", "f", 0.25);
	expect_more("t1", 0.25);
	ask("/chronus/save", saved, NULL);
	const char *at = strstr(chr_rig_text(saved), line);
	ck_assert_msg(at && !strstr(at + 1, line), "%s", chr_rig_text(saved));
	/* without it the installed one plays, with it the other again */
	ask("/chronus/load", plain, NULL);
	expect_more("t1", NAN);
	ask("/chronus/load", saved, NULL);
	expect_more("t1", 0.25);
	expect_more("t2", NAN);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
	ck_assert_int_eq(chr_rig_start(&rig, saved), 0);
	expect_more("t1", 0.25);
	expect_more("t2", NAN);
	kill_one("t1", "a");
	expect_more("t1", 0.25);
	ask("/chronus/save", again, NULL);
	ck_assert_str_eq(chr_rig_text(again), chr_rig_text(saved));
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}
END_TEST

static void fill(Suite *suite)
{
	tcase_add_loop_test(chr_system_case(suite, "saved code", 120), a_file_of_ones_own_is_kept, 1, 3);
}

int main(void)
{
	return chr_system_main("saved code", fill, 0);
}
