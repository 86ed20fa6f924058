/* The slot: the one segment of shared memory between the supervisor and one module process.
 *
 * The supervisor creates it without a name and hands the descriptor over at spawn, so that nothing remains when either side is
 * killed; its size is sealed, so that a module cannot shrink it under the supervisor. What the module can write counts as
 * hostile: the supervisor copies before it validates, takes sizes from its own constants and masks every index. The module's
 * twin maps the slot read-only to take over the state.
 *
 *  who writes     block
 *  supervisor     header, order, picker, rings to_audio and to_main
 *  main thread    alive, report, descriptor, ring from_main
 *  audio thread   status, snapshot, inputs, ring from_audio
 */
#ifndef CHR_COMMON_SLOT_H
#define CHR_COMMON_SLOT_H

#include "common/board.h"
#include "common/descriptor.h"
#include "common/ring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define CHR_SLOT_MAGIC   0x43485253u /* "CHRS" */
#define CHR_SLOT_VERSION 4u

#define CHR_PATH_BYTES 1024               /* of a path in a slot, with the final NUL */
#define CHR_CLIENT_MAX 64                 /* of a JACK client name, with the final NUL */
#define CHR_TEXT_MAX   256                /* of a reason, with the final NUL */
#define CHR_NO_ROOM    "no room for more" /* is in the reason where the JACK server is full */
#define CHR_PENDING_MAX                                                                                                            \
	2048 /* events waiting in the engine for their frame: two rings full, so that no request waits in the ring behind a flood */
#define CHR_LANES 2

/* Arguments of the orders. Written by the supervisor before the order goes into the ring. */
struct chr_slot_order {
	char file[CHR_PATH_BYTES];   /* CHR_ORDER_LOAD: the module's .so */
	char client[CHR_CLIENT_MAX]; /* CHR_ORDER_OPEN from here on: JACK client name, exact */
	char module[CHR_NAME_MAX];   /* the module's name in the patch, for log lines */
	char server[CHR_CLIENT_MAX]; /* JACK server name; "" = JACK's default */
	uint32_t lane;               /* 0 = a, 1 = b */
	uint32_t lanes;              /* of the patch: 1 or 2 */
	uint32_t member;             /* index on the lane's board */
	uint32_t channels;           /* of `out`; 0 elsewhere */
	uint32_t silent;             /* not 0: begins with a gain of 0, until an event fades it in */
	float value[CHR_PARAMS_MAX]; /* parameters to start with */
	uint32_t copied;             /* CHR_ORDER_LOAD, CHR_ORDER_SWAP: not 0: a copy of the file was sent, it is loaded instead */
};

/* What the picker of an `out` obeys; written by the supervisor while it plays. */
struct chr_slot_picker {
	_Atomic uint32_t broken[CHR_LANES];        /* not 0: do not take this lane */
	struct chr_member_set required[CHR_LANES]; /* members that must be fresh for a lane to be taken */
};

/* How a process stands. */
enum chr_slot_phase {
	CHR_PHASE_NEW,    /* not yet said hello */
	CHR_PHASE_SPARE,  /* waits for orders */
	CHR_PHASE_LOADED, /* has its module */
	CHR_PHASE_OPENING,
	CHR_PHASE_RUNNING,
	CHR_PHASE_FAILED,      /* an order failed; `text` says why */
	CHR_PHASE_CRASHED,     /* a fatal signal; `signal` and `address` say which */
	CHR_PHASE_SERVER_LOST, /* JACK went away */
};

/* Written by the main thread and, on a fatal signal, by the handler. */
struct chr_slot_report {
	_Atomic uint32_t phase; /* enum chr_slot_phase */
	_Atomic uint32_t signal;
	_Atomic uint64_t address;
	_Atomic uint64_t time_us; /* chr_monotonic_us() in the handler */
	uint32_t sample_rate;
	uint32_t period;
	char text[CHR_TEXT_MAX];
};

/* Written by the audio thread, relaxed; read by the supervisor for people to see. Counters wrap. */
struct chr_slot_status {
	_Alignas(64) _Atomic uint32_t cycles;
	_Atomic uint32_t applied;   /* events applied */
	_Atomic uint32_t late;      /* of these, after their frame */
	_Atomic uint32_t rejected;  /* events of unknown version, kind or index */
	_Atomic uint32_t nonfinite; /* blocks silenced */
	_Atomic uint32_t skipped;   /* times that cycles were missed: by this instance alone, or by all */
	_Atomic uint32_t joins;
	_Atomic uint32_t joining;  /* not 0 while it waits for its twin's state */
	_Atomic uint32_t busy_us;  /* time in the callback, sum; wraps */
	_Atomic uint32_t worst_us; /* the longest callback */
	_Atomic uint32_t meter[CHR_METERS_MAX];
	_Atomic uint32_t played; /* `out`: cycles in which its lane was heard */
	_Atomic uint32_t silent; /* `out`: cycles in which no lane was */
	_Atomic uint32_t mxcsr;  /* as the callback runs: FTZ and DAZ show here; 0 where there is none */
};

