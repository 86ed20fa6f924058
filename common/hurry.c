#include "common/hurry.h"

#include <dirent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* The last processor that this thread may use. False if there is no telling. */
static bool common_processor(cpu_set_t *set)
{
	cpu_set_t mine;
	int last = CPU_SETSIZE - 1;
	if (sched_getaffinity(0, sizeof mine, &mine))
		return false;
	while (last >= 0 && !CPU_ISSET(last, &mine))
		last--;
	CPU_ZERO(set);
	if (last >= 0)
		CPU_SET(last, set);
	return last >= 0;
}

/* True if the thread is there and hurries. */
static bool create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	const struct sched_param param = {.sched_priority = CHR_HURRY_PRIORITY};
	int inherits = PTHREAD_INHERIT_SCHED, policy = SCHED_OTHER;
	if (!attr || pthread_attr_getinheritsched(attr, &inherits) || inherits != PTHREAD_EXPLICIT_SCHED)
		return false;
	if (pthread_attr_getschedpolicy(attr, &policy) || policy != SCHED_OTHER)
		return false;
	pthread_attr_t own = *attr;
	return !pthread_attr_setschedpolicy(&own, SCHED_FIFO) && !pthread_attr_setschedparam(&own, &param) &&
	       !pthread_create(thread, &own, run, arg);
}

int chr_hurry_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	return create(thread, attr, run, arg) ? 0 : pthread_create(thread, attr, run, arg);
}

struct listener {
	void *(*run)(void *);
	void *arg;
};

/* The thread goes there itself: from outside it may be gone before it is sent. */
static void *listen(void *arg)
{
	struct listener listener = *(struct listener *)arg;
	cpu_set_t set;
	free(arg);
	if (common_processor(&set))
		sched_setaffinity(0, sizeof set, &set);
	return listener.run(listener.arg);
}

int chr_hurry_create_listener(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	struct listener *listener = malloc(sizeof *listener);
	if (listener)
		*listener = (struct listener){run, arg};
	if (listener && create(thread, attr, listen, listener))
		return 0;
	free(listener);
	return pthread_create(thread, attr, run, arg);
}

unsigned chr_hurry_process(pid_t pid)
{
	const struct sched_param param = {.sched_priority = CHR_HURRY_SERVER_PRIORITY};
	char path[64];
	unsigned count = 0;
	cpu_set_t set;
	bool together = common_processor(&set);
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
		if (thread <= 0 || thread == pid || (sched_getscheduler(thread) & ~SCHED_RESET_ON_FORK) != SCHED_OTHER)
			continue;
		if (sched_setscheduler(thread, SCHED_FIFO, &param))
			continue;
		count++;
		if (together)
			sched_setaffinity(thread, sizeof set, &set);
	}
	if (folder)
		closedir(folder);
	return count;
}
