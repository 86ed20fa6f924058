/* A session: Chronus as a client of the New Session Manager that NSM_URL names.
 *
 * The project is a folder of ours, PATH/patch.cfg in the path that the session manager gives; saves keep patch.cfg.bak beside it. All our JACK
 * clients get the client id and "/" before their names. Another project of the same client id is loaded into the running patch; with
 * another id every client has to be made anew, so the conductor is ended and begun again, in the same process.
 *
 *   session.c        while it plays
 *   session_open.c   finding the session manager, and the project's file
 *   nsm.c            the protocol
 *
 * Control thread.
 */
#ifndef CHR_SUPERVISOR_SESSION_H
#define CHR_SUPERVISOR_SESSION_H

#include "common/slot.h"
#include "supervisor/nsm.h"
#include "supervisor/poller.h"
#include "supervisor/rack.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct chr_conductor;

struct chr_session {
	bool managed; /* there is a session manager, and it has welcomed us */
	int fd;
	struct sockaddr_storage server;
	socklen_t server_bytes;
	struct chr_nsm nsm;
	const char *given;            /* the patch on the command line that new projects begin with; NULL: none */
	char file[CHR_PATH_BYTES];    /* the project's */
	char prefix[CHR_PREFIX_MAX];  /* of JACK clients' names */
	char loading[CHR_PATH_BYTES]; /* the project's that is being loaded into the running patch */
	bool (*good)(void *self, const char *file, char why[CHR_TEXT_MAX]); /* may that file be played? */
	void *self;

	/* while it plays */
	struct chr_conductor *conductor;
	struct chr_poll socket_poll, timer_poll;
	uint64_t begun_us; /* when the open came */
	float told;        /* progress */
	bool again;        /* the conductor was ended to begin another project */
};

/* ---- session_open.c ---- */

/* Announces this process to the session manager at `url` and waits for the project that it is to open. `executable` is argv[0]. 0; -ENOENT: there is no
 * session manager (the reason was told, if one was wanted); -EINTR: a signal came that ends the program. */
int chr_session_begin(struct chr_session *session, const char *url, const char *executable);
void chr_session_finish(struct chr_session *session);

/* Takes one message. */
enum chr_nsm_action chr_session_take(struct chr_session *session);

/* The file and the prefix of the project that is to be opened; makes the file when it does not exist: a copy of the patch given on the command line, or a
 * patch with `out` alone. CHR_NSM_OK, or a code with the reason in `why`. */
enum chr_nsm_code chr_session_project(struct chr_session *session, char file[CHR_PATH_BYTES], char prefix[CHR_PREFIX_MAX],
				      char why[CHR_TEXT_MAX]);

/* ---- session.c ---- */

/* The conductor plays the project: from here on the session manager is answered from its loop. `port` is OSC's. 0 or -errno. */
int chr_session_attach(struct chr_session *session, struct chr_conductor *conductor, unsigned port);
void chr_session_detach(struct chr_session *session);

#endif
