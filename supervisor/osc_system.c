/* The system's own space: one table of commands, from which calls are checked and /chronus/help is made. Commands are carried out
 * when they arrive, whatever the timetag of a bundle around them.
 */
#include "supervisor/osc_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct command {
	const char *name;     /* after CHR_OSC_ROOT */
	const char *required; /* types of the arguments: s a string, n a number, * any number of anything */
	const char *optional;
	void (*run)(struct chr_osc *osc, const struct chr_osc_message *message);
	const char *args; /* for people */
	const char *help;
};

static void ping(struct chr_osc *osc, const struct chr_osc_message *message)
{
	size_t bytes = lo_message_length(message->lo, CHR_OSC_ROOT "pong");

	/* What earlier messages changed is told before a ping is answered. */
	chr_osc_tell_gathered(osc);
	if (bytes <= sizeof osc->out && lo_message_serialise(message->lo, CHR_OSC_ROOT "pong", osc->out, &bytes)) {
		chr_osc_socket_send(&osc->socket, osc->from, osc->out, bytes);
		osc->sent++;
	}
}

static void clock_point(struct chr_osc *osc, const struct chr_osc_message *message)
{
	if (osc->map.rate == 0) {
		chr_osc_error(osc, message->address, "no JACK server: frames have no meaning");
		return;
	}
	uint32_t frame = chr_osc_map_frame(&osc->map, osc->real_ns);
	uint64_t timetag = chr_osc_ns_timetag(chr_osc_map_time(&osc->map, frame));
	lo_message reply = lo_message_new();
	lo_message_add_string(reply, "frame");
	lo_message_add_int64(reply, frame);
	lo_message_add_string(reply, "timetag");
	lo_message_add_timetag(reply, (lo_timetag){(uint32_t)(timetag >> 32), (uint32_t)timetag});
	lo_message_add_string(reply, "rate");
	lo_message_add_int32(reply, (int32_t)osc->map.rate);
	chr_osc_reply(osc, CHR_OSC_ROOT "clock", reply);
}

static void done(struct chr_osc *osc, const struct chr_osc_message *message, const char *module)
{
	lo_message reply = lo_message_new();

	lo_message_add_string(reply, message->address);
	if (module)
		lo_message_add_string(reply, module);
	chr_osc_reply(osc, CHR_OSC_ROOT "done", reply);
}

static void restart(struct chr_osc *osc, const struct chr_osc_message *message)
{
	const char *module = chr_osc_text(message->argv[0]);
	int result = chr_rack_find(osc->host.rack, module) ? osc->host.restart(osc->host.self, module) : -ENOENT;

	if (result == -ENOENT)
		chr_osc_error(osc, message->address, "no module %.64s", module);
	else if (result < 0)
		chr_osc_error(osc, message->address, "%.64s: %s", module, strerror(-result));
	else
		done(osc, message, module);
}

/* The answer comes when it is done. */
static void swap(struct chr_osc *osc, const struct chr_osc_message *message)
{
	const char *module = chr_osc_text(message->argv[0]), *why = NULL;
	const char *file = message->count > 1 ? chr_osc_text(message->argv[1]) : NULL;
	int result = -ENOENT;

	if (chr_rack_find(osc->host.rack, module))
		result = osc->host.swap ? osc->host.swap(osc->host.self, module, file, osc->from, &why) : -ENOSYS;
	if (result == -ENOENT)
		chr_osc_error(osc, message->address, "no module %.64s", module);
	else if (result < 0)
		chr_osc_error(osc, message->address, "%.64s: %s", module, why ? why : strerror(-result));
}

void chr_osc_tell_swap(struct chr_osc *osc, const struct chr_osc_peer *peer, const char *module, const char *word)
{
	lo_message message = lo_message_new();

	lo_message_add_string(message, module);
	lo_message_add_string(message, word);
	chr_osc_send(osc, peer, CHR_OSC_ROOT "swap/state", message);
}

void chr_osc_answer_swap(struct chr_osc *osc, const struct chr_osc_peer *peer, const char *module, const char *text, bool failed)
{
	lo_message message = lo_message_new();

	lo_message_add_string(message, CHR_OSC_ROOT "swap");
	if (!failed)
		lo_message_add_string(message, module);
	lo_message_add_string(message, text);
	chr_osc_send(osc, peer, failed ? CHR_OSC_ROOT "error" : CHR_OSC_ROOT "done", message);
}

