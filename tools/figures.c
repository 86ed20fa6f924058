#include "tools/figures.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void figures_add(struct figures *figures, double value, const char *unit, enum goal kind, double goal, const char *format, ...)
{
	struct figure *figure = &figures->figure[figures->count];
	va_list args;

	if (figures->count == FIGURES_MAX) {
		fprintf(stderr, "more than %d figures in one table\n", FIGURES_MAX);
		abort();
	}
	*figure = (struct figure){.unit = unit, .value = value, .kind = kind, .goal = goal};
	va_start(args, format);
	vsnprintf(figure->name, sizeof figure->name, format, args);
	va_end(args);
	figures->count++;
}

bool figure_met(const struct figure *figure)
{
	switch (figure->kind) {
	case AT_MOST:
		return figure->value <= figure->goal;
	case AT_LEAST:
		return figure->value >= figure->goal && isfinite(figure->value);
	default:
		return true;
	}
}

unsigned figures_missed(const struct figures *figures)
{
	unsigned missed = 0;

	for (unsigned i = 0; i < figures->count; i++)
		missed += !figure_met(&figures->figure[i]);
	return missed;
}

void figures_print(const struct figures *figures)
{
	static const char *const signs[] = {[NO_GOAL] = "", [AT_MOST] = "<=", [AT_LEAST] = ">="};
	int widest = (int)strlen("figure");

	for (unsigned i = 0; i < figures->count; i++)
		widest = (int)strlen(figures->figure[i].name) > widest ? (int)strlen(figures->figure[i].name) : widest;
	printf("%-*s  %12s  %12s  %-12s %s\n", widest, "figure", "goal", "measured", "", "verdict");
	for (unsigned i = 0; i < figures->count; i++) {
		const struct figure *f = &figures->figure[i];
		char goal[32] = "";

		if (f->kind != NO_GOAL)
			snprintf(goal, sizeof goal, "%s %.5g", signs[f->kind], f->goal);
		printf("%-*s  %12s  %12.4g  %-12s %s\n", widest, f->name, goal, f->value, f->unit,
		       f->kind == NO_GOAL ? ""
		       : figure_met(f)    ? "met"
					  : "missed");
	}
}

struct json_t *figures_json(const struct figures *figures)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < figures->count; i++) {
		const struct figure *f = &figures->figure[i];
		json_t *object = json_object();

		json_object_set_new(object, "table", json_integer(figures->table));
		json_object_set_new(object, "name", json_string(f->name));
		json_object_set_new(object, "goal", f->kind == NO_GOAL ? json_null() : json_real(f->goal));
		json_object_set_new(object, "value", isfinite(f->value) ? json_real(f->value) : json_null());
		json_object_set_new(object, "unit", json_string(f->unit));
		json_object_set_new(object, "met", f->kind == NO_GOAL ? json_null() : json_boolean(figure_met(f)));
		json_array_append_new(array, object);
	}
	return array;
}

int figures_write_json(const struct figures *figures, const char *path)
{
	json_t *array = figures_json(figures);
	int error = 0;

	errno = 0;
	if (json_dump_file(array, path, JSON_INDENT(1) | JSON_REAL_PRECISION(9)))
		error = errno ? -errno : -EIO;
	json_decref(array);
	return error;
}
