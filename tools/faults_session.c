#include "tools/faults_session.h"

#include "common/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define START_MS       15000
#define START_ATTEMPTS 3
#define CONNECT_US     50000u /* until an edge that was made is in force, amply */
#define SHOWN_BYTES    2000   /* of a log */
#define SABOTEUR       "tests/system/modules/saboteur.so"
#define ASK_US         500000u /* between two questions while waiting: pushes may be lost */

/* ---- the page and the saboteurs ---- */

static int make_page(struct chr_session *session)
{
	snprintf(session->page_path, sizeof session->page_path, "%s/page", session->folder);
	int fd = open(session->page_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof *session->page)) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	void *memory = mmap(NULL, sizeof *session->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return -1;
	session->page = memory;
	session->page->magic = CHR_FAULTS_MAGIC;
	snprintf(session->page->folder, sizeof session->page->folder, "%s/modules", session->programs);
	return 0;
}

/* A link to the saboteur under the name of every module. */
static int link_saboteurs(struct chr_session *session)
{
	char pattern[512], saboteur[512], link[512];
	glob_t found;
	snprintf(session->saboteurs, sizeof session->saboteurs, "%s/saboteurs", session->folder);
	snprintf(saboteur, sizeof saboteur, "%s/" SABOTEUR, session->programs);
	snprintf(pattern, sizeof pattern, "%s/modules/*.so", session->programs);
	if (access(saboteur, R_OK)) {
		fprintf(stderr, "chronus-faults: %s is missing: make faults builds it\n", saboteur);
		return -1;
	}
	if ((mkdir(session->saboteurs, 0700) && errno != EEXIST) || glob(pattern, 0, NULL, &found))
		return -1;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		snprintf(link, sizeof link, "%s%s", session->saboteurs, strrchr(found.gl_pathv[i], '/'));
		if (symlink(saboteur, link) && errno != EEXIST) {
			globfree(&found);
			return -1;
		}
	}
	globfree(&found);
	return 0;
}

/* A copy of the patch with some settings of its own. */
static int write_patch(struct chr_session *session, const char *patch, const char *restart)
{
	char line[1024];
	snprintf(session->patch, sizeof session->patch, "%s/patch.cfg", session->folder);
	FILE *from = fopen(patch, "r"), *to = fopen(session->patch, "w");
	if (from && to)
		fprintf(to, "lanes = %u;\n%s\n", session->lanes, restart ? restart : "");
	while (from && to && fgets(line, sizeof line, from))
		if (strncmp(line, "lanes", 5) != 0 && (!restart || strncmp(line, "restart", 7) != 0))
			fputs(line, to);
	if (!from)
		fprintf(stderr, "chronus-faults: %s: %s\n", patch, strerror(errno));
	int rc = from && to ? 0 : -1;
	if (from)
		fclose(from);
	if (to && fclose(to))
		rc = -1;
	return rc;
}

/* ---- what is heard of it ---- */

static void take_sentinel(struct chr_session *session)
{
	struct chr_tape_cycle cycle;
	while (chr_tape_next(session->sentinel, &cycle)) {
		int32_t jump = session->sentinel_begun ? (int32_t)(cycle.frame - session->sentinel_next) : 0;
		if (jump > 0 && session->judge.begun) {
			uint64_t now = session->judge.now;
			uint64_t end = now + (uint64_t)(int64_t)(int32_t)(cycle.frame - (uint32_t)now);
			session->stall[session->stalls++ % CHR_SESSION_STALLS] = (struct chr_session_stall){
				.begin = end - (uint32_t)jump, .end = end};
			session->stalled_frames += (uint32_t)jump;
		}
		session->sentinel_begun = true;
		session->sentinel_next = cycle.frame + cycle.frames;
	}
}

static void take_sound(struct chr_session *session)
{
	struct chr_tape_cycle cycle;
	take_sentinel(session);
	while (chr_tape_next(session->tape, &cycle)) {
		chr_judge_feed(&session->judge, cycle.frame, cycle.frames, cycle.data);
		if (session->heard)
			session->heard(session->heard_arg, session->judge.now - cycle.frames, cycle.frames, cycle.data);
	}
}

bool chr_session_stalled(const struct chr_session *session, uint64_t begin, uint64_t end, uint64_t margin)
{
	for (unsigned i = 0; i < session->stalls && i < CHR_SESSION_STALLS; i++)
		if (session->stall[i].begin <= end + margin && session->stall[i].end + margin >= begin)
			return true;
	return false;
}

int chr_session_listen(struct chr_session *session)
{
	session->tape = chr_tape_create("faults-tape", CHR_JUDGE_CHANNELS);
	session->sentinel = chr_tape_create("faults-sentinel", 0);
	session->sentinel_begun = false;
	if (!session->tape || !session->sentinel || chr_tape_connect(session->tape, 0, "out:play_left", 5000) ||
	    chr_tape_connect(session->tape, 1, "out:play_right", 5000)) {
		fprintf(stderr, "chronus-faults: cannot listen to out\n");
		return -1;
	}
	if (session->looks)
		session->processors = chr_stall_create(500000u * session->period /
						       jack_get_sample_rate(chr_tape_client(session->sentinel)));
	/* what came before the edges were in force was nobody's silence */
	struct chr_tape_cycle cycle;
	for (uint64_t end = chr_monotonic_us() + CONNECT_US; chr_monotonic_us() < end; poll(NULL, 0, 1))
		while (chr_tape_next(session->tape, &cycle) || chr_tape_next(session->sentinel, &cycle))
			continue;
	session->judge.begun = false;
	return 0;
}

