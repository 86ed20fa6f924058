/* What a Chronus under test tells of its instances: asked for, and pushed. */
#include "tools/faults_session.h"

#include "common/clock.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define LEASE_S 86400

static int key(lo_message message, const char *name)
{
	int count = lo_message_get_argc(message);
	for (int i = 0; i + 1 < count; i += 2) {
		const char *text = chr_osc_string(message, i);
		if (text && strcmp(text, name) == 0)
			return i + 1;
	}
	return -1;
}

static void copy(char *to, size_t bytes, const char *text)
{
	snprintf(to, bytes, "%s", text ? text : "");
}

static void take_instance(struct chr_session *session, lo_message message)
{
	if (session->count == CHR_SESSION_INSTANCES)
		return;
	struct chr_session_instance *to = &session->instance[session->count++];
	int32_t pid = 0;
	*to = (struct chr_session_instance){0};
	copy(to->module, sizeof to->module, chr_osc_string(message, key(message, "module")));
	copy(to->state, sizeof to->state, chr_osc_string(message, key(message, "state")));
	copy(to->cause, sizeof to->cause, chr_osc_string(message, key(message, "cause")));
	const char *lane = chr_osc_string(message, key(message, "lane"));
	to->lane = lane && lane[0] == 'b';
	to->out = strcmp(to->module, "out") == 0;
	chr_osc_int32(message, key(message, "pid"), &pid);
	to->pid = pid;
	chr_osc_int32(message, key(message, "restarts"), &to->restarts);
	chr_osc_int32(message, key(message, "joins"), &to->joins);
	chr_osc_int64(message, key(message, "seen"), &to->seen_us);
	chr_osc_int64(message, key(message, "back"), &to->back_us);
}

int chr_session_ask(struct chr_session *session)
{
	struct chr_osc_reply reply;
	uint64_t deadline = chr_osc_now_us() + 300000;
	bool end = false;
	while (chr_osc_client_receive(&session->ask, 0, &reply) == 0)
		chr_osc_reply_finish(&reply);
	if (chr_osc_client_send(&session->ask, "/chronus/status", NULL))
		return -1;
	session->count = 0;
	while (!end && chr_osc_client_receive(&session->ask, deadline, &reply) == 0) {
		if (strcmp(reply.path, "/chronus/status/instance") == 0)
			take_instance(session, reply.message);
		end = strcmp(reply.path, "/chronus/status/end") == 0;
		chr_osc_reply_finish(&reply);
	}
	return end ? 0 : -1;
}

int chr_session_status(struct chr_session *session)
{
	for (int attempt = 0; attempt < 10; attempt++) {
		if (chr_session_ask(session) == 0)
			return 0;
		poll(NULL, 0, 5);
	}
	return -1;
}

struct chr_session_instance *chr_session_find(struct chr_session *session, const char *module, unsigned lane)
{
	for (unsigned i = 0; i < session->count; i++)
		if (session->instance[i].lane == lane && strcmp(session->instance[i].module, module) == 0)
			return &session->instance[i];
	return NULL;
}

bool chr_session_whole(const struct chr_session *session)
{
	for (unsigned i = 0; i < session->count; i++)
		if (strcmp(session->instance[i].state, "playing") != 0)
			return false;
	return session->count > 0;
}

/* /chronus/state module lane state */
static void take_state(struct chr_session *session, lo_message message)
{
	const char *module = chr_osc_string(message, 0), *lane = chr_osc_string(message, 1), *state = chr_osc_string(message, 2);
	struct chr_session_instance *instance = module && lane ? chr_session_find(session, module, lane[0] == 'b') : NULL;
	if (!instance || !state)
		return;
	copy(instance->state, sizeof instance->state, state);
	session->changes++;
	if (strcmp(state, "playing") != 0)
		session->disturbed = true;
	else if (chr_session_whole(session))
		session->whole_us = chr_monotonic_us();
}

void chr_session_take_pushes(struct chr_session *session)
{
	struct chr_osc_reply reply;
	while (chr_osc_client_receive(&session->watch, 0, &reply) == 0) {
		if (strcmp(reply.path, "/chronus/state") == 0)
			take_state(session, reply.message);
		chr_osc_reply_finish(&reply);
	}
}

int chr_session_subscribe(struct chr_session *session)
{
	lo_message lease = lo_message_new();
	lo_message_add_int32(lease, LEASE_S);
	int rc = chr_osc_client_send(&session->watch, "/chronus/subscribe", lease);
	lo_message_free(lease);
	return rc;
}
