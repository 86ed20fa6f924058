/* Does the machine stand still? One realtime thread on each processor, above all that is tested, sleeps until a time and looks at how late it
 * wakes. A virtual processor that its host takes away for some milliseconds holds up whoever waits on it, and nobody else: a client of JACK that
 * happens to run on another one sees nothing of it.
 */
#ifndef CHR_TESTS_LIB_STALL_H
#define CHR_TESTS_LIB_STALL_H

struct chr_stall;

/* Begins to look. Counts a stall when a thread wakes `late_us` too late. NULL when there is no memory, or no realtime priority to be had: then nobody can tell. */
struct chr_stall *chr_stall_create(unsigned late_us);
void chr_stall_destroy(struct chr_stall *stall);

/* Stalls so far, of all processors together. NULL: 0. Any thread. */
unsigned chr_stall_count(const struct chr_stall *stall);

/* Processor time that the host of a virtual machine has kept for others while this one had use for it: seconds since the start of the system, of all
 * processors together. 0 where the system does not tell. */
double chr_stall_stolen_s(void);

#endif
