#include "tools/bench_probe.h"

#include <dirent.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

uint64_t chr_bench_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void chr_bench_sleep_ms(unsigned ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	while (nanosleep(&left, &left))
		;
}

double chr_bench_cpu_s(pid_t pid)
{
	clockid_t clock;
	struct timespec spent;
	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &spent))
		return NAN;
	return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
}

/* Sums the lines of /proc/PID/file that begin with `key` (KiB). */
static double sum_of(pid_t pid, const char *file, const char *key)
{
	char path[64], line[256];
	double sum = 0;
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	FILE *f = fopen(path, "r");
	if (!f)
		return NAN;
	while (fgets(line, sizeof line, f))
		if (strncmp(line, key, strlen(key)) == 0)
			sum += strtod(line + strcspn(line, ":") + 1, NULL);
	fclose(f);
	return sum;
}

double chr_bench_private_kib(pid_t pid)
{
	return sum_of(pid, "smaps_rollup", "Private_");
}

double chr_bench_resident_kib(pid_t pid)
{
	return sum_of(pid, "status", "VmRSS:");
}

void chr_bench_hurry(int priority, int core)
{
	const struct sched_param param = {.sched_priority = priority};
	if (core >= 0 && core < sysconf(_SC_NPROCESSORS_ONLN)) {
		cpu_set_t set;
		CPU_ZERO(&set);
		CPU_SET((unsigned)core, &set);
		sched_setaffinity(0, sizeof set, &set);
	}
	sched_setscheduler(0, SCHED_FIFO, &param);
}

void chr_bench_relax(void)
{
	const struct sched_param param = {0};
	cpu_set_t all;
	memset(&all, 0xff, sizeof all);
	sched_setscheduler(0, SCHED_OTHER, &param);
	sched_setaffinity(0, sizeof all, &all);
}

void chr_bench_forked(const int *keep)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int fd = 3; fd < 1024; fd++) {
		bool wanted = false;
		for (const int *k = keep; *k >= 0; k++)
			wanted |= *k == fd;
		if (!wanted)
			close(fd);
	}
}
