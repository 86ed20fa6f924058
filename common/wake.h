/* Waking the other side: eventfds and the passing of descriptors over a socket pair. */
#ifndef CHR_COMMON_WAKE_H
#define CHR_COMMON_WAKE_H

/* A new non-blocking, close-on-exec eventfd, or -errno. */
int chr_wake_create(void);

/* Makes `fd` readable. Never blocks; an eventfd that is already readable stays so. Any thread, but not the audio thread (system call). */
void chr_wake(int fd);

/* Takes the wake-up back before looking at what it announced. */
void chr_wake_clear(int fd);

/* Sends one descriptor (the caller keeps its own) with a one-byte tag. 0 or -errno; never blocks. */
int chr_fd_send(int socket, int fd, unsigned char tag);

/* Receives one descriptor (close-on-exec) and its tag. The descriptor, or -EAGAIN when none waits, -EPIPE when the other end is gone, -errno. */
int chr_fd_receive(int socket, unsigned char *tag);

/* Tags. */
#define CHR_FD_TAG_JACK 'J' /* module -> supervisor: its JACK client socket */
#define CHR_FD_TAG_TWIN 'T' /* supervisor -> module: the slot of its twin */
#define CHR_FD_TAG_CODE 'C' /* supervisor -> module: the copy of a module file */

#endif
