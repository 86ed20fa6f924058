/* Faults that end the chronus they strike, or need one of their own. */
#include "tools/faults_strike.h"

#include "common/clock.h"
#include "tests/lib/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOP_PATCH   "restart = { count = 5; window = 30.0; };"
#define LOOP_MODULE  "osc1"
#define LOOP_DEATHS  5
#define ALONE_MS     3000    /* without a supervisor */
#define RETURN_US    2000000 /* from the return of jackd until everything plays */
#define AFTER_MS     1000
#define SERVER_TICKS 10

static int begin(struct chr_campaign *campaign, struct chr_shot *shot, const char *restart)
{
	struct chr_session *session = &campaign->session;
	if (chr_campaign_begin(campaign, campaign->options.patch, restart))
		return -1;
	chr_strike_choose(campaign, shot, false);
	session->disturbed = false;
	campaign->now = shot;
	shot->frame = chr_session_frame(session);
	return 0;
}

static int end(struct chr_campaign *campaign, struct chr_shot *shot, const char *wrong)
{
	if (wrong)
		snprintf(shot->note, sizeof shot->note, "%s", wrong);
	chr_campaign_end(campaign);
	return wrong ? -1 : 0;
}

/* ---- the log ---- */

static int kill_without_log(struct chr_campaign *campaign, struct chr_shot *shot, int *reader)
{
	struct chr_session *session = &campaign->session;
	if (begin(campaign, shot, NULL))
		return end(campaign, shot, "did not start");
	close(*reader);
	*reader = -1;
	chr_strike_signal(shot, shot->pid, SIGKILL);
	for (uint64_t give_up = shot->at_us + 3000000; !session->disturbed && chr_monotonic_us() < give_up;)
		chr_session_pump(session, 2);
	shot->unrecovered = !session->disturbed || chr_session_wait_whole(session, 5000);
	if (!shot->unrecovered)
		shot->repair_ms = (double)(session->whole_us - shot->at_us) / 1000.0;
	chr_session_pass(session, AFTER_MS);
	return end(campaign, shot, chr_child_ended(&session->child, 0) ? "the supervisor ended" : NULL);
}

int chr_strike_log(struct chr_campaign *campaign, struct chr_shot *shot)
{
	const char *log = campaign->options.log;
	char path[128];
	snprintf(path, sizeof path, "%s/log-pipe", campaign->session.folder);
	/* open for reading and writing: a pipe's end that only reads would wait for a writer */
	int reader = mkfifo(path, 0600) && errno != EEXIST ? -1 : open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (reader < 0)
		return -1;
	campaign->options.log = path;
	int rc = kill_without_log(campaign, shot, &reader);
	campaign->options.log = log;
	if (reader >= 0)
		close(reader);
	return rc;
}

/* ---- the crash loop ---- */

static bool quarantined(struct chr_session *session)
{
	const struct chr_session_instance *instance = chr_session_find(session, LOOP_MODULE, 0);
	return instance && strcmp(instance->state, "quarantined") == 0;
}

/* Kills it whenever it plays. True once it is kept down. */
static bool kill_until_quarantined(struct chr_session *session, struct chr_shot *shot)
{
	for (int deaths = 0; deaths < LOOP_DEATHS; deaths++) {
		chr_session_status(session);
		const struct chr_session_instance *victim = chr_session_find(session, LOOP_MODULE,
									     session->lanes == 2 ? deaths % 2 : 0);
		if (!victim || victim->pid <= 0)
			return false;
		session->disturbed = false;
		chr_strike_signal(shot, victim->pid, SIGKILL);
		for (uint64_t give_up = chr_monotonic_us() + 3000000; !session->disturbed && chr_monotonic_us() < give_up;)
			chr_session_pump(session, 2);
		if (deaths < LOOP_DEATHS - 1 && chr_session_wait_whole(session, 5000))
			return false;
	}
	for (uint64_t give_up = chr_monotonic_us() + 3000000; !quarantined(session) && chr_monotonic_us() < give_up;)
		chr_session_pump(session, 2);
	return quarantined(session);
}

static int let_out(struct chr_session *session)
{
	lo_message name = lo_message_new();
	lo_message_add_string(name, LOOP_MODULE);
	int rc = chr_osc_client_send(&session->ask, "/chronus/restart", name);
	lo_message_free(name);
	return rc ? rc : chr_session_wait_whole(session, 5000);
}

