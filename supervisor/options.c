#include "supervisor/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define DEFAULT_HOST "127.0.0.1"
#define DEFAULT_PORT 5005

#define CPU_LATENCY_MAX 1000000

enum kind { TEXT, NUMBER, COUNT, HELP, VERSION, CHECK, QUIET, NO_START, WATCH };

struct option_row {
	char letter; /* 0: none */
	const char *name, *argument, *environment, *help;
	enum kind kind;
	long min, max;
};

/* The rows with values are stored by store(), in this order. */
enum row {
	ROW_CHECK,
	ROW_SERVER,
	ROW_DEVICE,
	ROW_RATE,
	ROW_PERIOD,
	ROW_NO_START,
	ROW_HOST,
	ROW_PORT,
	ROW_WATCH,
	ROW_LATENCY,
	ROW_VERBOSE,
	ROW_QUIET,
	ROW_HELP,
	ROW_VERSION,
	ROWS
};

static const struct option_row table[ROWS] = {
	[ROW_CHECK] = {'c', "check", NULL, NULL, "check PATCH, print every error, and end", CHECK, 0, 0},
	[ROW_SERVER] = {'s', "server", "NAME", "CHRONUS_JACK_SERVER", "JACK server", TEXT, 0, 0},
	[ROW_DEVICE] = {'d', "device", "DEV", NULL, "ALSA device, or \"dummy\", of a JACK server that has to be started", TEXT, 0,
			0},
	[ROW_RATE] = {'r', "rate", "HZ", NULL, "its sample rate (48000)", NUMBER, 8000, 384000},
	[ROW_PERIOD] = {'p', "period", "FRAMES", NULL, "its period (256)", NUMBER, 16, 8192},
	[ROW_NO_START] = {0, "no-jack-start", NULL, NULL, "never start a JACK server", NO_START, 0, 0},
	[ROW_HOST] = {'H', "host", "ADDR", "CHRONUS_OSC_HOST", "address for OSC (" DEFAULT_HOST ")", TEXT, 0, 0},
	[ROW_PORT] = {'P', "port", "PORT", "CHRONUS_OSC_PORT", "UDP port for OSC (5005; 0: any)", NUMBER, 0, 65535},
	[ROW_WATCH] = {'w', "watch", NULL, NULL, "swap a module in when its file is built anew", WATCH, 0, 0},
	[ROW_LATENCY] = {0, "cpu-latency", "US", "CHRONUS_CPU_LATENCY", "how late an idle processor may wake (auto; off: as it is)",
			 TEXT, 0, CPU_LATENCY_MAX},
	[ROW_VERBOSE] = {'v', "verbose", NULL, "CHRONUS_VERBOSE", "tell more", COUNT, 0, 1},
	[ROW_QUIET] = {'q', "quiet", NULL, NULL, "tell only what went wrong", QUIET, 0, 0},
	[ROW_HELP] = {'h', "help", NULL, NULL, "print this and end", HELP, 0, 0},
	[ROW_VERSION] = {'V', "version", NULL, NULL, "print the version and end", VERSION, 0, 0},
};

static void print_help(void)
{
	printf("usage: chronus [options] PATCH\n\n"
	       "Plays a patch: every module is a process and JACK client of its own. Play it over OSC (chronusctl), patch it in\n"
	       "QjackCtl or Carla. SIGINT and SIGTERM end it. In a session (NSM_URL) PATCH may be left out.\n\n");
	for (int i = 0; i < ROWS; i++) {
		char left[64], letter[8] = "    ";
		if (table[i].letter)
			snprintf(letter, sizeof letter, "-%c, ", table[i].letter);
		snprintf(left, sizeof left, "%s--%s %s", letter, table[i].name, table[i].argument ? table[i].argument : "");
		printf("  %-24s %s%s%s%s\n", left, table[i].help, table[i].environment ? " [" : "",
		       table[i].environment ? table[i].environment : "", table[i].environment ? "]" : "");
	}
	printf("\nFolders of further modules: CHRONUS_MODULE_PATH, colon-separated.\n"
	       "Exit codes: 0 ended, 64 usage, 65 errors in the patch, 66 patch not readable,\n"
	       "  69 no JACK server or OSC port taken, "
	       "70 internal, 71 out of memory or shared memory, 73 no project.\n"
	       "See chronus(1), chronus-patch(5), chronusctl(1).\n");
}

static int wrong_number(enum row row, const char *words, const char *text, const char *what)
{
	fprintf(stderr, "chronus: %s takes %sa whole number from %ld to %ld, not \"%s\"\n", what, words, table[row].min,
		table[row].max, text);
	return EX_USAGE;
}

/* A number within the row's range. */
static bool read_number(enum row row, const char *text, long *number)
{
	char *end;
	errno = 0;
	*number = strtol(text, &end, 10);
	return !errno && end != text && !*end && *number >= table[row].min && *number <= table[row].max;
}

static int store_latency(struct chr_options *options, const char *text, const char *what)
{
	long number;
	if (strcmp(text, "auto") == 0)
		options->cpu_latency = CHR_CPU_LATENCY_AUTO;
	else if (strcmp(text, "off") == 0)
		options->cpu_latency = CHR_CPU_LATENCY_OFF;
	else if (read_number(ROW_LATENCY, text, &number))
		options->cpu_latency = (int)number;
	else
		return wrong_number(ROW_LATENCY, "auto, off, or ", text, what);
	return -1;
}

