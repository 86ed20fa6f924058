#include "supervisor/code.h"

#include "common/wake.h"
#include "supervisor/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

#define CHUNK     16384
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x00000100000001b3)

static uint64_t sum_on(uint64_t sum, const unsigned char *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		sum = (sum ^ from[i]) * FNV_PRIME;
	return sum;
}

/* A kernel older than 6.3 does not know the flag and needs none. */
static int make_memory(const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash ? slash + 1 : file;
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	return fd < 0 && errno == EINVAL ? memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

static int write_all(int fd, const unsigned char *from, size_t bytes)
{
	while (bytes > 0) {
		ssize_t done = write(fd, from, bytes);
		if (done < 0 && errno != EINTR)
			return -errno;
		from += done > 0 ? done : 0;
		bytes -= done > 0 ? (size_t)done : 0;
	}
	return 0;
}

/* Reads `from` to its end into `code`. */
static int copy_content(struct chr_code *code, int from)
{
	unsigned char chunk[CHUNK];
	code->sum = FNV_START;
	for (;;) {
		ssize_t got = read(from, chunk, sizeof chunk);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : 0;
		code->sum = sum_on(code->sum, chunk, (size_t)got);
		code->bytes += (size_t)got;
		if (code->bytes > CHR_CODE_MAX)
			return -EFBIG;
		int rc = code->fd >= 0 ? write_all(code->fd, chunk, (size_t)got) : 0;
		if (rc)
			return rc;
	}
}

static bool unchanged(const struct stat *before, const struct stat *after, size_t bytes)
{
	return before->st_size == after->st_size && (size_t)after->st_size == bytes &&
	       before->st_mtim.tv_sec == after->st_mtim.tv_sec && before->st_mtim.tv_nsec == after->st_mtim.tv_nsec;
}

/* 0 or -errno; -EAGAIN when the file was written to meanwhile. */
static int copy_file(struct chr_code *code)
{
	struct stat before, after;
	/* not blocking: a FIFO would wait for its writer */
	int from = open(code->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (from < 0)
		return -errno;
	int rc = fstat(from, &before) ? -errno : 0;
	if (!rc && !S_ISREG(before.st_mode))
		rc = -ENOEXEC;
	if (!rc)
		code->foreign = (before.st_uid != geteuid() && before.st_uid != 0) || before.st_mode & S_IWOTH;
	if (!rc)
		rc = copy_content(code, from);
	if (!rc && (fstat(from, &after) || !unchanged(&before, &after, code->bytes)))
		rc = -EAGAIN;
	close(from);
	return rc;
}

static const char *word_of(int rc)
{
	switch (rc) {
	case -EFBIG:
		return "larger than a module file may be";
	case -ENOEXEC:
		return "no file";
	case -EAGAIN:
		return "it is being written";
	default:
		return strerror(-rc);
	}
}

struct chr_code *chr_code_copy(const char *file, char *why, size_t why_bytes)
{
	struct chr_code *code = calloc(1, sizeof *code);
	if (!code) {
		snprintf(why, why_bytes, "out of memory");
		return NULL;
	}
	snprintf(code->file, sizeof code->file, "%s", file);
	code->references = 1;
	code->fd = make_memory(file);
	int rc = copy_file(code);
	if (rc) {
		snprintf(why, why_bytes, "cannot load: %.180s: %.60s", file, word_of(rc));
		chr_code_release(code);
		return NULL;
	}
	if (code->fd >= 0)
		fcntl(code->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	return code;
}

struct chr_code *chr_code_hold(struct chr_code *code)
{
	code->references++;
	return code;
}

void chr_code_release(struct chr_code *code)
{
	if (!code || --code->references > 0)
		return;
	if (code->fd >= 0)
		close(code->fd);
	free(code);
}

bool chr_code_equal(const struct chr_code *a, const struct chr_code *b)
{
	return a->bytes == b->bytes && a->sum == b->sum;
}

static void give(const struct chr_code *code, struct chr_process *process)
{
	struct chr_slot_order *order = &process->slot->order;
	memcpy(order->file, code->file, sizeof order->file);
	order->copied = code->fd >= 0 && chr_fd_send(process->socket, code->fd, CHR_FD_TAG_CODE) == 0;
}

bool chr_code_load(const struct chr_code *code, struct chr_process *process)
{
	give(code, process);
	return chr_process_order(process, CHR_ORDER_LOAD);
}

bool chr_code_load_and_open(const struct chr_code *code, struct chr_process *process)
{
	static const unsigned orders[] = {CHR_ORDER_LOAD, CHR_ORDER_OPEN};
	give(code, process);
	return chr_process_orders(process, orders, sizeof orders / sizeof orders[0]);
}

int chr_code_learn(struct chr_code *code, const struct chr_slot *slot, const char *name, char *why, size_t why_bytes)
{
	char reason[CHR_TEXT_MAX];
	memcpy(&code->descriptor, &slot->descriptor, sizeof code->descriptor);
	if (chr_descriptor_check(&code->descriptor, reason, sizeof reason)) {
		snprintf(why, why_bytes, "%.200s", reason);
		return -EINVAL;
	}
	if (strcmp(code->descriptor.name, name)) {
		const char *slash = strrchr(code->file, '/'), *base = slash ? slash + 1 : code->file;
		char own[CHR_NAME_MAX + 4];
		snprintf(own, sizeof own, "%s.so", name);
		if (!strcmp(base, own))
			snprintf(why, why_bytes, "the file is %s, but the module in it is \"%s\"", own, code->descriptor.name);
		else
			snprintf(why, why_bytes, "the module in %.100s is \"%s\", not \"%s\"", base, code->descriptor.name, name);
		return -EINVAL;
	}
	code->known = true;
	return 0;
}

bool chr_code_exchange(const struct chr_descriptor *a, const struct chr_descriptor *b)
{
	if (strcmp(a->name, b->name) || a->state_version != b->state_version || a->state_bytes != b->state_bytes)
		return false;
	return chr_descriptor_params_begin(a, b);
}

void chr_code_map(const struct chr_descriptor *from, const struct chr_descriptor *to, uint8_t map[CHR_PARAMS_MAX])
{
	memset(map, CHR_CODE_MISSING, CHR_PARAMS_MAX);
	for (unsigned i = 0; i < from->param_count; i++) {
		int at = chr_descriptor_param(to, from->param[i].name);
		if (at >= 0)
			map[i] = (uint8_t)at;
	}
}

void chr_code_values(const struct chr_descriptor *from, const struct chr_descriptor *to, const float value[CHR_PARAMS_MAX],
		     float result[CHR_PARAMS_MAX])
{
	float made[CHR_PARAMS_MAX] = {0};
	for (unsigned i = 0; i < to->param_count; i++) {
		int at = chr_descriptor_param(from, to->param[i].name);
		made[i] = to->param[i].initial;
		if (at >= 0 && from->param[at].scale == to->param[i].scale)
			made[i] = chr_param_nearest(&to->param[i], value[at]);
	}
	memcpy(result, made, sizeof made);
}
