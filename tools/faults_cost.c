/* What two lanes cost. */
#include "tools/faults.h"

#include "common/clock.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define COST_S     10
#define COST_PATCH "patches/voice.cfg"

static uint64_t task_ns(const char *path)
{
	unsigned long long ns = 0;
	FILE *file = fopen(path, "r");
	if (!file || fscanf(file, "%llu", &ns) != 1)
		ns = 0;
	if (file)
		fclose(file);
	return ns;
}

/* Time on a processor (ns) of all threads of a process. */
static uint64_t process_ns(pid_t pid)
{
	char path[300];
	uint64_t sum = 0;
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%.32s/schedstat", (int)pid, entry->d_name);
		sum += task_ns(path);
	}
	if (dir)
		closedir(dir);
	return sum;
}

static pid_t parent_of(pid_t pid)
{
	char path[64];
	int parent = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "r");
	if (!file || fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1)
		parent = 0;
	if (file)
		fclose(file);
	return parent;
}

/* Of chronus and all its processes, spares too. */
static uint64_t family_ns(pid_t supervisor)
{
	uint64_t sum = process_ns(supervisor);
	DIR *dir = opendir("/proc");
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 0 && parent_of(pid) == supervisor)
			sum += process_ns(pid);
	}
	if (dir)
		closedir(dir);
	return sum;
}

int chr_campaign_cost(struct chr_campaign *campaign)
{
	unsigned lanes = campaign->options.lanes;
	int rc = 0;
	for (unsigned i = 1; i <= CHR_LANES && !rc; i++) {
		campaign->options.lanes = i;
		rc = chr_campaign_begin(campaign, COST_PATCH, NULL);
		pid_t pid = campaign->session.child.pid;
		uint64_t begin_us = chr_monotonic_us(), begin = family_ns(pid);
		/* nothing is asked of it meanwhile, but what it plays is taken away */
		if (!rc)
			chr_session_pass(&campaign->session, COST_S * 1000);
		uint64_t spent = family_ns(pid) - begin;
		campaign->cpu[i - 1] = (double)spent / 1000.0 / (double)(chr_monotonic_us() - begin_us);
		chr_campaign_end(campaign);
	}
	campaign->options.lanes = lanes;
	return rc;
}
