/* One fault seen through, and many of them in random order. */
#include "tools/faults.h"

#include "common/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEATH_MS     3000  /* until the supervisor must have seen a fault that it has to see */
#define MILD_MS      1500  /* until one that may pass unseen has passed: longer than the time between two audits */
#define WHOLE_MS     10000 /* until everything must play again */
#define BACK_MS      500   /* what sounds otherwise for so long never comes back */
#define RATE         48000u
#define GAP_FADES_MS 4u /* one lane alone falls and rises at a gap's ends */

uint32_t chr_campaign_draw(struct chr_campaign *campaign, uint32_t below)
{
	uint32_t x = campaign->random;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	campaign->random = x;
	return (uint32_t)((uint64_t)x * below >> 32);
}

bool chr_campaign_listed(const char *list, const char *name)
{
	size_t length = strlen(name);
	if (!list)
		return true;
	for (const char *at = list; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
		if (strcspn(at, ",") == length && strncmp(at, name, length) == 0)
			return true;
	return false;
}

int chr_campaign_check(const char *program, const char *list)
{
	for (const char *at = list; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
		char name[32];
		bool known = false;
		snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
		for (unsigned i = 0; i < chr_kind_count; i++)
			known |= strcmp(chr_kind[i].name, name) == 0;
		if (!known) {
			fprintf(stderr, "%s: there is no fault \"%s\": chronus-faults --list names them\n", program, name);
			return -EINVAL;
		}
	}
	return 0;
}

static void on_lost(void *arg, const struct chr_loss *loss)
{
	struct chr_campaign *campaign = arg;
	struct chr_shot *shot = campaign->now;
	uint64_t margin = 2ull * campaign->options.period;
	bool stalled = chr_session_stalled(&campaign->session, loss->frame, loss->frame + loss->frames, margin);
	if (!shot) {
		campaign->stray += loss->frames;
		campaign->stray_stalled += stalled ? loss->frames : 0;
		return;
	}
	if (!shot->lost)
		shot->lost_at = loss->frame;
	shot->lost += loss->frames;
	shot->by[loss->kind] += loss->frames;
	shot->stalled |= stalled;
}

static void on_heard(void *arg, uint64_t frame, uint32_t frames, const float *const data[])
{
	struct chr_campaign *campaign = arg;
	if (campaign->picture)
		chr_picture_heard(campaign->picture, frame, frames, data);
}

int chr_campaign_begin(struct chr_campaign *campaign, const char *patch, const char *restart)
{
	struct chr_session *session = &campaign->session;
	session->lanes = campaign->options.lanes;
	session->period = campaign->options.period;
	session->looks = campaign->options.processors;
	session->verbose = campaign->options.verbose;
	if (chr_session_start(session, patch, restart, campaign->options.log))
		return -1;
	session->judge.lost = on_lost;
	session->judge.arg = campaign;
	session->heard = on_heard;
	session->heard_arg = campaign;
	int rc = chr_session_capture(session);
	if (session->lanes == 1)
		chr_session_forget(session);
	return rc;
}

void chr_campaign_end(struct chr_campaign *campaign)
{
	campaign->now = NULL;
	if (campaign->session.child.pid && !chr_session_stop(&campaign->session))
		fprintf(stderr, "chronus-faults: chronus did not end by itself\n");
}

static struct chr_shot *add(struct chr_campaign *campaign, const struct chr_kind *kind)
{
	if (campaign->shots == campaign->room) {
		unsigned room = campaign->room ? 2 * campaign->room : 256;
		struct chr_shot *grown = realloc(campaign->shot, room * sizeof *grown);
		if (!grown)
			return NULL;
		campaign->shot = grown;
		campaign->room = room;
	}
	struct chr_shot *shot = &campaign->shot[campaign->shots++];
	*shot = (struct chr_shot){.kind = kind, .seen_us = -1, .repair_ms = -1};
	return shot;
}

/* Waits until the supervisor has noticed what it has to notice, and until everything plays. */
static void see_through(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_session *session = &campaign->session;
	bool mild = shot->kind->flags & CHR_KIND_MILD;
	uint64_t end = chr_monotonic_us() + (mild ? MILD_MS : DEATH_MS) * 1000u;
	while (!session->disturbed && chr_monotonic_us() < end)
		chr_session_pump(session, 2);
	if (!session->disturbed && !mild) {
		shot->failed = true;
		snprintf(shot->note, sizeof shot->note, "not noticed");
	}
	shot->unrecovered = chr_session_wait_whole(session, WHOLE_MS) != 0;
}

static void take_times(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_session *session = &campaign->session;
	if (session->disturbed && !shot->unrecovered && session->whole_us > shot->at_us)
		shot->repair_ms = (double)(session->whole_us - shot->at_us) / 1000.0;
	if (!(shot->kind->flags & CHR_KIND_DEATH) || chr_session_status(session))
		return;
	const struct chr_session_instance *instance = chr_session_find(session, shot->module, shot->lane);
	if (instance && (uint64_t)instance->seen_us >= shot->at_us)
		shot->seen_us = (double)((uint64_t)instance->seen_us - shot->at_us);
}

/* Listens until everything that was played up to now has been heard, and a little longer, so that faults fall anywhere in a cycle; and for
 * BACK_MS while the sound is another one: a filter that missed input needs some hundreds of frames to be its old self to the last bit. */
static void settle(struct chr_campaign *campaign)
{
	struct chr_session *session = &campaign->session;
	uint64_t until = chr_session_frame(session) + 4ull * campaign->options.period;
	uint64_t end = chr_monotonic_us() + 2000000;
	while (session->judge.now < until && chr_monotonic_us() < end)
		chr_session_pump(session, 2);
	chr_session_pass(session, 10 + (int)chr_campaign_draw(campaign, 30));
	end = chr_monotonic_us() + BACK_MS * 1000u;
	while (session->judge.adrift && chr_monotonic_us() < end)
		chr_session_pump(session, 2);
}

/* What was heard since is no part of the sequence any more: only a new reference can tell right from wrong again. */
static int find_again(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_session *session = &campaign->session;
	if (campaign->options.lanes == 1)
		return 0;
	if (session->judge.adrift) {
		shot->failed = true;
		snprintf(shot->note, sizeof shot->note, "the sound never came back as it was: off by %.3g", session->judge.off);
	} else if (!(shot->kind->flags & CHR_KIND_FRESH)) {
		return 0;
	}
	return chr_session_capture(session);
}

static int shoot_alone(struct chr_campaign *campaign, struct chr_shot *shot)
{
	if (shot->kind->strike(campaign, shot))
		shot->failed = true;
	campaign->now = NULL;
	return 0;
}

static int shoot(struct chr_campaign *campaign, struct chr_shot *shot)
{
	struct chr_session *session = &campaign->session;
	if (chr_session_status(session) || chr_session_wait_whole(session, WHOLE_MS))
		return -1;
	if (shot->kind->flags & CHR_KIND_FRESH && campaign->options.lanes == 2)
		chr_session_forget(session);
	chr_session_pump(session, 0);
	session->disturbed = false;
	campaign->now = shot;
	unsigned stalls = chr_stall_count(session->processors);
	shot->frame = chr_session_frame(session);
	if (shot->kind->strike(campaign, shot))
		shot->failed = true;
	else
		see_through(campaign, shot);
	settle(campaign);
	take_times(campaign, shot);
	int rc = find_again(campaign, shot);
	shot->stood = chr_stall_count(session->processors) > stalls;
	campaign->now = NULL;
	if (shot->lost && campaign->options.lanes == 1)
		shot->lost += GAP_FADES_MS * RATE / 1000;
	if (campaign->picture)
		chr_picture_shot(campaign->picture, shot);
	return rc;
}

/* What was heard of it, for a search in the log: when the loss begins says which step of the repair it belongs to. */
static void tell(const struct chr_shot *shot)
{
	double delay_ms = shot->lost ? ((double)shot->lost_at - (double)shot->frame) * 1000.0 / RATE : 0;
	fprintf(stderr,
		"%s %s/%c, pid %d: %u frames lost (%u skipped, %u silent, %u wrong, %u out of step), the first %.1f ms later%s%s%s "
		"%s\n",
		shot->kind->name, shot->module, 'a' + (char)shot->lane, (int)shot->pid, shot->lost, shot->by[CHR_LOSS_SKIPPED],
		shot->by[CHR_LOSS_SILENT], shot->by[CHR_LOSS_WRONG], shot->by[CHR_LOSS_STEP], delay_ms,
		shot->stalled ? ", machine stalled"
		: shot->stood ? ", a processor stood still"
			      : "",
		shot->unrecovered ? ", unrecovered" : "", shot->failed ? ", failed" : "", shot->note);
}

int chr_campaign_shoot(struct chr_campaign *campaign, const struct chr_kind *kind)
{
	struct chr_shot *shot = add(campaign, kind);
	if (!shot)
		return -1;
	int rc = kind->flags & CHR_KIND_SOLE ? shoot_alone(campaign, shot) : shoot(campaign, shot);
	if (campaign->options.verbose && (shot->lost || shot->failed || shot->unrecovered))
		tell(shot);
	return rc;
}

static bool possible(const struct chr_campaign *campaign, const struct chr_kind *kind)
{
	const struct chr_campaign_options *options = &campaign->options;
	return chr_campaign_listed(options->faults, kind->name) && !(kind->flags & CHR_KIND_JACKD && options->pipewire) &&
	       !(kind->flags & CHR_KIND_TWO && options->lanes == 1);
}

static void progress(const struct chr_campaign *campaign, unsigned done, unsigned of, const char *name)
{
	unsigned heard = 0;
	if (!isatty(STDERR_FILENO))
		return;
	for (unsigned i = 0; i < campaign->shots; i++)
		heard += campaign->shot[i].lost > 0;
	fprintf(stderr, "\r%u of %u faults, %u heard, now %-12s\033[K", done, of, heard, name);
	if (done == of)
		fputc('\n', stderr);
}

/* The faults that may strike often, evenly, in random order. */
static const struct chr_kind **deal(struct chr_campaign *campaign, unsigned *count)
{
	const struct chr_kind **deck = calloc(campaign->options.count + 1, sizeof *deck);
	unsigned dealt = 0;
	for (bool any = true; deck && any && dealt < campaign->options.count;) {
		any = false;
		for (unsigned i = 0; i < chr_kind_count && dealt < campaign->options.count; i++)
			if (possible(campaign, &chr_kind[i]) && !(chr_kind[i].flags & CHR_KIND_ONCE)) {
				deck[dealt++] = &chr_kind[i];
				any = true;
			}
	}
	for (unsigned i = dealt; deck && i > 1; i--) {
		unsigned k = chr_campaign_draw(campaign, i);
		const struct chr_kind *swapped = deck[i - 1];
		deck[i - 1] = deck[k];
		deck[k] = swapped;
	}
	*count = dealt;
	return deck;
}

static int run_deck(struct chr_campaign *campaign)
{
	unsigned count;
	int rc = 0;
	const struct chr_kind **deck = deal(campaign, &count);
	if (!deck)
		return -1;
	for (unsigned i = 0; i < count && !rc; i++) {
		progress(campaign, i, count, deck[i]->name);
		rc = chr_campaign_shoot(campaign, deck[i]);
	}
	progress(campaign, count, count, "");
	free(deck);
	return rc;
}

static int run_once(struct chr_campaign *campaign, unsigned flags)
{
	int rc = 0;
	for (unsigned i = 0; i < chr_kind_count && !rc; i++) {
		if (!possible(campaign, &chr_kind[i]) || (chr_kind[i].flags & (CHR_KIND_ONCE | CHR_KIND_SOLE)) != flags)
			continue;
		progress(campaign, 0, 1, chr_kind[i].name);
		rc = chr_campaign_shoot(campaign, &chr_kind[i]);
		progress(campaign, 1, 1, "");
	}
	return rc;
}

int chr_campaign_run(struct chr_campaign *campaign)
{
	int rc = chr_campaign_begin(campaign, campaign->options.patch, NULL);
	if (!rc)
		rc = run_deck(campaign);
	if (!rc)
		rc = run_once(campaign, CHR_KIND_ONCE);
	chr_campaign_end(campaign);
	return rc ? rc : run_once(campaign, CHR_KIND_ONCE | CHR_KIND_SOLE);
}
