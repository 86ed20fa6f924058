/* Modules and connections by hand, save and load: the request goes to the conductor, the answer to whoever asked, when it is done.
 *
 * Each problem of a file is an error of its own: address, "file:line: what is wrong", the exit code that chronus --check has for it, and how many
 * more follow.
 */
#include "supervisor/osc_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Who is to be answered. */
struct ticket {
	struct chr_osc *osc;
	struct chr_osc_peer peer;
	char address[32];
};

static const struct {
	const char *name;
	enum chr_edit_kind kind;
} kinds[] = {
	{"add", CHR_EDIT_ADD},         {"remove", CHR_EDIT_REMOVE},         {"rename", CHR_EDIT_RENAME},
	{"connect", CHR_EDIT_CONNECT}, {"disconnect", CHR_EDIT_DISCONNECT}, {"save", CHR_EDIT_SAVE},
	{"load", CHR_EDIT_LOAD},
};

static unsigned lines_of(const char *text)
{
	unsigned count = 1;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void send_error(const struct ticket *ticket, const char *reason, size_t bytes, int code, unsigned more)
{
	lo_message message = lo_message_new();
	char *text = strndup(reason, bytes);

	lo_message_add_string(message, ticket->address);
	lo_message_add_string(message, text ? text : "out of memory");
	if (code > 0) {
		lo_message_add_int32(message, code);
		lo_message_add_int32(message, (int32_t)more);
	}
	chr_osc_send(ticket->osc, &ticket->peer, CHR_OSC_ROOT "error", message);
	free(text);
}

static void send_errors(const struct ticket *ticket, int rc, const char *why)
{
	unsigned more = lines_of(why);

	ticket->osc->host.rack->totals.errors++;
	for (; more > 0; why += strcspn(why, "\n") + 1)
		send_error(ticket, why, strcspn(why, "\n"), rc, --more);
}

static void answer(void *arg, int rc, const char *why)
{
	struct ticket *ticket = arg;

	if (rc == 0) {
		lo_message message = lo_message_new();

		lo_message_add_string(message, ticket->address);
		if (*why)
			lo_message_add_string(message, why);
		chr_osc_send(ticket->osc, &ticket->peer, CHR_OSC_ROOT "done", message);
	} else {
		send_errors(ticket, rc, why);
	}
	free(ticket);
}

static const char *argument(const struct chr_osc_message *message, unsigned i)
{
	return i < message->count ? chr_osc_text(message->argv[i]) : "";
}

void chr_osc_edit(struct chr_osc *osc, const struct chr_osc_message *message)
{
	const char *name = message->address + sizeof CHR_OSC_ROOT - 1;
	struct ticket *ticket = osc->host.edit ? malloc(sizeof *ticket) : NULL;
	unsigned i = 0;

	if (!ticket) {
		chr_osc_error(osc, message->address, osc->host.edit ? "out of memory" : "nothing can be edited here");
		return;
	}
	*ticket = (struct ticket){.osc = osc, .peer = *osc->from};
	snprintf(ticket->address, sizeof ticket->address, "%s", message->address);
	while (i + 1 < sizeof kinds / sizeof kinds[0] && strcmp(kinds[i].name, name) != 0)
		i++;
	int rc = osc->host.edit(osc->host.self, kinds[i].kind, argument(message, 0), argument(message, 1), answer, ticket);
	if (rc == 0)
		return;
	free(ticket);
	chr_osc_error(osc, message->address, rc == -ENOSPC ? "too many edits wait for their turn" : "out of memory");
}

void chr_osc_connections(struct chr_osc *osc, const struct chr_osc_message *message)
{
	uint64_t before = osc->sent;
	const char *from, *to;

	(void)message;
	for (unsigned i = 0; osc->host.edge && osc->host.edge(osc->host.self, i, &from, &to); i++) {
		lo_message reply = lo_message_new();

		lo_message_add_string(reply, from);
		lo_message_add_string(reply, to);
		chr_osc_reply(osc, CHR_OSC_ROOT "connections/connection", reply);
	}
	chr_osc_reply_end(osc, CHR_OSC_ROOT "connections/end", before);
}
