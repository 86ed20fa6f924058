#include "tests/lib/server.h"

#include "common/hurry.h"
#include "tests/lib/child.h"

#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 15000

enum { DBUS, PIPEWIRE, WIREPLUMBER, JACKD = 0, PARTS = 3 };

static struct {
	enum chr_server_kind kind;
	unsigned period;
	char name[64], folder[64];
	struct chr_child part[PARTS];
} server;

static unsigned port_most = 512;

static const struct timespec moment = {.tv_nsec = 10000000}; /* between two looks at something that cannot wake us */

enum chr_server_kind chr_server_kind(void)
{
	return server.kind;
}

unsigned chr_server_period(void)
{
	return server.period;
}

const char *chr_server_folder(void)
{
	return server.folder;
}

const char *chr_server_name(void)
{
	return server.name;
}

int chr_server_pid(void)
{
	return server.kind == CHR_SERVER_JACKD ? server.part[JACKD].pid : 0;
}

static int quiet_program(char *const argv[])
{
	struct chr_child child;
	if (chr_child_start(&child, argv, "/dev/null") < 0 || !chr_child_ended(&child, 3000)) {
		chr_child_end(&child, 0);
		return -1;
	}
	return chr_child_code(&child);
}

static int repeat_until_done(char *const argv[])
{
	for (long long end = chr_now_ms() + PATIENCE_MS; chr_now_ms() < end; nanosleep(&moment, NULL))
		if (quiet_program(argv) == 0)
			return 0;
	return -1;
}

static int part_start(int part, const char *log, char *const argv[])
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", server.folder, log);
	return chr_child_start(&server.part[part], argv, path);
}

static void show_log(const char *log)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", server.folder, log);
	chr_log_show(path);
}

static int wait_for_file(const char *path, bool with_bytes)
{
	struct stat st;
	for (long long end = chr_now_ms() + PATIENCE_MS; chr_now_ms() < end; nanosleep(&moment, NULL))
		if (stat(path, &st) == 0 && (!with_bytes || st.st_size > 0))
			return 0;
	return -1;
}

/* ---- jackd ---- */

void chr_server_set_ports(unsigned ports)
{
	port_most = ports;
}

int chr_server_restart(unsigned period)
{
	char frames[16], ports[16];
	snprintf(frames, sizeof frames, "%u", period);
	snprintf(ports, sizeof ports, "%u", port_most);
	char *argv[] = {"jackd", "-n", server.name, "-R", "-P70",  "-t", "1",    "-p",
			ports,   "-d", "dummy",     "-r", "48000", "-p", frames, NULL};
	char *answers[] = {"sh", "-c", "jack_wait -s \"$0\" -c 2>/dev/null | grep -qx running", server.name, NULL};
	server.period = period;
	if (part_start(JACKD, "jackd.log", argv) < 0 || repeat_until_done(answers) != 0 ||
	    chr_child_ended(&server.part[JACKD], 0)) {
		fprintf(stderr, "jackd does not answer:\n");
		show_log("jackd.log");
		return -1;
	}
	if (!getenv(CHR_SERVER_PLAIN_ENV))
		chr_hurry_process(server.part[JACKD].pid);
	return 0;
}

static int jackd_start(unsigned period)
{
	snprintf(server.name, sizeof server.name, "chrtest%d", (int)getpid());
	setenv("JACK_DEFAULT_SERVER", server.name, 1);
	setenv("JACK_NO_START_SERVER", "1", 1);
	setenv("CHRONUS_JACK_SERVER", server.name, 1);
	/* A session of the machine's own must not be taken for the server. */
	setenv("XDG_RUNTIME_DIR", server.folder, 1);
	return chr_server_restart(period);
}

void chr_server_private_shm(void)
{
	/* Without the right to do so the tests share /dev/shm with the machine's servers, of which JACK allows eight. */
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
		return;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, NULL);
}

void chr_server_kill(void)
{
	kill(server.part[JACKD].pid, SIGKILL);
	chr_child_ended(&server.part[JACKD], 10000);
}

/* ---- PipeWire ---- */

static int bus_start(void)
{
	char path[128], address[256] = "";
	snprintf(path, sizeof path, "%s/bus.address", server.folder);
	char *argv[] = {"sh", "-c", "exec dbus-daemon --session --nofork --print-address=3 3>\"$XDG_RUNTIME_DIR/bus.address\"",
			NULL};
	if (part_start(DBUS, "bus.log", argv) < 0 || wait_for_file(path, true) < 0)
		return -1;
	FILE *f = fopen(path, "r");
	if (!f)
		return -1;
	if (!fgets(address, sizeof address, f))
		address[0] = '\0';
	fclose(f);
	address[strcspn(address, "\n")] = '\0';
	return setenv("DBUS_SESSION_BUS_ADDRESS", address, 1);
}

