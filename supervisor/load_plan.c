#include "supervisor/load.h"
#include "supervisor/patch_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Settings that a running patch can take over; any other needs a restart. The tempo is a parameter of out. */
static const char *const live[] = {"name", "tempo", "timing", "playback", "restart", "modules", "connections"};

static bool is_live(const struct chr_patch_key *key)
{
	const char *name = key->group ? key->group : key->name;
	for (unsigned i = 0; i < sizeof live / sizeof live[0]; i++)
		if (!strcmp(name, live[i]))
			return true;
	return false;
}

static size_t bytes_of(const struct chr_patch_key *key)
{
	switch (key->kind) {
	case CHR_KEY_WHOLE:
		return sizeof(unsigned);
	case CHR_KEY_REAL:
		return sizeof(double);
	case CHR_KEY_TOGGLE:
		return sizeof(int);
	case CHR_KEY_TIMING:
		return sizeof(enum chr_timing);
	default:
		return 0;
	}
}

static bool is_text(const struct chr_patch_key *key)
{
	return key->kind == CHR_KEY_TEXT || key->kind == CHR_KEY_WORD;
}

static bool same_setting(const struct chr_patch *a, const struct chr_patch *b, const struct chr_patch_key *key)
{
	const char *x = (const char *)a + key->offset, *y = (const char *)b + key->offset;
	return is_text(key) ? !strcmp(x, y) : !memcmp(x, y, bytes_of(key));
}

static void list_left(const struct chr_patch *running, const struct chr_patch *file, struct chr_load_plan *plan)
{
	size_t used = 0;
	for (unsigned i = 0; i < chr_patch_key_count; i++) {
		const struct chr_patch_key *key = &chr_patch_key[i];
		if (is_live(key) || same_setting(running, file, key) || used >= sizeof plan->left)
			continue;
		used += (size_t)snprintf(plan->left + used, sizeof plan->left - used, "%s%s%s%s", used ? ", " : "",
					 key->group ? key->group : "", key->group ? " " : "", key->name);
	}
}

void chr_load_take_settings(struct chr_patch *running, const struct chr_patch *file)
{
	for (unsigned i = 0; i < chr_patch_key_count; i++) {
		const struct chr_patch_key *key = &chr_patch_key[i];
		if (!is_live(key))
			continue;
		char *to = (char *)running + key->offset;
		const char *from = (const char *)file + key->offset;
		if (is_text(key))
			snprintf(to, (size_t)key->max + 1, "%s", from);
		else
			memcpy(to, from, bytes_of(key));
	}
}

/* Place of the module with that name, or -1. */
static int find(const struct chr_patch *patch, const char *name)
{
	for (unsigned i = 0; i < patch->module_count; i++)
		if (!strcmp(patch->module[i].name, name))
			return (int)i;
	return -1;
}

/* Place in `other` of the module that is the same as `module`, or -1. */
static int same_module(const struct chr_patch *other, const struct chr_patch_module *module)
{
	int at = find(other, module->name);
	bool same = at >= 0 && !strcmp(other->module[at].type, module->type) && !strcmp(other->module[at].file, module->file);
	return same ? at : -1;
}

static int add_set(struct chr_load_plan *plan, unsigned module, unsigned param, float value)
{
	struct chr_load_set *more = realloc(plan->set, (plan->set_count + 1) * sizeof *more);
	if (!more)
		return -ENOMEM;
	plan->set = more;
	more[plan->set_count++] = (struct chr_load_set){.module = module, .param = param, .value = value};
	return 0;
}

static int plan_modules(const struct chr_patch *running, const struct chr_patch *file, const struct chr_patch_rules *rules,
			struct chr_load_plan *plan)
{
	int rc = 0;
	for (unsigned i = 0; i < running->module_count; i++)
		if (same_module(file, &running->module[i]) < 0)
			plan->gone[plan->gone_count++] = i;
	for (unsigned i = 0; i < file->module_count && !rc; i++) {
		const struct chr_patch_module *module = &file->module[i];
		int at = same_module(running, module);
		const char *why;
		const struct chr_descriptor *type = rules->types(rules->types_self, module->type, module->file, &why);
		if (at < 0)
			plan->come[plan->come_count++] = i;
		for (unsigned k = 0; at >= 0 && type && k < type->param_count && !rc; k++)
			if (running->module[at].value[k] != module->value[k])
				rc = add_set(plan, i, k, module->value[k]);
	}
	return rc;
}

/* Is that the end of a module that comes or goes? */
static bool moves(const struct chr_patch *patch, const unsigned *place, unsigned count, const char *end)
{
	for (unsigned i = 0; i < count; i++) {
		const char *name = patch->module[place[i]].name;
		size_t length = strlen(name);
		if (!strncmp(end, name, length) && end[length] == ':')
			return true;
	}
	return false;
}

static bool holds(const struct chr_patch *patch, const char *from, const char *to)
{
	for (unsigned i = 0; i < patch->edge_count; i++)
		if (!strcmp(patch->edge[i].from, from) && !strcmp(patch->edge[i].to, to))
			return true;
	return false;
}

/* Edges of modules that go, go with them; an edge of one that goes and comes anew is made anew. */
static int plan_edges(const struct chr_patch *running, const struct chr_edges *wanted, const struct chr_patch *file,
		      struct chr_load_plan *plan)
{
	int rc = 0;
	for (unsigned i = 0; i < running->edge_count && !rc; i++) {
		const struct chr_patch_edge *edge = &running->edge[i];
		bool goes = moves(running, plan->gone, plan->gone_count, edge->from) ||
			    moves(running, plan->gone, plan->gone_count, edge->to);
		if (!goes && chr_edges_find(wanted, edge->from, edge->to) < 0)
			rc = chr_edges_add(&plan->cut, edge->from, edge->to);
	}
	for (unsigned i = 0; i < wanted->count && !rc; i++) {
		const struct chr_edge *edge = &wanted->edge[i];
		bool comes = moves(file, plan->come, plan->come_count, edge->from) ||
			     moves(file, plan->come, plan->come_count, edge->to);
		if (comes || !holds(running, edge->from, edge->to))
			rc = chr_edges_add(&plan->made, edge->from, edge->to);
	}
	return rc;
}

int chr_load_plan(const struct chr_patch *running, const struct chr_patch *file, const struct chr_patch_rules *rules,
		  struct chr_load_plan *plan)
{
	struct chr_edges wanted = {0};
	*plan = (struct chr_load_plan){0};
	list_left(running, file, plan);
	int rc = chr_wiring_logical(file, &wanted);
	if (!rc)
		rc = plan_modules(running, file, rules, plan);
	if (!rc)
		rc = plan_edges(running, &wanted, file, plan);
	chr_edges_finish(&wanted);
	return rc;
}

void chr_load_plan_finish(struct chr_load_plan *plan)
{
	free(plan->set);
	chr_edges_finish(&plan->cut);
	chr_edges_finish(&plan->made);
	*plan = (struct chr_load_plan){0};
}

bool chr_load_plan_empty(const struct chr_load_plan *plan)
{
	return !plan->gone_count && !plan->come_count && !plan->set_count && !plan->cut.count && !plan->made.count;
}
