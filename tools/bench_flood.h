/* OSC over UDP as fast as it goes, the same way to Chronus and to its peers. One thread. */
#ifndef CHR_TOOLS_BENCH_FLOOD_H
#define CHR_TOOLS_BENCH_FLOOD_H

#include <stddef.h>
#include <stdint.h>

struct chr_packet {
	unsigned char bytes[128];
	size_t count;
};

/* A message of one argument: 'f', 'i', or 0 for none. */
struct chr_packet chr_packet_make(const char *path, char type, double value);

/* A UDP socket that talks to 127.0.0.1:port, or -1. */
int chr_flood_open(unsigned port);

/* Milliseconds from the sending of `question` to whatever comes back; NAN after a second without. */
double chr_flood_ask(int fd, const struct chr_packet *question);

/* Messages per second that are taken: `batch` of them and a question, and the next only after its answer. NAN when no answer comes. */
double chr_flood_rate(int fd, const struct chr_packet *message, const struct chr_packet *question, unsigned batch, double seconds);

/* Sends `count` messages, so many a second; 0: as fast as it goes. Returns how many the kernel took. */
unsigned chr_flood_send(int fd, const struct chr_packet *message, unsigned count, double per_second);

/* An echo of its own process, on a port that is stored in *port; end it with kill() and waitpid(). Its pid, or -1. */
int chr_flood_echo(unsigned *port);

#endif
