/* The command lines of chronus-bench, chronus-faults and chronus-soak: a table of options, which parsing and help are made from. Main thread. */
#ifndef CHR_TOOLS_ARGUMENTS_H
#define CHR_TOOLS_ARGUMENTS_H

#include <stddef.h>

enum chr_argument_kind {
	CHR_ARGUMENT_FLAG,   /* bool: it was given */
	CHR_ARGUMENT_TEXT,   /* const char * */
	CHR_ARGUMENT_WHOLE,  /* unsigned, from min to max */
	CHR_ARGUMENT_REAL,   /* double, from min to max */
	CHR_ARGUMENT_SERVER, /* bool: "pipewire", and not "jackd2" */
};

struct chr_argument {
	const char *name, *value, *help; /* value: what stands for it in the help, NULL: takes none; help NULL: not told */
	enum chr_argument_kind kind;
	size_t place; /* in the struct of options */
	double min, max;
};

struct chr_arguments {
	const char *program;
	const struct chr_argument *row;
	size_t rows;
	const char *before, *after; /* in the help */
};

/* Takes --name VALUE and --name=VALUE; -h is --help, should there be one. 0, or EX_USAGE after saying what is wrong. */
int chr_arguments_take(const struct chr_arguments *arguments, void *options, int argc, char **argv);

void chr_arguments_help(const struct chr_arguments *arguments);

#endif
