/* Text tables for people: columns as wide as their widest cell, the last one wrapped at the screen's edge.
 *
 * Cells are cleaned on the way in: control characters, which a hostile or broken server could send, never reach the terminal. Widths count
 * UTF-8 code points. Allocation failures end the program with EX_OSERR. One thread.
 */
#ifndef CHR_TOOLS_CHRONUSCTL_TABLE_H
#define CHR_TOOLS_CHRONUSCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CHR_TABLE_COLUMNS_MAX 16

enum chr_color { CHR_PLAIN, CHR_BOLD, CHR_DIM, CHR_RED, CHR_GREEN, CHR_YELLOW };

struct chr_column {
	const char *title;
	bool right; /* numbers: aligned to the right */
	bool spare; /* left out while every cell of it is empty */
};

struct chr_cell {
	char *text; /* heap */
	enum chr_color color;
};

struct chr_table {
	const struct chr_column *column; /* not owned */
	size_t columns;
	struct chr_cell *cell; /* heap; rows * columns */
	size_t rows, filled;   /* filled: cells of the last row that are set */
};

/* An empty table. `column` must outlive it; at most CHR_TABLE_COLUMNS_MAX columns. */
void chr_table_init(struct chr_table *table, const struct chr_column *column, size_t columns);
void chr_table_finish(struct chr_table *table);

/* Begins a row; the cells that are not put stay empty. */
void chr_table_row(struct chr_table *table);

/* Puts the next cell of the row. */
void chr_table_put(struct chr_table *table, enum chr_color color, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Prints titles and rows. `indent` in columns; `width` of the screen, 0: never wrap; `color`: with escape sequences. */
void chr_table_print(const struct chr_table *table, FILE *to, unsigned indent, unsigned width, bool color);

/* The escape sequence that begins or ends a colour, "" without `color`. */
const char *chr_color_begin(enum chr_color which, bool color);
const char *chr_color_end(enum chr_color which, bool color);

/* Replaces control characters in place by '?'; returns `text`. */
char *chr_text_clean(char *text);

/* Code points of a UTF-8 text. */
size_t chr_text_width(const char *text);

/* Writes at most `width` columns of `line` (which may hold colour sequences and no newline), with all of its colour sequences. */
void chr_text_clip(FILE *to, const char *line, size_t width);

#endif