static void quit(struct chr_osc *osc, const struct chr_osc_message *message)
{
	done(osc, message, NULL);
	osc->host.quit(osc->host.self);
}

static void help(struct chr_osc *osc, const struct chr_osc_message *message);

static const struct command commands[] = {
	{"ping", "", "*", ping, "args...", "answers /chronus/pong args... after all earlier packets were carried out"},
	{"status", "", "", chr_osc_status, "", "how the patch, its modules and their processes stand"},
	{"modules", "", "", chr_osc_modules, "", "names and types of the patch's modules"},
	{"describe", "", "s", chr_osc_describe, "[TYPE or module]",
	 "ports and parameters of a type, or of every type that is installed"},
	{"subscribe", "", "n", chr_osc_subscribe, "[seconds]", "tells of changed parameters and states for that long (60 s)"},
	{"unsubscribe", "", "", chr_osc_unsubscribe, "", "ends the lease"},
	{"restart", "s", "", restart, "MODULE", "starts a module's processes anew and lifts its quarantine"},
	{"swap", "s", "s", swap, "MODULE [FILE]", "swaps the code of a module that plays for its rebuilt file, or for FILE"},
	{"add", "ss", "", chr_osc_edit, "TYPE NAME", "adds a module; it fades in"},
	{"remove", "s", "", chr_osc_edit, "MODULE", "fades a module out and ends it"},
	{"rename", "ss", "", chr_osc_edit, "MODULE NAME", "gives a module another name"},
	{"connect", "ss", "", chr_osc_edit, "OUTPUT INPUT", "connects two ports, as in a patch"},
	{"disconnect", "ss", "", chr_osc_edit, "OUTPUT INPUT", "takes a connection away"},
	{"connections", "", "", chr_osc_connections, "", "all connections of the patch, made or waiting for their ports"},
	{"save", "", "s", chr_osc_edit, "[FILE]", "writes the patch as it is now; without FILE to where it came from"},
	{"load", "", "s", chr_osc_edit, "[FILE]", "makes the patch what the file says; what stays sounds on"},
	{"quit", "", "", quit, "", "ends everything"},
	{"clock", "", "", clock_point, "", "a point of the map from timetags to frames"},
	{"help", "", "", help, "", "this list"},
};

static void help(struct chr_osc *osc, const struct chr_osc_message *message)
{
	uint64_t before = osc->sent;

	(void)message;
	for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
		char path[CHR_OSC_ADDRESS_MAX];
		lo_message reply = lo_message_new();

		snprintf(path, sizeof path, CHR_OSC_ROOT "%s", commands[i].name);
		lo_message_add_string(reply, "path");
		lo_message_add_string(reply, path);
		lo_message_add_string(reply, "args");
		lo_message_add_string(reply, commands[i].args);
		lo_message_add_string(reply, "help");
		lo_message_add_string(reply, commands[i].help);
		chr_osc_reply(osc, CHR_OSC_ROOT "help/command", reply);
	}
	chr_osc_reply_end(osc, CHR_OSC_ROOT "help/end", before);
}

/* Does a type tag fit what the table wants there? */
static bool fits(char want, char type)
{
	return want == 's' ? type == 's' || type == 'S' : strchr("ihfd", type) != NULL;
}

static bool args_fit(const struct command *command, const struct chr_osc_message *message)
{
	const char *type = message->types;

	for (const char *want = command->required; *want; want++, type++) {
		if (!*type || !fits(*want, *type))
			return false;
	}
	if (*command->optional == '*')
		return true;
	for (const char *want = command->optional; *want && *type; want++, type++) {
		if (!fits(*want, *type))
			return false;
	}
	return !*type;
}

void chr_osc_system(struct chr_osc *osc, const struct chr_osc_message *message)
{
	const char *name = message->address + sizeof CHR_OSC_ROOT - 1;

	for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
		const struct command *command = &commands[i];

		if (strcmp(name, command->name) != 0)
			continue;
		if (args_fit(command, message))
			command->run(osc, message);
		else
			chr_osc_error(osc, message->address, "takes %s", command->args[0] ? command->args : "no arguments");
		return;
	}
	chr_osc_error(osc, message->address, "no such command; " CHR_OSC_ROOT "help lists them");
}
