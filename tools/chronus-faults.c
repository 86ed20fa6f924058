/* chronus-faults: strikes a playing Chronus with faults and judges every sample of what is heard. */
#include "tests/lib/server.h"
#include "tools/faults.h"
#include "tools/through.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define RATE 48000

enum row { PERIOD, SEED, COUNT, FAULTS, SERVER, LANES, PATCH, QUICK, COST, JSON, PICTURE, LOG, VERBOSE, LIST, HELP, ROWS };

static const struct {
	const char *name, *argument, *help;
} table[ROWS] = {
	[PERIOD] = {"period", "FRAMES", "of the JACK server: 16 to 4096 (128)"},
	[SEED] = {"seed", "S", "of everything that is drawn; the same seed, the same faults (1)"},
	[COUNT] = {"count", "N", "faults, spread evenly over those listed; some are struck once each besides (100)"},
	[FAULTS] = {"faults", "LIST", "names, separated by commas; also: single, all (all)"},
	[SERVER] = {"server", "NAME", "jackd2 or pipewire; a server of its own is started (jackd2)"},
	[LANES] = {"lanes", "1|2", "of the patch (2)"},
	[PATCH] = {"patch", "FILE", "what is played: six modules or more whose parameters stand still (patches/faults.cfg)"},
	[QUICK] = {"quick", NULL, "a short time of CPU stress"},
	[COST] = {"cost", NULL, "instead: the CPU time of one lane and of two"},
	[JSON] = {"json", "FILE", "write the figures as JSON; -: to standard output"},
	[PICTURE] = {"picture", "FILE", "draw what was heard, with the faults marked, as SVG"},
	[LOG] = {"log", "FILE", "what chronus prints (a file that goes with the campaign)"},
	[VERBOSE] = {"verbose", NULL, "a line for every fault that was heard; chronus tells more, too"},
	[LIST] = {"list", NULL, "list the faults and end"},
	[HELP] = {"help", NULL, "print this and end"},
};

static void print_help(void)
{
	printf("usage: chronus-faults [options]\n\n"
	       "Plays a patch, strikes it with faults, and compares all that is heard with what an undisturbed run would have "
	       "played,\n"
	       "frame by frame and bit for bit. Ends with 0 only when every bar holds.\n\n");
	for (int i = 0; i < ROWS; i++) {
		char left[40];
		snprintf(left, sizeof left, "--%s %s", table[i].name, table[i].argument ? table[i].argument : "");
		printf("  %-20s %s\n", left, table[i].help);
	}
	printf("\n`heard` counts the faults with frames lost: skipped, silent or different. `stalled`: of these, those during "
	       "which a JACK\n"
	       "client that has nothing to do with chronus lost frames too. They count like all others.\n"
	       "Exit codes: 0 all bars hold, 1 one does not, 64 usage, 69 no server, 70 the campaign broke off.\n");
}

static void print_list(void)
{
	for (unsigned i = 0; i < chr_kind_count; i++)
		printf("%-14s%s%s\n", chr_kind[i].name, chr_kind[i].help, chr_kind[i].flags & CHR_KIND_ONCE ? "; once" : "");
}

static int number(const char *text, const char *name, unsigned least, unsigned most, unsigned *to)
{
	char *end;
	errno = 0;
	if (!text)
		text = "";
	unsigned long value = strtoul(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || value < least || value > most) {
		fprintf(stderr, "chronus-faults: --%s takes a whole number from %u to %u, not \"%s\"\n", name, least, most, text);
		return EX_USAGE;
	}
	*to = (unsigned)value;
	return 0;
}

static int take_faults(struct chr_campaign_options *options, const char *text)
{
	options->faults = strcmp(text, "all") == 0      ? NULL
			  : strcmp(text, "single") == 0 ? "kill,segv,abort,bus,fpe,loop,stop"
							: text;
	return options->faults && chr_campaign_check("chronus-faults", options->faults) ? EX_USAGE : 0;
}

