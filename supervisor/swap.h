/* Hot swap: another build of a module takes the place of the one that plays. One swap at a time; others wait in a queue.
 *
 *   asking    a spare process loads a private copy of the file and tells what it is; a file that cannot be loaded ends the swap here
 *   waiting   until both lanes are whole
 *   first     the lane that follows gets the new code: its instance is ended by hand, starts with it and joins, which carries the state
 *             over where both builds have the same state version and size and their parameters the same places; else it starts fresh
 *   trial     both lanes play, the old code is heard. Does the new one claim to play the same samples (it is the same file, or has the
 *             same sound version), audits compare the lanes; else they are meant to differ, and no audit heals one from the other
 *   turning   the other lane is heard from now on; is it another sound, out fades down before and up after
 *   leaving   until out has left the old lane
 *   second    the other lane gets the new code and joins
 *   back      the new code died, gave out what is not a number, or differed: the old one takes its place again
 *
 * With one lane the process itself crossfades to the new code (fading) and is then on trial; where its ports or parameters have other
 * places, and where the module does not play, it is restarted with the new code instead (first).
 *
 * Control thread only.
 */
#ifndef CHR_SUPERVISOR_SWAP_H
#define CHR_SUPERVISOR_SWAP_H

#include "common/slot.h"
#include "supervisor/osc_socket.h"

#include <stdbool.h>
#include <stdint.h>

#define CHR_SWAPS_MAX     64      /* that wait */
#define CHR_SWAP_TRIAL_US 500000u /* that the new code has to live, before it is heard where there are two lanes */

struct chr_code;
struct chr_conductor;
struct chr_instance;
struct chr_process;
struct chr_unit;

enum chr_swap_state {
	CHR_SWAP_NONE,
	CHR_SWAP_ASKING,
	CHR_SWAP_WAITING,
	CHR_SWAP_FIRST,
	CHR_SWAP_FADING,
	CHR_SWAP_TRIAL,
	CHR_SWAP_TURNING,
	CHR_SWAP_LEAVING,
	CHR_SWAP_SECOND,
	CHR_SWAP_BACK,
};

/* A wish. */
struct chr_swap_ask {
	char name[CHR_NAME_MAX]; /* of the unit */
	char file[CHR_PATH_BYTES];
	bool given;               /* the file was named by somebody over OSC */
	bool watched;             /* asked for because the file was written: a file that is what plays changes nothing */
	struct chr_osc_peer peer; /* who wants to know what came of it; bytes 0: nobody */
};

struct chr_swap {
	enum chr_swap_state state;
	struct chr_swap_ask ask;
	struct chr_unit *unit;
	struct chr_code *code;     /* the new one; a reference */
	struct chr_process *asked; /* loads it to tell what it is; NULL: none yet, or it has answered */
	unsigned lane;             /* gets it first */
	bool carries;              /* the state can be carried over */
	bool compares;             /* the new code claims to keep the sound */
	bool faded;                /* out is faded down */
	uint32_t frame;            /* turning, leaving: when the next step may be */
	uint64_t begun_us, since_us;
	uint64_t ending_us;        /* when an instance was told to end */
	uint64_t trial_us;         /* when the trial began; 0: a lane is not whole */
	uint64_t audits, joins;    /* of the lanes when it did */
	unsigned differed;         /* audits that found a difference */
	char why[CHR_TEXT_MAX];    /* why it is taken back; "": the fault of the instance tells */
	struct chr_instance *fell; /* the instance whose death takes it back */
	struct chr_swap_ask queue[CHR_SWAPS_MAX];
	unsigned queued;
	uint64_t done, taken_back; /* since the start */
};

/* Somebody wants `unit` swapped to the file `ask->file`, or, when that is "", to the file that its code comes from. 0, -EINVAL with the reason in `why`,
 * -EALREADY when the same is queued. What comes of it is told on the log and to the asker. */
int chr_swap_ask(struct chr_conductor *conductor, const struct chr_swap_ask *ask, const char **why);

/* Every tick. */
void chr_swap_tick(struct chr_conductor *conductor);

/* A report (enum chr_event_kind) of a process. True when it was meant for a swap and is dealt with. */
bool chr_swap_report(struct chr_conductor *conductor, struct chr_process *process, unsigned kind);

/* The process dies, whose instance (NULL: it has none) is still its own. True when new code died in its trial: no fault of the module's to be counted. */
bool chr_swap_died(struct chr_conductor *conductor, const struct chr_process *process, struct chr_instance *instance);

/* The instance gave out what is not a number; the lanes differ. True when that ends a trial. */
bool chr_swap_nonfinite(struct chr_conductor *conductor, const struct chr_instance *instance);
bool chr_swap_differs(struct chr_conductor *conductor);

/* The JACK server is gone: what is under way is taken back. */
void chr_swap_server_lost(struct chr_conductor *conductor);

/* The unit is about to be removed: its swaps are given up, its code is released. */
void chr_swap_forget(struct chr_conductor *conductor, struct chr_unit *unit);
/* The unit gets another name: swaps that wait are its own still. */
void chr_swap_rename(struct chr_conductor *conductor, const char *from, const char *to);
void chr_swap_finish(struct chr_conductor *conductor);

/* How far it is, as a word. */
extern const char *const chr_swap_word[];

#endif
