/* The rack: the logical modules of the running patch, the instances (processes) that play them, and their events.
 *
 * A unit is a module as a person sees it ("osc1"); an instance is one process of it, one per lane. The rack belongs to the control
 * thread: no other thread reads or writes it. Guards and the graph thread work on copies and post what they saw.
 */
#ifndef CHR_SUPERVISOR_RACK_H
#define CHR_SUPERVISOR_RACK_H

#include "common/board.h"
#include "common/descriptor.h"
#include "common/slot.h"
#include "supervisor/feed.h"
#include "supervisor/patch.h"
#include "supervisor/repeat.h"
#include "supervisor/schedule.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CHR_DEATHS_MAX 100 /* remembered to judge a crash loop */
#define CHR_PREFIX_MAX                                                                                                             \
	(CHR_CLIENT_MAX - CHR_NAME_MAX - 2) /* bytes of what stands before a module's name and ".b", with the final NUL */
#define CHR_CHANGES_MAX 16                  /* remembered to take a poisoned event back */

/* A change of a parameter that was sent to the instances. */
struct chr_change {
	unsigned param;
	float before, after;
	uint64_t time_us; /* chr_monotonic_us(); 0: none */
};

struct chr_code;    /* supervisor/code.h */
struct chr_process; /* supervisor/process.h */

enum chr_instance_state {
	CHR_INSTANCE_NONE,     /* the lane does not exist */
	CHR_INSTANCE_WAITING,  /* for a spare process, for JACK, or for its turn */
	CHR_INSTANCE_STARTING, /* a process loads the module and opens its client */
	CHR_INSTANCE_WIRING,   /* ready; the graph is being made */
	CHR_INSTANCE_JOINING,  /* takes its twin's state over */
	CHR_INSTANCE_PLAYING,
	CHR_INSTANCE_QUARANTINED, /* died too often; a person lifts it */
};

/* Words for people and for OSC, by enum chr_instance_state. */
extern const char *const chr_instance_state_name[];

/* A death as it was seen, and how long its repair took. Times are chr_monotonic_us(). */
struct chr_fault {
	uint64_t seen_us; /* 0: none yet */
	uint64_t back_us; /* 0: not back yet */
	uint64_t slow_us; /* from the fault to seen_us; 0: not known */
	char cause[80];   /* "killed by SIGSEGV at 0x8", "hang", ... */
	bool hang;        /* the watchdog ended it */
	bool crash;       /* it ended by a fault of its own: a fatal signal or a hang */
};

struct chr_instance {
	unsigned lane; /* 0 = a, 1 = b */
	enum chr_instance_state state;
	struct chr_process *process; /* NULL: none */
	struct chr_code *code;       /* what it runs or is started with while its unit is swapped; NULL: the unit's. A reference */
	struct chr_feed feed;
	char client[CHR_CLIENT_MAX];
	uint32_t restarts;     /* deaths survived since the start */
	int64_t generation;    /* of the desired graph that wires it; it plays once that one is in force */
	uint32_t cycles_begun; /* its pulse when it was wired: it is heard once that has moved on */
	bool wired;            /* and the graph is in force */
	uint64_t ready_us;     /* when its client was active */
	uint64_t ending_us;    /* when its process was told to close its client; 0: it was not */
	uint64_t died_us;      /* when its last process was seen to die, or had been told to close its client; 0: none did */
	bool joined;           /* has noted that it joined, at: */
	uint32_t joined_frame;
	bool seasoned;       /* its process has played, in a lane that was heard or in step with one */
	uint64_t inherit_us; /* in the lane that leads: when it was asked to join its twin, and at which frame */
	uint32_t inherit_frame;
	bool summed; /* has answered the audit with: */
	uint64_t sum, outputs;
	uint64_t skip_us; /* when its last skip of frames was told; 0: dealt with */
	uint32_t skip_frame, skip_count, skip_made_up;
	bool by_hand;            /* its end was asked for by a person: no fault */
	int64_t parting;         /* not 0: it ends, and has no edges any more from that generation of the graph on */
	pid_t last_pid;          /* of the process that died last: its wait status tells the cause */
	uint32_t skipped_before; /* cycles skipped before it was wired: JACK had not let it in yet */
	struct chr_fault fault;  /* the last one */
	uint64_t since_us;       /* JACK-independent monotonic time of the last change of state */
	uint32_t cycles_seen;    /* for the load figure */
	uint32_t busy_seen_us;
	float load; /* share of a period spent in the callback, 0..1, over the last second */
};

/* Where a module stands between coming and going. */
enum chr_unit_stage {
	CHR_UNIT_HERE,
	CHR_UNIT_ENTERING, /* silent, and outside the lanes, until its process in the leading lane plays; then it fades in */
	CHR_UNIT_LEAVING,  /* fades out */
	CHR_UNIT_AWAY,     /* silent and outside the lanes: its edges and processes go */
};

