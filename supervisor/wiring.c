#include "supervisor/wiring.h"

#include "supervisor/wiring_loops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *chr_wiring_name(const char *end)
{
	return *end == CHR_PLAYBACK_PREFIX[0] ? end + 1 : end;
}

/* One end of an edge, taken apart. */
struct end {
	const struct chr_unit *unit; /* NULL: foreign */
	char port[CHR_EDGE_NAME_MAX];
};

static void strip_suffix(char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);
	if (length > tail && !strcmp(text + length - tail, suffix))
		text[length - tail] = 0;
}

/* Takes "client:port" apart; logical names are JACK names of lane a. */
static struct end take_apart(const struct chr_rack *rack, const char *name)
{
	struct end end = {0};
	char client[CHR_CLIENT_MAX];
	const char *colon = strchr(name, ':');
	if (!colon || (size_t)(colon - name) >= sizeof client)
		return end;
	memcpy(client, name, (size_t)(colon - name));
	client[colon - name] = 0;
	/* a client keeps its name until it is opened anew: that of a module just renamed is another one than its module's */
	end.unit = chr_rack_find_client(rack, client, NULL);
	if (!end.unit) {
		strip_suffix(client, ".b");
		end.unit = chr_rack_find((struct chr_rack *)rack, client);
	}
	snprintf(end.port, sizeof end.port, "%s", colon + 1);
	return end;
}

static bool is_out(const struct end *end)
{
	return end->unit && end->unit->type->flags & CHR_MODULE_OUT;
}

int chr_wiring_logical(const struct chr_patch *patch, struct chr_edges *logical)
{
	bool plays = !patch->playback;
	int rc = 0;
	for (unsigned i = 0; i < patch->edge_count && !rc; i++) {
		const struct chr_patch_edge *edge = &patch->edge[i];
		plays |= !strncmp(edge->from, CHR_OUT_NAME ":play_", strlen(CHR_OUT_NAME ":play_"));
		rc = chr_edges_add(logical, edge->from, edge->to);
	}
	for (unsigned channel = 1; channel <= patch->channels && !plays && !rc; channel++) {
		struct chr_patch_edge usual;
		chr_patch_default_edge(channel, &usual);
		rc = chr_edges_add(logical, usual.from, usual.to);
	}
	return rc;
}

/* The JACK name of an end in a lane. */
static void jack_name(char name[CHR_EDGE_NAME_MAX], const struct end *end, const char *logical, unsigned lane)
{
	if (!end->unit)
		snprintf(name, CHR_EDGE_NAME_MAX, "%s", logical);
	else
		snprintf(name, CHR_EDGE_NAME_MAX, "%s:%.200s", end->unit->instance[lane].client, end->port);
}

static void logical_name(char name[CHR_EDGE_NAME_MAX], const struct end *end, const char *jack)
{
	if (end->unit)
		snprintf(name, CHR_EDGE_NAME_MAX, "%s:%.200s", end->unit->name, end->port);
	else
		snprintf(name, CHR_EDGE_NAME_MAX, "%s", jack);
}

/* Has that instance an active client? */
static bool running(const struct chr_unit *unit, unsigned lane)
{
	enum chr_instance_state state = unit->instance[lane].state;
	return state == CHR_INSTANCE_WIRING || state == CHR_INSTANCE_JOINING || state == CHR_INSTANCE_PLAYING;
}

/* Of a unit of ours. */
static bool parts(const struct chr_unit *unit, unsigned lane)
{
	return unit && unit->instance[lane].parting;
}

/* May an edge be made at that end in that lane? Foreign ports are the graph thread's to look for. */
static bool active(const struct end *end, unsigned lane)
{
	return !end->unit || running(end->unit, lane);
}

static int add_edge(struct chr_edges *jack, const char *from, const char *to, bool held, bool sure)
{
	int rc = chr_edges_add(jack, from, to);
	if (rc)
		return rc;
	struct chr_edge *edge = &jack->edge[chr_edges_find(jack, from, to)];
	edge->held |= held;
	edge->sure = sure && !edge->held;
	return 0;
}

/* Do all of them run in that lane? */
static bool all_running(const struct chr_rack *rack, const struct chr_members *members, unsigned lane)
{
	for (unsigned i = 0; i < rack->unit_count; i++)
		if (chr_members_has(members, rack->unit[i]->member) && !running(rack->unit[i], lane))
			return false;
	return true;
}

/* How a logical edge is to be made. */
struct course {
	enum { TO_OUT, PLAIN, CLOSING } kind; /* which are made in this order */
	unsigned depth;                       /* of CLOSING: in this order */
	unsigned place;                       /* among the logical edges: in this order */
	bool to_out;                          /* from a module, which needs the clock */
	bool ordered;                         /* one of many to an input of a module, in two lanes */
	struct chr_members loop;              /* of CLOSING: who lies on what it closes */
};

