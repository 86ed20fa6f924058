/* chronus PATCH: learns the module types, reads the patch, finds JACK, and conducts. */
#include "common/awake.h"
#include "common/log.h"
#include "supervisor/conductor.h"
#include "supervisor/options.h"
#include "supervisor/patience.h"
#include "supervisor/room.h"
#include "supervisor/session.h"

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
	struct chr_session session;
	unsigned osc_port; /* where OSC was last; 0: nowhere yet */
	struct chr_awake awake;
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
	app->patch = chr_patch_load(app->options.patch, server, chr_catalog_learn, &app->catalog, &problems, &code);
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
	app->jack = (struct chr_jack_settings){
		.rate = options->rate,
		.period = options->period,
		.ports = chr_room_ports_to_ask(chr_room_ports(app->patch, chr_catalog_type, &app->catalog)),
		.may_start = !options->no_jack_start,
		.verbose = options->verbose > 0};
	snprintf(app->jack.client, sizeof app->jack.client, "%s" CHR_GRAPH_CLIENT, app->session.prefix);
	memcpy(app->jack.server, options->server, sizeof app->jack.server);
	memcpy(app->jack.device, options->device, sizeof app->jack.device);
}

/* Does any module play, though this program has ended? */
static bool plays_on(void *self)
{
	static uint32_t before;
	const struct app *app = self;
	uint32_t cycles = 0;
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		for (unsigned i = 0; i < CHR_BOARD_MEMBERS; i++)
			cycles += atomic_load_explicit(&app->board[lane]->pulse[i].cycles, memory_order_relaxed);
	bool moved = cycles != before;
	before = cycles;
	return moved;
}

/* Has idle processors wake in time from now on, as far as the system lets it, for as long as modules play. */
static void keep_awake(struct app *app)
{
	int wanted = app->options.cpu_latency;
	if (wanted == CHR_CPU_LATENCY_OFF)
		return;
	int us = chr_awake_begin(&app->awake, &chr_awake_machine, wanted == CHR_CPU_LATENCY_AUTO ? CHR_AWAKE_FITTING : wanted,
				 plays_on, app);
	const char *why = us == -EDQUOT ? "the control group limits processor time" : strerror(us < 0 ? -us : 0);
	if (us >= 0)
		chr_debug("idle processors %s", app->awake.spins ? "spin" : "wake in time");
	else if (wanted != CHR_CPU_LATENCY_AUTO)
		chr_warn("--cpu-latency: %s (chronus(1) tells who may set it)", why);
	else
		chr_debug("idle processors wake when they do: %s", why);
}

/* The supervisor's client on whatever server there is; NULL after saying why there is none. */
static jack_client_t *find_jack(struct app *app, char **argv)
{
	bool taken = false;
	char folder[CHR_PATH_BYTES], why[CHR_TEXT_MAX];
	jack_client_t *client = chr_jack_probe(app->jack.server, app->jack.client, &taken);
	if (client)
		return client;
	if (taken) {
		chr_error("a client named \"%s\" is on the JACK server already: another chronus plays there (end it with "
			  "chronusctl quit, "
			  "or use another server with --server)",
			  app->jack.client);
		return NULL;
	}
	if (chr_jack_pipewire(folder)) {
		chr_awake_end(&app->awake); /* a process stays through exec */
		int rc = chr_jack_exec_pipewire(folder, argv);
		keep_awake(app);
		chr_warn("cannot execute with PipeWire's JACK library in %s: %s", folder, strerror(-rc));
	}
	if (!app->jack.may_start) {
		chr_error("no JACK server answers%s%s: start one (jackd, or a PipeWire session), or leave --no-jack-start out",
			  app->jack.server[0] ? " under the name " : "", app->jack.server);
		return NULL;
	}
	client = chr_jack_start(&app->server, &app->jack, why, sizeof why);
	if (client)
		chr_jack_tell_started(&app->jack);
	else
		chr_error("%s", why);
	return client;
}

