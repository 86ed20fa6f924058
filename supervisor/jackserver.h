/* Finding a JACK server, and starting one when none answers.
 *
 *   1. a server that answers is used as it is;
 *   2. else, when a PipeWire session is running, its JACK library is used: the program executes itself again with that
 *      library first in the search path, which is what pw-jack does;
 *   3. else jackd is started: ALSA when there is a card, else the dummy driver, always asynchronous (a synchronous server stops the
 *      whole graph when one client dies).
 */
#ifndef CHR_SUPERVISOR_JACKSERVER_H
#define CHR_SUPERVISOR_JACKSERVER_H

#include "common/slot.h"

#include <jack/jack.h>
#include <stdbool.h>
#include <sys/types.h>

struct chr_jack_settings {
	char client[CHR_CLIENT_MAX]; /* the supervisor's own name there */
	char server[CHR_CLIENT_MAX]; /* "": JACK's default */
	char device[64];             /* "dummy", an ALSA device, or "" for what there is */
	unsigned rate, period;       /* 0: 48000 Hz, 256 frames */
	unsigned ports;              /* of a jackd that we start: its -p */
	bool may_start;              /* else only a server that answers will do */
	bool verbose;                /* let jackd speak */
};

struct chr_jack_server {
	pid_t pid; /* of the jackd that we started; 0: none */
};

/* Before the first client of this process or of its children opens, and before its threads: lets PipeWire's libjack call a process callback while another
 * callback of the same client runs, as jackd's does. It would else leave the cycle out. */
void chr_jack_prepare(void);

/* Is this process's JACK library PipeWire's? */
bool chr_jack_is_pipewire(void);

/* Opens a client of that name if a server answers; libjack's own messages go to the log from then on. NULL: none does; *taken is true when the name is in use there. */
jack_client_t *chr_jack_probe(const char *server, const char *name, bool *taken);

/* Does a server answer? Asks with a client that goes at once. */
bool chr_jack_answers(const char *server);

/* Is one of the ports (of jack_get_ports(), which may be NULL) one of the client with that name? */
bool chr_jack_has_client(const char *const *ports, const char *name);

/* Is there a PipeWire session whose JACK library this process does not use yet? Stores the folder of that library. */
bool chr_jack_pipewire(char folder[CHR_PATH_BYTES]);

/* Executes this program again with PipeWire's JACK library. Returns only on failure: -errno. */
int chr_jack_exec_pipewire(const char *folder, char **argv);

/* Starts jackd and waits until it answers (at most 5 s). The client, or NULL with the reason in `why`. */
jack_client_t *chr_jack_start(struct chr_jack_server *server, const struct chr_jack_settings *settings, char *why,
			      size_t why_bytes);

/* Logs that jackd was started, and what will be heard of it. */
void chr_jack_tell_started(const struct chr_jack_settings *settings);

/* Logs what keeps the sound from being realtime's: the server, or the right to it (`permitted`), which this process tried. */
void chr_jack_tell_realtime(jack_client_t *client, bool permitted);

/* The server answers. One that we started handles requests before ordinary work from now on, where that is permitted: whatever a repair does it asks of
 * that thread, which jackd makes without realtime priority. Another's is left as it is. */
void chr_jack_hurry(const struct chr_jack_server *server);

/* Ends the server that we started, if any. */
void chr_jack_stop(struct chr_jack_server *server);

/* Starts the server that we own again when it has died. True when it was started. */
bool chr_jack_restart(struct chr_jack_server *server, const struct chr_jack_settings *settings);

#endif
