/* A built module as the benches take it: loaded into the program itself, which a supervisor never does. */
#ifndef CHR_TOOLS_MODULE_FILE_H
#define CHR_TOOLS_MODULE_FILE_H

#include "common/module.h"

/* The module in the file at `path`; NULL when there is none of this ABI. Stays loaded until the program ends. Main thread. */
const struct chr_module *chr_module_file(const char *path);

#endif
