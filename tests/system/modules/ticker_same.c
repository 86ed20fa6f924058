/* Another build that plays the same. */
#define FAULT(calls)                                                                                                               \
	do {                                                                                                                       \
		calls ^= 0;                                                                                                        \
	} while (0)
#include "tests/system/modules/ticker.h"
