/* A change of code in a process that plays: the new module beside the old one, both running while the sound goes over from one to the
 * other, then the new one alone.
 *
 * The main thread makes a change and gives it to the audio thread, which takes the old module's state over at the start of a cycle
 * if the two may exchange states, crossfades for CHR_CHANGE_MS with gains that add up to one, and hands the change back with the
 * old module in it at the end of a cycle. A new module that gives out what is not a number is left at once.
 */
#ifndef CHR_ENGINE_CHANGE_H
#define CHR_ENGINE_CHANGE_H

#include "common/descriptor.h"
#include "common/module.h"
#include "common/slot.h"
#include "engine/smooth.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CHR_CHANGE_MS 20

struct chr_rt;

/* The module that is to come; after a change that came about, the one that was. */
struct chr_change {
	const struct chr_module *module;
	const struct chr_descriptor *desc;
	unsigned char *state, *state_coming;
	struct chr_smoother param[CHR_PARAMS_MAX];
	float *ramp[CHR_PARAMS_MAX];
	float *out[CHR_PORTS_MAX]; /* CHR_BLOCK_MAX samples; NULL: no such output */
	uint32_t total, done;      /* frames of the crossfade */
	bool carries;              /* the old state may be taken over */
	bool begun;
	bool broken;       /* it gave out what is not a number */
	_Atomic bool over; /* back in the main thread's hands */
};

/* Makes the change of `rt` to `module`, which starts with `value` where it does not take over. NULL when memory ran out. Both descriptors have to have
 * the same ports, and their tables of parameters one beginning. Main thread. */
struct chr_change *chr_change_create(const struct chr_rt *rt, const struct chr_module *module, const struct chr_descriptor *desc,
				     const float *value);
/* One that was not given, or that is over. */
void chr_change_destroy(struct chr_change *change);

/* Gives it to the audio thread, which may have one at a time. Main thread. */
void chr_change_give(struct chr_rt *rt, struct chr_change *change);

/* The parts of a cycle: at its start, after the old module ran a span (whose outputs stand in rt->out from `at` on), at its end. */
CHR_RT void chr_change_begin(struct chr_rt *rt);
CHR_RT void chr_change_span(struct chr_rt *rt, uint32_t at, const struct chr_io *io);
CHR_RT void chr_change_end(struct chr_rt *rt);

/* A reset and a new value reach the coming module too. */
CHR_RT void chr_change_reset(struct chr_rt *rt);

#endif
