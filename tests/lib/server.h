/* The JACK server that system tests play on: a jackd2 with the dummy driver, or a headless PipeWire session of its own.
 *
 * One server at a time in a process. Everything it needs stands in a private folder (chr_server_folder) that goes with it. Main thread.
 */
#ifndef CHR_TESTS_LIB_SERVER_H
#define CHR_TESTS_LIB_SERVER_H

#include <stdbool.h>

enum chr_server_kind { CHR_SERVER_JACKD, CHR_SERVER_PIPEWIRE };

/* Environment: which of the two this process tests; set by chr_system_main for its copies. */
#define CHR_SERVER_ENV "CHRONUS_TEST_SERVER"

/* Environment: set, jackd's threads stay as jackd makes them, as in a server that is not Chronus's own; else they are treated as Chronus
 * treats those of one that it starts (common/hurry.h). */
#define CHR_SERVER_PLAIN_ENV "CHRONUS_TEST_PLAIN"

/* Gives this process and its children a /dev/shm of their own where that is allowed. */
void chr_server_private_shm(void);

/* jackd alone: how many ports the next server has room for (512). */
void chr_server_set_ports(unsigned ports);

/* Starts a server with `period` frames at 48 kHz, sets the environment so that JACK clients of this process and its children find it,
 * and returns once it answers. 0, or -1 with the reason on standard error. */
int chr_server_start(enum chr_server_kind kind, unsigned period);

/* Ends it and removes its folder. False when it had to be killed. */
bool chr_server_stop(void);

/* jackd alone: ends it by SIGKILL, and starts it again under the same name. 0 or -1. */
void chr_server_kill(void);
int chr_server_restart(unsigned period);

enum chr_server_kind chr_server_kind(void);
unsigned chr_server_period(void);
const char *chr_server_folder(void); /* of the server's files and logs */

/* Its name as JACK clients and Chronus are told; "" on PipeWire, which has no names. */
const char *chr_server_name(void);

/* jackd's pid; 0 on PipeWire. */
int chr_server_pid(void);

#endif
