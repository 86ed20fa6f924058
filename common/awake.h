/* Idle processors that wake in time. The kernel sends an idle processor to sleep, and the deeper it sleeps the later it wakes: in 1 or 2 us from
 * the first state, in hundreds from the last. While /dev/cpu_dma_latency is open, no state is chosen that wakes later than the limit written to it
 * (Linux, admin-guide/pm/cpuidle, "Power Management Quality of Service"); at a limit of 0 an idle processor spins.
 *
 * A virtual machine's idle processor goes back to the host, which can return it milliseconds later. There it must not sleep at all. Where the machine's
 * kernel has no states of sleep to choose from, and so no limit to keep to, a process spins on every processor at the lowest priority there is
 * (SCHED_IDLE): whatever else is to run runs at once, and the host sees no idle processor.
 *
 * Main thread.
 */
#ifndef CHR_COMMON_AWAKE_H
#define CHR_COMMON_AWAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CHR_AWAKE_FITTING (-1) /* the limit that fits the machine */

/* Where a machine tells about itself. */
struct chr_awake_machine {
	const char *states;  /* folder of its processors and their states of sleep */
	const char *cpuinfo; /* file with the flags of its processors */
	const char *groups;  /* folder of control groups, */
	const char *group;   /* and the file that tells which ones this process is in */
	const char *device;  /* takes the limit */
};
extern const struct chr_awake_machine chr_awake_machine; /* this one */

/* How processors are to be kept awake. */
struct chr_awake_way {
	int us; /* the limit. Negative: -errno: no way; -ENOENT where the kernel has no states to choose from, and need not have any */
	bool spin; /* by a process of ours */
};

/* `us`: a limit that a person wants, or CHR_AWAKE_FITTING: 0 in a virtual machine, else what the first state of sleep takes to wake. */
struct chr_awake_way chr_awake_choose(const struct chr_awake_machine *machine, int us);

/* Asked once a second when this process has ended, in each process that keeps them awake: is that still needed? It may look at what is mapped. */
typedef bool (*chr_awake_needed)(void *self);

/* What keeps them awake: processes, named chronus-awake. */
struct chr_awake {
	pid_t *keeper; /* heap */
	unsigned keepers;
	bool spins;
};

/* Begins it. The limit (us), or -errno: that of chr_awake_choose(), -EACCES without the right to the device. It goes on when this process ends, until
 * `needed` says no; NULL: it ends with it. It forks: call it while little memory is in use, and end it before an exec, which children outlive. */
int chr_awake_begin(struct chr_awake *awake, const struct chr_awake_machine *machine, int us, chr_awake_needed needed, void *self);
/* Ends it. A zeroed one: nothing. */
void chr_awake_end(struct chr_awake *awake);

#endif