static int expand_lane(const struct chr_rack *rack, const struct chr_edge *edge, unsigned lane, unsigned heard,
		       const struct course *course, struct chr_edges *jack)
{
	const struct end from = take_apart(rack, edge->from), to = take_apart(rack, edge->to);
	char a[CHR_EDGE_NAME_MAX], b[CHR_EDGE_NAME_MAX];
	/* the outs settle between themselves which is heard, so both of them go wherever out goes */
	if (!to.unit && lane != heard && !is_out(&from))
		return 0;
	if (parts(from.unit, lane) || parts(to.unit, lane))
		return 0;
	jack_name(a, &from, edge->from, lane);
	jack_name(b, &to, edge->to, lane);
	bool held = !active(&from, lane) || !active(&to, lane) || !all_running(rack, &course->loop, lane);
	int rc = add_edge(jack, a, b, held, from.unit && to.unit);
	if (rc)
		return rc;
	struct chr_edge *made = &jack->edge[chr_edges_find(jack, a, b)];
	made->closes = course->kind != PLAIN;
	made->ordered = course->ordered;
	made->around = chr_members_count(&course->loop);
	return 0;
}

static int expand_clock(const struct chr_rack *rack, const struct end *from, unsigned lane, struct chr_edges *jack)
{
	char a[CHR_EDGE_NAME_MAX], b[CHR_EDGE_NAME_MAX];
	if (parts(from->unit, lane) || parts(rack->unit[0], lane))
		return 0;
	snprintf(a, sizeof a, "%s:clock", rack->unit[0]->instance[lane].client);
	snprintf(b, sizeof b, "%s:clock", from->unit->instance[lane].client);
	return add_edge(jack, a, b, !running(rack->unit[0], lane) || !active(from, lane), true);
}

static bool feeds_out(const struct end *from, const struct end *to)
{
	return from->unit && !is_out(from) && is_out(to);
}

/* Other programs that edges lead to or come from. */
struct foreigners {
	const char *end[CHR_LOOPS_NODES - CHR_BOARD_MEMBERS]; /* any of its ports */
	unsigned count;
};

/* The end's place in struct chr_loops; CHR_LOOPS_NODES: it lies on no loop. */
static unsigned node_of(const struct end *end, const char *name, struct foreigners *others)
{
	size_t client = strcspn(name, ":") + 1;
	if (end->unit)
		return end->unit->member;
	if (*name == CHR_PLAYBACK_PREFIX[0])
		return CHR_LOOPS_NODES;
	for (unsigned i = 0; i < others->count; i++)
		if (!strncmp(others->end[i], name, client))
			return CHR_BOARD_MEMBERS + i;
	if (others->count == sizeof others->end / sizeof others->end[0])
		return CHR_LOOPS_NODES;
	others->end[others->count] = name;
	return CHR_BOARD_MEMBERS + others->count++;
}

static unsigned sources(const struct chr_edges *logical, const char *input)
{
	unsigned count = 0;
	for (unsigned i = 0; i < logical->count; i++)
		count += !strcmp(logical->edge[i].to, input);
	return count;
}

/* A module that feeds out has its clock, and so the edge to out closes a loop, always. */
static void plan_outs(const struct chr_rack *rack, const struct chr_edges *logical, struct chr_loops *loops, struct course *course)
{
	struct chr_members loop;
	for (unsigned i = 0; i < logical->count; i++) {
		const struct end from = take_apart(rack, logical->edge[i].from), to = take_apart(rack, logical->edge[i].to);
		bool to_out = feeds_out(&from, &to);
		course[i] = (struct course){.kind = to_out ? TO_OUT : PLAIN, .place = i, .to_out = to_out};
		course[i].ordered = rack->patch->lanes > 1 && to.unit &&
				    sources(logical, logical->edge[i].to) >= CHR_WIRING_ORDERED;
		if (to_out)
			chr_loops_add(loops, to.unit->member, from.unit->member, &loop);
	}
}

static void plan(const struct chr_rack *rack, const struct chr_edges *logical, struct course *course)
{
	struct chr_loops loops = {0};
	struct foreigners others = {0};
	plan_outs(rack, logical, &loops, course);
	for (int to_others = 0; to_others <= 1; to_others++)
		for (unsigned i = 0; i < logical->count; i++) {
			const struct chr_edge *edge = &logical->edge[i];
			const struct end from = take_apart(rack, edge->from), to = take_apart(rack, edge->to);
			if (to_others != !to.unit || course[i].to_out)
				continue;
			unsigned a = node_of(&from, edge->from, &others), b = node_of(&to, edge->to, &others);
			if (a < CHR_LOOPS_NODES && b < CHR_LOOPS_NODES && chr_loops_add(&loops, a, b, &course[i].loop))
				course[i].kind = CLOSING, course[i].depth = b;
		}
	/* where out hears what modules feed, its own edges are among those that may hide others */
	unsigned depth_of_out = chr_loops_depth(&loops, rack->unit[0]->member);
	for (unsigned i = 0; i < logical->count; i++)
		if (course[i].kind == CLOSING)
			course[i].depth = chr_loops_depth(&loops, course[i].depth);
		else if (course[i].kind == TO_OUT && depth_of_out > 0)
			course[i].kind = CLOSING, course[i].depth = depth_of_out;
}