void chr_session_deafen(struct chr_session *session)
{
	chr_tape_destroy(session->tape);
	chr_tape_destroy(session->sentinel);
	chr_stall_destroy(session->processors);
	session->processors = NULL;
	session->tape = session->sentinel = NULL;
}

uint64_t chr_session_frame(struct chr_session *session)
{
	uint64_t now = session->judge.now;
	uint32_t frame = jack_frame_time(chr_tape_client(session->tape));
	return now + (uint64_t)(int64_t)(int32_t)(frame - (uint32_t)now);
}

/* ---- waiting ---- */

void chr_session_pump(struct chr_session *session, int timeout_ms)
{
	struct pollfd fd = {.fd = session->watch.fd, .events = POLLIN};
	poll(&fd, 1, timeout_ms);
	chr_session_take_pushes(session);
	if (session->tape)
		take_sound(session);
}

void chr_session_pass(struct chr_session *session, int ms)
{
	for (uint64_t end = chr_monotonic_us() + (uint64_t)ms * 1000; chr_monotonic_us() < end;)
		chr_session_pump(session, 2);
}

int chr_session_wait_whole(struct chr_session *session, int timeout_ms)
{
	uint64_t now = chr_monotonic_us(), end = now + (uint64_t)timeout_ms * 1000, asked = now;
	for (; now < end; now = chr_monotonic_us()) {
		if (chr_session_whole(session))
			return 0;
		chr_session_pump(session, 2);
		if (now - asked > ASK_US) {
			asked = now;
			chr_session_ask(session);
		}
	}
	return -1;
}

/* ---- beginning and end ---- */

static unsigned free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof at;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || getsockname(fd, (struct sockaddr *)&at, &length))
		at.sin_port = htons(5105);
	if (fd >= 0)
		close(fd);
	return ntohs(at.sin_port);
}

static int launch(struct chr_session *session, const char *log)
{
	char program[512], port[16];
	session->port = free_port();
	snprintf(program, sizeof program, "%s/chronus", session->programs);
	snprintf(port, sizeof port, "%u", session->port);
	snprintf(session->log, sizeof session->log, "%s", log ? log : "");
	setenv("CHRONUS_MODULE_PATH", session->saboteurs, 1);
	setenv(CHR_FAULTS_ENV, session->page_path, 1);
	char *argv[] = {program, "--port", port, session->patch, session->verbose ? "-v" : NULL, NULL};
	if (chr_child_start(&session->child, argv, session->log))
		return -1;
	if (chr_osc_client_open(&session->ask, "127.0.0.1", session->port) ||
	    chr_osc_client_open(&session->watch, "127.0.0.1", session->port))
		return -1;
	return 0;
}

static int wait_start(struct chr_session *session)
{
	for (uint64_t end = chr_monotonic_us() + START_MS * 1000u; chr_monotonic_us() < end; poll(NULL, 0, 10)) {
		if (chr_child_ended(&session->child, 0))
			return -1;
		if (chr_session_ask(session) == 0 && chr_session_whole(session))
			return chr_session_subscribe(session);
	}
	return -1;
}

static bool end_child(struct chr_session *session)
{
	bool willing = chr_child_end(&session->child, 5000);
	chr_osc_client_close(&session->ask);
	chr_osc_client_close(&session->watch);
	return willing;
}

/* The last lines of a log. */
static void show_end(const char *path)
{
	char line[512];
	FILE *file = fopen(path, "r");
	if (!file)
		return;
	if (!fseek(file, -SHOWN_BYTES, SEEK_END))
		fgets(line, sizeof line, file);
	while (fgets(line, sizeof line, file))
		fputs(line, stderr);
	fclose(file);
}

int chr_session_start(struct chr_session *session, const char *patch, const char *restart, const char *log)
{
	session->ask.fd = session->watch.fd = -1;
	chr_judge_init(&session->judge, CHR_JUDGE_CHANNELS, session->period);
	if ((!session->page && make_page(session)) || link_saboteurs(session) || write_patch(session, patch, restart))
		return -1;
	/* what an earlier one left in JACK's graph may go a little later than its supervisor */
	int rc = -1;
	for (int attempt = 0; attempt < START_ATTEMPTS && rc; attempt++) {
		rc = launch(session, log) || wait_start(session);
		if (rc)
			end_child(session);
	}
	if (rc) {
		fprintf(stderr, "chronus-faults: chronus does not play; what it printed is in %s:\n", session->log);
		for (unsigned i = 0; i < session->count; i++)
			fprintf(stderr, "  %s/%c %s\n", session->instance[i].module, 'a' + (char)session->instance[i].lane,
				session->instance[i].state);
		struct stat status;
		if (stat(session->log, &status) == 0 && S_ISREG(status.st_mode))
			show_end(session->log);
		return -1;
	}
	if (chr_session_listen(session))
		return -1;
	chr_session_pass(session, 100);
	return 0;
}

bool chr_session_stop(struct chr_session *session)
{
	chr_session_deafen(session);
	bool willing = end_child(session);
	chr_reference_destroy(session->reference);
	session->reference = NULL;
	return willing;
}
