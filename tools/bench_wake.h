/* Round trips between two processes: what a bare eventfd takes, the floor of everything that wakes somebody. Main thread. */
#ifndef CHR_TOOLS_BENCH_WAKE_H
#define CHR_TOOLS_BENCH_WAKE_H

#include <stdbool.h>
#include <stddef.h>

/* Half round trips (us), `count` of each into `bare` and `ours`, in turns. Bare: a blocking eventfd each way. Ours: a ring and an eventfd,
 * as the supervisor and a module's main thread use them; NULL: not wanted. 0 or -1. */
int chr_bench_round_trips(double *bare, double *ours, size_t count);

/* The floor of the other stages: median half round trip of a bare eventfd (ms), measured anew. NAN when it cannot be. */
double chr_bench_wake_floor_ms(void);

/* The median time (ms) from a SIGKILL until a thread that waits for the victim's robust mutex wakes, between bare processes. NAN when it could not be
 * measured. */
double chr_bench_death_floor_ms(void);

#endif
