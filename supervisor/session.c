#include "supervisor/session.h"

#include "common/clock.h"
#include "common/log.h"
#include "supervisor/conductor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS      100
#define OPEN_WAIT_US 10000000u /* a project that is not heard by then is open all the same: there may be no JACK server */

/* Members that play, as a share of all. */
static float share_playing(const struct chr_conductor *conductor)
{
	unsigned all = 0, playing = 0;
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			enum chr_instance_state state = conductor->rack.unit[i]->instance[lane].state;
			all += state != CHR_INSTANCE_NONE;
			playing += state == CHR_INSTANCE_PLAYING;
		}
	return all ? (float)playing / (float)all : 0.0f;
}

static void on_saved(void *self, int rc, const char *why)
{
	struct chr_session *session = self;
	chr_nsm_saved(&session->nsm, rc ? CHR_NSM_GENERAL : CHR_NSM_OK, rc ? why : "saved");
}

static void save(struct chr_session *session)
{
	int rc = chr_save_request(session->conductor, session->file, on_saved, session);
	if (rc)
		on_saved(session, rc, strerror(-rc));
}

static void opened(struct chr_session *session, const char *text)
{
	chr_nsm_progress(&session->nsm, 1.0f);
	if (chr_nsm_opened(&session->nsm, CHR_NSM_OK, text) == CHR_NSM_SAVE)
		save(session);
}

/* How the project that was begun with this conductor comes on. */
static void look(struct chr_session *session)
{
	float share = share_playing(session->conductor);
	if (session->loading[0])
		return;
	if (share > session->told)
		chr_nsm_progress(&session->nsm, session->told = share);
	if (share >= 1.0f)
		opened(session, "playing");
	else if (chr_monotonic_us() - session->begun_us > OPEN_WAIT_US)
		opened(session, session->conductor->server_up ? "open; not all modules play yet" : "open; waiting for JACK");
}

static void on_timer(void *self)
{
	struct chr_session *session = self;
	uint64_t expired;
	if (read(session->timer_poll.fd, &expired, sizeof expired) < 0)
		return;
	if (session->nsm.opening)
		look(session);
	else if (session->nsm.open)
		chr_nsm_dirty(&session->nsm, chr_edit_dirty(session->conductor));
}

/* Another project with other settings, or under another client id: every client has to be made anew. */
static void begin_again(struct chr_session *session)
{
	session->again = true;
	chr_conductor_quit(session->conductor);
}

static void on_loaded(void *self, int rc, const char *why)
{
	struct chr_session *session = self;
	char file[CHR_PATH_BYTES];
	memcpy(file, session->loading, sizeof file);
	session->loading[0] = 0;
	if (rc == -ECANCELED)
		return;
	if (rc) {
		chr_nsm_opened(&session->nsm, CHR_NSM_BAD_PROJECT, why);
		return;
	}
	memcpy(session->file, file, sizeof file);
	if (*why)
		begin_again(session);
	else
		opened(session, "playing");
}

/* The session manager goes from one project to another. What cannot be played is told, and what plays plays on. */
static void open_another(struct chr_session *session)
{
	char file[CHR_PATH_BYTES], prefix[CHR_PREFIX_MAX], why[CHR_TEXT_MAX] = "";
	prefix[0] = 0;
	enum chr_nsm_code code = chr_session_project(session, file, prefix, why);
	session->begun_us = chr_monotonic_us();
	session->told = 0.0f;
	bool same_id = !strcmp(prefix, session->prefix); /* then the load looks for errors, and does not hold up events meanwhile */
	if (code == CHR_NSM_OK && !same_id && !session->good(session->self, file, why))
		code = CHR_NSM_BAD_PROJECT;
	if (code != CHR_NSM_OK) {
		chr_nsm_opened(&session->nsm, code, why);
		return;
	}
	chr_nsm_progress(&session->nsm, 0.0f);
	if (!same_id) {
		begin_again(session);
		return;
	}
	memcpy(session->loading, file, sizeof file);
	int rc = chr_load_request(session->conductor, file, on_loaded, session);
	if (rc)
		on_loaded(session, rc, strerror(-rc));
}

static void on_message(void *self)
{
	struct chr_session *session = self;
	switch (chr_session_take(session)) {
	case CHR_NSM_OPEN:
		open_another(session);
		break;
	case CHR_NSM_SAVE:
		save(session);
		break;
	case CHR_NSM_LOADED:
		chr_debug("the session is loaded");
		break;
	default:
		break;
	}
}

int chr_session_attach(struct chr_session *session, struct chr_conductor *conductor, unsigned port)
{
	const struct timespec tick = {.tv_nsec = LOOK_MS * 1000000L};
	const struct itimerspec timer = {.it_interval = tick, .it_value = tick};
	char label[CHR_NSM_TEXT_MAX];
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0 || timerfd_settime(fd, 0, &timer, NULL))
		return -errno;
	session->conductor = conductor;
	session->again = false;
	session->told = 0.0f;
	session->begun_us = chr_monotonic_us();
	session->timer_poll = (struct chr_poll){.fd = fd, .ready = on_timer, .self = session};
	session->socket_poll = (struct chr_poll){.fd = session->fd, .ready = on_message, .self = session};
	snprintf(label, sizeof label, "%s, OSC %u", conductor->rack.patch->name, port);
	chr_nsm_label(&session->nsm, label);
	chr_nsm_progress(&session->nsm, 0.0f);
	int rc = chr_poller_add(&conductor->poller, &session->timer_poll);
	return rc ? rc : chr_poller_add(&conductor->poller, &session->socket_poll);
}

void chr_session_detach(struct chr_session *session)
{
	if (!session->conductor)
		return;
	chr_poller_remove(&session->conductor->poller, &session->timer_poll);
	chr_poller_remove(&session->conductor->poller, &session->socket_poll);
	close(session->timer_poll.fd);
	session->conductor = NULL;
}
