/* The realtime half of a module process: one cycle of one instance, without a word of JACK, so that tests drive it frame by frame.
 *
 * A cycle: find out whether it is late (engine/missed.h), enter the pulse, take events, join the twin if asked, make up for missed cycles, cut the block at the events' frames,
 * move the parameters and call the module on each span, judge the outputs, publish what others want to know, complete the pulse.
 *
 * Everything here belongs to the audio thread from the first chr_rt_cycle() on, except `twin`.
 */
#ifndef CHR_ENGINE_RT_H
#define CHR_ENGINE_RT_H

#include "common/board.h"
#include "common/descriptor.h"
#include "common/module.h"
#include "common/slot.h"
#include "engine/events.h"
#include "engine/picker.h"
#include "engine/smooth.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CHR_SMOOTH_MS 5.0f /* ramp of a change where neither event nor parameter says how long */

/* What the future of an instance depends on beside the module's state and the pending events. No padding: it is copied
 * between twins and summed. */
struct chr_engine_state {
	struct chr_smoother param[CHR_PARAMS_MAX];
	struct chr_smoother gain; /* CHR_EVENT_FADE */
};

static_assert(sizeof(struct chr_engine_state) == (CHR_PARAMS_MAX + 1) * sizeof(struct chr_smoother), "no padding");

/* What an instance is made from. The pointers must outlive it. */
struct chr_rt_setup {
	const struct chr_module *module;
	const struct chr_descriptor *desc; /* of that module, in private memory */
	struct chr_slot *slot;
	struct chr_pulse *pulse;                  /* its line on the lane's board; NULL: none */
	const struct chr_board *lane_board;       /* that board; NULL: nothing is known of the others in the lane */
	const struct chr_board *board[CHR_LANES]; /* read by the picker of a module with CHR_MODULE_OUT; NULL elsewhere */
	struct chr_choice *choice;                /* of the outs of two lanes; NULL elsewhere */
	uint32_t lane;                            /* 0 = a, 1 = b */
	float sample_rate;                        /* Hz */
	uint32_t lanes;                           /* 1 or 2 */
	uint32_t channels;                        /* ports of a higher channel are absent */
	bool silent;                              /* begins with a gain of 0, until an event fades it in */
	const float *value;                       /* desc->param_count values to begin with; an illegal one becomes the initial */
};

struct chr_change; /* engine/change.h */

/* What every cycle touches comes first, on as few cache lines and pages as may be: between two cycles others had the processor, and most of
 * what the engine costs is memory that comes anew. */
struct chr_rt {
	const struct chr_module *module;
	const struct chr_descriptor *desc;
	struct chr_slot *slot;
	struct chr_pulse *pulse;
	float sample_rate;
	uint32_t lane;
	uint32_t channels;
	unsigned ports, params, meters; /* how many the module has */
	uint64_t inputs, outputs;       /* bit i: port i is one, present or not */
	uint64_t controls;              /* bit i: port i is an input and no audio */
	uint64_t absent;                /* bit i: port i is */
	void (*process)(void *state, const struct chr_io *io);

	unsigned char *state;        /* the module's, 64-byte aligned */
	unsigned char *state_coming; /* where a twin's is copied before it counts */

	uint32_t frame, frames; /* of what the previous cycle computed */
	uint32_t at;            /* JACK's frame time of it */
	bool ran;               /* there was one */
	bool missed;            /* what runs now are missed frames */
	uint32_t lag; /* frames that the state is behind JACK's time since the lane began: the same in all of a lane; wraps */
	uint32_t owed, owed_at; /* of these, what is not settled yet, and JACK's time where it was last found to be missed */
	uint32_t unsettled;     /* cycles in which it is still looked for who has missed what; 0: it is known */
	uint32_t due, made_up;  /* frames: missed before this cycle, and made up for of late */
	uint32_t ahead;         /* frames made up for that JACK may yet come for, */
	uint32_t ahead_cycles;  /* in so many cycles at most */
	bool again;             /* it has: what this cycle would compute was computed in the one before */
	uint32_t serial;        /* of the newest event taken that changes the state */
	bool serial_known;      /* there was one */
	uint64_t output_sum;    /* of the previous cycle's outputs, before an out that is not heard is muted */

