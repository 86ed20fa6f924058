/* A target for libFuzzer, and a program that throws datagrams of its own making:
 *
 *   make tests SAN=address,undefined
 *   clang -fsanitize=fuzzer,address -DCHR_LIBFUZZER -std=c17 -D_GNU_SOURCE -I. tests/fuzz/fuzz_osc.c tests/supervisor/osc_fuzz.c \
 *     tests/supervisor/osc_bed.c tests/supervisor/fake_rack.c supervisor/{osc,osc_*,feed,schedule,rack}.c common/{ring,descriptor,log}.c \
 *     -llo -lm
 *
 * Without CHR_LIBFUZZER: fuzz_osc [DATAGRAMS [SEED]].
 */
#include "tests/supervisor/osc_fuzz.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (bytes <= 65507)
		osc_fuzz_one(data, bytes);
	return 0;
}

#ifndef CHR_LIBFUZZER
int main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	uint32_t seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;

	printf("%llu messages set something\n", (unsigned long long)osc_fuzz_run(count, seed));
	osc_fuzz_end();
	return 0;
}
#endif
