/* Edits of the running patch: modules and connections by hand, save and load. */
#include "tools/chronusctl.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_S 15.0 /* at least: an edit is answered when it is done, and waits for those before it */

/* One error. Of a file there may be several: prints it as what it is, "file:line: what is wrong". Returns how many more follow. */
static int32_t take_error(struct chr_ctl *ctl, lo_message message, int *code)
{
	const char *address = chr_osc_string(message, 0), *reason = chr_osc_string(message, 1);
	int32_t file_code, more = 0;
	if (!address || !reason) {
		*code = chr_ctl_fail(ctl, CHR_CTL_REFUSED, "chronus refused, without a reason");
	} else if (chr_osc_int32(message, 2, &file_code)) {
		char text[1024];
		snprintf(text, sizeof text, "%s", reason);
		fprintf(stderr, "%s\n", chr_text_clean(text));
		chr_osc_int32(message, 3, &more);
		*code = (int)file_code;
	} else {
		*code = chr_ctl_fail(ctl, CHR_CTL_REFUSED, "%s", reason);
	}
	return more;
}

/* Waits for the answer; a remark in it goes to `remark`. */
static int await(struct chr_ctl *ctl, char remark[512])
{
	double patience_s = ctl->timeout_s > PATIENCE_S ? ctl->timeout_s : PATIENCE_S;
	uint64_t deadline_us = chr_osc_now_us() + (uint64_t)(patience_s * 1e6);
	for (int code = 0;;) {
		struct chr_osc_reply reply;
		int error = chr_osc_client_receive(&ctl->client, deadline_us, &reply);
		if (error == -ETIMEDOUT && code)
			return code; /* the rest of the errors was lost on the way */
		if (error == -ETIMEDOUT)
			return chr_ctl_fail(ctl, EX_TEMPFAIL, "no answer within %.0f s: see chronusctl status", patience_s);
		if (error)
			return chr_ctl_nobody(ctl);
		bool done = strcmp(reply.path, "/chronus/done") == 0;
		bool last = strcmp(reply.path, CHR_CTL_ERROR_PATH) == 0 && take_error(ctl, reply.message, &code) == 0;
		const char *text = done ? chr_osc_string(reply.message, 1) : NULL;
		snprintf(remark, 512, "%s", text ? text : "");
		chr_osc_reply_finish(&reply);
		if (code && !last)
			deadline_us = chr_osc_now_us() + 500000;
		if (done || last)
			return code;
	}
}

static int request(struct chr_ctl *ctl, const char *path, int count, char **argument, char remark[512])
{
	lo_message message = lo_message_new();
	for (int i = 0; i < count; i++)
		lo_message_add_string(message, argument[i]);
	int code = chr_ctl_open(ctl);
	if (!code)
		code = chr_ctl_send(ctl, path, message);
	lo_message_free(message);
	return code ? code : await(ctl, remark);
}

int chr_ctl_add(struct chr_ctl *ctl, int count, char **argument)
{
	char remark[512];
	int code = request(ctl, "/chronus/add", count, argument, remark);
	if (!code)
		printf("%s, a %s, comes\n", argument[1], argument[0]);
	return code;
}

int chr_ctl_remove(struct chr_ctl *ctl, int count, char **argument)
{
	char remark[512];
	int code = request(ctl, "/chronus/remove", count, argument, remark);
	if (!code)
		printf("%s is gone\n", argument[0]);
	return code;
}

int chr_ctl_rename(struct chr_ctl *ctl, int count, char **argument)
{
	char remark[512];
	int code = request(ctl, "/chronus/rename", count, argument, remark);
	if (!code)
		printf("%s is now %s\n", argument[0], argument[1]);
	return code;
}

int chr_ctl_connect(struct chr_ctl *ctl, int count, char **argument)
{
	char remark[512];
	return request(ctl, "/chronus/connect", count, argument, remark);
}

int chr_ctl_disconnect(struct chr_ctl *ctl, int count, char **argument)
{
	char remark[512];
	return request(ctl, "/chronus/disconnect", count, argument, remark);
}

/* chronus may have been started in another folder. A file that is to be written need not be there yet. */
static int absolute(struct chr_ctl *ctl, const char *path, char whole[PATH_MAX])
{
	char folder[PATH_MAX];
	if (*path == '/')
		snprintf(whole, PATH_MAX, "%s", path);
	else if (!getcwd(folder, sizeof folder) || strlen(folder) + strlen(path) + 2 > PATH_MAX)
		return chr_ctl_fail(ctl, EX_OSERR, "cannot tell where '%s' is", path);
	else
		snprintf(whole, PATH_MAX, "%.2000s/%.2000s", folder, path);
	return 0;
}

static int file_request(struct chr_ctl *ctl, const char *path, int count, char **argument, char remark[512])
{
	char whole[PATH_MAX], *word = whole;
	int code = count > 0 ? absolute(ctl, argument[0], whole) : 0;
	return code ? code : request(ctl, path, count > 0, &word, remark);
}

int chr_ctl_save(struct chr_ctl *ctl, int count, char **argument)
{
	char remark[512] = "";
	int code = file_request(ctl, "/chronus/save", count, argument, remark);
	if (!code)
		printf("saved as %s\n", chr_text_clean(remark));
	return code;
}

int chr_ctl_load(struct chr_ctl *ctl, int count, char **argument)
{
	char remark[512] = "";
	int code = file_request(ctl, "/chronus/load", count, argument, remark);
	if (!code)
		printf("loaded%s%s\n", remark[0] ? "; " : "", chr_text_clean(remark));
	else if (!ctl->problem[0])
		fputs("chronusctl: nothing was changed\n", stderr);
	return code;
}

int chr_ctl_connections(struct chr_ctl *ctl, int count, char **argument)
{
	(void)count;
	(void)argument;
	static const struct chr_column column[] = {{.title = "FROM"}, {.title = "TO"}};
	struct chr_ctl_replies replies;
	int code = chr_ctl_ask(ctl, "/chronus/connections", NULL, "/chronus/connections/end", &replies);
	if (code)
		return code;
	json_t *list = json_array();
	struct chr_table table;
	chr_table_init(&table, column, sizeof column / sizeof column[0]);
	for (size_t i = 0; i < replies.count; i++) {
		const char *from = chr_osc_string(replies.reply[i].message, 0), *to = chr_osc_string(replies.reply[i].message, 1);
		if (!from || !to)
			continue;
		json_array_append_new(list, json_pack("{s:s, s:s}", "from", from, "to", to));
		chr_table_row(&table);
		chr_table_put(&table, CHR_PLAIN, "%s", from);
		chr_table_put(&table, CHR_PLAIN, "%s", to);
	}
	if (ctl->json)
		chr_ctl_json_print(list, false);
	else
		chr_table_print(&table, stdout, 0, 0, ctl->color);
	chr_table_finish(&table);
	json_decref(list);
	chr_ctl_replies_finish(&replies);
	return 0;
}
