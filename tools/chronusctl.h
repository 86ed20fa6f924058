/* chronusctl: a person's view of a running chronus, over OSC. This header is what its files share: the settings of one run,
 * asking the server, and the commands' handlers, which all return the exit code of the program.
 *
 * A handler that fails says why with chr_ctl_fail(); main prints that once. One thread.
 */
#ifndef CHR_TOOLS_CHRONUSCTL_H
#define CHR_TOOLS_CHRONUSCTL_H

#include "tools/chronusctl_osc.h"
#include "tools/chronusctl_table.h"

#include <jansson.h>
#include <lo/lo.h>
#include <stdbool.h>
#include <stddef.h>
#include <sysexits.h>

#define CHR_CTL_REFUSED    1 /* exit code: chronus answered with an error */
#define CHR_CTL_WORD_MAX   64
#define CHR_CTL_ERROR_PATH "/chronus/error"

struct chr_ctl {
	const char *host;
	unsigned port;
	double timeout_s, interval_s;
	bool json, once, color;
	struct chr_osc_client client;
	char problem[512]; /* why the command failed; "" when it said so itself */
};

/* Options that only some commands take; a row of the table of options bears one of these, or 0 for all commands. */
enum chr_ctl_option_set { CHR_CTL_JSON = 1, CHR_CTL_LIVE = 2 };

/* What a word on the command line stands for, for completion. */
enum chr_ctl_word {
	CHR_CTL_NOTHING,
	CHR_CTL_MODULE,  /* a module's name */
	CHR_CTL_PATH,    /* MODULE, or MODULE/PARAM */
	CHR_CTL_PARAM,   /* a parameter of the module before it */
	CHR_CTL_VALUE,   /* a value of the parameter before it */
	CHR_CTL_TYPE,    /* a module type */
	CHR_CTL_COMMAND, /* a command of chronusctl */
	CHR_CTL_OUTPUT,  /* MODULE:PORT, an output */
	CHR_CTL_INPUT,   /* MODULE:PORT, an input */
	CHR_CTL_FILE,    /* a file: the shell knows better */
};

/* One row of the table of commands: the one source for --help, completion, checks and the calls. */
struct chr_ctl_command {
	const char *name;
	const char *arguments; /* as the help shows them */
	const char *summary;   /* one line */
	const char *details;   /* more lines for `help NAME`, each ended by a newline; "" for none */
	int (*handler)(struct chr_ctl *ctl, int count, char **argument);
	int least, most;           /* arguments; most -1: any number */
	unsigned options;          /* enum chr_ctl_option_set, together */
	enum chr_ctl_word word[3]; /* of the arguments, in order */
	bool hidden;               /* for programs, not for people */
};

/* The table ends with a row without a name. */
extern const struct chr_ctl_command chr_ctl_command[];
const struct chr_ctl_command *chr_ctl_command_find(const char *name);

struct chr_ctl_option {
	const char *name;     /* without the dashes */
	const char *argument; /* NULL: takes none */
	const char *summary;
	unsigned set; /* enum chr_ctl_option_set, or 0 */
	char letter;  /* 0: none */
};

/* The table ends with a row without a name. */
extern const struct chr_ctl_option chr_ctl_option[];

/* Reads the environment and the command line into *ctl; words that are no options go, in their order, to `word` (as long as argv), their
 * number to *words. `--help` and `--version` become the commands `help` and `version`. Returns 0, or EX_USAGE with a problem. */
int chr_ctl_parse(struct chr_ctl *ctl, int argc, char **argv, char **word, int *words);

