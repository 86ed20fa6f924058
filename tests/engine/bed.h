/* A bed for the realtime half of the engine: a slot, a board line and buffers around one instance, and modules to lay in it. */
#ifndef CHR_TESTS_ENGINE_BED_H
#define CHR_TESTS_ENGINE_BED_H

#include "common/slot.h"
#include "engine/join.h"
#include "engine/rt.h"

#define BED_FRAMES 20000 /* longest cycle */
#define BED_RATE   48000.0f
#define BED_MEMBER 5u /* the instance's line on the board */

/* probe: out `level` is the parameter level, `sum` a recurrence over `in` and level, `tick` counts frames since the state was
 * fresh; while `poison` is on, sum is not a number. */
enum { PROBE_IN, PROBE_LEVEL, PROBE_SUM, PROBE_TICK };
enum { PARAM_LEVEL, PARAM_MODE, PARAM_POISON, PARAM_DIRECT, PARAM_SLOW };
extern const struct chr_module bed_probe;

/* as out: inputs left, in_3 (from 3 channels on), outputs play_left and clock (always 0.25) */
enum { OUT_LEFT, OUT_THIRD, OUT_PLAY, OUT_CLOCK };
extern const struct chr_module bed_out;

struct bed {
	struct chr_slot *slot;
	struct chr_board *board[CHR_LANES];
	struct chr_choice *choice;
	struct chr_descriptor desc;
	struct chr_rt *rt;
	uint32_t frame;  /* at which the next cycle begins */
	uint32_t serial; /* of the last event sent */
	const float *in[CHR_PORTS_MAX];
	float *out[CHR_PORTS_MAX];
	float in_buffer[4][BED_FRAMES]; /* by place in the port table */
	float out_buffer[4][BED_FRAMES];
};

/* A bed around an instance of `module`, in lane a, whose first cycle begins at `frame`. Aborts the test on failure. */
struct bed *bed_create(const struct chr_module *module, uint32_t lanes, uint32_t channels, uint32_t frame);
void bed_destroy(struct bed *bed);

/* One cycle of `frames`. */
void bed_cycle(struct bed *bed, uint32_t frames);

/* Puts an event into the ring; `bed_send` gives it the version and the next serial. */
void bed_send(struct bed *bed, struct chr_event event);
void bed_send_param(struct bed *bed, uint32_t param, float value, uint32_t frame, uint32_t ramp_frames);

/* The next note of that kind, skipping others. False when there is none. */
bool bed_note(struct bed *bed, unsigned kind, struct chr_event *note);

/* Bit for bit: 0.0 is not -0.0 here. */
bool bed_same(const void *a, const void *b, size_t bytes);

uint32_t bed_status(const _Atomic uint32_t *counter);

#endif
