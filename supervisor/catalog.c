#include "supervisor/catalog.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/wake.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Processes that load module files at the same time. */
#define ASKED_AT_ONCE 4

static int compare(const void *a, const void *b)
{
	return strcmp((*(struct chr_type *const *)a)->name, (*(struct chr_type *const *)b)->name);
}

static struct chr_type *find(const struct chr_catalog *catalog, const char *name)
{
	for (unsigned i = 0; i < catalog->count; i++)
		if (!strcmp(catalog->type[i]->name, name))
			return catalog->type[i];
	return NULL;
}

static int add(struct chr_catalog *catalog, const char *folder, const char *entry)
{
	size_t length = strlen(entry);
	char name[CHR_NAME_MAX];
	if (length < 4 || strcmp(entry + length - 3, ".so") || length - 3 >= sizeof name)
		return 0;
	memcpy(name, entry, length - 3);
	name[length - 3] = 0;
	if (!chr_name_legal(name) || find(catalog, name))
		return 0;
	struct chr_type **grown = realloc(catalog->type, (catalog->count + 1) * sizeof(struct chr_type *));
	if (!grown)
		return -ENOMEM;
	catalog->type = grown;
	struct chr_type *type = calloc(1, sizeof *type);
	if (!type)
		return -ENOMEM;
	memcpy(type->name, name, sizeof name);
	snprintf(type->file, sizeof type->file, "%s/%s", folder, entry);
	catalog->type[catalog->count++] = type;
	return 0;
}

static int list(struct chr_catalog *catalog, const char *folder)
{
	DIR *dir = opendir(folder);
	if (!dir) {
		chr_warn("no modules from %s: %s", folder, strerror(errno));
		return 0;
	}
	int rc = 0;
	for (struct dirent *entry; !rc && (entry = readdir(dir));)
		rc = add(catalog, folder, entry->d_name);
	closedir(dir);
	return rc;
}

/* Takes the next folder off a colon-separated list; false after the last. */
static bool next_folder(const char **path, char one[CHR_PATH_BYTES])
{
	while (*path && **path) {
		const char *from = *path;
		size_t length = strcspn(from, ":");
		*path += length + (from[length] == ':');
		if (length == 0 || length >= CHR_PATH_BYTES)
			continue;
		memcpy(one, from, length);
		one[length] = 0;
		return true;
	}
	return false;
}

static int list_all(struct chr_catalog *catalog)
{
	const char *path = catalog->path;
	char one[CHR_PATH_BYTES];
	int rc = 0;
	while (!rc && next_folder(&path, one))
		rc = list(catalog, one);
	return rc ? rc : list(catalog, catalog->folder);
}

/* What the process has learnt of the file. */
static void learn(struct chr_type *type, const struct chr_slot *slot, unsigned kind)
{
	if (kind != CHR_REPORT_LOADED) {
		snprintf(type->why, sizeof type->why, "%.*s", (int)sizeof slot->report.text - 1, slot->report.text);
		return;
	}
	chr_code_learn(type->code, slot, type->name, type->why, sizeof type->why);
}

static bool take_answer(struct chr_type *type, struct chr_process *process)
{
	struct chr_event report;
	for (unsigned i = 0; i < CHR_RING_EVENTS && chr_ring_read(&process->slot->from_main, &report, 1); i++)
		if (report.kind == CHR_REPORT_LOADED || report.kind == CHR_REPORT_FAILED) {
			learn(type, process->slot, report.kind);
			return true;
		}
	return false;
}

static void tell_death(struct chr_type *type, struct chr_process *process)
{
	int status = 0;
	const char *signal = chr_process_reap(process, &status) && WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;
	snprintf(type->why, sizeof type->why, "%.150s: the process that loaded it died%s%s", type->file, signal ? " of SIG" : "",
		 signal ? signal : "");
}

/* Waits for the answer to the load order. False when the process died or took too long. Looks once even when it is late: another one of those
 * that were asked together may have used the time up. */
static bool answer(struct chr_type *type, struct chr_process *process, uint64_t deadline)
{
	for (;;) {
		uint64_t now = chr_monotonic_us();
		bool late = now >= deadline;
		struct pollfd fds[2] = {{.fd = process->from_main, .events = POLLIN}, {.fd = process->pidfd, .events = POLLIN}};
		poll(fds, 2, late ? 0 : (int)((deadline - now + 999) / 1000));
		chr_wake_clear(process->from_main);
		if (take_answer(type, process))
			return true;
		if (fds[1].revents) {
			tell_death(type, process);
			return false;
		}
		if (late)
			return false;
	}
}

