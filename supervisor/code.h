/* The code of a module: a private copy of its file, kept in memory, and what the module in it is.
 *
 * Processes load the copy and never the file: a linker may write over a file that is mapped, or be half done, and a module that is
 * restarted is to run the code that has played, not what lies in the folder by then. The copy is sealed, so that the module that
 * runs it cannot change it for the next one.
 *
 * Counted references; control thread only, but for the one who copied it until it is handed over. What is counted is freed with its last reference, and with it its descriptor.
 */
#ifndef CHR_SUPERVISOR_CODE_H
#define CHR_SUPERVISOR_CODE_H

#include "common/descriptor.h"
#include "common/slot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHR_CODE_MAX     67108864 /* bytes of a module file */
#define CHR_CODE_MISSING UINT8_MAX
#define CHR_CODE_FOREIGN "the file can be written by others than you: it is not loaded"

struct chr_process;

struct chr_code {
	unsigned references;
	int fd; /* the sealed copy; -1: the system has no memory that can be executed: the file itself is loaded */
	char file[CHR_PATH_BYTES]; /* what it is a copy of, for people */
	size_t bytes;
	uint64_t sum; /* of the content */
	bool foreign; /* somebody else than this user and root may write the file */
	bool known;   /* the descriptor was learnt */
	struct chr_descriptor descriptor;
};

/* Copies `file`, which has to be a regular file that does not change meanwhile. One reference is the caller's. NULL with the reason in `why`. Reads
 * the disk. */
struct chr_code *chr_code_copy(const char *file, char *why, size_t why_bytes);

struct chr_code *chr_code_hold(struct chr_code *code);
void chr_code_release(struct chr_code *code); /* NULL: nothing */

/* Does anybody hold it beside a catalog that keeps it? */
static inline bool chr_code_played(const struct chr_code *code)
{
	return code->references > 1;
}

/* Are the two files the same, byte for byte? */
bool chr_code_equal(const struct chr_code *a, const struct chr_code *b);

/* Has the process load it: fills the order's file, sends the copy over, gives the order. False when it cannot be given. */
bool chr_code_load(const struct chr_code *code, struct chr_process *process);

/* The same, and the order to open the client that the order block names, with one wake-up for both. */
bool chr_code_load_and_open(const struct chr_code *code, struct chr_process *process);

/* Copies what a process that has loaded it published, and believes only what passes the rules; the module has to be called `name`. 0, or -EINVAL with
 * the reason in `why`. */
int chr_code_learn(struct chr_code *code, const struct chr_slot *slot, const char *name, char *why, size_t why_bytes);

/* May an instance of one take the state of an instance of the other over while it plays? The states have to fit, and one table of parameters has to
 * begin with the whole other one. */
bool chr_code_exchange(const struct chr_descriptor *a, const struct chr_descriptor *b);

/* For every parameter of `from` the place of the one of that name in `to`, or CHR_CODE_MISSING. */
void chr_code_map(const struct chr_descriptor *from, const struct chr_descriptor *to, uint8_t map[CHR_PARAMS_MAX]);

/* The values of `from`'s parameters as `to` has them, by name; what is new gets its initial value, what is out of
 * its range now the nearest one. The arrays may be one. */
void chr_code_values(const struct chr_descriptor *from, const struct chr_descriptor *to, const float value[CHR_PARAMS_MAX],
		     float result[CHR_PARAMS_MAX]);

#endif
