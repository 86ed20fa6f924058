#include "supervisor/sentry.h"

#include "common/clock.h"
#include "common/wake.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/spawned.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PERIODS   8u    /* of the watchdog */
#define PERIOD_US 1000u /* so its least wait, 10 ms, is what counts */
#define LEAST_US  10000u
#define SANE_US   2000000u /* a death is seen in microseconds; this is for a machine that stands still */

static struct chr_spawn spawn;
static struct chr_inbox inbox;
static struct chr_sentry sentry;
static _Atomic uint32_t server;
static struct held before;

static void setup(void)
{
	before = held_now();
	spawn = spawned_setup();
	ck_assert_int_eq(chr_inbox_init(&inbox), 0);
	atomic_store_explicit(&server, 0, memory_order_relaxed);
	ck_assert_int_eq(chr_sentry_init(&sentry, &inbox, &server, PERIODS), 0);
	chr_sentry_set_period(&sentry, PERIOD_US);
}

static void teardown(void)
{
	chr_sentry_finish(&sentry);
	chr_inbox_finish(&inbox);
	spawned_teardown(&spawn);
	held_assert_same(before);
}

/* The next post, which is to be this one. */
static struct chr_post expect(enum chr_post_kind kind, const struct chr_process *process)
{
	struct chr_post post;
	while (!chr_inbox_take(&inbox, &post)) {
		ck_assert_msg(spawned_readable(inbox.wake_fd, SPAWNED_WAIT_MS), "no post of kind %d", kind);
		chr_wake_clear(inbox.wake_fd);
	}
	ck_assert_int_eq(post.kind, kind);
	ck_assert_ptr_eq(post.process, process);
	return post;
}

static void expect_nothing(void)
{
	struct chr_post post;
	ck_assert(!chr_inbox_take(&inbox, &post));
}

static struct chr_process *guarded(void)
{
	struct chr_process *process = spawned_start(&spawn);
	ck_assert_int_eq(chr_sentry_add(&sentry, process), 0);
	ck_assert_ptr_nonnull(process->guard);
	return process;
}

static void end(struct chr_process *process)
{
	chr_sentry_remove(&sentry, process);
	ck_assert_ptr_null(process->guard);
	chr_process_destroy(process);
}

static uint32_t broken(const struct chr_process *out, unsigned lane)
{
	return atomic_load_explicit(&out->slot->picker.broken[lane], memory_order_acquire);
}

static void server_runs(uint32_t cycles)
{
	atomic_fetch_add_explicit(&server, cycles, memory_order_release);
}

START_TEST(test_sentry_posts_death)
{
	struct chr_process *process = guarded(), *other = guarded();
	uint64_t from = chr_monotonic_us();
	chr_process_signal(process, SIGKILL);
	struct chr_post post = expect(CHR_POST_DEATH, process);
	ck_assert_uint_ge(post.time_us, from);
	ck_assert_uint_le(post.time_us, chr_monotonic_us());
	ck_assert_uint_lt(post.time_us - from, SANE_US);
	spawned_wait_end(process);
	end(process);
	end(other);
	expect_nothing();
}
END_TEST

/* A fatal signal is told by its handler, before the process ends and whatever it does after. */
START_TEST(test_sentry_posts_crash)
{
	struct chr_process *process = guarded();
	chr_process_signal(process, SIGSEGV);
	expect(CHR_POST_DEATH, process);
	ck_assert_uint_eq(atomic_load_explicit(&process->slot->report.phase, memory_order_acquire), CHR_PHASE_CRASHED);
	ck_assert_uint_eq(atomic_load_explicit(&process->slot->report.signal, memory_order_relaxed), SIGSEGV);
	end(process);
}
END_TEST

START_TEST(test_sentry_marks_lane)
{
	struct chr_process *out = body_create(), *other = body_create(), *process = guarded();
	ck_assert_int_eq(chr_sentry_add(&sentry, out), 0);
	ck_assert_int_eq(chr_sentry_add(&sentry, other), 0);
	chr_sentry_set_out(&sentry, out, 0);
	chr_sentry_set_out(&sentry, other, 1);
	chr_sentry_watch(&sentry, process, NULL, _i);
	chr_process_signal(process, SIGKILL);
	expect(CHR_POST_DEATH, process);
	for (int lane = 0; lane < CHR_LANES; lane++) {
		ck_assert_uint_eq(broken(out, (unsigned)lane), lane == _i);
		ck_assert_uint_eq(broken(other, (unsigned)lane), lane == _i);
	}
	end(process);
	chr_sentry_remove(&sentry, out);
	chr_sentry_remove(&sentry, other);
	body_destroy(out);
	body_destroy(other);
}
END_TEST

/* What has left the sentry is not written to any more: its memory may be gone. */
START_TEST(test_sentry_forgets_out)
{
	struct chr_process *out = body_create(), *process = guarded();
	ck_assert_int_eq(chr_sentry_add(&sentry, out), 0);
	chr_sentry_set_out(&sentry, out, 0);
	chr_sentry_watch(&sentry, process, NULL, 1);
	chr_sentry_remove(&sentry, out);
	body_destroy(out);
	chr_process_signal(process, SIGKILL);
	expect(CHR_POST_DEATH, process);
	end(process);
}
END_TEST

