/* The patch loader: every input is a patch file. */
#include "tests/fuzz/fuzz.h"
#include "tests/supervisor/patch_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	int code;
	struct chr_patch *patch = fixture_load((const char *)data, bytes, &code);

	fuzz_demand(!patch == (fixture_problems.count > 0));
	chr_patch_destroy(patch);
	fixture_finish();
	return 0;
}
