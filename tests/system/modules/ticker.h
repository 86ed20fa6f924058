/* A counter that can be heard: every sample tells the number of the one before it, so that a lost, doubled or invented frame shows. The files
 * ticker*.c are builds of this one module; each says what it does otherwise before it includes this.
 *
 *   TICK(n)         the sample of number n (0..65535)
 *   FAULT(calls)    what happens in the call of process of that number
 */
#include "common/module.h"

#include <stddef.h>
#include <string.h>

#ifndef SOUND_VERSION
#define SOUND_VERSION 1
#endif
#ifndef STATE_VERSION
#define STATE_VERSION 1
#endif
#ifndef TICK
#define TICK(n) ((float)((int)(n)-32768) / 65536.0f)
#endif
#ifndef FAULT
#define FAULT(calls) ((void)(calls))
#endif
#ifndef OUT_NAME
#define OUT_NAME "out"
#endif
#ifndef MORE_PARAMS
#define MORE_PARAMS
#endif
#ifndef FIRST_PARAMS
#define FIRST_PARAMS
#endif

struct state {
	uint32_t n;
};

static void process(void *state, const struct chr_io *io)
{
	/* not in the state: a fault is one of the code, and its twin is to have the same state */
	static unsigned calls;
	struct state *s = state;
	calls += io->frames > 0;
	for (uint32_t i = 0; i < io->frames; i++, s->n++)
		io->out[0][i] = TICK(s->n & 0xffff);
	FAULT(calls);
}

static const struct chr_port ports[] = {{OUT_NAME, CHR_OUT, CHR_AUDIO, 0, "the count"}};

static const struct chr_param params[] = {FIRST_PARAMS{"spare", "", 0.0f, 1.0f, 0.25f, CHR_LINEAR, 0.0f, NULL, "of no effect"},
					  MORE_PARAMS};

const struct chr_module chr_module = {
	.abi = CHR_MODULE_ABI,
	.name = "ticker",
	.help = "counts samples",
	.state_version = STATE_VERSION,
	.sound_version = SOUND_VERSION,
	.state_bytes = sizeof(struct state),
	.ports = ports,
	.port_count = sizeof ports / sizeof ports[0],
	.params = params,
	.param_count = sizeof params / sizeof params[0],
	.process = process,
};
