/* Anonymous shared memory: what slots and boards are made of.
 *
 * A segment never has a name, so nothing remains of it however its users end. Its size is sealed: a process that holds the
 * descriptor cannot shrink it, and so cannot make another that reads it die of SIGBUS.
 */
#ifndef CHR_COMMON_SEGMENT_H
#define CHR_COMMON_SEGMENT_H

#include <stddef.h>

/* Creates a zeroed segment; `label` shows in /proc/PID/maps. Returns it mapped read-write and stores its descriptor
 * (close-on-exec), or NULL with errno. Pages cost memory only once they are written. */
void *chr_segment_create(const char *label, size_t bytes, int *fd);

/* Maps a segment of exactly `bytes`; `writable` or read-only. NULL with errno (EPROTO: another size). */
void *chr_segment_map(int fd, size_t bytes, int writable);

/* Release with the size it was mapped with. NULL is ignored. */
void chr_segment_unmap(void *segment, size_t bytes);

#endif
