/* The module types that are installed. What a type is, is learnt by asking a module process to load it: its code never runs in here.
 *
 * Control thread, but where it says otherwise. Asking waits for the process, at most CHR_CATALOG_WAIT_MS for all that are asked together.
 */
#ifndef CHR_SUPERVISOR_CATALOG_H
#define CHR_SUPERVISOR_CATALOG_H

#include "common/descriptor.h"
#include "common/slot.h"
#include "supervisor/code.h"
#include "supervisor/process.h"

#include <stdbool.h>

#define CHR_CATALOG_WAIT_MS 2000

struct chr_type {
	char name[CHR_NAME_MAX];
	char file[CHR_PATH_BYTES];
	struct chr_code *code;  /* NULL: the file could not be read */
	char why[CHR_TEXT_MAX]; /* not known: why */
};

struct chr_catalog {
	struct chr_spawn spawn;
	char *path, *folder;    /* where module files are: the one colon-separated */
	struct chr_type **type; /* in the order of their names */
	unsigned count;
	struct chr_code **given; /* what people named the files of: the newest build of each that was learnt. References */
	unsigned given_count;
	char why[CHR_TEXT_MAX]; /* the last of those could not be learnt: why */
};

/* Is it known what the type is? */
static inline bool chr_type_known(const struct chr_type *type)
{
	return type->code && type->code->known;
}

/* Lists the module files NAME.so of the folders of `path` (colon-separated, the first that has a name wins; may be NULL), then of `folder`, and
 * asks all of them at once. 0 or -errno. */
int chr_catalog_init(struct chr_catalog *catalog, const struct chr_spawn *spawn, const char *path, const char *folder);
void chr_catalog_finish(struct chr_catalog *catalog);

/* The file NAME.so that is in the folders now, whether the catalog knows it or not. Any thread; reads the disk. */
bool chr_catalog_seek(const struct chr_catalog *catalog, const char *name, char file[CHR_PATH_BYTES]);

/* Asks what is in that file: it may have come, or been mended, since the catalog was made. NULL: there is none. The type is the caller's. Any
 * thread; waits as chr_catalog_init() does. */
struct chr_type *chr_catalog_look(const struct chr_catalog *catalog, const char *name);

/* Takes such a type in, in the place of one of its name that is not known; beside one that is known it is not needed and is freed. 0 or -ENOMEM. */
int chr_catalog_take(struct chr_catalog *catalog, struct chr_type *type);

void chr_type_free(struct chr_type *type); /* NULL: nothing */

/* The type with that name, known or not, or NULL. */
const struct chr_type *chr_catalog_find(const struct chr_catalog *catalog, const char *name);

/* From now on the type is that code, of which a reference is taken. Descriptors of the code before go with its last reference. */
void chr_catalog_replace(struct chr_catalog *catalog, const char *name, struct chr_code *code);

/* Copies a file that somebody named and asks a process what it is; the module in it has to be called `name`, and nobody else may be able to write the
 * file. One reference is the caller's. NULL with the reason in `why`. Waits. Any thread. */
struct chr_code *chr_catalog_ask(const struct chr_spawn *spawn, const char *name, const char *file, char why[CHR_TEXT_MAX]);

/* The newest code of the module from that file is this one, of which a reference is taken. 0 or -ENOMEM. */
int chr_catalog_keep(struct chr_catalog *catalog, struct chr_code *code);

/* Forgets what nothing plays: its file may have been built anew. */
void chr_catalog_forget(struct chr_catalog *catalog);

/* What was kept for the module and the file last, or NULL. */
struct chr_code *chr_catalog_given(const struct chr_catalog *catalog, const char *name, const char *file);

/* The file that the code comes from (NULL: the code of that type); "" when it is the installed one. */
const char *chr_catalog_file(const struct chr_catalog *catalog, const struct chr_code *code);

/* Two chr_patch_types over a catalog (`self`): of files, the first one knows what was kept; the other asks, unless something plays it, and keeps it. */
const struct chr_descriptor *chr_catalog_type(void *self, const char *name, const char *file, const char **why);
const struct chr_descriptor *chr_catalog_learn(void *self, const char *name, const char *file, const char **why);

#endif
