/* What a program leaves behind, and what a process holds: counted, for a comparison of before and after. Main thread. */
#ifndef CHR_TESTS_LIB_LEAKS_H
#define CHR_TESTS_LIB_LEAKS_H

#include <stdint.h>
#include <sys/types.h>

struct chr_holdings {
	unsigned fds, threads, children;
};

/* What a process holds now; all zero when it is gone. */
struct chr_holdings chr_holdings_of(pid_t pid);

/* Of its descriptors, those of memory files whose names hold `part`. */
unsigned chr_memory_files(pid_t pid, const char *part);

/* Children of a process that run at the lowest priority there is (SCHED_IDLE): they keep processors awake. */
unsigned chr_children_idle(pid_t pid);

/* Time on a processor (ns) of all threads of a process and of its children, without those. */
uint64_t chr_family_ns(pid_t pid);

/* SIGKILL for the children of a process, and how many they were. One that makes children meanwhile is to be stopped first. */
unsigned chr_children_kill(pid_t pid);

/* Makes this process the parent of every orphan among its descendants, so that chr_orphans() sees them. */
void chr_adopt_orphans(void);

/* Descendants of this process whose parents have ended: reaps those that have ended too, returns how many there are. Call it while this process
 * has no children of its own. */
unsigned chr_orphans(void);

/* Entries of /dev/shm whose names hold `part`. */
unsigned chr_shm_entries(const char *part);

#endif