/* Everything else plays on while it is quarantined: the second voice is heard. */
int chr_strike_crash_loop(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_session *session = &campaign->session;
	if (begin(campaign, shot, LOOP_PATCH))
		return end(campaign, shot, "did not start");
	snprintf(shot->module, sizeof shot->module, LOOP_MODULE);
	if (!kill_until_quarantined(session, shot))
		return end(campaign, shot, "not quarantined");
	/* without the module the rest is no part of the sequence any more: from here on silence is listened for */
	chr_session_forget(session);
	uint64_t right = session->judge.right;
	chr_session_pass(session, AFTER_MS);
	if (session->judge.right - right < 24000)
		return end(campaign, shot, "the rest does not play");
	for (unsigned i = 0; i < session->count; i++)
		if (strcmp(session->instance[i].module, LOOP_MODULE) != 0 && strcmp(session->instance[i].state, "playing") != 0)
			return end(campaign, shot, "the rest is not whole");
	shot->unrecovered = let_out(session) != 0;
	return end(campaign, shot, NULL);
}

/* ---- the supervisor ---- */

/* Modules go on without it: they are ended here. */
static void end_orphans(struct chr_session *session)
{
	for (unsigned i = 0; i < session->count; i++)
		if (session->instance[i].pid > 0)
			kill(session->instance[i].pid, SIGKILL);
	for (unsigned i = 0; i < session->count; i++)
		for (int k = 0; k < 500 && session->instance[i].pid > 0 && kill(session->instance[i].pid, 0) == 0; k++)
			poll(NULL, 0, SERVER_TICKS);
}

int chr_strike_supervisor(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_session *session = &campaign->session;
	if (begin(campaign, shot, NULL))
		return end(campaign, shot, "did not start");
	chr_session_status(session);
	chr_strike_signal(shot, session->child.pid, SIGKILL);
	chr_child_ended(&session->child, 5000);
	uint64_t right = session->judge.right;
	chr_session_pass(session, ALONE_MS);
	bool plays = session->judge.right - right > 48u * (ALONE_MS - 500);
	snprintf(shot->module, sizeof shot->module, "(supervisor)");
	campaign->now = NULL;
	chr_session_deafen(session);
	end_orphans(session);
	chr_session_stop(session);
	if (!plays)
		snprintf(shot->note, sizeof shot->note, "the sound stopped");
	return plays ? 0 : -1;
}

/* ---- jackd ---- */

/* From the server's return until everything plays. Negative when it does not. */
static double play_again(struct chr_session *session)
{
	uint64_t back = chr_monotonic_us(), give_up = back + 10000000;
	while (chr_monotonic_us() < give_up) {
		poll(NULL, 0, SERVER_TICKS);
		if (chr_session_status(session) == 0 && chr_session_whole(session))
			return (double)(chr_monotonic_us() - back) / 1000.0;
	}
	return -1;
}

/* The gap is as long as the server was away: what counts is that everything is back in time and right again. */
static int restart_server(struct chr_campaign *campaign, struct chr_shot *shot, unsigned period)
{
	struct chr_session *session = &campaign->session;
	if (begin(campaign, shot, NULL))
		return end(campaign, shot, "did not start");
	campaign->now = NULL;
	snprintf(shot->module, sizeof shot->module, "(jackd)");
	shot->at_us = chr_monotonic_us();
	chr_server_kill();
	chr_session_deafen(session);
	if (chr_server_restart(period))
		return end(campaign, shot, "jackd does not return");
	shot->repair_ms = play_again(session);
	shot->unrecovered = shot->repair_ms < 0;
	if (shot->unrecovered)
		return end(campaign, shot, "not back");
	session->period = session->judge.period = period;
	session->judge.expect = NULL;
	if (chr_session_listen(session) || chr_session_capture(session))
		return end(campaign, shot, "not heard");
	campaign->now = shot;
	chr_session_pass(session, AFTER_MS);
	return end(campaign, shot, shot->repair_ms > RETURN_US / 1000.0 ? "back after more than 2 s" : NULL);
}

int chr_strike_jackd(struct chr_campaign *campaign, struct chr_shot *shot)
{
	return restart_server(campaign, shot, campaign->options.period);
}

int chr_strike_jackd_period(struct chr_campaign *campaign, struct chr_shot *shot)
{
	int rc = restart_server(campaign, shot, campaign->options.period == 256 ? 128 : 256);
	chr_server_kill();
	return chr_server_restart(campaign->options.period) ? -1 : rc;
}
