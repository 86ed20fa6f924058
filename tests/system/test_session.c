/* Chronus in a session: a double of the session manager that speaks the New Session Manager's protocol, and nsmd itself where it is installed. */
#include "tests/lib/manager.h"
#include "tests/lib/patches.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"

#include <jack/jack.h>
#include <lo/lo.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 15000

static struct chr_rig rig;

/* Waits for a message that begins so; others pass. */
static void await_message(const char *beginning)
{
	if (chr_manager_await(beginning, WAIT_MS))
		return;
	chr_log_show(rig.log);
	ck_abort_msg("no \"%s\"; the last was \"%s\"", beginning, chr_manager_heard());
}

static const char *project(const char *song, const char *id)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", chr_server_folder(), song);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/%s/%s", chr_server_folder(), song, id);
	return path;
}

static void welcome_and_open(const char *song, const char *id)
{
	await_message("/nsm/server/announce Chronus :dirty:progress:switch: ");
	chr_manager_say("/reply", "/nsm/server/announce", "welcome", "double");
	chr_manager_say("/nsm/client/open", project(song, id), song, id);
}

/* ---- what is to be seen ---- */

static bool port_exists(const char *name)
{
	jack_client_t *client = jack_client_open("observer", JackNoStartServer, NULL);
	ck_assert_ptr_nonnull(client);
	bool there = jack_port_by_name(client, name) != NULL;
	jack_client_close(client);
	return there;
}

static bool connected(const char *from, const char *to)
{
	jack_client_t *client = jack_client_open("observer", JackNoStartServer, NULL);
	ck_assert_ptr_nonnull(client);
	jack_port_t *port = jack_port_by_name(client, from);
	bool made = port && jack_port_connected_to(port, to);
	jack_client_close(client);
	return made;
}

/* The text of a project's patch; static memory. */
static const char *patch_of(const char *song, const char *id)
{
	static char text[8192];
	char path[300];
	snprintf(path, sizeof path, "%s/patch.cfg", project(song, id));
	FILE *f = fopen(path, "r");
	ck_assert_msg(f != NULL, "no %s", path);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	return text;
}

