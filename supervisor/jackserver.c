#include "supervisor/jackserver.h"

#include "common/clock.h"
#include "common/hurry.h"
#include "common/log.h"
#include "supervisor/graph.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <jack/thread.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_WAIT_US  5000000u
#define REQUEST_NICE   (-11) /* of the thread that repairs wait for; jackd makes it without realtime priority */
#define STOP_WAIT_US   400000u
#define PIPEWIRE_PROPS "PIPEWIRE_PROPS"       /* properties of PipeWire's clients: a list of "name = value", in braces or not */
#define PIPEWIRE_MARK  "CHRONUS_JACK_LIBRARY" /* set in the second execution */

static void say_nothing(const char *text)
{
	(void)text;
}

static void say_in_log(const char *text)
{
	chr_debug("jack: %s", text);
}

static void let_speak(void (*say)(const char *text))
{
	jack_set_error_function(say);
	jack_set_info_function(say);
}

/* jackd's word for an exact name that is taken arrives as JackServerError, without JackNameNotUnique. */
static bool refused(jack_status_t status)
{
	return status & (JackNameNotUnique | JackServerError) && !(status & (JackServerFailed | JackVersionError));
}

void chr_jack_prepare(void)
{
	const char *given = getenv(PIPEWIRE_PROPS);
	char text[4096];
	given = given ? given + strspn(given, " ") : "";
	bool braces = *given == '{';
	/* what was given comes last and counts */
	size_t length = (size_t)snprintf(text, sizeof text, "jack.locked-process = false %s", given + braces);
	if (length >= sizeof text)
		return;
	char *end = braces ? strrchr(text, '}') : NULL;
	if (end)
		*end = 0;
	setenv(PIPEWIRE_PROPS, text, 1);
}

bool chr_jack_is_pipewire(void)
{
	return strstr(jack_get_version_string(), "PipeWire");
}

jack_client_t *chr_jack_probe(const char *server, const char *name, bool *taken)
{
	jack_status_t status = 0;
	jack_set_thread_creator(chr_hurry_create_listener);
	let_speak(say_nothing);
	chr_log_hush(); /* the database of metadata has a voice of its own */
	jack_options_t options = JackNoStartServer | JackUseExactName;
	jack_client_t *client = *server ? jack_client_open(name, options | JackServerName, &status, server)
					: jack_client_open(name, options, &status);
	jack_set_thread_creator(chr_hurry_create);
	chr_log_unhush();
	let_speak(say_in_log);
	*taken = !client && refused(status);
	return client;
}

bool chr_jack_answers(const char *server)
{
	char name[CHR_CLIENT_MAX];
	bool taken;
	snprintf(name, sizeof name, "chronus.%d", (int)getpid());
	jack_client_t *client = chr_jack_probe(server, name, &taken);
	if (client)
		jack_client_close(client);
	return client != NULL;
}

bool chr_jack_has_client(const char *const *ports, const char *name)
{
	size_t length = strlen(name);
	for (; ports && *ports; ports++)
		if (!strncmp(*ports, name, length) && (*ports)[length] == ':')
			return true;
	return false;
}

static bool answers(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return false;
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	if (fd >= 0)
		close(fd);
	return yes;
}

static bool session_runs(void)
{
	const char *folder = getenv("PIPEWIRE_RUNTIME_DIR");
	if (!folder)
		folder = getenv("XDG_RUNTIME_DIR");
	const char *remote = getenv("PIPEWIRE_REMOTE");
	char path[CHR_PATH_BYTES];
	if (!folder || !*folder)
		return false;
	snprintf(path, sizeof path, "%s/%s", folder, remote && *remote ? remote : "pipewire-0");
	return answers(path);
}

bool chr_jack_pipewire(char folder[CHR_PATH_BYTES])
{
	static const char *const places[] = {"/usr/lib/*/pipewire-0.3/jack/libjack.so.0",
					     "/usr/lib64/pipewire-0.3/jack/libjack.so.0",
					     "/usr/lib/pipewire-0.3/jack/libjack.so.0"};
	if (getenv(PIPEWIRE_MARK) || !session_runs())
		return false;
	for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
		glob_t found = {0};
		bool any = glob(places[i], 0, NULL, &found) == 0 && found.gl_pathc > 0;
		if (any) {
			snprintf(folder, CHR_PATH_BYTES, "%s", found.gl_pathv[0]);
			*strrchr(folder, '/') = 0;
		}
		globfree(&found);
		if (any)
			return true;
	}
	return false;
}

int chr_jack_exec_pipewire(const char *folder, char **argv)
{
	const char *before = getenv("LD_LIBRARY_PATH");
	char path[2 * CHR_PATH_BYTES];
	snprintf(path, sizeof path, "%s%s%s", folder, before && *before ? ":" : "", before ? before : "");
	setenv("LD_LIBRARY_PATH", path, 1);
	setenv(PIPEWIRE_MARK, "pipewire", 1);
	execv("/proc/self/exe", argv);
	return -errno;
}

static bool realtime_permitted(void)
{
	struct rlimit limit;
	return geteuid() == 0 ||
	       (getrlimit(RLIMIT_RTPRIO, &limit) == 0 && (limit.rlim_cur >= 70 || limit.rlim_cur == RLIM_INFINITY));
}

