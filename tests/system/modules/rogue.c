/* A module that breaks the promise of the audio thread, one deed at a time, so that the probe can be seen to catch it. */
#include "common/module.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINGER_STEPS 40000000u /* milliseconds on any processor: more than a period */

struct state {
	uint32_t cycles;
};

enum param { DEED };
enum deed { NOTHING, ALLOCATE, RELEASE, LOCK, CALL, LINGER, SPIN };

static const char *const deeds[] = {"nothing", "allocate", "release", "lock", "call", "linger", "spin", NULL};

static const struct chr_port ports[] = {{"out", CHR_OUT, CHR_AUDIO, 0, "silence"}};

static const struct chr_param params[] = {
	[DEED] = {"deed", "", 0.0f, 6.0f, 0.0f, CHR_CHOICE, 0.0f, deeds, "what to do in the next cycle"},
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* volatile: the compiler must not see that nothing comes of it */
static void *volatile block;

static void init(void *state, float sample_rate)
{
	(void)sample_rate;
	memset(state, 0, sizeof(struct state));
	if (!block)
		block = malloc(16);
}

static void process(void *state, const struct chr_io *io)
{
	struct state *s = state;
	s->cycles++;
	memset(io->out[0], 0, io->frames * sizeof(float));
	switch ((enum deed)chr_control_at(io->param[DEED], 0)) {
	case ALLOCATE:
		block = malloc(16);
		break;
	case RELEASE:
		free(block);
		block = NULL;
		break;
	case LOCK:
		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
		break;
	case CALL:
		close(open("/dev/null", O_RDONLY | O_CLOEXEC));
		break;
	case LINGER:
		for (volatile uint32_t i = 0; i < LINGER_STEPS; i++)
			;
		break;
	case SPIN:
		for (volatile uint32_t i = 0;; i++)
			;
	default:
		break;
	}
}

const struct chr_module chr_module = {
	.abi = CHR_MODULE_ABI,
	.name = "rogue",
	.help = "Breaks the rules of the audio thread",
	.state_version = 1,
	.state_bytes = sizeof(struct state),
	.ports = ports,
	.port_count = 1,
	.params = params,
	.param_count = 1,
	.init = init,
	.process = process,
};
