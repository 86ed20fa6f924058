#include "supervisor/patch_parts.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 40

static void put(struct chr_patch_load *load, unsigned line, const char *text)
{
	struct chr_patch_problems *problems = load->problems;
	struct chr_patch_problem *more, *problem;

	more = realloc(problems->problem, (problems->count + 1) * sizeof *more);
	if (!more)
		return;
	problems->problem = more;
	problem = &more[problems->count++];
	snprintf(problem->file, sizeof problem->file, "%s", load->file);
	problem->line = line;
	snprintf(problem->text, sizeof problem->text, "%s", text);
	for (char *c = problem->text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
}

void chr_patch_problem(struct chr_patch_load *load, unsigned line, const char *format, ...)
{
	char text[CHR_TEXT_MAX];
	va_list args;

	if (load->problems->count > CHR_PATCH_PROBLEMS_MAX)
		return;
	if (load->problems->count == CHR_PATCH_PROBLEMS_MAX) {
		put(load, UINT32_MAX, "there are more problems");
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	put(load, line, text);
}

unsigned chr_patch_line(const config_setting_t *setting)
{
	return (unsigned)config_setting_source_line(setting);
}

const char *chr_patch_kind_of(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
	case CONFIG_TYPE_FLOAT:
		return "a number";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_GROUP:
		return "a group";
	case CONFIG_TYPE_ARRAY:
		return "an array";
	case CONFIG_TYPE_LIST:
		return "a list";
	default:
		return "nothing";
	}
}

bool chr_patch_number(const config_setting_t *setting, double *value)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
		*value = config_setting_get_int(setting);
		return true;
	case CONFIG_TYPE_INT64:
		*value = (double)config_setting_get_int64(setting);
		return true;
	case CONFIG_TYPE_FLOAT:
		*value = config_setting_get_float(setting);
		return true;
	default:
		return false;
	}
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance */
unsigned chr_patch_distance(const char *a, const char *b)
{
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];
	size_t rows = strlen(a), columns = strlen(b);

	if (rows > WORD_MAX || columns > WORD_MAX)
		return 99;
	for (unsigned i = 0; i <= rows; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= columns; j++)
		d[0][j] = j;
	for (unsigned i = 1; i <= rows; i++) {
		for (unsigned j = 1; j <= columns; j++) {
			unsigned change = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			d[i][j] = least(change, least(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[rows][columns];
}

const char *chr_patch_near(const char *word, chr_patch_names names, const void *table, unsigned count)
{
	unsigned best = (unsigned)strlen(word) / 3 + 1;
	const char *near = NULL;

	if (best < 2)
		best = 2;
	for (unsigned i = 0; i < count; i++) {
		const char *name = names(table, i);
		unsigned distance = name ? chr_patch_distance(word, name) : 99;

		if (distance < best) {
			best = distance;
			near = name;
		}
	}
	return near;
}

void chr_patch_unknown(struct chr_patch_load *load, unsigned line, const char *what, const char *word, chr_patch_names names,
		       const void *table, unsigned count)
{
	const char *near = chr_patch_near(word, names, table, count);

	if (near)
		chr_patch_problem(load, line, "unknown %s '%.40s' (did you mean '%s'?)", what, word, near);
	else
		chr_patch_problem(load, line, "unknown %s '%.40s'", what, word);
}

void chr_patch_problems_print(const struct chr_patch_problems *problems, FILE *to)
{
	for (unsigned i = 0; i < problems->count; i++) {
		const struct chr_patch_problem *problem = &problems->problem[i];

		if (problem->line && problem->line != UINT32_MAX)
			fprintf(to, "%s:%u: %s\n", problem->file, problem->line, problem->text);
		else
			fprintf(to, "%s: %s\n", problem->file, problem->text);
	}
}

void chr_patch_problems_finish(struct chr_patch_problems *problems)
{
	free(problems->problem);
	problems->problem = NULL;
	problems->count = 0;
}