/* The other end of the JACK socket sees the end of the connection; our own descriptor of it stays open. */
START_TEST(test_sentry_shuts_jack_down)
{
	struct chr_process *process = guarded();
	int pair[2], other[2];
	char byte;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other), 0);
	chr_sentry_set_jack(&sentry, process, other[0]);
	chr_sentry_set_jack(&sentry, process, pair[0]);
	ck_assert(!spawned_readable(pair[1], 0));
	chr_process_signal(process, SIGKILL);
	expect(CHR_POST_DEATH, process);
	ck_assert_int_eq(recv(pair[1], &byte, 1, MSG_DONTWAIT), 0);
	ck_assert(!spawned_readable(other[1], 0));
	end(process);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(close(pair[i]), 0);
		ck_assert_int_eq(close(other[i]), 0);
	}
}
END_TEST

/* A pulse inside its cycle is killed, one that merely stands still is spared: downstream of a hang nothing runs either. The innocent are
 * guarded first, so that every look of the watchdog comes by them before it reaches the guilty one. */
START_TEST(test_sentry_kills_a_hang)
{
	struct chr_process *out = body_create(), *idle = guarded(), *fresh = guarded(), *unwatched = guarded(), *hangs = guarded();
	struct chr_pulse still = {0}, never = {0}, inside = {0};
	ck_assert_int_eq(chr_sentry_add(&sentry, out), 0);
	chr_sentry_set_out(&sentry, out, 0);
	chr_pulse_enter(&still, 512);
	chr_pulse_complete(&still, 512);
	chr_pulse_enter(&inside, 512);
	chr_pulse_complete(&inside, 512);
	chr_pulse_enter(&inside, 768);
	chr_sentry_watch(&sentry, idle, &still, 0);
	chr_sentry_watch(&sentry, fresh, &never, 0);
	uint64_t from = chr_monotonic_us();
	chr_sentry_watch(&sentry, hangs, &inside, 1);
	server_runs(PERIODS);
	struct chr_post post = expect(CHR_POST_HANG, hangs);
	ck_assert_uint_ge(post.time_us - from, LEAST_US);
	ck_assert_uint_eq(broken(out, 1), 1);
	expect(CHR_POST_DEATH, hangs);
	ck_assert_uint_eq(broken(out, 0), 0);
	expect_nothing();
	int status;
	spawned_wait_end(hangs);
	chr_sentry_remove(&sentry, hangs);
	ck_assert(chr_process_reap(hangs, &status));
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	chr_process_destroy(hangs);
	end(idle);
	end(fresh);
	end(unwatched);
	chr_sentry_remove(&sentry, out);
	body_destroy(out);
}
END_TEST

START_TEST(test_sentry_kills_the_stopped)
{
	struct chr_process *idle = guarded(), *stands = guarded();
	struct chr_pulse still = {0}, other = {0};
	siginfo_t info;
	chr_pulse_complete(&still, 512);
	chr_pulse_enter(&still, 512);
	other = still;
	chr_sentry_watch(&sentry, idle, &other, 0);
	chr_sentry_watch(&sentry, stands, &still, 0);
	chr_process_signal(stands, SIGSTOP);
	ck_assert_int_eq(waitid(P_PID, (id_t)stands->pid, &info, WSTOPPED), 0);
	server_runs(PERIODS);
	expect(CHR_POST_HANG, stands);
	expect(CHR_POST_DEATH, stands);
	expect_nothing();
	end(stands);
	end(idle);
}
END_TEST

/* Nobody is to blame while the server's cycles stand still, or while there is no server. Then, when it runs, the guilty are found. */
START_TEST(test_sentry_waits_for_the_server)
{
	struct chr_process *hangs = guarded();
	struct chr_pulse inside = {0};
	chr_pulse_enter(&inside, 768);
	chr_sentry_watch(&sentry, hangs, &inside, 0);
	server_runs(PERIODS - 1);
	ck_assert_msg(!spawned_readable(inbox.wake_fd, 60), "killed by a server that stands still");
	chr_sentry_set_period(&sentry, 0);
	server_runs(1000);
	ck_assert_msg(!spawned_readable(inbox.wake_fd, 60), "killed without a server");
	uint64_t from = chr_monotonic_us();
	chr_sentry_set_period(&sentry, PERIOD_US);
	ck_assert_uint_ge(expect(CHR_POST_HANG, hangs).time_us, from);
	expect(CHR_POST_DEATH, hangs);
	end(hangs);
}
END_TEST

/* A process that is watched from now on is given its time from now on, whatever the watchdog saw a moment before. The pulse is inside its first
 * cycle, as that of a module is whose client was just activated. */
