/* Events whose frame lies beyond the horizon, kept in the supervisor in order of frame until they come near.
 *
 * A binary heap; events of the same frame keep the order in which they came. Control thread only; allocates.
 */
#ifndef CHR_SUPERVISOR_SCHEDULE_H
#define CHR_SUPERVISOR_SCHEDULE_H

#include "common/event.h"
#include "common/module.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHR_HORIZON_MS   20      /* events nearer than this are in the rings */
#define CHR_SCHEDULE_MAX 1000000 /* events kept at most */

struct chr_scheduled {
	uint64_t order; /* counts the events put; breaks ties */
	unsigned unit;  /* member index of the unit */
	struct chr_event event;
};

struct chr_schedule {
	struct chr_scheduled *heap;
	size_t count, space;
	uint64_t order;
};

void chr_schedule_init(struct chr_schedule *schedule);
void chr_schedule_finish(struct chr_schedule *schedule);

/* 0, -ENOMEM or -ENOSPC. */
int chr_schedule_put(struct chr_schedule *schedule, unsigned unit, const struct chr_event *event);

/* Takes the earliest event whose frame is before `frame` (chr_frames_diff). False when there is none. */
bool chr_schedule_take(struct chr_schedule *schedule, uint32_t frame, struct chr_scheduled *out);

/* Frame of the earliest event; false when empty. */
bool chr_schedule_next(const struct chr_schedule *schedule, uint32_t *frame);

/* The unit's parameters have other places from now on: map[i] for i, CHR_PARAMS_MAX or more for one that is no more, whose events are forgotten. */
void chr_schedule_renumber(struct chr_schedule *schedule, unsigned unit, const uint8_t map[CHR_PARAMS_MAX]);

/* Forgets the events of a unit. */
void chr_schedule_forget(struct chr_schedule *schedule, unsigned unit);

#endif