static int compare_courses(const void *x, const void *y)
{
	const struct course *a = x, *b = y;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

int chr_wiring_expand(const struct chr_rack *rack, const struct chr_edges *logical, unsigned heard, struct chr_edges *jack)
{
	unsigned lanes = rack->patch->lanes;
	struct course *course = calloc(logical->count + 1, sizeof *course);
	int rc = course ? 0 : -ENOMEM;
	if (!rc)
		plan(rack, logical, course);
	for (unsigned i = 0; i < logical->count && !rc; i++) {
		const struct end from = take_apart(rack, logical->edge[i].from);
		for (unsigned lane = 0; lane < lanes && course[i].to_out && !rc; lane++)
			rc = expand_clock(rack, &from, lane, jack);
	}
	if (!rc)
		qsort(course, logical->count, sizeof *course, compare_courses);
	for (unsigned i = 0; i < logical->count && !rc; i++)
		for (unsigned lane = 0; lane < lanes && !rc; lane++)
			rc = expand_lane(rack, &logical->edge[course[i].place], lane, heard, &course[i], jack);
	free(course);
	return rc;
}

int chr_wiring_closing(const struct chr_rack *rack, const struct chr_edges *logical, bool *closes)
{
	struct course *course = calloc(logical->count + 1, sizeof *course);
	if (!course)
		return -ENOMEM;
	plan(rack, logical, course);
	for (unsigned i = 0; i < logical->count; i++)
		closes[i] = course[i].kind == CLOSING && !course[i].to_out;
	free(course);
	return 0;
}

/* Does somebody else's client bear the name that one of our modules has among people? */
static bool ambiguous(const struct chr_rack *rack, const char *name)
{
	return strncmp(name, rack->prefix, strlen(rack->prefix)) != 0 && take_apart(rack, name).unit;
}

bool chr_wiring_reduce(const struct chr_rack *rack, const struct chr_edge *jack, struct chr_edge *logical)
{
	if (ambiguous(rack, jack->from) || ambiguous(rack, jack->to))
		return false;
	const struct end from = take_apart(rack, jack->from), to = take_apart(rack, jack->to);
	if (!from.unit && !to.unit)
		return false;
	logical_name(logical->from, &from, jack->from);
	logical_name(logical->to, &to, jack->to);
	return true;
}

void chr_wiring_upstream(const struct chr_rack *rack, const struct chr_edges *logical, bool need[CHR_BOARD_MEMBERS])
{
	memset(need, 0, CHR_BOARD_MEMBERS * sizeof *need);
	bool more = true;
	while (more) {
		more = false;
		for (unsigned i = 0; i < logical->count; i++) {
			const struct end from = take_apart(rack, logical->edge[i].from), to = take_apart(rack, logical->edge[i].to);
			if (!from.unit || is_out(&from) || !to.unit || need[from.unit->member])
				continue;
			if (is_out(&to) || need[to.unit->member]) {
				need[from.unit->member] = true;
				more = true;
			}
		}
	}
}

void chr_wiring_looped(const struct chr_rack *rack, const struct chr_edges *logical, bool looped[CHR_BOARD_MEMBERS])
{
	struct chr_loops loops = {0};
	struct chr_members members;
	for (unsigned i = 0; i < logical->count; i++) {
		const struct end from = take_apart(rack, logical->edge[i].from), to = take_apart(rack, logical->edge[i].to);
		if (from.unit && to.unit && !is_out(&from) && !is_out(&to))
			chr_loops_draw(&loops, from.unit->member, to.unit->member);
	}
	chr_loops_members(&loops, &members);
	for (unsigned i = 0; i < CHR_BOARD_MEMBERS; i++)
		looped[i] = chr_members_has(&members, i);
}

void chr_wiring_delicate(const struct chr_rack *rack, const struct chr_edges *logical, bool delicate[CHR_BOARD_MEMBERS])
{
	chr_wiring_looped(rack, logical, delicate);
	for (unsigned i = 0; i < logical->count; i++) {
		const struct end to = take_apart(rack, logical->edge[i].to);
		if (to.unit && sources(logical, logical->edge[i].to) >= CHR_WIRING_ORDERED)
			delicate[to.unit->member] = true;
	}
}
