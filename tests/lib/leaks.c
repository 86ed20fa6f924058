#include "tests/lib/leaks.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
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

static unsigned children_of_thread(const char *task, const char *thread)
{
	char path[512], word[32];
	unsigned count = 0;
	snprintf(path, sizeof path, "%s/%s/children", task, thread);
	FILE *f = fopen(path, "r");
	while (f && fscanf(f, "%31s", word) == 1)
		count++;
	if (f)
		fclose(f);
	return count;
}

/* A child belongs to the thread that made it. */
static unsigned count_children(pid_t pid)
{
	char task[64];
	unsigned count = 0;
	snprintf(task, sizeof task, "/proc/%d/task", (int)pid);
	DIR *dir = opendir(task);
	if (!dir)
		return 0;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			count += children_of_thread(task, entry->d_name);
	closedir(dir);
	return count;
}

struct chr_holdings chr_holdings_of(pid_t pid)
{
	char fds[64], threads[64];
	snprintf(fds, sizeof fds, "/proc/%d/fd", (int)pid);
	snprintf(threads, sizeof threads, "/proc/%d/task", (int)pid);
	return (struct chr_holdings){
		.fds = count_entries(fds, ""), .threads = count_entries(threads, ""), .children = count_children(pid)};
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
