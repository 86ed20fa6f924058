/* Loading a module file: its code, and its descriptor flattened and checked. */
#ifndef CHR_ENGINE_LOAD_H
#define CHR_ENGINE_LOAD_H

#include "common/descriptor.h"
#include "common/module.h"

#include <stddef.h>

struct chr_loaded {
	const struct chr_module *module; /* NULL: none */
	void *handle;                    /* dlopen's */
	int copy;                        /* the copy that was loaded, open as long as its code is; -1: none */
	struct chr_descriptor desc;
};

/* Loads a module: from `copy`, the descriptor of a copy of `file`, or from `file` itself, a path with a '/' in it, when `copy` is -1. Takes `copy` over,
 * whatever comes of it. 0, or -EINVAL with the reason in `why`. Main thread. */
int chr_load(struct chr_loaded *loaded, const char *file, int copy, char *why, size_t why_bytes);

/* Takes the code out of the process again; nobody may run it any more. Main thread. */
void chr_unload(struct chr_loaded *loaded);

#endif
