#include "supervisor/patch.h"

#include "supervisor/patch_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable()
#define __lsan_enable()
#endif

static const config_setting_t *list_of(const config_setting_t *root, const char *key)
{
	const config_setting_t *setting = config_setting_get_member(root, key);

	return setting && config_setting_is_list(setting) ? setting : NULL;
}

/* A patch without a name of its own bears its file's. */
static void name_by_file(struct chr_patch *patch, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	const char *dot = strrchr(base, '.');
	size_t length = dot && dot > base ? (size_t)(dot - base) : strlen(base);

	if (!patch->name[0])
		snprintf(patch->name, sizeof patch->name, "%.*s",
			 (int)(length < sizeof patch->name ? length : sizeof patch->name - 1), base);
}

static void take(struct chr_patch_load *load, const config_setting_t *root)
{
	const config_setting_t *modules = list_of(root, "modules"), *connections = list_of(root, "connections");

	chr_patch_settings(load, root);
	if (modules)
		chr_patch_take_modules(load, modules);
	else if (!config_setting_get_member(root, "modules"))
		chr_patch_problem(load, 0, "has no modules: modules = ( { name = \"osc1\"; type = \"sine\"; } );");
	if (connections && modules)
		chr_patch_take_edges(load, connections);
}

static void parse(struct chr_patch_load *load, const char *text)
{
	config_t config;
	int read;

	config_init(&config);
	/* chr_patch_scan() has refused every @include; should one slip through, it finds no file */
	config_set_include_dir(&config, "/dev/null");
	/* After a syntax error libconfig keeps the strings it was holding: that leak is not ours to be told of. */
	__lsan_disable();
	read = config_read_string(&config, text);
	__lsan_enable();
	if (read)
		take(load, config_root_setting(&config));
	else if (!strcmp(config_error_text(&config), "duplicate setting name"))
		chr_patch_problem(load, (unsigned)config_error_line(&config), "this key was given before in the same group");
	else
		chr_patch_problem(load, (unsigned)config_error_line(&config),
				  "%s: look for a missing ';', quote or bracket up to here", config_error_text(&config));
	config_destroy(&config);
}

/* By line; equal lines keep the order in which their problems were found. */
static void sort(struct chr_patch_problems *problems)
{
	for (unsigned i = 1; i < problems->count; i++) {
		struct chr_patch_problem moving = problems->problem[i];
		unsigned to = i;

		for (; to > 0 && problems->problem[to - 1].line > moving.line; to--)
			problems->problem[to] = problems->problem[to - 1];
		problems->problem[to] = moving;
	}
}

struct chr_patch *chr_patch_load(const char *path, const char *server, chr_patch_types types, void *types_self,
				 struct chr_patch_problems *problems, int *exit_code)
{
	struct chr_patch_load load = {.patch = calloc(1, sizeof *load.patch),
				      .file = path,
				      .server = server && *server ? server : "default",
				      .types = types,
				      .types_self = types_self,
				      .problems = problems};
	char *text = NULL;

	*problems = (struct chr_patch_problems){0};
	*exit_code = EX_DATAERR;
	if (!load.patch) {
		*exit_code = EX_OSERR;
		chr_patch_problem(&load, 0, "out of memory");
		return NULL;
	}
	chr_patch_defaults(load.patch);
	text = chr_patch_read(&load, path, exit_code);
	if (text && chr_patch_scan(&load, text))
		parse(&load, text);
	free(text);
	if (problems->count) {
		sort(problems);
		chr_patch_destroy(load.patch);
		return NULL;
	}
	name_by_file(load.patch, path);
	*exit_code = EX_OK;
	return load.patch;
}

void chr_patch_destroy(struct chr_patch *patch)
{
	if (!patch)
		return;
	free(patch->edge);
	free(patch);
}
