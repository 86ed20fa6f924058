#include "supervisor/edit.h"

#include "common/log.h"
#include "supervisor/conductor.h"
#include "supervisor/edit_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *begin_remove(struct chr_conductor *conductor, struct chr_edit *edit)
{
	return chr_edit_remove(conductor, edit->a);
}

static const char *begin_rename(struct chr_conductor *conductor, struct chr_edit *edit)
{
	return chr_edit_rename(conductor, edit->a, edit->b);
}

static const char *begin_connect(struct chr_conductor *conductor, struct chr_edit *edit)
{
	return chr_edit_connect(conductor, edit->a, edit->b);
}

static const char *begin_disconnect(struct chr_conductor *conductor, struct chr_edit *edit)
{
	return chr_edit_disconnect(conductor, edit->a, edit->b);
}

static bool at_once(struct chr_conductor *conductor, struct chr_edit *edit)
{
	(void)conductor;
	(void)edit;
	return true;
}

static bool stands_still(struct chr_conductor *conductor, struct chr_edit *edit)
{
	(void)edit;
	return !chr_edit_moving(conductor);
}

/* begin: NULL, or why it cannot be. finished: asked again and again until it is. */
static const struct {
	const char *(*begin)(struct chr_conductor *conductor, struct chr_edit *edit);
	bool (*finished)(struct chr_conductor *conductor, struct chr_edit *edit);
} table[] = {
	[CHR_EDIT_ADD] = {chr_add_begin, chr_add_finished},    [CHR_EDIT_REMOVE] = {begin_remove, stands_still},
	[CHR_EDIT_CONNECT] = {begin_connect, at_once},         [CHR_EDIT_DISCONNECT] = {begin_disconnect, at_once},
	[CHR_EDIT_RENAME] = {begin_rename, stands_still},      [CHR_EDIT_SAVE] = {chr_save_begin, chr_save_finished},
	[CHR_EDIT_LOAD] = {chr_load_begin, chr_load_finished},
};

void chr_edit_fail(struct chr_edit *edit, int rc, const char *why)
{
	edit->rc = rc;
	free(edit->why);
	edit->why = strdup(why);
}

static void release(struct chr_edit *edit)
{
	if (edit->done)
		edit->done(edit->arg, edit->rc, edit->why ? edit->why : "");
	free(edit->a);
	free(edit->b);
	free(edit->why);
	free(edit);
}

/* True when it is over. */
static bool carry_on(struct chr_conductor *conductor, struct chr_edit *edit)
{
	if (!edit->begun) {
		edit->begun = true;
		const char *why = table[edit->kind].begin(conductor, edit);
		if (why) {
			chr_edit_fail(edit, edit->rc ? edit->rc : -EINVAL, why);
			return true;
		}
	}
	return table[edit->kind].finished(conductor, edit);
}

static void step(struct chr_conductor *conductor)
{
	struct chr_edits *edits = &conductor->edits;
	if (edits->in_step)
		return;
	edits->in_step = true;
	while (edits->first && carry_on(conductor, edits->first)) {
		struct chr_edit *over = edits->first;
		edits->first = over->next;
		if (!edits->first)
			edits->last = NULL;
		edits->count--;
		release(over);
	}
	edits->in_step = false;
}

int chr_edit_request(struct chr_conductor *conductor, enum chr_edit_kind kind, const char *a, const char *b, chr_edit_done done,
		     void *arg)
{
	struct chr_edits *edits = &conductor->edits;
	if (edits->count >= CHR_EDIT_WAIT_MAX)
		return -ENOSPC;
	struct chr_edit *edit = calloc(1, sizeof *edit);
	if (!edit)
		return -ENOMEM;
	edit->kind = kind;
	edit->done = done;
	edit->arg = arg;
	edit->a = strdup(a);
	edit->b = strdup(b ? b : "");
	if (!edit->a || !edit->b) {
		free(edit->a);
		free(edit->b);
		free(edit);
		return -ENOMEM;
	}
	if (edits->last)
		edits->last->next = edit;
	else
		edits->first = edit;
	edits->last = edit;
	edits->count++;
	step(conductor);
	return 0;
}

void chr_edit_tick(struct chr_conductor *conductor)
{
	chr_stage_tick(conductor);
	step(conductor);
}

bool chr_edit_busy(const struct chr_conductor *conductor)
{
	return conductor->edits.first || chr_stage_busy(conductor);
}

void chr_edit_changed(struct chr_conductor *conductor)
{
	conductor->edits.changes++;
}

void chr_edit_init(struct chr_conductor *conductor, const char *file)
{
	char *whole = file && *file ? realpath(file, NULL) : NULL;
	snprintf(conductor->edits.file, sizeof conductor->edits.file, "%s", whole ? whole : "");
	snprintf(conductor->edits.given, sizeof conductor->edits.given, "%s", whole ? whole : "");
	free(whole);
	chr_save_mark_clean(conductor);
}

void chr_edit_finish(struct chr_conductor *conductor)
{
	struct chr_edits *edits = &conductor->edits;
	while (edits->first) {
		struct chr_edit *edit = edits->first;
		edits->first = edit->next;
		chr_job_cancel(&edit->job);
		if (edit->kind != CHR_EDIT_SAVE || !edit->begun)
			chr_edit_fail(edit, -ECANCELED, "chronus ends");
		else
			chr_save_finished(conductor, edit); /* it was written after all */
		chr_add_forget(edit);
		chr_load_forget(edit);
		release(edit);
	}
	edits->last = NULL;
	edits->count = 0;
}
