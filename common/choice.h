/* The choice: which lane is heard in a cycle, agreed on by the outs of both lanes without waiting for each other.
 *
 * Each lane has its own `out`, and both are connected to what is heard. In every cycle the first of them that knows of a good lane
 * names it; the other finds the name and abides by it. So exactly one of them is heard, whichever runs first, and an `out` that is late,
 * hangs or died leaves the word to the other. An `out` that knows of no good lane says nothing: the other may know better.
 *
 * Cycles are told apart by the frame at which they begin. A few of them have a place of their own, so that an `out` that is
 * late by a cycle still reads what was said about its own.
 */
#ifndef CHR_COMMON_CHOICE_H
#define CHR_COMMON_CHOICE_H

#include "common/module.h"

#include <stdatomic.h>
#include <stdint.h>

#define CHR_LANE_NONE    (-1)
#define CHR_CHOICE_TURNS 4u

struct chr_choice {
	_Alignas(64) _Atomic uint64_t turn[CHR_CHOICE_TURNS]; /* frame << 32 | lane + 1; 0: nothing said yet */
};

/* Names `lane` as the one heard in the cycle of `frames` (> 0) frames that begins at `frame`, unless one was named. Returns the one that counts:
 * `lane`, the other, or CHR_LANE_NONE for a cycle so long past that its place is taken. Audio threads of the outs; realtime-safe. */
CHR_RT int chr_choice_make(struct chr_choice *choice, uint32_t frame, uint32_t frames, int lane);

/* The lane named for that cycle so far, or CHR_LANE_NONE. Any thread; realtime-safe. */
CHR_RT int chr_choice_made(const struct chr_choice *choice, uint32_t frame, uint32_t frames);

/* Forgets everything: frames begin anew. While no `out` runs. */
void chr_choice_clear(struct chr_choice *choice);

/* In nameless shared memory, as chr_board_create() and chr_board_map(); NULL with errno. Release with chr_choice_unmap(). */
struct chr_choice *chr_choice_create(int *fd);
struct chr_choice *chr_choice_map(int fd);
void chr_choice_unmap(struct chr_choice *choice);

#endif
