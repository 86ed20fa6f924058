/* Edits of the running patch by people: modules and connections by hand, saving, loading.
 *
 * Requests are carried out one after the other, in the order in which they came, and each is answered when it is done: an added
 * module has its process, a removed one has faded out and is gone, a renamed one plays under its new name, a file is on the disk.
 *
 *   edit.c         the queue of requests
 *   edit_graph.c   connections: by request and as people draw them in a patchbay
 *   edit_stage.c   modules that come, go, or change their name, without a click
 *   save.c, save_text.c, load.c, load_plan.c, load_order.c   files
 *
 * Control thread only.
 */
#ifndef CHR_SUPERVISOR_EDIT_H
#define CHR_SUPERVISOR_EDIT_H

#include "supervisor/patch.h"

#include <stdbool.h>
#include <stdint.h>

#define CHR_EDIT_FADE_MS   20
#define CHR_EDIT_WAIT_MAX  256 /* requests that wait */
#define CHR_EDIT_EDGES_MAX 4096

struct chr_conductor;
struct chr_post;
struct chr_edit;
struct chr_unit;

enum chr_edit_kind {
	CHR_EDIT_ADD,        /* a: type, b: name */
	CHR_EDIT_REMOVE,     /* a: name */
	CHR_EDIT_CONNECT,    /* a: output, b: input, as a patch has them */
	CHR_EDIT_DISCONNECT, /* the same */
	CHR_EDIT_RENAME,     /* a: name, b: the new name */
	CHR_EDIT_SAVE,       /* a: file; "": the one that was loaded */
	CHR_EDIT_LOAD,       /* a: file; "": the one that was loaded */
};

/* The answer: `rc` 0 with a remark or "" in `why`; else -errno, or of CHR_EDIT_LOAD the exit code that `chronus --check` has for the file (positive), and
 * the reason in `why`, one or (of a load) several lines without a newline at the end. `why` ends with the call. */
typedef void (*chr_edit_done)(void *arg, int rc, const char *why);

/* What the conductor holds of edits. */
struct chr_edits {
	struct chr_edit *first, *last; /* requests; the first is under way */
	unsigned count;
	bool in_step;
	char file[CHR_PATH_BYTES];  /* of the patch: absolute; where save and load go by default */
	char given[CHR_PATH_BYTES]; /* on the command line: absolute; what SIGHUP loads */
	uint64_t changes;           /* edits that changed something */
	uint64_t clean_sum;         /* checksum of the patch's text when last saved or loaded */
	uint64_t dirty_at;          /* `changes` and messages received when `dirty` was found out, plus one; 0: never */
	bool dirty;
	int64_t redrawn; /* the lanes' edges changed at different times with this generation of the desired graph; 0: not */
};

/* The conductor was just set up with the patch of `file` (NULL: none). */
void chr_edit_init(struct chr_conductor *conductor, const char *file);
/* The conductor ends: requests that are left are answered with -ECANCELED. */
void chr_edit_finish(struct chr_conductor *conductor);

/* Puts a request into the queue. `a` and `b` are copied; `done` (may be NULL) is called once, in this call at the earliest. 0; -ENOSPC or
 * -ENOMEM: nothing was queued and `done` is not called. */
int chr_edit_request(struct chr_conductor *conductor, enum chr_edit_kind kind, const char *a, const char *b, chr_edit_done done,
		     void *arg);

/* Saves the running patch to `path`, or loads it: as chr_edit_request(). "" means the file that was loaded or saved last. */
int chr_save_request(struct chr_conductor *conductor, const char *path, chr_edit_done done, void *arg);
int chr_load_request(struct chr_conductor *conductor, const char *path, chr_edit_done done, void *arg);

/* Would a save write another text than the last save or load had? Costs nothing while nobody edits, up to a millisecond after an edit. */
bool chr_edit_dirty(struct chr_conductor *conductor);

/* ---- for the conductor ---- */

/* Every few milliseconds, and when something moved on. */
void chr_edit_tick(struct chr_conductor *conductor);
/* Is anything under way that wants the fast tick? */
bool chr_edit_busy(const struct chr_conductor *conductor);
/* The desired graph of `generation` is in force. */
void chr_edit_wired(struct chr_conductor *conductor, int64_t generation);
/* A person drew or erased an edge between JACK ports in a patchbay; seen at `seen_us`. */
void chr_edit_drawn(struct chr_conductor *conductor, const struct chr_post *post);

/* ---- between the files: each returns NULL when it was done or begun, or a reason for a person (until the next call) ---- */

const char *chr_edit_add(struct chr_conductor *conductor, const char *type, const char *name);
const char *chr_edit_remove(struct chr_conductor *conductor, const char *name);
const char *chr_edit_rename(struct chr_conductor *conductor, const char *from, const char *to);
const char *chr_edit_connect(struct chr_conductor *conductor, const char *from, const char *to);
const char *chr_edit_disconnect(struct chr_conductor *conductor, const char *from, const char *to);

/* Does any module still come under a new name or go? */
bool chr_edit_moving(const struct chr_conductor *conductor);

/* The running patch as a file would describe it: modules, parameters, connections. NULL: out of memory. Free with chr_patch_destroy(). Its edges
 * are those of the desired graph, with out's to the hardware as CHR_PLAYBACK_PREFIX. */
struct chr_patch *chr_edit_snapshot(struct chr_conductor *conductor);

#endif
