#include "tests/system/modules/ticker.h"
