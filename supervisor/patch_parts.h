/* What the parts of the patch loader share; no one else includes this.
 *
 *   patch_read.c      the file's bytes
 *   patch_scan.c      what libconfig must not be given, found before it parses
 *   patch_settings.c  the keys of the patch itself: one table
 *   patch_modules.c   `modules` and their parameters
 *   patch_edges.c     `connections`
 *   patch_ask.c       the same rules for what people ask for while it plays
 *   patch_problem.c   the list of problems, values, near words
 *   patch.c           the order of it all
 */
#ifndef CHR_SUPERVISOR_PATCH_PARTS_H
#define CHR_SUPERVISOR_PATCH_PARTS_H

#include "supervisor/patch.h"

#include <libconfig.h>
#include <stddef.h>

#define CHR_PATCH_DEPTH_MAX    16  /* groups, lists and arrays inside each other; a patch needs 4 */
#define CHR_PATCH_GROUP_MAX    256 /* settings of one group; libconfig's time grows with the square */
#define CHR_PATCH_EDGES_MAX    4096
#define CHR_PATCH_PROBLEMS_MAX 200       /* further ones are not told */
#define CHR_PATCH_FOREIGN      "foreign" /* third word of a connection whose other end is surely no module of the patch */

/* One patch while it is loaded. */
struct chr_patch_load {
	struct chr_patch *patch;
	const struct chr_descriptor *type[CHR_BOARD_MEMBERS]; /* by module; NULL: unknown, and already told */
	bool modules_missing;                                 /* the file names modules that `patch` does not hold */
	const char *file, *server;
	chr_patch_types types;
	void *types_self;
	const char *why; /* the last type refused, from `types` */
	struct chr_patch_problems *problems;
};

enum chr_patch_kind {
	CHR_KEY_WHOLE,  /* unsigned */
	CHR_KEY_REAL,   /* double */
	CHR_KEY_TEXT,   /* char[]: printable, `max` bytes at most */
	CHR_KEY_WORD,   /* char[]: the same, without spaces, not beginning with '-' */
	CHR_KEY_TOGGLE, /* int: 0 or 1 */
	CHR_KEY_TIMING, /* enum chr_timing */
	CHR_KEY_GROUP,  /* holds the keys whose `group` is its name */
	CHR_KEY_LIST,   /* modules, connections */
};

/* A key of the patch: the one truth on its type, range and default. */
struct chr_patch_key {
	const char *group; /* NULL: stands at the top */
	const char *name;
	enum chr_patch_kind kind;
	double min, max; /* numbers: the range; texts: 0 and the longest (bytes) */
	double initial;  /* numbers; texts begin empty */
	size_t offset;   /* in struct chr_patch */
};

extern const struct chr_patch_key chr_patch_key[];
extern const unsigned chr_patch_key_count;
extern const char *const chr_timing_name[2]; /* by enum chr_timing */

/* Notes a problem; control characters of the text become '?'. Line 0: the file as a whole. */
__attribute__((format(printf, 3, 4))) void chr_patch_problem(struct chr_patch_load *load, unsigned line, const char *format, ...);

/* Line of a setting. */
unsigned chr_patch_line(const config_setting_t *setting);

/* "a number", "a string" ...: what a setting is, for people. */
const char *chr_patch_kind_of(const config_setting_t *setting);

/* The setting's value as a number; false when it is none. */
bool chr_patch_number(const config_setting_t *setting, double *value);

/* Names of a table, for chr_patch_near(). NULL: leave this one out. */
typedef const char *(*chr_patch_names)(const void *table, unsigned i);

/* Letters inserted, left out, changed or swapped between two words; 99 when either has more than 40. */
unsigned chr_patch_distance(const char *a, const char *b);

/* The name nearest to `word`, or NULL when none is near enough to be meant. */
const char *chr_patch_near(const char *word, chr_patch_names names, const void *table, unsigned count);

/* Notes "unknown <what> 'word'", with the nearest name when there is one. */
void chr_patch_unknown(struct chr_patch_load *load, unsigned line, const char *what, const char *word, chr_patch_names names,
		       const void *table, unsigned count);

/* The whole file as a string (free), or NULL with the problem noted. */
char *chr_patch_read(struct chr_patch_load *load, const char *path, int *exit_code);

/* Notes what must not reach libconfig; false when there is any. */
bool chr_patch_scan(struct chr_patch_load *load, const char *text);

void chr_patch_defaults(struct chr_patch *patch);
void chr_patch_settings(struct chr_patch_load *load, const config_setting_t *root);
void chr_patch_take_modules(struct chr_patch_load *load, const config_setting_t *list);
void chr_patch_take_edges(struct chr_patch_load *load, const config_setting_t *list);

/* The rules of names, types and connections; what is wrong is noted. The type is asked for once per patch. */
bool chr_patch_check_name(struct chr_patch_load *load, unsigned line, const char *name);
const struct chr_descriptor *chr_patch_find_type(struct chr_patch_load *load, unsigned line, const char *type, const char *file);
bool chr_patch_check_module(struct chr_patch_load *load, unsigned line, const char *name, const struct chr_descriptor *type);
/* `foreign`: ends that are of no module are surely others', however near their names are to a module's. Stores both ends as the desired graph has them. */
bool chr_patch_check_edge(struct chr_patch_load *load, unsigned line, const char *from, const char *to, bool foreign,
			  struct chr_patch_edge *edge);

#endif