struct chr_unit {
	char name[CHR_NAME_MAX];
	const char *prefix; /* the rack's */
	enum chr_unit_stage stage;
	uint64_t stage_us;                 /* chr_monotonic_us() of the last change of stage */
	int64_t generation;                /* AWAY: of the desired graph without its edges */
	uint64_t parting_us;               /* AWAY: when its processes were told to end; 0: they were not */
	uint64_t moving_us;                /* when it got another name that its clients do not all bear yet; 0: they do */
	char next[CHR_NAME_MAX];           /* LEAVING: comes back under this name; "": does not */
	const struct chr_descriptor *type; /* owned by `code` */
	struct chr_code *code;             /* a reference; NULL: the catalog's of that type, which owns `type` then */
	bool apart;                        /* its twins run code whose states do not fit: neither joins the other */
	unsigned member;                   /* index on the boards */
	float value[CHR_PARAMS_MAX];       /* last targets: what a restarted instance begins with */
	uint32_t serial;                   /* of the last event made for it */
	uint64_t death_us[CHR_DEATHS_MAX]; /* the last deaths of its instances, newest first */
	bool quarantined;
	struct chr_repeat differs, nonfinite;      /* what the log tells of it, again and again perhaps */
	struct chr_change change[CHR_CHANGES_MAX]; /* the last ones, a ring */
	unsigned change_next;
	struct chr_instance instance[CHR_LANES];
};

struct chr_totals {
	uint64_t received;  /* OSC messages understood and accepted that change a parameter */
	uint64_t applied;   /* events that audio threads applied, all instances that ever lived */
	uint64_t late;      /* of these, after their frame */
	uint64_t coalesced; /* replaced by a newer value of the same parameter while a ring was full */
	uint64_t errors;    /* OSC errors: bad address, type, range, malformed packets */
	uint64_t dropped;   /* datagrams that the kernel dropped for want of buffer space */
};

struct chr_rack {
	struct chr_patch *patch;     /* settings; the lists of modules and edges are those of the file */
	char prefix[CHR_PREFIX_MAX]; /* of all our JACK clients' names; of nothing else: "", or in a session "ID/" */
	unsigned unit_count;
	struct chr_unit *unit[CHR_BOARD_MEMBERS]; /* unit[0] is out */
	unsigned sample_rate, period;             /* of the JACK server; 0 while there is none */
	bool pipewire;                            /* the server is PipeWire */
	struct chr_schedule schedule;             /* events beyond the horizon */
	struct chr_totals totals;                 /* applied and late: of instances that have ended; see chr_rack_totals() */

	/* Called after a unit's value was set, by chr_rack_set() or when a scheduled one came near. NULL: nobody asks. chr_osc_create() sets it. */
	void (*changed)(void *arg, struct chr_unit *unit, unsigned param);
	void *changed_arg;
};

/* The unit with that name, or NULL. */
struct chr_unit *chr_rack_find(struct chr_rack *rack, const char *name);

/* The unit one of whose instances has that JACK client, and the instance's lane in *lane (may be NULL); NULL without one. */
struct chr_unit *chr_rack_find_client(const struct chr_rack *rack, const char *client, unsigned *lane);

/* ---- rack_units.c ---- */

/* Adds a unit without processes: its instances wait. It gets the lowest member index that is free. `value` has type->param_count values. NULL: the rack
 * is full, or memory is. */
struct chr_unit *chr_rack_add(struct chr_rack *rack, const char *name, const struct chr_descriptor *type, const float *value);

/* Takes a unit without processes away and frees it. The others keep their order, `out` stays the first. */
void chr_rack_remove(struct chr_rack *rack, struct chr_unit *unit);

/* Gives the unit another name. Its clients keep theirs until they are opened anew: see chr_rack_client(). */
void chr_rack_rename(struct chr_unit *unit, const char *name);

/* The client's name that an instance of the unit in `lane` should bear. In `client`, which is returned. */
const char *chr_rack_client(const struct chr_unit *unit, unsigned lane, char client[CHR_CLIENT_MAX]);

/* Has all outputs of all of the unit's instances fade to `gain` in `ramp_frames`, beginning at `frame`. */
void chr_rack_fade(struct chr_unit *unit, float gain, uint32_t ramp_frames, uint32_t frame);

/* Sets parameter `param` (an index, checked; value checked with chr_param_accept) of `unit` at `frame`: remembers it as the unit's value, and
 * delivers it to every instance, through the schedule when it lies beyond the horizon (then it is remembered when it is delivered). `ramp_frames` as in
 * struct chr_event. Without a JACK server (sample_rate 0) the value is remembered only. */
void chr_rack_set(struct chr_rack *rack, struct chr_unit *unit, unsigned param, float value, uint32_t ramp_frames, uint32_t frame,
		  uint32_t now);

/* Takes back the changes of the unit's parameters that were made after `since_us`: the values to begin anew with are those before. Returns how many. */
unsigned chr_rack_take_back(struct chr_rack *rack, struct chr_unit *unit, uint64_t since_us);

/* Delivers what has come within the horizon of `now` and flushes the feeds. Returns the time (ms) until it wants to be called again, or -1
 * for not before the next event. Without a JACK server everything scheduled is remembered at once, in order, and nothing is sent. */
int chr_rack_deliver(struct chr_rack *rack, uint32_t now);

/* Adds the counters of an instance that has ended to the totals. Once per process, while its slot is still mapped. */
void chr_rack_retire(struct chr_rack *rack, const struct chr_instance *instance);

/* The totals with the counters of the instances that live. */
struct chr_totals chr_rack_totals(const struct chr_rack *rack);

#endif
