#include "tests/lib/rig.h"

#include "tests/lib/leaks.h"
#include "tests/lib/server.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define START_MS    15000
#define END_MS      30000 /* 96 modules take 3 to 5 s on jackd: it lets clients go one by one */
#define TOLD_MAX    12    /* instances that do not play */
#define OPTIONS_MAX 16
#define PORT_FIRST  20000
#define PORTS       10000

#define MOMENT_MS 5 /* between two questions, */
#define INSTANCES_MS                                                                                                               \
	4 /* and as many instances take a millisecond more: their answers must not be what the supervisor is busy with */

const char *chr_rig_patch(const char *text)
{
	static char path[160];
	static unsigned serial;
	snprintf(path, sizeof path, "%s/patch-%d-%u.cfg", chr_server_folder(), (int)getpid(), ++serial);
	FILE *f = fopen(path, "w");
	if (!f)
		abort();
	fputs(text, f);
	fclose(f);
	return path;
}

const char *chr_rig_text(const char *path)
{
	static char text[2][4096];
	static unsigned next;
	char *to = text[next++ % 2];
	FILE *f = fopen(path, "r");
	if (!f)
		abort();
	to[fread(to, 1, sizeof text[0] - 1, f)] = 0;
	fclose(f);
	return to;
}

/* A UDP port that was free a moment ago, below those that the kernel gives to others by itself. */
static unsigned free_port(void)
{
	static unsigned serial;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	for (int attempt = 0; attempt < PORTS; attempt++) {
		unsigned port = PORT_FIRST + ((unsigned)getpid() * 7 + serial++) % PORTS;
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		at.sin_port = htons((unsigned short)port);
		int status = bind(fd, (struct sockaddr *)&at, sizeof at);
		close(fd);
		if (status == 0)
			return port;
	}
	abort();
}

int chr_rig_spawn(struct chr_rig *rig, const char *patch, const char *const *options)
{
	static unsigned serial;
	char port[16];
	char *argv[OPTIONS_MAX + 3] = {(char *)CHR_BUILD "/chronus"};
	int count = 1;
	while (options && *options && count <= OPTIONS_MAX)
		argv[count++] = (char *)*options++;
	argv[count] = (char *)patch;
	rig->port = free_port();
	snprintf(port, sizeof port, "%u", rig->port);
	setenv("CHRONUS_OSC_PORT", port, 1);
	snprintf(rig->log, sizeof rig->log, "%s/chronus-%d-%u.log", chr_server_folder(), (int)getpid(), ++serial);
	if (chr_peer_open(&rig->peer, rig->port) < 0)
		return -1;
	return chr_child_start(&rig->child, argv, rig->log) < 0 ? -1 : 0;
}

int chr_rig_start(struct chr_rig *rig, const char *patch)
{
	return chr_rig_spawn(rig, patch, NULL) < 0 ? -1 : chr_rig_wait_playing(rig, START_MS);
}

static bool all_playing(const struct chr_rig_status *status)
{
	for (unsigned i = 0; i < status->count; i++)
		if (strcmp(status->instance[i].state, "playing") != 0)
			return false;
	return status->count > 0 && strcmp(status->jack, "playing") == 0;
}

static void pause_for(unsigned instances)
{
	const struct timespec moment = {.tv_nsec = 1000000L * (MOMENT_MS + instances / INSTANCES_MS)};
	nanosleep(&moment, NULL);
}

int chr_rig_wait_playing(struct chr_rig *rig, int timeout_ms)
{
	struct chr_rig_status status = {0};
	for (long long end = chr_now_ms() + timeout_ms; chr_now_ms() < end; pause_for(status.count)) {
		if (chr_child_ended(&rig->child, 0)) {
			fprintf(stderr, "chronus has ended with code %d:\n", chr_child_code(&rig->child));
			chr_log_show(rig->log);
			return -1;
		}
		if (chr_peer_barrier(&rig->peer, 50) && chr_rig_status(rig, &status) == 0 && all_playing(&status))
			return 0;
	}
	fprintf(stderr, "chronus does not play (jack %s):\n", status.jack);
	for (unsigned i = 0, told = 0; i < status.count && told < TOLD_MAX; i++)
		if (strcmp(status.instance[i].state, "playing") != 0 && ++told)
			fprintf(stderr, "  %s/%s %s\n", status.instance[i].module, status.instance[i].lane,
				status.instance[i].state);
	chr_log_show(rig->log);
	return -1;
}

