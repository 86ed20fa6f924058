#include "supervisor/patch_parts.h"

#include <math.h>
#include <string.h>

static const char *const module_keys[] = {"name", "type", "file", "params"};

static const char *module_key(const void *table, unsigned i)
{
	return ((const char *const *)table)[i];
}

static const char *param_name(const void *table, unsigned i)
{
	return ((const struct chr_descriptor *)table)->param[i].name;
}

static const char *choice_name(const void *table, unsigned i)
{
	return ((const struct chr_param_desc *)table)->choice[i];
}

static void tell_no_choice(struct chr_patch_load *load, unsigned line, const struct chr_param_desc *param, const char *word)
{
	const char *near = chr_patch_near(word, choice_name, param, param->choice_count);
	char all[CHR_TEXT_MAX] = "";
	size_t used = 0;

	for (unsigned i = 0; i < param->choice_count && used < sizeof all; i++)
		used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", param->choice[i]);
	if (near)
		chr_patch_problem(load, line, "'%s' has no choice '%.40s' (did you mean '%s'?)", param->name, word, near);
	else
		chr_patch_problem(load, line, "'%s' has no choice '%.40s'; it has %s", param->name, word, all);
}

/* A word out of a choice or a toggle, or a number in the parameter's range. */
static void take_param(struct chr_patch_load *load, const struct chr_param_desc *param, const config_setting_t *setting, float *to)
{
	unsigned line = chr_patch_line(setting);
	const char *word = config_setting_get_string(setting);
	double number;
	float value;

	if (param->scale == CHR_CHOICE && word) {
		int choice = chr_param_choice(param, word);

		if (choice >= 0)
			*to = (float)choice;
		else
			tell_no_choice(load, line, param, word);
		return;
	}
	if (param->scale == CHR_TOGGLE && config_setting_type(setting) == CONFIG_TYPE_BOOL) {
		*to = config_setting_get_bool(setting) ? 1.0f : 0.0f;
		return;
	}
	if (!chr_patch_number(setting, &number)) {
		chr_patch_problem(load, line, "'%s' is %s, but must be %s", param->name, chr_patch_kind_of(setting),
				  param->scale == CHR_CHOICE   ? "one of its choices"
				  : param->scale == CHR_TOGGLE ? "true or false"
							       : "a number");
		return;
	}
	value = (float)number;
	if (!(value >= param->min && value <= param->max))
		chr_patch_problem(load, line, "'%s' = %g is outside %g to %g%s%s", param->name, number, (double)param->min,
				  (double)param->max, *param->unit ? " " : "", param->unit);
	else if ((param->scale == CHR_CHOICE || param->scale == CHR_TOGGLE) && number != trunc(number))
		chr_patch_problem(load, line, "'%s' = %g is not a whole number", param->name, number);
	else
		*to = value;
}

/* The parameters of a module of that type into `value`. */
static void take_params(struct chr_patch_load *load, const struct chr_descriptor *type, const config_setting_t *params,
			float *value, bool is_out)
{

	if (!config_setting_is_group(params)) {
		chr_patch_problem(load, chr_patch_line(params), "'params' is %s, but must be a group { ... }",
				  chr_patch_kind_of(params));
		return;
	}
	for (int i = 0; type && i < config_setting_length(params); i++) {
		const config_setting_t *setting = config_setting_get_elem(params, (unsigned)i);
		const char *name = config_setting_name(setting);
		int param = chr_descriptor_param(type, name);

		if (param < 0)
			chr_patch_unknown(load, chr_patch_line(setting), "parameter", name, param_name, type, type->param_count);
		else if (is_out && !strcmp(name, "tempo"))
			chr_patch_problem(load, chr_patch_line(setting), "the tempo is a key of the patch itself: tempo = ...;");
		else
			take_param(load, &type->param[param], setting, &value[param]);
	}
}