static void write_patch(const char *song, const char *id, const char *text)
{
	char path[300];
	mkdir(project(song, id), 0700);
	snprintf(path, sizeof path, "%s/patch.cfg", project(song, id));
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static pid_t supervisor(void)
{
	struct chr_rig_status status;
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	return status.supervisor;
}

START_TEST(a_project_is_opened_edited_saved)
{
	chr_manager_start();
	ck_assert_int_eq(chr_rig_spawn(&rig, chr_rig_patch(CHR_PATCH_DRONE), NULL), 0);
	welcome_and_open("one", "Chronus.nAAAA");
	await_message("/nsm/client/label drone, OSC ");
	await_message("/nsm/client/progress 1.00");
	await_message("/reply /nsm/client/open ");
	ck_assert(connected("Chronus.nAAAA/osc1:out", "Chronus.nAAAA/out:left"));
	ck_assert(!port_exists("osc1:out"));
	await_message("/nsm/client/is_clean");
	chr_peer_send(&rig.peer, "/osc1/freq", "f", 345.0);
	await_message("/nsm/client/is_dirty");
	chr_manager_say("/nsm/client/save", NULL, NULL, NULL);
	await_message("/reply /nsm/client/save saved");
	await_message("/nsm/client/is_clean");
	const char *text = patch_of("one", "Chronus.nAAAA");
	ck_assert_msg(strstr(text, "345") && strstr(text, "\"osc1:out\"") && !strstr(text, "nAAAA"), "%s", text);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
	chr_manager_stop();
}
END_TEST

START_TEST(what_a_person_draws_is_saved_without_the_prefix)
{
	chr_manager_start();
	ck_assert_int_eq(chr_rig_spawn(&rig, chr_rig_patch(CHR_PATCH_VOICES), NULL), 0);
	welcome_and_open("drawn", "Chronus.nDDDD");
	await_message("/reply /nsm/client/open ");
	jack_client_t *person = jack_client_open("person", JackNoStartServer, NULL);
	ck_assert_ptr_nonnull(person);
	ck_assert_int_eq(jack_connect(person, "Chronus.nDDDD/env1:env", "Chronus.nDDDD/filt1:cutoff"), 0);
	await_message("/nsm/client/is_dirty");
	chr_manager_say("/nsm/client/save", NULL, NULL, NULL);
	await_message("/reply /nsm/client/save saved");
	const char *text = patch_of("drawn", "Chronus.nDDDD");
	ck_assert_msg(strstr(text, "\"env1:env\",") && strstr(text, "\"filt1:cutoff\" ]") && !strstr(text, "nDDDD"), "%s", text);
	jack_client_close(person);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
	chr_manager_stop();
}
END_TEST

START_TEST(two_of_a_session_do_not_clash)
{
	struct chr_child second;
	char *argv[] = {(char *)CHR_BUILD "/chronus", NULL};
	char log[180];
	chr_manager_start();
	ck_assert_int_eq(chr_rig_spawn(&rig, chr_rig_patch(CHR_PATCH_DRONE), NULL), 0);
	welcome_and_open("pair", "Chronus.nBBBB");
	await_message("/reply /nsm/client/open ");
	/* the same port for OSC is asked for; without a patch a project begins empty */
	snprintf(log, sizeof log, "%s.second", rig.log);
	ck_assert_int_eq(chr_child_start(&second, argv, log), 0);
	welcome_and_open("pair", "Chronus.nCCCC");
	await_message("/nsm/client/label pair, OSC ");
	ck_assert_uint_ne((unsigned)strtoul(strrchr(chr_manager_heard(), ' '), NULL, 10), rig.port);
	await_message("/reply /nsm/client/open ");
	ck_assert(port_exists("Chronus.nBBBB/out:left"));
	ck_assert(port_exists("Chronus.nBBBB/osc1:out"));
	ck_assert(port_exists("Chronus.nCCCC/out:left"));
	ck_assert(!port_exists("Chronus.nCCCC/osc1:out"));
	ck_assert(chr_child_end(&second, 5000));
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
	chr_manager_stop();
}
END_TEST

START_TEST(projects_are_switched_in_one_process)
{
	chr_manager_start();
	ck_assert_int_eq(chr_rig_spawn(&rig, chr_rig_patch(CHR_PATCH_DRONE), NULL), 0);
	welcome_and_open("first", "Chronus.nEEEE");
	await_message("/reply /nsm/client/open ");
	pid_t before = supervisor();

	/* under another id every client is made anew */
	write_patch("second", "Chronus.nFFFF", CHR_PATCH_VOICES);
	chr_manager_say("/nsm/client/open", project("second", "Chronus.nFFFF"), "second", "Chronus.nFFFF");
	await_message("/reply /nsm/client/open ");
	ck_assert_int_eq(chr_rig_wait_playing(&rig, WAIT_MS), 0);
	ck_assert(port_exists("Chronus.nFFFF/filt1:out"));
	ck_assert(!port_exists("Chronus.nEEEE/osc1:out"));
	ck_assert_int_eq(supervisor(), before);

	/* under the same id only the difference is touched */
	struct chr_rig_status status;
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	pid_t out = chr_rig_find(&status, "out", "a")->pid;
	write_patch("third", "Chronus.nFFFF", CHR_PATCH_DRONE);
	chr_manager_say("/nsm/client/open", project("third", "Chronus.nFFFF"), "third", "Chronus.nFFFF");
	await_message("/reply /nsm/client/open ");
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	ck_assert_ptr_null(chr_rig_find(&status, "filt1", "a"));
	ck_assert_int_eq(chr_rig_find(&status, "out", "a")->pid, out);

	/* what cannot be played changes nothing, under any id, and is not saved over */
	write_patch("worse", "Chronus.nFFFF", "lanes = 7; modules = ();\n");
	chr_manager_say("/nsm/client/open", project("worse", "Chronus.nFFFF"), "worse", "Chronus.nFFFF");
	await_message("/error /nsm/client/open -9 ");
	write_patch("bad", "Chronus.nGGGG", "lanes = 7; modules = ();\n");
	chr_manager_say("/nsm/client/open", project("bad", "Chronus.nGGGG"), "bad", "Chronus.nGGGG");
	await_message("/error /nsm/client/open -9 ");
	chr_manager_say("/nsm/client/save", NULL, NULL, NULL);
	await_message("/error /nsm/client/save -6 ");
	ck_assert(port_exists("Chronus.nFFFF/osc1:out"));
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
	chr_manager_stop();
}
END_TEST

START_TEST(a_bad_project_at_the_start_is_told_and_ends_it)
{
	chr_manager_start();
	write_patch("broken", "Chronus.nHHHH", "modules = (\n");
	ck_assert_int_eq(chr_rig_spawn(&rig, chr_rig_patch(CHR_PATCH_DRONE), NULL), 0);
	welcome_and_open("broken", "Chronus.nHHHH");
	await_message("/error /nsm/client/open -9 ");
	ck_assert(chr_child_ended(&rig.child, 5000));
	ck_assert_int_eq(chr_child_code(&rig.child), 65);
	chr_peer_close(&rig.peer);
	chr_manager_stop();
}
END_TEST

static const struct {
	const char *patch, *path, *id, *answer;
} impossible[] = {
	{CHR_PATCH_DRONE, "/dev/null/Chronus.nIIII", "Chronus.nIIII",
	 "/error /nsm/client/open -10 cannot make /dev/null/Chronus.nIIII"},
	{"lanes = 7; modules = ();\n", "/nowhere/Chronus.nIIII", "Chronus.nIIII", "/error /nsm/client/open -10 "},
	{CHR_PATCH_DRONE, "/nowhere/x", "an_id_that_is_longer_than_what_fits", "/error /nsm/client/open -1 the client id"},
	{CHR_PATCH_DRONE, "/nowhere/x", "a:b", "/error /nsm/client/open -1 the client id"},
};

START_TEST(a_project_that_cannot_be_made_is_told)
{
	chr_manager_start();
	ck_assert_int_eq(chr_rig_spawn(&rig, chr_rig_patch(impossible[_i].patch), NULL), 0);
	await_message("/nsm/server/announce Chronus ");
	chr_manager_say("/reply", "/nsm/server/announce", "welcome", "double");
	chr_manager_say("/nsm/client/open", impossible[_i].path, "song", impossible[_i].id);
	await_message(impossible[_i].answer);
	ck_assert(chr_child_ended(&rig.child, 5000));
	ck_assert_int_eq(chr_child_code(&rig.child), 73);
	chr_peer_close(&rig.peer);
	chr_manager_stop();
}
END_TEST

/* A manager that is gone, and one that will not have us. */
START_TEST(without_a_manager_it_plays_as_ever)
{
	chr_manager_start();
	chr_manager_leave();
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(CHR_PATCH_DRONE)), 0);
	ck_assert(port_exists("osc1:out"));
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
	setenv("NSM_URL", "nonsense", 1);
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(CHR_PATCH_DRONE)), 0);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
	unsetenv("NSM_URL");
}
END_TEST

