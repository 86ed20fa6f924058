/* The patch loader under libFuzzer, which gives every input as a patch file:
 *
 *   clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. tests/fuzz/fuzz_patch.c tests/supervisor/patch_fixture.c \
 *         supervisor/patch*.c common/descriptor.c -lconfig -lm -o build/fuzz_patch && build/fuzz_patch -max_total_time=60 patches
 */
#include "tests/supervisor/patch_fixture.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int code;
	struct chr_patch *patch = fixture_load((const char *)data, size, &code);

	if (!patch == !fixture_problems.count)
		abort();
	chr_patch_destroy(patch);
	fixture_finish();
	return 0;
}
