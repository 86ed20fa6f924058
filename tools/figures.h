/* Measured figures with their goals: an aligned table for people, JSON for programs. Main thread. */
#ifndef CHR_TOOLS_FIGURES_H
#define CHR_TOOLS_FIGURES_H

#include <stdbool.h>

struct json_t;

#define FIGURES_MAX 256
#define FIGURE_NAME 96

enum goal { NO_GOAL, AT_MOST, AT_LEAST };

struct figure {
	char name[FIGURE_NAME];
	const char *unit; /* "" for plain numbers; not copied */
	double value;     /* what is not finite misses its goal */
	enum goal kind;
	double goal;
};

struct figures {
	unsigned table; /* number that the table bears wherever figures are collected */
	unsigned count;
	struct figure figure[FIGURES_MAX];
};

/* Adds a figure; beyond FIGURES_MAX it ends the program, as too small a table is a defect of the caller. `format` makes the name. */
void figures_add(struct figures *figures, double value, const char *unit, enum goal kind, double goal, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* Is the goal met? True without a goal. */
bool figure_met(const struct figure *figure);

/* Goals missed. */
unsigned figures_missed(const struct figures *figures);

/* The table on stdout: figure, goal, measured, verdict. */
void figures_print(const struct figures *figures);

/* An array of {table, name, goal, value, unit, met}; goal and met are null where there is no goal, value where it is not finite. The caller's. */
struct json_t *figures_json(const struct figures *figures);

/* The same into the file. Returns 0 or a negative errno. */
int figures_write_json(const struct figures *figures, const char *path);

#endif