/* The first name of ours that a client bears already; false when all are free. */
static bool taken(const struct app *app, jack_client_t *client, char name[CHR_CLIENT_MAX])
{
	bool any = false;
	/* all at once: while the graph changes each question sleeps for a period */
	const char **ports = jack_get_ports(client, NULL, NULL, 0);
	for (unsigned i = 0; i < app->patch->module_count && !any; i++)
		for (unsigned lane = 0; lane < app->patch->lanes && !any; lane++) {
			struct chr_unit unit = {.prefix = app->session.prefix};
			chr_rack_rename(&unit, app->patch->module[i].name);
			chr_rack_client(&unit, lane, name);
			any = chr_jack_has_client(ports, name);
		}
	jack_free(ports);
	return any;
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
		"(pkill chronus-module); when none is, the JACK server has not let it go and must be restarted",
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
	bool any = app->session.managed && !app->options.port_given; /* every Chronus of a session needs one of its own */
	unsigned port = app->osc_port && any ? app->osc_port : app->options.port;
	struct chr_osc *osc = chr_osc_create(app->options.host, port, &host, &error);
	if (!osc && error == -EADDRINUSE && any)
		osc = chr_osc_create(app->options.host, 0, &host, &error);
	if (osc) {
		app->osc_port = chr_osc_port(osc);
		return osc;
	}
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

static bool has_room(const struct app *app, jack_client_t *client)
{
	char why[CHR_TEXT_MAX];
	struct chr_catalog *catalog = (struct chr_catalog *)&app->catalog;
	bool enough = chr_room_check(client, chr_room_clients(app->patch), chr_room_ports(app->patch, chr_catalog_type, catalog),
				     why);
	if (!enough)
		chr_error("%s", why);
	return enough;
}

/* The supervisor's client, once all of its names are free and there is room for them. NULL after saying why there is none. */
static jack_client_t *enter_jack(struct app *app, char **argv)
{
	jack_client_t *client = find_jack(app, argv);
	if (client && (!names_free(app, client) || !has_room(app, client))) {
		jack_client_close(client);
		client = NULL;
	}
	return client;
}

/* Plays what was set up until it is told to end. */
static int conduct(struct app *app, struct chr_osc *osc, const char *self)
{
	struct chr_conductor *conductor = &app->conductor;
	memcpy(conductor->board, app->board, sizeof app->board);
	conductor->choice = app->choice;
	chr_edit_init(conductor, app->options.patch);
	chr_conductor_set_osc(conductor, osc);
	if (app->session.managed && chr_session_attach(&app->session, conductor, chr_osc_port(osc)))
		chr_error("the session manager cannot be listened to");
	int rc = app->options.watch ? chr_watch_init(conductor) : 0;
	if (rc)
		chr_warn("the folders of modules cannot be watched: %s", strerror(-rc));
	hint(app, osc, self);
	rc = chr_conductor_run(conductor);
	chr_info("%s", app->session.again ? "another project" : "ending");
	chr_edit_finish(conductor); /* its answers go out through OSC and to the session manager */
	chr_session_detach(&app->session);
	conductor->osc = NULL;
	chr_osc_destroy(osc);
	if (app->session.again) { /* other clients of the session may play on the server that we started */
		app->server = conductor->server;
		conductor->server = (struct chr_jack_server){0};
	}
	/* a thread hangs in libjack: exit() would take away what it uses, and what the next project makes anew it goes on using */
	if (!chr_conductor_finish(conductor))
		_exit(rc || app->session.again ? EX_SOFTWARE : conductor->code);
	return rc ? EX_SOFTWARE : conductor->code;
}

static int play(struct app *app, char **argv)
{
	int code = EX_OK;
	chr_jack_prepare();
	/* before libjack makes its notification thread, which inherits it: jackd waits for it */
	struct sched_param priority = {.sched_priority = CONTROL_PRIORITY};
	bool realtime = pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority) == 0;
	/* OSC comes first: a port that is taken is told before anything is started */
	struct chr_osc *osc = open_osc(app, &code);
	if (!osc)
		return code;
	struct chr_patience patience;
	chr_patience_begin(&patience, &app->server);
	jack_client_t *client = enter_jack(app, argv);
	if (!client) {
		chr_patience_end(&patience);
		chr_osc_destroy(osc);
		chr_jack_stop(&app->server);
		return EX_UNAVAILABLE;
	}
	chr_jack_tell_realtime(client, realtime);
	memcpy(app->conductor.rack.prefix, app->session.prefix, sizeof app->session.prefix);
	int rc = chr_conductor_init(&app->conductor, app->patch, &app->catalog, &app->spawn, &app->jack, &app->server, client);
	chr_patience_end(&patience);
	if (rc) {
		chr_error("cannot start: %s", strerror(-rc));
		chr_osc_destroy(osc);
		chr_jack_stop(&app->server);
		return EX_OSERR;
	}
	return conduct(app, osc, argv[0]);
}

