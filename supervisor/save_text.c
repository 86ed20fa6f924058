#include "supervisor/patch_parts.h"
#include "supervisor/save.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 100 /* a longer line of parameters is broken */

struct text {
	FILE *to;
	struct chr_patch *patch;
	const struct chr_patch_rules *rules;
	const struct chr_descriptor *type[CHR_BOARD_MEMBERS]; /* by module */
	size_t name_width, type_width, from_width;
};

/* Nice to read: 220.0 and not 2.2e+02, as far as zeros are few. `text` is what %.{digits}e makes of it. */
static void write_number(double value, int digits, char text[32])
{
	char exponent[32];
	snprintf(exponent, sizeof exponent, "%.*e", digits - 1, value);
	int power = atoi(strchr(exponent, 'e') + 1);
	if (power < -5 || power > 8) {
		snprintf(text, 32, "%.*g", digits, value);
		if (!strpbrk(text, ".e"))
			strcat(text, ".0");
		return;
	}
	int decimals = digits - 1 - power;
	snprintf(text, 32, "%.*f", decimals > 1 ? decimals : 1, value);
}

void chr_save_number(float value, char text[32])
{
	for (int digits = 1; digits <= 9; digits++) {
		write_number((double)value, digits, text);
		if ((float)strtod(text, NULL) == value)
			return;
	}
}

/* libconfig reads a double: the shortest text that gives back this one. */
static void write_double(double value, char text[32])
{
	for (int digits = 1; digits <= 17; digits++) {
		write_number(value, digits, text);
		if (strtod(text, NULL) == value)
			return;
	}
}

/* In quotes; returns how many columns it took. */
static size_t quote(FILE *to, const char *text)
{
	size_t columns = 2;
	fputc('"', to);
	for (; *text; text++, columns++) {
		if (*text == '"' || *text == '\\') {
			fputc('\\', to);
			columns++;
		}
		fputc(*text, to);
	}
	fputc('"', to);
	return columns;
}

static void pad(FILE *to, size_t columns, size_t width)
{
	fprintf(to, "%*s", columns < width ? (int)(width - columns) : 0, "");
}

/* ---- settings ---- */

static bool is_default(const struct chr_patch *patch, const struct chr_patch_key *key)
{
	const void *field = (const char *)patch + key->offset;
	switch (key->kind) {
	case CHR_KEY_WHOLE:
		return *(const unsigned *)field == (unsigned)key->initial;
	case CHR_KEY_REAL:
		return *(const double *)field == key->initial;
	case CHR_KEY_TOGGLE:
		return *(const int *)field == (int)key->initial;
	case CHR_KEY_TIMING:
		return *(const enum chr_timing *)field == (enum chr_timing)key->initial;
	case CHR_KEY_TEXT:
	case CHR_KEY_WORD:
		return !*(const char *)field;
	default:
		return true;
	}
}

static void put_value(FILE *to, const struct chr_patch *patch, const struct chr_patch_key *key)
{
	const void *field = (const char *)patch + key->offset;
	char number[32];
	switch (key->kind) {
	case CHR_KEY_WHOLE:
		fprintf(to, "%u", *(const unsigned *)field);
		break;
	case CHR_KEY_REAL:
		write_double(*(const double *)field, number);
		fputs(number, to);
		break;
	case CHR_KEY_TOGGLE:
		fputs(*(const int *)field ? "true" : "false", to);
		break;
	case CHR_KEY_TIMING:
		quote(to, chr_timing_name[*(const enum chr_timing *)field]);
		break;
	default:
		quote(to, field);
	}
}

static bool in_group(const struct chr_patch_key *key, const char *group)
{
	return key->group && group && !strcmp(key->group, group);
}

/* All of a group that is not as by default, in one line. */
static void put_group(FILE *to, const struct chr_patch *patch, const char *group)
{
	bool any = false;
	for (unsigned i = 0; i < chr_patch_key_count; i++) {
		const struct chr_patch_key *key = &chr_patch_key[i];
		if (!in_group(key, group) || is_default(patch, key))
			continue;
		fprintf(to, "%s%s = ", any ? " " : "", key->name);
		put_value(to, patch, key);
		fputc(';', to);
		any = true;
	}
}

static bool group_is_default(const struct chr_patch *patch, const char *group)
{
	for (unsigned i = 0; i < chr_patch_key_count; i++)
		if (in_group(&chr_patch_key[i], group) && !is_default(patch, &chr_patch_key[i]))
			return false;
	return true;
}

