/* The main thread of a module process: waits for orders, carries them out, reports. */
#ifndef CHR_ENGINE_ORDERS_H
#define CHR_ENGINE_ORDERS_H

#include "common/slot.h"

/* Serves the supervisor behind `slot` and the descriptors of enum chr_slot_fd. Returns the exit code when the process shall
 * end; it may not return when the server is lost or when JACK hangs at the end (the process ends then). */
int chr_orders_serve(struct chr_slot *slot);

#endif
