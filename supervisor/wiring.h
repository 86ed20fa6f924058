/* From logical edges to JACK's: which ports are to be connected, in which order, and whom `out` has to wait for.
 *
 * A logical edge joins ports of units ("osc1:out" -> "env1:in") or a unit's port and a foreign one. It becomes one JACK edge per lane. A
 * module that feeds `out` gets the edge out:clock -> module:clock first, so that its edge to `out` closes a loop: JACK then delivers
 * the previous cycle's buffer to `out`, which so never waits for a module.
 *
 * Pure functions of the rack and the list; control thread.
 */
#ifndef CHR_SUPERVISOR_WIRING_H
#define CHR_SUPERVISOR_WIRING_H

#include "supervisor/edges.h"
#include "supervisor/patch.h"
#include "supervisor/rack.h"

#include <stdbool.h>

/* The end of an edge as a person may read it. */
const char *chr_wiring_name(const char *end);

#define CHR_WIRING_ORDERED 3u /* edges to one input, from which on their order can be heard: in the last bit */

/* The logical edges of the patch's file, with out's to the hardware's playback ports unless the file connects out:play_* itself. 0 or -ENOMEM. */
int chr_wiring_logical(const struct chr_patch *patch, struct chr_edges *logical);

/* JACK's edges for the logical ones, in the order in which they are to be made: those that close loops last (wiring_loops.h). Which one closes a loop
 * the order of the logical ones tells: the one drawn last; but a loop through another program, which only one of the lanes feeds, is closed by the edge to
 * that program, so that both lanes hear it alike. A module's edge to a foreign port is made from its instance in lane
 * `heard`; those of `out` from its standby too. An instance that parts has none. The edges of an instance whose client is not active are held: an edge refused because one end is not active yet would leave the
 * others to be made in a wrong order, and JACK would take another edge for the one that closes the loop. 0 or -ENOMEM. */
int chr_wiring_expand(const struct chr_rack *rack, const struct chr_edges *logical, unsigned heard, struct chr_edges *jack);

/* Which of the logical edges close loops, because of their order: closes[i] for edge i. Not those to out, which do in any order. 0 or -ENOMEM. */
int chr_wiring_closing(const struct chr_rack *rack, const struct chr_edges *logical, bool *closes);

/* The logical edge that a JACK edge belongs to, whichever lane a person drew it in. False when neither end is ours. */
bool chr_wiring_reduce(const struct chr_rack *rack, const struct chr_edge *jack, struct chr_edge *logical);

/* Members that lie on a loop of edges among modules: looped[i] for unit i. Edges of out are not among them. */
void chr_wiring_looped(const struct chr_rack *rack, const struct chr_edges *logical, bool looped[CHR_BOARD_MEMBERS]);

/* Members to whose inputs the order of making edges matters: those that lie on such a loop, and those with CHR_WIRING_ORDERED edges to one input. */
void chr_wiring_delicate(const struct chr_rack *rack, const struct chr_edges *logical, bool delicate[CHR_BOARD_MEMBERS]);

/* Members that lead to `out` through logical edges: need[i] for unit i. */
void chr_wiring_upstream(const struct chr_rack *rack, const struct chr_edges *logical, bool need[CHR_BOARD_MEMBERS]);

#endif
