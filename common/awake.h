/* Idle processors that wake in time. The kernel sends an idle processor to sleep, and the deeper it sleeps the later it wakes: in 1 or 2 us from
 * the first state, in hundreds from the last. In a virtual machine that is the host's to give back, which can take milliseconds. While the device
 * is open, no state is chosen that wakes later than the limit written to it (Linux, admin-guide/pm/cpuidle, "Power Management Quality of Service");
 * at a limit of 0 an idle processor spins. */
#ifndef CHR_COMMON_AWAKE_H
#define CHR_COMMON_AWAKE_H

#include <stdint.h>

#define CHR_AWAKE_DEVICE "/dev/cpu_dma_latency"
#define CHR_AWAKE_STATES "/sys/devices/system/cpu" /* where the states of idle processors stand */

/* The limit (us) that fits this machine: 0 where the idle driver hands processors to a host, else what the first state of sleep takes to wake.
 * Negative: -errno, -ENOENT where the kernel has no states to choose from. `folder` is CHR_AWAKE_STATES. Main thread. */
int chr_awake_fitting_us(const char *folder);

/* Sets the limit (us) for the whole system, for as long as the returned descriptor is open. `device` is CHR_AWAKE_DEVICE. Negative: -errno, -EACCES
 * without the right to it. Main thread. */
int chr_awake_hold(const char *device, int32_t us);

#endif