struct chr_pending {
	uint32_t frame, ramp_frames;
	uint16_t index, kind;
	float value;
};

/* The state of an instance as it is before the cycle that begins at frame `stamp`: everything its future depends on. Two of
 * them take turns; a reader takes the one with the stamp of its own cycle and looks at the stamp again after copying. */
struct chr_snapshot {
	_Alignas(64) _Atomic uint64_t stamp; /* 1 << 32 | frame when whole; 0 while it is written */
	uint32_t state_bytes;                /* of the module's state */
	uint32_t engine_bytes;               /* of the engine's */
	uint32_t serial;                     /* of the last event taken from the ring */
	uint32_t pending_count;
	struct chr_pending pending[CHR_PENDING_MAX];
	_Alignas(64) unsigned char engine[4096]; /* smoothers, fades: the engine's own layout, same build on both sides */
	_Alignas(64) unsigned char state[CHR_STATE_MAX];
};

/* What an instance reads in the cycle that begins at frame `stamp`, written as that cycle begins. Two take turns as snapshots do. */
struct chr_inputs {
	_Alignas(64) _Atomic uint64_t stamp;                      /* as a snapshot's */
	uint64_t ports;                                           /* bit i: there is a block for port i */
	uint32_t frames;                                          /* of a block; CHR_BLOCK_MAX at most */
	_Alignas(64) float sample[CHR_PORTS_MAX * CHR_BLOCK_MAX]; /* blocks, one after the other by port, without gaps */
};

struct chr_slot {
	uint32_t magic, version;
	uint64_t bytes;                     /* sizeof(struct chr_slot) of the creator */
	_Alignas(64) pthread_mutex_t alive; /* robust, shared: held by the module's main thread as long as it lives */
	struct chr_slot_order order;
	struct chr_slot_picker picker;
	struct chr_slot_report report;
	struct chr_slot_status status;
	struct chr_ring to_audio; /* beside the status: every cycle of the audio thread looks at both */
	struct chr_ring to_main, from_audio, from_main;
	struct chr_descriptor descriptor;
	struct chr_snapshot snapshot[2];
	struct chr_inputs inputs[2];
};

/* Descriptors that a module process finds open when it starts. */
enum chr_slot_fd {
	CHR_FD_SLOT = 3,
	CHR_FD_TO_MAIN = 4,   /* eventfd: the supervisor wrote to_main */
	CHR_FD_FROM_MAIN = 5, /* eventfd: the main thread wrote from_main */
	CHR_FD_SOCKET = 6,    /* AF_UNIX socket pair: only descriptors pass over it */
	CHR_FD_BOARD_A = 7,
	CHR_FD_BOARD_B = 8,
	CHR_FD_CHOICE = 9,
	CHR_FD_FIRST_FREE = 10,
};

/* Supervisor: creates a nameless slot of mode 0600 with everything initialised. Returns it mapped, its descriptor (close-on-exec)
 * in *fd, or NULL with errno. */
struct chr_slot *chr_slot_create(int *fd);

/* Maps a slot from its descriptor after checking magic, version and size; `writable` or read-only (a twin's). NULL with errno (EPROTO: another version). */
struct chr_slot *chr_slot_map(int fd, int writable);
void chr_slot_unmap(struct chr_slot *slot);

/* Module, main thread, once: takes the robust mutex. 0 or -errno. */
int chr_slot_live(struct chr_slot *slot);

/* Fatal-signal handler of the module: marks the slot crashed and wakes whoever waits in chr_slot_wait_death(). Async-signal-safe. */
void chr_slot_crashed(struct chr_slot *slot, int sig, uint64_t address);

/* Supervisor, a guard thread: blocks until the holder of the mutex dies (the kernel tells at the very start of process exit) or
 * chr_slot_crashed() was called. Reads one 32-bit word of the slot and trusts it with nothing: pthread's own lock is not used here, because a
 * module may have scribbled over it. Returns 0 on death, -EINTR when `stop` became non-zero and chr_slot_wake_guard() was called. */
int chr_slot_wait_death(struct chr_slot *slot, const _Atomic int *stop);
void chr_slot_wake_guard(struct chr_slot *slot);

#endif
