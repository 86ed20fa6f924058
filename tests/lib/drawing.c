#include "tests/lib/drawing.h"

#include "tests/lib/system.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SETTLE_MS 20000

static const struct timespec moment = {.tv_nsec = 5000000}; /* between two looks */

/* ---- names ---- */

bool chr_drawing_foreign(const char *end)
{
	return chr_edge_is_of(end, "other");
}

bool chr_drawing_at_out(const char *end)
{
	return chr_edge_is_of(end, "out") || chr_edge_is_of(end, "out.b") || strstr(end, "playback");
}

const char *chr_drawing_in_lane(const char *end, unsigned lane, char name[CHR_EDGE_END])
{
	const char *colon = strchr(end, ':');
	if (lane == 0 || chr_drawing_foreign(end))
		snprintf(name, CHR_EDGE_END, "%s", end);
	else
		snprintf(name, CHR_EDGE_END, "%.*s.b%s", (int)(colon - end), end, colon);
	return name;
}

/* ---- what is desired ---- */

static bool ask_connections(struct chr_drawing *drawing, struct chr_edge_set *edges)
{
	unsigned told = 0;
	memset(edges, 0, sizeof *edges);
	chr_peer_send(&drawing->rig.peer, "/chronus/connections", "");
	for (struct chr_reply reply; chr_peer_receive(&drawing->rig.peer, 2000, &reply);) {
		bool end = strcmp(reply.path, "/chronus/connections/end") == 0;
		if (end)
			told = (unsigned)chr_reply_number(&reply, 0);
		else if (strcmp(reply.path, "/chronus/connections/connection") == 0)
			chr_edge_set_put(edges, chr_edge_text(chr_reply_string(&reply, 0), chr_reply_string(&reply, 1)));
		chr_reply_finish(&reply);
		if (end)
			return told == edges->count;
	}
	return false;
}

/* The figure of /chronus/status; NAN without it. */
static double figure(struct chr_drawing *drawing, const char *key)
{
	double value = NAN;
	chr_peer_send(&drawing->rig.peer, "/chronus/status", "");
	for (struct chr_reply reply; chr_peer_receive(&drawing->rig.peer, 2000, &reply);) {
		bool end = strcmp(reply.path, "/chronus/status/end") == 0;
		if (strcmp(reply.path, "/chronus/status") == 0)
			value = chr_reply_number(&reply, chr_reply_key(&reply, key));
		chr_reply_finish(&reply);
		if (end)
			break;
	}
	return value;
}

bool chr_drawing_settle(struct chr_drawing *drawing)
{
	for (long long end = chr_now_ms() + SETTLE_MS; chr_now_ms() < end; nanosleep(&moment, NULL))
		if (figure(drawing, "settled") == 1)
			return true;
	return false;
}

/* ---- what is made ---- */

/* Edges at out and those of a test's own ears are others' business. */
static void read_made(struct chr_drawing *drawing, struct chr_edge_set *made)
{
	static struct chr_edge_set all;
	all.count = made->count = 0;
	chr_edge_set_read(&all, drawing->client);
	for (unsigned i = 0; i < all.count; i++) {
		char from[CHR_EDGE_END], to[CHR_EDGE_END];
		chr_edge_ends(all.edge[i], from, to);
		if (!chr_drawing_at_out(from) && !chr_drawing_at_out(to) && !chr_edge_is_of(to, "watcher"))
			chr_edge_set_put(made, all.edge[i]);
	}
}

/* What the graph should be when `drawn` was: each edge in both lanes, to the other program from the lane that is heard, which is a when all is well. */
static void expand(const struct chr_edge_set *drawn, struct chr_edge_set *graph)
{
	graph->count = 0;
	for (unsigned i = 0; i < drawn->count; i++) {
		char from[CHR_EDGE_END], to[CHR_EDGE_END], a[CHR_EDGE_END], b[CHR_EDGE_END];
		chr_edge_ends(drawn->edge[i], from, to);
		for (unsigned lane = 0; lane < 2; lane++)
			if (!chr_drawing_at_out(from) && !chr_drawing_at_out(to) && (lane == 0 || !chr_drawing_foreign(to)))
				chr_edge_set_put(
					graph, chr_edge_text(chr_drawing_in_lane(from, lane, a), chr_drawing_in_lane(to, lane, b)));
	}
}

