#include "supervisor/patch_parts.h"

#include <string.h>

/* A running patch, asked as if one more line stood in its file. */
struct ask {
	struct chr_patch_load load;
	struct chr_patch_problems problems;
};

static void begin(struct ask *ask, struct chr_patch *patch, const struct chr_patch_rules *rules)
{
	*ask = (struct ask){.load = {.patch = patch,
				     .file = "",
				     .server = rules->server && *rules->server ? rules->server : "default",
				     .types = rules->types,
				     .types_self = rules->types_self}};
	ask->load.problems = &ask->problems;
	for (unsigned i = 0; i < patch->module_count; i++)
		ask->load.type[i] = rules->types(rules->types_self, patch->module[i].type, patch->module[i].file, &ask->load.why);
}

/* The first problem is the answer. */
static bool end(struct ask *ask, char why[CHR_TEXT_MAX])
{
	bool good = ask->problems.count == 0;

	if (!good && why)
		memcpy(why, ask->problems.problem[0].text, CHR_TEXT_MAX);
	chr_patch_problems_finish(&ask->problems);
	return good;
}

bool chr_patch_may_add(struct chr_patch *patch, const struct chr_patch_rules *rules, const char *type, const char *name,
		       char why[CHR_TEXT_MAX])
{
	const struct chr_descriptor *desc;
	struct ask ask;

	begin(&ask, patch, rules);
	if (patch->module_count == CHR_BOARD_MEMBERS)
		chr_patch_problem(&ask.load, 0, "more than %u modules ('out' is one of them)", CHR_BOARD_MEMBERS);
	else if (chr_patch_check_name(&ask.load, 0, name) && (desc = chr_patch_find_type(&ask.load, 0, type, "")))
		chr_patch_check_module(&ask.load, 0, name, desc);
	return end(&ask, why);
}

bool chr_patch_may_rename(struct chr_patch *patch, const struct chr_patch_rules *rules, const char *from, const char *to,
			  char why[CHR_TEXT_MAX])
{
	struct ask ask;
	bool found = false;

	begin(&ask, patch, rules);
	for (unsigned i = 0; i < patch->module_count; i++)
		found |= !strcmp(patch->module[i].name, from);
	if (!found)
		chr_patch_problem(&ask.load, 0, "no module %.40s", from);
	else if (!strcmp(from, CHR_OUT_NAME))
		chr_patch_problem(&ask.load, 0, "'out' is in every patch: it keeps its name");
	else
		chr_patch_check_name(&ask.load, 0, to);
	return end(&ask, why);
}

bool chr_patch_may_connect(struct chr_patch *patch, const struct chr_patch_rules *rules, const char *from, const char *to,
			   struct chr_patch_edge *edge, char why[CHR_TEXT_MAX])
{
	struct ask ask;

	begin(&ask, patch, rules);
	chr_patch_check_edge(&ask.load, 0, from, to, false, edge);
	return end(&ask, why);
}

bool chr_patch_looks_wrong(struct chr_patch *patch, const struct chr_patch_rules *rules, const struct chr_patch_edge *edge)
{
	struct chr_patch_edge same;

	return !chr_patch_may_connect(patch, rules, edge->from, edge->to, &same, NULL);
}
