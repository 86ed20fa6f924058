/* The main of a system test: runs its suite once for each JACK server. */
#ifndef CHR_TESTS_LIB_SYSTEM_H
#define CHR_TESTS_LIB_SYSTEM_H

#include "tests/lib/server.h"

#include <check.h>

/* Runs this program again for jackd2 and, through pw-jack, for PipeWire; in those copies it runs the suite `name` that `fill` has filled.
 * CHRONUS_TEST_SERVER=jackd or pipewire runs it for one alone. `jackd_only`: the suite has nothing to say about PipeWire. Returns the exit status. */
int chr_system_main(const char *name, void (*fill)(Suite *suite), int jackd_only);

/* The server this copy tests. */
enum chr_server_kind chr_system_kind(void);

/* Unchecked fixture: the server of this copy, at 256 frames, for all tests of a case. */
void chr_system_server(void);
void chr_system_no_server(void);

/* A test case with that fixture and a time limit of `seconds`. */
TCase *chr_system_case(Suite *suite, const char *name, int seconds);

/* Sanitizers make everything late: what judges by punctuality or interposes the allocator is left out under them. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHR_SYSTEM_SANITIZED 1
#else
#define CHR_SYSTEM_SANITIZED 0
#endif

/* A whole number above 0 from the environment, or `usual`. */
unsigned chr_system_number(const char *name, unsigned usual);

/* Seconds that a measurement should take: the environment's CHRONUS_TEST_SECONDS, or `usual`. */
double chr_system_seconds(double usual);

#endif
