#include "engine/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int check(struct chr_loaded *loaded, const struct chr_module *module, char *why, size_t why_bytes)
{
	/* The ABI first: the rest has the layout known here only if it is the same. */
	if (module->abi != CHR_MODULE_ABI) {
		snprintf(why, why_bytes, "ABI %u, this engine speaks %d: build the module again", module->abi, CHR_MODULE_ABI);
		return -EINVAL;
	}
	if (!module->process) {
		snprintf(why, why_bytes, "has no process function");
		return -EINVAL;
	}
	return chr_descriptor_make(&loaded->desc, module, why, why_bytes);
}

int chr_load(struct chr_loaded *loaded, const char *file, char *why, size_t why_bytes)
{
	if (!strchr(file, '/')) {
		snprintf(why, why_bytes, "'%s' is not the path of a module file", file);
		return -EINVAL;
	}
	/* NOW: a symbol bound late would be bound in the audio thread, under the loader's lock. */
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		snprintf(why, why_bytes, "cannot load: %s", dlerror());
		return -EINVAL;
	}
	const struct chr_module *module = dlsym(handle, "chr_module");
	if (!module) {
		snprintf(why, why_bytes, "%s is not a module: it exports no chr_module", file);
	} else {
		char reason[CHR_HELP_MAX * 2] = "";
		if (!check(loaded, module, reason, sizeof reason)) {
			loaded->module = module;
			return 0;
		}
		snprintf(why, why_bytes, "%s: %s", file, reason);
	}
	dlclose(handle);
	return -EINVAL;
}
