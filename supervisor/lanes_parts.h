/* What the files of the lanes share: lanes.c (leader and joins), lanes_audit.c (do they still agree), lanes_out.c (what the outs are told),
 * lanes_rescue.c (when neither is whole), lanes_loops.c (when they differ again and again). */
#ifndef CHR_SUPERVISOR_LANES_PARTS_H
#define CHR_SUPERVISOR_LANES_PARTS_H

#include "supervisor/lanes.h"

bool chr_lanes_two(const struct chr_conductor *conductor);

/* Asks the unit's instance in `lane` to join its twin in the first cycle that begins at `frame` or later; flags: CHR_EVENT_LOOPS or 0. */
void chr_lanes_ask(struct chr_unit *unit, unsigned lane, uint32_t frame, uint32_t flags);

/* The instance, in the lane that leads, plays from now on. */
void chr_lanes_lead(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance);

/* lanes_rescue.c: a member of `lost` died. True when the other lane, which was not whole, goes on as it is, and leads. */
bool chr_lanes_take_over(struct chr_conductor *conductor, unsigned lost);
/* A new instance in the lane that leads runs. True when it joins its twin before it plays. */
bool chr_lanes_inherit(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance);
/* The instance noted that it joined. True when it was one of those. */
bool chr_lanes_inherited(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance, uint32_t frame);
/* Those to whom it does not come begin anew. */
void chr_lanes_rescue_tick(struct chr_conductor *conductor, uint64_t now);

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
