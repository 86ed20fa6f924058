/* status: the server's messages gathered into one JSON object, and that object as a table for people. */
#include "tools/chronusctl.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define STATUS_PATH "/chronus/status"

/* The module's object in `modules`, made when it is not there yet: its instances may come first. */
static json_t *find_module(json_t *modules, const char *name)
{
	size_t i;
	json_t *module;
	json_array_foreach (modules, i, module) {
		if (strcmp(chr_ctl_get_string(module, "name"), name) == 0)
			return module;
	}
	module = json_pack("{s:s, s:s, s:[]}", "name", name, "type", "", "instances");
	json_array_append_new(modules, module);
	return module;
}

static void take_module(json_t *modules, const json_t *said)
{
	json_t *module = find_module(modules, chr_ctl_get_string(said, "name"));
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)said, key, value) {
		if (strcmp(key, "instances") != 0)
			json_object_set(module, key, value);
	}
}

static void take_instance(json_t *modules, json_t *said)
{
	json_t *module = find_module(modules, chr_ctl_get_string(said, "module"));
	json_object_del(said, "module");
	json_array_append(json_object_get(module, "instances"), said);
}

/* "modules" and "totals" come last, so that a reader of the JSON meets the patch first. */
static json_t *gather(const struct chr_ctl_replies *replies)
{
	json_t *status = json_object(), *modules = json_array(), *totals = json_object();
	for (size_t i = 0; i < replies->count; i++) {
		const char *path = replies->reply[i].path;
		json_t *said = chr_ctl_json_object(replies->reply[i].message, 0);
		if (strcmp(path, STATUS_PATH) == 0)
			json_object_update(status, said);
		else if (strcmp(path, STATUS_PATH "/module") == 0)
			take_module(modules, said);
		else if (strcmp(path, STATUS_PATH "/instance") == 0)
			take_instance(modules, said);
		else if (strcmp(path, STATUS_PATH "/totals") == 0)
			json_object_update(totals, said);
		json_decref(said);
	}
	json_object_del(status, "modules");
	json_object_del(status, "totals");
	json_object_set_new(status, "modules", modules);
	json_object_set_new(status, "totals", totals);
	return status;
}

int chr_ctl_status_fetch(struct chr_ctl *ctl, json_t **status)
{
	struct chr_ctl_replies replies;
	int code = chr_ctl_ask(ctl, STATUS_PATH, NULL, STATUS_PATH "/end", &replies);
	if (code)
		return code;
	*status = gather(&replies);
	chr_ctl_replies_finish(&replies);
	return 0;
}

static enum chr_color state_color(const char *state)
{
	static const struct {
		const char *state;
		enum chr_color color;
	} known[] = {
		{"playing", CHR_GREEN},   {"whole", CHR_GREEN},    {"joining", CHR_YELLOW},  {"wiring", CHR_YELLOW},
		{"starting", CHR_YELLOW}, {"waiting", CHR_YELLOW}, {"quarantined", CHR_RED}, {"broken", CHR_RED},
		{"lost", CHR_RED},        {"unlike", CHR_RED},
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(known[i].state, state) == 0)
			return known[i].color;
	return CHR_PLAIN;
}

static void print_head(const struct chr_ctl *ctl, const json_t *status, FILE *to)
{
	char text[256], uptime[64];
	const json_t *patch = json_object_get(status, "patch");
	const char *jack = chr_ctl_get_string(status, "jack");
	double rate = chr_ctl_get_number(status, "rate"), period = chr_ctl_get_number(status, "period");
	long up = (long)chr_ctl_get_number(status, "uptime");
	fprintf(to, "%s%s%s", chr_color_begin(CHR_BOLD, ctl->color), chr_ctl_text(patch, text, sizeof text),
		chr_color_end(CHR_BOLD, ctl->color));
	if (up >= 86400)
		snprintf(uptime, sizeof uptime, "%ld d %ld:%02ld:%02ld", up / 86400, up / 3600 % 24, up / 60 % 60, up % 60);
	else
		snprintf(uptime, sizeof uptime, "%ld:%02ld:%02ld", up / 3600, up / 60 % 60, up % 60);
	const char *server = chr_ctl_get_string(status, "server");
	fprintf(to, "  JACK%s%s", *server ? " " : "",
		*server ? chr_ctl_text(json_object_get(status, "server"), text, sizeof text) : "");
	if (strcmp(jack, "playing") != 0)
		fprintf(to, " %s%s%s", chr_color_begin(CHR_RED, ctl->color),
			*jack ? chr_ctl_text(json_object_get(status, "jack"), text, sizeof text) : "?",
			chr_color_end(CHR_RED, ctl->color));
	if (rate > 0)
		fprintf(to, ", %.0f Hz, %.0f frames (%.1f ms)", rate, period, 1e3 * period / rate);
	fprintf(to, ", tempo %s, ", chr_ctl_text(json_object_get(status, "tempo"), text, sizeof text));
	fprintf(to, "up %s\n", uptime);
}

