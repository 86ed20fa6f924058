/* chronus-soak: plays, patches and strikes a Chronus at random for a long time, and sees whether anything grows. */
#include "common/clock.h"
#include "tests/lib/server.h"
#include "tools/soak.h"
#include "tools/through.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ATTEMPTS 3

enum row { MINUTES, SEED, SERVER, PERIOD, PATCH, FAULTS, LOOPS, JSON, SVG, LOG, VERBOSE, HELP, ROWS };

static const struct {
	const char *name, *argument, *help;
} table[ROWS] = {
	[MINUTES] = {"minutes", "M", "how long (30)"},
	[SEED] = {"seed", "S", "of everything that is drawn (1)"},
	[SERVER] = {"server", "NAME", "jackd2 or pipewire; a server of its own is started (jackd2)"},
	[PERIOD] = {"period", "FRAMES", "of the JACK server: 16 to 4096 (256)"},
	[PATCH] = {"patch", "FILE", "what it begins with (patches/faults.cfg)"},
	[FAULTS] = {"faults", "LIST", "names, separated by commas, of those that chronus-faults --list tells"},
	[LOOPS] = {"loops", NULL, "connections may close loops; on jackd2 they may anyway"},
	[JSON] = {"json", "FILE", "write samples, faults and verdicts as JSON; -: to standard output, alone"},
	[SVG] = {"svg", "FILE", "plot all over time, with the faults marked"},
	[LOG] = {"log", "FILE", "what chronus prints (a file that goes with the soak)"},
	[VERBOSE] = {"verbose", NULL, "tell refused edits; chronus tells more, too"},
	[HELP] = {"help", NULL, "print this and end"},
};

static void print_help(void)
{
	printf("usage: chronus-soak [options]\n\n"
	       "Plays a patch with two lanes at random (values, ramps, gates), patches it at random (connections, modules, save, "
	       "load,\n"
	       "swap), and strikes a random process with a random fault every 2 s. Meanwhile it samples what the supervisor and "
	       "the\n"
	       "modules hold, how long OSC takes to be answered, and how long repairs take. Ends with 0 only when all plays again "
	       "after\n"
	       "every fault and nothing has grown.\n\n");
	for (int i = 0; i < ROWS; i++) {
		char left[40];
		snprintf(left, sizeof left, "--%s %s", table[i].name, table[i].argument ? table[i].argument : "");
		printf("  %-18s %s\n", left, table[i].help);
	}
	printf("\nExit codes: 0 all bars hold, 1 one does not, 64 usage, 69 no server, 70 it could not begin.\n");
}

static int number(const char *text, const char *name, double least, double most, double *to)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end || !(value >= least && value <= most)) {
		fprintf(stderr, "chronus-soak: --%s takes a number from %g to %.0f, not \"%s\"\n", name, least, most, text);
		return EX_USAGE;
	}
	*to = value;
	return 0;
}

static int take(struct chr_soak_options *options, int row, const char *text)
{
	const char **const texts[ROWS] = {[PATCH] = &options->patch,
					  [FAULTS] = &options->faults,
					  [JSON] = &options->json,
					  [SVG] = &options->svg,
					  [LOG] = &options->log};
	double value = 0;
	int code = 0;
	if (row == FAULTS && chr_campaign_check("chronus-soak", text))
		return EX_USAGE;
	if (texts[row])
		*texts[row] = text;
	else if (row == MINUTES)
		return number(text, "minutes", 0.01, 100000, &options->minutes);
	else if (row == SEED && !(code = number(text, "seed", 1, UINT_MAX, &value)))
		options->seed = (uint32_t)value;
	else if (row == PERIOD && !(code = number(text, "period", 16, 4096, &value)))
		options->period = (unsigned)value;
	else if (row == VERBOSE)
		options->verbose = true;
	else if (row == LOOPS)
		options->loops = true;
	else if (row == SERVER) {
		options->pipewire = strcmp(text, "pipewire") == 0;
		if (!options->pipewire && strcmp(text, "jackd2") != 0) {
			fprintf(stderr, "chronus-soak: --server is jackd2 or pipewire, not \"%s\"\n", text);
			return EX_USAGE;
		}
	}
	return code;
}

/* 0, an exit code, or -1 when there is nothing more to do. */
static int parse(struct chr_soak_options *options, int argc, char **argv)
{
	struct option known[ROWS + 1] = {0};
	for (int i = 0; i < ROWS; i++)
		known[i] = (struct option){table[i].name, table[i].argument ? required_argument : no_argument, NULL, i};
	for (int row; (row = getopt_long(argc, argv, "", known, NULL)) >= 0;) {
		if (row == HELP) {
			print_help();
			return -1;
		}
		int code = row < ROWS ? take(options, row, optarg) : EX_USAGE;
		if (code)
			return code;
	}
	if (optind < argc) {
		fprintf(stderr, "chronus-soak: %s: no such option; --help lists them\n", argv[optind]);
		return EX_USAGE;
	}
	return 0;
}

/* ---- the soak ---- */

double chr_soak_now_s(const struct chr_soak *soak)
{
	return (double)(chr_monotonic_us() - soak->begin_us) / 1e6;
}

