/* While chronus starts, libjack may wait without end for a JACK server that hangs (one that was stopped, or whose database of metadata stays
 * locked), and nothing reads signals yet. A thread stands by meanwhile: it says what is waited for, and ends the process when that is asked
 * for by SIGINT or SIGTERM and the start does not come to an end by itself.
 */
#ifndef CHR_SUPERVISOR_PATIENCE_H
#define CHR_SUPERVISOR_PATIENCE_H

#include "supervisor/jackserver.h"

#include <pthread.h>
#include <stdbool.h>

#define CHR_PATIENCE_TELL_MS 3000 /* until it says what is waited for */
#define CHR_PATIENCE_END_MS  1000 /* from the signal to the end of the process */

struct chr_patience {
	struct chr_jack_server *server; /* what was started of it is ended too */
	pthread_t thread;
	int stop_fd, signal_fd;
	bool begun;
};

/* Main thread, which has blocked SIGINT and SIGTERM. What was begun is to be ended before *server is used by others. Without the means for it (descriptors,
 * a thread) the start goes on unwatched. */
void chr_patience_begin(struct chr_patience *patience, struct chr_jack_server *server);

/* Main thread: nothing more is waited for. A signal that came is still pending. */
void chr_patience_end(struct chr_patience *patience);

#endif