static int sink_start(unsigned period)
{
	char frames[16], path[128];
	snprintf(path, sizeof path, "%s/pipewire-0", server.folder);
	snprintf(frames, sizeof frames, "%u", period);
	char *pipewire[] = {"pipewire", NULL}, *wireplumber[] = {"wireplumber", NULL};
	char *sink[] = {"pw-cli", "create-node", "adapter",
			"{ factory.name=support.null-audio-sink node.name=null media.class=Audio/Sink object.linger=true "
			"audio.position=[FL FR] }",
			NULL};
	char *quantum[] = {"pw-metadata", "-n", "settings", "0", "clock.force-quantum", frames, NULL};
	char *rate[] = {"pw-metadata", "-n", "settings", "0", "clock.force-rate", "48000", NULL};
	char *ports[] = {"sh", "-c", "pw-jack jack_lsp | grep -q playback", NULL};
	if (part_start(PIPEWIRE, "pipewire.log", pipewire) < 0 || wait_for_file(path, false) < 0)
		return -1;
	if (part_start(WIREPLUMBER, "wireplumber.log", wireplumber) < 0 || repeat_until_done(sink) < 0)
		return -1;
	if (repeat_until_done(quantum) < 0 || repeat_until_done(rate) < 0)
		return -1;
	return repeat_until_done(ports);
}

/* The session must leave the machine's sound cards and radios alone. The two forms are those of WirePlumber 0.4 and 0.5. */
static int write_config(void)
{
	static const struct {
		const char *path, *text;
	} file[] = {
		{"wireplumber/main.lua.d/51-off.lua",
		 "alsa_monitor.enabled = false\nv4l2_monitor.enabled = false\nlibcamera_monitor.enabled = false\n"},
		{"wireplumber/bluetooth.lua.d/51-off.lua", "bluez_monitor.enabled = false\n"},
		{"wireplumber/wireplumber.conf.d/51-off.conf", "wireplumber.profiles = { main = { hardware.audio = disabled "
							       "hardware.bluetooth = disabled hardware.video-capture = disabled "
							       "support.logind = disabled } }\n"},
	};
	for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
		char path[192];
		snprintf(path, sizeof path, "%s/%s", server.folder, file[i].path);
		for (char *slash = path + strlen(server.folder) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
			*slash = '\0';
			mkdir(path, 0700);
		}
		FILE *f = fopen(path, "w");
		if (!f)
			return -1;
		fputs(file[i].text, f);
		fclose(f);
	}
	setenv("XDG_CONFIG_HOME", server.folder, 1);
	return setenv("XDG_STATE_HOME", server.folder, 1);
}

static int pipewire_start(unsigned period)
{
	server.name[0] = '\0';
	server.period = period;
	setenv("XDG_RUNTIME_DIR", server.folder, 1);
	setenv("PIPEWIRE_RUNTIME_DIR", server.folder, 1);
	unsetenv("DISPLAY");
	unsetenv("JACK_DEFAULT_SERVER");
	unsetenv("CHRONUS_JACK_SERVER");
	if (write_config() == 0 && bus_start() == 0 && sink_start(period) == 0)
		return 0;
	fprintf(stderr, "the PipeWire session does not come up:\n");
	show_log("pipewire.log");
	show_log("wireplumber.log");
	return -1;
}

/* ---- both ---- */

int chr_server_start(enum chr_server_kind kind, unsigned period)
{
	server.kind = kind;
	snprintf(server.folder, sizeof server.folder, "/tmp/chronus-test-XXXXXX");
	if (!mkdtemp(server.folder))
		return -1;
	int status = kind == CHR_SERVER_JACKD ? jackd_start(period) : pipewire_start(period);
	if (status < 0)
		chr_server_stop();
	return status;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

bool chr_server_stop(void)
{
	bool willing = true;
	for (int i = PARTS - 1; i >= 0; i--)
		willing &= chr_child_end(&server.part[i], 5000);
	if (server.folder[0] && !getenv("CHRONUS_TEST_KEEP"))
		nftw(server.folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	server.folder[0] = '\0';
	return willing;
}
