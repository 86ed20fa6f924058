/* Says that it plays the same and does not, though its state is the same. */
#define TICK(n) ((float)((int)(n)-32768) / 131072.0f)
#include "tests/system/modules/ticker.h"