static const char *difference_to_made(struct chr_drawing *drawing)
{
	static struct chr_edge_set wanted, made;
	expand(&drawing->drawn, &wanted);
	read_made(drawing, &made);
	return chr_edge_set_difference(&wanted, &made);
}

/* ---- verdicts ---- */

/* What is wrong now. */
static const char *compare(struct chr_drawing *drawing)
{
	static struct chr_edge_set desired;
	ck_assert(ask_connections(drawing, &desired));
	const char *wrong = chr_edge_set_difference(&drawing->drawn, &desired);
	return *wrong ? wrong : difference_to_made(drawing);
}

/* It may say that it has settled before a server has told it of the last edit: what is wrong has to stay wrong. */
const char *chr_drawing_wrong(struct chr_drawing *drawing)
{
	const char *wrong = "did not settle\n";
	for (long long limit = chr_now_ms() + SETTLE_MS; *wrong && chr_now_ms() < limit;)
		if (chr_drawing_settle(drawing))
			wrong = compare(drawing);
	if (*wrong)
		chr_log_show(drawing->rig.log);
	return wrong;
}

void chr_drawing_judge(struct chr_drawing *drawing, const char *when)
{
	const char *wrong = chr_drawing_wrong(drawing);
	ck_assert_msg(!*wrong, "%s: what is desired, drawn and made is not one:\n%s", when, wrong);
}

bool chr_drawing_returns(struct chr_drawing *drawing, int timeout_ms)
{
	for (long long limit = chr_now_ms() + timeout_ms; chr_now_ms() < limit; nanosleep(&moment, NULL))
		if (!*difference_to_made(drawing))
			return true;
	return false;
}

/* ---- clients ---- */

void chr_drawing_open(struct chr_drawing *drawing)
{
	drawing->client = jack_client_open("drawer", JackNoStartServer, NULL);
	ck_assert_ptr_nonnull(drawing->client);
	ck_assert_int_eq(jack_activate(drawing->client), 0);
}

void chr_drawing_begin(struct chr_drawing *drawing, const char *patch)
{
	ck_assert_int_eq(chr_rig_start(&drawing->rig, chr_rig_patch(patch)), 0);
	chr_drawing_open(drawing);
	ck_assert(chr_drawing_settle(drawing));
	ck_assert(ask_connections(drawing, &drawing->drawn));
}

void chr_drawing_end(struct chr_drawing *drawing)
{
	jack_client_close(drawing->client);
	int code = chr_rig_stop(&drawing->rig);
	if (code)
		chr_log_show(drawing->rig.log);
	ck_assert_int_eq(code, 0);
}

void chr_drawing_draw(struct chr_drawing *drawing, const char *from, const char *to)
{
	ck_assert_msg(jack_connect(drawing->client, from, to) == 0, "%s -> %s", from, to);
	chr_edge_set_put(&drawing->drawn, chr_edge_text(from, to));
}

static int silent(jack_nframes_t frames, void *arg)
{
	(void)frames;
	(void)arg;
	return 0;
}

jack_client_t *chr_drawing_other(void)
{
	jack_client_t *client = jack_client_open("other", JackNoStartServer | JackUseExactName, NULL);
	ck_assert_ptr_nonnull(client);
	jack_set_process_callback(client, silent, NULL);
	for (int i = 1; i <= 2; i++) {
		char name[16];
		snprintf(name, sizeof name, "out_%d", i);
		ck_assert_ptr_nonnull(jack_port_register(client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0));
		snprintf(name, sizeof name, "in_%d", i);
		ck_assert_ptr_nonnull(jack_port_register(client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0));
	}
	ck_assert_int_eq(jack_activate(client), 0);
	return client;
}