/* Notes why the command fails and returns `code`. Control characters are replaced. */
int chr_ctl_fail(struct chr_ctl *ctl, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A whole decimal number and nothing else, finite as a float. 0 or -EINVAL. */
int chr_ctl_number(const char *text, double *number);

/* The replies to one question, in the order in which they came. */
struct chr_ctl_replies {
	struct chr_osc_reply *reply; /* heap */
	size_t count;
};

/* Sends `path` with `arguments` (NULL: none; stays the caller's) and gathers the replies until the one at `end`, whose number says how many there
 * should be: when datagrams were lost it asks again, thrice at most. `end` NULL: sends /chronus/ping after it and gathers until the
 * pong; never repeated, so fit for messages that change something. 0 with *replies (chr_ctl_replies_finish), which hold neither the end nor the
 * pong; else an exit code with a problem: CHR_CTL_REFUSED, EX_UNAVAILABLE, EX_TEMPFAIL. */
int chr_ctl_ask(struct chr_ctl *ctl, const char *path, lo_message arguments, const char *end, struct chr_ctl_replies *replies);
void chr_ctl_replies_finish(struct chr_ctl_replies *replies);

/* The next message of a conversation that goes on, until `deadline_us`. 0, or an exit code with a problem; EX_TEMPFAIL without a problem at
 * the deadline or after a signal; CHR_CTL_REFUSED for an error message. */
int chr_ctl_next(struct chr_ctl *ctl, uint64_t deadline_us, struct chr_osc_reply *reply);

/* (Re)opens the socket; send on it. 0 or an exit code with a problem. */
int chr_ctl_open(struct chr_ctl *ctl);
int chr_ctl_send(struct chr_ctl *ctl, const char *path, lo_message arguments);

/* The problem and exit code of a server that is not there. */
int chr_ctl_nobody(struct chr_ctl *ctl);

/* An OSC argument, and a kv message from argument `first` on, as JSON: new references; numbers of unknown types and non-finite ones become null. */
json_t *chr_ctl_json_value(lo_message message, int index);
json_t *chr_ctl_json_object(lo_message message, int first);

/* Prints `value` (stays the caller's) as JSON, indented or as one line, with a newline. */
void chr_ctl_json_print(const json_t *value, bool one_line);

/* A scalar as a person writes it: shortest digits, no quotes; "-" for null and for NULL. In `text`, which is returned. */
const char *chr_ctl_text(const json_t *value, char *text, size_t bytes);

/* Members of an object, with 0, NaN-free and "" for what is missing or of another kind. Numbers of either JSON kind count. */
double chr_ctl_get_number(const json_t *object, const char *key);
const char *chr_ctl_get_string(const json_t *object, const char *key);

/* The whole status as one object (new reference): the server's own keys, "modules" with their "instances", "totals". Exit code as chr_ctl_ask. */
int chr_ctl_status_fetch(struct chr_ctl *ctl, json_t **status);

/* Prints a status as head, table and totals. `rates` (events a second, by key) may be NULL. `width` of the screen, 0: unlimited. */
void chr_ctl_status_print(const struct chr_ctl *ctl, const json_t *status, const json_t *rates, FILE *to, unsigned width);
/* The same for a window that may be too low for a large patch: what concerns the whole stands above the table. */
void chr_ctl_status_print_top(const struct chr_ctl *ctl, const json_t *status, const json_t *rates, FILE *to);

/* What `chronusctl describe` and completion know of one type (or of all, type NULL): an array (new reference) of types with "ports" and "params".
 * Exit code as chr_ctl_ask. */
int chr_ctl_describe_fetch(struct chr_ctl *ctl, const char *type, json_t **types);

/* The modules as an array (new reference) of objects with "name" and "type". Exit code as chr_ctl_ask. */
int chr_ctl_modules_fetch(struct chr_ctl *ctl, json_t **modules);

/* Columns of the terminal on standard output; 0 when there is none. */
unsigned chr_ctl_width(void);

int chr_ctl_status(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_top(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_get(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_set(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_modules(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_describe(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_watch(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_add(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_remove(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_rename(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_connect(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_disconnect(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_connections(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_save(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_load(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_restart(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_swap(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_quit(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_ping(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_help(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_version(struct chr_ctl *ctl, int count, char **argument);
int chr_ctl_complete(struct chr_ctl *ctl, int count, char **argument);

#endif
