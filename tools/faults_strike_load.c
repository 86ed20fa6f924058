/* Faults of load: floods of events, exhausted descriptors, busy processors. */
#include "tools/faults_strike.h"

#include "common/clock.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FULL_RING      4000 /* events; a ring has room for a quarter of them */
#define FLOOD_RATE     100000u
#define FLOOD_MAX      512 /* messages sent at once */
#define FLOOD_US       2000000u
#define FDS_MS         300
#define STRESS_S       60
#define STRESS_QUICK_S 10

/* A message that sets a parameter to the value that it has: it is carried out like any other, and changes no sample. */
struct packet {
	char bytes[128];
	size_t count;
};

static bool make_packet(struct chr_session *session, const char *module, struct packet *packet)
{
	static const struct {
		const char *type, *param;
	} harmless[] = {{"sine", "level"}, {"adsr", "sustain"}, {"biquad", "cutoff"}};
	for (unsigned i = 0; i < CHR_FAULTS_MEMBERS; i++) {
		const struct chr_faults_capture *capture = &session->page->capture[0][i];
		for (unsigned k = 0; k < sizeof harmless / sizeof harmless[0]; k++) {
			if (strcmp(capture->module, module) != 0 || strcmp(capture->type, harmless[k].type) != 0)
				continue;
			char path[CHR_NAME_MAX * 2 + 3];
			struct chr_osc_reply reply;
			float value = 0;
			snprintf(path, sizeof path, "/%s/%s", module, harmless[k].param);
			if (chr_osc_client_send(&session->ask, path, NULL) ||
			    chr_osc_client_receive(&session->ask, chr_osc_now_us() + 300000, &reply))
				return false;
			bool right = chr_osc_float(reply.message, 0, &value) && strcmp(reply.path, path) == 0;
			chr_osc_reply_finish(&reply);
			lo_message message = lo_message_new();
			lo_message_add_float(message, value);
			packet->count = sizeof packet->bytes;
			right = right && lo_message_length(message, path) <= sizeof packet->bytes &&
				lo_message_serialise(message, path, packet->bytes, &packet->count);
			lo_message_free(message);
			return right;
		}
	}
	return false;
}

/* Returns how many went. */
static int send_many(int fd, const struct packet *packet, unsigned count)
{
	struct mmsghdr message[FLOOD_MAX];
	struct iovec piece = {.iov_base = (void *)packet->bytes, .iov_len = packet->count};
	unsigned sent = 0;
	memset(message, 0, sizeof message);
	for (unsigned i = 0; i < FLOOD_MAX; i++) {
		message[i].msg_hdr.msg_iov = &piece;
		message[i].msg_hdr.msg_iovlen = 1;
	}
	while (sent < count) {
		unsigned batch = count - sent < FLOOD_MAX ? count - sent : FLOOD_MAX;
		int done = sendmmsg(fd, message, batch, 0);
		if (done <= 0)
			break;
		sent += (unsigned)done;
	}
	return (int)sent;
}

int chr_strike_full_ring(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_session *session = &campaign->session;
	struct packet packet;
	chr_strike_choose(campaign, shot, false);
	if (!make_packet(session, shot->module, &packet))
		return -1;
	chr_strike_signal(shot, shot->pid, SIGSTOP);
	send_many(session->ask.fd, &packet, FULL_RING);
	/* the watchdog may have ended it by then */
	return kill(shot->pid, SIGCONT) && errno != ESRCH ? -1 : 0;
}

struct flood {
	int fd;
	struct packet packet;
	_Atomic bool stop;
	unsigned sent;
};

static void *pour(void *arg)
{
	static const struct timespec moment = {.tv_nsec = 1000000};
	struct flood *flood = arg;
	uint64_t begin = chr_monotonic_us();
	for (uint64_t passed = 0; !atomic_load_explicit(&flood->stop, memory_order_acquire) && passed < FLOOD_US;
	     passed = chr_monotonic_us() - begin) {
		unsigned due = (unsigned)(passed * FLOOD_RATE / 1000000u);
		if (due > flood->sent && send_many(flood->fd, &flood->packet, due - flood->sent) <= 0)
			poll(NULL, 0, 1);
		flood->sent = due;
		nanosleep(&moment, NULL);
	}
	return NULL;
}

int chr_strike_flood(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_session *session = &campaign->session;
	struct flood flood = {.fd = session->ask.fd};
	pthread_t thread;
	chr_strike_choose(campaign, shot, false);
	if (!make_packet(session, shot->module, &flood.packet) || pthread_create(&thread, NULL, pour, &flood))
		return -1;
	chr_session_pass(session, 20);
	session->disturbed = false;
	chr_strike_signal(shot, shot->pid, SIGKILL);
	while (!(session->disturbed && chr_session_whole(session)) && chr_monotonic_us() - shot->at_us < FLOOD_US)
		chr_session_pump(session, 2);
	atomic_store_explicit(&flood.stop, true, memory_order_release);
	pthread_join(thread, NULL);
	snprintf(shot->note, sizeof shot->note, "%u messages", flood.sent);
	return 0;
}

static unsigned count_fds(pid_t pid)
{
	char path[64];
	unsigned count = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count > 2 ? count - 2 : 0;
}

/* Until the limit is lifted there may be no repair; the sound is to go on. */
int chr_strike_fds(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_session *session = &campaign->session;
	struct rlimit before, tight;
	chr_strike_choose(campaign, shot, false);
	if (prlimit(session->child.pid, RLIMIT_NOFILE, NULL, &before))
		return -1;
	tight = before;
	tight.rlim_cur = count_fds(session->child.pid);
	if (prlimit(session->child.pid, RLIMIT_NOFILE, &tight, NULL))
		return -1;
	for (int i = 0; i < 5; i++) {
		chr_session_pass(session, FDS_MS);
		if (chr_session_status(session))
			break;
		struct chr_session_instance *again = chr_session_find(session, shot->module, shot->lane);
		if (again && again->pid > 0)
			chr_strike_signal(shot, again->pid, SIGKILL);
	}
	chr_session_pass(session, FDS_MS);
	return prlimit(session->child.pid, RLIMIT_NOFILE, &before, NULL);
}

static pid_t burn(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close_range(3, ~0u, 0);
		for (volatile unsigned i = 0;;)
			i++;
	}
	return pid;
}

/* The processors are busy with ordinary work; nothing dies, so nothing is to be repaired. */
int chr_strike_stress(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_session *session = &campaign->session;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	pid_t pid[64];
	uint32_t changes = session->changes;
	if (cores > 64)
		cores = 64;
	shot->at_us = chr_monotonic_us();
	for (long i = 0; i < cores; i++)
		pid[i] = burn();
	chr_session_pass(session, 1000 * (campaign->options.quick ? STRESS_QUICK_S : STRESS_S));
	for (long i = 0; i < cores; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	snprintf(shot->note, sizeof shot->note, "%u changes of state", session->changes - changes);
	return session->changes == changes ? 0 : -1;
}
