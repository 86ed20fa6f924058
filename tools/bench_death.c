/* What the kernel needs to tell of a death: the time from a SIGKILL until a thread wakes that waits for the victim's robust mutex, with nothing of
 * Chronus in either process. */
#include "tools/bench_wake.h"

#include "tools/bench_probe.h"
#include "tools/bench_stat.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEATHS   20u
#define PRIORITY 90 /* as the supervisor's guards */
#define REST_MS  50 /* before each: a guard, too, has slept for long */

struct watched {
	pthread_mutex_t alive;
	uint64_t seen_ns; /* 0: the victim's end was not told */
};

static void *guard(void *arg)
{
	struct watched *watched = arg;
	chr_bench_hurry(PRIORITY, -1);
	if (pthread_mutex_lock(&watched->alive) == EOWNERDEAD)
		watched->seen_ns = chr_bench_now_ns();
	return NULL;
}

/* A process that holds the mutex. Its pid, or -1. */
static pid_t victim(struct watched *watched)
{
	int ready[2];
	char byte = 0;
	if (pipe(ready))
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		chr_bench_forked((const int[]){ready[1], -1});
		pthread_mutex_lock(&watched->alive);
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(0);
	}
	close(ready[1]);
	bool told = pid > 0 && read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	return told ? pid : -1;
}

/* us; NAN when it could not be measured. */
static double death(struct watched *watched)
{
	pthread_mutexattr_t attr;
	pthread_t thread;
	watched->seen_ns = 0;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&watched->alive, &attr);
	pthread_mutexattr_destroy(&attr);
	pid_t pid = victim(watched);
	if (pid < 0)
		return NAN;
	bool guarded = pthread_create(&thread, NULL, guard, watched) == 0;
	chr_bench_sleep_ms(REST_MS);
	uint64_t begin = chr_bench_now_ns();
	kill(pid, SIGKILL);
	if (guarded)
		pthread_join(thread, NULL);
	waitpid(pid, NULL, 0);
	return watched->seen_ns ? (double)(watched->seen_ns - begin) / 1e3 : NAN;
}

double chr_bench_death_floor_ms(void)
{
	double us[DEATHS];
	struct watched *watched = mmap(NULL, sizeof *watched, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (watched == MAP_FAILED)
		return NAN;
	for (unsigned i = 0; i < DEATHS; i++)
		us[i] = death(watched);
	munmap(watched, sizeof *watched);
	return chr_stat_median(us, DEATHS) / 1e3;
}