/* What deserves a person's eye and has no column: counters that are not zero, meters too. */
static void put_notes(struct chr_table *table, const json_t *instance)
{
	static const char *const counter[] = {"nonfinite", "skipped", "joins"};
	char notes[512] = "";
	size_t used = 0;
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)instance, key, value) {
		bool told = strncmp(key, "meter.", 6) == 0;
		for (size_t i = 0; !told && i < sizeof counter / sizeof counter[0]; i++)
			told = strcmp(key, counter[i]) == 0;
		double number = json_number_value(value);
		if (!told || number == 0)
			continue;
		const char *name = strncmp(key, "meter.", 6) == 0 ? key + 6 : key;
		int wrote = snprintf(notes + used, sizeof notes - used, "%s%s %.0f", used > 0 ? ", " : "", name, number);
		if (wrote < 0 || (size_t)wrote >= sizeof notes - used)
			break;
		used += (size_t)wrote;
	}
	chr_table_put(table, CHR_PLAIN, "%s", notes);
}

static void put_instance(struct chr_table *table, const json_t *instance)
{
	char text[256];
	const char *state = chr_ctl_get_string(instance, "state");
	double restarts = chr_ctl_get_number(instance, "restarts"), late = chr_ctl_get_number(instance, "late");
	double load = chr_ctl_get_number(instance, "load"), pid = chr_ctl_get_number(instance, "pid");
	chr_table_put(table, CHR_PLAIN, "%s", chr_ctl_text(json_object_get(instance, "lane"), text, sizeof text));
	if (pid > 0)
		chr_table_put(table, CHR_PLAIN, "%.0f", pid);
	else
		chr_table_put(table, CHR_DIM, "-");
	chr_table_put(table, state_color(state), "%s", state);
	chr_table_put(table, restarts > 0 ? CHR_YELLOW : CHR_PLAIN, "%.0f", restarts);
	chr_table_put(table, load >= 0.8 ? CHR_RED : load >= 0.5 ? CHR_YELLOW : CHR_PLAIN, "%.1f", 100 * load);
	chr_table_put(table, CHR_PLAIN, "%.2f", chr_ctl_get_number(instance, "worst_ms"));
	chr_table_put(table, CHR_PLAIN, "%.0f", chr_ctl_get_number(instance, "ports"));
	chr_table_put(table, late > 0 ? CHR_YELLOW : CHR_PLAIN, "%.0f", late);
	put_notes(table, instance);
}

static void print_modules(const struct chr_ctl *ctl, const json_t *modules, FILE *to, unsigned width)
{
	static const struct chr_column column[] = {
		{.title = "MODULE"},
		{.title = "TYPE"},
		{.title = "LANE"},
		{.title = "PID", .right = true},
		{.title = "STATE"},
		{.title = "RESTARTS", .right = true},
		{.title = "LOAD %", .right = true},
		{.title = "WORST ms", .right = true},
		{.title = "PORTS", .right = true},
		{.title = "LATE", .right = true},
		{.title = "NOTES", .spare = true},
	};
	struct chr_table table;
	chr_table_init(&table, column, sizeof column / sizeof column[0]);
	size_t i, lane;
	json_t *module, *instance;
	json_array_foreach ((json_t *)modules, i, module) {
		const json_t *instances = json_object_get(module, "instances");
		json_array_foreach ((json_t *)instances, lane, instance) {
			chr_table_row(&table);
			chr_table_put(&table, CHR_BOLD, "%s", lane == 0 ? chr_ctl_get_string(module, "name") : "");
			chr_table_put(&table, CHR_PLAIN, "%s", lane == 0 ? chr_ctl_get_string(module, "type") : "");
			put_instance(&table, instance);
		}
	}
	chr_table_print(&table, to, 0, width, ctl->color);
	chr_table_finish(&table);
}

static void print_totals(const struct chr_ctl *ctl, const json_t *totals, const json_t *rates, FILE *to)
{
	const char *key, *gap = "";
	json_t *value;
	fprintf(to, "%sevents%s  ", chr_color_begin(CHR_DIM, ctl->color), chr_color_end(CHR_DIM, ctl->color));
	json_object_foreach ((json_t *)totals, key, value) {
		char text[64], name[64];
		bool bad = json_number_value(value) > 0 && strcmp(key, "received") != 0 && strcmp(key, "applied") != 0;
		enum chr_color color = bad ? CHR_YELLOW : CHR_PLAIN;
		snprintf(name, sizeof name, "%s", key);
		fprintf(to, "%s%s%s %s%s", gap, chr_color_begin(color, ctl->color), chr_text_clean(name),
			chr_ctl_text(value, text, sizeof text), chr_color_end(color, ctl->color));
		if (chr_ctl_get_number(rates, key) > 0)
			fprintf(to, " (%.0f/s)", chr_ctl_get_number(rates, key));
		gap = ", ";
	}
	fputc('\n', to);
}

