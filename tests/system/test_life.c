/* Starting and ending: clean exits, exit codes that tell why, and a JACK server that goes and returns. */
#include "common/awake.h"
#include "tests/lib/graph.h"
#include "tests/lib/leaks.h"
#include "tests/lib/patches.h"
#include "tests/lib/recorder.h"
#include "tests/lib/rig.h"
#include "tests/lib/server.h"
#include "tests/lib/system.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct chr_rig rig;

/* Starts it and waits for it to end by itself. */
static int run_to_end(const char *patch, const char *const *options)
{
	ck_assert_int_eq(chr_rig_spawn(&rig, patch, options), 0);
	ck_assert_msg(chr_child_ended(&rig.child, 10000), "still runs:\n%s", chr_rig_printed(&rig));
	chr_peer_close(&rig.peer);
	return chr_child_code(&rig.child);
}

START_TEST(wrong_patches_end_with_65_and_name_every_line)
{
	int code = run_to_end(chr_rig_patch("lanes = 7;\n"
					    "modules = (\n"
					    "  { name = \"osc1\"; type = \"sine\"; params = { freq = -3.0; wobble = 1.0; }; },\n"
					    "  { name = \"osc1\"; type = \"nothing\"; }\n"
					    ");\n"
					    "connections = (\n"
					    "  [\"osc1:sideways\", \"out:left\"]\n"
					    ");\n"),
			      NULL);
	const char *text = chr_rig_printed(&rig);
	ck_assert_msg(code == 65, "code %d:\n%s", code, text);
	ck_assert_msg(strstr(text, ".cfg:1: "), "%s", text);
	ck_assert_msg(strstr(text, ".cfg:3: "), "%s", text);
	ck_assert_msg(strstr(text, ".cfg:4: "), "%s", text);
	ck_assert_msg(strstr(text, ".cfg:7: "), "%s", text);
}
END_TEST

START_TEST(syntax_errors_and_includes_end_with_65)
{
	ck_assert_int_eq(run_to_end(chr_rig_patch("modules = (\n{ name = \n"), NULL), 65);
	ck_assert_ptr_nonnull(strstr(chr_rig_printed(&rig), ".cfg:"));
	ck_assert_int_eq(run_to_end(chr_rig_patch("@include \"/etc\"\n"), NULL), 65);
	ck_assert_int_eq(run_to_end("/", NULL) & ~1, 64); /* 65, or 64: not a patch */
	ck_assert_int_eq(run_to_end("/nowhere/at/all.cfg", NULL), 66);
}
END_TEST

START_TEST(check_checks_and_starts_nothing)
{
	static const char *const check[] = {"--check", NULL};
	ck_assert_int_eq(run_to_end(chr_rig_patch(CHR_PATCH_VOICES), check), 0);
	ck_assert_int_eq(run_to_end(chr_rig_patch("lanes = 7;\n"), check), 65);
}
END_TEST

START_TEST(a_port_in_use_is_named)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof at;
	char number[16];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &bytes), 0);
	snprintf(number, sizeof number, "%u", ntohs(at.sin_port));
	const char *options[] = {"--port", number, NULL};
	int code = run_to_end(chr_rig_patch(CHR_PATCH_DRONE), options);
	ck_assert_msg(code == 69, "code %d:\n%s", code, chr_rig_printed(&rig));
	ck_assert_ptr_nonnull(strstr(chr_rig_printed(&rig), number));
	ck_assert_ptr_nonnull(strstr(chr_rig_printed(&rig), "--port"));
	close(fd);
}
END_TEST

START_TEST(no_jack_ends_with_69_and_one_line)
{
	static const char *const options[] = {"--no-jack-start", NULL};
	setenv("JACK_DEFAULT_SERVER", "nobody-here", 1);
	setenv("CHRONUS_JACK_SERVER", "nobody-here", 1);
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	setenv("PIPEWIRE_RUNTIME_DIR", "/nonexistent", 1);
	int code = run_to_end(chr_rig_patch(CHR_PATCH_DRONE), options);
	const char *text = chr_rig_printed(&rig);
	ck_assert_msg(code == 69, "code %d:\n%s", code, text);
	const char *end = strchr(text, '\n');
	ck_assert_msg(end && end[1] == '\0', "more than one line:\n%s", text);
}
END_TEST

static unsigned clients(const char *name)
{
	jack_client_t *client = jack_client_open("observer", JackNoStartServer, NULL);
	ck_assert_ptr_nonnull(client);
	const char **ports = jack_get_ports(client, name, NULL, 0);
	unsigned count = 0;
	while (ports && ports[count])
		count++;
	jack_free(ports);
	jack_client_close(client);
	return count;
}

