#include "tools/bench_rival.h"

#include "tests/lib/server.h"
#include "tools/bench_probe.h"

#include <arpa/inet.h>
#include <lo/lo.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 8000

const char *const chr_rival_name[] = {"scsynth", "supernova"};
const char *const chr_rival_left[] = {"SuperCollider:out_1", "supernova:output_1"};

bool chr_rival_installed(struct chr_bench *bench, enum chr_rival_kind kind)
{
	static bool told[CHR_BENCH_PEERS];
	const char *folders = getenv("PATH");
	char path[4096], *search = strdup(folders ? folders : "/usr/bin"), *rest = search;
	bool found = false;
	for (char *folder; rest && (folder = strsep(&rest, ":"));) {
		snprintf(path, sizeof path, "%s/%s", folder, chr_rival_name[kind]);
		found |= access(path, X_OK) == 0;
	}
	free(search);
	if (!found && !told[kind])
		chr_bench_note(bench, 2, "%s is not installed: make bench-deps installs it", chr_rival_name[kind]);
	told[kind] = true;
	return found;
}

static unsigned free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof at;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) || getsockname(fd, (struct sockaddr *)&at, &length))
		abort();
	close(fd);
	return ntohs(at.sin_port);
}

int chr_rival_start(struct chr_rival *rival, enum chr_rival_kind kind)
{
	char port[16], log[128];
	unsigned number = free_port();
	struct chr_packet question = chr_packet_make("/status", 0, 0);
	snprintf(port, sizeof port, "%u", number);
	snprintf(log, sizeof log, "%s/%s.log", chr_server_folder(), chr_rival_name[kind]);
	setenv("SC_JACK_DEFAULT_OUTPUTS", "system", 1);
	setenv("QT_QPA_PLATFORM", "offscreen", 1);
	char *argv[] = {(char *)chr_rival_name[kind], "-u", port, "-i", "0", "-o", "2", "-R", "0", "-l", "4", "-w", "4096", NULL};
	rival->kind = kind;
	rival->fd = chr_flood_open(number);
	if (rival->fd < 0 || chr_child_start(&rival->child, argv, log))
		return -1;
	for (long long end = chr_now_ms() + PATIENCE_MS; chr_now_ms() < end && !chr_child_ended(&rival->child, 0);) {
		if (!isnan(chr_flood_ask(rival->fd, &question)))
			return 0;
		chr_bench_sleep_ms(20);
	}
	fprintf(stderr, "chronus-bench: %s does not answer:\n", chr_rival_name[kind]);
	chr_log_show(log);
	chr_rival_stop(rival);
	return -1;
}

void chr_rival_stop(struct chr_rival *rival)
{
	chr_child_end(&rival->child, 3000);
	if (rival->fd >= 0)
		close(rival->fd);
	rival->fd = -1;
}

struct chr_packet chr_rival_sync(void)
{
	return chr_packet_make("/sync", 'i', 1);
}

static int synced(struct chr_rival *rival)
{
	struct chr_packet sync = chr_rival_sync();
	return isnan(chr_flood_ask(rival->fd, &sync)) ? -1 : 0;
}

static int send_message(struct chr_rival *rival, const char *path, lo_message message)
{
	size_t count;
	void *bytes = lo_message_serialise(message, path, NULL, &count);
	int rc = bytes && send(rival->fd, bytes, count, 0) == (ssize_t)count ? 0 : -1;
	free(bytes);
	lo_message_free(message);
	return rc;
}

int chr_rival_define(struct chr_rival *rival, const struct chr_synthdef *def)
{
	lo_message message = lo_message_new();
	lo_blob blob = lo_blob_new((int32_t)def->count, def->bytes);
	lo_message_add_blob(message, blob);
	int rc = send_message(rival, "/d_recv", message);
	lo_blob_free(blob);
	/* answered with /done, or /fail */
	chr_bench_sleep_ms(100);
	return rc || synced(rival) ? -1 : 0;
}

int chr_rival_play(struct chr_rival *rival, const char *name, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		lo_message message = lo_message_new();
		lo_message_add_string(message, name);
		lo_message_add_int32(message, CHR_RIVAL_NODE + (int)i);
		lo_message_add_int32(message, 0);
		lo_message_add_int32(message, 0);
		if (send_message(rival, "/s_new", message))
			return -1;
	}
	return synced(rival);
}

int chr_rival_silence(struct chr_rival *rival)
{
	lo_message message = lo_message_new();
	lo_message_add_int32(message, 0);
	return send_message(rival, "/g_freeAll", message) || synced(rival) ? -1 : 0;
}

struct chr_packet chr_rival_set(int node, const char *control, double value)
{
	struct chr_packet packet = {.count = sizeof packet.bytes};
	lo_message m = lo_message_new();
	lo_message_add_int32(m, node);
	lo_message_add_string(m, control);
	lo_message_add_float(m, (float)value);
	if (!lo_message_serialise(m, "/n_set", packet.bytes, &packet.count))
		abort();
	lo_message_free(m);
	return packet;
}