/* `ours`: a file that others may write is not loaded. */
static struct chr_process *ask(const struct chr_spawn *spawn, struct chr_type *type, bool ours)
{
	type->code = chr_code_copy(type->file, type->why, sizeof type->why);
	if (!type->code)
		return NULL;
	if (ours && type->code->foreign) {
		snprintf(type->why, sizeof type->why, "%s", CHR_CODE_FOREIGN);
		return NULL;
	}
	struct chr_process *process = chr_process_spawn(spawn);
	if (!process) {
		snprintf(type->why, sizeof type->why, "cannot start %.150s: %s", spawn->program, strerror(errno));
		return NULL;
	}
	chr_code_load(type->code, process);
	return process;
}

/* What came of it, before the deadline. */
static void hear(struct chr_type *type, struct chr_process *process, uint64_t deadline)
{
	if (!answer(type, process, deadline) && !type->why[0])
		snprintf(type->why, sizeof type->why, "loading it took longer than %d ms", CHR_CATALOG_WAIT_MS);
	chr_process_destroy(process);
}

static void ask_all(struct chr_catalog *catalog)
{
	for (unsigned first = 0; first < catalog->count; first += ASKED_AT_ONCE) {
		uint64_t deadline = chr_monotonic_us() + CHR_CATALOG_WAIT_MS * 1000u;
		struct chr_process *process[ASKED_AT_ONCE] = {NULL};
		unsigned count = catalog->count - first < ASKED_AT_ONCE ? catalog->count - first : ASKED_AT_ONCE;
		for (unsigned i = 0; i < count; i++)
			process[i] = ask(&catalog->spawn, catalog->type[first + i], false);
		for (unsigned i = 0; i < count; i++)
			if (process[i])
				hear(catalog->type[first + i], process[i], deadline);
	}
}

int chr_catalog_init(struct chr_catalog *catalog, const struct chr_spawn *spawn, const char *path, const char *folder)
{
	*catalog = (struct chr_catalog){.spawn = *spawn, .path = strdup(path ? path : ""), .folder = strdup(folder)};
	int rc = catalog->path && catalog->folder ? list_all(catalog) : -ENOMEM;
	if (rc) {
		chr_catalog_finish(catalog);
		return rc;
	}
	if (catalog->count)
		qsort(catalog->type, catalog->count, sizeof(struct chr_type *), compare);
	ask_all(catalog);
	return 0;
}

void chr_catalog_finish(struct chr_catalog *catalog)
{
	for (unsigned i = 0; i < catalog->count; i++)
		chr_type_free(catalog->type[i]);
	free(catalog->type);
	free(catalog->path);
	free(catalog->folder);
	for (unsigned i = 0; i < catalog->given_count; i++)
		chr_code_release(catalog->given[i]);
	free(catalog->given);
	*catalog = (struct chr_catalog){0};
}

const struct chr_type *chr_catalog_find(const struct chr_catalog *catalog, const char *name)
{
	return find(catalog, name);
}

void chr_catalog_replace(struct chr_catalog *catalog, const char *name, struct chr_code *code)
{
	struct chr_type *type = find(catalog, name);
	if (!type || type->code == code)
		return;
	chr_code_release(type->code);
	type->code = chr_code_hold(code);
}

/* ---- what came later ---- */

void chr_type_free(struct chr_type *type)
{
	if (type)
		chr_code_release(type->code);
	free(type);
}

bool chr_catalog_seek(const struct chr_catalog *catalog, const char *name, char file[CHR_PATH_BYTES])
{
	const char *path = catalog->path;
	char one[CHR_PATH_BYTES];
	if (!catalog->folder || !chr_name_legal(name))
		return false;
	while (next_folder(&path, one))
		if (snprintf(file, CHR_PATH_BYTES, "%s/%s.so", one, name) < CHR_PATH_BYTES && !access(file, F_OK))
			return true;
	return snprintf(file, CHR_PATH_BYTES, "%s/%s.so", catalog->folder, name) < CHR_PATH_BYTES && !access(file, F_OK);
}

struct chr_type *chr_catalog_look(const struct chr_catalog *catalog, const char *name)
{
	struct chr_type *type = calloc(1, sizeof *type);
	if (!type || !chr_catalog_seek(catalog, name, type->file)) {
		free(type);
		return NULL;
	}
	snprintf(type->name, sizeof type->name, "%s", name);
	struct chr_process *process = ask(&catalog->spawn, type, false);
	if (process)
		hear(type, process, chr_monotonic_us() + CHR_CATALOG_WAIT_MS * 1000u);
	return type;
}

