#include "tools/arguments.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define COLUMN 20 /* of the help, where its words begin */

void chr_arguments_help(const struct chr_arguments *arguments)
{
	printf("usage: %s [options]\n\n%s\n", arguments->program, arguments->before);
	for (size_t i = 0; i < arguments->rows; i++) {
		const struct chr_argument *row = &arguments->row[i];
		char left[64];
		snprintf(left, sizeof left, "--%s %s", row->name, row->value ? row->value : "");
		if (row->help)
			printf("  %-*s %s\n", COLUMN, left, row->help);
	}
	printf("\n%s", arguments->after);
}

/* The row that an argument names, and the value behind its '='. */
static const struct chr_argument *find(const struct chr_arguments *arguments, const char *argument, const char **value)
{
	if (strcmp(argument, "-h") == 0)
		argument = "--help";
	for (size_t i = 0; i < arguments->rows && strncmp(argument, "--", 2) == 0; i++) {
		const struct chr_argument *row = &arguments->row[i];
		size_t length = strlen(row->name);
		if (strncmp(argument + 2, row->name, length) != 0)
			continue;
		if (argument[2 + length] == '=' && row->value)
			*value = argument + 3 + length;
		if (argument[2 + length] == 0 || *value)
			return row;
	}
	return NULL;
}

static bool number(const struct chr_argument *row, const char *text, double *to)
{
	char *end;
	errno = 0;
	double value = strtod(text, &end);
	if (errno || end == text || *end || !(value >= row->min && value <= row->max) ||
	    (row->kind == CHR_ARGUMENT_WHOLE && value != trunc(value)))
		return false;
	*to = value;
	return true;
}

/* NULL, or what it should have been. */
static const char *take(const struct chr_argument *row, const char *text, void *to)
{
	static char wanted[128];
	double value = 0;
	switch (row->kind) {
	case CHR_ARGUMENT_FLAG:
		*(bool *)to = true;
		return NULL;
	case CHR_ARGUMENT_TEXT:
		*(const char **)to = text;
		return NULL;
	case CHR_ARGUMENT_SERVER:
		*(bool *)to = strcmp(text, "pipewire") == 0;
		return *(bool *)to || strcmp(text, "jackd2") == 0 ? NULL : "jackd2 or pipewire";
	default:
		break;
	}
	if (!number(row, text, &value)) {
		snprintf(wanted, sizeof wanted, "a %snumber from %g to %.0f", row->kind == CHR_ARGUMENT_WHOLE ? "whole " : "",
			 row->min, row->max);
		return wanted;
	}
	if (row->kind == CHR_ARGUMENT_WHOLE)
		*(unsigned *)to = (unsigned)value;
	else
		*(double *)to = value;
	return NULL;
}

int chr_arguments_take(const struct chr_arguments *arguments, void *options, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = NULL;
		const struct chr_argument *row = find(arguments, argv[i], &value);
		if (!row || (row->value && !value && i + 1 == argc)) {
			fprintf(stderr, "%s: %s: %s; --help lists the options\n", arguments->program, argv[i],
				row ? "a value is missing" : "no such option");
			return EX_USAGE;
		}
		if (row->value && !value)
			value = argv[++i];
		const char *wanted = take(row, value ? value : "", (char *)options + row->place);
		if (wanted) {
			fprintf(stderr, "%s: --%s takes %s, not \"%s\"\n", arguments->program, row->name, wanted, value);
			return EX_USAGE;
		}
	}
	return 0;
}
