/* A state that does not fit, a parameter before the others, and another port. */
#define SOUND_VERSION 3
#define STATE_VERSION 2
#define OUT_NAME      "tick"
#define FIRST_PARAMS  {"first", "", 0.0f, 1.0f, 0.75f, CHR_LINEAR, 0.0f, NULL, "of no effect"},
#include "tests/system/modules/ticker.h"
