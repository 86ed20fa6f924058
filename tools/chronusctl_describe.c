/* describe: what a module type offers, as tables of its ports and parameters. */
#include "tools/chronusctl.h"

#include <string.h>

#define DESCRIBE_PATH "/chronus/describe"
#define INDENT        2

static json_t *find_type(json_t *types, const char *name)
{
	size_t i;
	json_t *type;
	json_array_foreach (types, i, type) {
		if (strcmp(chr_ctl_get_string(type, "name"), name) == 0)
			return type;
	}
	type = json_pack("{s:s, s:s, s:[], s:[]}", "name", name, "help", "", "ports", "params");
	json_array_append_new(types, type);
	return type;
}

static void take_type(json_t *types, const json_t *said)
{
	json_t *type = find_type(types, chr_ctl_get_string(said, "name"));
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)said, key, value) {
		if (strcmp(key, "ports") != 0 && strcmp(key, "params") != 0)
			json_object_set(type, key, value);
	}
}

/* "a|b|c" becomes an array, which is what a reader of the JSON wants. */
static void split_choices(json_t *param)
{
	const char *from = chr_ctl_get_string(param, "choices");
	json_t *choices = json_array();
	while (*from) {
		size_t length = strcspn(from, "|");
		json_array_append_new(choices, json_stringn(from, length));
		from += length + (from[length] == '|');
	}
	json_object_set_new(param, "choices", choices);
}

static void take_part(json_t *types, json_t *said, const char *list)
{
	json_t *type = find_type(types, chr_ctl_get_string(said, "type"));
	json_object_del(said, "type");
	json_array_append(json_object_get(type, list), said);
}

int chr_ctl_describe_fetch(struct chr_ctl *ctl, const char *type, json_t **types)
{
	lo_message message = lo_message_new();
	if (type)
		lo_message_add_string(message, type);
	struct chr_ctl_replies replies;
	int code = chr_ctl_ask(ctl, DESCRIBE_PATH, message, DESCRIBE_PATH "/end", &replies);
	lo_message_free(message);
	if (code)
		return code;
	*types = json_array();
	for (size_t i = 0; i < replies.count; i++) {
		const char *path = replies.reply[i].path;
		json_t *said = chr_ctl_json_object(replies.reply[i].message, 0);
		if (strcmp(path, DESCRIBE_PATH "/type") == 0) {
			take_type(*types, said);
		} else if (strcmp(path, DESCRIBE_PATH "/port") == 0) {
			take_part(*types, said, "ports");
		} else if (strcmp(path, DESCRIBE_PATH "/param") == 0) {
			split_choices(said);
			take_part(*types, said, "params");
		}
		json_decref(said);
	}
	chr_ctl_replies_finish(&replies);
	return 0;
}

static void print_ports(const struct chr_ctl *ctl, const json_t *ports, unsigned width)
{
	static const struct chr_column column[] = {{.title = "PORT"}, {.title = "DIR"}, {.title = "SIGNAL"}, {.title = "HELP"}};
	struct chr_table table;
	chr_table_init(&table, column, sizeof column / sizeof column[0]);
	size_t i;
	json_t *port;
	json_array_foreach ((json_t *)ports, i, port) {
		chr_table_row(&table);
		chr_table_put(&table, CHR_BOLD, "%s", chr_ctl_get_string(port, "name"));
		chr_table_put(&table, CHR_PLAIN, "%s", chr_ctl_get_string(port, "direction"));
		chr_table_put(&table, CHR_PLAIN, "%s", chr_ctl_get_string(port, "signal"));
		chr_table_put(&table, CHR_PLAIN, "%s", chr_ctl_get_string(port, "help"));
	}
	putchar('\n');
	chr_table_print(&table, stdout, INDENT, width, ctl->color);
	chr_table_finish(&table);
}

static void join_choices(const json_t *param, char *text, size_t bytes)
{
	size_t i, used = 0;
	json_t *choice;
	text[0] = '\0';
	json_array_foreach (json_object_get(param, "choices"), i, choice) {
		int wrote = snprintf(text + used, bytes - used, "%s%s", i > 0 ? ", " : "", json_string_value(choice));
		if (wrote < 0 || (size_t)wrote >= bytes - used)
			return;
		used += (size_t)wrote;
	}
}

