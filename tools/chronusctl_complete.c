/* complete: candidates for the last of the words of a command line, one a line, for the shells' completion. Says nothing else: no errors,
 * no waiting worth speaking of.
 */
#include "tools/chronusctl.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE_S 0.3

struct completion {
	struct chr_ctl *ctl;
	const char *prefix; /* the word as far as it is typed */
};

/* A candidate that a shell would have to quote is not offered. */
static void offer(const struct completion *c, const char *candidate)
{
	for (const char *p = candidate; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_-./:", *p))
			return;
	if (strncmp(candidate, c->prefix, strlen(c->prefix)) == 0)
		puts(candidate);
}

static void offer_commands(const struct completion *c)
{
	for (const struct chr_ctl_command *command = chr_ctl_command; command->name; command++)
		if (!command->hidden)
			offer(c, command->name);
}

static void offer_options(const struct completion *c, const struct chr_ctl_command *command)
{
	for (const struct chr_ctl_option *o = chr_ctl_option; o->name; o++) {
		char word[64];
		snprintf(word, sizeof word, "--%s", o->name);
		if (!command || !(o->set & ~command->options))
			offer(c, word);
	}
}

static void offer_modules(const struct completion *c)
{
	json_t *modules, *module;
	size_t i;
	if (chr_ctl_modules_fetch(c->ctl, &modules) != 0)
		return;
	json_array_foreach (modules, i, module) {
		offer(c, chr_ctl_get_string(module, "name"));
	}
	json_decref(modules);
}

static void offer_types(const struct completion *c)
{
	json_t *types, *type;
	size_t i;
	if (chr_ctl_describe_fetch(c->ctl, NULL, &types) != 0)
		return;
	json_array_foreach (types, i, type) {
		offer(c, chr_ctl_get_string(type, "name"));
	}
	json_decref(types);
}

/* Parameters of a module, each with `before` in front; with `values_of`, instead the values of that parameter. */
static void offer_params(const struct completion *c, const char *module, const char *before, const char *values_of)
{
	json_t *types, *param, *choice;
	size_t i, j;
	if (chr_ctl_describe_fetch(c->ctl, module, &types) != 0)
		return;
	json_array_foreach (json_object_get(json_array_get(types, 0), "params"), i, param) {
		const char *name = chr_ctl_get_string(param, "name");
		char word[CHR_OSC_PATH_MAX];
		snprintf(word, sizeof word, "%s%s", before, name);
		if (!values_of) {
			offer(c, word);
		} else if (strcmp(values_of, name) == 0) {
			json_array_foreach (json_object_get(param, "choices"), j, choice) {
				offer(c, json_string_value(choice));
			}
			if (strcmp(chr_ctl_get_string(param, "scale"), "toggle") == 0) {
				offer(c, "on");
				offer(c, "off");
			}
		}
	}
	json_decref(types);
}

/* The ports of all modules that have that direction, as MODULE:PORT. */
static void offer_ports(const struct completion *c, const char *direction)
{
	json_t *modules, *types = NULL, *module, *type, *port;
	size_t i, j, k;
	if (chr_ctl_modules_fetch(c->ctl, &modules) != 0)
		return;
	if (chr_ctl_describe_fetch(c->ctl, NULL, &types) != 0)
		types = NULL;
	json_array_foreach (modules, i, module) {
		json_array_foreach (types, j, type) {
			if (strcmp(chr_ctl_get_string(type, "name"), chr_ctl_get_string(module, "type")) != 0)
				continue;
			json_array_foreach (json_object_get(type, "ports"), k, port) {
				char word[CHR_OSC_PATH_MAX];
				snprintf(word, sizeof word, "%s:%s", chr_ctl_get_string(module, "name"),
					 chr_ctl_get_string(port, "name"));
				if (strcmp(chr_ctl_get_string(port, "direction"), direction) == 0)
					offer(c, word);
			}
		}
	}
	json_decref(types);
	json_decref(modules);
}

/* MODULE while no slash is typed, MODULE/PARAM after it. */
static void offer_paths(const struct completion *c)
{
	const char *slash = strchr(c->prefix, '/');
	if (!slash) {
		offer_modules(c);
		return;
	}
	char module[CHR_OSC_PATH_MAX], before[CHR_OSC_PATH_MAX];
	snprintf(module, sizeof module, "%.*s", (int)(slash - c->prefix), c->prefix);
	snprintf(before, sizeof before, "%.*s", (int)(slash - c->prefix) + 1, c->prefix);
	offer_params(c, module, before, NULL);
}

static void offer_word(const struct completion *c, enum chr_ctl_word kind, char **argument, int index)
{
	switch (kind) {
	case CHR_CTL_MODULE:
		offer_modules(c);
		break;
	case CHR_CTL_PATH:
		offer_paths(c);
		break;
	case CHR_CTL_PARAM:
		offer_params(c, argument[index - 1], "", NULL);
		break;
	case CHR_CTL_VALUE:
		offer_params(c, argument[index - 2], "", argument[index - 1]);
		break;
	case CHR_CTL_TYPE:
		offer_types(c);
		break;
	case CHR_CTL_COMMAND:
		offer_commands(c);
		break;
	case CHR_CTL_OUTPUT:
		offer_ports(c, "out");
		break;
	case CHR_CTL_INPUT:
		offer_ports(c, "in");
		break;
	case CHR_CTL_FILE:
	case CHR_CTL_NOTHING:
		break;
	}
}

/* `set MODULE/PARAM` is one word where the table counts two. */
static void offer_argument(const struct completion *c, const struct chr_ctl_command *command, int count, char **argument)
{
	char module[CHR_OSC_PATH_MAX];
	char *split[3] = {module, NULL, NULL};
	int index = count - 1;
	char *slash = count == 2 && command->word[1] == CHR_CTL_PARAM ? strchr(argument[0], '/') : NULL;
	if (slash) {
		snprintf(module, sizeof module, "%.*s", (int)(slash - argument[0]), argument[0]);
		split[1] = slash + 1;
		argument = split;
		index = 2;
	}
	if (index < (int)(sizeof command->word / sizeof command->word[0]))
		offer_word(c, command->word[index], argument, index);
}

int chr_ctl_complete(struct chr_ctl *ctl, int count, char **argument)
{
	char empty[] = "";
	char *word[CHR_CTL_WORD_MAX];
	int words = 0;
	/* Read the words before the last as if they were a command line, for its --port and so on. */
	char *line[CHR_CTL_WORD_MAX] = {empty};
	if (count >= CHR_CTL_WORD_MAX - 1)
		return 0;
	for (int i = 0; i + 1 < count; i++)
		line[i + 1] = argument[i];
	struct completion c = {.ctl = ctl, .prefix = count > 0 ? argument[count - 1] : ""};
	struct chr_ctl typed = {.client.fd = -1};
	if (chr_ctl_parse(&typed, count > 0 ? count : 1, line, word, &words) != 0)
		return 0;
	*ctl = typed;
	ctl->timeout_s = PATIENCE_S;
	const struct chr_ctl_command *command = words > 0 ? chr_ctl_command_find(word[0]) : NULL;
	word[words++] = (char *)c.prefix;
	if (c.prefix[0] == '-')
		offer_options(&c, command);
	else if (words == 1)
		offer_commands(&c);
	else if (command)
		offer_argument(&c, command, words - 1, word + 1);
	return 0;
}