static int take(struct chr_campaign_options *options, enum row row, const char *text)
{
	switch (row) {
	case PERIOD:
		return number(text, "period", 16, 4096, &options->period);
	case SEED:
		return number(text, "seed", 1, UINT_MAX, &options->seed);
	case COUNT:
		return number(text, "count", 0, 1000000, &options->count);
	case LANES:
		return number(text, "lanes", 1, 2, &options->lanes);
	case FAULTS:
		return take_faults(options, text);
	case SERVER:
		options->pipewire = strcmp(text, "pipewire") == 0;
		if (!options->pipewire && strcmp(text, "jackd2") != 0) {
			fprintf(stderr, "chronus-faults: --server is jackd2 or pipewire, not \"%s\"\n", text);
			return EX_USAGE;
		}
		break;
	case PATCH:
		options->patch = text;
		break;
	case JSON:
		options->json = text;
		break;
	case PICTURE:
		options->picture = text;
		break;
	case LOG:
		options->log = text;
		break;
	case QUICK:
		options->quick = true;
		break;
	case COST:
		options->cost = true;
		break;
	case VERBOSE:
		options->verbose = true;
		break;
	default:
		break;
	}
	return 0;
}

/* Which row an argument names: --name, --name=value. ROWS: none. */
static enum row find_row(const char *argument, const char **value)
{
	if (strcmp(argument, "-h") == 0)
		return HELP;
	for (int i = 0; i < ROWS && strncmp(argument, "--", 2) == 0; i++) {
		size_t length = strlen(table[i].name);
		if (strncmp(argument + 2, table[i].name, length) != 0)
			continue;
		if (argument[2 + length] == '=' && table[i].argument)
			*value = argument + 3 + length;
		if (argument[2 + length] == 0 || *value)
			return (enum row)i;
	}
	return ROWS;
}

/* 0, an exit code, or -1 when there is nothing more to do. */
static int parse(struct chr_campaign_options *options, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = NULL;
		enum row row = find_row(argv[i], &value);
		if (row == HELP || row == LIST) {
			if (row == HELP)
				print_help();
			else
				print_list();
			return -1;
		}
		if (row == ROWS || (table[row].argument && !value && i + 1 == argc)) {
			fprintf(stderr, "chronus-faults: %s: %s; --help lists the options\n", argv[i],
				row == ROWS ? "no such option" : "a value is missing");
			return EX_USAGE;
		}
		if (table[row].argument && !value)
			value = argv[++i];
		int code = take(options, row, value);
		if (code)
			return code;
	}
	return 0;
}

static int run(struct chr_campaign *campaign)
{
	return campaign->options.cost ? chr_campaign_cost(campaign) : chr_campaign_run(campaign);
}

static int finish(struct chr_campaign *campaign, int rc)
{
	chr_campaign_end(campaign);
	unsigned broken = chr_report(campaign);
	if (campaign->picture && chr_picture_write(campaign->picture, campaign, campaign->options.picture))
		perror(campaign->options.picture);
	chr_picture_destroy(campaign->picture);
	free(campaign->shot);
	if (rc)
		fprintf(stderr, "chronus-faults: the campaign broke off\n");
	return rc ? EX_SOFTWARE : broken ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct chr_campaign campaign = {
		.options = {.period = 128, .lanes = 2, .count = 100, .seed = 1, .patch = "patches/faults.cfg"}};
	static char self[PATH_MAX], log[PATH_MAX];
	struct chr_campaign_options *options = &campaign.options;
	int code = parse(options, argc, argv);
	if (code)
		return code < 0 ? 0 : code;
	if (options->pipewire && (code = chr_through_pipewire("chronus-faults", argv)))
		return code;
	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		return EX_OSERR;
	chr_server_private_shm();
	if (chr_server_start(options->pipewire ? CHR_SERVER_PIPEWIRE : CHR_SERVER_JACKD, options->period))
		return EX_UNAVAILABLE;
	campaign.session.programs = dirname(self);
	campaign.session.folder = chr_server_folder();
	campaign.random = options->seed * 2654435761u | 1;
	snprintf(log, sizeof log, "%s/chronus.log", chr_server_folder());
	if (!options->log)
		options->log = log;
	if (options->picture)
		campaign.picture = chr_picture_create(RATE);
	code = finish(&campaign, run(&campaign));
	chr_server_stop();
	return code;
}
