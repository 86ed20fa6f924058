#include "supervisor/catalog.h"

#include "common/clock.h"
#include "common/wake.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	if (!dir)
		return 0;
	int rc = 0;
	for (struct dirent *entry; !rc && (entry = readdir(dir));)
		rc = add(catalog, folder, entry->d_name);
	closedir(dir);
	return rc;
}

static int list_all(struct chr_catalog *catalog, const char *path, const char *folder)
{
	int rc = 0;
	char one[CHR_PATH_BYTES];
	while (path && *path && !rc) {
		size_t length = strcspn(path, ":");
		if (length > 0 && length < sizeof one) {
			memcpy(one, path, length);
			one[length] = 0;
			rc = list(catalog, one);
		}
		path += length + (path[length] == ':');
	}
	return rc ? rc : list(catalog, folder);
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
			snprintf(type->why, sizeof type->why, "the process that loaded it died");
			return false;
		}
		if (late)
			return false;
	}
}

static struct chr_process *ask(const struct chr_catalog *catalog, struct chr_type *type)
{
	type->code = chr_code_copy(type->file, type->why, sizeof type->why);
	if (!type->code)
		return NULL;
	struct chr_process *process = chr_process_spawn(&catalog->spawn);
	if (!process) {
		snprintf(type->why, sizeof type->why, "cannot start %.150s: %s", catalog->spawn.program, strerror(errno));
		return NULL;
	}
	chr_code_load(type->code, process);
	return process;
}

static void ask_all(struct chr_catalog *catalog)
{
	for (unsigned first = 0; first < catalog->count; first += ASKED_AT_ONCE) {
		uint64_t deadline = chr_monotonic_us() + CHR_CATALOG_WAIT_MS * 1000u;
		struct chr_process *process[ASKED_AT_ONCE] = {NULL};
		unsigned count = catalog->count - first < ASKED_AT_ONCE ? catalog->count - first : ASKED_AT_ONCE;
		for (unsigned i = 0; i < count; i++)
			process[i] = ask(catalog, catalog->type[first + i]);
		for (unsigned i = 0; i < count; i++) {
			struct chr_type *type = catalog->type[first + i];
			if (!process[i])
				continue;
			if (!answer(type, process[i], deadline) && !type->why[0])
				snprintf(type->why, sizeof type->why, "loading it took longer than %d ms", CHR_CATALOG_WAIT_MS);
			chr_process_destroy(process[i]);
		}
	}
}

int chr_catalog_init(struct chr_catalog *catalog, const struct chr_spawn *spawn, const char *path, const char *folder)
{
	*catalog = (struct chr_catalog){.spawn = *spawn};
	int rc = list_all(catalog, path, folder);
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
	for (unsigned i = 0; i < catalog->count; i++) {
		chr_code_release(catalog->type[i]->code);
		free(catalog->type[i]);
	}
	free(catalog->type);
	*catalog = (struct chr_catalog){0};
}

const struct chr_type *chr_catalog_find(const struct chr_catalog *catalog, const char *name)
{
	return find(catalog, name);
}

const struct chr_descriptor *chr_catalog_type(void *self, const char *name, const char **why)
{
	const struct chr_type *type = find(self, name);
	bool known = type && chr_type_known(type);
	if (why)
		*why = type && !known ? type->why : NULL;
	return known ? &type->code->descriptor : NULL;
}

void chr_catalog_replace(struct chr_catalog *catalog, const char *name, struct chr_code *code)
{
	struct chr_type *type = find(catalog, name);
	if (!type || type->code == code)
		return;
	chr_code_release(type->code);
	type->code = chr_code_hold(code);
}
