/* The figures as JSON, and those that other programs wrote. */
#include "tools/bench.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *verdict(const struct chr_bench_row *row)
{
	enum chr_bench_verdict is = chr_bench_verdict(row);
	return is == CHR_BENCH_OPEN ? json_null() : json_boolean(is != CHR_BENCH_MISSED && is != CHR_BENCH_BEHIND);
}

static json_t *row_json(const struct chr_bench_row *row)
{
	json_t *goal = row->goal_says[0] ? json_string(row->goal_says) : number(row->goal);
	return json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:i, s:s, s:s, s:o, s:s}", "table",
			 (int)row->table, "name", row->name, "unit", row->unit, "value", number(row->value), "before",
			 number(row->before), "floor", number(row->floor), "scsynth", number(row->peer[0]), "supernova",
			 number(row->peer[1]), "ratio", number(chr_bench_ratio(row)), "goal", goal, "goal_of_ratio", row->of_ratio,
			 "more_is_better", row->more, "side_by_side", row->no_ratio, "told", row->told, "scsynth_says",
			 row->peer_says[0], "supernova_says", row->peer_says[1], "met", verdict(row), "verdict",
			 chr_bench_verdict_name[chr_bench_verdict(row)]);
}

static json_t *plot_json(const struct chr_bench_plot *plot)
{
	json_t *lines = json_array();
	for (unsigned i = 0; i < plot->count; i++) {
		const struct chr_bench_line *line = &plot->line[i];
		json_t *points = json_array();
		for (unsigned k = 0; k < line->count; k++)
			json_array_append_new(points, json_pack("[f, f]", line->x[k], line->y[k]));
		json_array_append_new(lines, json_pack("{s:s, s:o}", "name", line->name, "points", points));
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "file", plot->file, "title", plot->title, "x", plot->x, "y", plot->y, "lines",
			 lines);
}

int chr_bench_write_json(const struct chr_bench *bench, const char *path)
{
	json_t *rows = json_array(), *notes = json_array(), *plots = json_array();
	for (size_t i = 0; i < bench->rows; i++)
		json_array_append_new(rows, row_json(&bench->row[i]));
	for (size_t i = 0; i < bench->notes; i++)
		json_array_append_new(notes,
				      json_pack("{s:i, s:s}", "table", (int)bench->note[i].table, "text", bench->note[i].text));
	for (size_t i = 0; i < bench->plots; i++)
		json_array_append_new(plots, plot_json(bench->plot[i]));
	json_t *all = json_pack("{s:s, s:b, s:o, s:o, s:o}", "machine", bench->machine, "quick", bench->quick, "figures", rows,
				"notes", notes, "plots", plots);
	int rc = -1;
	if (all && strcmp(path, "-") == 0)
		rc = json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	else if (all)
		rc = json_dump_file(all, path, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	json_decref(all);
	if (rc)
		fprintf(stderr, "chronus-bench: cannot write %s\n", path);
	return rc ? -1 : 0;
}

static double number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static void merge(struct chr_bench *bench, const json_t *object)
{
	int of_table = (int)json_integer_value(json_object_get(object, "table"));
	if (of_table < 1 || of_table > (int)CHR_BENCH_TABLES)
		return;
	struct chr_bench_row *row = chr_bench_row(bench, (unsigned)of_table, text_of(object, "name"), text_of(object, "unit"));
	const json_t *met = json_object_get(object, "met");
	row->value = number_of(object, "value");
	row->before = number_of(object, "before");
	row->floor = number_of(object, "floor");
	row->goal = number_of(object, "goal");
	row->of_ratio = json_is_true(json_object_get(object, "goal_of_ratio"));
	row->more = json_is_true(json_object_get(object, "more_is_better"));
	row->no_ratio = json_is_true(json_object_get(object, "side_by_side"));
	row->peer[0] = number_of(object, "scsynth");
	row->peer[1] = number_of(object, "supernova");
	snprintf(row->peer_says[0], sizeof row->peer_says[0], "%s", text_of(object, "scsynth_says"));
	snprintf(row->peer_says[1], sizeof row->peer_says[1], "%s", text_of(object, "supernova_says"));
	snprintf(row->goal_says, sizeof row->goal_says, "%s", text_of(object, "goal"));
	/* rows of this program say by their figures who is ahead, and whether somebody else has said so; those of others say `met` */
	row->told = json_is_boolean(met) ? json_is_true(met) : -1;
	if (json_is_integer(json_object_get(object, "told")))
		row->told = (int)json_integer_value(json_object_get(object, "told"));
	/* which side of the goal is the good one, where nothing but `met` says so */
	if (row->told >= 0)
		row->more |= row->told ? row->value > row->goal : row->value < row->goal;
}

int chr_bench_merge_json(struct chr_bench *bench, const char *path)
{
	json_error_t error;
	json_t *all = json_load_file(path, 0, &error), *rows = json_is_object(all) ? json_object_get(all, "figures") : all;
	const json_t *notes = json_object_get(all, "notes");
	int count = json_is_array(rows) ? (int)json_array_size(rows) : -1;
	for (int i = 0; i < count; i++)
		merge(bench, json_array_get(rows, (size_t)i));
	for (size_t i = 0; i < json_array_size(notes); i++) {
		const json_t *note = json_array_get(notes, i);
		chr_bench_note(bench, (unsigned)json_integer_value(json_object_get(note, "table")), "%s", text_of(note, "text"));
	}
	json_decref(all);
	return count;
}
