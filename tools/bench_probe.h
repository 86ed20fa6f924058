/* What a process costs, seen from outside, and the bench's own place on the processors. One thread. */
#ifndef CHR_TOOLS_BENCH_PROBE_H
#define CHR_TOOLS_BENCH_PROBE_H

#include <stdint.h>
#include <sys/types.h>

/* CLOCK_MONOTONIC, ns. */
uint64_t chr_bench_now_ns(void);

void chr_bench_sleep_ms(unsigned ms);

/* Processor time (s) that all threads of a process have had, those that ended included; NAN when it is gone. */
double chr_bench_cpu_s(pid_t pid);

/* Memory (KiB) that is the process's alone. NAN when it is gone. */
double chr_bench_private_kib(pid_t pid);

/* Resident memory (KiB). NAN when it is gone. */
double chr_bench_resident_kib(pid_t pid);

/* SCHED_FIFO with this priority on this core (negative: any), for the calling thread; as far as the machine allows. Back to ordinary. */
void chr_bench_hurry(int priority, int core);
void chr_bench_relax(void);

/* For a child after fork(): it ends with its parent and keeps no descriptor but the three standard ones and `keep` (ending with -1). */
void chr_bench_forked(const int *keep);

#endif
