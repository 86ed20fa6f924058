/* What the files of the lanes share: lanes.c (leader and joins), lanes_audit.c (do they still agree), lanes_out.c (what the outs are told),
 * lanes_loops.c (when they differ again and again). */
#ifndef CHR_SUPERVISOR_LANES_PARTS_H
#define CHR_SUPERVISOR_LANES_PARTS_H

#include "supervisor/lanes.h"

/* Does the unit take part in the lanes? */
bool chr_lanes_counts(const struct chr_unit *unit);

bool chr_lanes_two(const struct chr_conductor *conductor);

/* lanes_audit.c */
void chr_lanes_judge_skips(struct chr_conductor *conductor, uint64_t now);
void chr_lanes_audit_tick(struct chr_conductor *conductor);
void chr_lanes_take_sum(struct chr_conductor *conductor, struct chr_instance *instance, const struct chr_event *note);

/* lanes_loops.c: which lane is healed when an audit finds a difference; one was found, and that lane is broken; none was found. */
unsigned chr_lanes_worse(const struct chr_conductor *conductor);
void chr_lanes_differ(struct chr_conductor *conductor, unsigned lane);
void chr_lanes_agree(struct chr_conductor *conductor);
/* Do they differ though all was done? Then it was told. */
bool chr_lanes_unlike(const struct chr_conductor *conductor);

/* lanes_out.c: writes the pickers. */
void chr_lanes_tell_outs(struct chr_conductor *conductor);

#endif
