#include "supervisor/watch.h"

#include "common/clock.h"
#include "common/log.h"
#include "supervisor/conductor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static const struct chr_type *type_at(const struct chr_conductor *conductor, const char *path)
{
	const struct chr_catalog *catalog = conductor->catalog;
	for (unsigned i = 0; i < catalog->count; i++)
		if (!strcmp(catalog->type[i]->file, path))
			return catalog->type[i];
	return NULL;
}

/* Notes that a file was written; one that is noted already rests anew. */
static void note(struct chr_watch *watch, const char *path)
{
	uint64_t due = chr_monotonic_us() + CHR_WATCH_REST_US;
	unsigned i = 0;
	while (i < watch->files && strcmp(watch->file[i].path, path))
		i++;
	if (i == CHR_WATCH_FILES)
		return;
	if (i == watch->files)
		watch->files++;
	snprintf(watch->file[i].path, sizeof watch->file[i].path, "%s", path);
	watch->file[i].due_us = due;
}

static void take(struct chr_conductor *conductor, const struct inotify_event *event)
{
	struct chr_watch *watch = &conductor->watch;
	char path[CHR_PATH_BYTES];
	for (unsigned i = 0; event->len && i < watch->folders; i++) {
		if (watch->folder[i].descriptor != event->wd)
			continue;
		int length = snprintf(path, sizeof path, "%s/%s", watch->folder[i].path, event->name);
		if (length < (int)sizeof path && type_at(conductor, path))
			note(watch, path);
	}
}

static void on_change(void *self)
{
	struct chr_conductor *conductor = self;
	_Alignas(struct inotify_event) char bytes[8192];
	ssize_t got = read(conductor->watch.poll.fd, bytes, sizeof bytes);
	for (ssize_t at = 0; at < got;) {
		const struct inotify_event *event = (const void *)&bytes[at];
		take(conductor, event);
		at += (ssize_t)(sizeof *event + event->len);
	}
}

static int add_folder(struct chr_watch *watch, const char *file)
{
	const char *slash = strrchr(file, '/');
	size_t length = slash ? (size_t)(slash - file) : 0;
	if (!length)
		return 0;
	for (unsigned i = 0; i < watch->folders; i++)
		if (strlen(watch->folder[i].path) == length && !strncmp(watch->folder[i].path, file, length))
			return 0;
	if (watch->folders == CHR_WATCH_FOLDERS)
		return -ENOSPC;
	char *path = watch->folder[watch->folders].path;
	memcpy(path, file, length);
	path[length] = 0;
	int descriptor = inotify_add_watch(watch->poll.fd, path, IN_CLOSE_WRITE | IN_MOVED_TO);
	if (descriptor < 0)
		return -errno;
	watch->folder[watch->folders++].descriptor = descriptor;
	chr_info("watching %s: a module that is built there is swapped in", path);
	return 0;
}

int chr_watch_init(struct chr_conductor *conductor)
{
	struct chr_watch *watch = &conductor->watch;
	const struct chr_catalog *catalog = conductor->catalog;
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), rc = 0;
	if (fd < 0)
		return -errno;
	watch->poll = (struct chr_poll){.fd = fd, .ready = on_change, .self = conductor};
	for (unsigned i = 0; i < catalog->count && !rc; i++)
		rc = add_folder(watch, catalog->type[i]->file);
	if (!rc)
		rc = chr_poller_add(&conductor->poller, &watch->poll);
	if (rc) {
		close(fd);
		watch->poll.fd = 0;
	}
	return rc;
}

void chr_watch_file(struct chr_conductor *conductor, const char *file)
{
	int rc = conductor->watch.poll.fd > 0 ? add_folder(&conductor->watch, file) : 0;
	if (rc)
		chr_warn("the folder of %s cannot be watched: %s", file, strerror(-rc));
}

static void swap_all(struct chr_conductor *conductor, const char *path)
{
	const struct chr_type *type = type_at(conductor, path);
	const char *why;
	for (unsigned i = 0; type && i < conductor->rack.unit_count; i++) {
		const struct chr_unit *unit = conductor->rack.unit[i];
		struct chr_swap_ask ask = {.watched = true};
		/* one with a file of its own stays with it */
		if (strcmp(unit->type->name, type->name) || *chr_catalog_file(conductor->catalog, unit->code))
			continue;
		memcpy(ask.name, unit->name, sizeof ask.name);
		memcpy(ask.file, path, strlen(path) + 1);
		if (chr_swap_ask(conductor, &ask, &why) == -EINVAL)
			chr_warn("%s was built: %s: %s", path, unit->name, why);
	}
}

void chr_watch_tick(struct chr_conductor *conductor)
{
	struct chr_watch *watch = &conductor->watch;
	uint64_t now = watch->files ? chr_monotonic_us() : 0;
	for (unsigned i = watch->files; i-- > 0;) {
		if (watch->file[i].due_us > now)
			continue;
		struct chr_watch_file file = watch->file[i];
		watch->file[i] = watch->file[--watch->files];
		swap_all(conductor, file.path);
	}
}

void chr_watch_finish(struct chr_conductor *conductor)
{
	struct chr_watch *watch = &conductor->watch;
	if (watch->poll.fd <= 0)
		return;
	chr_poller_remove(&conductor->poller, &watch->poll);
	close(watch->poll.fd);
	*watch = (struct chr_watch){0};
}