/* ---- nsmd, where it is installed ---- */

static void ask_nsmd(lo_address nsmd, const char *path, const char *argument)
{
	if (argument)
		lo_send(nsmd, path, "s", argument);
	else
		lo_send(nsmd, path, "");
}

/* Waits until a file below the sessions' folder holds the text. */
static void await_file(const char *song, const char *text)
{
	static const struct timespec moment = {.tv_nsec = 20000000};
	char *argv[] = {"sh", "-c", "grep -qrF -- \"$1\" \"$0\" 2>/dev/null", NULL, (char *)text, NULL};
	char folder[256];
	snprintf(folder, sizeof folder, "%s/sessions/%s", chr_server_folder(), song);
	argv[3] = folder;
	for (long long end = chr_now_ms() + WAIT_MS; chr_now_ms() < end; nanosleep(&moment, NULL)) {
		struct chr_child grep;
		if (chr_child_start(&grep, argv, NULL) == 0 && chr_child_ended(&grep, 5000) && chr_child_code(&grep) == 0)
			return;
	}
	ck_abort_msg("no \"%s\" below %s", text, folder);
}

START_TEST(nsmd_starts_saves_and_opens_again)
{
	char *there[] = {"sh", "-c", "command -v nsmd >/dev/null", NULL};
	struct chr_child child;
	char sessions[160], log[160], port[16], path[4096], number[16];
	ck_assert_int_eq(chr_child_start(&child, there, NULL), 0);
	ck_assert(chr_child_ended(&child, 5000));
	if (chr_child_code(&child) != 0) {
		printf("nsmd is not installed: only its double was spoken to\n");
		return;
	}
	snprintf(sessions, sizeof sessions, "%s/sessions", chr_server_folder());
	snprintf(log, sizeof log, "%s/nsmd.log", chr_server_folder());
	snprintf(port, sizeof port, "%u", 30000 + (unsigned)getpid() % 2000);
	snprintf(number, sizeof number, "%u", 32000 + (unsigned)getpid() % 2000);
	snprintf(path, sizeof path, "%s:%s", CHR_BUILD, getenv("PATH"));
	setenv("PATH", path, 1);
	setenv("CHRONUS_OSC_PORT", number, 1);
	char *argv[] = {"nsmd", "--session-root", sessions, "--osc-port", port, NULL};
	ck_assert_int_eq(chr_child_start(&child, argv, log), 0);
	lo_address nsmd = lo_address_new("127.0.0.1", port);
	ck_assert_int_eq(chr_peer_open(&rig.peer, (unsigned)strtoul(number, NULL, 10)), 0);
	rig.child = child;
	snprintf(rig.log, sizeof rig.log, "%s", log);

	/* until it listens, what is sent to it is lost */
	for (int i = 0; i < 100 && access(sessions, F_OK); i++)
		poll(NULL, 0, 20);
	for (int i = 0; i < 100; i++) {
		char song[200];
		snprintf(song, sizeof song, "%s/song", sessions);
		if (access(song, F_OK) == 0)
			break;
		ask_nsmd(nsmd, "/nsm/server/new", "song");
		poll(NULL, 0, 50);
	}
	ask_nsmd(nsmd, "/nsm/server/add", "chronus");
	ck_assert_int_eq(chr_rig_wait_playing(&rig, WAIT_MS), 0);
	chr_peer_send(&rig.peer, "/chronus/add", "ss", "sine", "osc1");
	ck_assert_int_eq(chr_rig_wait_playing(&rig, WAIT_MS), 0);
	ask_nsmd(nsmd, "/nsm/server/save", NULL);
	await_file("song", "osc1");
	await_file("song", "Chronus:chronus:n");
	ask_nsmd(nsmd, "/nsm/server/close", NULL);
	ask_nsmd(nsmd, "/nsm/server/open", "song");
	struct chr_rig_status status;
	do {
		ck_assert_int_eq(chr_rig_wait_playing(&rig, WAIT_MS), 0);
		ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	} while (!chr_rig_find(&status, "osc1", "a"));
	lo_address_free(nsmd);
	chr_peer_close(&rig.peer);
	chr_child_end(&child, 10000);
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "session", 90);
	tcase_add_test(tests, a_project_is_opened_edited_saved);
	tcase_add_test(tests, what_a_person_draws_is_saved_without_the_prefix);
	tcase_add_test(tests, two_of_a_session_do_not_clash);
	tcase_add_test(tests, projects_are_switched_in_one_process);
	tcase_add_test(tests, a_bad_project_at_the_start_is_told_and_ends_it);
	tcase_add_loop_test(tests, a_project_that_cannot_be_made_is_told, 0, sizeof impossible / sizeof impossible[0]);
	tcase_add_test(tests, without_a_manager_it_plays_as_ever);
	tcase_add_test(tests, nsmd_starts_saves_and_opens_again);
}

int main(void)
{
	return chr_system_main("session", fill, 0);
}