START_TEST(fifty_lives_leave_nothing_behind)
{
	struct chr_holdings server = {0};
	unsigned shm = 0;
	long long slowest = 0;
	chr_adopt_orphans();
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(chr_rig_start(&rig, "patches/drone.cfg"), 0);
		long long begun = chr_now_ms();
		int code = chr_rig_stop(&rig);
		long long took = chr_now_ms() - begun;
		ck_assert_msg(code == 0, "life %d ended with %d:\n%s", i + 1, code, chr_rig_printed(&rig));
		slowest = took > slowest ? took : slowest;
		ck_assert_uint_eq(chr_orphans(), 0);
		unlink(rig.log);
		if (i == 0) { /* JACK keeps what it has once opened; the second life is the measure */
			server = chr_holdings_of(chr_server_pid());
			shm = chr_shm_entries("");
		}
	}
	struct chr_holdings after = chr_holdings_of(chr_server_pid());
	printf("50 lives: slowest end %lld ms; server: %u fds, %u threads before, %u, %u after; /dev/shm %u, %u\n", slowest,
	       server.fds, server.threads, after.fds, after.threads, shm, chr_shm_entries(""));
	ck_assert_uint_le(after.fds, server.fds);
	ck_assert_uint_le(after.threads, server.threads);
	ck_assert_uint_eq(chr_shm_entries("chronus"), 0);
	if (chr_server_name()[0])
		ck_assert_uint_le(chr_shm_entries(chr_server_name()), shm);
	ck_assert_uint_eq(clients("^(out|osc1|chronus):"), 0);
	if (!CHR_SYSTEM_SANITIZED)
		ck_assert_int_le(slowest, 1000);
}
END_TEST

/* Two of them on one server would share one name: the second says so, instead of starting a server of its own. */
START_TEST(a_second_one_on_the_server_is_told)
{
	struct chr_rig first;
	ck_assert_int_eq(chr_rig_start(&first, chr_rig_patch(CHR_PATCH_VOICES)), 0);
	int code = run_to_end(chr_rig_patch(CHR_PATCH_VOICES), NULL);
	const char *text = chr_rig_printed(&rig);
	ck_assert_msg(code == 69 && strstr(text, "another chronus plays there"), "code %d:\n%s", code, text);
	ck_assert_int_eq(chr_rig_stop(&first), 0);
}
END_TEST

/* A server that accepts and never answers keeps nobody from ending what waits for it. */
START_TEST(a_start_on_a_server_that_hangs_can_be_ended)
{
	kill(chr_server_pid(), SIGSTOP);
	ck_assert_int_eq(chr_rig_spawn(&rig, chr_rig_patch(CHR_PATCH_VOICES), NULL), 0);
	bool early = chr_child_ended(&rig.child, 1000);
	bool willing = chr_child_end(&rig.child, 30000);
	kill(chr_server_pid(), SIGCONT);
	chr_peer_close(&rig.peer);
	ck_assert_msg(!early && willing, "early %d, willing %d:\n%s", early, willing, chr_rig_printed(&rig));
}
END_TEST

/* The limit that counts for the whole system now; -1: it cannot be read. */
static int32_t cpu_latency(void)
{
	int32_t us = -1;
	FILE *f = fopen(chr_awake_machine.device, "rb");
	bool whole = f && fread(&us, sizeof us, 1, f) == 1;
	if (f)
		fclose(f);
	return whole ? us : -1;
}

START_TEST(idle_processors_wake_in_time_while_it_plays)
{
	static const char *const options[][2] = {
		{"--cpu-latency=auto", NULL}, {"--cpu-latency=off", NULL}, {"--cpu-latency=1", NULL}};
	int32_t before = cpu_latency();
	struct chr_awake_way fitting = chr_awake_choose(&chr_awake_machine, CHR_AWAKE_FITTING);
	bool permitted = access(chr_awake_machine.device, W_OK) == 0, limits = fitting.us >= 0 && !fitting.spin;
	int32_t wanted[] = {limits && fitting.us < before ? fitting.us : before, before, before < 1 ? before : 1};
	cpu_set_t all;
	ck_assert_int_eq(sched_getaffinity(0, sizeof all, &all), 0);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(chr_rig_spawn(&rig, chr_rig_patch(CHR_PATCH_DRONE), options[i]), 0);
		ck_assert_int_eq(chr_rig_wait_playing(&rig, 15000), 0);
		ck_assert_int_eq(cpu_latency(), permitted ? wanted[i] : before);
		ck_assert_uint_eq(chr_children_idle(rig.child.pid), i == 0 && fitting.spin ? (unsigned)CPU_COUNT(&all) : 0);
		if (i == 2) /* who asked for it is told that it cannot be */
			ck_assert_int_eq(!strstr(chr_rig_printed(&rig), "--cpu-latency: "), permitted);
		ck_assert_int_eq(chr_rig_stop(&rig), 0);
		ck_assert_int_eq(cpu_latency(), before);
	}
}
END_TEST

