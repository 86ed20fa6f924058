#include "common/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void *chr_segment_create(const char *label, size_t bytes, int *fd)
{
	void *segment;
	int error;

	*fd = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return NULL;
	if (fchmod(*fd, S_IRUSR | S_IWUSR) < 0 || ftruncate(*fd, (off_t)bytes) < 0)
		goto fail;
	if (fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		goto fail;
	segment = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (segment == MAP_FAILED)
		goto fail;
	return segment;

fail:
	error = errno;
	close(*fd);
	*fd = -1;
	errno = error;
	return NULL;
}

void *chr_segment_map(int fd, size_t bytes, int writable)
{
	struct stat st;
	void *segment;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (st.st_size != (off_t)bytes) {
		errno = EPROTO;
		return NULL;
	}
	segment = mmap(NULL, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	return segment == MAP_FAILED ? NULL : segment;
}

void chr_segment_unmap(void *segment, size_t bytes)
{
	if (segment)
		munmap(segment, bytes);
}
