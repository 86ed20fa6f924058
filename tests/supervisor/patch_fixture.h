/* Patches as text for the loader's tests, with module types of the tests' own. */
#ifndef CHR_TESTS_PATCH_FIXTURE_H
#define CHR_TESTS_PATCH_FIXTURE_H

#include "supervisor/patch.h"

#include <stddef.h>

/* The types sine, adsr, biquad and out; `broken` has a reason, any other none. A file has the same types, but for those below
 * /nowhere/. */
const struct chr_descriptor *fixture_type(void *calls, const char *type, const char *file, const char **why);

/* Loads `bytes` of text out of a file, with the JACK server "studio". Problems go to fixture_problems. */
struct chr_patch *fixture_load(const char *text, size_t bytes, int *exit_code);

extern struct chr_patch_problems fixture_problems;

/* The problems as "LINE: text" lines; valid until the next call. */
const char *fixture_report(void);

/* Forgets the problems. */
void fixture_finish(void);

#endif