/* The supervisor is killed: its modules play on, and are as punctual as before. */
START_TEST(processors_stay_awake_while_modules_play_on)
{
	const struct timespec moment = {.tv_nsec = 10000000}, seconds = {.tv_sec = 3};
	struct chr_awake_way fitting = chr_awake_choose(&chr_awake_machine, CHR_AWAKE_FITTING);
	struct chr_rig_status status;
	cpu_set_t all;
	chr_adopt_orphans();
	ck_assert_int_eq(sched_getaffinity(0, sizeof all, &all), 0);
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(CHR_PATCH_DRONE)), 0);
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	int32_t held = cpu_latency();
	ck_assert_int_eq(kill(rig.child.pid, SIGKILL), 0);
	ck_assert(chr_child_ended(&rig.child, 5000));
	chr_peer_close(&rig.peer);
	nanosleep(&seconds, NULL);
	ck_assert_int_eq(cpu_latency(), held);
	ck_assert_uint_eq(chr_children_idle(getpid()), fitting.spin ? (unsigned)CPU_COUNT(&all) : 0);
	for (unsigned i = 0; i < status.count; i++)
		ck_assert_int_eq(kill(status.instance[i].pid, SIGKILL), 0);
	while (chr_orphans()) /* they see that nobody plays */
		nanosleep(&moment, NULL);
}
END_TEST

START_TEST(quit_over_osc_ends_it)
{
	struct chr_reply reply;
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(CHR_PATCH_DRONE)), 0);
	chr_peer_send(&rig.peer, "/chronus/quit", "");
	ck_assert(chr_peer_expect(&rig.peer, "/chronus/done", 2000, &reply));
	chr_reply_finish(&reply);
	ck_assert(chr_child_ended(&rig.child, 5000));
	ck_assert_int_eq(chr_child_code(&rig.child), 0);
}
END_TEST

/* ---- a server that goes: it belongs to the test alone ---- */

static void await_jack(const char *state)
{
	struct chr_rig_status status;
	do
		ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	while (strcmp(status.jack, state) != 0);
}

static char *graph_now(void)
{
	jack_client_t *client = jack_client_open("observer", JackNoStartServer, NULL);
	ck_assert_ptr_nonnull(client);
	char *text = chr_graph_text(client, NULL);
	jack_client_close(client);
	return text;
}

START_TEST(a_server_that_returns_finds_the_same_graph)
{
	ck_assert_int_eq(chr_server_start(CHR_SERVER_JACKD, 256), 0);
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(CHR_PATCH_VOICES)), 0);
	chr_peer_send(&rig.peer, "/osc1/freq", "f", 345.0);
	ck_assert_double_eq(chr_peer_ask(&rig.peer, "/osc1/freq"), 345.0);
	char *before = graph_now();
	ck_assert_str_ne(before, "");
	for (unsigned period = 256; period <= 512; period += 256) {
		chr_server_kill();
		await_jack("lost");
		ck_assert_int_eq(chr_server_restart(period), 0);
		long long begun = chr_now_ms();
		ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
		long long took = chr_now_ms() - begun;
		printf("server back with a period of %u: playing after %lld ms\n", period, took);
		ck_assert_int_le(took, 2000);
		char *after = graph_now();
		ck_assert_str_eq(after, before);
		free(after);
		ck_assert_double_eq(chr_peer_ask(&rig.peer, "/osc1/freq"), 345.0);
	}
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
	free(before);
	chr_server_stop();
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "life", 120);
	tcase_add_test(tests, wrong_patches_end_with_65_and_name_every_line);
	tcase_add_test(tests, syntax_errors_and_includes_end_with_65);
	tcase_add_test(tests, check_checks_and_starts_nothing);
	tcase_add_test(tests, a_port_in_use_is_named);
	tcase_add_test(tests, no_jack_ends_with_69_and_one_line);
	tcase_add_test(tests, idle_processors_wake_in_time_while_it_plays);
	tcase_add_test(tests, processors_stay_awake_while_modules_play_on);
	tcase_add_test(tests, quit_over_osc_ends_it);
	tcase_add_test(tests, fifty_lives_leave_nothing_behind);
	if (chr_system_kind() == CHR_SERVER_JACKD) {
		tcase_add_test(tests, a_second_one_on_the_server_is_told);
		tcase_add_test(tests, a_start_on_a_server_that_hangs_can_be_ended);
		TCase *server = tcase_create("server");
		tcase_set_timeout(server, 60);
		tcase_add_test(server, a_server_that_returns_finds_the_same_graph);
		suite_add_tcase(suite, server);
	}
}

int main(void)
{
	return chr_system_main("life", fill, 0);
}
