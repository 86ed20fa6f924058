/* Loading a module file: its code, and its descriptor flattened and checked. */
#ifndef CHR_ENGINE_LOAD_H
#define CHR_ENGINE_LOAD_H

#include "common/descriptor.h"
#include "common/module.h"

#include <stddef.h>

struct chr_loaded {
	const struct chr_module *module; /* NULL: none */
	struct chr_descriptor desc;
};

/* Loads `file`, a path with a '/' in it, into the process for the rest of its life. 0, or -EINVAL with the reason in `why`.
 * Main thread. */
int chr_load(struct chr_loaded *loaded, const char *file, char *why, size_t why_bytes);

#endif
