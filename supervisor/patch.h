/* A patch as a file describes it: read, checked against what the module types offer, and reported on with all its errors at once.
 *
 * Control thread only; allocates.
 */
#ifndef CHR_SUPERVISOR_PATCH_H
#define CHR_SUPERVISOR_PATCH_H

#include "common/descriptor.h"
#include "common/slot.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CHR_PATCH_BYTES_MAX 262144 /* a larger file is refused */
#define CHR_EDGE_NAME_MAX   320    /* a full JACK port name, with the final NUL */
#define CHR_OUT_NAME        "out"  /* the module that exists in every patch */
#define CHR_LANES_DEFAULT   2      /* lanes of a patch that does not say */
/* A place among the hardware's playback ports, as the input of an edge: "playback:1" ... in a file. Resolved by the graph thread. */
#define CHR_PLAYBACK_PREFIX "\001playback:"
#define CHR_PLAYBACK_MAX    64

enum chr_timing { CHR_TIMING_STEADY, CHR_TIMING_SOONEST };

struct chr_patch_module {
	char name[CHR_NAME_MAX], type[CHR_NAME_MAX];
	char file[CHR_PATH_BYTES];   /* that its code comes from, absolute; "": the installed one of its type */
	float value[CHR_PARAMS_MAX]; /* in the order of the type's table; the type's initial value where the file is silent */
	unsigned line;
};

/* One end is "module:port" of the patch, or the full name of a foreign JACK port ("system:capture_1"), or a place among the hardware's ports
 * (CHR_PLAYBACK_PREFIX). */
struct chr_patch_edge {
	char from[CHR_EDGE_NAME_MAX], to[CHR_EDGE_NAME_MAX];
	unsigned line;
};

struct chr_patch {
	char name[64];
	double tempo_bpm;  /* 20..400; default 120; becomes `tempo` of out */
	unsigned lanes;    /* 1 or 2 */
	unsigned channels; /* of out, 1..16; default 2 */
	int playback;      /* 0: out is not connected to the hardware, though no edge says where it goes; default 1 */
	enum chr_timing timing;
	unsigned watchdog_periods; /* 2..1000; default 8 */
	unsigned restart_count;    /* deaths within the window that end in quarantine; 1..100; default 5 */
	double restart_window_s;   /* 1..3600; default 10 */
	/* the JACK server, should the supervisor have to start one: */
	char jack_server[CHR_CLIENT_MAX]; /* "" = not given */
	char jack_device[64];             /* ALSA device or "dummy"; "" = ALSA when there is a card, else dummy */
	unsigned jack_rate, jack_period;  /* 0 = not given */
	/* OSC: "" and 0 = not given */
	char osc_host[64];
	unsigned osc_port;
	int verbose;           /* -1 = not given */
	unsigned module_count; /* with `out`, which is always the first */
	struct chr_patch_module module[CHR_BOARD_MEMBERS];
	unsigned edge_count;
	struct chr_patch_edge *edge; /* heap */
};

/* Gives the descriptor of a module type, as it is installed (`file` "") or as it is in a module file, or NULL when there is none (then *why, when not
 * NULL on return, says why: static or owned by the provider). May start processes and take milliseconds. */
typedef const struct chr_descriptor *(*chr_patch_types)(void *self, const char *type, const char *file, const char **why);

struct chr_patch_problem {
	char file[256];
	unsigned line; /* 0: the file as a whole */
	char text[CHR_TEXT_MAX];
};

struct chr_patch_problems {
	unsigned count;
	struct chr_patch_problem *problem; /* heap */
};

/* Reads and checks `path`. Returns a patch (chr_patch_destroy), or NULL with every problem found in *problems, in the order of
 * their lines. `server` is the JACK server's name that will be used (a module must not bear it). -> EX_DATAERR 65 for the
 * caller's exit code, EX_NOINPUT 66 when the file cannot be opened (problems->count is 1 and its line 0). */
struct chr_patch *chr_patch_load(const char *path, const char *server, chr_patch_types types, void *types_self,
				 struct chr_patch_problems *problems, int *exit_code);
void chr_patch_destroy(struct chr_patch *patch);

/* Prints `file:line: what is wrong` lines. */
void chr_patch_problems_print(const struct chr_patch_problems *problems, FILE *to);
void chr_patch_problems_finish(struct chr_patch_problems *problems);

/* Where `channel` (from 1) of out goes unless a patch says otherwise. */
void chr_patch_default_edge(unsigned channel, struct chr_patch_edge *edge);

/* May people do this to a running patch? The rules are those for files. False with a reason in `why`. */
struct chr_patch_rules {
	const char *server; /* of JACK */
	chr_patch_types types;
	void *types_self;
};
bool chr_patch_may_add(struct chr_patch *patch, const struct chr_patch_rules *rules, const char *type, const char *name,
		       char why[CHR_TEXT_MAX]);
bool chr_patch_may_rename(struct chr_patch *patch, const struct chr_patch_rules *rules, const char *from, const char *to,
			  char why[CHR_TEXT_MAX]);
/* Stores the ends as the desired graph has them in *edge, whether or not they are connected already. */
bool chr_patch_may_connect(struct chr_patch *patch, const struct chr_patch_rules *rules, const char *from, const char *to,
			   struct chr_patch_edge *edge, char why[CHR_TEXT_MAX]);
/* Would a file have to say that an end of the edge is another program's, because its name is so near to a module's? */
bool chr_patch_looks_wrong(struct chr_patch *patch, const struct chr_patch_rules *rules, const struct chr_patch_edge *edge);

/* Splits "module:port" where `module` is one of the patch. Returns the module's place and stores the port's name, or -ENOENT for a foreign port. */
int chr_patch_endpoint(const struct chr_patch *patch, const char *end, const char **port);

#endif
