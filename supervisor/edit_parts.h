/* What the files of edits share; no one else includes this. */
#ifndef CHR_SUPERVISOR_EDIT_PARTS_H
#define CHR_SUPERVISOR_EDIT_PARTS_H

#include "supervisor/edit.h"
#include "supervisor/job.h"

/* One request. */
struct chr_edit {
	struct chr_edit *next;
	enum chr_edit_kind kind;
	char *a, *b;
	chr_edit_done done;
	void *arg;
	bool begun;
	int rc;
	char *why;    /* heap; NULL: nothing to say */
	void *detail; /* heap: of edit_add.c, save.c or load.c */
	struct chr_job job;
};

/* The answer will be this. */
void chr_edit_fail(struct chr_edit *edit, int rc, const char *why);

/* Something of the patch changed. */
void chr_edit_changed(struct chr_conductor *conductor);

/* Formats a reason for a person; valid until the next call. */
const char *chr_edit_why(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The rules of the running patch. */
struct chr_patch_rules chr_edit_rules(const struct chr_conductor *conductor);

/* edit_graph.c: the unit's edges are no longer desired, or desired under another name. */
void chr_edit_drop_edges(struct chr_conductor *conductor, const struct chr_unit *unit);
void chr_edit_move_edges(struct chr_conductor *conductor, const char *from, const char *to);
/* Adds or removes an edge of the desired graph, ends as it has them, without having it made. 0 or -ENOMEM. */
int chr_edit_put_edge(struct chr_conductor *conductor, const char *from, const char *to);
void chr_edit_take_edge(struct chr_conductor *conductor, const char *from, const char *to);

/* edit_stage.c */
void chr_stage_tick(struct chr_conductor *conductor);
bool chr_stage_busy(const struct chr_conductor *conductor);
/* A new unit comes; its code (NULL: the catalog's) owns the type. NULL: no room. */
struct chr_unit *chr_stage_enter(struct chr_conductor *conductor, const char *name, const struct chr_descriptor *type,
				 struct chr_code *code, const float *value);
/* It fades out and goes, or comes back under the name `next` (NULL: goes). */
void chr_stage_leave(struct chr_conductor *conductor, struct chr_unit *unit, const char *next);

/* edit_add.c */
const char *chr_add_begin(struct chr_conductor *conductor, struct chr_edit *edit);
bool chr_add_finished(struct chr_conductor *conductor, struct chr_edit *edit);
void chr_add_forget(struct chr_edit *edit);
/* The catalog knows the type from now on, and its folder is watched if folders are; NULL: nothing. */
void chr_learn_type(struct chr_conductor *conductor, struct chr_type *type);

/* save.c */
const char *chr_save_begin(struct chr_conductor *conductor, struct chr_edit *edit);
bool chr_save_finished(struct chr_conductor *conductor, struct chr_edit *edit);
/* The patch as it is now is the one that is kept in a file. */
void chr_save_mark_clean(struct chr_conductor *conductor);

/* load.c */
const char *chr_load_begin(struct chr_conductor *conductor, struct chr_edit *edit);
bool chr_load_finished(struct chr_conductor *conductor, struct chr_edit *edit);
void chr_load_forget(struct chr_edit *edit);

/* load_order.c: `file` was loaded: modules and connections are told in its order from now on, and loops are closed by the edges that close them there.
 * True when the desired graph changed for that. */
bool chr_load_take_order(struct chr_conductor *conductor, const struct chr_patch *file);

#endif
