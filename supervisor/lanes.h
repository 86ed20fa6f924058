/* The two lanes: which of them leads, which is whole, how a broken one joins again, and whether they still agree.
 *
 * Each lane has its own `out`, a member like the others; which of the two is heard they settle between themselves, cycle by cycle (common/choice.h).
 * The leader is the lane that is heard when all is well. When a member of it dies and the other lane is whole, or needs nobody new to be so,
 * that one leads; else the leader plays on without the dead one ("degraded"), and the new one takes the state over from its twin (lanes_rescue.c).
 * The other lane follows: once all of its members run, all of them join
 * the leader's in one and the same cycle, because a member that joined earlier than those it listens to would be wrong again a
 * cycle later. A lane whose members joined in different cycles tries again, with a longer lead.
 */
#ifndef CHR_SUPERVISOR_LANES_H
#define CHR_SUPERVISOR_LANES_H

#include "common/event.h"

#include <stdbool.h>
#include <stdint.h>

struct chr_conductor;
struct chr_instance;
struct chr_unit;

struct chr_lanes {
	unsigned leader;
	unsigned foreign;    /* the lane whose modules foreign ports hear */
	bool differ;         /* the lanes are meant to differ: no audits */
	bool whole[2];       /* all members play, in lockstep with the leader's */
	uint64_t led_us;     /* when another lane became the leader */
	bool asked;          /* a join is under way in the lane that follows */
	uint32_t join_frame; /* at which (or at the first cycle after it) all are to join */
	uint64_t asked_us;
	uint64_t join_wait_us;  /* from then on, until it is tried again */
	unsigned join_failures; /* since it came about last */
	uint64_t audit_us;      /* when the next audit may begin */
	bool auditing;
	uint32_t audit_frame;
	uint32_t played[2];                  /* by `out`, when last looked at */
	unsigned unlike;                     /* audits in a row that found a difference where the order of connections matters */
	uint64_t audits, divergences, joins; /* since the start */
};

/* Tells `out` which lanes are broken and for whom it has to wait, and begins the repairs that can begin. After every change of an instance's state. */
void chr_lanes_review(struct chr_conductor *conductor);

/* The graph of logical edges changed: has the graph thread make it. */
void chr_lanes_rewire(struct chr_conductor *conductor);

/* The state of an instance that has just been wired and runs: it plays, or it has to join first. */
void chr_lanes_settle(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance);

/* Does the unit take part in the lanes? */
bool chr_lanes_counts(const struct chr_unit *unit);

/* Something changed in both lanes, but not at the same frame: the lane that follows joins the leader's again. */
void chr_lanes_part(struct chr_conductor *conductor);

/* The lane is not to be played until it has joined again. */
void chr_lanes_break(struct chr_conductor *conductor, unsigned lane);

/* The frame before which every audio thread has begun a cycle, and so has taken what is sent now. */
uint32_t chr_lanes_soon(struct chr_conductor *conductor);

/* Has the instance to join before it plays? */
bool chr_lanes_joins(const struct chr_conductor *conductor, const struct chr_instance *instance);

/* The instance's client is active: it and its twin learn of each other. */
void chr_lanes_introduce(struct chr_unit *unit);

/* The process of an `out` is about to be given its orders. */
void chr_lanes_prepare_out(struct chr_conductor *conductor, const struct chr_instance *instance);

/* The instance lost its process. */
void chr_lanes_died(struct chr_conductor *conductor, const struct chr_unit *unit, struct chr_instance *instance);

/* A note of the instance's audio thread. */
void chr_lanes_note(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance,
		    const struct chr_event *note);

/* How the lane stands, for people: "playing", "whole" (in step, not heard), "joining", "broken", "unlike" (in step, not
 * heard, but not bit for bit: see lanes_loops.c). */
const char *chr_lanes_word(const struct chr_conductor *conductor, unsigned lane);

/* Now and then: joins that did not come about, audits. */
void chr_lanes_tick(struct chr_conductor *conductor);

#endif
