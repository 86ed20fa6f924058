/* CHR_FUZZ_DATAGRAMS says how many; 10^6 under the address sanitizer, else 2 * 10^5. */
#include "tests/lib/suite.h"
#include "tests/supervisor/osc_fuzz.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define DATAGRAMS 1000000
#else
#define DATAGRAMS 200000
#endif

START_TEST(test_hostile_datagrams)
{
	const char *wish = getenv("CHR_FUZZ_DATAGRAMS");
	uint64_t count = wish ? strtoull(wish, NULL, 10) : DATAGRAMS;
	uint64_t effective = osc_fuzz_run(count, 20261121);

	printf("fuzz: %llu datagrams, %llu messages among them set something\n", (unsigned long long)count,
	       (unsigned long long)effective);
	ck_assert_uint_gt(effective, count / 20);
	osc_fuzz_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("osc_fuzz");
	TCase *tcase = tcase_create("osc_fuzz");
	tcase_set_timeout(tcase, 600);
	tcase_add_test(tcase, test_hostile_datagrams);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
