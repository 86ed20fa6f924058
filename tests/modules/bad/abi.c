/* A module of another ABI: nothing but its first word can be trusted. */
#include "common/module.h"

const struct chr_module chr_module = {.abi = CHR_MODULE_ABI + 1};
