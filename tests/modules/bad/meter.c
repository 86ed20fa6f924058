/* A module with a meter that reaches over the end of its state. */
#include "common/module.h"

static void process(void *state, const struct chr_io *io)
{
	(void)state;
	(void)io;
}

static const struct chr_meter meters[] = {{.name = "far", .offset = 5, .help = "three bytes inside, one outside"}};

const struct chr_module chr_module = {
	.abi = CHR_MODULE_ABI,
	.name = "meter",
	.help = "has a meter outside its state",
	.state_bytes = 8,
	.meters = meters,
	.meter_count = 1,
	.process = process,
};
