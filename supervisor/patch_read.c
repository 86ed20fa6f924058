#include "supervisor/patch_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static int open_file(struct chr_patch_load *load, const char *path, int *exit_code)
{
	struct stat st;
	/* O_NONBLOCK: a FIFO without a writer must not keep us */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0) {
		*exit_code = EX_NOINPUT;
		chr_patch_problem(load, 0, "cannot be opened: %s", strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		chr_patch_problem(load, 0, "is not a regular file");
	} else if (st.st_size > CHR_PATCH_BYTES_MAX) {
		chr_patch_problem(load, 0, "is larger than %d KiB", CHR_PATCH_BYTES_MAX / 1024);
	} else {
		return fd;
	}
	close(fd);
	return -1;
}

char *chr_patch_read(struct chr_patch_load *load, const char *path, int *exit_code)
{
	char *text = malloc(CHR_PATCH_BYTES_MAX + 2), *nul;
	int fd = open_file(load, path, exit_code);
	size_t length = 0;
	ssize_t n;

	if (fd < 0 || !text)
		goto fail;
	/* Reads on past the largest size, for the file may have grown since it was looked at. */
	while ((n = read(fd, text + length, CHR_PATCH_BYTES_MAX + 1 - length)) > 0)
		length += (size_t)n;
	if (n < 0) {
		chr_patch_problem(load, 0, "cannot be read: %s", strerror(errno));
		goto fail;
	}
	if (length > CHR_PATCH_BYTES_MAX) {
		chr_patch_problem(load, 0, "is larger than %d KiB", CHR_PATCH_BYTES_MAX / 1024);
		goto fail;
	}
	text[length] = '\n'; /* libconfig takes a comment that ends with the file for a syntax error */
	text[length + 1] = 0;
	nul = memchr(text, 0, length);
	if (nul) {
		unsigned line = 1;

		for (const char *c = text; c < nul; c++)
			line += *c == '\n';
		chr_patch_problem(load, line, "holds a NUL byte: this is not a text file");
		goto fail;
	}
	close(fd);
	return text;

fail:
	if (fd >= 0)
		close(fd);
	free(text);
	return NULL;
}
