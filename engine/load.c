#include "engine/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* What the loader says begins with the path that it was given, which tells people nothing when it is that of a copy. */
static const char *complaint(const char *path)
{
	const char *text = dlerror();
	size_t length = strlen(path);
	if (!text)
		return "no reason is given";
	if (strncmp(text, path, length) || strncmp(text + length, ": ", 2))
		return text;
	return text + length + 2;
}

static int load(struct chr_loaded *loaded, const char *file, const char *path, char *why, size_t why_bytes)
{
	/* NOW: a symbol bound late would be bound in the audio thread, under the loader's lock. */
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		snprintf(why, why_bytes, "cannot load: %s: %s", file, complaint(path));
		return -EINVAL;
	}
	const struct chr_module *module = dlsym(handle, "chr_module");
	if (!module) {
		snprintf(why, why_bytes, "%s is not a module: it exports no chr_module", file);
	} else {
		char reason[CHR_HELP_MAX * 2] = "";
		if (!check(loaded, module, reason, sizeof reason)) {
			loaded->module = module;
			loaded->handle = handle;
			return 0;
		}
		snprintf(why, why_bytes, "%s: %s", file, reason);
	}
	dlclose(handle);
	return -EINVAL;
}

int chr_load(struct chr_loaded *loaded, const char *file, int copy, char *why, size_t why_bytes)
{
	char path[64];
	int rc = -EINVAL;
	/* By pid, so that a debugger finds it too. The loader takes two files of one path for the same, so the descriptor stays open. */
	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), copy);
	if (copy < 0 && !strchr(file, '/'))
		snprintf(why, why_bytes, "'%s' is not the path of a module file", file);
	else
		rc = load(loaded, file, copy < 0 ? file : path, why, why_bytes);
	loaded->copy = rc ? -1 : copy;
	if (rc && copy >= 0)
		close(copy);
	return rc;
}

void chr_unload(struct chr_loaded *loaded)
{
	if (!loaded->module)
		return;
	dlclose(loaded->handle);
	if (loaded->copy >= 0)
		close(loaded->copy);
	*loaded = (struct chr_loaded){.copy = -1};
}
