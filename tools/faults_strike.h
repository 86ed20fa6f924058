/* How the more laborious kinds of faults are struck, for the table of kinds. */
#ifndef CHR_TOOLS_FAULTS_STRIKE_H
#define CHR_TOOLS_FAULTS_STRIKE_H

#include "tools/faults.h"

/* Draws a victim: a process of `out` or one of any other module. */
void chr_strike_choose(struct chr_campaign *campaign, struct chr_shot *shot, bool out);

/* Sends a signal; the first one of a shot is its moment. */
int chr_strike_signal(struct chr_shot *shot, pid_t pid, int sig);

/* As struct chr_kind's `strike`. */
int chr_strike_full_ring(struct chr_campaign *campaign, struct chr_shot *shot);
int chr_strike_flood(struct chr_campaign *campaign, struct chr_shot *shot);
int chr_strike_fds(struct chr_campaign *campaign, struct chr_shot *shot);
int chr_strike_stress(struct chr_campaign *campaign, struct chr_shot *shot);
int chr_strike_log(struct chr_campaign *campaign, struct chr_shot *shot);
int chr_strike_crash_loop(struct chr_campaign *campaign, struct chr_shot *shot);
int chr_strike_supervisor(struct chr_campaign *campaign, struct chr_shot *shot);
int chr_strike_jackd(struct chr_campaign *campaign, struct chr_shot *shot);
int chr_strike_jackd_period(struct chr_campaign *campaign, struct chr_shot *shot);

#endif
