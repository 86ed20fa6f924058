/* Which edges close loops: an edge does when those drawn before it, without the ones that closed loops themselves, lead back from its end to its
 * beginning. Every JACK server has the same rule, decides as the edge is made, and keeps to that: it delays the edge by a period. So that both lanes
 * delay the same ones, and a lane that comes back the same as before, all edges that close loops are made behind the others.
 *
 * PipeWire (0.3.65 as well as 1.6.8) searches for the way back with one mark for each client, and does not take a client that it has come to along a
 * delayed edge before. So it may miss the way that an edge closes, delay nothing, and have the loop wait for itself for ever. It cannot miss it while no
 * client on that way, but the first, has a delayed edge into it: hence those that close loops are made in the order of chr_loops_depth() of their ends. */
#ifndef CHR_SUPERVISOR_WIRING_LOOPS_H
#define CHR_SUPERVISOR_WIRING_LOOPS_H

#include "common/board.h"

#include <stdbool.h>
#include <stdint.h>

/* The members of a board, and other programs through which a loop may lead. */
#define CHR_LOOPS_NODES 192u
#define CHR_LOOPS_WORDS (CHR_LOOPS_NODES / 64)

struct chr_members {
	uint64_t word[CHR_LOOPS_WORDS];
};

static inline bool chr_members_has(const struct chr_members *set, unsigned member)
{
	return set->word[member / 64] >> member % 64 & 1;
}

static inline unsigned chr_members_count(const struct chr_members *set)
{
	unsigned count = 0;
	for (unsigned i = 0; i < CHR_LOOPS_WORDS; i++)
		count += (unsigned)__builtin_popcountll(set->word[i]);
	return count;
}

/* Where one gets from each member along the edges added so far. Zeroed: no edges. */
struct chr_loops {
	struct chr_members reach[CHR_LOOPS_NODES];
};

/* Adds an edge between two members. True when it closes a loop with edges added before; then *loop has all members of such loops. Such an edge leads
 * nowhere for those that follow. */
bool chr_loops_add(struct chr_loops *loops, unsigned from, unsigned to, struct chr_members *loop);

/* How many lead to that member along the edges added so far that close nothing: more than to any that leads to it. */
unsigned chr_loops_depth(const struct chr_loops *loops, unsigned member);

/* Adds an edge, whatever it closes; and the members that lie on loops of edges added so. */
void chr_loops_draw(struct chr_loops *loops, unsigned from, unsigned to);
void chr_loops_members(struct chr_loops *loops, struct chr_members *looped);

#endif
