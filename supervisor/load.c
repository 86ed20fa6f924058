#include "supervisor/load.h"

#include "common/log.h"
#include "supervisor/conductor.h"
#include "supervisor/edit_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct known_type {
	char name[CHR_NAME_MAX], file[CHR_PATH_BYTES], why[CHR_TEXT_MAX]; /* file: "": the installed one */
	bool known;
	struct chr_descriptor descriptor;
};

/* A load under way; the job's thread has it alone until the file is read. */
struct load {
	char path[CHR_PATH_BYTES];
	char server[CHR_CLIENT_MAX];
	struct chr_spawn spawn;
	const struct chr_catalog *catalog; /* to look for types that came since it was made */
	struct chr_type *found[CHR_BOARD_MEMBERS];
	unsigned found_count;
	struct known_type *type; /* a copy of the catalog */
	unsigned type_count;
	struct chr_code *learnt[CHR_BOARD_MEMBERS]; /* from files that the patch names */
	unsigned learnt_count;
	char why[CHR_TEXT_MAX]; /* the last one could not be learnt: why */
	struct chr_patch *file;
	struct chr_patch_problems problems;
	int code;
	bool applied;
	struct chr_load_plan plan;
	unsigned come; /* of the plan's modules that come: so many have come */
};

static void free_types(struct load *load)
{
	free(load->type);
	load->type = NULL;
	load->type_count = 0;
}

/* Descriptors belong to code that a swap may release while the file is read. */
static bool copy_types(struct chr_catalog *from, struct load *load)
{
	chr_catalog_forget(from);
	load->type = calloc(from->count + from->given_count + 1, sizeof *load->type);
	for (unsigned i = 0; load->type && i < from->count; i++) {
		const struct chr_type *type = from->type[i];
		struct known_type *to = &load->type[load->type_count++];
		memcpy(to->name, type->name, sizeof to->name);
		memcpy(to->why, type->why, sizeof to->why);
		to->known = chr_type_known(type);
		if (to->known)
			to->descriptor = type->code->descriptor;
	}
	for (unsigned i = 0; load->type && i < from->given_count; i++) {
		const struct chr_code *code = from->given[i];
		struct known_type *to = &load->type[load->type_count++];
		memcpy(to->name, code->descriptor.name, sizeof to->name);
		memcpy(to->file, code->file, sizeof to->file);
		to->known = true;
		to->descriptor = code->descriptor;
	}
	return load->type;
}

static const struct chr_descriptor *learn(struct load *load, const char *name, const char *file, const char **why)
{
	*why = load->why;
	if (load->learnt_count == CHR_BOARD_MEMBERS)
		return NULL;
	struct chr_code *code = chr_catalog_ask(&load->spawn, name, file, load->why);
	if (!code)
		return NULL;
	load->learnt[load->learnt_count++] = code;
	return &code->descriptor;
}

/* What came since the catalog was made; looked for once. */
static const struct chr_descriptor *find_new(struct load *load, const char *name, const char **why)
{
	struct chr_type *type = NULL;
	for (unsigned i = 0; !type && i < load->found_count; i++)
		type = strcmp(load->found[i]->name, name) ? NULL : load->found[i];
	if (!type && load->found_count < CHR_BOARD_MEMBERS && (type = chr_catalog_look(load->catalog, name)))
		load->found[load->found_count++] = type;
	if (type)
		*why = chr_type_known(type) ? NULL : type->why;
	return type && chr_type_known(type) ? &type->code->descriptor : NULL;
}

static const struct chr_descriptor *type_of(void *self, const char *name, const char *file, const char **why)
{
	struct load *load = self;
	*why = NULL;
	for (unsigned i = 0; i < load->type_count; i++) {
		struct known_type *type = &load->type[i];
		if (strcmp(type->name, name) != 0 || strcmp(type->file, file) != 0)
			continue;
		if (type->known)
			return &type->descriptor;
		*why = type->why;
	}
	return *file ? learn(load, name, file, why) : find_new(load, name, why);
}

