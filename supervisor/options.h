/* The command line and the environment of `chronus`. One table makes the parser and --help. */
#ifndef CHR_SUPERVISOR_OPTIONS_H
#define CHR_SUPERVISOR_OPTIONS_H

#include "common/slot.h"
#include "supervisor/patch.h"

#include <stdbool.h>

/* How late idle processors may wake while it plays: as fits the machine, or as the system has it. */
#define CHR_CPU_LATENCY_AUTO (-1)
#define CHR_CPU_LATENCY_OFF  (-2)

struct chr_options {
	const char *patch;           /* file; NULL: in a session (NSM_URL), which names one */
	bool check;                  /* only check the patch */
	bool no_jack_start;          /* only a server that answers will do */
	char server[CHR_CLIENT_MAX]; /* "": JACK's default */
	char device[64];
	unsigned rate, period;
	char host[64];
	unsigned port;
	int cpu_latency; /* us, CHR_CPU_LATENCY_AUTO or _OFF */
	int verbose;
	bool quiet;
	bool watch; /* swap modules in as they are built */
	/* which of them were given on the command line and so win over the patch */
	bool server_given, host_given, port_given, verbose_given;
};

/* Reads environment and command line. Returns -1 to go on, or the exit code (0 after --help, 64 after a usage error, which is printed). */
int chr_options_read(struct chr_options *options, int argc, char **argv);

/* Puts in what the patch says where the command line is silent. */
void chr_options_merge(struct chr_options *options, const struct chr_patch *patch);

#endif
