/* What the files of a swap share: swap.c (wishes, what the new code is, ends), swap_steps.c (from step to step),
 * swap_events.c (what processes, the server and people do meanwhile). */
#ifndef CHR_SUPERVISOR_SWAP_PARTS_H
#define CHR_SUPERVISOR_SWAP_PARTS_H

#include "supervisor/conductor.h"
#include "supervisor/swap.h"

void chr_swap_set_state(struct chr_conductor *conductor, enum chr_swap_state state);

/* The new code is the unit's from now on. */
void chr_swap_commit(struct chr_conductor *conductor);

/* The process that loads it has reported: CHR_REPORT_LOADED or CHR_REPORT_FAILED. */
void chr_swap_take_answer(struct chr_conductor *conductor, unsigned kind);

/* Ends the swap, for better or, with a reason, for worse. */
void chr_swap_end(struct chr_conductor *conductor, const char *why);

/* The new code is known: goes on from there. */
void chr_swap_begin(struct chr_conductor *conductor);

/* Takes the new code out again. `why` NULL: the fault of `swap->fell` will tell. */
void chr_swap_take_back(struct chr_conductor *conductor, const char *why);

/* One look at the step that it is in. */
void chr_swap_step(struct chr_conductor *conductor);

#endif
