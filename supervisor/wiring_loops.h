/* Which edges close loops. JACK delays the edge that closes a loop by a period, whichever is made last: so that both lanes delay the same one, and a
 * lane that comes back delays the same one as before, the edge that closes a loop waits until all the others can be made. */
#ifndef CHR_SUPERVISOR_WIRING_LOOPS_H
#define CHR_SUPERVISOR_WIRING_LOOPS_H

#include "common/board.h"

#include <stdbool.h>
#include <stdint.h>

struct chr_members {
	uint64_t word[CHR_BOARD_WORDS];
};

static inline bool chr_members_has(const struct chr_members *set, unsigned member)
{
	return set->word[member / 64] >> member % 64 & 1;
}

/* Where one gets from each member along the edges added so far. Zeroed: no edges. */
struct chr_loops {
	struct chr_members reach[CHR_BOARD_MEMBERS];
};

/* Adds an edge between two members. True when it closes a loop with edges added before; then *loop has all members of such loops. Such an edge leads
 * nowhere for those that follow. */
bool chr_loops_add(struct chr_loops *loops, unsigned from, unsigned to, struct chr_members *loop);

/* Adds an edge, whatever it closes; and the members that lie on loops of edges added so. */
void chr_loops_draw(struct chr_loops *loops, unsigned from, unsigned to);
void chr_loops_members(struct chr_loops *loops, struct chr_members *looped);

#endif
