/* What a session asks of the saboteurs through the page: captures and deeds. */
#include "tools/faults_session.h"

#include "common/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CAPTURE_AHEAD 12 /* periods */
#define ORDER_US      200000u

static bool captured(const struct chr_session *session, uint32_t serial)
{
	unsigned done = 0;
	for (unsigned lane = 0; lane < session->lanes; lane++)
		for (unsigned i = 0; i < CHR_FAULTS_MEMBERS; i++)
			done += atomic_load_explicit(&session->page->capture[lane][i].serial, memory_order_acquire) == serial;
	return done == session->count;
}

/* All in one cycle, and equal in both lanes? */
static int check_capture(const struct chr_session *session, uint32_t serial)
{
	const struct chr_faults_capture *first = NULL;
	for (unsigned i = 0; i < CHR_FAULTS_MEMBERS; i++) {
		const struct chr_faults_capture *a = &session->page->capture[0][i], *b = &session->page->capture[1][i];
		if (atomic_load_explicit(&a->serial, memory_order_acquire) != serial)
			continue;
		if (first && a->frame != first->frame)
			return -EAGAIN;
		first = first ? first : a;
		if (session->lanes == 1)
			continue;
		if (b->frame != a->frame)
			return -EAGAIN;
		/* out's clips and clock are its own */
		if (strcmp(a->module, "out") != 0 &&
		    (a->state_bytes != b->state_bytes || memcmp(a->state, b->state, a->state_bytes) != 0)) {
			fprintf(stderr, "chronus-faults: the lanes' states of %s differ at frame %u\n", a->module, a->frame);
			return -EILSEQ;
		}
	}
	return first ? 0 : -EAGAIN;
}

static int try_capture(struct chr_session *session)
{
	struct chr_faults_page *page = session->page;
	uint32_t serial = atomic_load_explicit(&page->capture_serial, memory_order_relaxed) + 1;
	uint32_t frame = jack_frame_time(chr_tape_client(session->tape)) + CAPTURE_AHEAD * session->period;
	chr_session_pump(session, 0);
	atomic_store_explicit(&page->capture_frame, frame, memory_order_relaxed);
	/* release: the frame stands before the request does */
	atomic_store_explicit(&page->capture_serial, serial, memory_order_release);
	for (uint64_t end = chr_monotonic_us() + 500000; !captured(session, serial); poll(NULL, 0, 1))
		if (chr_monotonic_us() > end)
			return -ETIMEDOUT;
	return check_capture(session, serial);
}

int chr_session_capture(struct chr_session *session)
{
	char why[256] = "the modules do not tell their states";
	int rc = -1;
	for (int attempt = 0; attempt < 10 && rc; attempt++) {
		if (chr_session_wait_whole(session, 5000) == 0)
			rc = try_capture(session);
		if (rc == -EILSEQ)
			chr_session_pass(session, 2000); /* the audit is to heal this */
	}
	struct chr_reference *reference = rc ? NULL
					     : chr_reference_create(session->page, session->page->folder,
								    chr_tape_client(session->tape), why, sizeof why);
	if (!reference) {
		fprintf(stderr, "chronus-faults: no reference: %s\n", why);
		return -1;
	}
	struct chr_reference *old = session->reference;
	session->reference = reference;
	for (unsigned i = 0; i < CHR_FAULTS_MEMBERS; i++)
		if (strcmp(session->page->capture[0][i].module, "out") == 0)
			chr_judge_sync(&session->judge, chr_reference_expect, reference, session->page->capture[0][i].frame);
	/* the judge leaves the old one at that frame */
	while (session->judge.pending)
		chr_session_pump(session, 2);
	chr_reference_destroy(old);
	return 0;
}

void chr_session_forget(struct chr_session *session)
{
	chr_judge_sync(&session->judge, NULL, NULL, session->judge.next - 1);
}

/* ---- orders ---- */

void chr_session_order_async(struct chr_session *session, unsigned at, pid_t pid, enum chr_deed deed, uint32_t seed)
{
	struct chr_faults_order *order = &session->page->order[at];
	atomic_store_explicit(&order->done_us, 0, memory_order_relaxed);
	atomic_store_explicit(&order->seed, seed | 1, memory_order_relaxed);
	atomic_store_explicit(&order->pid, pid, memory_order_relaxed);
	/* release: the rest stands before the deed does */
	atomic_store_explicit(&order->deed, deed, memory_order_release);
}

uint64_t chr_session_order(struct chr_session *session, pid_t pid, enum chr_deed deed, uint32_t seed)
{
	static const struct timespec moment = {.tv_nsec = 200000};
	struct chr_faults_order *order = &session->page->order[0];
	chr_session_order_async(session, 0, pid, deed, seed);
	for (uint64_t end = chr_monotonic_us() + ORDER_US; chr_monotonic_us() < end; nanosleep(&moment, NULL)) {
		uint64_t done = atomic_load_explicit(&order->done_us, memory_order_acquire);
		if (done)
			return done;
	}
	atomic_store_explicit(&order->deed, CHR_DEED_NONE, memory_order_relaxed);
	return 0;
}