void chr_load_forget(struct chr_edit *edit)
{
	struct load *load = edit->kind == CHR_EDIT_LOAD ? edit->detail : NULL;
	if (!load)
		return;
	free_types(load);
	for (unsigned i = 0; i < load->learnt_count; i++)
		chr_code_release(load->learnt[i]);
	while (load->found_count)
		chr_type_free(load->found[--load->found_count]);
	chr_patch_destroy(load->file);
	chr_patch_problems_finish(&load->problems);
	chr_load_plan_finish(&load->plan);
	free(load);
	edit->detail = NULL;
}

static void work(void *arg)
{
	struct load *load = arg;
	load->file = chr_patch_load(load->path, load->server, type_of, load, &load->problems, &load->code);
}

const char *chr_load_begin(struct chr_conductor *conductor, struct chr_edit *edit)
{
	const char *path = *edit->a ? edit->a : conductor->edits.file;
	if (*path != '/' || strlen(path) >= CHR_PATH_BYTES)
		return chr_edit_why(*path ? "'%.150s' is no absolute path, or too long a one" : "which file?%s", path);
	struct load *load = calloc(1, sizeof *load);
	edit->detail = load;
	if (!load || !copy_types(conductor->catalog, load)) {
		chr_load_forget(edit);
		return "out of memory";
	}
	load->spawn = conductor->catalog->spawn;
	load->catalog = conductor->catalog;
	snprintf(load->path, sizeof load->path, "%s", path);
	snprintf(load->server, sizeof load->server, "%s", conductor->jack.server);
	int rc = chr_job_begin(&edit->job, &conductor->inbox, work, load);
	if (!rc)
		return NULL;
	chr_load_forget(edit);
	return chr_edit_why("no thread to read with: %s", strerror(-rc));
}

/* All problems, one a line. */
static void refuse(struct chr_edit *edit, const struct load *load)
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);
	if (to) {
		chr_patch_problems_print(&load->problems, to);
		fclose(to);
	}
	if (length && text[length - 1] == '\n')
		text[length - 1] = 0;
	chr_warn("not loaded: %u error%s in %s; nothing was changed", load->problems.count, load->problems.count == 1 ? "" : "s",
		 load->path);
	for (const char *line = text; length && line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		chr_warn("%.*s", (int)strcspn(line, "\n"), line);
	chr_edit_fail(edit, load->code, length ? text : "out of memory");
	free(text);
}

/* As many of those that come as have room, and whose name is free. */
static void let_in(struct chr_conductor *conductor, struct load *load)
{
	while (load->come < load->plan.come_count && conductor->rack.unit_count < CHR_BOARD_MEMBERS) {
		const struct chr_patch_module *module = &load->file->module[load->plan.come[load->come]];
		const struct chr_descriptor *type = chr_catalog_type(conductor->catalog, module->type, module->file, NULL);
		struct chr_code *code = *module->file ? chr_catalog_given(conductor->catalog, module->type, module->file) : NULL;
		if (chr_rack_find(&conductor->rack, module->name))
			return;
		load->come++;
		if (!type || !chr_stage_enter(conductor, module->name, type, code, module->value))
			chr_error("%s: cannot be added", module->name);
	}
}

/* Edges of modules that are still to come wait for them: their ports would be taken for others'. */
static bool waits(const struct load *load, const char *end)
{
	for (unsigned i = load->come; i < load->plan.come_count; i++) {
		const char *name = load->file->module[load->plan.come[i]].name;
		size_t length = strlen(name);
		if (!strncmp(end, name, length) && end[length] == ':')
			return true;
	}
	return false;
}

static void make_edges(struct chr_conductor *conductor, const struct load *load)
{
	for (unsigned i = 0; i < load->plan.made.count; i++) {
		const struct chr_edge *edge = &load->plan.made.edge[i];
		if (!waits(load, edge->from) && !waits(load, edge->to))
			chr_edit_put_edge(conductor, edge->from, edge->to);
	}
	chr_lanes_rewire(conductor);
}

/* A unit whose code was swapped may have its parameters at other places than its type. */
static int param_of(struct chr_conductor *conductor, const struct chr_unit *unit, unsigned param)
{
	const char *file = chr_catalog_file(conductor->catalog, unit->code);
	const struct chr_descriptor *type = chr_catalog_type(conductor->catalog, unit->type->name, file, NULL);
	return type ? chr_descriptor_param(unit->type, type->param[param].name) : -1;
}

