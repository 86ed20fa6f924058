/* What libjack of jackd2 does while a client opens, and need not do.
 *
 * It locks the server's shared memory into the client's, some 50 to 110 MB of it, which takes 4 to 9 ms. The server has locked that memory itself; what is left
 * is that the audio thread maps a page, of memory that is there, where it touches one for the first time. And it sleeps for whole milliseconds until
 * threads and sockets are there that need microseconds. This program's definitions of mlock() and usleep() take the place of the C library's. Module code
 * is not to call either.
 */
#ifndef CHR_ENGINE_LIBJACK_H
#define CHR_ENGINE_LIBJACK_H

/* Main thread: a client is about to be opened or activated. The next short sleeps are shorter. */
void chr_libjack_hurry(void);

#endif
