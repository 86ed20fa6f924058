/* Comes back from no more than 20 calls. */
static volatile int forever = 1;
#define FAULT(calls)                                                                                                               \
	do {                                                                                                                       \
		while (calls == 20 && forever)                                                                                     \
			;                                                                                                          \
	} while (0)
#include "tests/system/modules/ticker.h"