/* Loads the patch of the options and plays it. */
static int run_patch(struct app *app, char **argv)
{
	int code = load_patch(app);
	if (app->patch && app->options.check)
		printf("%s: good: %u modules, %u connections\n", app->options.patch, app->patch->module_count,
		       app->patch->edge_count);
	if (!app->patch)
		return code;
	chr_options_merge(&app->options, app->patch);
	if (app->options.verbose && !app->options.quiet)
		chr_log_set_level(CHR_LOG_DEBUG);
	settle_jack(app);
	if (!app->options.check) {
		keep_awake(app);
		code = play(app, argv);
		chr_awake_end(&app->awake);
	}
	chr_patch_destroy(app->patch);
	app->patch = NULL;
	return code;
}

/* May that file be played? The first of its errors in `why`. */
static bool is_good(void *self, const char *file, char why[CHR_TEXT_MAX])
{
	struct app *app = self;
	struct chr_patch_problems problems;
	int code;
	const char *server = app->options.server[0] ? app->options.server : "default";
	struct chr_patch *patch = chr_patch_load(file, server, chr_catalog_learn, &app->catalog, &problems, &code);
	const struct chr_patch_problem *first = problems.problem;
	if (!patch && problems.count && first->line)
		snprintf(why, CHR_TEXT_MAX, "%.100s:%u: %.140s", first->file, first->line, first->text);
	else if (!patch && problems.count)
		snprintf(why, CHR_TEXT_MAX, "%.100s: %.140s", first->file, first->text);
	chr_patch_problems_print(&problems, stderr);
	chr_patch_problems_finish(&problems);
	chr_patch_destroy(patch);
	return patch != NULL;
}

/* Plays one project of the session after the other. */
static int run_projects(struct app *app, char **argv)
{
	const struct chr_options given = app->options;
	struct chr_session *session = &app->session;
	char why[CHR_TEXT_MAX] = "";
	int code = EX_OK;
	do {
		memset(&app->conductor, 0, sizeof app->conductor);
		session->again = false;
		enum chr_nsm_code wrong = chr_session_project(session, session->file, session->prefix, why);
		if (wrong == CHR_NSM_OK && !is_good(app, session->file, why))
			wrong = CHR_NSM_BAD_PROJECT;
		if (wrong != CHR_NSM_OK) {
			chr_error("%s", why);
			chr_nsm_opened(&session->nsm, wrong, why);
			return wrong == CHR_NSM_BAD_PROJECT ? EX_DATAERR : EX_CANTCREAT;
		}
		app->options = given;
		app->options.patch = session->file;
		code = run_patch(app, argv);
	} while (code == EX_OK && session->again);
	if (code != EX_OK)
		chr_nsm_opened(&session->nsm, CHR_NSM_GENERAL, "cannot play: no JACK server, or no port for OSC (see its log)");
	return code;
}

/* Plays in the session that NSM_URL names, or without one. */
static int run(struct app *app, char **argv)
{
	const char *url = app->options.check ? NULL : getenv("NSM_URL");
	char folder[CHR_PATH_BYTES];
	app->session = (struct chr_session){.fd = -1, .given = app->options.patch, .good = is_good, .self = app};
	/* a second execution would have to announce itself again */
	if (url && !chr_jack_answers(app->options.server) && chr_jack_pipewire(folder))
		chr_jack_exec_pipewire(folder, argv);
	int rc = chr_session_begin(&app->session, url, argv[0]);
	if (rc == -EINTR)
		return EX_OK;
	if (rc == 0) {
		int code = run_projects(app, argv);
		chr_session_finish(&app->session);
		return code;
	}
	if (app->options.patch)
		return run_patch(app, argv);
	fprintf(stderr, "chronus: a patch file is needed where there is no session manager (see chronus --help)\n");
	return EX_USAGE;
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
	code = run(&app, argv);
	chr_catalog_finish(&app.catalog);
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		chr_board_unmap(app.board[lane]);
		close(app.spawn.board_fd[lane]);
	}
	chr_choice_unmap(app.choice);
	close(app.spawn.choice_fd);
	return code;
}
