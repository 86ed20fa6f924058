/* A module that never ends being loaded. */
#include "common/module.h"

#include <unistd.h>

__attribute__((constructor)) static void wait(void)
{
	for (;;)
		pause();
}

static void process(void *state, const struct chr_io *io)
{
	(void)state;
	(void)io;
}

const struct chr_module chr_module = {.abi = CHR_MODULE_ABI, .name = "hangs", .help = "hangs", .process = process};
