/* A log line that may come again and again, for days: the first is told at once, of those that follow only how many they were. */
#ifndef CHR_SUPERVISOR_REPEAT_H
#define CHR_SUPERVISOR_REPEAT_H

#include <stdint.h>

#define CHR_REPEAT_US 60000000u /* between two lines of one kind */

/* Zeroed at the start. */
struct chr_repeat {
	uint64_t told_us; /* 0: never */
	unsigned untold;
};

/* How often it has happened since it was told last, this time included, when it is to be told now; 0 when it is not. `now_us` is not 0. */
unsigned chr_repeat_tell(struct chr_repeat *repeat, uint64_t now_us);

/* " (N times since it was told last)" for more than once, else "". Valid until the next call; control thread. */
const char *chr_repeat_times(unsigned count);

#endif
