#include "tests/tools/double.h"

#include <arpa/inet.h>
#include <lo/lo.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NOTES_MAX 4096
#define PARAMS    (sizeof param / sizeof param[0])
#define MODULES   (sizeof module / sizeof module[0])

static const struct {
	const char *name, *type, *help;
} module[] = {
	{"out", "out", "the patch's audio output"},
	{"osc1", "sine", "sine oscillator"},
	{"env1", "adsr", "envelope and the amplifier it drives"},
	{"filt1", "biquad", "second-order filter with the RBJ responses"},
};

static const struct {
	const char *type, *name, *unit;
	float min, max, initial, value;
	const char *scale, *choices, *help;
} param[] = {
	{"sine", "freq", "Hz", 0.1f, 20000, 440, 440.3f, "log", "", "frequency at 0 V"},
	{"sine", "level", "", 0, 1, 1, 0.5f, "linear", "", "amplitude"},
	{"adsr", "attack", "s", 0.0001f, 20, 0.01f, 0.005f, "log", "", "time from silence to the peak"},
	{"adsr", "gate", "", 0, 1, 0, 0, "toggle", "", "a gate beside the gate input"},
	{"biquad", "cutoff", "Hz", 10, 20000, 1000, 1200, "log", "", "corner or centre frequency at 0 V"},
	{"biquad", "mode", "", 0, 2, 0, 0, "choice", "lowpass|highpass|bandpass", "response"},
};

struct chr_double {
	struct chr_double_faults faults;
	int fd;
	unsigned port, pings;
	pthread_t thread;
	struct sockaddr_in client; /* who asked last */
	pthread_mutex_t lock;      /* of the notes */
	pthread_cond_t more;
	char *note[NOTES_MAX];
	unsigned notes;
	unsigned sent; /* messages of the answer so far, lost ones too */
};

/* Sends `m` and frees it. */
static void reply(struct chr_double *d, const char *path, lo_message m)
{
	char data[4096];
	size_t bytes = sizeof data;
	bool lost = d->faults.lose > 0 && d->sent == 0 && strcmp(path, "/chronus/pong") != 0;
	d->sent++;
	if (lost)
		d->faults.lose--;
	else if (lo_message_serialise(m, path, data, &bytes))
		sendto(d->fd, data, bytes, MSG_NOSIGNAL, (struct sockaddr *)&d->client, sizeof d->client);
	lo_message_free(m);
}

#define REPLY(path, ...)                                                                                                           \
	do {                                                                                                                       \
		lo_message m_ = lo_message_new();                                                                                  \
		lo_message_add(m_, __VA_ARGS__);                                                                                   \
		reply(d, path, m_);                                                                                                \
	} while (0)

static void end(struct chr_double *d, const char *path)
{
	unsigned sent = d->sent;
	REPLY(path, "i", (int)sent);
}

static void error(struct chr_double *d, const char *path, const char *reason)
{
	REPLY("/chronus/error", "ss", path, reason);
}

static void status(struct chr_double *d)
{
	const char *name = d->faults.hostile ? "\033[31mvoice\007" : "voice";
	REPLY("/chronus/status", "sssssisssisisssfsssdsssssssisisisi", "patch", name, "file", "patches/voice.cfg", "lanes",
	      (int)d->faults.lanes, "server", "default", "rate", 48000, "period", 256, "jack",
	      d->faults.jack_lost ? "lost" : "playing", "tempo", 120.0f, "timing", "steady", "uptime", 3723.5, "version", "0.1.0",
	      "lane.a", "playing", "lane.b", d->faults.lanes == 2 ? "whole" : "", "joins", 2, "audits", 3, "divergences", 0,
	      "xruns", 1);
	for (unsigned i = 0; i < MODULES; i++) {
		bool stuck = d->faults.jack_lost && i == 2;
		for (unsigned lane = 0; lane < d->faults.lanes; lane++) {
			lo_message m = lo_message_new();
			lo_message_add(m, "sssssssisssisfsfsisisi", "module", module[i].name, "lane", lane ? "b" : "a", "client",
				       module[i].name, "pid", (int)(stuck ? 0 : 4700 + 10 * lane + i), "state",
				       stuck ? "quarantined" : "playing", "restarts", stuck ? 5 : 0, "load", 0.034f, "worst_ms",
				       0.21f, "ports", 4, "applied", 12, "late", 0);
			lo_message_add(m, "sisisisdsi", "nonfinite", 0, "skipped", 0, "joins", 0, "since", 60.5, "meter.clips",
				       i == 0 ? 3 : 0);
			if (d->faults.hostile)
				lo_message_add(m, "sssh", "future.key", "x\x1b[2Jy", "future.count", (int64_t)1 << 40);
			reply(d, "/chronus/status/instance", m);
		}
		REPLY("/chronus/status/module", "sssssi", "name", module[i].name, "type", module[i].type, "quarantined",
		      (int)stuck);
	}
	REPLY("/chronus/status/totals", "shshshshshsh", "received", (int64_t)10, "applied", (int64_t)20, "late", (int64_t)0,
	      "coalesced", (int64_t)0, "errors", (int64_t)1, "dropped", (int64_t)0);
	end(d, "/chronus/status/end");
}

