/* Pages of shared memory made present before the audio thread needs them. */
#ifndef CHR_COMMON_TOUCH_H
#define CHR_COMMON_TOUCH_H

#include <stdbool.h>
#include <stddef.h>

/* Makes every page of a range present, content unchanged; for reading, or for writing too. Main thread. */
void chr_touch(const void *from, size_t bytes, bool writing);

#endif
