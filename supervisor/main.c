/* chronus PATCH: learns the module types, reads the patch, finds JACK, and conducts. */
#include "common/log.h"
#include "supervisor/conductor.h"
#include "supervisor/options.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#define NAMES_TRIES      20
#define NAMES_WAIT_MS    50
#define CONTROL_PRIORITY 50 /* below JACK's clients: people's events are urgent, sound is more so */

/* What main sets up and takes down. */
struct app {
	struct chr_options options;
	struct chr_spawn spawn;
	char modules[CHR_PATH_BYTES];
	struct chr_board *board[CHR_LANES];
	struct chr_choice *choice;
	struct chr_catalog catalog;
	struct chr_patch *patch;
	struct chr_jack_settings jack;
	struct chr_jack_server server;
	struct chr_conductor conductor;
};

static void block_signals(void)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* In a build tree chronus-module and modules/ stand beside this program, installed they stand in CHR_LIBDIR. */
static void find_programs(struct app *app)
{
	char self[CHR_PATH_BYTES - 64];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	self[length > 0 ? length : 0] = 0;
	char *slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	snprintf(app->spawn.program, sizeof app->spawn.program, "%s/chronus-module", self);
	const char *folder = access(app->spawn.program, X_OK) ? CHR_LIBDIR : self;
	snprintf(app->spawn.program, sizeof app->spawn.program, "%s/chronus-module", folder);
	snprintf(app->modules, sizeof app->modules, "%s/modules", folder);
}

static int make_boards(struct app *app)
{
	bool made = true;
	for (unsigned lane = 0; lane < CHR_LANES && made; lane++)
		made = (app->board[lane] = chr_board_create(&app->spawn.board_fd[lane]));
	if (made && (app->choice = chr_choice_create(&app->spawn.choice_fd)))
		return EX_OK;
	chr_error("cannot make shared memory: %s; is /dev/shm mounted and not full?", strerror(errno));
	return EX_OSERR;
}

static int load_patch(struct app *app)
{
	struct chr_patch_problems problems = {0};
	int code = EX_OK;
	const char *server = app->options.server[0] ? app->options.server : "default";
	app->patch = chr_patch_load(app->options.patch, server, chr_catalog_type, &app->catalog, &problems, &code);
	chr_patch_problems_print(&problems, stderr);
	if (!app->patch)
		fprintf(stderr, "chronus: %u error%s in %s; nothing was started\n", problems.count, problems.count == 1 ? "" : "s",
			app->options.patch);
	chr_patch_problems_finish(&problems);
	return code;
}

static void settle_jack(struct app *app)
{
	const struct chr_options *options = &app->options;
	app->jack = (struct chr_jack_settings){.rate = options->rate,
					       .period = options->period,
					       .may_start = !options->no_jack_start,
					       .verbose = options->verbose > 0};
	memcpy(app->jack.server, options->server, sizeof app->jack.server);
	memcpy(app->jack.device, options->device, sizeof app->jack.device);
}

/* The supervisor's client on whatever server there is; NULL after saying why there is none. */
static jack_client_t *find_jack(struct app *app, char **argv)
{
	bool taken = false;
	char folder[CHR_PATH_BYTES], why[CHR_TEXT_MAX];
	jack_client_t *client = chr_jack_probe(app->jack.server, &taken);
	if (client)
		return client;
	if (taken) {
		chr_error("a client named \"%s\" is on the JACK server already: another chronus plays there (end it with "
			  "chronusctl quit, "
			  "or use another server with --server)",
			  CHR_GRAPH_CLIENT);
		return NULL;
	}
	if (chr_jack_pipewire(folder)) {
		int rc = chr_jack_exec_pipewire(folder, argv);
		chr_warn("cannot execute with PipeWire's JACK library in %s: %s", folder, strerror(-rc));
	}
	if (!app->jack.may_start) {
		chr_error("no JACK server answers%s%s: start one (jackd, or a PipeWire session), or leave --no-jack-start out",
			  app->jack.server[0] ? " under the name " : "", app->jack.server);
		return NULL;
	}
	client = chr_jack_start(&app->server, &app->jack, why, sizeof why);
	if (client)
		chr_info("no JACK server answered: started jackd");
	else
		chr_error("%s", why);
	return client;
}

/* The first name of ours that a client bears already; false when all are free. */
static bool taken(const struct app *app, jack_client_t *client, char name[CHR_CLIENT_MAX])
{
	for (unsigned i = 0; i < app->patch->module_count; i++)
		for (unsigned lane = 0; lane < app->patch->lanes; lane++) {
			snprintf(name, CHR_CLIENT_MAX, "%s%s", app->patch->module[i].name, lane ? ".b" : "");
			if (chr_jack_has_client(client, name))
				return true;
		}
	return false;
}

/* Names are exact: a client that bears one already would keep a module out, and a person wants to know who. Those of a chronus that has just
 * ended may still be on their way out of the graph. */
