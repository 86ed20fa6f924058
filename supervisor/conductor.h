/* The conductor: the control thread's half of everything. It assigns processes to the instances of the rack, follows them from
 * birth to death, has them wired, tells `out` whom to wait for, and repairs.
 *
 *   waiting -> starting -> wiring -> (joining ->) playing
 *      ^          |           |          |           |
 *      +----------+-----------+----------+-----------+   a death; too many of them: quarantined
 */
#ifndef CHR_SUPERVISOR_CONDUCTOR_H
#define CHR_SUPERVISOR_CONDUCTOR_H

#include "common/board.h"
#include "common/choice.h"
#include "supervisor/catalog.h"
#include "supervisor/edit.h"
#include "supervisor/graph.h"
#include "supervisor/inbox.h"
#include "supervisor/jackserver.h"
#include "supervisor/lanes.h"
#include "supervisor/osc.h"
#include "supervisor/poller.h"
#include "supervisor/rack.h"
#include "supervisor/sentry.h"
#include "supervisor/start.h"
#include "supervisor/swap.h"
#include "supervisor/watch.h"
#include "supervisor/wiring.h"

#include <stdbool.h>
#include <stdint.h>

#define CHR_SPARES        3        /* processes that wait in the pool */
#define CHR_START_WAIT_US 3000000u /* a process that has not started after this is killed */
#define CHR_PROCESSES_MAX 320
#define CHR_TICK_MS       5  /* while events wait for their time or for room, or code is swapped */
#define CHR_TICK_CALM_MS  10 /* while nothing happens: half of CHR_HORIZON_MS, so that no event is late */
#define CHR_ASSIGNS_KEPT  64 /* assignments of processes of which the median is shown */
#define CHR_TICK_BUSY_MS  1  /* while something is being repaired */

struct chr_conductor {
	struct chr_poller poller;
	struct chr_catalog *catalog;
	struct chr_rack rack;
	struct chr_lanes lanes;
	struct chr_start start;
	struct chr_swap swap;
	struct chr_watch watch;
	struct chr_edges logical; /* the desired graph, as people name it */
	int64_t generation;       /* of the desired graph as last given to the graph thread */
	int64_t wired;            /* the newest that was in force */
	struct chr_edits edits;
	struct chr_board *board[CHR_LANES];
	struct chr_choice *choice; /* of the outs */
	struct chr_inbox inbox;
	struct chr_sentry sentry;
	struct chr_graph graph;
	struct chr_jack_server server;
	struct chr_jack_settings jack;
	struct chr_osc *osc;

	struct chr_process *process[CHR_PROCESSES_MAX]; /* all that live, spares too */
	unsigned process_count;
	struct chr_process *spare[CHR_PROCESSES_MAX]; /* those that said hello and have no owner, oldest first */
	unsigned spare_count;
	unsigned spawning;                    /* asked for, not yet made */
	struct chr_repeat unspawned;          /* for want of memory, descriptors or the like */
	uint32_t assign_us[CHR_ASSIGNS_KEPT]; /* how long the last assignments took: a ring */
	unsigned assigned;                    /* how many there were */

	struct chr_poll inbox_poll, osc_poll, signal_poll, tick_poll;
	uint64_t started_us;
	uint64_t load_us;     /* when the load figures were made */
	uint64_t heard_us;    /* first time that a whole lane played; 0: not yet */
	uint64_t hold_us;     /* no process is assigned before this time: the server may be gone */
	int64_t latencies_of; /* the generation whose latencies were computed once more */
	int64_t described_of; /* the generation that patchbays were told of, and how often */
	unsigned described_times;
	bool server_up;
	bool quitting;
	int code; /* EX_OK, or what the program is to end with */
	unsigned tick_ms;
};

/* `conductor` was zeroed by the caller. Sets up everything but the processes: boards, inbox, sentry, graph thread, timers, signals. `patch` and `catalog` must outlive it; `client`
 * is taken over. 0 or -errno. */
int chr_conductor_init(struct chr_conductor *conductor, struct chr_patch *patch, struct chr_catalog *catalog,
		       const struct chr_spawn *spawn, const struct chr_jack_settings *jack, const struct chr_jack_server *server,
		       jack_client_t *client);

/* JACK's client while the server is up, else NULL. */
jack_client_t *chr_conductor_client(struct chr_conductor *conductor);

