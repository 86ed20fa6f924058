/* OSC: every input is a datagram. */
#include "tests/fuzz/fuzz.h"
#include "tests/supervisor/osc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (bytes <= 65507)
		osc_fuzz_one(data, bytes);
	return 0;
}
