/* A double of the New Session Manager's nsmd: a UDP socket to which NSM_URL leads, and what clients say to it. One at a time; main thread. */
#ifndef CHR_TESTS_LIB_MANAGER_H
#define CHR_TESTS_LIB_MANAGER_H

#include <stdbool.h>

/* Opens the socket and sets NSM_URL for the programs that are started from now on. Ends the test when it cannot. */
void chr_manager_start(void);
void chr_manager_stop(void);

/* Closes the socket and lets NSM_URL stand: a session manager that is gone. */
void chr_manager_leave(void);

/* Takes messages until one comes that begins so; false when none does in time. As text: the path, then the arguments, between blanks. */
bool chr_manager_await(const char *beginning, int timeout_ms);

/* The message that came last. */
const char *chr_manager_heard(void);

/* Sends up to three strings (NULL: no more) to the client that spoke last. */
void chr_manager_say(const char *path, const char *a, const char *b, const char *c);

#endif
