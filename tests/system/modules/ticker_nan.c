/* Gives out what is not a number after a while. */
#include <math.h>
#define FAULT(calls)                                                                                                               \
	do {                                                                                                                       \
		if (calls == 20)                                                                                                   \
			io->out[0][0] = NAN;                                                                                       \
	} while (0)
#include "tests/system/modules/ticker.h"
