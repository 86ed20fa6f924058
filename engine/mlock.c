/* mlock() for libjack, which locks the server's graph in memory whole: some 50 MB, of which a module uses a few pages.
 *
 * They are in memory anyway, because the server locks them. What mlock() adds is the work of mapping each of them into this process when
 * its client opens, and of unmapping it when it dies: 9 and 6 ms on the machine where it was measured, the latter at the audio thread's
 * priority, on a processor that the other lane needs. Locked as they are used, they stay as well; the first use of each costs about a
 * microsecond, most of them in the cycles before a module has joined.
 */
#include <sys/mman.h>

#define LARGE_BYTES 1048576u /* what is smaller is mapped at once, as asked */

/* Found by libjack before the C library's. */
int mlock(const void *from, size_t bytes)
{
	return mlock2(from, bytes, bytes >= LARGE_BYTES ? MLOCK_ONFAULT : 0);
}
