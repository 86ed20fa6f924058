/* chronus-soak: what its parts share: the Chronus that is soaked, who plays it, who patches it, who strikes it. One thread, but for the pings.
 *
 * Each part has a step: it does what is due and returns within some milliseconds, but for faults that take longer by their nature.
 */
#ifndef CHR_TOOLS_SOAK_H
#define CHR_TOOLS_SOAK_H

#include "tools/faults.h"
#include "tools/soak_judge.h"
#include "tools/soak_ping.h"

#include <stdbool.h>
#include <stdint.h>

#define CHR_SOAK_MODULES 32
#define CHR_SOAK_TYPES   16
#define CHR_SOAK_PARAMS  256

struct chr_soak_options {
	double minutes;
	unsigned period;
	uint32_t seed;
	bool pipewire, verbose;
	const char *patch, *faults, *json, *svg, *log;
};

/* A parameter of a type, as chronus describes it. */
struct chr_soak_param {
	char type[CHR_NAME_MAX], name[CHR_NAME_MAX], scale[16];
	float min, max;
};

struct chr_soak_module {
	char name[CHR_NAME_MAX], type[CHR_NAME_MAX];
};

/* One fault. */
struct chr_soak_fault {
	const struct chr_kind *kind;
	char module[CHR_NAME_MAX];
	unsigned lane;
	double at_s;      /* since the soak began */
	double repair_ms; /* until the victim played again; NAN: not known */
	bool unrecovered;
};

struct chr_soak {
	struct chr_soak_options options;
	struct chr_campaign campaign; /* its session, and where everything random comes from */
	struct chr_soak_record record;
	struct chr_soak_ping *ping;
	struct chr_osc_client play, edit;
	uint64_t begin_us;
	bool broken; /* it cannot go on */

	/* what there is to play on */
	struct chr_soak_param param[CHR_SOAK_PARAMS];
	unsigned params;
	char type[CHR_SOAK_TYPES][CHR_NAME_MAX];
	unsigned types;
	struct chr_soak_module module[CHR_SOAK_MODULES];
	unsigned modules;
	uint64_t play_next_us;
	unsigned played, play_refused;

	/* patching */
	char base[128], saved[128]; /* files: the patch it began with; one that was saved meanwhile, once `has_saved` */
	bool has_saved;
	char awaited[64]; /* address of the edit that is not answered yet; empty: none */
	uint64_t edit_us, edit_next_us;
	unsigned drawn; /* edges made or taken away as a patchbay does */

	/* faults */
	struct chr_soak_fault *fault;
	unsigned faults, room, sampled; /* sampled: those that the last sample has seen */
	struct chr_shot shot;           /* the last one */
	bool open;                      /* it is not over yet */
	uint64_t fault_next_us, asked_us, whole_by_us;

	/* samples */
	double sample_every_s, sample_next_s;
	double cpu_s; /* of the supervisor, at the last sample */
	double cpu_at_s;
};

/* Seconds since the soak began. */
double chr_soak_now_s(const struct chr_soak *soak);

/* Learns of types and parameters, once; and of the modules there are. 0 or -1. */
int chr_soak_learn(struct chr_soak *soak);
int chr_soak_learn_modules(struct chr_soak *soak);

/* Plays: values, ramps, gates. */
void chr_soak_play(struct chr_soak *soak);

/* Patches: as a patchbay does, and over OSC. */
void chr_soak_patch(struct chr_soak *soak);

/* Sends an edit with up to two strings (NULL: no more) and waits for its answer. 0; -1 when it is refused or nothing comes within 15 s. */
int chr_soak_edit_wait(struct chr_soak *soak, const char *path, const char *a, const char *b);

/* Strikes, and watches over what it struck. */
void chr_soak_strike(struct chr_soak *soak);

/* Takes a sample when it is due. */
void chr_soak_sample(struct chr_soak *soak);

/* Makes the patch what it was at first, waits until nothing moves, and says what is held. */
struct chr_soak_rest chr_soak_rest(struct chr_soak *soak);

/* Prints table and verdicts, writes what is asked for. Returns how many verdicts are missed; one more when a file cannot be written. */
unsigned chr_soak_report(const struct chr_soak *soak);
int chr_soak_write_json(const struct chr_soak *soak, const struct figures *figures); /* 0 or -1 */
int chr_soak_write_svg(const struct chr_soak *soak);                                 /* 0 or -1 */

#endif
