#include "tests/lib/leaks.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned count_entries(const char *folder, const char *part)
{
	unsigned count = 0;
	DIR *dir = opendir(folder);
	if (!dir)
		return 0;
	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.' && strstr(entry->d_name, part);
	closedir(dir);
	return count;
}

/* The sum of a figure over the threads of a process. */
static uint64_t sum_threads(pid_t pid, uint64_t (*figure)(const char *folder))
{
	char path[300];
	uint64_t sum = 0;
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%.32s", (int)pid, entry->d_name);
		sum += figure(path);
	}
	if (dir)
		closedir(dir);
	return sum;
}

/* A child belongs to the thread that made it. */
static uint64_t sum_children(const char *folder, uint64_t (*figure)(pid_t child))
{
	char path[330];
	uint64_t sum = 0;
	snprintf(path, sizeof path, "%s/children", folder);
	FILE *f = fopen(path, "r");
	for (int child; f && fscanf(f, "%d", &child) == 1;)
		sum += figure(child);
	if (f)
		fclose(f);
	return sum;
}

static uint64_t one(pid_t child)
{
	(void)child;
	return 1;
}

static uint64_t process_ns(pid_t pid)
{
	clockid_t clock;
	struct timespec spent;
	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &spent))
		return 0;
	return (uint64_t)spent.tv_sec * 1000000000u + (uint64_t)spent.tv_nsec;
}

static uint64_t is_idle(pid_t pid)
{
	return sched_getscheduler(pid) == SCHED_IDLE;
}

static uint64_t worked_ns(pid_t pid)
{
	return is_idle(pid) ? 0 : process_ns(pid);
}

static uint64_t thread_children(const char *folder)
{
	return sum_children(folder, one);
}

static uint64_t thread_children_idle(const char *folder)
{
	return sum_children(folder, is_idle);
}

static uint64_t thread_children_ns(const char *folder)
{
	return sum_children(folder, worked_ns);
}

static uint64_t kill_one(pid_t child)
{
	return kill(child, SIGKILL) == 0;
}

static uint64_t thread_children_kill(const char *folder)
{
	return sum_children(folder, kill_one);
}

static unsigned count_children(pid_t pid)
{
	return (unsigned)sum_threads(pid, thread_children);
}

unsigned chr_children_kill(pid_t pid)
{
	return (unsigned)sum_threads(pid, thread_children_kill);
}

unsigned chr_children_idle(pid_t pid)
{
	return (unsigned)sum_threads(pid, thread_children_idle);
}

uint64_t chr_family_ns(pid_t pid)
{
	return process_ns(pid) + sum_threads(pid, thread_children_ns);
}

struct chr_holdings chr_holdings_of(pid_t pid)
{
	char fds[64], threads[64];
	snprintf(fds, sizeof fds, "/proc/%d/fd", (int)pid);
	snprintf(threads, sizeof threads, "/proc/%d/task", (int)pid);
	return (struct chr_holdings){
		.fds = count_entries(fds, ""), .threads = count_entries(threads, ""), .children = count_children(pid)};
}

unsigned chr_memory_files(pid_t pid, const char *part)
{
	char folder[64], to[256];
	unsigned count = 0;
	snprintf(folder, sizeof folder, "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(folder);
	if (!dir)
		return 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		ssize_t length = readlinkat(dirfd(dir), entry->d_name, to, sizeof to - 1);
		to[length > 0 ? length : 0] = 0;
		count += strncmp(to, "/memfd:", 7) == 0 && strstr(to, part);
	}
	closedir(dir);
	return count;
}

void chr_adopt_orphans(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

unsigned chr_orphans(void)
{
	unsigned count = 0;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		count++;
	return count + count_children(getpid());
}

unsigned chr_shm_entries(const char *part)
{
	return count_entries("/dev/shm", part);
}