static void set_params(struct chr_conductor *conductor, const struct load *load)
{
	uint32_t now = chr_conductor_frame_now(conductor);
	uint32_t frame = now + conductor->rack.period + conductor->rack.sample_rate / 1000;
	for (unsigned i = 0; i < load->plan.set_count; i++) {
		const struct chr_load_set *set = &load->plan.set[i];
		struct chr_unit *unit = chr_rack_find(&conductor->rack, load->file->module[set->module].name);
		int param = unit ? param_of(conductor, unit, set->param) : -1;
		if (param >= 0)
			chr_rack_set(&conductor->rack, unit, (unsigned)param, set->value, 0, frame, now);
	}
}

static const char *apply(struct chr_conductor *conductor, struct load *load)
{
	const struct chr_patch_rules rules = chr_edit_rules(conductor);
	for (unsigned i = 0; i < load->learnt_count; i++)
		if (chr_catalog_keep(conductor->catalog, load->learnt[i]))
			return "out of memory";
	struct chr_patch *running = chr_edit_snapshot(conductor);
	int rc = running ? chr_load_plan(running, load->file, &rules, &load->plan) : -ENOMEM;
	if (rc) {
		chr_patch_destroy(running);
		return "out of memory";
	}
	chr_load_take_settings(conductor->rack.patch, load->file);
	for (unsigned i = 0; i < load->plan.gone_count; i++) {
		struct chr_unit *unit = chr_rack_find(&conductor->rack, running->module[load->plan.gone[i]].name);
		if (unit)
			chr_stage_leave(conductor, unit, NULL);
	}
	chr_patch_destroy(running);
	for (unsigned i = 0; i < load->plan.cut.count; i++)
		chr_edit_take_edge(conductor, load->plan.cut.edge[i].from, load->plan.cut.edge[i].to);
	let_in(conductor, load);
	make_edges(conductor, load);
	set_params(conductor, load);
	chr_edit_changed(conductor);
	return NULL;
}

static void conclude(struct chr_conductor *conductor, struct chr_edit *edit, const struct load *load)
{
	char remark[CHR_TEXT_MAX] = "";
	if (chr_load_take_order(conductor, load->file))
		chr_lanes_rewire(conductor);
	if (load->plan.left[0])
		snprintf(remark, sizeof remark, "left as before, for they need a restart: %.180s", load->plan.left);
	chr_info("loaded %s: %u modules gone, %u come, %u parameters, %u connections cut, %u made%s%s", load->path,
		 load->plan.gone_count, load->plan.come_count, load->plan.set_count, load->plan.cut.count, load->plan.made.count,
		 remark[0] ? "; " : "", remark);
	snprintf(conductor->edits.file, sizeof conductor->edits.file, "%s", load->path);
	chr_save_mark_clean(conductor);
	chr_edit_fail(edit, 0, remark);
}

bool chr_load_finished(struct chr_conductor *conductor, struct chr_edit *edit)
{
	if (!chr_job_over(&edit->job))
		return false;
	struct load *load = edit->detail;
	const char *why = NULL;
	if (!load->applied) {
		load->applied = true;
		while (load->found_count)
			chr_learn_type(conductor, load->found[--load->found_count]);
		if (load->file)
			why = apply(conductor, load);
		else
			refuse(edit, load);
		if (why)
			chr_edit_fail(edit, -ENOMEM, why);
	}
	if (!load->file || why) {
		chr_load_forget(edit);
		return true;
	}
	if (chr_edit_moving(conductor))
		return false;
	/* what was in the way is gone */
	if (load->come < load->plan.come_count) {
		let_in(conductor, load);
		make_edges(conductor, load);
	}
	conclude(conductor, edit, load);
	chr_load_forget(edit);
	return true;
}

int chr_load_request(struct chr_conductor *conductor, const char *path, chr_edit_done done, void *arg)
{
	return chr_edit_request(conductor, CHR_EDIT_LOAD, path ? path : "", NULL, done, arg);
}
