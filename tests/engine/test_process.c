/* chronus-module as a process, as far as it goes without a JACK server: orders, reports, signals, ends. */
#include "common/choice.h"
#include "common/slot.h"
#include "common/wake.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define PATIENCE_MS 10000 /* after it, what should happen does not */
#define PROGRAM     CHR_BUILD "/chronus-module"

static struct {
	pid_t pid;
	struct chr_slot *slot;
	int slot_fd, to_main, from_main, socket;
} module;

static pid_t spawn(const int *source, int count)
{
	char *argv[] = {(char *)"chronus-module", NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid = 0;
	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < count; i++)
		posix_spawn_file_actions_adddup2(&actions, source[i], 64 + i);
	for (int i = 0; i < count; i++)
		posix_spawn_file_actions_adddup2(&actions, 64 + i, CHR_FD_SLOT + i);
	posix_spawn_file_actions_addclosefrom_np(&actions, CHR_FD_SLOT + count);
	ck_assert_int_eq(posix_spawn(&pid, PROGRAM, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static unsigned next_report(void)
{
	struct chr_event event;
	struct pollfd wake = {.fd = module.from_main, .events = POLLIN};
	while (!chr_ring_read(&module.slot->from_main, &event, 1)) {
		ck_assert_msg(poll(&wake, 1, PATIENCE_MS) == 1, "no report came");
		chr_wake_clear(module.from_main);
	}
	ck_assert_uint_eq(event.version, CHR_EVENT_VERSION);
	return event.kind;
}

static void order(unsigned kind)
{
	const struct chr_event event = {.version = CHR_EVENT_VERSION, .kind = (uint16_t)kind};
	ck_assert_uint_eq(chr_ring_write(&module.slot->to_main, &event, 1), 1);
	chr_wake(module.to_main);
}

static unsigned phase(void)
{
	return atomic_load_explicit(&module.slot->report.phase, memory_order_acquire);
}

static void set(char *field, size_t bytes, const char *text)
{
	snprintf(field, bytes, "%s", text);
}

static void load(const char *file)
{
	set(module.slot->order.file, sizeof module.slot->order.file, file);
	order(CHR_ORDER_LOAD);
}

/* The wait status of a process that ends by itself. */
static int end_of(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;
	struct pollfd gone = {.fd = pidfd, .events = POLLIN};
	ck_assert_msg(poll(&gone, 1, PATIENCE_MS) == 1, "the process does not end");
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(pidfd);
	return status;
}

static int end_status(void)
{
	int status = end_of(module.pid);
	module.pid = 0;
	return status;
}

static void setup(void)
{
	int board[CHR_LANES], choice, pair[2];
	setenv("JACK_NO_START_SERVER", "1", 1);
	module.slot = chr_slot_create(&module.slot_fd);
	ck_assert_ptr_nonnull(module.slot);
	for (int lane = 0; lane < CHR_LANES; lane++)
		chr_board_unmap(chr_board_create(&board[lane]));
	chr_choice_unmap(chr_choice_create(&choice));
	module.to_main = chr_wake_create();
	module.from_main = chr_wake_create();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	module.socket = pair[0];
	const int source[] = {module.slot_fd, module.to_main, module.from_main, pair[1], board[0], board[1], choice};
	module.pid = spawn(source, sizeof source / sizeof source[0]);
	close(pair[1]);
	for (int lane = 0; lane < CHR_LANES; lane++)
		close(board[lane]);
	close(choice);
	ck_assert_uint_eq(next_report(), CHR_REPORT_HELLO);
	ck_assert_uint_eq(phase(), CHR_PHASE_SPARE);
}

static void teardown(void)
{
	if (module.pid) {
		kill(module.pid, SIGKILL);
		waitpid(module.pid, NULL, 0);
	}
	chr_slot_unmap(module.slot);
	close(module.slot_fd);
	close(module.to_main);
	close(module.from_main);
	close(module.socket);
}

START_TEST(a_death_is_seen_through_the_slot)
{
	static const _Atomic int never;
	ck_assert_int_eq(kill(module.pid, SIGKILL), 0);
	ck_assert_int_eq(chr_slot_wait_death(module.slot, &never), 0);
	ck_assert(WIFSIGNALED(end_status()));
}
END_TEST

START_TEST(a_fatal_signal_is_reported_and_kills)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	static const _Atomic int never;
	ck_assert_int_eq(kill(module.pid, fatal[_i]), 0);
	ck_assert_int_eq(chr_slot_wait_death(module.slot, &never), 0);
	ck_assert_uint_eq(phase(), CHR_PHASE_CRASHED);
	ck_assert_int_eq((int)atomic_load_explicit(&module.slot->report.signal, memory_order_relaxed), fatal[_i]);
	int status = end_status();
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == fatal[_i]);
}
END_TEST

START_TEST(a_failed_order_is_explained_and_the_next_obeyed)
{
	order(CHR_ORDER_OPEN);
	ck_assert_uint_eq(next_report(), CHR_REPORT_FAILED);
	ck_assert_uint_eq(phase(), CHR_PHASE_FAILED);
	ck_assert_str_eq(module.slot->report.text, "there is no module to play");
	load(CHR_BUILD "/tests/modules/bad/abi.so");
	ck_assert_uint_eq(next_report(), CHR_REPORT_FAILED);
	ck_assert_ptr_nonnull(strstr(module.slot->report.text, "ABI 2, this engine speaks 1"));
	load(CHR_BUILD "/modules/sine.so");
	ck_assert_uint_eq(next_report(), CHR_REPORT_LOADED);
	ck_assert_uint_eq(phase(), CHR_PHASE_LOADED);
	ck_assert_str_eq(module.slot->descriptor.name, "sine");
	load(CHR_BUILD "/modules/sine.so");
	ck_assert_uint_eq(next_report(), CHR_REPORT_FAILED);
	ck_assert_str_eq(module.slot->report.text, "this process has a module already");
}
END_TEST

START_TEST(no_server_is_a_reason)
{
	load(CHR_BUILD "/modules/sine.so");
	ck_assert_uint_eq(next_report(), CHR_REPORT_LOADED);
	set(module.slot->order.client, sizeof module.slot->order.client, "osc1");
	set(module.slot->order.module, sizeof module.slot->order.module, "osc1");
	set(module.slot->order.server, sizeof module.slot->order.server, "chronus-no-such-server");
	module.slot->order.lanes = 1;
	order(CHR_ORDER_OPEN);
	ck_assert_uint_eq(next_report(), CHR_REPORT_FAILED);
	ck_assert_uint_eq(phase(), CHR_PHASE_FAILED);
	ck_assert_str_eq(module.slot->report.text, "no JACK server answers as chronus-no-such-server");
	module.slot->order.member = CHR_BOARD_MEMBERS;
	order(CHR_ORDER_OPEN);
	ck_assert_uint_eq(next_report(), CHR_REPORT_FAILED);
	ck_assert_str_eq(module.slot->report.text, "the order to open is out of range");
	order(CHR_ORDER_EXIT);
	ck_assert_int_eq(end_status(), 0);
}
END_TEST

START_TEST(an_unknown_order_is_passed_over)
{
	order(9999);
	order(CHR_EVENT_PARAM);
	load(CHR_BUILD "/modules/sine.so");
	ck_assert_uint_eq(next_report(), CHR_REPORT_LOADED);
}
END_TEST

START_TEST(ends_by_order_and_by_sigterm)
{
	if (_i)
		kill(module.pid, SIGTERM);
	else
		order(CHR_ORDER_EXIT);
	ck_assert_int_eq(end_status(), 0);
}
END_TEST

START_TEST(the_keys_of_a_terminal_are_not_for_modules)
{
	static const int keys[] = {SIGINT, SIGQUIT, SIGTSTP, SIGHUP, SIGPIPE};
	for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++)
		ck_assert_int_eq(kill(module.pid, keys[i]), 0);
	load(CHR_BUILD "/modules/sine.so");
	ck_assert_uint_eq(next_report(), CHR_REPORT_LOADED);
}
END_TEST