static void copy_text(char *to, size_t bytes, const struct chr_reply *reply, const char *key)
{
	snprintf(to, bytes, "%s", chr_reply_string(reply, chr_reply_key(reply, key)));
}

static double number_of(const struct chr_reply *reply, const char *key)
{
	return chr_reply_number(reply, chr_reply_key(reply, key));
}

static void take_instance(struct chr_rig_instance *to, const struct chr_reply *reply)
{
	copy_text(to->module, sizeof to->module, reply, "module");
	copy_text(to->lane, sizeof to->lane, reply, "lane");
	copy_text(to->client, sizeof to->client, reply, "client");
	copy_text(to->state, sizeof to->state, reply, "state");
	to->pid = (pid_t)number_of(reply, "pid");
	to->restarts = (long)number_of(reply, "restarts");
	to->applied = number_of(reply, "applied");
	to->joins = number_of(reply, "joins");
}

static void take_status(struct chr_rig_status *status, const struct chr_reply *reply)
{
	if (strcmp(reply->path, "/chronus/status") == 0) {
		copy_text(status->jack, sizeof status->jack, reply, "jack");
		status->supervisor = (pid_t)number_of(reply, "pid");
	} else if (strcmp(reply->path, "/chronus/status/instance") == 0 && status->count < CHR_RIG_INSTANCES) {
		take_instance(&status->instance[status->count++], reply);
	} else if (strcmp(reply->path, "/chronus/status/totals") == 0) {
		status->received = number_of(reply, "received");
		status->applied = number_of(reply, "applied");
		status->late = number_of(reply, "late");
		status->coalesced = number_of(reply, "coalesced");
		status->errors = number_of(reply, "errors");
		status->dropped = number_of(reply, "dropped");
	}
}

int chr_rig_status(struct chr_rig *rig, struct chr_rig_status *status)
{
	int messages = 0;
	memset(status, 0, sizeof *status);
	chr_peer_send(&rig->peer, "/chronus/status", "");
	for (struct chr_reply reply; chr_peer_receive(&rig->peer, 2000, &reply);) {
		bool end = strcmp(reply.path, "/chronus/status/end") == 0;
		int told = end ? (int)chr_reply_number(&reply, 0) : 0;
		if (strncmp(reply.path, "/chronus/status", 15) == 0 && !end)
			messages++;
		take_status(status, &reply);
		chr_reply_finish(&reply);
		if (end)
			return told == messages ? 0 : -1;
	}
	return -1;
}

const struct chr_rig_instance *chr_rig_find(const struct chr_rig_status *status, const char *module, const char *lane)
{
	for (unsigned i = 0; i < status->count; i++)
		if (strcmp(status->instance[i].module, module) == 0 && strcmp(status->instance[i].lane, lane) == 0)
			return &status->instance[i];
	return NULL;
}

const char *chr_rig_printed(const struct chr_rig *rig)
{
	static char text[65536];
	FILE *f = fopen(rig->log, "r");
	if (!f) {
		perror(rig->log);
		abort();
	}
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	return text;
}

int chr_rig_stop(struct chr_rig *rig)
{
	pid_t pid = rig->child.pid;
	bool willing = chr_child_ask_end(&rig->child, END_MS);
	if (!willing) { /* its modules would play on, and hold their names */
		fprintf(stderr, "chronus did not end within %d s\n", END_MS / 1000);
		kill(pid, SIGSTOP);
		chr_children_kill(pid);
		chr_child_end(&rig->child, 0);
	}
	if (rig->peer.fd >= 0)
		chr_peer_close(&rig->peer);
	return willing ? chr_child_code(&rig->child) : -1;
}
