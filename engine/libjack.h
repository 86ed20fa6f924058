/* What libjack of jackd2 does while a client opens, and need not do.
 *
 * It locks the server's shared memory in the client, some 50 to 110 MB of it, of which a module uses a few pages. They are in memory
 * anyway, because the server uses them; mlock() maps each of them into this process, which takes 4 to 9 ms, and they are unmapped when it
 * dies, at the audio thread's priority, on a processor that the other lane needs. Locked as they are used they stay as well; the first
 * use of each costs about a microsecond, most of them in the cycles before a module has joined. And libjack sleeps for whole milliseconds
 * until threads and sockets are there that need microseconds. This program's definitions of mlock() and usleep() take the place of the C
 * library's. Module code is not to call either.
 */
#ifndef CHR_ENGINE_LIBJACK_H
#define CHR_ENGINE_LIBJACK_H

/* Main thread: a client is about to be opened or activated. The next short sleeps are shorter. */
void chr_libjack_hurry(void);

#endif