/* Ends chr_conductor_run(). */
void chr_conductor_quit(struct chr_conductor *conductor);

/* Something is to be repaired or changed: the tick is the fast one from now on, until a tick finds nothing to do. */
void chr_conductor_hurry(struct chr_conductor *conductor);

/* Is an instance being wired, or does it join? */
bool chr_conductor_repairing(const struct chr_conductor *conductor);

/* JACK's frame time now; 0 without a server. */
uint32_t chr_conductor_frame_now(struct chr_conductor *conductor);

/* A whole lane plays for the first time. */
void chr_conductor_heard(struct chr_conductor *conductor);

/* What OSC needs of it; fills `host`. */
void chr_conductor_osc_host(struct chr_conductor *conductor, struct chr_osc_host *host);
void chr_conductor_set_osc(struct chr_conductor *conductor, struct chr_osc *osc);

/* Plays until told to end. 0 or -errno. */
int chr_conductor_run(struct chr_conductor *conductor);

/* Ends every process and releases everything. Takes less than a second. False when a thread hangs in libjack: then *conductor is to stay. */
bool chr_conductor_finish(struct chr_conductor *conductor);

/* From the graph thread: the server is there, is lost, has another period. */
void chr_conductor_server_up(struct chr_conductor *conductor);
void chr_conductor_server_lost(struct chr_conductor *conductor);
void chr_conductor_set_period(struct chr_conductor *conductor);

/* ---- instances.c ---- */

/* Gives processes to the instances that wait, and asks for more processes as far as the pool is short of them. */
void chr_instances_fill(struct chr_conductor *conductor);
void chr_instances_set_state(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance,
			     enum chr_instance_state state);
/* The instance that a process plays, and its unit; false for a spare. */
bool chr_instances_of(struct chr_conductor *conductor, const struct chr_process *process, struct chr_unit **unit,
		      struct chr_instance **instance);
/* The code that the instance is started with; NULL when the catalog knows none. */
struct chr_code *chr_instances_code(const struct chr_conductor *conductor, const struct chr_unit *unit,
				    const struct chr_instance *instance);
/* Its feed gives it events as its code's table of parameters numbers them. After every change of either table. */
void chr_instances_translate(const struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance);
/* The sentry watches its pulse. Its death marks its lane broken as long as the lane counts it in (chr_lanes_counts()): to be told whenever that changes.
 * What comes or goes may die unheard. One that starts is not watched yet. */
void chr_instances_watch(struct chr_conductor *conductor, const struct chr_unit *unit, const struct chr_instance *instance);
/* The process is ready: its client is active. */
void chr_instances_ready(struct chr_conductor *conductor, struct chr_process *process);
/* The desired graph of `generation` is in force. */
void chr_instances_wired(struct chr_conductor *conductor, int64_t generation);
/* Looks at those that were wired: they play once their pulse has moved. */
void chr_instances_review(struct chr_conductor *conductor);
/* The instance plays again: says so, once per fault. */
void chr_instances_tell_repair(struct chr_instance *instance);
/* The process dies or has died; seen at `seen_us`. */
void chr_instances_died(struct chr_conductor *conductor, struct chr_process *process, uint64_t seen_us);
/* The process is reaped with that wait status: tells the cause of the fault. */
void chr_instances_reaped(struct chr_conductor *conductor, struct chr_process *process, int status);
/* The JACK server is gone: every instance waits. */
void chr_instances_server_lost(struct chr_conductor *conductor);
/* A person restarts a unit, which lifts its quarantine. */
void chr_instances_restart(struct chr_conductor *conductor, struct chr_unit *unit);

/* ---- processes.c ---- */

/* A new process: watches its reports and its end. */
void chr_processes_add(struct chr_conductor *conductor, struct chr_process *process);
/* A spare that has said hello, or NULL. */
struct chr_process *chr_processes_take_spare(struct chr_conductor *conductor);
/* May `count` more clients be told to leave the JACK server? */
bool chr_processes_may_leave(struct chr_conductor *conductor, unsigned count);
/* Tells a process to end, by SIGTERM. */
void chr_processes_tell(struct chr_process *process);
/* Ends all processes: politely, then by SIGKILL. */
void chr_processes_end_all(struct chr_conductor *conductor);
/* Carries out what waits in the inbox. */
void chr_conductor_take_posts(struct chr_conductor *conductor);

#endif
