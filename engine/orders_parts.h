/* What the files of the orders share: orders.c (the loop, client and twin), orders_code.c (loading and swapping code). Main thread. */
#ifndef CHR_ENGINE_ORDERS_PARTS_H
#define CHR_ENGINE_ORDERS_PARTS_H

#include "common/slot.h"
#include "engine/change.h"
#include "engine/client.h"
#include "engine/load.h"
#include "engine/rt.h"

#include <stdbool.h>

/* The process as its main thread sees it. */
struct engine {
	struct chr_slot *slot;
	struct chr_loaded *loaded;   /* the code that plays: one of */
	struct chr_loaded code[2];   /* the other is empty but for a change */
	struct chr_change *change;   /* under way; NULL: none */
	struct chr_slot_order order; /* copy, checked */
	struct chr_board *board[CHR_LANES];
	struct chr_choice *choice;
	struct chr_rt *rt; /* NULL until the client is open */
	struct chr_client client;
	struct chr_slot *twin; /* mapped read-only; NULL: none */
	int twin_fd;           /* came over the socket, not yet mapped; -1: none */
	bool twin_wanted;      /* an order asks for it */
	int copy_fd;           /* a module file's copy that came over the socket, not yet loaded; -1: none */
	bool running;
};

/* orders.c */
void chr_engine_phase(struct engine *engine, unsigned phase);
void chr_engine_report(struct engine *engine, unsigned kind);
/* An order failed. A module that plays goes on playing, so its phase stays. */
void chr_engine_fail(struct engine *engine, const char *why);
/* A private copy of the order block: what is checked here stays as it was checked. */
void chr_engine_copy_order(struct engine *engine);
void chr_engine_touch(const struct chr_slot *slot, size_t state_bytes, bool writing);
/* The part of slot->inputs that cycles of `period` frames use; longer ones, should the period grow, meet page faults. */
void chr_engine_touch_inputs(const struct chr_slot *slot, const struct chr_descriptor *desc, uint32_t period, bool writing);
/* Takes what has come over the socket. False when the supervisor's end of it is gone. */
bool chr_engine_receive(struct engine *engine);

/* orders_code.c: the orders to load and to swap; and a look whether the swap under way is over. */
void chr_engine_load(struct engine *engine);
void chr_engine_swap(struct engine *engine);
void chr_engine_swapped(struct engine *engine);

#endif
