/* chronus-soak: plays, patches and strikes a Chronus at random for a long time, and sees whether anything grows. */
#include "common/clock.h"
#include "tests/lib/server.h"
#include "tools/arguments.h"
#include "tools/soak.h"
#include "tools/through.h"

#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ATTEMPTS 3

/* What the command line asks for. */
struct asked {
	struct chr_soak_options options;
	bool help;
};

#define AT(field) offsetof(struct asked, field)

static const struct chr_argument table[] = {
	{"minutes", "M", "how long (30)", CHR_ARGUMENT_REAL, AT(options.minutes), 0.01, 100000},
	{"seed", "S", "of everything that is drawn (1)", CHR_ARGUMENT_WHOLE, AT(options.seed), 1, UINT_MAX},
	{"server", "NAME", "jackd2 or pipewire; a server of its own is started (jackd2)", CHR_ARGUMENT_SERVER, AT(options.pipewire),
	 0, 0},
	{"period", "FRAMES", "of the JACK server: 16 to 4096 (256)", CHR_ARGUMENT_WHOLE, AT(options.period), 16, 4096},
	{"patch", "FILE", "what it begins with (patches/faults.cfg)", CHR_ARGUMENT_TEXT, AT(options.patch), 0, 0},
	{"faults", "LIST", "names, separated by commas, of those that chronus-faults --list tells", CHR_ARGUMENT_TEXT,
	 AT(options.faults), 0, 0},
	{"json", "FILE", "write samples, faults and verdicts as JSON; -: to standard output, alone", CHR_ARGUMENT_TEXT,
	 AT(options.json), 0, 0},
	{"svg", "FILE", "plot all over time, with the faults marked", CHR_ARGUMENT_TEXT, AT(options.svg), 0, 0},
	{"log", "FILE", "what chronus prints (a file that goes with the soak)", CHR_ARGUMENT_TEXT, AT(options.log), 0, 0},
	{"verbose", NULL, "tell refused edits; chronus tells more, too", CHR_ARGUMENT_FLAG, AT(options.verbose), 0, 0},
	{"help", NULL, "print this and end", CHR_ARGUMENT_FLAG, AT(help), 0, 0},
};

static const struct chr_arguments arguments = {
	.program = "chronus-soak",
	.row = table,
	.rows = sizeof table / sizeof table[0],
	.before = "Plays a patch with two lanes at random (values, ramps, gates), patches it at random (connections, modules, "
		  "save, load,\n"
		  "swap), and strikes a random process with a random fault every 2 s. Meanwhile it samples what the supervisor and "
		  "the\n"
		  "modules hold, how long OSC takes to be answered, and how long repairs take. Ends with 0 only when all plays "
		  "again after\n"
		  "every fault and nothing has grown.\n",
	.after = "Exit codes: 0 all bars hold, 1 one does not, 64 usage, 69 no server, 70 it could not begin.\n",
};

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
	soak->record.types = soak->types;
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
	struct asked asked = {.options = {.minutes = 30, .seed = 1, .period = 256, .patch = "patches/faults.cfg"}};
	static struct chr_soak soak;
	static char self[PATH_MAX], log[PATH_MAX];
	struct chr_soak_options *options = &soak.options;
	int code = chr_arguments_take(&arguments, &asked, argc, argv);
	if (asked.help)
		chr_arguments_help(&arguments);
	if (code || asked.help)
		return code;
	*options = asked.options;
	if (options->faults && chr_campaign_check(arguments.program, options->faults))
		return EX_USAGE;
	if (options->pipewire && (code = chr_through_pipewire("chronus-soak", argv)))
		return code;
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