START_TEST(what_does_not_play_ends_with_the_supervisor)
{
	if (_i) {
		load(CHR_BUILD "/modules/sine.so");
		ck_assert_uint_eq(next_report(), CHR_REPORT_LOADED);
	}
	shutdown(module.socket, SHUT_RDWR);
	ck_assert_int_eq(end_status(), 0);
}
END_TEST

START_TEST(started_by_hand_it_says_what_it_is)
{
	int status = end_of(spawn(NULL, 0));
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == EX_USAGE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("process");
	TCase *tcase = tcase_create("process");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_death_is_seen_through_the_slot);
	tcase_add_loop_test(tcase, a_fatal_signal_is_reported_and_kills, 0, 5);
	tcase_add_test(tcase, a_failed_order_is_explained_and_the_next_obeyed);
	tcase_add_test(tcase, no_server_is_a_reason);
	tcase_add_test(tcase, an_unknown_order_is_passed_over);
	tcase_add_loop_test(tcase, ends_by_order_and_by_sigterm, 0, 2);
	tcase_add_test(tcase, the_keys_of_a_terminal_are_not_for_modules);
	tcase_add_loop_test(tcase, what_does_not_play_ends_with_the_supervisor, 0, 2);
	tcase_add_test(tcase, started_by_hand_it_says_what_it_is);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
