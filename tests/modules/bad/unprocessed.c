/* A module without a process function. */
#include "common/module.h"

const struct chr_module chr_module = {.abi = CHR_MODULE_ABI, .name = "unprocessed", .help = "has no process function"};