/* Asks for a type once per patch. */
const struct chr_descriptor *chr_patch_find_type(struct chr_patch_load *load, unsigned line, const char *type, const char *file)
{
	const struct chr_descriptor *desc;

	if (!chr_name_legal(type)) {
		chr_patch_problem(load, line, "'%.40s' is no name of a module type: [a-z][a-z0-9_]*, at most %d characters", type,
				  CHR_NAME_MAX - 1);
		return NULL;
	}
	for (unsigned i = 0; i < load->patch->module_count; i++)
		if (load->type[i] && !strcmp(load->patch->module[i].type, type) && !strcmp(load->patch->module[i].file, file))
			return load->type[i];
	load->why = NULL;
	desc = load->types(load->types_self, type, file, &load->why);
	if (!desc && *file)
		chr_patch_problem(load, line, "no module type '%s' in its file: %s", type,
				  load->why ? load->why : "it is not known");
	else if (!desc && load->why)
		chr_patch_problem(load, line, "no module type '%s': %s", type, load->why);
	else if (!desc)
		chr_patch_problem(load, line,
				  "no module type '%s': no %s.so in the folders of modules (CHRONUS_MODULE_PATH names more)", type,
				  type);
	return desc;
}

bool chr_patch_check_module(struct chr_patch_load *load, unsigned line, const char *name, const struct chr_descriptor *type)
{
	if (!(type->flags & CHR_MODULE_OUT))
		return true;
	chr_patch_problem(load, line, "module '%s': a patch has one output, the module 'out'", name);
	return false;
}

static void begin_params(struct chr_patch_load *load, unsigned place, const struct chr_descriptor *desc)
{
	for (unsigned i = 0; desc && i < desc->param_count; i++)
		load->patch->module[place].value[i] = desc->param[i].initial;
	load->type[place] = desc;
}

/* Places module `load->patch->module_count`, of which all is known but its parameters. */
static unsigned add_module(struct chr_patch_load *load, unsigned line, const char *name, const char *type, const char *file)
{
	struct chr_patch *patch = load->patch;
	unsigned place = patch->module_count;
	struct chr_patch_module *module = &patch->module[place];
	const struct chr_descriptor *desc = type ? chr_patch_find_type(load, line, type, file) : NULL;

	if (desc && place != 0 && !chr_patch_check_module(load, line, name, desc))
		desc = NULL;
	snprintf(module->name, sizeof module->name, "%s", name);
	snprintf(module->type, sizeof module->type, "%s", type ? type : "");
	snprintf(module->file, sizeof module->file, "%s", file);
	module->line = line;
	begin_params(load, place, desc);
	patch->module_count++;
	return place;
}

static bool is_server(const struct chr_patch_load *load, const char *name)
{
	char client[CHR_NAME_MAX + 2];
	const char *server[] = {load->server, load->patch->jack_server};

	snprintf(client, sizeof client, "%s.b", name);
	for (int i = 0; i < 2; i++)
		if (!strcmp(name, server[i]) || !strcmp(client, server[i]))
			return true;
	return false;
}

/* Place of the module with that name, or -1. */
static int find_module(const struct chr_patch *patch, const char *name)
{
	for (unsigned i = 0; i < patch->module_count; i++)
		if (!strcmp(patch->module[i].name, name))
			return (int)i;
	return -1;
}

bool chr_patch_check_name(struct chr_patch_load *load, unsigned line, const char *name)
{
	int other = chr_name_legal(name) ? find_module(load->patch, name) : -1;

	if (!chr_name_legal(name))
		chr_patch_problem(load, line, "'%.40s' is no name of a module: [a-z][a-z0-9_]*, at most %d characters", name,
				  CHR_NAME_MAX - 1);
	else if (!strcmp(name, "chronus"))
		chr_patch_problem(load, line, "the name 'chronus' is the system's own");
	else if (is_server(load, name))
		chr_patch_problem(
			load, line,
			"module '%s' has the JACK server's name: a client named like the server destroys the server's socket",
			name);
	else if (other >= 0 && load->patch->module[other].line)
		chr_patch_problem(load, line, "two modules are named '%s' (the first in line %u)", name,
				  load->patch->module[other].line);
	else if (other > 0 || (other == 0 && !line))
		chr_patch_problem(load, line, "a module is named '%s' already", name);
	else
		return true;
	return false;
}

