/* The short commands: modules, ping, restart, swap, quit. */
#include "tools/chronusctl.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PINGS_MAX   1000000
#define SWAP_STEP_S 12.0 /* the longest step of a swap, and a little */

int chr_ctl_modules_fetch(struct chr_ctl *ctl, json_t **modules)
{
	struct chr_ctl_replies replies;
	int code = chr_ctl_ask(ctl, "/chronus/modules", NULL, "/chronus/modules/end", &replies);
	if (code)
		return code;
	*modules = json_array();
	for (size_t i = 0; i < replies.count; i++) {
		if (strcmp(replies.reply[i].path, "/chronus/modules/module") != 0)
			continue;
		json_t *module = json_object();
		json_object_set_new(module, "name", chr_ctl_json_value(replies.reply[i].message, 0));
		json_object_set_new(module, "type", chr_ctl_json_value(replies.reply[i].message, 1));
		json_array_append_new(*modules, module);
	}
	chr_ctl_replies_finish(&replies);
	return 0;
}

int chr_ctl_modules(struct chr_ctl *ctl, int count, char **argument)
{
	(void)count;
	(void)argument;
	static const struct chr_column column[] = {{.title = "MODULE"}, {.title = "TYPE"}};
	json_t *modules;
	int code = chr_ctl_modules_fetch(ctl, &modules);
	if (code)
		return code;
	if (ctl->json) {
		chr_ctl_json_print(modules, false);
	} else {
		struct chr_table table;
		chr_table_init(&table, column, sizeof column / sizeof column[0]);
		size_t i;
		json_t *module;
		json_array_foreach (modules, i, module) {
			chr_table_row(&table);
			chr_table_put(&table, CHR_PLAIN, "%s", chr_ctl_get_string(module, "name"));
			chr_table_put(&table, CHR_PLAIN, "%s", chr_ctl_get_string(module, "type"));
		}
		chr_table_print(&table, stdout, 0, 0, ctl->color);
		chr_table_finish(&table);
	}
	json_decref(modules);
	return 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static int ping_once(struct chr_ctl *ctl, double *round_trip_ms)
{
	uint64_t begin_us = chr_osc_now_us();
	lo_message message = lo_message_new();
	lo_message_add_int64(message, (int64_t)begin_us);
	int code = chr_ctl_send(ctl, "/chronus/ping", message);
	lo_message_free(message);
	struct chr_osc_reply reply;
	uint64_t deadline_us = begin_us + (uint64_t)(ctl->timeout_s * 1e6);
	for (bool ours = false; !code && !ours;) {
		code = chr_ctl_next(ctl, deadline_us, &reply);
		if (code)
			return code == EX_TEMPFAIL ? chr_ctl_nobody(ctl) : code;
		int64_t token;
		ours = strcmp(reply.path, "/chronus/pong") == 0 && chr_osc_int64(reply.message, 0, &token) &&
		       token == (int64_t)begin_us;
		*round_trip_ms = (double)(chr_osc_now_us() - begin_us) / 1e3;
		chr_osc_reply_finish(&reply);
	}
	return code;
}

static void print_round_trips(const struct chr_ctl *ctl, double *ms, long pings)
{
	qsort(ms, (size_t)pings, sizeof *ms, compare);
	double median = ms[pings / 2], worst = ms[pings - 1];
	if (ctl->json) {
		json_t *object = json_pack("{s:s, s:i, s:I, s:f, s:f, s:f}", "host", ctl->host, "port", (int)ctl->port, "pings",
					   (json_int_t)pings, "min_ms", ms[0], "median_ms", median, "max_ms", worst);
		chr_ctl_json_print(object, false);
		json_decref(object);
	} else if (pings == 1) {
		printf("%s:%u answers in %.3f ms\n", ctl->host, ctl->port, median);
	} else {
		printf("%s:%u answers: %ld pings, %.3f ms at best, %.3f ms median, %.3f ms at worst\n", ctl->host, ctl->port, pings,
		       ms[0], median, worst);
	}
}

int chr_ctl_ping(struct chr_ctl *ctl, int count, char **argument)
{
	double number = 1;
	if (count > 0 && (chr_ctl_number(argument[0], &number) != 0 || number < 1 || number > PINGS_MAX || number != (long)number))
		return chr_ctl_fail(ctl, EX_USAGE, "'%s' is no number of pings (1 to %d)", argument[0], PINGS_MAX);
	long pings = (long)number;
	double *ms = calloc((size_t)pings, sizeof *ms);
	if (!ms)
		return chr_ctl_fail(ctl, EX_OSERR, "out of memory");
	int code = chr_ctl_open(ctl);
	for (long i = 0; !code && i < pings; i++)
		code = ping_once(ctl, &ms[i]);
	if (!code)
		print_round_trips(ctl, ms, pings);
	free(ms);
	return code;
}

/* Asks for something and waits until it is /chronus/done. */
static int do_and_wait(struct chr_ctl *ctl, const char *path, const char *word)
{
	lo_message message = lo_message_new();
	if (word)
		lo_message_add_string(message, word);
	int code = chr_ctl_open(ctl);
	if (!code)
		code = chr_ctl_send(ctl, path, message);
	lo_message_free(message);
	uint64_t deadline_us = chr_osc_now_us() + (uint64_t)(ctl->timeout_s * 1e6);
	for (bool done = false; !code && !done;) {
		struct chr_osc_reply reply;
		code = chr_ctl_next(ctl, deadline_us, &reply);
		if (code)
			return code == EX_TEMPFAIL ? chr_ctl_nobody(ctl) : code;
		done = strcmp(reply.path, "/chronus/done") == 0;
		chr_osc_reply_finish(&reply);
	}
	return code;
}

int chr_ctl_restart(struct chr_ctl *ctl, int count, char **argument)
{
	(void)count;
	int code = do_and_wait(ctl, "/chronus/restart", argument[0]);
	if (!code)
		printf("%s restarts\n", argument[0]);
	return code;
}

/* The next message of a swap; the server tells of every step, so that a long one is no silent one. */
static int swap_step(struct chr_ctl *ctl, bool *done)
{
	struct chr_osc_reply reply;
	uint64_t patience_us = (uint64_t)(fmax(ctl->timeout_s, SWAP_STEP_S) * 1e6);
	int code = chr_ctl_next(ctl, chr_osc_now_us() + patience_us, &reply);
	if (code)
		return code == EX_TEMPFAIL ? chr_ctl_nobody(ctl) : code;
	*done = strcmp(reply.path, "/chronus/done") == 0;
	const char *name = chr_osc_string(reply.message, 1), *text = chr_osc_string(reply.message, 2);
	if (*done && name && text) {
		char line[512];
		snprintf(line, sizeof line, "%s %s", name, text);
		puts(chr_text_clean(line));
	}
	chr_osc_reply_finish(&reply);
	return 0;
}

int chr_ctl_swap(struct chr_ctl *ctl, int count, char **argument)
{
	char *file = count > 1 ? realpath(argument[1], NULL) : NULL;
	if (count > 1 && !file)
		return chr_ctl_fail(ctl, EX_NOINPUT, "%s: %s", argument[1], strerror(errno));
	lo_message message = lo_message_new();
	lo_message_add_string(message, argument[0]);
	if (file)
		lo_message_add_string(message, file);
	free(file);
	int code = chr_ctl_open(ctl);
	if (!code)
		code = chr_ctl_send(ctl, "/chronus/swap", message);
	lo_message_free(message);
	for (bool done = false; !code && !done;)
		code = swap_step(ctl, &done);
	return code;
}

int chr_ctl_quit(struct chr_ctl *ctl, int count, char **argument)
{
	(void)count;
	(void)argument;
	int code = do_and_wait(ctl, "/chronus/quit", NULL);
	if (!code)
		printf("chronus at %s:%u ends\n", ctl->host, ctl->port);
	return code;
}
