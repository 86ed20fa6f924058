/* The end of a test program's main. */
#ifndef CHR_TESTS_LIB_SUITE_H
#define CHR_TESTS_LIB_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Runs the suite, which goes with that, as loud as the environment's CK_VERBOSITY wants it. Returns the program's exit status. */
static inline int chr_suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
