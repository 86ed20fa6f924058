/* Another sound, on purpose: counts downwards, from the same state. It has one parameter more. */
#define SOUND_VERSION 2
#define TICK(n)       ((float)(32768 - (int)(n)) / 65536.0f)
#define MORE_PARAMS   {"more", "", 0.0f, 1.0f, 0.5f, CHR_LINEAR, 0.0f, NULL, "of no effect"},
#include "tests/system/modules/ticker.h"