static const char *string_of(struct chr_patch_load *load, const config_setting_t *group, const char *key, bool needed)
{
	const config_setting_t *setting = config_setting_get_member(group, key);
	const char *text = setting ? config_setting_get_string(setting) : NULL;

	if (!setting && needed)
		chr_patch_problem(load, chr_patch_line(group), "a module without '%s'", key);
	if (setting && !text)
		chr_patch_problem(load, chr_patch_line(setting), "'%s' is %s, but must be a string", key,
				  chr_patch_kind_of(setting));
	return text;
}

/* The file that the module's code is to come from; "": the installed one. */
static const char *file_of(struct chr_patch_load *load, const config_setting_t *group)
{
	const char *file = string_of(load, group, "file", false);

	if (!file || (*file == '/' && strlen(file) < CHR_PATH_BYTES))
		return file ? file : "";
	chr_patch_problem(load, chr_patch_line(config_setting_get_member(group, "file")),
			  "'file' is '%.100s', but must be the whole path of a module file", file);
	return "";
}

/* `out` is there already: its entry may only give parameters, and where its code comes from. */
static int take_out(struct chr_patch_load *load, unsigned line, const char *type, const char *file)
{
	const struct chr_descriptor *desc = *file ? chr_patch_find_type(load, line, CHR_OUT_NAME, file) : NULL;

	if (desc && !(desc->flags & CHR_MODULE_OUT))
		chr_patch_problem(load, line, "the module in '%.100s' is no output", file);
	else if (desc)
		begin_params(load, 0, desc);
	snprintf(load->patch->module[0].file, sizeof load->patch->module[0].file, "%s", file);
	if (type && strcmp(type, CHR_OUT_NAME) != 0)
		chr_patch_problem(load, line, "'out' is the patch's output: its type is 'out', not '%.40s'", type);
	load->patch->module[0].line = line;
	return 0;
}

static void take_module(struct chr_patch_load *load, const config_setting_t *group)
{
	unsigned line = chr_patch_line(group), count = sizeof module_keys / sizeof module_keys[0];
	const config_setting_t *params = config_setting_get_member(group, "params");
	const char *name = string_of(load, group, "name", true);
	bool is_out = name && !strcmp(name, CHR_OUT_NAME);
	const char *type = string_of(load, group, "type", !is_out), *file = file_of(load, group);
	int place = -1;
	float unused[CHR_PARAMS_MAX]; /* of a module that has no place */

	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		unsigned k = 0;

		while (k < count && strcmp(module_keys[k], config_setting_name(setting)) != 0)
			k++;
		if (k == count)
			chr_patch_unknown(load, chr_patch_line(setting), "key of a module", config_setting_name(setting),
					  module_key, module_keys, count);
	}
	if (!name || !chr_patch_check_name(load, line, name)) {
		load->modules_missing = true;
		const struct chr_descriptor *desc = type ? chr_patch_find_type(load, line, type, file) : NULL;
		if (params)
			take_params(load, desc, params, unused, is_out);
		return;
	}
	place = is_out ? take_out(load, line, type, file) : (int)add_module(load, line, name, type, file);
	if (params)
		take_params(load, load->type[place], params, load->patch->module[place].value, is_out);
}

void chr_patch_take_modules(struct chr_patch_load *load, const config_setting_t *list)
{
	struct chr_patch *patch = load->patch;
	int tempo;

	add_module(load, 0, CHR_OUT_NAME, CHR_OUT_NAME, "");
	for (int i = 0; i < config_setting_length(list); i++) {
		const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);

		if (!config_setting_is_group(group)) {
			chr_patch_problem(load, chr_patch_line(group),
					  "a module is %s, but must be a group { name = ...; type = ...; }",
					  chr_patch_kind_of(group));
			continue;
		}
		if (patch->module_count == CHR_BOARD_MEMBERS) {
			chr_patch_problem(load, chr_patch_line(group), "more than %u modules ('out' is one of them)",
					  CHR_BOARD_MEMBERS);
			load->modules_missing = true;
			break;
		}
		take_module(load, group);
	}
	tempo = load->type[0] ? chr_descriptor_param(load->type[0], "tempo") : -1;
	if (tempo >= 0)
		patch->module[0].value[tempo] = (float)patch->tempo_bpm;
}
