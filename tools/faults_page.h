/* The page: shared memory between the fault campaign and the saboteurs, which are the product's modules with a trapdoor.
 *
 * The campaign creates a file of this layout and names it in the environment (CHR_FAULTS_ENV); each module process maps it when it loads
 * its module. An order names a pid, so that one lane's process alone misbehaves; an order to a process that starts goes to whoever
 * loads a module next. A capture asks every module for its state as it is at the start of one and the same cycle.
 */
#ifndef CHR_TOOLS_FAULTS_PAGE_H
#define CHR_TOOLS_FAULTS_PAGE_H

#include "common/module.h"
#include "common/slot.h"

#include <stdatomic.h>
#include <stdint.h>

#define CHR_FAULTS_ENV         "CHRONUS_FAULTS_PAGE"
#define CHR_FAULTS_MAGIC       0x43485246u /* "CHRF" */
#define CHR_FAULTS_ORDERS      8
#define CHR_FAULTS_MEMBERS     32   /* modules of a lane whose states can be captured */
#define CHR_FAULTS_STATE_BYTES 4096 /* of one module's state, at most */

/* What a process does in its next callback, or while it starts. */
enum chr_deed {
	CHR_DEED_NONE,

	/* in the callback */
	CHR_DEED_SEGV,
	CHR_DEED_ABORT,
	CHR_DEED_BUS,
	CHR_DEED_FPE,
	CHR_DEED_LOOP,
	CHR_DEED_NONFINITE, /* outputs of infinities and NaNs, for one call */
	CHR_DEED_DENORMAL,  /* outputs of denormal numbers, for one call */
	CHR_DEED_FLIP,      /* flips random bits in its slot and on its lane's board */
	CHR_DEED_INDEX,     /* writes indices out of range into its rings */

	/* while it loads its module, or makes the first state of it */
	CHR_DEED_ABI,
	CHR_DEED_ABORT_LOADING,
	CHR_DEED_HANG_LOADING,
	CHR_DEED_ABORT_OPENING,
	CHR_DEED_HANG_OPENING,
};

struct chr_faults_order {
	_Atomic int32_t pid;      /* whose; written before the deed */
	_Atomic uint32_t deed;    /* enum chr_deed; taken (set to 0) by the process */
	_Atomic uint32_t seed;    /* of random deeds */
	_Atomic uint64_t done_us; /* CLOCK_MONOTONIC just before the deed; 0: not yet */
};

struct chr_faults_capture {
	_Atomic uint32_t serial; /* of the request that it answers; stored last */
	uint32_t frame;          /* JACK's frame time at the start of the cycle */
	char module[CHR_NAME_MAX];
	char type[CHR_NAME_MAX];
	float sample_rate;
	float param[CHR_PARAMS_MAX];
	uint32_t state_bytes;
	_Alignas(64) unsigned char state[CHR_FAULTS_STATE_BYTES];
};

struct chr_faults_page {
	uint32_t magic;
	char folder[CHR_PATH_BYTES]; /* of the product's modules */
	struct chr_faults_order order[CHR_FAULTS_ORDERS];
	_Atomic uint32_t start_deed;
	_Atomic int32_t start_left; /* how many processes that start are still to do it */
	_Atomic uint32_t started;   /* how many have done it */

	_Atomic uint32_t capture_serial; /* 0: none yet; stored last */
	_Atomic uint32_t capture_frame;  /* states as they are at the first cycle that begins at this frame or later */
	struct chr_faults_capture capture[CHR_LANES][CHR_FAULTS_MEMBERS]; /* by lane and member */
};

#endif
