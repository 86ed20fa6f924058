/* The difference between the running patch and a file's: what a load has to touch. Pure functions; any thread. */
#ifndef CHR_SUPERVISOR_LOAD_H
#define CHR_SUPERVISOR_LOAD_H

#include "supervisor/patch.h"
#include "supervisor/wiring.h"

#include <stdbool.h>

struct chr_load_set {
	unsigned module, param; /* of the file's patch */
	float value;
};

/* Modules are places in the lists of the running patch (`gone`) and of the file's (`come`). */
struct chr_load_plan {
	unsigned gone_count, come_count, set_count;
	unsigned gone[CHR_BOARD_MEMBERS], come[CHR_BOARD_MEMBERS];
	struct chr_load_set *set;   /* heap: parameters of modules that stay */
	struct chr_edges cut, made; /* edges to take away, edges to make, in the file's order */
	char left[CHR_TEXT_MAX];    /* settings that differ but need a restart, for people: "lanes, osc port"; "" for none */
};

/* What turns `running` (its edges those of the desired graph) into `file`. A module of the same name and type stays; of another type it goes and comes
 * anew, with its edges. 0 or -ENOMEM; in any case chr_load_plan_finish(). */
int chr_load_plan(const struct chr_patch *running, const struct chr_patch *file, const struct chr_patch_rules *rules,
		  struct chr_load_plan *plan);
void chr_load_plan_finish(struct chr_load_plan *plan);

/* Does the plan touch nothing? */
bool chr_load_plan_empty(const struct chr_load_plan *plan);

/* Copies the settings that take effect while a patch plays. */
void chr_load_take_settings(struct chr_patch *running, const struct chr_patch *file);

#endif
