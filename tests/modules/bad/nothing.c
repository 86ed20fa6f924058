/* A shared object that is no module. */
#include "common/module.h"

extern const int chr_not_a_module CHR_EXPORT;
const int chr_not_a_module = 1;
