/* The folders of modules, watched while a person edits: a module file that was written is swapped in, one unit of its type after the other.
 *
 * A file counts as written when it was closed after writing or moved there and has been left alone for a moment; builds that write it in
 * several goes are waited for. Control thread only.
 */
#ifndef CHR_SUPERVISOR_WATCH_H
#define CHR_SUPERVISOR_WATCH_H

#include "common/slot.h"
#include "supervisor/poller.h"

#include <stdint.h>

#define CHR_WATCH_FOLDERS 32
#define CHR_WATCH_FILES   32
#define CHR_WATCH_REST_US 100000u /* a file rests this long before it counts as written */

struct chr_conductor;

struct chr_watch_file {
	char path[CHR_PATH_BYTES];
	uint64_t due_us;
};

struct chr_watch {
	struct chr_poll poll; /* fd 0: not watching */
	struct {
		int descriptor;
		char path[CHR_PATH_BYTES];
	} folder[CHR_WATCH_FOLDERS];
	unsigned folders;
	struct chr_watch_file file[CHR_WATCH_FILES]; /* written, not yet at rest */
	unsigned files;
};

/* Watches the folders in which the catalog found its types. 0 or -errno. */
int chr_watch_init(struct chr_conductor *conductor);

/* Every tick: what has come to rest is swapped in. */
void chr_watch_tick(struct chr_conductor *conductor);

/* The folder of that file is watched too, where folders are. */
void chr_watch_file(struct chr_conductor *conductor, const char *file);

void chr_watch_finish(struct chr_conductor *conductor);

#endif
