#include "tools/module_file.h"

#include <dlfcn.h>

const struct chr_module *chr_module_file(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct chr_module *module = library ? dlsym(library, "chr_module") : NULL;
	return module && module->abi == CHR_MODULE_ABI ? module : NULL;
}
