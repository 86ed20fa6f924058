/* The kinds of faults and how each is struck. */
#include "tools/faults.h"

#include "common/clock.h"
#include "tools/faults_strike.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define RESPITE_MS 200 /* how long a scribbler is left alone */

void chr_strike_choose(struct chr_campaign *campaign, struct chr_shot *shot, bool out)
{
	struct chr_session *session = &campaign->session;
	for (;;) {
		const struct chr_session_instance *instance = &session->instance[chr_campaign_draw(campaign, session->count)];
		if (instance->out != out || instance->pid <= 0)
			continue;
		memcpy(shot->module, instance->module, sizeof shot->module);
		shot->lane = instance->lane;
		shot->pid = instance->pid;
		return;
	}
}

/* The moment is read just before the signal is sent: nothing is to come between the two. */
int chr_strike_signal(struct chr_shot *shot, pid_t pid, int sig)
{
	const struct sched_param high = {.sched_priority = 60}, none = {0};
	sched_setscheduler(0, SCHED_FIFO, &high);
	uint64_t now = chr_monotonic_us();
	int rc = kill(pid, sig);
	sched_setscheduler(0, SCHED_OTHER, &none);
	if (!shot->at_us)
		shot->at_us = now;
	return rc;
}

static int by_signal(struct chr_campaign *campaign, struct chr_shot *shot)
{
	chr_strike_choose(campaign, shot, false);
	return chr_strike_signal(shot, shot->pid, shot->kind->signal);
}

static int by_deed(struct chr_campaign *campaign, struct chr_shot *shot)
{
	chr_strike_choose(campaign, shot, false);
	shot->at_us = chr_session_order(&campaign->session, shot->pid, shot->kind->deed, chr_campaign_draw(campaign, UINT32_MAX));
	return shot->at_us ? 0 : -1;
}

static int stop_and_go(struct chr_campaign *campaign, struct chr_shot *shot)
{
	chr_strike_choose(campaign, shot, false);
	chr_strike_signal(shot, shot->pid, SIGSTOP);
	chr_session_pass(&campaign->session, 1 + (int)chr_campaign_draw(campaign, 30));
	kill(shot->pid, SIGCONT);
	return 0;
}

/* A module that wrote into everything it can reach is not to be heard; when nobody has ended it after a while, it is ended here. */
static int scribble(struct chr_campaign *campaign, struct chr_shot *shot)
{
	if (by_deed(campaign, shot))
		return -1;
	chr_session_pass(&campaign->session, RESPITE_MS);
	if (campaign->session.disturbed)
		snprintf(shot->note, sizeof shot->note, "noticed");
	kill(shot->pid, SIGKILL);
	return 0;
}

/* The process that takes the victim's place fails too. */
static int start_badly(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_faults_page *page = campaign->session.page;
	atomic_store_explicit(&page->start_deed, shot->kind->deed, memory_order_relaxed);
	/* release: the deed stands before the count does */
	atomic_store_explicit(&page->start_left, 1, memory_order_release);
	return by_signal(campaign, shot);
}

static struct chr_session_instance *twin_of(struct chr_campaign *campaign, const struct chr_shot *shot)
{
	return chr_session_find(&campaign->session, shot->module, !shot->lane);
}

static int twins(struct chr_campaign *campaign, struct chr_shot *shot)
{
	chr_strike_choose(campaign, shot, false);
	const struct chr_session_instance *twin = twin_of(campaign, shot);
	chr_strike_signal(shot, shot->pid, SIGKILL);
	return twin ? kill(twin->pid, SIGKILL) : -1;
}

static int two_of_two(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_shot other = {0};
	chr_strike_choose(campaign, shot, false);
	do
		chr_strike_choose(campaign, &other, false);
	while (other.lane == shot->lane || strcmp(other.module, shot->module) == 0);
	chr_strike_signal(shot, shot->pid, SIGKILL);
	return kill(other.pid, SIGKILL);
}

/* A second death in the lane that is being repaired: of the replacement or of another member. */
static int kill_repair(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_session *session = &campaign->session;
	struct chr_shot other = {0};
	chr_strike_choose(campaign, shot, false);
	chr_strike_signal(shot, shot->pid, SIGKILL);
	chr_session_pass(session, 1 + (int)chr_campaign_draw(campaign, 40));
	chr_session_status(session);
	do
		chr_strike_choose(campaign, &other, false);
	while (other.lane != shot->lane || other.pid == shot->pid);
	return kill(other.pid, SIGKILL);
}

static int kill_out(struct chr_campaign *campaign, struct chr_shot *shot)
{
	chr_strike_choose(campaign, shot, true);
	return chr_strike_signal(shot, shot->pid, SIGKILL);
}