static void on_lost(void *arg, const struct chr_loss *loss)
{
	struct chr_soak *soak = arg;
	uint64_t margin = 2ull * soak->options.period;
	/* what is played may be silent or anything else; that it is played at all is known */
	if (loss->kind == CHR_LOSS_SKIPPED &&
	    !chr_session_stalled(&soak->campaign.session, loss->frame, loss->frame + loss->frames, margin))
		soak->record.skipped_frames += loss->frames;
}

/* A module whose code was swapped holds a copy of its own. Each has one from the beginning, so that none comes to it later. */
static void swap_all(struct chr_soak *soak)
{
	for (unsigned i = 0; i < soak->modules; i++) {
		char name[CHR_NAME_MAX];
		/* the list is learnt anew with each edit */
		memcpy(name, soak->module[i].name, sizeof name);
		for (int k = 0; k < ATTEMPTS && chr_soak_edit_wait(soak, "/chronus/swap", name, NULL); k++)
			continue;
	}
}

/* 0 or -1. */
static int begin(struct chr_soak *soak)
{
	struct chr_session *session = &soak->campaign.session;
	session->lanes = 2;
	session->period = soak->options.period;
	session->verbose = soak->campaign.options.verbose = soak->options.verbose;
	soak->play.fd = soak->edit.fd = -1;
	snprintf(soak->base, sizeof soak->base, "%s/base.cfg", session->folder);
	snprintf(soak->saved, sizeof soak->saved, "%s/saved.cfg", session->folder);
	if (chr_session_start(session, soak->options.patch, NULL, soak->options.log))
		return -1;
	session->judge.lost = on_lost;
	session->judge.arg = soak;
	soak->begin_us = chr_monotonic_us();
	if (chr_osc_client_open(&soak->play, "127.0.0.1", session->port) ||
	    chr_osc_client_open(&soak->edit, "127.0.0.1", session->port) || chr_soak_learn(soak) ||
	    chr_soak_edit_wait(soak, "/chronus/save", soak->base, NULL)) {
		fprintf(stderr, "chronus-soak: chronus does not answer as it should\n");
		return -1;
	}
	swap_all(soak);
	soak->record.edits = soak->record.refused = soak->record.unanswered = 0;
	soak->has_saved = false;
	soak->record.before = chr_soak_rest(soak);
	soak->ping = chr_soak_ping_start(session->port);
	return soak->ping ? 0 : -1;
}

static void run(struct chr_soak *soak)
{
	soak->begin_us = chr_monotonic_us();
	soak->fault_next_us = soak->edit_next_us = soak->begin_us + 1000000;
	while (!soak->broken && chr_soak_now_s(soak) < soak->options.minutes * 60) {
		chr_session_pump(&soak->campaign.session, 2);
		chr_soak_play(soak);
		chr_soak_patch(soak);
		chr_soak_strike(soak);
		chr_soak_sample(soak);
	}
	/* the last fault is seen through */
	soak->fault_next_us = UINT64_MAX;
	while (!soak->broken && soak->open) {
		chr_session_pump(&soak->campaign.session, 2);
		chr_soak_strike(soak);
	}
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
}

static void end(struct chr_soak *soak)
{
	chr_soak_ping_stop(soak->ping);
	if (!soak->broken) {
		soak->record.after = chr_soak_rest(soak);
		soak->record.rested = true;
	}
	chr_osc_client_close(&soak->play);
	chr_osc_client_close(&soak->edit);
	if (!chr_session_stop(&soak->campaign.session) && !soak->record.ended_badly) {
		fprintf(stderr, "chronus-soak: chronus did not end by itself\n");
		soak->record.ended_badly = 1;
	}
}

static int soak_through(struct chr_soak *soak)
{
	if (begin(soak)) {
		chr_soak_ping_stop(soak->ping);
		if (soak->campaign.session.child.pid)
			chr_session_stop(&soak->campaign.session);
		return EX_SOFTWARE;
	}
	run(soak);
	end(soak);
	int code = chr_soak_report(soak) ? EXIT_FAILURE : EXIT_SUCCESS;
	chr_soak_record_finish(&soak->record);
	free(soak->fault);
	return code;
}

int main(int argc, char **argv)
{
	static struct chr_soak soak = {.options = {.minutes = 30, .seed = 1, .period = 256, .patch = "patches/faults.cfg"}};
	static char self[PATH_MAX], log[PATH_MAX];
	struct chr_soak_options *options = &soak.options;
	int code = parse(options, argc, argv);
	if (code)
		return code < 0 ? 0 : code;
	if (options->pipewire && (code = chr_through_pipewire("chronus-soak", argv)))
		return code;
	/* where loops overlap, a lane may never come back on PipeWire */
	options->loops |= !options->pipewire;
	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		return EX_OSERR;
	chr_server_private_shm();
	if (chr_server_start(options->pipewire ? CHR_SERVER_PIPEWIRE : CHR_SERVER_JACKD, options->period))
		return EX_UNAVAILABLE;
	soak.campaign.session.programs = dirname(self);
	soak.campaign.session.folder = chr_server_folder();
	soak.campaign.random = options->seed * 2654435761u | 1;
	snprintf(log, sizeof log, "%s/chronus.log", chr_server_folder());
	if (!options->log)
		options->log = log;
	code = soak_through(&soak);
	chr_server_stop();
	return code;
}