START_TEST(test_sentry_gives_time)
{
	struct chr_process *process = guarded();
	struct chr_pulse inside = {0};
	chr_pulse_enter(&inside, 768);
	for (uint64_t until = chr_monotonic_us() + 300000; chr_monotonic_us() < until;) {
		server_runs(1);
		chr_sentry_watch(&sentry, process, &inside, 0);
	}
	chr_sentry_watch(&sentry, process, NULL, 0);
	expect_nothing();
	end(process);
}
END_TEST

/* The audio thread of a process: cycle after cycle until it is told to stop. */
struct beating {
	struct chr_pulse pulse;
	_Atomic int stop;
};

static void *beat(void *arg)
{
	struct beating *beating = arg;
	for (uint32_t frame = 256; !atomic_load_explicit(&beating->stop, memory_order_relaxed); frame += 256) {
		chr_pulse_enter(&beating->pulse, frame);
		usleep(500);
		chr_pulse_complete(&beating->pulse, frame);
		chr_pulse_enter(&beating->pulse, frame + 256);
	}
	return NULL;
}

/* A pulse that moves is spared however far the server has come, though it is inside a cycle whenever it is looked at; beside it one that does
 * not move is killed in the same look. */
START_TEST(test_sentry_spares_what_moves)
{
	struct chr_process *moves = guarded(), *hangs = guarded();
	static struct beating beating;
	struct chr_pulse inside = {0};
	pthread_t thread;
	ck_assert_int_eq(pthread_create(&thread, NULL, beat, &beating), 0);
	chr_pulse_enter(&inside, 768);
	chr_sentry_watch(&sentry, moves, &beating.pulse, 0);
	chr_sentry_watch(&sentry, hangs, &inside, 0);
	/* each look sees the moving one at a new place first */
	for (int i = 0; i < 20; i++) {
		uint32_t seen = atomic_load_explicit(&beating.pulse.cycles, memory_order_acquire);
		while (atomic_load_explicit(&beating.pulse.cycles, memory_order_acquire) == seen)
			usleep(100);
		server_runs(1);
	}
	expect(CHR_POST_HANG, hangs);
	expect(CHR_POST_DEATH, hangs);
	expect_nothing();
	atomic_store_explicit(&beating.stop, 1, memory_order_relaxed);
	pthread_join(thread, NULL);
	end(hangs);
	end(moves);
}
END_TEST

/* A guard that is told to go goes at once: a wake-up that was lost would cost it a second. */
START_TEST(test_sentry_remove_never_hangs)
{
	struct chr_process *body = body_create();
	unsigned slow = 0;
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(chr_sentry_add(&sentry, body), 0);
		if (i % 2) /* half of them while the guard is on its way to sleep, half when it sleeps */
			while (!(atomic_load_explicit((_Atomic uint32_t *)(void *)&body->slot->alive, memory_order_acquire) &
				 0x80000000u))
				sched_yield();
		uint64_t from = chr_monotonic_us();
		chr_sentry_remove(&sentry, body);
		slow += chr_monotonic_us() - from > 900000u;
	}
	ck_assert_uint_lt(slow, 5);
	expect_nothing();
	body_destroy(body);
}
END_TEST

/* Removing a guard while, before and after its process dies. */
START_TEST(test_sentry_remove_the_dying)
{
	for (int i = 0; i < 20; i++) {
		struct chr_process *process = guarded();
		struct chr_post post;
		chr_process_signal(process, SIGKILL);
		if (i % 2)
			spawned_wait_end(process);
		end(process);
		/* posted before the guard went, or never */
		while (chr_inbox_take(&inbox, &post))
			ck_assert_ptr_eq(post.process, process);
	}
	expect_nothing();
}
END_TEST

/* A process without a guard asks for nothing and gets nothing. */
START_TEST(test_sentry_unguarded)
{
	struct chr_process *body = body_create();
	chr_sentry_set_jack(&sentry, body, 0);
	chr_sentry_set_out(&sentry, body, 0);
	chr_sentry_watch(&sentry, body, NULL, 0);
	chr_sentry_remove(&sentry, body);
	body_destroy(body);
	expect_nothing();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sentry");
	TCase *tcase = tcase_create("sentry");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_sentry_posts_death);
	tcase_add_test(tcase, test_sentry_posts_crash);
	tcase_add_loop_test(tcase, test_sentry_marks_lane, -1, CHR_LANES);
	tcase_add_test(tcase, test_sentry_forgets_out);
	tcase_add_test(tcase, test_sentry_shuts_jack_down);
	tcase_add_test(tcase, test_sentry_kills_a_hang);
	tcase_add_test(tcase, test_sentry_kills_the_stopped);
	tcase_add_test(tcase, test_sentry_waits_for_the_server);
	tcase_add_test(tcase, test_sentry_gives_time);
	tcase_add_test(tcase, test_sentry_spares_what_moves);
	tcase_add_test(tcase, test_sentry_remove_never_hangs);
	tcase_add_test(tcase, test_sentry_remove_the_dying);
	tcase_add_test(tcase, test_sentry_unguarded);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