static void modules(struct chr_double *d)
{
	for (unsigned i = 0; i < MODULES; i++)
		REPLY("/chronus/modules/module", "ss", module[i].name, module[i].type);
	end(d, "/chronus/modules/end");
}

static void describe(struct chr_double *d, const char *which)
{
	for (unsigned i = 0; i < MODULES; i++) {
		const char *type = module[i].type;
		if (which && strcmp(which, type) != 0 && strcmp(which, module[i].name) != 0)
			continue;
		REPLY("/chronus/describe/type", "sssssi", "name", type, "help", module[i].help, "state_bytes", 64);
		static const char *const port[] = {"out", "in"};
		for (unsigned p = 0; p < (strcmp(type, "adsr") == 0 ? 2 : 1); p++)
			REPLY("/chronus/describe/port", "ssssssssss", "type", type, "name", port[p], "direction", port[p], "signal",
			      "audio", "help", "the signal");
		for (unsigned p = 0; p < PARAMS; p++)
			if (strcmp(param[p].type, type) == 0)
				REPLY("/chronus/describe/param", "sssssssfsfsfsssssfss", "type", type, "name", param[p].name,
				      "unit", param[p].unit, "min", param[p].min, "max", param[p].max, "initial", param[p].initial,
				      "scale", param[p].scale, "choices", param[p].choices, "smooth_ms", 5.0f, "help",
				      param[p].help);
	}
	if (which && d->sent == 0)
		error(d, "/chronus/describe", "no such type or module");
	else
		end(d, "/chronus/describe/end");
}

static void subscribe(struct chr_double *d, int asked)
{
	unsigned granted = d->faults.lease_s ? d->faults.lease_s : (unsigned)asked;
	REPLY("/chronus/subscribed", "i", (int)granted);
	REPLY("/osc1/freq", "f", 330.25f);
	REPLY("/filt1/mode", "s", "bandpass");
	REPLY("/chronus/state", "sss", "osc1", "a", "starting");
}

static void tell_param(struct chr_double *d, const char *path, unsigned p)
{
	const char *choices = param[p].choices;
	if (strcmp(param[p].scale, "toggle") == 0) {
		REPLY(path, "i", (int)param[p].value);
	} else if (*choices) {
		char first[64];
		snprintf(first, sizeof first, "%.*s", (int)strcspn(choices, "|"), choices);
		REPLY(path, "s", first);
	} else {
		REPLY(path, "f", param[p].value);
	}
}

/* Numbers are copied out: liblo's unions are aligned to four bytes alone. */
static float as_float(const void *argument)
{
	float value;
	memcpy(&value, argument, sizeof value);
	return value;
}

static int as_int(const void *argument)
{
	int value;
	memcpy(&value, argument, sizeof value);
	return value;
}

/* NULL, or why the value is refused. */
static const char *check(unsigned p, const char *types, lo_arg **argv)
{
	bool truth = types[0] == 'T' || types[0] == 'F';
	if (types[0] == 's')
		return *param[p].choices && strstr(param[p].choices, (const char *)argv[0]) ? NULL : "no such choice";
	if (types[0] != 'f' && !truth)
		return "wrong type";
	float value = truth ? (float)(types[0] == 'T') : as_float(argv[0]);
	if (value >= param[p].min && value <= param[p].max)
		return NULL;
	return p == 0 ? "osc1/freq: out of range" : "out of range";
}

static void parameters(struct chr_double *d, const char *path, const char *types, lo_arg **argv)
{
	unsigned matches = 0;
	for (unsigned i = 0; i < MODULES; i++) {
		for (unsigned p = 0; p < PARAMS; p++) {
			char full[128];
			snprintf(full, sizeof full, "/%s/%s", module[i].name, param[p].name);
			if (strcmp(param[p].type, module[i].type) != 0 || !lo_pattern_match(full, path))
				continue;
			matches++;
			const char *wrong = *types ? check(p, types, argv) : NULL;
			if (wrong)
				error(d, path, wrong);
			else if (!*types)
				tell_param(d, full, p);
		}
	}
	if (matches == 0)
		error(d, path, "no such parameter");
}

