#include "supervisor/swap_parts.h"

#include <stdio.h>
#include <string.h>

static bool on_trial(const struct chr_swap *swap, const struct chr_instance *instance)
{
	switch (swap->state) {
	case CHR_SWAP_FIRST:
	case CHR_SWAP_TRIAL:
	case CHR_SWAP_TURNING:
		return instance->code == swap->code && !instance->by_hand;
	case CHR_SWAP_FADING:
		return instance == &swap->unit->instance[0] && !instance->by_hand;
	default:
		return false;
	}
}

bool chr_swap_report(struct chr_conductor *conductor, struct chr_process *process, unsigned kind)
{
	struct chr_swap *swap = &conductor->swap;
	if (swap->asked && process == swap->asked) {
		if (kind == CHR_REPORT_LOADED || kind == CHR_REPORT_FAILED)
			chr_swap_take_answer(conductor, kind);
		return true;
	}
	if (swap->state != CHR_SWAP_FADING || process != swap->unit->instance[0].process)
		return false;
	if (kind == CHR_REPORT_SWAPPED) {
		swap->unit->instance[0].code = chr_code_hold(swap->code);
		chr_swap_set_state(conductor, CHR_SWAP_TRIAL);
	} else if (kind == CHR_REPORT_FAILED) {
		char why[CHR_TEXT_MAX];
		snprintf(why, sizeof why, "%.*s", (int)sizeof process->slot->report.text - 1, process->slot->report.text);
		chr_swap_end(conductor, why);
	}
	return true;
}

bool chr_swap_died(struct chr_conductor *conductor, const struct chr_process *process, struct chr_instance *instance)
{
	struct chr_swap *swap = &conductor->swap;
	if (swap->asked && process == swap->asked) {
		swap->asked = NULL;
		chr_swap_end(conductor, "the process that loaded it died: is the file whole?");
		return true;
	}
	if (!instance || !on_trial(swap, instance))
		return false;
	swap->fell = instance;
	chr_swap_take_back(conductor, NULL);
	return true;
}

bool chr_swap_nonfinite(struct chr_conductor *conductor, const struct chr_instance *instance)
{
	if (!on_trial(&conductor->swap, instance) || conductor->swap.state == CHR_SWAP_FADING)
		return false;
	chr_swap_take_back(conductor, "it gave out samples that are not numbers");
	return true;
}

static void forget_trial(struct chr_conductor *conductor)
{
	struct chr_unit *unit = conductor->swap.unit;
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		chr_code_release(unit->instance[lane].code);
		unit->instance[lane].code = NULL;
	}
	unit->apart = false;
	conductor->lanes.differ = false;
	conductor->swap.faded = false;
}

void chr_swap_server_lost(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	if (swap->state == CHR_SWAP_NONE)
		return;
	bool kept = swap->state == CHR_SWAP_LEAVING || swap->state == CHR_SWAP_SECOND;
	forget_trial(conductor);
	chr_swap_end(conductor, kept ? NULL : "the JACK server went; the old code is kept");
}

void chr_swap_forget(struct chr_conductor *conductor, struct chr_unit *unit)
{
	struct chr_swap *swap = &conductor->swap;
	unsigned kept = 0;
	for (unsigned i = 0; i < swap->queued; i++)
		if (strcmp(swap->queue[i].name, unit->name))
			swap->queue[kept++] = swap->queue[i];
	swap->queued = kept;
	if (swap->unit == unit) {
		forget_trial(conductor);
		chr_swap_end(conductor, "the module is removed");
	}
	chr_code_release(unit->code);
	unit->code = NULL;
}

void chr_swap_rename(struct chr_conductor *conductor, const char *from, const char *to)
{
	struct chr_swap *swap = &conductor->swap;
	for (unsigned i = 0; i < swap->queued; i++)
		if (!strcmp(swap->queue[i].name, from))
			snprintf(swap->queue[i].name, sizeof swap->queue[i].name, "%s", to);
}

void chr_swap_finish(struct chr_conductor *conductor)
{
	struct chr_swap *swap = &conductor->swap;
	for (unsigned i = 0; i < conductor->rack.unit_count; i++) {
		struct chr_unit *unit = conductor->rack.unit[i];
		for (unsigned lane = 0; lane < CHR_LANES; lane++)
			chr_code_release(unit->instance[lane].code);
		chr_code_release(unit->code);
	}
	chr_code_release(swap->code);
	*swap = (struct chr_swap){0};
}
