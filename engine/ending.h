/* How a module process ends: asked to, by SIGTERM or an order, and then within a deadline whatever hangs. */
#ifndef CHR_ENGINE_ENDING_H
#define CHR_ENGINE_ENDING_H

#include <signal.h>

/* from the wish to the end, at most */
#ifdef __SANITIZE_ADDRESS__
#define CHR_ENDING_MS 2000 /* with a search for leaks: cut short, it leaves its helper behind, a process */
#else
#define CHR_ENDING_MS 200
#endif
#define CHR_EXIT_DEADLINE 75 /* exit code when the deadline ended the process */

/* Becomes 1 when the process shall end. */
extern volatile sig_atomic_t chr_ending;

/* SIGTERM from now on makes chr_ending 1, makes the eventfd `wake` readable and starts the deadline. The signals that a terminal sends
 * (interrupt, quit, suspend, hang-up) are the supervisor's to answer and are ignored here, as is SIGPIPE. No signal stays blocked. 0
 * or -errno. */
int chr_ending_install(int wake);

/* The same as SIGTERM, from the main thread. */
void chr_ending_begin(void);

#endif
