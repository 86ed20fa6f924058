/* A module of a type that the catalog does not know is looked for first: a person may have built it a moment ago. */
#include "supervisor/conductor.h"
#include "supervisor/edit_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A search under way; the job's thread has it alone until it is over. */
struct search {
	const struct chr_catalog *catalog;
	const char *name;
	struct chr_type *found;
};

static void work(void *arg)
{
	struct search *search = arg;
	search->found = chr_catalog_look(search->catalog, search->name);
}

void chr_add_forget(struct chr_edit *edit)
{
	struct search *search = edit->kind == CHR_EDIT_ADD ? edit->detail : NULL;
	if (!search)
		return;
	chr_type_free(search->found);
	free(search);
	edit->detail = NULL;
}

const char *chr_add_begin(struct chr_conductor *conductor, struct chr_edit *edit)
{
	char file[CHR_PATH_BYTES];
	if (chr_catalog_type(conductor->catalog, edit->a, "", NULL) || !chr_catalog_seek(conductor->catalog, edit->a, file))
		return chr_edit_add(conductor, edit->a, edit->b);
	struct search *search = malloc(sizeof *search);
	if (!search)
		return "out of memory";
	*search = (struct search){.catalog = conductor->catalog, .name = edit->a};
	edit->detail = search;
	int rc = chr_job_begin(&edit->job, &conductor->inbox, work, search);
	if (!rc)
		return NULL;
	chr_add_forget(edit);
	return chr_edit_why("no thread to look with: %s", strerror(-rc));
}

bool chr_add_finished(struct chr_conductor *conductor, struct chr_edit *edit)
{
	struct search *search = edit->detail;
	if (!search)
		return true;
	if (!chr_job_over(&edit->job))
		return false;
	chr_learn_type(conductor, search->found);
	search->found = NULL;
	chr_add_forget(edit);
	const char *why = chr_edit_add(conductor, edit->a, edit->b);
	if (why)
		chr_edit_fail(edit, -EINVAL, why);
	return true;
}

void chr_learn_type(struct chr_conductor *conductor, struct chr_type *type)
{
	if (!type)
		return;
	chr_watch_file(conductor, type->file);
	chr_catalog_take(conductor->catalog, type);
}
