/* The running patch as a file: text that loads to the same sound and is nice to read. */
#ifndef CHR_SUPERVISOR_SAVE_H
#define CHR_SUPERVISOR_SAVE_H

#include "supervisor/patch.h"

#include <stddef.h>

/* The patch as the text of a file (heap; its length in *length), or NULL when memory ran out. Its edges are those of a desired graph: out's edges to the
 * hardware stand in it as CHR_PLAYBACK_PREFIX, and are written only when they are not those that every patch has. Equal patches give equal texts. A
 * parameter that stands at its type's initial value, and a setting at its default, are left out. Any thread while nobody changes the types. */
char *chr_save_text(struct chr_patch *patch, const struct chr_patch_rules *rules, size_t *length);

/* Writes `text` to `path` so that whoever looks, even after a crash at any moment, finds the old file or the new one whole: a temporary file in the same
 * folder, fsync, rename, fsync of the folder. An old file stays as `path`.bak. 0, or -errno with the reason in `why`. Blocks as long as the disk
 * does: any thread but the control thread. */
int chr_save_write(const char *path, const char *text, size_t length, char why[CHR_TEXT_MAX]);

/* A float with as few digits as give it back exactly, read as a file is read, and with a point or an exponent in it. */
void chr_save_number(float value, char text[32]);

#endif
