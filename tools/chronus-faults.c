/* chronus-faults: strikes a playing Chronus with faults and judges every sample of what is heard. */
#include "common/clock.h"
#include "tests/lib/server.h"
#include "tests/lib/stall.h"
#include "tools/arguments.h"
#include "tools/faults.h"
#include "tools/through.h"

#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define RATE 48000

/* What the command line asks for. */
struct asked {
	struct chr_campaign_options options;
	bool list, help;
};

#define AT(field) offsetof(struct asked, field)

static const struct chr_argument table[] = {
	{"period", "FRAMES", "of the JACK server: 16 to 4096 (128)", CHR_ARGUMENT_WHOLE, AT(options.period), 16, 4096},
	{"seed", "S", "of everything that is drawn; the same seed, the same faults (1)", CHR_ARGUMENT_WHOLE, AT(options.seed), 1,
	 UINT_MAX},
	{"count", "N", "faults, spread evenly over those listed; some are struck once each besides (100)", CHR_ARGUMENT_WHOLE,
	 AT(options.count), 0, 1000000},
	{"faults", "LIST", "names, separated by commas; also: single, all (all)", CHR_ARGUMENT_TEXT, AT(options.faults), 0, 0},
	{"server", "NAME", "jackd2 or pipewire; a server of its own is started (jackd2)", CHR_ARGUMENT_SERVER, AT(options.pipewire),
	 0, 0},
	{"lanes", "1|2", "of the patch (2)", CHR_ARGUMENT_WHOLE, AT(options.lanes), 1, 2},
	{"patch", "FILE", "what is played: six modules or more whose parameters stand still (patches/faults.cfg)",
	 CHR_ARGUMENT_TEXT, AT(options.patch), 0, 0},
	{"quick", NULL, "a short time of CPU stress", CHR_ARGUMENT_FLAG, AT(options.quick), 0, 0},
	{"processors", NULL,
	 "tell, too, how many were heard while no processor stood still; looking slows repairs down by a quarter",
	 CHR_ARGUMENT_FLAG, AT(options.processors), 0, 0},
	{"cost", NULL, "instead: the CPU time of one lane and of two", CHR_ARGUMENT_FLAG, AT(options.cost), 0, 0},
	{"json", "FILE", "write the figures as JSON; -: to standard output", CHR_ARGUMENT_TEXT, AT(options.json), 0, 0},
	{"picture", "FILE", "draw what was heard, with the faults marked, as SVG", CHR_ARGUMENT_TEXT, AT(options.picture), 0, 0},
	{"log", "FILE", "what chronus prints (a file that goes with the campaign)", CHR_ARGUMENT_TEXT, AT(options.log), 0, 0},
	{"verbose", NULL, "a line for every fault that was heard; chronus tells more, too", CHR_ARGUMENT_FLAG, AT(options.verbose),
	 0, 0},
	{"list", NULL, "list the faults and end", CHR_ARGUMENT_FLAG, AT(list), 0, 0},
	{"help", NULL, "print this and end", CHR_ARGUMENT_FLAG, AT(help), 0, 0},
};

static const struct chr_arguments arguments = {
	.program = "chronus-faults",
	.row = table,
	.rows = sizeof table / sizeof table[0],
	.before = "Plays a patch, strikes it with faults, and compares all that is heard with what an undisturbed run would have "
		  "played,\n"
		  "frame by frame and bit for bit. Ends with 0 only when every bar holds.\n",
	.after = "`heard` counts the faults with frames lost: skipped, silent or different. `stalled`: of these, those during "
		 "which a JACK\n"
		 "client that has nothing to do with chronus lost frames too. They count like all others.\n"
		 "Exit codes: 0 all bars hold, 1 one does not, 64 usage, 69 no server, 70 the campaign broke off.\n",
};

static void print_list(void)
{
	for (unsigned i = 0; i < chr_kind_count; i++)
		printf("%-14s%s%s\n", chr_kind[i].name, chr_kind[i].help, chr_kind[i].flags & CHR_KIND_ONCE ? "; once" : "");
}

static int settle_faults(struct chr_campaign_options *options)
{
	if (!options->faults || strcmp(options->faults, "all") == 0)
		options->faults = NULL;
	else if (strcmp(options->faults, "single") == 0)
		options->faults = "kill,segv,abort,bus,fpe,loop,stop";
	return options->faults && chr_campaign_check(arguments.program, options->faults) ? EX_USAGE : 0;
}

static int run(struct chr_campaign *campaign)
{
	campaign->begun_us = chr_monotonic_us();
	campaign->stolen_s = chr_stall_stolen_s();
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
	struct asked asked = {.options = {.period = 128, .lanes = 2, .count = 100, .seed = 1, .patch = "patches/faults.cfg"}};
	static struct chr_campaign campaign;
	static char self[PATH_MAX], log[PATH_MAX];
	struct chr_campaign_options *options = &campaign.options;
	int code = chr_arguments_take(&arguments, &asked, argc, argv);
	if (asked.help)
		chr_arguments_help(&arguments);
	else if (asked.list)
		print_list();
	if (code || asked.help || asked.list)
		return code;
	*options = asked.options;
	if ((code = settle_faults(options)))
		return code;
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
