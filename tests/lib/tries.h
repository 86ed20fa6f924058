/* Tries at what a machine that stalls may spoil: one that goes right proves it, and only those that no stall spoiled can prove the contrary. */
#ifndef CHR_TESTS_LIB_TRIES_H
#define CHR_TESTS_LIB_TRIES_H

#include "tests/lib/recorder.h"

struct chr_tries {
	const char *what;       /* is tried: for the output */
	unsigned fair_max;      /* tries that may go wrong without a stall, 1 or more: some stalls are seen by nobody */
	unsigned fair, spoiled; /* tries that went wrong so far: 0 to begin with */
};

/* Counts a try that went wrong, fair when `watch` saw no stall in its last recording. May there be another? False when all the fair ones have gone wrong;
 * and when the machine has spoiled so many that it lets nothing be judged, which is told in the output. */
bool chr_tries_again(struct chr_tries *tries, const struct chr_recorder *watch);

/* After the last one: were all the fair ones wrong? Then what was tried does not work. */
bool chr_tries_refute(const struct chr_tries *tries);

#endif
