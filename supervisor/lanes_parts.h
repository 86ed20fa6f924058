/* What the files of the lanes share: lanes.c (leader and joins), lanes_audit.c (do they still agree), lanes_out.c (what the outs are told). */
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

/* lanes_out.c: writes the pickers. */
void chr_lanes_tell_outs(struct chr_conductor *conductor);

#endif