int chr_catalog_take(struct chr_catalog *catalog, struct chr_type *type)
{
	for (unsigned i = 0; i < catalog->count; i++) {
		if (strcmp(catalog->type[i]->name, type->name) != 0)
			continue;
		bool stays = chr_type_known(catalog->type[i]);
		chr_type_free(stays ? type : catalog->type[i]);
		if (!stays)
			catalog->type[i] = type;
		return 0;
	}
	struct chr_type **grown = realloc(catalog->type, (catalog->count + 1) * sizeof(struct chr_type *));
	if (!grown) {
		chr_type_free(type);
		return -ENOMEM;
	}
	catalog->type = grown;
	catalog->type[catalog->count++] = type;
	qsort(catalog->type, catalog->count, sizeof(struct chr_type *), compare);
	return 0;
}

/* ---- files that people named ---- */

struct chr_code *chr_catalog_ask(const struct chr_spawn *spawn, const char *name, const char *file, char why[CHR_TEXT_MAX])
{
	struct chr_type type = {0};
	snprintf(type.name, sizeof type.name, "%s", name);
	snprintf(type.file, sizeof type.file, "%s", file);
	struct chr_process *process = ask(spawn, &type, true);
	if (process)
		hear(&type, process, chr_monotonic_us() + CHR_CATALOG_WAIT_MS * 1000u);
	if (type.code && type.code->known && !type.why[0])
		return type.code;
	memcpy(why, type.why, CHR_TEXT_MAX);
	chr_code_release(type.code);
	return NULL;
}

static struct chr_code **place_of(const struct chr_catalog *catalog, const char *name, const char *file)
{
	for (unsigned i = 0; i < catalog->given_count; i++)
		if (!strcmp(catalog->given[i]->file, file) && !strcmp(catalog->given[i]->descriptor.name, name))
			return &catalog->given[i];
	return NULL;
}

int chr_catalog_keep(struct chr_catalog *catalog, struct chr_code *code)
{
	struct chr_code **place = place_of(catalog, code->descriptor.name, code->file);
	if (!place) {
		struct chr_code **grown = realloc(catalog->given, (catalog->given_count + 1) * sizeof(struct chr_code *));
		if (!grown)
			return -ENOMEM;
		catalog->given = grown;
		place = &grown[catalog->given_count++];
		*place = NULL;
	}
	chr_code_hold(code);
	chr_code_release(*place);
	*place = code;
	return 0;
}

void chr_catalog_forget(struct chr_catalog *catalog)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < catalog->given_count; i++)
		if (chr_code_played(catalog->given[i]))
			catalog->given[kept++] = catalog->given[i];
		else
			chr_code_release(catalog->given[i]);
	catalog->given_count = kept;
}

struct chr_code *chr_catalog_given(const struct chr_catalog *catalog, const char *name, const char *file)
{
	struct chr_code **place = place_of(catalog, name, file);
	return place ? *place : NULL;
}

const char *chr_catalog_file(const struct chr_catalog *catalog, const struct chr_code *code)
{
	const struct chr_type *type = code ? find(catalog, code->descriptor.name) : NULL;
	return code && !(type && !strcmp(type->file, code->file)) ? code->file : "";
}

const struct chr_descriptor *chr_catalog_type(void *self, const char *name, const char *file, const char **why)
{
	const struct chr_type *type = *file ? NULL : find(self, name);
	const struct chr_code *code = *file ? chr_catalog_given(self, name, file) : type ? type->code : NULL;
	bool known = code && code->known;
	if (why)
		*why = type && !known ? type->why : NULL;
	return known ? &code->descriptor : NULL;
}

const struct chr_descriptor *chr_catalog_learn(void *self, const char *name, const char *file, const char **why)
{
	struct chr_catalog *catalog = self;
	const struct chr_code *known = *file ? chr_catalog_given(catalog, name, file) : NULL;
	if (!*file || (known && chr_code_played(known)))
		return chr_catalog_type(self, name, file, why);
	struct chr_code *code = chr_catalog_ask(&catalog->spawn, name, file, catalog->why);
	*why = catalog->why;
	if (!code)
		return NULL;
	if (chr_catalog_keep(catalog, code))
		snprintf(catalog->why, sizeof catalog->why, "out of memory");
	chr_code_release(code);
	return chr_catalog_type(self, name, file, NULL);
}
