#include "supervisor/nsm.h"

#include <lo/lo.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define API_MAJOR 1
#define API_MINOR 1

static const char announce_path[] = "/nsm/server/announce";
static const char open_path[] = "/nsm/client/open";
static const char save_path[] = "/nsm/client/save";

/* Sends and frees the message. */
static void post(struct chr_nsm *nsm, const char *path, lo_message message)
{
	char data[4 * CHR_NSM_TEXT_MAX];
	size_t bytes = lo_message_length(message, path);
	if (bytes <= sizeof data && lo_message_serialise(message, path, data, &bytes))
		nsm->send(nsm->self, data, bytes);
	lo_message_free(message);
}

void chr_nsm_init(struct chr_nsm *nsm, void (*send)(void *self, const void *data, size_t bytes), void *self)
{
	*nsm = (struct chr_nsm){.send = send, .self = self, .dirty = -1};
}

void chr_nsm_announce(struct chr_nsm *nsm, const char *executable, int pid)
{
	lo_message message = lo_message_new();
	lo_message_add_string(message, CHR_NSM_APPLICATION);
	lo_message_add_string(message, CHR_NSM_CAPABILITIES);
	lo_message_add_string(message, executable);
	lo_message_add_int32(message, API_MAJOR);
	lo_message_add_int32(message, API_MINOR);
	lo_message_add_int32(message, pid);
	nsm->announced = true;
	post(nsm, announce_path, message);
}

static void answer(struct chr_nsm *nsm, const char *to, enum chr_nsm_code code, const char *text)
{
	char cut[CHR_NSM_TEXT_MAX];
	lo_message message = lo_message_new();
	snprintf(cut, sizeof cut, "%s", text);
	lo_message_add_string(message, to);
	if (code != CHR_NSM_OK)
		lo_message_add_int32(message, code);
	lo_message_add_string(message, cut);
	post(nsm, code == CHR_NSM_OK ? "/reply" : "/error", message);
}

static enum chr_nsm_action take_save(struct chr_nsm *nsm)
{
	if (nsm->opening) {
		nsm->save_waits = true;
		return CHR_NSM_NOTHING;
	}
	if (!nsm->open || nsm->saving) {
		answer(nsm, save_path, nsm->open ? CHR_NSM_NOT_NOW : CHR_NSM_NO_SESSION_OPEN,
		       nsm->open ? "still saving" : "nothing is open");
		return CHR_NSM_NOTHING;
	}
	nsm->saving = true;
	return CHR_NSM_SAVE;
}

enum chr_nsm_action chr_nsm_opened(struct chr_nsm *nsm, enum chr_nsm_code code, const char *text)
{
	bool save = nsm->save_waits;
	if (!nsm->opening)
		return CHR_NSM_NOTHING;
	nsm->save_waits = false;
	nsm->opening = false;
	/* after a failure the session manager is elsewhere: what plays on is no longer to be saved where it was */
	nsm->open = code == CHR_NSM_OK;
	nsm->dirty = -1;
	answer(nsm, open_path, code, text);
	return save ? take_save(nsm) : CHR_NSM_NOTHING;
}

void chr_nsm_saved(struct chr_nsm *nsm, enum chr_nsm_code code, const char *text)
{
	if (!nsm->saving)
		return;
	nsm->saving = false;
	answer(nsm, save_path, code, text);
}

void chr_nsm_progress(struct chr_nsm *nsm, float share)
{
	if (!nsm->opening)
		return;
	lo_message message = lo_message_new();
	lo_message_add_float(message, share);
	post(nsm, "/nsm/client/progress", message);
}

void chr_nsm_dirty(struct chr_nsm *nsm, bool dirty)
{
	if (!nsm->open || nsm->dirty == (int)dirty)
		return;
	nsm->dirty = dirty;
	post(nsm, dirty ? "/nsm/client/is_dirty" : "/nsm/client/is_clean", lo_message_new());
}

void chr_nsm_label(struct chr_nsm *nsm, const char *text)
{
	if (!nsm->welcome)
		return;
	lo_message message = lo_message_new();
	lo_message_add_string(message, text);
	post(nsm, "/nsm/client/label", message);
}

/* An argument stands where four bytes divide, which a member of its union may not. */
static const char *text_of(const lo_arg *arg)
{
	return (const char *)arg;
}

static void copy(char to[CHR_NSM_TEXT_MAX], const lo_arg *from)
{
	snprintf(to, CHR_NSM_TEXT_MAX, "%s", text_of(from));
}

/* The answer to our announcement: a reply "sss", or an error "sis". */
static enum chr_nsm_action take_answer(struct chr_nsm *nsm, const char *path, const char *types, lo_arg **argv)
{
	bool good = !strcmp(path, "/reply");
	if (strncmp(types, good ? "ss" : "sis", good ? 2 : 3) != 0 || strcmp(text_of(argv[0]), announce_path) != 0 ||
	    !nsm->announced || nsm->welcome)
		return CHR_NSM_NOTHING;
	copy(nsm->text, argv[good ? 1 : 2]);
	nsm->welcome = good;
	return good ? CHR_NSM_WELCOME : CHR_NSM_REFUSED;
}

static enum chr_nsm_action take_open(struct chr_nsm *nsm, const char *types, lo_arg **argv)
{
	if (strcmp(types, "sss") != 0) {
		answer(nsm, open_path, CHR_NSM_GENERAL, "open takes a path, a name for people and a client id");
		return CHR_NSM_NOTHING;
	}
	if (nsm->opening || nsm->saving) {
		answer(nsm, open_path, CHR_NSM_NOT_NOW, nsm->opening ? "still opening" : "still saving");
		return CHR_NSM_NOTHING;
	}
	for (int i = 0; i < 3; i++)
		if (!*text_of(argv[i]) || strlen(text_of(argv[i])) >= CHR_NSM_TEXT_MAX) {
			answer(nsm, open_path, CHR_NSM_GENERAL, "a path or name is empty or too long");
			return CHR_NSM_NOTHING;
		}
	nsm->opening = true;
	copy(nsm->path, argv[0]);
	copy(nsm->display, argv[1]);
	copy(nsm->client_id, argv[2]);
	return CHR_NSM_OPEN;
}

static enum chr_nsm_action take_message(struct chr_nsm *nsm, const char *path, lo_message message)
{
	const char *types = lo_message_get_types(message);
	lo_arg **argv = lo_message_get_argv(message);
	if (!strcmp(path, "/reply") || !strcmp(path, "/error"))
		return take_answer(nsm, path, types, argv);
	if (!nsm->welcome)
		return CHR_NSM_NOTHING;
	if (!strcmp(path, open_path))
		return take_open(nsm, types, argv);
	if (!strcmp(path, save_path))
		return take_save(nsm);
	return strcmp(path, "/nsm/client/session_is_loaded") == 0 ? CHR_NSM_LOADED : CHR_NSM_NOTHING;
}

enum chr_nsm_action chr_nsm_take(struct chr_nsm *nsm, const void *data, size_t bytes)
{
	/* liblo changes the bytes it reads */
	char own[4 * CHR_NSM_TEXT_MAX];
	if (bytes == 0 || bytes > sizeof own)
		return CHR_NSM_NOTHING;
	memcpy(own, data, bytes);
	if (own[0] != '/' || !memchr(own, 0, bytes))
		return CHR_NSM_NOTHING;
	lo_message message = lo_message_deserialise(own, bytes, NULL);
	if (!message)
		return CHR_NSM_NOTHING;
	enum chr_nsm_action action = take_message(nsm, own, message);
	lo_message_free(message);
	return action;
}
