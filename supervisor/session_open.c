#include "supervisor/session.h"

#include "common/clock.h"
#include "common/log.h"
#include "supervisor/save.h"

#include <errno.h>
#include <lo/lo.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define WELCOME_WAIT_MS 3000
#define FILE_NAME       "patch.cfg"

static void on_send(void *self, const void *data, size_t bytes)
{
	const struct chr_session *session = self;
	/* a session manager that is gone hears nothing more */
	(void)!sendto(session->fd, data, bytes, MSG_NOSIGNAL, (const struct sockaddr *)&session->server, session->server_bytes);
}

/* The address in an URL "osc.udp://host:port/". 0 or -1. */
static int resolve(struct chr_session *session, const char *url)
{
	int rc = -1;
	struct addrinfo *found = NULL;
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
	char *protocol = lo_url_get_protocol(url), *host = lo_url_get_hostname(url), *port = lo_url_get_port(url);
	if (protocol && host && port && !strcmp(protocol, "udp") &&
	    getaddrinfo(strcmp(host, "localhost") ? host : "127.0.0.1", port, &hints, &found) == 0) {
		memcpy(&session->server, found->ai_addr, found->ai_addrlen);
		session->server_bytes = found->ai_addrlen;
		rc = 0;
	}
	if (found)
		freeaddrinfo(found);
	free(protocol);
	free(host);
	free(port);
	return rc;
}

/* The session manager is known by its port: a host with a name of its own answers from another of its addresses. */
static bool from_server(const struct chr_session *session, const struct sockaddr_in *from)
{
	const struct sockaddr_in *server = (const struct sockaddr_in *)&session->server;
	return from->sin_port == server->sin_port &&
	       (from->sin_addr.s_addr == server->sin_addr.s_addr || ntohl(from->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET);
}

enum chr_nsm_action chr_session_take(struct chr_session *session)
{
	char data[4 * CHR_NSM_TEXT_MAX];
	struct sockaddr_in from = {0};
	socklen_t bytes = sizeof from;
	ssize_t n = recvfrom(session->fd, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&from, &bytes);
	return n > 0 && from_server(session, &from) ? chr_nsm_take(&session->nsm, data, (size_t)n) : CHR_NSM_NOTHING;
}

/* Waits for the action. 0; -ETIMEDOUT; -ECONNREFUSED: told that we are not welcome, or nobody is there; -EINTR: a signal ends the program. */
static int wait_for(struct chr_session *session, enum chr_nsm_action wanted, int timeout_ms)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	int ends = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), rc = ends < 0 ? -errno : 1;
	uint64_t deadline = chr_monotonic_us() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * 1000;
	while (rc > 0) {
		uint64_t now = chr_monotonic_us();
		struct pollfd ready[] = {{.fd = session->fd, .events = POLLIN}, {.fd = ends, .events = POLLIN}};
		int count = poll(ready, 2, timeout_ms < 0 ? -1 : now < deadline ? (int)((deadline - now) / 1000) + 1 : 0);
		enum chr_nsm_action action = ready[0].revents ? chr_session_take(session) : CHR_NSM_NOTHING;
		if (ready[1].revents)
			rc = -EINTR;
		else if (action == wanted)
			rc = 0;
		else if (action == CHR_NSM_REFUSED)
			rc = -ECONNREFUSED;
		else if (count == 0)
			rc = -ETIMEDOUT;
	}
	if (ends >= 0)
		close(ends);
	return rc;
}

int chr_session_begin(struct chr_session *session, const char *url, const char *executable)
{
	session->fd = -1;
	if (!url || !*url)
		return -ENOENT;
	if (resolve(session, url)) {
		chr_warn("NSM_URL is \"%s\", which is no address as a session manager has it: playing without a session", url);
		return -ENOENT;
	}
	session->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (session->fd < 0)
		return -ENOENT;
	chr_nsm_init(&session->nsm, on_send, session);
	chr_nsm_announce(&session->nsm, executable, (int)getpid());
	int rc = wait_for(session, CHR_NSM_WELCOME, WELCOME_WAIT_MS);
	if (rc == 0) {
		chr_debug("in a session: %s", session->nsm.text);
		rc = wait_for(session, CHR_NSM_OPEN, -1);
	}
	session->managed = rc == 0;
	if (rc == 0 || rc == -EINTR)
		return rc;
	if (rc == -ECONNREFUSED)
		chr_warn("the session manager at %s will not have us (%s): playing without a session", url, session->nsm.text);
	else
		chr_warn("no session manager answers at %s (NSM_URL): playing without a session", url);
	chr_session_finish(session);
	return -ENOENT;
}

void chr_session_finish(struct chr_session *session)
{
	if (session->fd >= 0)
		close(session->fd);
	session->fd = -1;
	session->managed = false;
}

/* ---- the project's file ---- */

static char *read_file(const char *path, size_t *length)
{
	FILE *f = fopen(path, "re");
	char *text = f ? malloc(CHR_PATCH_BYTES_MAX + 1) : NULL;
	*length = text ? fread(text, 1, CHR_PATCH_BYTES_MAX + 1, f) : 0;
	if (f)
		fclose(f);
	return text;
}

/* The text of a patch with `out` alone, under the session's name. */
static char *empty_patch(const char *name, size_t *length)
{
	char legal[48] = "";
	size_t n = 0;
	for (; *name && n + 1 < sizeof legal; name++)
		if ((unsigned char)*name >= ' ' && *name != '"' && *name != '\\')
			legal[n++] = *name;
	char *text = NULL;
	int bytes = asprintf(&text, "name = \"%s\";\nmodules = ();\n", n ? legal : "new");
	*length = bytes > 0 ? (size_t)bytes : 0;
	return bytes > 0 ? text : NULL;
}

static int create(struct chr_session *session, const char *folder, const char *file, char why[CHR_TEXT_MAX])
{
	size_t length = 0;
	if (session->given && !session->good(session->self, session->given, why))
		return -EINVAL;
	char *text = session->given ? read_file(session->given, &length) : empty_patch(session->nsm.display, &length);
	int rc = text ? 0 : -errno;
	if (!rc && mkdir(folder, 0777) && errno != EEXIST)
		rc = -errno;
	if (rc)
		snprintf(why, CHR_TEXT_MAX, "cannot make %.150s: %s", folder, strerror(-rc));
	else
		rc = chr_save_write(file, text, length, why);
	free(text);
	return rc;
}

enum chr_nsm_code chr_session_project(struct chr_session *session, char file[CHR_PATH_BYTES], char prefix[CHR_PREFIX_MAX],
				      char why[CHR_TEXT_MAX])
{
	const struct chr_nsm *nsm = &session->nsm;
	if (strchr(nsm->client_id, ':') || strlen(nsm->client_id) + 2 > CHR_PREFIX_MAX) {
		snprintf(why, CHR_TEXT_MAX, "the client id \"%.60s\" cannot stand before names of JACK clients", nsm->client_id);
		return CHR_NSM_GENERAL;
	}
	snprintf(prefix, CHR_PREFIX_MAX, "%.28s/", nsm->client_id);
	snprintf(file, CHR_PATH_BYTES, "%s/" FILE_NAME, nsm->path);
	if (access(file, F_OK) && create(session, nsm->path, file, why))
		return CHR_NSM_CREATE_FAILED;
	return CHR_NSM_OK;
}
