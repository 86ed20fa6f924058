/* A conductor with two lanes whose processes are plain memory: the test plays the audio threads, the graph thread and death. */
#ifndef CHR_TESTS_LANES_BED_H
#define CHR_TESTS_LANES_BED_H

#include "supervisor/conductor.h"

#include <check.h>
#include <stdbool.h>

#define BED_PROCESSES 64

/* osc1 -> filt1 -> out; aside -> the foreign port recorder:in. */
enum { BED_OUT, BED_OSC1, BED_FILT1, BED_ASIDE, BED_UNITS };

struct lanes_bed {
	struct chr_conductor conductor;
	struct chr_catalog catalog; /* empty */
	struct chr_patch *patch;
	struct chr_unit unit[BED_UNITS];
	struct chr_process process[BED_PROCESSES];
	unsigned processes; /* made so far */
};

/* 48 kHz, 256 frames, the frame time stands at 0, every instance waits, eight spares. */
struct lanes_bed *bed_create(unsigned lanes);
void bed_destroy(struct lanes_bed *bed);

/* More spares; those that wait get theirs. */
void bed_spares(struct lanes_bed *bed, unsigned count);

struct chr_instance *bed_instance(struct lanes_bed *bed, unsigned unit, unsigned lane);

/* The instance's client is active, its edges are made, its first cycle is complete. */
void bed_run(struct lanes_bed *bed, unsigned unit, unsigned lane);
/* All of the lane that are starting do that. */
void bed_run_lane(struct lanes_bed *bed, unsigned lane);

/* Both lanes and both outs play, in lockstep from frame 1000 on, lane a leading; the rings are empty. */
void bed_play(struct lanes_bed *bed);

void bed_die(struct lanes_bed *bed, unsigned unit, unsigned lane);

/* A note of the instance's audio thread. */
void bed_note(struct lanes_bed *bed, unsigned unit, unsigned lane, unsigned kind, uint32_t frame, uint64_t sum);
/* All members of the lane, its out among them, note that they joined at that frame. */
void bed_join_lane(struct lanes_bed *bed, unsigned lane, uint32_t frame);

/* Takes events from the ring to the instance's audio thread up to the next of that kind. False when there is none; then the ring is empty. */
bool bed_take(struct lanes_bed *bed, unsigned unit, unsigned lane, unsigned kind, struct chr_event *event);
/* Empties all rings. */
void bed_drain(struct lanes_bed *bed);

/* States of the three modules in the lane, one letter each: '-' none, 'w'aiting, 's'tarting, 'W'iring, 'j'oining, 'p'laying, 'q'uarantined.
 * Valid until the next call but one. */
const char *bed_states(struct lanes_bed *bed, unsigned lane);

/* What an out is told of the lane: the letters o, f, a of the members it has to wait for, and '!' when the lane is not to be played. */
const char *bed_told(struct lanes_bed *bed, unsigned lane);

/* Is the edge in the graph as last desired? */
bool bed_desired(struct lanes_bed *bed, const char *from, const char *to);

#define bed_assert_states(bed, a, b)                                                                                               \
	do {                                                                                                                       \
		ck_assert_str_eq(bed_states(bed, 0), a);                                                                           \
		ck_assert_str_eq(bed_states(bed, 1), b);                                                                           \
	} while (0)
#define bed_assert_told(bed, a, b)                                                                                                 \
	do {                                                                                                                       \
		ck_assert_str_eq(bed_told(bed, 0), a);                                                                             \
		ck_assert_str_eq(bed_told(bed, 1), b);                                                                             \
	} while (0)

/* All members of the lane were asked, once, to join in one and the same cycle, and all of the other to publish. */
void bed_assert_asked(struct lanes_bed *bed, unsigned lane);

/* So much time has passed since the join or the audit was begun, and since what was skipped. */
void bed_let_pass(struct lanes_bed *bed, uint64_t us);

/* The answer to the edit that was asked for last, and how many came; `arg` of bed_answer() is one of these. */
struct bed_answer {
	const struct bed_answer *self; /* what has to come back with the answer */
	int count, rc;
	char why[CHR_TEXT_MAX];
};

void bed_answer(void *arg, int rc, const char *why);

#endif
