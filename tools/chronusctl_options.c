#include "tools/chronusctl.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_HOST    "127.0.0.1"
#define DEFAULT_PORT    "5005"
#define DEFAULT_TIMEOUT 2.0 /* seconds */

const struct chr_ctl_option chr_ctl_option[] = {
	{"host", "HOST", "where chronus runs (environment CHRONUS_OSC_HOST, else " DEFAULT_HOST ")", 0, 'H'},
	{"port", "PORT", "its OSC port (environment CHRONUS_OSC_PORT, else " DEFAULT_PORT ")", 0, 'P'},
	{"timeout", "SECONDS", "how long to wait for an answer (2)", 0, 't'},
	{"json", NULL, "print JSON", CHR_CTL_JSON, 'j'},
	{"interval", "SECONDS", "time between two pictures (1)", CHR_CTL_LIVE, 'i'},
	{"once", NULL, "print one picture and end; needs no terminal", CHR_CTL_LIVE, '1'},
	{"no-color", NULL, "no colours (also with NO_COLOR in the environment)", 0, 0},
	{"help", NULL, "explain the command, or list all commands", 0, 'h'},
	{"version", NULL, "print the version", 0, 'V'},
	{0},
};

struct parse {
	struct chr_ctl *ctl;
	bool no_color, help, version;
};

int chr_ctl_number(const char *text, double *number)
{
	if (!*text || strspn(text, "0123456789.+-eE") != strlen(text))
		return -EINVAL;
	char *end;
	double value = strtod(text, &end);
	if (*end || !isfinite(value) || !isfinite((float)value))
		return -EINVAL;
	*number = value;
	return 0;
}

/* `where` names the source of a bad value: the option or the variable. */
static int take_port(struct chr_ctl *ctl, const char *where, const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || port < 1 || port > 65535)
		return chr_ctl_fail(ctl, EX_USAGE, "%s: '%s' is no port (1 to 65535)", where, text);
	ctl->port = (unsigned)port;
	return 0;
}

static int take_seconds(struct chr_ctl *ctl, const char *where, const char *text, double least, double *seconds)
{
	if (chr_ctl_number(text, seconds) != 0 || *seconds < least || *seconds > 3600)
		return chr_ctl_fail(ctl, EX_USAGE, "%s: '%s' is no time in seconds (%g to 3600)", where, text, least);
	return 0;
}

static int take(struct parse *parse, const struct chr_ctl_option *option, const char *value)
{
	struct chr_ctl *ctl = parse->ctl;
	const char *name = option->name, *text = value ? value : "";
	if (strcmp(name, "host") == 0)
		ctl->host = text;
	else if (strcmp(name, "port") == 0)
		return take_port(ctl, "--port", text);
	else if (strcmp(name, "timeout") == 0)
		return take_seconds(ctl, "--timeout", text, 0.001, &ctl->timeout_s);
	else if (strcmp(name, "interval") == 0)
		return take_seconds(ctl, "--interval", text, 0.05, &ctl->interval_s);
	else if (strcmp(name, "json") == 0)
		ctl->json = true;
	else if (strcmp(name, "once") == 0)
		ctl->once = true;
	else if (strcmp(name, "no-color") == 0)
		parse->no_color = true;
	else if (strcmp(name, "help") == 0)
		parse->help = true;
	else
		parse->version = true;
	return 0;
}

/* The option in a word like --port=5005, --port, -p or -p5005; *value is the part after it, NULL for none. */
static const struct chr_ctl_option *find(const char *word, const char **value)
{
	*value = NULL;
	for (const struct chr_ctl_option *o = chr_ctl_option; o->name; o++) {
		size_t length = strlen(o->name);
		if (word[1] == '-' && strncmp(word + 2, o->name, length) == 0 &&
		    (word[2 + length] == '\0' || word[2 + length] == '=')) {
			*value = word[2 + length] ? word + 3 + length : NULL;
			return o;
		}
		if (word[1] != '-' && o->letter && word[1] == o->letter) {
			*value = word[2] ? word + 2 : NULL;
			return o;
		}
	}
	return NULL;
}

/* "-12.5" is a value, not an option; -1 alone is both, and is a value once a command that has no such option was named. */
static bool is_option(const char *word, const struct chr_ctl_command *command)
{
	if (word[0] != '-' || word[1] == '\0')
		return false;
	if (strcmp(word, "-1") == 0)
		return !command || (command->options & CHR_CTL_LIVE);
	return !isdigit((unsigned char)word[1]) && word[1] != '.';
}

static int take_words(struct parse *parse, int argc, char **argv, char **word, int *words)
{
	const struct chr_ctl_command *command = NULL;
	for (int i = 1; i < argc; i++) {
		/* What is to be completed is looked at, not obeyed. */
		bool raw = command && command->handler == chr_ctl_complete;
		if (!raw && strcmp(argv[i], "--") == 0) {
			while (++i < argc)
				word[(*words)++] = argv[i];
			break;
		}
		if (raw || !is_option(argv[i], command)) {
			if (*words == 0)
				command = chr_ctl_command_find(argv[i]);
			word[(*words)++] = argv[i];
			continue;
		}
		const char *value;
		const struct chr_ctl_option *option = find(argv[i], &value);
		if (!option)
			return chr_ctl_fail(parse->ctl, EX_USAGE, "there is no option '%s'; see: chronusctl --help", argv[i]);
		if (!option->argument && value)
			return chr_ctl_fail(parse->ctl, EX_USAGE, "--%s takes no argument", option->name);
		if (option->argument && !value && !(value = argv[++i]))
			return chr_ctl_fail(parse->ctl, EX_USAGE, "--%s needs an argument: %s", option->name, option->argument);
		int code = take(parse, option, value);
		if (code)
			return code;
	}
	return 0;
}

static bool colors_wanted(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && *term && strcmp(term, "dumb") != 0;
}

int chr_ctl_parse(struct chr_ctl *ctl, int argc, char **argv, char **word, int *words)
{
	struct parse parse = {.ctl = ctl};
	const char *host = getenv("CHRONUS_OSC_HOST"), *port = getenv("CHRONUS_OSC_PORT");
	ctl->host = host && *host ? host : DEFAULT_HOST;
	ctl->timeout_s = DEFAULT_TIMEOUT;
	*words = 0;
	int code = take_words(&parse, argc, argv, word, words);
	if (!code && ctl->port == 0)
		code = take_port(ctl, "CHRONUS_OSC_PORT", port && *port ? port : DEFAULT_PORT);
	ctl->color = !parse.no_color && colors_wanted();
	if (code || !(parse.help || parse.version))
		return code;
	static char help[] = "help", version[] = "version";
	const struct chr_ctl_command *command = *words > 0 ? chr_ctl_command_find(word[0]) : NULL;
	word[1] = parse.help && command ? word[0] : NULL;
	word[0] = parse.help ? help : version;
	*words = word[1] ? 2 : 1;
	ctl->json = ctl->once = false;
	ctl->interval_s = 0;
	return 0;
}
