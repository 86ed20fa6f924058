/* A module that ends its process while it is loaded. */
#include "common/module.h"

#include <stdlib.h>

__attribute__((constructor)) static void give_up(void)
{
	abort();
}

static void process(void *state, const struct chr_io *io)
{
	(void)state;
	(void)io;
}

const struct chr_module chr_module = {.abi = CHR_MODULE_ABI, .name = "aborts", .help = "aborts", .process = process};
