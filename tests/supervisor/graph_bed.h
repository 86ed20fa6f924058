/* The control thread and the graph thread's passes with two lanes, against the fake server, with a clock in the test's hands. */
#ifndef CHR_TESTS_GRAPH_BED_H
#define CHR_TESTS_GRAPH_BED_H

#include "tests/supervisor/jack_double.h"
#include "tests/supervisor/lanes_bed.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define GRAPH_BED_ALL UINT32_MAX

/* In the file of the test, once: what CLOCK_MONOTONIC says is graph_now_us. */
#define GRAPH_BED_CLOCK                                                                                                            \
	int clock_gettime(clockid_t id, struct timespec *at)                                                                       \
	{                                                                                                                          \
		if (id != CLOCK_MONOTONIC)                                                                                         \
			return (int)syscall(SYS_clock_gettime, id, at);                                                            \
		at->tv_sec = (time_t)(graph_now_us / 1000000);                                                                     \
		at->tv_nsec = (long)(graph_now_us % 1000000) * 1000;                                                               \
		return 0;                                                                                                          \
	}

extern uint64_t graph_now_us;
extern struct lanes_bed *graph_bed;
extern struct chr_conductor *graph_conductor;

/* A fixture: all play and are wired, the other program "recorder" (in, in_2, out) is there, nothing is under way. */
void graph_setup(void);
void graph_teardown(void);

/* So much time passes, with a pass of either thread every millisecond. */
void graph_pass_ms(unsigned ms);

/* The client's ports, as its unit has them. */
void graph_open(unsigned unit, const char *client);
/* The instance dies: that is seen here `seen_us` after it began, and JACK tells of it after `told_us`. */
void graph_die(unsigned unit, unsigned lane, unsigned seen_us, unsigned told_us);
/* Those that are starting are active now, and the lane that follows joins. */
void graph_revive(void);

/* Is the edge desired, as people name it? */
bool graph_desired(const char *from, const char *to);

#endif