/* Name, tempo and lanes are always told. */
static bool is_told(const struct chr_patch *patch, const struct chr_patch_key *key)
{
	static const char *const always[] = {"name", "tempo", "lanes"};
	if (key->group || key->kind == CHR_KEY_LIST)
		return false;
	if (key->kind == CHR_KEY_GROUP)
		return !group_is_default(patch, key->name);
	for (unsigned i = 0; i < sizeof always / sizeof always[0]; i++)
		if (!strcmp(key->name, always[i]))
			return true;
	return !is_default(patch, key);
}

static void put_settings(const struct text *text)
{
	size_t width = 0;
	for (unsigned i = 0; i < chr_patch_key_count; i++)
		if (is_told(text->patch, &chr_patch_key[i]) && strlen(chr_patch_key[i].name) > width)
			width = strlen(chr_patch_key[i].name);
	for (unsigned i = 0; i < chr_patch_key_count; i++) {
		const struct chr_patch_key *key = &chr_patch_key[i];
		if (!is_told(text->patch, key))
			continue;
		fprintf(text->to, "%-*s = ", (int)width, key->name);
		if (key->kind == CHR_KEY_GROUP) {
			fputs("{ ", text->to);
			put_group(text->to, text->patch, key->name);
			fputs(" }", text->to);
		} else {
			put_value(text->to, text->patch, key);
		}
		fputs(";\n", text->to);
	}
}

/* ---- modules ---- */

static const struct chr_descriptor *type_of(const struct text *text, const struct chr_patch_module *module)
{
	return text->type[module - text->patch->module];
}

/* The tempo of out is the patch's. */
static bool param_is_told(const struct chr_patch_module *module, const struct chr_descriptor *type, unsigned param)
{
	bool tempo = type->flags & CHR_MODULE_OUT && !strcmp(type->param[param].name, "tempo");
	return !tempo && module->value[param] != type->param[param].initial;
}

static bool any_param(const struct chr_patch_module *module, const struct chr_descriptor *type)
{
	for (unsigned i = 0; type && i < type->param_count; i++)
		if (param_is_told(module, type, i))
			return true;
	return false;
}

static void param_text(const struct chr_param_desc *param, float value, char text[CHR_NAME_MAX + 8])
{
	if (param->scale == CHR_CHOICE && value >= 0 && (unsigned)value < param->choice_count)
		snprintf(text, CHR_NAME_MAX + 8, "\"%s\"", param->choice[(unsigned)value]);
	else if (param->scale == CHR_TOGGLE)
		snprintf(text, CHR_NAME_MAX + 8, "%s", value != 0.0f ? "true" : "false");
	else
		chr_save_number(value, text);
}

static void put_params(const struct text *text, const struct chr_patch_module *module, size_t column)
{
	const struct chr_descriptor *type = type_of(text, module);
	if (!any_param(module, type))
		return;
	size_t indent = column + strlen(" params = { "), at = indent;
	fputs(" params = {", text->to);
	for (unsigned i = 0; i < type->param_count; i++) {
		char value[CHR_NAME_MAX + 8];
		if (!param_is_told(module, type, i))
			continue;
		param_text(&type->param[i], module->value[i], value);
		size_t columns = strlen(type->param[i].name) + strlen(value) + strlen(" = ; ");
		if (at > indent && at + columns > COLUMNS) {
			fprintf(text->to, "\n%*s", (int)indent - 1, "");
			at = indent;
		}
		fprintf(text->to, " %s = %s;", type->param[i].name, value);
		at += columns;
	}
	fputs(" };", text->to);
}

static void put_module(const struct text *text, const struct chr_patch_module *module, bool last)
{
	size_t columns = strlen(module->name) + 3;
	fprintf(text->to, "  { name = \"%s\";", module->name);
	pad(text->to, columns, text->name_width + 3);
	columns = strlen(module->type) + 3;
	fprintf(text->to, " type = \"%s\";", module->type);
	if (*module->file) {
		fputs(" file = ", text->to);
		quote(text->to, module->file);
		fputc(';', text->to);
	}
	if (any_param(module, type_of(text, module)))
		pad(text->to, columns, text->type_width + 3);
	put_params(text, module, strlen("  { name = \"\"; type = \"\";") + text->name_width + text->type_width);
	fprintf(text->to, " }%s\n", last ? "" : ",");
}