static int store(struct chr_options *options, enum row row, const char *text, const char *what)
{
	long number = 0;
	bool is_number = table[row].kind == NUMBER || (table[row].kind == COUNT && text);
	if (is_number && !read_number(row, text, &number))
		return wrong_number(row, "", text, what);
	switch (row) {
	case ROW_SERVER:
		snprintf(options->server, sizeof options->server, "%s", text);
		break;
	case ROW_DEVICE:
		snprintf(options->device, sizeof options->device, "%s", text);
		break;
	case ROW_HOST:
		snprintf(options->host, sizeof options->host, "%s", text);
		break;
	case ROW_RATE:
		options->rate = (unsigned)number;
		break;
	case ROW_PERIOD:
		options->period = (unsigned)number;
		break;
	case ROW_PORT:
		options->port = (unsigned)number;
		break;
	case ROW_LATENCY:
		return store_latency(options, text, what);
	case ROW_VERBOSE:
		options->verbose = text ? (int)number : 1;
		break;
	case ROW_CHECK:
		options->check = true;
		break;
	case ROW_WATCH:
		options->watch = true;
		break;
	case ROW_QUIET:
		options->quiet = true;
		break;
	case ROW_NO_START:
		options->no_jack_start = true;
		break;
	default:
		break;
	}
	return -1;
}

static int read_environment(struct chr_options *options)
{
	const char *jack = getenv("JACK_DEFAULT_SERVER");
	if (jack)
		snprintf(options->server, sizeof options->server, "%s", jack);
	for (int i = 0; i < ROWS; i++) {
		const char *value = table[i].environment ? getenv(table[i].environment) : NULL;
		int rc = value && *value ? store(options, (enum row)i, value, table[i].environment) : -1;
		if (rc >= 0)
			return rc;
	}
	return -1;
}

static void make_getopt(struct option longs[ROWS + 1], char letters[2 * ROWS + 2])
{
	char *at = letters;
	for (int i = 0; i < ROWS; i++) {
		longs[i] = (struct option){table[i].name, table[i].argument ? required_argument : no_argument, NULL, 1000 + i};
		if (!table[i].letter)
			continue;
		*at++ = table[i].letter;
		if (table[i].argument)
			*at++ = ':';
	}
	*at = 0;
	longs[ROWS] = (struct option){0};
}

static enum row row_of(int got)
{
	for (int i = 0; i < ROWS; i++)
		if (got == 1000 + i || got == table[i].letter)
			return (enum row)i;
	return ROWS;
}

static int read_option(struct chr_options *options, enum row row)
{
	if (row == ROW_HELP) {
		print_help();
		return EX_OK;
	}
	if (row == ROW_VERSION) {
		printf("chronus %s\n", CHR_VERSION);
		return EX_OK;
	}
	if (row == ROWS) {
		fprintf(stderr, "chronus: see chronus --help\n");
		return EX_USAGE;
	}
	char what[64];
	snprintf(what, sizeof what, "--%s", table[row].name);
	options->server_given |= row == ROW_SERVER;
	options->host_given |= row == ROW_HOST;
	options->port_given |= row == ROW_PORT;
	options->verbose_given |= row == ROW_VERBOSE;
	return store(options, row, optarg, what);
}

int chr_options_read(struct chr_options *options, int argc, char **argv)
{
	struct option longs[ROWS + 1];
	char letters[2 * ROWS + 2];
	*options = (struct chr_options){.host = DEFAULT_HOST, .port = DEFAULT_PORT, .cpu_latency = CHR_CPU_LATENCY_AUTO};
	int rc = read_environment(options);
	make_getopt(longs, letters);
	for (int got; rc < 0 && (got = getopt_long(argc, argv, letters, longs, NULL)) != -1;)
		rc = read_option(options, row_of(got));
	if (rc >= 0)
		return rc;
	const char *session = getenv("NSM_URL");
	if (argc == optind && session && *session && !options->check)
		return -1; /* the session manager will name one */
	if (argc - optind != 1) {
		fprintf(stderr, "chronus: %s; usage: chronus [options] PATCH (see chronus --help)\n",
			argc == optind ? "a patch file is needed" : "one patch file at a time");
		return EX_USAGE;
	}
	options->patch = argv[optind];
	return -1;
}

void chr_options_merge(struct chr_options *options, const struct chr_patch *patch)
{
	if (patch->jack_server[0] && !options->server_given)
		memcpy(options->server, patch->jack_server, sizeof options->server);
	if (patch->jack_device[0] && !options->device[0])
		memcpy(options->device, patch->jack_device, sizeof options->device);
	if (patch->jack_rate && !options->rate)
		options->rate = patch->jack_rate;
	if (patch->jack_period && !options->period)
		options->period = patch->jack_period;
	if (patch->osc_host[0] && !options->host_given)
		memcpy(options->host, patch->osc_host, sizeof options->host);
	if (patch->osc_port && !options->port_given)
		options->port = patch->osc_port;
	if (patch->verbose >= 0 && !options->verbose_given)
		options->verbose = patch->verbose;
}