static bool names_free(const struct app *app, jack_client_t *client)
{
	char name[CHR_CLIENT_MAX] = "";
	for (int i = 0; i < NAMES_TRIES; i++) {
		if (!taken(app, client, name))
			return true;
		poll(NULL, 0, NAMES_WAIT_MS);
	}
	chr_error(
		"the JACK client \"%s\" exists already: rename the module, or end the modules that an earlier chronus left playing "
		"(pkill chronus-module)",
		name);
	return false;
}

static struct chr_osc *open_osc(struct app *app, int *code)
{
	struct chr_osc_host host;
	int error = 0;
	app->conductor.jack = app->jack;
	chr_conductor_osc_host(&app->conductor, &host);
	host.file = app->options.patch;
	struct chr_osc *osc = chr_osc_create(app->options.host, app->options.port, &host, &error);
	if (osc)
		return osc;
	*code = EX_UNAVAILABLE;
	if (error == -EADDRINUSE)
		chr_error("OSC port %u at %s is in use, by another chronus perhaps: choose another with --port or CHRONUS_OSC_PORT",
			  app->options.port, app->options.host);
	else
		chr_error("cannot open OSC port %u at %s: %s; choose others with --host and --port", app->options.port,
			  app->options.host, strerror(-error));
	return NULL;
}

/* What a person may type next, as it has to be typed here: chronusctl stands beside this program. */
static void hint(const struct app *app, const struct chr_osc *osc, const char *self)
{
	const char *slash = strrchr(self, '/');
	int folder = slash ? (int)(slash - self) + 1 : 0;
	unsigned port = chr_osc_port(osc);
	char option[32] = "";
	if (port != 5005)
		snprintf(option, sizeof option, " --port %u", port);
	chr_info("OSC at %s:%u; now try:", app->options.host, port);
	static const char *const words[] = {"status", "describe", "top", "--help"};
	for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
		chr_info("    %.*schronusctl%s %s", folder, self, option, words[i]);
}

static int play(struct app *app, char **argv)
{
	int code = EX_OK;
	/* before libjack makes its notification thread, which inherits it: jackd waits for it */
	struct sched_param priority = {.sched_priority = CONTROL_PRIORITY};
	if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority))
		chr_debug("realtime scheduling is not permitted: events may be late under load");
	/* OSC comes first: a port that is taken is told before anything is started */
	struct chr_osc *osc = open_osc(app, &code);
	if (!osc)
		return code;
	jack_client_t *client = find_jack(app, argv);
	if (client && !names_free(app, client)) {
		jack_client_close(client);
		client = NULL;
	}
	if (!client) {
		chr_osc_destroy(osc);
		chr_jack_stop(&app->server);
		return EX_UNAVAILABLE;
	}
	int rc = chr_conductor_init(&app->conductor, app->patch, &app->catalog, &app->spawn, &app->jack, &app->server, client);
	if (rc) {
		chr_error("cannot start: %s", strerror(-rc));
		chr_osc_destroy(osc);
		chr_jack_stop(&app->server);
		return EX_OSERR;
	}
	memcpy(app->conductor.board, app->board, sizeof app->board);
	app->conductor.choice = app->choice;
	chr_edit_init(&app->conductor, app->options.patch);
	chr_conductor_set_osc(&app->conductor, osc);
	rc = app->options.watch ? chr_watch_init(&app->conductor) : 0;
	if (rc)
		chr_warn("the folders of modules cannot be watched: %s", strerror(-rc));
	hint(app, osc, argv[0]);
	rc = chr_conductor_run(&app->conductor);
	chr_info("ending");
	chr_edit_finish(&app->conductor); /* its answers go out through OSC */
	app->conductor.osc = NULL;
	chr_osc_destroy(osc);
	chr_conductor_finish(&app->conductor);
	return rc ? EX_SOFTWARE : EX_OK;
}

int main(int argc, char **argv)
{
	static struct app app; /* large */
	chr_log_identity("supervisor", NULL, 0);
	block_signals();
	int code = chr_options_read(&app.options, argc, argv);
	if (code >= 0)
		return code;
	chr_log_set_level(app.options.quiet ? CHR_LOG_WARN : app.options.verbose ? CHR_LOG_DEBUG : CHR_LOG_INFO);
	find_programs(&app);
	code = make_boards(&app);
	if (code)
		return code;
	if (chr_catalog_init(&app.catalog, &app.spawn, getenv("CHRONUS_MODULE_PATH"), app.modules))
		return EX_OSERR;
	code = load_patch(&app);
	if (app.patch && app.options.check)
		printf("%s: good: %u modules, %u connections\n", app.options.patch, app.patch->module_count, app.patch->edge_count);
	if (app.patch) {
		chr_options_merge(&app.options, app.patch);
		if (app.options.verbose && !app.options.quiet)
			chr_log_set_level(CHR_LOG_DEBUG);
		settle_jack(&app);
		if (!app.options.check)
			code = play(&app, argv);
		chr_patch_destroy(app.patch);
	}
	chr_catalog_finish(&app.catalog);
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		chr_board_unmap(app.board[lane]);
		close(app.spawn.board_fd[lane]);
	}
	chr_choice_unmap(app.choice);
	close(app.spawn.choice_fd);
	return code;
}