/* Six digits are enough for a person: 0.707107. */
static const char *short_number(const json_t *value, char *text, size_t bytes)
{
	if (!json_is_number(value))
		return chr_ctl_text(value, text, bytes);
	snprintf(text, bytes, "%.6g", json_number_value(value));
	return text;
}

static void put_param(struct chr_table *table, const json_t *param)
{
	char min[64], max[64], initial[64], help[1024];
	const char *scale = chr_ctl_get_string(param, "scale");
	const json_t *choices = json_object_get(param, "choices"), *start = json_object_get(param, "initial");
	short_number(json_object_get(param, "min"), min, sizeof min);
	short_number(json_object_get(param, "max"), max, sizeof max);
	const char *name = json_is_number(start) ? json_string_value(json_array_get(choices, (size_t)json_number_value(start)))
						 : NULL;
	if (name)
		snprintf(initial, sizeof initial, "%s", name);
	else
		short_number(start, initial, sizeof initial);
	bool chosen = json_array_size(choices) > 0;
	join_choices(param, help, sizeof help);
	chr_table_row(table);
	chr_table_put(table, CHR_BOLD, "%s", chr_ctl_get_string(param, "name"));
	if (chosen)
		chr_table_put(table, CHR_PLAIN, "%zu choices", json_array_size(choices));
	else if (strcmp(scale, "toggle") == 0)
		chr_table_put(table, CHR_PLAIN, "off, on");
	else
		chr_table_put(table, CHR_PLAIN, "%s to %s", min, max);
	chr_table_put(table, CHR_PLAIN, "%s", chr_ctl_get_string(param, "unit"));
	chr_table_put(table, CHR_PLAIN, "%s", initial);
	chr_table_put(table, CHR_PLAIN, "%s", scale);
	chr_table_put(table, CHR_PLAIN, "%s%s%s", chr_ctl_get_string(param, "help"), chosen ? ": " : "", help);
}

static void print_params(const struct chr_ctl *ctl, const json_t *params, unsigned width)
{
	static const struct chr_column column[] = {
		{.title = "PARAMETER"}, {.title = "RANGE"}, {.title = "UNIT", .spare = true},
		{.title = "DEFAULT"},   {.title = "SCALE"}, {.title = "HELP"},
	};
	struct chr_table table;
	chr_table_init(&table, column, sizeof column / sizeof column[0]);
	size_t i;
	json_t *param;
	json_array_foreach ((json_t *)params, i, param) {
		put_param(&table, param);
	}
	putchar('\n');
	chr_table_print(&table, stdout, INDENT, width, ctl->color);
	chr_table_finish(&table);
}

static void print_type(const struct chr_ctl *ctl, const json_t *type, unsigned width)
{
	char name[64], help[256];
	const json_t *ports = json_object_get(type, "ports"), *params = json_object_get(type, "params");
	printf("%s%s%s: %s\n", chr_color_begin(CHR_BOLD, ctl->color),
	       chr_ctl_text(json_object_get(type, "name"), name, sizeof name), chr_color_end(CHR_BOLD, ctl->color),
	       chr_ctl_text(json_object_get(type, "help"), help, sizeof help));
	if (json_array_size(ports) > 0)
		print_ports(ctl, ports, width);
	if (json_array_size(params) > 0)
		print_params(ctl, params, width);
}

int chr_ctl_describe(struct chr_ctl *ctl, int count, char **argument)
{
	json_t *types;
	int code = chr_ctl_describe_fetch(ctl, count > 0 ? argument[0] : NULL, &types);
	if (code)
		return code;
	if (ctl->json) {
		chr_ctl_json_print(types, false);
	} else {
		size_t i;
		json_t *type;
		json_array_foreach (types, i, type) {
			if (i > 0)
				putchar('\n');
			print_type(ctl, type, chr_ctl_width());
		}
	}
	json_decref(types);
	return 0;
}