/* out is told of only when it has something to tell. */
static bool module_is_told(const struct text *text, unsigned i)
{
	return i > 0 || *text->patch->module[0].file || any_param(&text->patch->module[0], type_of(text, &text->patch->module[0]));
}

static void put_modules(struct text *text)
{
	const struct chr_patch *patch = text->patch;
	unsigned last = 0;
	bool any = false;
	for (unsigned i = 0; i < patch->module_count; i++) {
		if (!module_is_told(text, i))
			continue;
		size_t name = strlen(patch->module[i].name), type = strlen(patch->module[i].type);
		text->name_width = name > text->name_width ? name : text->name_width;
		text->type_width = type > text->type_width ? type : text->type_width;
		last = i;
		any = true;
	}
	fputs("\nmodules = (", text->to);
	if (any)
		fputc('\n', text->to);
	for (unsigned i = 0; i < patch->module_count; i++)
		if (module_is_told(text, i))
			put_module(text, &patch->module[i], i == last);
	fputs(");\n", text->to);
}

/* ---- connections ---- */

static bool is_hardware(const struct chr_patch_edge *edge)
{
	return !strncmp(edge->to, CHR_PLAYBACK_PREFIX, strlen(CHR_PLAYBACK_PREFIX));
}

static bool is_played(const struct chr_patch_edge *edge)
{
	return !strncmp(edge->from, CHR_OUT_NAME ":play_", strlen(CHR_OUT_NAME ":play_"));
}

/* Does out go where it goes in every patch, and nowhere else? */
static bool plays_by_default(const struct chr_patch *patch)
{
	unsigned found = 0, played = 0;
	for (unsigned i = 0; i < patch->edge_count; i++) {
		struct chr_patch_edge usual;
		played += is_played(&patch->edge[i]);
		for (unsigned channel = 1; channel <= patch->channels; channel++) {
			chr_patch_default_edge(channel, &usual);
			found += !strcmp(usual.from, patch->edge[i].from) && !strcmp(usual.to, patch->edge[i].to);
		}
	}
	return played == patch->channels && found == patch->channels;
}

static const char *end_name(const char *end)
{
	return *end == CHR_PLAYBACK_PREFIX[0] ? end + 1 : end;
}

static void put_edge(const struct text *text, const struct chr_patch_edge *edge, bool first)
{
	bool strange = !is_hardware(edge) && chr_patch_looks_wrong(text->patch, text->rules, edge);
	fputs(first ? "\n  [ " : ",\n  [ ", text->to);
	size_t columns = quote(text->to, edge->from);
	fputc(',', text->to);
	pad(text->to, columns, text->from_width + 2);
	fputc(' ', text->to);
	quote(text->to, end_name(edge->to));
	fputs(strange ? ", \"" CHR_PATCH_FOREIGN "\" ]" : " ]", text->to);
}

static void put_edges(struct text *text)
{
	const struct chr_patch *patch = text->patch;
	bool usual = plays_by_default(patch), first = true;
	for (unsigned i = 0; i < patch->edge_count; i++)
		if (!usual || !is_played(&patch->edge[i]))
			text->from_width = strlen(patch->edge[i].from) > text->from_width ? strlen(patch->edge[i].from)
											  : text->from_width;
	fputs("\nconnections = (", text->to);
	for (unsigned i = 0; i < patch->edge_count; i++) {
		if (usual && is_played(&patch->edge[i]))
			continue;
		put_edge(text, &patch->edge[i], first);
		first = false;
	}
	fputs(first ? ");\n" : "\n);\n", text->to);
}

/* What the file has to say of the hardware when no edge says it. */
static void settle_playback(struct chr_patch *patch)
{
	patch->playback = plays_by_default(patch);
	for (unsigned i = 0; i < patch->edge_count; i++)
		patch->playback |= is_played(&patch->edge[i]);
}

char *chr_save_text(struct chr_patch *patch, const struct chr_patch_rules *rules, size_t *length)
{
	char *bytes = NULL;
	struct text text = {.patch = patch, .rules = rules};
	text.to = open_memstream(&bytes, length);
	if (!text.to)
		return NULL;
	const char *why;
	for (unsigned i = 0; i < patch->module_count; i++)
		text.type[i] = rules->types(rules->types_self, patch->module[i].type, patch->module[i].file, &why);
	settle_playback(patch);
	put_settings(&text);
	put_modules(&text);
	put_edges(&text);
	if (!fclose(text.to))
		return bytes;
	free(bytes);
	return NULL;
}
