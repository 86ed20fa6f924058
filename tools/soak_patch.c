/* Who patches: draws and erases connections as a patchbay does, and adds, removes, connects, saves, loads and swaps over OSC, one edit at a
 * time.
 */
#include "tools/soak.h"

#include "common/clock.h"

#include <stdio.h>
#include <string.h>

#define EVERY_MS  1000u /* at least, between two edits */
#define SPREAD_MS 3000u
#define ANSWER_US 15000000u
#define EXTRAS    4 /* modules beside those that it began with */
#define EXTRA     "extra"
#define PORT_NAME 320

/* ---- edits over OSC ---- */

static void send_edit(struct chr_soak *soak, const char *path, const char *a, const char *b)
{
	lo_message message = lo_message_new();
	if (a)
		lo_message_add_string(message, a);
	if (b)
		lo_message_add_string(message, b);
	snprintf(soak->awaited, sizeof soak->awaited, "%s", path);
	soak->edit_us = chr_monotonic_us();
	soak->record.edits++;
	if (chr_osc_client_send(&soak->edit, path, message))
		soak->record.refused++;
	lo_message_free(message);
}

/* 0: nothing came; 1: it is done; -1: it was refused. */
static int take_answer(struct chr_soak *soak)
{
	struct chr_osc_reply reply;
	int answer = 0;
	while (!answer && chr_osc_client_receive(&soak->edit, 0, &reply) == 0) {
		const char *address = chr_osc_string(reply.message, 0);
		bool done = strcmp(reply.path, "/chronus/done") == 0, error = strcmp(reply.path, "/chronus/error") == 0;
		if ((done || error) && address && strcmp(address, soak->awaited) == 0)
			answer = done ? 1 : -1;
		if (error && soak->campaign.options.verbose)
			fprintf(stderr, "\n%s: %s\n", address ? address : "", chr_osc_string(reply.message, 1));
		chr_osc_reply_finish(&reply);
	}
	return answer;
}

/* Is an edit still under way? */
static bool awaits(struct chr_soak *soak)
{
	if (!soak->awaited[0])
		return false;
	int answer = take_answer(soak);
	if (!answer && chr_monotonic_us() - soak->edit_us < ANSWER_US)
		return true;
	if (!answer) {
		soak->record.unanswered++;
		fprintf(stderr, "chronus-soak: %.1f s: no answer to %s within 15 s\n", chr_soak_now_s(soak), soak->awaited);
	}
	soak->record.refused += answer < 0;
	if (answer > 0 && strcmp(soak->awaited, "/chronus/save") == 0)
		soak->has_saved = true;
	soak->awaited[0] = 0;
	/* what could not be learnt is learnt after the next edit */
	chr_soak_learn_modules(soak);
	return false;
}

int chr_soak_edit_wait(struct chr_soak *soak, const char *path, const char *a, const char *b)
{
	while (awaits(soak))
		chr_session_pump(&soak->campaign.session, 2);
	unsigned before = soak->record.refused + soak->record.unanswered;
	send_edit(soak, path, a, b);
	while (awaits(soak))
		chr_session_pump(&soak->campaign.session, 2);
	return soak->record.refused + soak->record.unanswered == before ? 0 : -1;
}

/* ---- connections ---- */

/* The module that a port is of, by its place; -1: none. */
static int module_of(const struct chr_soak *soak, const char *port)
{
	size_t length = strcspn(port, ":");
	for (unsigned i = 0; i < soak->modules; i++)
		if (strlen(soak->module[i].name) == length && strncmp(soak->module[i].name, port, length) == 0)
			return (int)i;
	return -1;
}

/* A port of lane a of one of the modules: CLIENT:PORT. Not the clock's, which hold the lanes together. */
static bool suits(const struct chr_soak *soak, const char *port, bool output)
{
	bool out = strncmp(port, "out:", 4) == 0;
	if (strstr(port, ":clock") || strstr(port, ".b"))
		return false;
	return out ? !output : module_of(soak, port) >= 0;
}

