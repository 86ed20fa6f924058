/* Dies after a while. */
#include <signal.h>
#define FAULT(calls)                                                                                                               \
	do {                                                                                                                       \
		if (calls == 20)                                                                                                   \
			raise(SIGSEGV);                                                                                            \
	} while (0)
#include "tests/system/modules/ticker.h"
