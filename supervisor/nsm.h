/* The client's half of the New Session Manager's protocol, API 1.1 (new-session-manager.jackaudio.org/api): what comes from the
 * session manager becomes an action for the supervisor, what the supervisor says becomes a message.
 *
 *   announce -> (reply) welcome -> open -> opened -> save, open ...
 *
 * Pure: datagrams in, datagrams out through a function of the caller's. Control thread.
 */
#ifndef CHR_SUPERVISOR_NSM_H
#define CHR_SUPERVISOR_NSM_H

#include <stdbool.h>
#include <stddef.h>

#define CHR_NSM_APPLICATION  "Chronus"
#define CHR_NSM_CAPABILITIES ":dirty:progress:switch:"
#define CHR_NSM_TEXT_MAX     512

/* The API's error codes that a client may give. */
enum chr_nsm_code {
	CHR_NSM_OK = 0,
	CHR_NSM_GENERAL = -1,
	CHR_NSM_NO_SESSION_OPEN = -6,
	CHR_NSM_NOT_NOW = -8,
	CHR_NSM_BAD_PROJECT = -9,
	CHR_NSM_CREATE_FAILED = -10,
};

/* What the session manager wants done. */
enum chr_nsm_action {
	CHR_NSM_NOTHING,
	CHR_NSM_WELCOME, /* we are under its management; `text` greets */
	CHR_NSM_REFUSED, /* we are not; `text` says why */
	CHR_NSM_OPEN,    /* open `path`, be `client_id`; answer with chr_nsm_opened() */
	CHR_NSM_SAVE,    /* save; answer with chr_nsm_saved() */
	CHR_NSM_LOADED,  /* every client of the session has opened its project */
};

struct chr_nsm {
	void (*send)(void *self, const void *data, size_t bytes);
	void *self;
	bool announced, welcome;
	bool opening, open, saving;
	bool save_waits; /* for the end of an open */
	int dirty;       /* as told last; -1: not told */
	char text[CHR_NSM_TEXT_MAX];
	char path[CHR_NSM_TEXT_MAX];                                 /* of the project: without an ending */
	char display[CHR_NSM_TEXT_MAX], client_id[CHR_NSM_TEXT_MAX]; /* the session's name for people; the client's */
};

void chr_nsm_init(struct chr_nsm *nsm, void (*send)(void *self, const void *data, size_t bytes), void *self);

/* `executable` is argv[0]; the manager starts it by that name when the session is opened again. */
void chr_nsm_announce(struct chr_nsm *nsm, const char *executable, int pid);

/* Takes one datagram of the session manager's, as untrusted input. What cannot be done now is answered here. */
enum chr_nsm_action chr_nsm_take(struct chr_nsm *nsm, const void *data, size_t bytes);

/* The project is open, or (code other than CHR_NSM_OK) is not. Nothing is sent unless it was asked for. CHR_NSM_SAVE when a save came meanwhile, which
 * is to be done now, else CHR_NSM_NOTHING. */
enum chr_nsm_action chr_nsm_opened(struct chr_nsm *nsm, enum chr_nsm_code code, const char *text);
void chr_nsm_saved(struct chr_nsm *nsm, enum chr_nsm_code code, const char *text);

/* How far an open is, 0..1. Nothing is sent while none is under way. */
void chr_nsm_progress(struct chr_nsm *nsm, float share);

/* Are there changes that are not saved? Sent when it changes. */
void chr_nsm_dirty(struct chr_nsm *nsm, bool dirty);

/* A word for people beside the client's name. */
void chr_nsm_label(struct chr_nsm *nsm, const char *text);

#endif
