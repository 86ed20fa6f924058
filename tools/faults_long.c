/* The long measurements: a soak under faults, and what two lanes cost. */
#include "tools/faults.h"

#include "common/clock.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOAK_EVERY_US 2000000u
#define SOAK_WARM     10 /* faults until the first look at memory and descriptors: pools and buffers have filled by then */
#define COST_S        10
#define COST_PATCH    "patches/voice.cfg"

static double rss_kib(pid_t pid)
{
	char path[64];
	long pages = 0;
	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	FILE *file = fopen(path, "r");
	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static unsigned fds(pid_t pid)
{
	char path[64];
	unsigned count = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

static void look(struct chr_campaign *campaign)
{
	pid_t pid = campaign->session.child.pid;
	double rss = rss_kib(pid);
	unsigned count = fds(pid);
	if (campaign->shots < SOAK_WARM || campaign->fds_begin == 0) {
		campaign->rss_begin_kib = campaign->rss_most_kib = rss;
		campaign->fds_begin = campaign->fds_most = count;
	}
	campaign->rss_end_kib = rss;
	campaign->fds_end = count;
	campaign->rss_most_kib = rss > campaign->rss_most_kib ? rss : campaign->rss_most_kib;
	campaign->fds_most = count > campaign->fds_most ? count : campaign->fds_most;
}

static const struct chr_kind *draw_single(struct chr_campaign *campaign)
{
	for (;;) {
		const struct chr_kind *kind = &chr_kind[chr_campaign_draw(campaign, chr_kind_count)];
		if (kind->flags & CHR_KIND_SINGLE)
			return kind;
	}
}

int chr_campaign_soak(struct chr_campaign *campaign)
{
	uint64_t end = chr_monotonic_us() + (uint64_t)(campaign->options.soak_minutes * 60e6);
	int rc = chr_campaign_begin(campaign, campaign->options.patch, NULL);
	while (!rc && chr_monotonic_us() < end) {
		uint64_t next = chr_monotonic_us() + SOAK_EVERY_US;
		rc = chr_campaign_shoot(campaign, draw_single(campaign));
		while (!rc && chr_monotonic_us() < next)
			chr_session_pump(&campaign->session, 2);
		look(campaign);
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r%u faults, %.0f s to go, RSS %.0f KiB, %u descriptors\033[K", campaign->shots,
				end > next ? (double)(end - next) / 1e6 : 0.0, campaign->rss_end_kib, campaign->fds_end);
	}
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	chr_campaign_end(campaign);
	return rc;
}

/* ---- the cost ---- */

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