static void system_space(struct chr_double *d, const char *path, const char *types, lo_arg **argv, lo_message m)
{
	const char *word = types[0] == 's' ? (const char *)argv[0] : NULL;
	if (strcmp(path, "/chronus/ping") == 0) {
		reply(d, "/chronus/pong", lo_message_clone(m));
		d->faults.silent |= d->faults.pings > 0 && ++d->pings >= d->faults.pings;
	} else if (strcmp(path, "/chronus/status") == 0) {
		status(d);
	} else if (strcmp(path, "/chronus/modules") == 0) {
		modules(d);
	} else if (strcmp(path, "/chronus/describe") == 0) {
		describe(d, word);
	} else if (strcmp(path, "/chronus/subscribe") == 0) {
		subscribe(d, types[0] == 'i' ? as_int(argv[0]) : 60);
	} else if (strcmp(path, "/chronus/restart") == 0 && (!word || strcmp(word, "osc1") != 0)) {
		error(d, path, "no such module");
	} else if (strcmp(path, "/chronus/restart") == 0) {
		REPLY("/chronus/done", "ss", path, word);
	} else if (strcmp(path, "/chronus/quit") == 0) {
		REPLY("/chronus/done", "s", path);
	} else if (strcmp(path, "/chronus/unsubscribe") != 0) {
		error(d, path, "no such address");
	}
}

static void note(struct chr_double *d, const char *path, const char *types, lo_arg **argv)
{
	char text[512];
	int used = snprintf(text, sizeof text, "%s %s", path, types);
	for (int i = 0; types[i] && used < 400; i++) {
		if (types[i] == 'f')
			used += snprintf(text + used, 64, " %g", (double)as_float(argv[i]));
		else if (types[i] == 'i')
			used += snprintf(text + used, 64, " %d", as_int(argv[i]));
		else if (types[i] == 's')
			used += snprintf(text + used, 64, " %.60s", (const char *)argv[i]);
	}
	pthread_mutex_lock(&d->lock);
	if (d->notes < NOTES_MAX)
		d->note[d->notes++] = strdup(text);
	pthread_cond_broadcast(&d->more);
	pthread_mutex_unlock(&d->lock);
}

static void *serve(void *arg)
{
	struct chr_double *d = arg;
	char data[4096];
	for (;;) {
		socklen_t length = sizeof d->client;
		ssize_t bytes = recvfrom(d->fd, data, sizeof data, 0, (struct sockaddr *)&d->client, &length);
		if (bytes <= 0)
			return NULL;
		int result = 0;
		const char *path = lo_get_path(data, bytes);
		lo_message m = path ? lo_message_deserialise(data, (size_t)bytes, &result) : NULL;
		if (!m)
			continue;
		const char *types = lo_message_get_types(m);
		lo_arg **argv = lo_message_get_argv(m);
		note(d, path, types, argv);
		d->sent = 0;
		if (d->faults.hostile && !d->faults.silent)
			sendto(d->fd, "/junk\0\0\0,ffff\0\0\0\1", 17, MSG_NOSIGNAL, (struct sockaddr *)&d->client,
			       sizeof d->client);
		if (!d->faults.silent && strncmp(path, "/chronus/", 9) == 0)
			system_space(d, path, types, argv, m);
		else if (!d->faults.silent)
			parameters(d, path, types, argv);
		lo_message_free(m);
	}
}

static void must(bool fine, const char *what)
{
	if (!fine) {
		perror(what);
		exit(EXIT_FAILURE);
	}
}

struct chr_double *chr_double_start(const struct chr_double_faults *faults)
{
	struct chr_double *d = calloc(1, sizeof *d);
	must(d, "calloc");
	if (faults)
		d->faults = *faults;
	if (d->faults.lanes == 0)
		d->faults.lanes = 1;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	d->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(d->fd >= 0 && bind(d->fd, (struct sockaddr *)&address, length) == 0, "bind");
	must(getsockname(d->fd, (struct sockaddr *)&address, &length) == 0, "getsockname");
	d->port = ntohs(address.sin_port);
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->more, NULL);
	must(pthread_create(&d->thread, NULL, serve, d) == 0, "pthread_create");
	return d;
}

void chr_double_stop(struct chr_double *d)
{
	shutdown(d->fd, SHUT_RDWR);
	pthread_join(d->thread, NULL);
	close(d->fd);
	for (unsigned i = 0; i < d->notes; i++)
		free(d->note[i]);
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->more);
	free(d);
}

unsigned chr_double_port(const struct chr_double *d)
{
	return d->port;
}

static unsigned count_locked(const struct chr_double *d, const char *text)
{
	unsigned count = 0;
	for (unsigned i = 0; i < d->notes; i++)
		count += strncmp(d->note[i], text, strlen(text)) == 0;
	return count;
}

unsigned chr_double_count(struct chr_double *d, const char *text)
{
	pthread_mutex_lock(&d->lock);
	unsigned count = count_locked(d, text);
	pthread_mutex_unlock(&d->lock);
	return count;
}

bool chr_double_heard(struct chr_double *d, const char *text, unsigned times)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	int waited = 0;
	pthread_mutex_lock(&d->lock);
	while (count_locked(d, text) < times && waited == 0)
		waited = pthread_cond_timedwait(&d->more, &d->lock, &until);
	bool heard = count_locked(d, text) >= times;
	pthread_mutex_unlock(&d->lock);
	return heard;
}
