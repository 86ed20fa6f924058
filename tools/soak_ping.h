/* How long chronus takes to answer: a ping every 10 ms over OSC, and beside it a witness, the same with a process that only echoes: what the
 * machine itself costs. A thread within asks; the functions are the main thread's.
 */
#ifndef CHR_TOOLS_SOAK_PING_H
#define CHR_TOOLS_SOAK_PING_H

struct chr_soak_ping;

struct chr_soak_ping_window {
	double p50_ms, p99_ms, witness_p99_ms; /* of the round trips since the window before; NAN of none */
	unsigned count, lost;                  /* lost: no answer within 1 s */
};

/* Begins to ping the loopback interface's UDP port `port`. NULL when it cannot. */
struct chr_soak_ping *chr_soak_ping_start(unsigned port);

/* Ends a window. */
struct chr_soak_ping_window chr_soak_ping_take(struct chr_soak_ping *ping);

void chr_soak_ping_stop(struct chr_soak_ping *ping);

#endif