static bool draw_port(struct chr_soak *soak, jack_client_t *client, bool output, char name[PORT_NAME])
{
	const char **ports = jack_get_ports(client, NULL, JACK_DEFAULT_AUDIO_TYPE, output ? JackPortIsOutput : JackPortIsInput);
	unsigned count = 0;
	/* those that suit come to the front */
	for (unsigned i = 0; ports && ports[i]; i++)
		if (suits(soak, ports[i], output))
			ports[count++] = ports[i];
	if (count)
		snprintf(name, PORT_NAME, "%s", ports[chr_campaign_draw(&soak->campaign, count)]);
	jack_free(ports);
	return count > 0;
}

/* Makes a connection, or takes it away where there is one. */
static void toggle_with(struct chr_soak *soak, jack_client_t *client, bool by_osc)
{
	char from[PORT_NAME], to[PORT_NAME];
	if (!draw_port(soak, client, true, from) || !draw_port(soak, client, false, to))
		return;
	const jack_port_t *port = jack_port_by_name(client, from);
	bool made = port && jack_port_connected_to(port, to);
	if (by_osc) {
		send_edit(soak, made ? "/chronus/disconnect" : "/chronus/connect", from, to);
		return;
	}
	int rc = made ? jack_disconnect(client, from, to) : jack_connect(client, from, to);
	soak->drawn += rc == 0;
}

/* With a client of its own, as jack_connect does it: PipeWire's libjack takes a connection that comes to nothing, because its module has just
 * died, for the end of the server, and its client is lost. */
static void toggle(struct chr_soak *soak, bool by_osc)
{
	jack_client_t *client = jack_client_open("soak-patchbay", JackNoStartServer, NULL);
	if (!client)
		return;
	toggle_with(soak, client, by_osc);
	jack_client_close(client);
}

/* ---- modules ---- */

static bool is_extra(const struct chr_soak_module *module)
{
	return strncmp(module->name, EXTRA, sizeof EXTRA - 1) == 0;
}

static unsigned count_extras(const struct chr_soak *soak)
{
	unsigned count = 0;
	for (unsigned i = 0; i < soak->modules; i++)
		count += is_extra(&soak->module[i]);
	return count;
}

static void add(struct chr_soak *soak)
{
	char name[CHR_NAME_MAX];
	const char *type = soak->type[chr_campaign_draw(&soak->campaign, soak->types)];
	if (strcmp(type, "out") == 0 || count_extras(soak) >= EXTRAS)
		return;
	snprintf(name, sizeof name, EXTRA "%u", soak->record.edits % 1000);
	send_edit(soak, "/chronus/add", type, name);
}

static void take_away(struct chr_soak *soak)
{
	unsigned count = count_extras(soak), nth = count ? chr_campaign_draw(&soak->campaign, count) : 0;
	for (unsigned i = 0; count && i < soak->modules; i++)
		if (is_extra(&soak->module[i]) && nth-- == 0) {
			send_edit(soak, "/chronus/remove", soak->module[i].name, NULL);
			return;
		}
}

static void swap(struct chr_soak *soak)
{
	if (soak->modules)
		send_edit(soak, "/chronus/swap", soak->module[chr_campaign_draw(&soak->campaign, soak->modules)].name, NULL);
}

static void load(struct chr_soak *soak)
{
	bool saved = soak->has_saved && chr_campaign_draw(&soak->campaign, 2);
	send_edit(soak, "/chronus/load", saved ? soak->saved : soak->base, NULL);
}

void chr_soak_patch(struct chr_soak *soak)
{
	if (awaits(soak) || chr_monotonic_us() < soak->edit_next_us)
		return;
	unsigned what = chr_campaign_draw(&soak->campaign, 100);
	if (what < 35)
		toggle(soak, false);
	else if (what < 50)
		toggle(soak, true);
	else if (what < 68)
		add(soak);
	else if (what < 78)
		take_away(soak);
	else if (what < 84)
		send_edit(soak, "/chronus/save", soak->saved, NULL);
	else if (what < 92)
		load(soak);
	else
		swap(soak);
	soak->edit_next_us = chr_monotonic_us() + (EVERY_MS + chr_campaign_draw(&soak->campaign, SPREAD_MS)) * 1000u;
}