/* The two lanes at a glance: how each stands, and how many cycles of it were heard. */
static void print_lanes(const struct chr_ctl *ctl, const json_t *status, FILE *to)
{
	static const char *const key[] = {"lane.a", "lane.b"};
	const json_t *instances = json_object_get(json_array_get(json_object_get(status, "modules"), 0), "instances");
	double silent = 0;
	fprintf(to, "%slanes%s  ", chr_color_begin(CHR_DIM, ctl->color), chr_color_end(CHR_DIM, ctl->color));
	for (size_t lane = 0; lane < 2; lane++) {
		const char *word = chr_ctl_get_string(status, key[lane]);
		const json_t *out = json_array_get(instances, lane);
		if (!*word || !out)
			continue;
		enum chr_color color = state_color(word);
		double own = chr_ctl_get_number(out, "silent");
		silent = own > silent ? own : silent;
		fprintf(to, "%c %s%s%s (%.0f cycles), ", 'a' + (int)lane, chr_color_begin(color, ctl->color), word,
			chr_color_end(color, ctl->color), chr_ctl_get_number(out, "played"));
	}
	fprintf(to, "silent %.0f\n", silent);
}

/* What became of the lanes' agreement, on a line of its own: after days the one of the lanes is long. */
static void print_repairs(const struct chr_ctl *ctl, const json_t *status, FILE *to)
{
	static const char *const figure[] = {"joins", "audits", "divergences", "xruns"};
	const char *gap = "";
	if (!json_object_get(status, figure[0]))
		return;
	fprintf(to, "%srepairs%s  ", chr_color_begin(CHR_DIM, ctl->color), chr_color_end(CHR_DIM, ctl->color));
	for (size_t i = 0; i < sizeof figure / sizeof figure[0]; i++) {
		if (!json_object_get(status, figure[i]))
			continue;
		fprintf(to, "%s%s %.0f", gap, figure[i], chr_ctl_get_number(status, figure[i]));
		gap = ", ";
	}
	fputc('\n', to);
}

static void print_hints(const struct chr_ctl *ctl, const json_t *modules, FILE *to)
{
	size_t i;
	json_t *module;
	json_array_foreach ((json_t *)modules, i, module) {
		if (chr_ctl_get_number(module, "quarantined") == 0)
			continue;
		char name[64];
		chr_ctl_text(json_object_get(module, "name"), name, sizeof name);
		fprintf(to, "%s%s died too often and is quarantined.%s To let it play again: chronusctl restart %s\n",
			chr_color_begin(CHR_RED, ctl->color), name, chr_color_end(CHR_RED, ctl->color), name);
	}
}

static void print_summary(const struct chr_ctl *ctl, const json_t *status, const json_t *rates, FILE *to)
{
	print_lanes(ctl, status, to);
	print_repairs(ctl, status, to);
	print_totals(ctl, json_object_get(status, "totals"), rates, to);
	print_hints(ctl, json_object_get(status, "modules"), to);
}

void chr_ctl_status_print(const struct chr_ctl *ctl, const json_t *status, const json_t *rates, FILE *to, unsigned width)
{
	print_head(ctl, status, to);
	fputc('\n', to);
	print_modules(ctl, json_object_get(status, "modules"), to, width);
	fputc('\n', to);
	print_summary(ctl, status, rates, to);
}

void chr_ctl_status_print_top(const struct chr_ctl *ctl, const json_t *status, const json_t *rates, FILE *to)
{
	print_head(ctl, status, to);
	print_summary(ctl, status, rates, to);
	fputc('\n', to);
	print_modules(ctl, json_object_get(status, "modules"), to, 0);
}

unsigned chr_ctl_width(void)
{
	struct winsize size;
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col;
}

int chr_ctl_status(struct chr_ctl *ctl, int count, char **argument)
{
	(void)count;
	(void)argument;
	json_t *status;
	int code = chr_ctl_status_fetch(ctl, &status);
	if (code)
		return code;
	if (ctl->json)
		chr_ctl_json_print(status, false);
	else
		chr_ctl_status_print(ctl, status, NULL, stdout, chr_ctl_width());
	json_decref(status);
	return 0;
}
