#include "tools/chronusctl_table.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define GAP        2  /* columns between two columns */
#define WRAP_LEAST 20 /* a last column narrower than this is not wrapped: one word a line helps nobody */

static const char *const color_sequence[] = {
	[CHR_PLAIN] = "",       [CHR_BOLD] = "\033[1m",   [CHR_DIM] = "\033[2m",
	[CHR_RED] = "\033[31m", [CHR_GREEN] = "\033[32m", [CHR_YELLOW] = "\033[33m",
};

const char *chr_color_begin(enum chr_color which, bool color)
{
	return color ? color_sequence[which] : "";
}

const char *chr_color_end(enum chr_color which, bool color)
{
	return color && which != CHR_PLAIN ? "\033[0m" : "";
}

static void *must(void *memory)
{
	if (!memory) {
		fputs("out of memory\n", stderr);
		exit(EX_OSERR);
	}
	return memory;
}

char *chr_text_clean(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		/* U+0080 to U+009F are control characters too. */
		bool high = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;
		if (*c < 0x20 || *c == 0x7f || high)
			*c = '?';
		if (high)
			*++c = '?';
	}
	return text;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t chr_text_width(const char *text)
{
	size_t width = 0;
	for (; *text; text++)
		width += !is_continuation(*text);
	return width;
}

void chr_text_clip(FILE *to, const char *line, size_t width)
{
	size_t column = 0;
	while (*line) {
		size_t bytes = 1;
		if (line[0] == '\033') {
			bytes = strcspn(line, "m");
			bytes += line[bytes] == 'm';
			fwrite(line, 1, bytes, to);
		} else {
			while (is_continuation(line[bytes]))
				bytes++;
			if (column++ < width)
				fwrite(line, 1, bytes, to);
		}
		line += bytes;
	}
}

void chr_table_init(struct chr_table *table, const struct chr_column *column, size_t columns)
{
	*table = (struct chr_table){.column = column, .columns = columns, .filled = columns};
}

void chr_table_finish(struct chr_table *table)
{
	for (size_t i = 0; i < table->rows * table->columns; i++)
		free(table->cell[i].text);
	free(table->cell);
	table->cell = NULL;
	table->rows = 0;
}

void chr_table_row(struct chr_table *table)
{
	size_t begin = table->rows * table->columns;
	table->rows++;
	table->cell = must(reallocarray(table->cell, table->rows * table->columns, sizeof *table->cell));
	memset(table->cell + begin, 0, table->columns * sizeof *table->cell);
	table->filled = 0;
}

void chr_table_put(struct chr_table *table, enum chr_color color, const char *format, ...)
{
	if (table->filled >= table->columns)
		return;
	struct chr_cell *cell = &table->cell[(table->rows - 1) * table->columns + table->filled++];
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&cell->text, format, arguments) < 0)
		cell->text = NULL;
	va_end(arguments);
	chr_text_clean(must(cell->text));
	cell->color = color;
}

static const char *cell_text(const struct chr_table *table, size_t row, size_t column)
{
	const char *text = table->cell[row * table->columns + column].text;
	return text ? text : "";
}

/* Width of each column; 0 for one that is left out. */
static void measure(const struct chr_table *table, size_t *width)
{
	for (size_t c = 0; c < table->columns; c++) {
		size_t widest = 0;
		for (size_t r = 0; r < table->rows; r++) {
			size_t w = chr_text_width(cell_text(table, r, c));
			widest = w > widest ? w : widest;
		}
		size_t title = chr_text_width(table->column[c].title);
		width[c] = table->column[c].spare && widest == 0 ? 0 : (title > widest ? title : widest);
	}
}

/* Prints `text` from column `left` on, broken at spaces so that no line passes `screen`. */
static void print_wrapped(FILE *to, const char *text, size_t left, size_t screen)
{
	size_t room = screen > left + WRAP_LEAST ? screen - left : SIZE_MAX, used = 0;
	while (*text) {
		char word[512];
		size_t bytes = strcspn(text, " ");
		snprintf(word, sizeof word, "%.*s", (int)(bytes < sizeof word ? bytes : sizeof word - 1), text);
		size_t width = chr_text_width(word);
		if (used > 0 && used + 1 + width > room) {
			fprintf(to, "\n%*s", (int)left, "");
			used = 0;
		}
		fprintf(to, "%s%s", used > 0 ? " " : "", word);
		used += (used > 0) + width;
		text += bytes;
		text += strspn(text, " ");
	}
}

static void print_cell(FILE *to, const char *text, enum chr_color which, bool color, const struct chr_column *column, size_t width,
		       bool pad)
{
	size_t blank = width - chr_text_width(text);
	if (column->right)
		fprintf(to, "%*s", (int)blank, "");
	fprintf(to, "%s%s%s", chr_color_begin(which, color), text, chr_color_end(which, color));
	if (!column->right && pad)
		fprintf(to, "%*s", (int)blank, "");
}

/* Row SIZE_MAX is the row of titles. */
static void print_row(const struct chr_table *table, FILE *to, size_t row, const size_t *width, unsigned indent, unsigned screen,
		      bool color)
{
	size_t last = 0;
	for (size_t c = 0; c < table->columns; c++)
		if (width[c] > 0 && (row == SIZE_MAX || *cell_text(table, row, c)))
			last = c;
	size_t left = indent;
	fprintf(to, "%*s", (int)indent, "");
	for (size_t c = 0; c <= last; c++) {
		if (width[c] == 0)
			continue;
		const char *text = row == SIZE_MAX ? table->column[c].title : cell_text(table, row, c);
		enum chr_color which = row == SIZE_MAX ? CHR_DIM : table->cell[row * table->columns + c].color;
		if (c + 1 == table->columns && screen > 0 && which == CHR_PLAIN)
			print_wrapped(to, text, left, screen);
		else
			print_cell(to, text, which, color, &table->column[c], width[c], c < last);
		if (c < last)
			fprintf(to, "%*s", GAP, "");
		left += width[c] + GAP;
	}
	fputc('\n', to);
}

void chr_table_print(const struct chr_table *table, FILE *to, unsigned indent, unsigned width, bool color)
{
	size_t widths[CHR_TABLE_COLUMNS_MAX] = {0};
	measure(table, widths);
	print_row(table, to, SIZE_MAX, widths, indent, width, color);
	for (size_t r = 0; r < table->rows; r++)
		print_row(table, to, r, widths, indent, width, color);
}
