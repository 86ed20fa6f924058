/* The 64-byte event: the one unit of everything that crosses a ring between the supervisor and a module process.
 *
 * Fixed widths and no pointers, because reader and writer are different processes and may be different builds. A reader drops
 * (and counts) an event whose version it does not know. Frames are JACK frame times: they wrap at 2^32, so they are compared
 * with chr_frames_diff() alone.
 */
#ifndef CHR_COMMON_EVENT_H
#define CHR_COMMON_EVENT_H

#include <assert.h>
#include <stdint.h>

#define CHR_EVENT_VERSION 1

enum chr_event_kind {
	CHR_EVENT_NONE,

	/* supervisor -> audio thread */
	CHR_EVENT_PARAM,   /* parameter `index` goes to `value` in `ramp_frames`, beginning at `frame` */
	CHR_EVENT_PUBLISH, /* publish the state at the end of each cycle while `count` > 0 cycles remain; 0 stops */
	CHR_EVENT_JOIN, /* take the twin's state over (it was given by CHR_ORDER_TWIN) in the first cycle that begins at `frame` or later */
	CHR_EVENT_CHECKSUM, /* answer with CHR_NOTE_CHECKSUM of the state as it is just before `frame` */
	CHR_EVENT_RESET,    /* state back to fresh at `frame`; parameters stay */
	CHR_EVENT_FADE,     /* all outputs fade to gain `value` (0..1) in `ramp_frames`, beginning at `frame` */

	/* supervisor -> main thread (eventfd wakes it); long arguments stand in the slot's `order` block */
	CHR_ORDER_LOAD = 64, /* load the module file named in the slot and publish its descriptor */
	CHR_ORDER_OPEN,      /* open the JACK client named in the slot and activate it */
	CHR_ORDER_TWIN,      /* a descriptor of the twin's slot was sent over the socket: map it read-only */
	CHR_ORDER_SWAP,      /* crossfade to the module file named in the slot, another build of the module that plays */
	CHR_ORDER_AHEAD,     /* the audio thread has the priority that JACK gave it */
	CHR_ORDER_BEHIND,    /* one below: what it waits for in a join is run before it, however few processors there are */
	CHR_ORDER_EXIT,      /* close the client and end with status 0 */

	/* audio thread -> supervisor (polled) */
	CHR_NOTE_JOINED = 128, /* joined the twin: from `frame` on both are in lockstep */
	CHR_NOTE_CHECKSUM,     /* `sum` is the checksum of the state just before `frame`; `outputs` */
	CHR_NOTE_NONFINITE,    /* a block that began at `frame` had non-finite samples; silenced, state reset */
	CHR_NOTE_SKIPPED, /* `count` frames were skipped before the cycle that began at `frame`; `sum` of them were made up for */

	/* main thread -> supervisor (eventfd wakes it); long results stand in the slot's `report` block */
	CHR_REPORT_HELLO = 192, /* process is up, holds its robust mutex and waits for orders */
	CHR_REPORT_LOADED,      /* the descriptor is published */
	CHR_REPORT_READY,       /* the JACK client is active; its socket was sent over the socket pair */
	CHR_REPORT_FAILED,      /* an order failed: `value` unused, reason in the slot's report text */
	CHR_REPORT_SWAPPED,     /* the new code plays alone */
	CHR_REPORT_SERVER_LOST, /* the JACK server went away; the process ends */
};

/* Flags of CHR_EVENT_PARAM. */
#define CHR_EVENT_GATE 1u /* a gate: never coalesced with another value of the same parameter */

/* Flags of CHR_EVENT_PUBLISH and CHR_EVENT_JOIN. */
#define CHR_EVENT_LOOPS                                                                                                            \
	1u /* what the module reads is published, and joined, with its state: a block of the cycle before may be among it */

/* Flags of CHR_EVENT_JOIN. */
#define CHR_EVENT_CANCEL 2u /* a join that was asked for and did not come about yet is not to */

struct chr_event {
	uint16_t version;     /* CHR_EVENT_VERSION */
	uint16_t kind;        /* enum chr_event_kind */
	uint32_t serial;      /* counts the events of one logical module; the same for both lanes' copies; wraps */
	uint32_t frame;       /* frame at which it takes effect, or that it speaks of */
	uint32_t ramp_frames; /* 0: the engine's default smoothing; CHR_RAMP_STEP: none */
	uint32_t index;       /* parameter */
	uint32_t flags;
	float value;
	uint32_t count;
	uint64_t sum;
	uint64_t sent_us;    /* JACK time (us) at which the writer put it into the ring; 0 unknown */
	uint64_t outputs;    /* CHR_NOTE_CHECKSUM: sum of what the module gave out in the cycle before */
	uint8_t reserved[8]; /* zero */
};

#define CHR_RAMP_STEP UINT32_MAX

static_assert(sizeof(struct chr_event) == 64, "an event is one cache line");

/* Distance b - a (frames) of two JACK frame times, right across the wrap while they are less than 2^31 apart. */
static inline int32_t chr_frames_diff(uint32_t b, uint32_t a)
{
	return (int32_t)(b - a);
}

#endif