	_Atomic(struct chr_change *) change_given; /* by the main thread; NULL again when it is over */
	struct chr_change *change;                 /* of the cycle in progress */

	bool joining;
	uint32_t join_from;    /* not before the cycle that begins at this frame or first after it */
	uint32_t publish_left; /* cycles at whose end a snapshot is asked for */
	uint32_t publish_turn;
	bool publish_loops, join_loops; /* CHR_EVENT_LOOPS of the event that asked */
	uint32_t lend_turn;
	uint32_t floor; /* events of this serial and older are in the state joined */
	bool floor_set;

	struct chr_engine_state engine;

	/* of the span in progress */
	const float *in[CHR_PORTS_MAX];
	float *out[CHR_PORTS_MAX];
	struct chr_control control[CHR_PARAMS_MAX];

	/* buffers of CHR_BLOCK_MAX samples */
	float *silence;
	float *ramp[CHR_PARAMS_MAX + 1]; /* one per parameter; the last for the fade */
	float *input[CHR_PORTS_MAX];     /* one per input, for what cannot be passed on in place */

	const struct chr_board *lane_board;
	float held[CHR_PORTS_MAX]; /* the last sample of each input that is no audio */

	struct chr_picker picker;
	struct chr_queue queue;

	const float *borrowed[CHR_PORTS_MAX]; /* the twin's inputs, in the cycle of a join in a loop */
	struct chr_pending coming[CHR_PENDING_MAX];
	_Atomic(const struct chr_slot *) twin; /* set by the main thread, see chr_join_set_twin() */
	_Atomic int twin_busy;                 /* the audio thread reads the twin's slot */
};

/* Makes an instance, fresh, its memory touched. NULL when memory ran out. Main thread. */
struct chr_rt *chr_rt_create(const struct chr_rt_setup *setup);
void chr_rt_destroy(struct chr_rt *rt);

/* Runs the cycle that begins at JACK's frame time `at` and has `frames` frames (any number). `in` and `out` have CHR_PORTS_MAX
 * buffers, by place in the module's port table.
 * NULL: the port is absent. */
CHR_RT void chr_rt_cycle(struct chr_rt *rt, uint32_t frames, uint32_t at, const float *const *in, float *const *out);

/* The last cycle took `busy_us` of the callback. */
CHR_RT void chr_rt_busy(struct chr_rt *rt, uint32_t busy_us);

/* Notes what every cycle asks of rt->module and rt->desc: after they were set. */
CHR_RT void chr_rt_learn(struct chr_rt *rt);

/* Is this port present in the instance? */
CHR_RT bool chr_rt_has_port(const struct chr_descriptor *desc, unsigned port, uint32_t channels);

/* Are they all numbers? */
CHR_RT bool chr_rt_finite(const float *samples, uint32_t frames);

/* For the other files of the realtime half: one call of the module for `frames` frames from `at` on, counted from where rt->in and rt->out
 * point; the module's state fresh; a note to the supervisor (lost when its ring is full);
 * one more of a counter that this thread alone writes. */
CHR_RT void chr_rt_span(struct chr_rt *rt, uint32_t at, uint32_t frames);
CHR_RT void chr_rt_reset(struct chr_rt *rt);
CHR_RT void chr_rt_note(struct chr_rt *rt, unsigned kind, uint32_t frame, uint32_t count, uint64_t sum);

/* Is the port in this set of rt's: inputs, outputs, controls, absent? */
CHR_RT static inline bool chr_rt_in(uint64_t ports, unsigned port)
{
	return ports >> port & 1;
}

CHR_RT static inline void chr_rt_add(_Atomic uint32_t *counter, uint32_t by)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by, memory_order_relaxed);
}

CHR_RT static inline void chr_rt_count(_Atomic uint32_t *counter)
{
	chr_rt_add(counter, 1);
}

#endif
