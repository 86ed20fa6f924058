#include "common/hurry.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

int chr_hurry_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	const struct sched_param param = {.sched_priority = CHR_HURRY_PRIORITY};
	int inherits = PTHREAD_INHERIT_SCHED, policy = SCHED_OTHER, rc = EPERM;
	if (attr)
		pthread_attr_getinheritsched(attr, &inherits);
	if (inherits == PTHREAD_EXPLICIT_SCHED && !pthread_attr_getschedpolicy(attr, &policy) && policy == SCHED_OTHER) {
		pthread_attr_t own = *attr;
		if (!pthread_attr_setschedpolicy(&own, SCHED_FIFO) && !pthread_attr_setschedparam(&own, &param))
			rc = pthread_create(thread, &own, run, arg);
	}
	return rc ? pthread_create(thread, attr, run, arg) : 0;
}

unsigned chr_hurry_process(pid_t pid)
{
	const struct sched_param param = {.sched_priority = CHR_HURRY_SERVER_PRIORITY};
	char path[64];
	unsigned count = 0;
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
		if (thread <= 0 || thread == pid || (sched_getscheduler(thread) & ~SCHED_RESET_ON_FORK) != SCHED_OTHER)
			continue;
		count += sched_setscheduler(thread, SCHED_FIFO, &param) == 0;
	}
	if (folder)
		closedir(folder);
	return count;
}
