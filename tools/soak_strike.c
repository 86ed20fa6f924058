/* Who strikes: every two seconds a fault of the campaign's, and a watch over what comes of it. */
#include "tools/soak.h"

#include "common/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVERY_US     2000000u
#define LOOK_US      100000u   /* between two looks at what was struck */
#define MILD_US      500000u   /* until one that may pass unseen has passed */
#define WHOLE_US     10000000u /* until everything must play again */
#define HOPELESS_US  60000000u /* until the soak is broken off */
#define SINGLE_SHARE 70        /* % of the faults that strike one process alone */

static bool eligible(const struct chr_soak *soak, const struct chr_kind *kind)
{
	static const char usual[] =
		"kill,segv,abort,bus,fpe,loop,stop,stop-cont,nonfinite,flip,index,start-abi,start-abort,open-abort,"
		"repair,out,twins,pair";
	return chr_campaign_listed(soak->options.faults ? soak->options.faults : usual, kind->name);
}

/* Evenly, of those that strike one process alone or of the others. NULL: there is none. */
static const struct chr_kind *draw_of(struct chr_soak *soak, bool single)
{
	const struct chr_kind *kind[64];
	unsigned count = 0;
	for (unsigned i = 0; i < chr_kind_count && count < sizeof kind / sizeof *kind; i++)
		if (eligible(soak, &chr_kind[i]) && single == !!(chr_kind[i].flags & CHR_KIND_SINGLE))
			kind[count++] = &chr_kind[i];
	return count ? kind[chr_campaign_draw(&soak->campaign, count)] : NULL;
}

static const struct chr_kind *draw_kind(struct chr_soak *soak)
{
	bool single = chr_campaign_draw(&soak->campaign, 100) < SINGLE_SHARE;
	const struct chr_kind *kind = draw_of(soak, single);
	return kind ? kind : draw_of(soak, !single);
}

/* The list's next place; NULL without memory. */
static struct chr_soak_fault *place(struct chr_soak *soak)
{
	if (soak->faults == soak->room) {
		unsigned room = soak->room ? 2 * soak->room : 256;
		struct chr_soak_fault *grown = realloc(soak->fault, room * sizeof *grown);
		if (!grown)
			return NULL;
		soak->fault = grown;
		soak->room = room;
	}
	return &soak->fault[soak->faults];
}

static void strike(struct chr_soak *soak)
{
	struct chr_session *session = &soak->campaign.session;
	const struct chr_kind *kind = draw_kind(soak);
	struct chr_soak_fault *fault = place(soak);
	if (!kind || !fault || chr_session_status(session))
		return;
	soak->shot = (struct chr_shot){.kind = kind};
	session->disturbed = false;
	soak->asked_us = chr_monotonic_us();
	/* what could not do as it was told was no fault */
	if (kind->strike(&soak->campaign, &soak->shot) || !soak->shot.at_us)
		return;
	*fault = (struct chr_soak_fault){
		.kind = kind, .lane = soak->shot.lane, .at_s = (double)(soak->shot.at_us - soak->begin_us) / 1e6, .repair_ms = NAN};
	memcpy(fault->module, soak->shot.module, sizeof fault->module);
	soak->faults++;
	soak->record.faults++;
	soak->open = true;
	soak->whole_by_us = soak->shot.at_us + WHOLE_US;
	soak->asked_us = chr_monotonic_us();
}

/* Everything plays, and the victim's place is another process's. */
static bool healed(struct chr_soak *soak, uint64_t now)
{
	struct chr_session *session = &soak->campaign.session;
	const struct chr_shot *shot = &soak->shot;
	if (chr_session_status(session) || !chr_session_whole(session))
		return false;
	const struct chr_session_instance *victim = chr_session_find(session, shot->module, shot->lane);
	struct chr_soak_fault *fault = &soak->fault[soak->faults - 1];
	if (victim && (uint64_t)victim->seen_us >= shot->at_us && victim->back_us > victim->seen_us)
		fault->repair_ms = (double)((uint64_t)victim->back_us - shot->at_us) / 1000;
	if (shot->kind->flags & CHR_KIND_MILD)
		return now - shot->at_us >= MILD_US;
	return !victim || victim->pid != shot->pid;
}

static void tell(const struct chr_soak *soak, const struct chr_soak_fault *fault)
{
	const struct chr_session *session = &soak->campaign.session;
	fprintf(stderr, "\nchronus-soak: %.1f s: %s of %s/%c, pid %d: not everything plays 10 s later:", fault->at_s,
		fault->kind->name, fault->module, 'a' + (char)fault->lane, (int)soak->shot.pid);
	for (unsigned i = 0; i < session->count; i++) {
		const struct chr_session_instance *instance = &session->instance[i];
		if (strcmp(instance->state, "playing") != 0 || instance->pid == soak->shot.pid)
			fprintf(stderr, " %s/%c %s (pid %d, %s)", instance->module, 'a' + (char)instance->lane, instance->state,
				(int)instance->pid, instance->cause);
	}
	fprintf(stderr, " (edit under way: %s)\n", soak->awaited[0] ? soak->awaited : "none");
}

static void watch(struct chr_soak *soak, uint64_t now)
{
	struct chr_soak_fault *fault = &soak->fault[soak->faults - 1];
	if (now - soak->asked_us < LOOK_US)
		return;
	soak->asked_us = now;
	if (healed(soak, now)) {
		soak->open = false;
		return;
	}
	if (now >= soak->whole_by_us && !fault->unrecovered) {
		fault->unrecovered = true;
		soak->record.unrecovered++;
		tell(soak, fault);
	}
	if (now - soak->shot.at_us > HOPELESS_US) {
		fprintf(stderr, "chronus-soak: nor does it a minute later\n");
		soak->broken = true;
	}
}

void chr_soak_strike(struct chr_soak *soak)
{
	uint64_t now = chr_monotonic_us();
	if (soak->open)
		watch(soak, now);
	if (soak->open || now < soak->fault_next_us)
		return;
	soak->fault_next_us = now + EVERY_US;
	strike(soak);
}
