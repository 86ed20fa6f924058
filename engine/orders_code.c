/* The module's code in its process: loaded once, and swapped for another build of it while it plays. */
#include "common/hurry.h"
#include "common/log.h"
#include "engine/orders_parts.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* A repair is urgent: on a busy machine it must not wait for everybody's ordinary work. */
static void hurry(void)
{
	const struct sched_param priority = {.sched_priority = CHR_HURRY_PRIORITY};
	if (sched_setscheduler(0, SCHED_FIFO, &priority))
		chr_debug("starting without realtime priority");
}

/* The code that the order speaks of. */
static int load_ordered(struct engine *engine, struct chr_loaded *loaded, char *why, size_t why_bytes)
{
	chr_engine_receive(engine);
	int copy = engine->copy_fd;
	engine->copy_fd = -1;
	if (engine->order.copied && copy < 0) {
		snprintf(why, why_bytes, "the copy of %.200s did not come", engine->order.file);
		return -EPROTO;
	}
	return chr_load(loaded, engine->order.file, copy, why, why_bytes);
}

void chr_engine_load(struct engine *engine)
{
	char why[CHR_TEXT_MAX];
	hurry();
	chr_engine_copy_order(engine);
	if (engine->loaded->module) {
		chr_engine_fail(engine, "this process has a module already");
		return;
	}
	if (load_ordered(engine, engine->loaded, why, sizeof why)) {
		chr_engine_fail(engine, why);
		return;
	}
	engine->slot->descriptor = engine->loaded->desc;
	chr_engine_touch(engine->slot, engine->loaded->desc.state_bytes, true);
	chr_engine_phase(engine, CHR_PHASE_LOADED);
	chr_engine_report(engine, CHR_REPORT_LOADED);
}

static const char *check_swap(const struct engine *engine, const struct chr_descriptor *next)
{
	const struct chr_descriptor *now = &engine->loaded->desc;
	if (strcmp(next->name, now->name))
		return "the file holds another module";
	if (next->flags != now->flags || !chr_descriptor_same_ports(next, now) || !chr_descriptor_params_begin(next, now))
		return "its ports or parameters are others: it has to be restarted";
	return NULL;
}

/* Begins the change to the code loaded. NULL, or why not. */
static const char *begin(struct engine *engine, const struct chr_loaded *next)
{
	const char *wrong = check_swap(engine, &next->desc);
	if (wrong)
		return wrong;
	engine->change = chr_change_create(engine->rt, next->module, &next->desc, engine->order.value);
	if (!engine->change)
		return "out of memory";
	chr_engine_touch(engine->slot, next->desc.state_bytes, true);
	chr_change_give(engine->rt, engine->change);
	return NULL;
}

void chr_engine_swap(struct engine *engine)
{
	struct chr_loaded *next = &engine->code[engine->loaded == &engine->code[0]];
	char why[CHR_TEXT_MAX];
	chr_engine_copy_order(engine);
	if (!engine->running || engine->change) {
		chr_engine_fail(engine, engine->running ? "a swap is under way" : "there is nothing to swap");
		return;
	}
	if (load_ordered(engine, next, why, sizeof why)) {
		chr_engine_fail(engine, why);
		return;
	}
	const char *wrong = begin(engine, next);
	if (wrong) {
		chr_unload(next);
		chr_engine_fail(engine, wrong);
	}
}

void chr_engine_swapped(struct engine *engine)
{
	struct chr_change *change = engine->change;
	/* acquire: with the audio thread's release, which has left what is in it */
	if (!change || !atomic_load_explicit(&change->over, memory_order_acquire))
		return;
	bool broken = change->broken;
	struct chr_loaded *old = engine->loaded, *next = &engine->code[old == &engine->code[0]];
	engine->change = NULL;
	chr_change_destroy(change);
	if (broken) {
		chr_unload(next);
		chr_engine_fail(engine, "the new code gives out samples that are not numbers");
		return;
	}
	engine->loaded = next;
	engine->client.desc = &next->desc;
	engine->slot->descriptor = next->desc;
	chr_unload(old);
	chr_engine_report(engine, CHR_REPORT_SWAPPED);
}
