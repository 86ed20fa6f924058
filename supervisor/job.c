#include "supervisor/job.h"

static void *run(void *self)
{
	struct chr_job *job = self;
	struct chr_inbox *inbox = job->inbox;
	job->work(job->arg);
	/* release: what the work wrote; the job itself may be gone after this */
	atomic_store_explicit(&job->over, true, memory_order_release);
	chr_inbox_put(inbox, &(struct chr_post){.kind = CHR_POST_JOB});
	return NULL;
}

int chr_job_begin(struct chr_job *job, struct chr_inbox *inbox, void (*work)(void *arg), void *arg)
{
	pthread_attr_t attr;
	*job = (struct chr_job){.inbox = inbox, .work = work, .arg = arg};
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	int rc = pthread_create(&job->thread, &attr, run, job);
	pthread_attr_destroy(&attr);
	job->begun = rc == 0;
	return -rc;
}

bool chr_job_over(struct chr_job *job)
{
	if (!job->begun)
		return true;
	if (!atomic_load_explicit(&job->over, memory_order_acquire))
		return false;
	chr_job_cancel(job);
	return true;
}

void chr_job_cancel(struct chr_job *job)
{
	if (!job->begun)
		return;
	pthread_join(job->thread, NULL);
	job->begun = false;
}