/* Both twins put out denormal numbers, as one and the same calculation would. */
static int denormal(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_session *session = &campaign->session;
	chr_strike_choose(campaign, shot, false);
	const struct chr_session_instance *twin = twin_of(campaign, shot);
	if (twin)
		chr_session_order_async(session, 1, twin->pid, CHR_DEED_DENORMAL, 1);
	shot->at_us = chr_session_order(session, shot->pid, CHR_DEED_DENORMAL, 1);
	return shot->at_us ? 0 : -1;
}

const struct chr_kind chr_kind[] = {
	{"kill", "SIGKILL", CHR_KIND_SINGLE | CHR_KIND_DEATH, SIGKILL, 0, by_signal},
	{"segv", "SIGSEGV in the callback", CHR_KIND_SINGLE | CHR_KIND_DEATH, 0, CHR_DEED_SEGV, by_deed},
	{"abort", "SIGABRT in the callback", CHR_KIND_SINGLE | CHR_KIND_DEATH, 0, CHR_DEED_ABORT, by_deed},
	{"bus", "SIGBUS in the callback", CHR_KIND_SINGLE | CHR_KIND_DEATH, 0, CHR_DEED_BUS, by_deed},
	{"fpe", "SIGFPE in the callback", CHR_KIND_SINGLE | CHR_KIND_DEATH, 0, CHR_DEED_FPE, by_deed},
	{"loop", "endless loop in the callback", CHR_KIND_SINGLE, 0, CHR_DEED_LOOP, by_deed},
	{"stop", "SIGSTOP", CHR_KIND_SINGLE, SIGSTOP, 0, by_signal},

	{"stop-cont", "SIGSTOP, and SIGCONT within 30 ms", CHR_KIND_MILD, 0, 0, stop_and_go},
	{"nonfinite", "a block of infinities and NaNs", CHR_KIND_MILD, 0, CHR_DEED_NONFINITE, by_deed},
	{"denormal", "blocks of denormals from both twins", CHR_KIND_FRESH | CHR_KIND_MILD, 0, CHR_DEED_DENORMAL, denormal},
	{"flip", "random bits flipped in its slot and board", 0, 0, CHR_DEED_FLIP, scribble},
	{"index", "its rings' indices out of range", 0, 0, CHR_DEED_INDEX, scribble},
	{"ring-full", "4,000 events while it is stopped", CHR_KIND_MILD, 0, 0, chr_strike_full_ring},
	{"start-abi", "its replacement has another ABI", 0, SIGKILL, CHR_DEED_ABI, start_badly},
	{"start-abort", "its replacement aborts while loading", 0, SIGKILL, CHR_DEED_ABORT_LOADING, start_badly},
	{"open-abort", "its replacement aborts with an open client", 0, SIGKILL, CHR_DEED_ABORT_OPENING, start_badly},
	{"start-hang", "its replacement hangs while loading", CHR_KIND_ONCE, SIGKILL, CHR_DEED_HANG_LOADING, start_badly},
	{"open-hang", "its replacement hangs with an open client", CHR_KIND_ONCE, SIGKILL, CHR_DEED_HANG_OPENING, start_badly},
	{"repair", "another death in the lane under repair", 0, 0, 0, kill_repair},
	{"flood", "100,000 messages/s during the repair", 0, 0, 0, chr_strike_flood},
	{"out", "out, or its standby, killed", 0, 0, 0, kill_out},
	{"twins", "both twins at once", CHR_KIND_FRESH | CHR_KIND_TWO, 0, 0, twins},
	{"pair", "two modules of different lanes at once", CHR_KIND_TWO, 0, 0, two_of_two},

	{"fds", "no descriptors left in the supervisor", CHR_KIND_ONCE, 0, 0, chr_strike_fds},
	{"stress", "both cores busy for 60 s", CHR_KIND_ONCE | CHR_KIND_MILD, 0, 0, chr_strike_stress},
	{"log", "the log's pipe is closed", CHR_KIND_ONCE | CHR_KIND_SOLE, 0, 0, chr_strike_log},
	{"crash-loop", "dies until quarantined, and is let out", CHR_KIND_ONCE | CHR_KIND_SOLE, 0, 0, chr_strike_crash_loop},
	{"supervisor", "the supervisor killed", CHR_KIND_ONCE | CHR_KIND_SOLE, 0, 0, chr_strike_supervisor},
	{"jackd", "jackd killed, and back as it was", CHR_KIND_ONCE | CHR_KIND_SOLE | CHR_KIND_JACKD, 0, 0, chr_strike_jackd},
	{"jackd-period", "jackd killed, and back with another period", CHR_KIND_ONCE | CHR_KIND_SOLE | CHR_KIND_JACKD, 0, 0,
	 chr_strike_jackd_period},
};

const unsigned chr_kind_count = sizeof chr_kind / sizeof chr_kind[0];
