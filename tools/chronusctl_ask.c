#include "tools/chronusctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ATTEMPTS 3 /* how often a question is asked while datagrams get lost */

int chr_ctl_fail(struct chr_ctl *ctl, int code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(ctl->problem, sizeof ctl->problem, format, arguments);
	va_end(arguments);
	chr_text_clean(ctl->problem);
	return code;
}

int chr_ctl_nobody(struct chr_ctl *ctl)
{
	return chr_ctl_fail(ctl, EX_UNAVAILABLE, "nothing answers at %s:%u: is chronus running? (start it with: chronus PATCH)",
			    ctl->host, ctl->port);
}

int chr_ctl_open(struct chr_ctl *ctl)
{
	chr_osc_client_close(&ctl->client);
	int error = chr_osc_client_open(&ctl->client, ctl->host, ctl->port);
	if (error == -EADDRNOTAVAIL)
		return chr_ctl_fail(ctl, EX_UNAVAILABLE, "there is no host '%s'", ctl->host);
	if (error)
		return chr_ctl_fail(ctl, EX_UNAVAILABLE, "cannot reach %s:%u: %s", ctl->host, ctl->port, strerror(-error));
	return 0;
}

int chr_ctl_send(struct chr_ctl *ctl, const char *path, lo_message arguments)
{
	int error = chr_osc_client_send(&ctl->client, path, arguments);
	if (error == -ECONNREFUSED)
		return chr_ctl_nobody(ctl);
	if (error)
		return chr_ctl_fail(ctl, EX_UNAVAILABLE, "cannot send to %s:%u: %s", ctl->host, ctl->port, strerror(-error));
	return 0;
}

static int refused(struct chr_ctl *ctl, lo_message message)
{
	const char *address = chr_osc_string(message, 0), *reason = chr_osc_string(message, 1);
	if (!address || !reason)
		return chr_ctl_fail(ctl, CHR_CTL_REFUSED, "chronus refused, without a reason");
	/* Whoever typed a command knows which. */
	if (strncmp(address, "/chronus/", 9) == 0)
		return chr_ctl_fail(ctl, CHR_CTL_REFUSED, "%s", reason);
	/* A reason that names the parameter itself needs no address before it. */
	size_t length = strcspn(reason, ":");
	if (address[0] == '/' && reason[length] == ':' && strlen(address) == length + 1 &&
	    strncmp(address + 1, reason, length) == 0)
		return chr_ctl_fail(ctl, CHR_CTL_REFUSED, "/%s", reason);
	return chr_ctl_fail(ctl, CHR_CTL_REFUSED, "%s: %s", address, reason);
}

int chr_ctl_next(struct chr_ctl *ctl, uint64_t deadline_us, struct chr_osc_reply *reply)
{
	ctl->problem[0] = '\0';
	int error = chr_osc_client_receive(&ctl->client, deadline_us, reply);
	if (error == -ETIMEDOUT || error == -EINTR)
		return EX_TEMPFAIL;
	if (error == -ECONNREFUSED)
		return chr_ctl_nobody(ctl);
	if (error)
		return chr_ctl_fail(ctl, EX_UNAVAILABLE, "cannot receive from %s:%u: %s", ctl->host, ctl->port, strerror(-error));
	if (strcmp(reply->path, CHR_CTL_ERROR_PATH) == 0) {
		int code = refused(ctl, reply->message);
		chr_osc_reply_finish(reply);
		return code;
	}
	return 0;
}

void chr_ctl_replies_finish(struct chr_ctl_replies *replies)
{
	for (size_t i = 0; i < replies->count; i++)
		chr_osc_reply_finish(&replies->reply[i]);
	free(replies->reply);
	*replies = (struct chr_ctl_replies){0};
}

static void keep(struct chr_ctl_replies *replies, const struct chr_osc_reply *reply)
{
	struct chr_osc_reply *more = reallocarray(replies->reply, replies->count + 1, sizeof *more);
	if (!more) {
		fputs("chronusctl: out of memory\n", stderr);
		exit(EX_OSERR);
	}
	replies->reply = more;
	replies->reply[replies->count++] = *reply;
}

/* Does the reply end the answer? With a token it must be that token's pong. */
static bool is_end(const struct chr_osc_reply *reply, const char *end, int32_t token)
{
	if (strcmp(reply->path, end) != 0)
		return false;
	int32_t answered;
	return token == 0 || (chr_osc_int32(reply->message, 0, &answered) && answered == token);
}

/* Gathers until the end. 0; EX_TEMPFAIL when something was lost on the way; else another exit code. */
static int gather(struct chr_ctl *ctl, const char *end, int32_t token, struct chr_ctl_replies *replies)
{
	uint64_t patience_us = (uint64_t)(ctl->timeout_s * 1e6), deadline_us = chr_osc_now_us() + patience_us;
	for (;;) {
		struct chr_osc_reply reply;
		int code = chr_ctl_next(ctl, deadline_us, &reply);
		if (code == EX_TEMPFAIL)
			return replies->count == 0 ? chr_ctl_nobody(ctl) : code;
		if (code)
			return code;
		if (!is_end(&reply, end, token)) {
			keep(replies, &reply);
			deadline_us = chr_osc_now_us() + patience_us;
			continue;
		}
		int32_t messages = (int32_t)replies->count;
		if (token == 0)
			chr_osc_int32(reply.message, 0, &messages);
		chr_osc_reply_finish(&reply);
		return messages == (int32_t)replies->count ? 0 : EX_TEMPFAIL;
	}
}

/* One attempt, on a socket of its own, so that nothing of an earlier attempt can be taken for an answer. */
static int ask_once(struct chr_ctl *ctl, const char *path, lo_message arguments, const char *end, struct chr_ctl_replies *replies)
{
	int32_t token = end ? 0 : (int32_t)(chr_osc_now_us() % INT32_MAX) + 1;
	int code = chr_ctl_open(ctl);
	if (!code)
		code = chr_ctl_send(ctl, path, arguments);
	if (!code && !end) {
		lo_message ping = lo_message_new();
		lo_message_add_int32(ping, token);
		code = chr_ctl_send(ctl, "/chronus/ping", ping);
		lo_message_free(ping);
	}
	if (!code)
		code = gather(ctl, end ? end : "/chronus/pong", token, replies);
	if (code)
		chr_ctl_replies_finish(replies);
	return code;
}

int chr_ctl_ask(struct chr_ctl *ctl, const char *path, lo_message arguments, const char *end, struct chr_ctl_replies *replies)
{
	*replies = (struct chr_ctl_replies){0};
	int code = EX_TEMPFAIL;
	for (int attempt = 0; code == EX_TEMPFAIL && attempt < (end ? ATTEMPTS : 1); attempt++)
		code = ask_once(ctl, path, arguments, end, replies);
	if (code == EX_TEMPFAIL)
		chr_ctl_fail(ctl, code, "%s:%u: the answer to %s came incomplete: try again, or give it more --timeout", ctl->host,
			     ctl->port, path);
	return code;
}
