/* Work that may block for long (a disk that is slow to write, a file that is slow to read), on a short-lived thread of its own: the control thread
 * plays people's events meanwhile, and the graph thread repairs.
 */
#ifndef CHR_SUPERVISOR_JOB_H
#define CHR_SUPERVISOR_JOB_H

#include "supervisor/inbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct chr_job {
	pthread_t thread;
	bool begun;
	_Atomic bool over;
	struct chr_inbox *inbox;
	void (*work)(void *arg);
	void *arg;
};

/* Runs `work(arg)` on a thread of ordinary priority; when it is over, a CHR_POST_JOB wakes the control thread. `job` stays where it is until
 * chr_job_over() or chr_job_cancel(). 0 or -errno. Control thread, like all below. */
int chr_job_begin(struct chr_job *job, struct chr_inbox *inbox, void (*work)(void *arg), void *arg);

/* Is it over? Then its thread has ended, and all that it wrote may be read. */
bool chr_job_over(struct chr_job *job);

/* Waits for it, if it was begun. */
void chr_job_cancel(struct chr_job *job);

#endif
