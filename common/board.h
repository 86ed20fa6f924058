/* The pulse board of a lane: one cache line per module, written by that module at the end of each of its cycles.
 *
 * A pulse holds the frames at which the module's last two completed cycles began, in one word, so that a reader that runs
 * before or after the module within a cycle can tell whether the module completed the cycle before this one.
 */
#ifndef CHR_COMMON_BOARD_H
#define CHR_COMMON_BOARD_H

#include "common/module.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CHR_BOARD_MEMBERS 128u /* modules of one lane at most; a member's index is 0..127 */
#define CHR_BOARD_WORDS   (CHR_BOARD_MEMBERS / 64)

struct chr_pulse {
	_Alignas(64) _Atomic uint64_t frames; /* previous << 32 | last: frames at which completed cycles began */
	_Atomic uint32_t entered;             /* frame at which the cycle in progress (or the last one) began */
	_Atomic uint32_t cycles;              /* completed cycles; wraps; 0 = none yet */
	_Atomic uint32_t called;              /* JACK's frame time of the cycle in progress (or the last one) */
	_Atomic uint32_t lag; /* frames that its state is behind JACK's time; wraps, and counts from a time of the lane's own */
};

struct chr_board {
	struct chr_pulse pulse[CHR_BOARD_MEMBERS];
};

/* A set of members, one bit each. */
struct chr_member_set {
	_Atomic uint64_t word[CHR_BOARD_WORDS];
};

/* Audio thread of the member: the cycle that began at `frame` has begun. Realtime-safe. */
CHR_RT void chr_pulse_enter(struct chr_pulse *pulse, uint32_t frame);

/* Audio thread of the member: the cycle that began at `frame` is complete, its outputs are written (release). Realtime-safe. */
CHR_RT void chr_pulse_complete(struct chr_pulse *pulse, uint32_t frame);

/* Any thread: has the member completed the cycle that began at `previous`, seen from the cycle that began at `now`? A member
 * that has completed `now` already counts if the one before it was `previous`. Acquire. Realtime-safe. */
CHR_RT bool chr_pulse_fresh(const struct chr_pulse *pulse, uint32_t previous, uint32_t now);

/* Any thread: are all `members` of the board fresh (see chr_pulse_fresh)? An empty set is fresh. Realtime-safe. */
CHR_RT bool chr_board_fresh(const struct chr_board *board, const struct chr_member_set *members, uint32_t previous, uint32_t now);

/* Audio thread of the member: it is called for the cycle that begins when JACK's frame time is `at`, with its state so many frames behind
 * (release). Realtime-safe. */
CHR_RT void chr_pulse_call(struct chr_pulse *pulse, uint32_t at, uint32_t lag);

/* A question to the other members that completed a cycle at most `window` frames before the one that began at `now`, or later. */
struct chr_debt {
	const struct chr_pulse *own; /* of the one who asks */
	uint32_t lag;                /* its own, and what it was before it rose, */
	uint32_t before;
	uint32_t at; /* which was last found to be at that time of JACK's */
	uint32_t now, window;
};

/* The least lag of the lane, its own too: who has another missed what others have run for. *settled: false while that may change, for one of them has not been
 * called since `at`; one that has been and whose lag did not rise settles it. Audio thread; acquire; realtime-safe. */
CHR_RT uint32_t chr_board_least_lag(const struct chr_board *board, const struct chr_debt *debt, bool *settled);

/* The least lag of the others as it stands, for one that comes new; its own without others. Of the debt lag, own, now and window count. Audio thread; relaxed;
 * realtime-safe. */
CHR_RT uint32_t chr_board_others_lag(const struct chr_board *board, const struct chr_debt *debt);

void chr_member_set_put(struct chr_member_set *set, unsigned member, bool in);
bool chr_member_set_has(const struct chr_member_set *set, unsigned member);

/* Creates a nameless, zeroed board in shared memory. Returns it mapped (read-write) and stores its descriptor (close-on-exec),
 * or NULL with errno. */
struct chr_board *chr_board_create(int *fd);

/* Maps a board from a descriptor; `writable` or read-only. NULL with errno on failure. Release with chr_board_unmap(). */
struct chr_board *chr_board_map(int fd, bool writable);
void chr_board_unmap(struct chr_board *board);

#endif