static bool has_card(void)
{
	glob_t found = {0};
	bool any = glob("/dev/snd/pcmC*D*p", 0, NULL, &found) == 0 && found.gl_pathc > 0;
	globfree(&found);
	return any;
}

static const char *device_of(const struct chr_jack_settings *settings)
{
	return settings->device[0] ? settings->device : has_card() ? "hw:0" : "dummy";
}

static int spawn(struct chr_jack_server *server, const struct chr_jack_settings *settings)
{
	char rate[16], period[16], ports[16];
	const char *device = device_of(settings);
	snprintf(rate, sizeof rate, "%u", settings->rate ? settings->rate : 48000);
	snprintf(period, sizeof period, "%u", settings->period ? settings->period : 256);
	snprintf(ports, sizeof ports, "-p%u", settings->ports);
	const char *argv[32] = {"jackd", "-n", settings->server[0] ? settings->server : "default"};
	int n = 3;
	argv[n++] = realtime_permitted() ? "-R" : "-r";
	if (realtime_permitted())
		argv[n++] = "-P70";
	argv[n++] = "-t1";
	argv[n++] = ports;
	argv[n++] = "-d";
	bool dummy = !strcmp(device, "dummy");
	argv[n++] = dummy ? "dummy" : "alsa";
	if (!dummy) {
		argv[n++] = "-d";
		argv[n++] = device;
	}
	argv[n++] = "-r";
	argv[n++] = rate;
	argv[n++] = "-p";
	argv[n++] = period;
	argv[n] = NULL;

	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setschedpolicy(&attr, SCHED_OTHER);
	posix_spawnattr_setschedparam(&attr, &(struct sched_param){0});
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSCHEDULER);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (!settings->verbose) {
		posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
		posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	}
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	int rc = posix_spawnp(&server->pid, "jackd", &actions, &attr, (char **)argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		server->pid = 0;
	else
		setpriority(PRIO_PROCESS, (id_t)server->pid, REQUEST_NICE); /* where it is permitted */
	return -rc;
}

static bool gone(struct chr_jack_server *server)
{
	if (server->pid && waitpid(server->pid, NULL, WNOHANG) == server->pid)
		server->pid = 0;
	return server->pid == 0;
}

jack_client_t *chr_jack_start(struct chr_jack_server *server, const struct chr_jack_settings *settings, char *why, size_t why_bytes)
{
	int rc = spawn(server, settings);
	if (rc) {
		snprintf(why, why_bytes,
			 "no JACK server answers and jackd cannot be started (%s): install the package jackd2, or start a JACK "
			 "server",
			 strerror(-rc));
		return NULL;
	}
	uint64_t deadline = chr_monotonic_us() + START_WAIT_US;
	while (chr_monotonic_us() < deadline && !gone(server)) {
		bool taken;
		jack_client_t *client = chr_jack_probe(settings->server, settings->client, &taken);
		if (client) {
			chr_jack_hurry(server);
			return client;
		}
		poll(NULL, 0, 10);
	}
	snprintf(why, why_bytes,
		 "jackd %s on %s: chronus --verbose shows what it says; or choose another device (--device dummy plays without a "
		 "sound "
		 "card)",
		 server->pid ? "was started but does not answer" : "ended at once", device_of(settings));
	chr_jack_stop(server);
	return NULL;
}

void chr_jack_tell_started(const struct chr_jack_settings *jack)
{
	const char *device = device_of(jack);
	if (strcmp(device, "dummy") != 0)
		chr_info("no JACK server answered: started jackd on %s", device);
	else if (jack->device[0])
		chr_info("no JACK server answered: started jackd with the dummy driver");
	else
		chr_warn("no JACK server answered and there is no sound card: started jackd with the dummy driver, which nobody "
			 "hears");
}

/* PipeWire's clients may get realtime scheduling from a service of the system although their user has no right to it. */
void chr_jack_tell_realtime(jack_client_t *client, bool permitted)
{
	if (!permitted && !chr_jack_is_pipewire())
		chr_warn("no right to realtime scheduling: a busy machine will be heard (on Debian: sudo dpkg-reconfigure -p high "
			 "jackd2; "
			 "sudo adduser $USER audio; log in anew)");
	else if (!jack_is_realtime(client))
		chr_warn("the JACK server runs without realtime scheduling: a busy machine will be heard");
}

void chr_jack_hurry(const struct chr_jack_server *server)
{
	if (server->pid && !chr_hurry_process(server->pid))
		chr_debug("jackd's requests have no realtime priority");
}

void chr_jack_stop(struct chr_jack_server *server)
{
	if (gone(server))
		return;
	kill(server->pid, SIGTERM);
	uint64_t deadline = chr_monotonic_us() + STOP_WAIT_US;
	while (!gone(server) && chr_monotonic_us() < deadline)
		poll(NULL, 0, 5);
	if (gone(server))
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
}

bool chr_jack_restart(struct chr_jack_server *server, const struct chr_jack_settings *settings)
{
	bool owned = server->pid != 0;
	return owned && gone(server) && spawn(server, settings) == 0;
}
