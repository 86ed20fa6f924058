#include "supervisor/save.h"

#include "common/log.h"
#include "supervisor/conductor.h"
#include "supervisor/edit_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A save under way; the job's thread has it alone until it is over. */
struct save {
	char path[CHR_PATH_BYTES];
	char *text;
	size_t length;
	uint64_t sum;
	int rc;
	char why[CHR_TEXT_MAX];
};

static int fail(char why[CHR_TEXT_MAX], const char *path, const char *what)
{
	int error = errno;
	snprintf(why, CHR_TEXT_MAX, "%.150s %s: %s", path, what, strerror(error));
	return error ? -error : -EIO;
}

/* ---- bytes to the disk ---- */

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		length -= (size_t)n;
	}
	return fsync(fd);
}

/* A new file keeps the old one's mode; the process's mask alone is not asked for it, for other threads run. */
static mode_t mode_for(const char *path)
{
	struct stat st;
	return stat(path, &st) ? 0644 : st.st_mode & 07777;
}

static int sync_folder(const char *path)
{
	char copy[CHR_PATH_BYTES + 8];
	snprintf(copy, sizeof copy, "%s", path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	int rc = fsync(fd);
	close(fd);
	return rc == 0 || errno == EINVAL ? 0 : -1;
}

/* The old file gets a second name, .bak, before the first one passes to the new: at every moment there is a whole file of each name. Where there
 * are no links, the old one is given away, for a moment. */
static int keep_old(const char *path)
{
	char backup[CHR_PATH_BYTES + 8], passing[CHR_PATH_BYTES + 16];
	snprintf(backup, sizeof backup, "%s.bak", path);
	snprintf(passing, sizeof passing, "%s.bak~", path);
	unlink(passing);
	if (!link(path, passing))
		return rename(passing, backup);
	if (errno == ENOENT)
		return 0;
	return rename(path, backup);
}

/* One that an earlier process left behind goes: it has been killed. */
static int open_temporary(const char *path, char temporary[CHR_PATH_BYTES + 16])
{
	snprintf(temporary, CHR_PATH_BYTES + 16, "%s.new", path);
	unlink(temporary);
	return open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int replace(const char *path, const char *text, size_t length, char why[CHR_TEXT_MAX])
{
	char temporary[CHR_PATH_BYTES + 16];
	int fd = open_temporary(path, temporary);
	if (fd < 0)
		return fail(why, path, "cannot be written");
	int rc = fchmod(fd, mode_for(path)) || write_all(fd, text, length) ? fail(why, path, "cannot be written") : 0;
	if (close(fd) && !rc)
		rc = fail(why, path, "cannot be written");
	if (!rc && keep_old(path))
		rc = fail(why, path, "cannot be kept as .bak");
	if (!rc && rename(temporary, path))
		rc = fail(why, path, "cannot be replaced");
	if (rc) {
		unlink(temporary);
		return rc;
	}
	return sync_folder(path) ? fail(why, path, "may not be on the disk yet") : 0;
}

int chr_save_write(const char *path, const char *text, size_t length, char why[CHR_TEXT_MAX])
{
	struct stat st;
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		snprintf(why, CHR_TEXT_MAX, "%.150s is not a regular file", path);
		return -EINVAL;
	}
	/* a link stays one: what it leads to is replaced */
	char *whole = realpath(path, NULL);
	int rc = replace(whole ? whole : path, text, length, why);
	free(whole);
	return rc;
}

/* ---- the request ---- */

static uint64_t sum_of(const char *text, size_t length)
{
	uint64_t sum = 0xcbf29ce484222325u;
	for (size_t i = 0; i < length; i++)
		sum = (sum ^ (unsigned char)text[i]) * 0x00000100000001b3u;
	return sum;
}

static char *text_of(struct chr_conductor *conductor, size_t *length)
{
	const struct chr_patch_rules rules = chr_edit_rules(conductor);
	struct chr_patch *patch = chr_edit_snapshot(conductor);
	char *text = patch ? chr_save_text(patch, &rules, length) : NULL;
	chr_patch_destroy(patch);
	return text;
}

static uint64_t moment(const struct chr_conductor *conductor)
{
	return conductor->edits.changes + conductor->rack.totals.received + 1;
}

bool chr_edit_dirty(struct chr_conductor *conductor)
{
	struct chr_edits *edits = &conductor->edits;
	/* what lies in the future is remembered when it comes: ask again */
	if (edits->dirty_at == moment(conductor) && !conductor->rack.schedule.count)
		return edits->dirty;
	size_t length;
	char *text = text_of(conductor, &length);
	if (!text)
		return true;
	edits->dirty = sum_of(text, length) != edits->clean_sum;
	edits->dirty_at = moment(conductor);
	free(text);
	return edits->dirty;
}

void chr_save_mark_clean(struct chr_conductor *conductor)
{
	size_t length;
	char *text = text_of(conductor, &length);
	if (text)
		conductor->edits.clean_sum = sum_of(text, length);
	conductor->edits.dirty_at = 0;
	free(text);
}

static void work(void *arg)
{
	struct save *save = arg;
	save->rc = chr_save_write(save->path, save->text, save->length, save->why);
}

static void forget(struct chr_edit *edit)
{
	struct save *save = edit->detail;
	if (save)
		free(save->text);
	free(save);
	edit->detail = NULL;
}

const char *chr_save_begin(struct chr_conductor *conductor, struct chr_edit *edit)
{
	const char *path = *edit->a ? edit->a : conductor->edits.file;
	if (*path != '/' || strlen(path) >= CHR_PATH_BYTES - 16)
		return chr_edit_why(*path ? "'%.150s' is no absolute path, or too long a one" : "to which file?%s", path);
	struct save *save = calloc(1, sizeof *save);
	edit->detail = save;
	if (!save || !(save->text = text_of(conductor, &save->length))) {
		forget(edit);
		return "out of memory";
	}
	if (save->length > CHR_PATCH_BYTES_MAX) {
		forget(edit);
		return chr_edit_why("the patch is larger than a file may be (%d KiB)", CHR_PATCH_BYTES_MAX / 1024);
	}
	snprintf(save->path, sizeof save->path, "%s", path);
	save->sum = sum_of(save->text, save->length);
	int rc = chr_job_begin(&edit->job, &conductor->inbox, work, save);
	if (!rc)
		return NULL;
	forget(edit);
	return chr_edit_why("no thread to write with: %s", strerror(-rc));
}

bool chr_save_finished(struct chr_conductor *conductor, struct chr_edit *edit)
{
	if (!chr_job_over(&edit->job))
		return false;
	struct save *save = edit->detail;
	if (save->rc) {
		chr_warn("not saved: %s", save->why);
		chr_edit_fail(edit, save->rc, save->why);
	} else {
		chr_info("saved as %s", save->path);
		snprintf(conductor->edits.file, sizeof conductor->edits.file, "%s", save->path);
		conductor->edits.clean_sum = save->sum;
		conductor->edits.dirty_at = 0;
		chr_edit_fail(edit, 0, save->path);
	}
	forget(edit);
	return true;
}

int chr_save_request(struct chr_conductor *conductor, const char *path, chr_edit_done done, void *arg)
{
	return chr_edit_request(conductor, CHR_EDIT_SAVE, path ? path : "", NULL, done, arg);
}
