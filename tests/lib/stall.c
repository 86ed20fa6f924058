#include "tests/lib/stall.h"

#include "common/clock.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PRIORITY   95
#define NAP_NS     500000
#define PROCESSORS 64

struct chr_stall {
	unsigned late_us;
	_Atomic unsigned count;
	_Atomic int over;
	unsigned threads;
	pthread_t thread[PROCESSORS];
};

static void *look(void *arg)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};
	struct chr_stall *stall = arg;
	while (!atomic_load_explicit(&stall->over, memory_order_relaxed)) {
		uint64_t before = chr_monotonic_us();
		clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
		if (chr_monotonic_us() - before > NAP_NS / 1000 + stall->late_us)
			atomic_fetch_add_explicit(&stall->count, 1, memory_order_relaxed);
	}
	return NULL;
}

static bool start(struct chr_stall *stall, int processor)
{
	const struct sched_param param = {.sched_priority = PRIORITY};
	cpu_set_t one;
	pthread_attr_t attr;
	CPU_ZERO(&one);
	CPU_SET(processor, &one);
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	pthread_attr_setaffinity_np(&attr, sizeof one, &one);
	bool done = !pthread_create(&stall->thread[stall->threads], &attr, look, stall);
	stall->threads += done;
	pthread_attr_destroy(&attr);
	return done;
}

struct chr_stall *chr_stall_create(unsigned late_us)
{
	cpu_set_t allowed;
	struct chr_stall *stall = calloc(1, sizeof *stall);
	if (!stall || sched_getaffinity(0, sizeof allowed, &allowed)) {
		free(stall);
		return NULL;
	}
	stall->late_us = late_us;
	for (int i = 0; i < CPU_SETSIZE && stall->threads < PROCESSORS; i++)
		if (CPU_ISSET(i, &allowed) && !start(stall, i)) {
			chr_stall_destroy(stall);
			return NULL;
		}
	return stall;
}

void chr_stall_destroy(struct chr_stall *stall)
{
	if (!stall)
		return;
	atomic_store_explicit(&stall->over, 1, memory_order_relaxed);
	for (unsigned i = 0; i < stall->threads; i++)
		pthread_join(stall->thread[i], NULL);
	free(stall);
}

unsigned chr_stall_count(const struct chr_stall *stall)
{
	return stall ? atomic_load_explicit(&stall->count, memory_order_relaxed) : 0;
}

double chr_stall_stolen_s(void)
{
	unsigned long long stolen = 0;
	FILE *file = fopen("/proc/stat", "re");
	if (file && fscanf(file, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &stolen) != 1)
		stolen = 0;
	if (file)
		fclose(file);
	return (double)stolen / (double)sysconf(_SC_CLK_TCK);
}
