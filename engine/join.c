#include "engine/join.h"

#include "common/clock.h"
#include "engine/missed.h"
#include "engine/rt.h"

#include <string.h>
#include <time.h>

#define BORROW_WAIT_US 500u /* at most; a quarter of the cycle where that is less, so that the lane still comes to its end */

/* What stands in the snapshot's `engine`. */
struct image {
	struct chr_engine_state state;
	uint32_t serial_known;
	uint32_t param_count; /* another build of the module may have more or fewer at the end of its table */
	uint32_t lag;         /* of the state, behind JACK's time of the frame that the stamp says: engine/missed.h */
};

static_assert(sizeof(struct image) <= sizeof(((struct chr_snapshot *)0)->engine), "the engine's state fits its place");

static uint64_t stamp_of(uint32_t frame)
{
	return UINT64_C(1) << 32 | frame;
}

void chr_join_publish(struct chr_rt *rt, uint32_t next)
{
	/* After a join the queue may hold more than a snapshot can: then this cycle publishes nothing. */
	if (rt->queue.count > CHR_PENDING_MAX)
		return;
	struct chr_snapshot *snapshot = &rt->slot->snapshot[rt->publish_turn ^= 1];
	/* what is owed is in the stamp already: it says the frame that was due */
	const struct image image = {.state = rt->engine,
				    .serial_known = rt->serial_known,
				    .param_count = rt->desc->param_count,
				    .lag = rt->lag - rt->owed};
	atomic_store_explicit(&snapshot->stamp, 0, memory_order_relaxed);
	/* release fence: whoever sees any of the new content sees that the stamp was cleared */
	atomic_thread_fence(memory_order_release);
	snapshot->state_bytes = (uint32_t)rt->module->state_bytes;
	snapshot->engine_bytes = sizeof image;
	snapshot->serial = rt->serial;
	snapshot->pending_count = 0;
	for (uint32_t i = 0; i < rt->queue.count; i++)
		if (rt->queue.item[i].event.kind != CHR_EVENT_CHECKSUM)
			snapshot->pending[snapshot->pending_count++] = rt->queue.item[i].event;
	memcpy(snapshot->engine, &image, sizeof image);
	memcpy(snapshot->state, rt->state, rt->module->state_bytes);
	/* release: the content is whole before the stamp says so */
	atomic_store_explicit(&snapshot->stamp, stamp_of(next), memory_order_release);
}

void chr_join_lend(struct chr_rt *rt, uint32_t frame, uint32_t frames, const float *const *in)
{
	if (frames > CHR_BLOCK_MAX)
		return;
	struct chr_inputs *inputs = &rt->slot->inputs[rt->lend_turn ^= 1];
	float *to = inputs->sample;
	uint64_t ports = 0;
	atomic_store_explicit(&inputs->stamp, 0, memory_order_relaxed);
	/* release fence: as for a snapshot */
	atomic_thread_fence(memory_order_release);
	for (unsigned i = 0; i < rt->desc->port_count; i++) {
		if (rt->desc->port[i].direction != CHR_IN || !chr_rt_has_port(rt->desc, i, rt->channels) || !in[i])
			continue;
		memcpy(to, in[i], frames * sizeof *to);
		to += frames;
		ports |= UINT64_C(1) << i;
	}
	inputs->ports = ports;
	inputs->frames = frames;
	/* release: the content is whole before the stamp says so */
	atomic_store_explicit(&inputs->stamp, stamp_of(frame), memory_order_release);
}

/* The copies go where this cycle's inputs would be prepared; borrowed ones need no preparing. */
static bool borrow(struct chr_rt *rt, const struct chr_inputs *inputs, uint32_t frame, uint32_t frames)
{
	/* acquire: the content that the stamp vouches for */
	if (atomic_load_explicit(&inputs->stamp, memory_order_acquire) != stamp_of(frame) || inputs->frames != frames)
		return false;
	const uint64_t ports = inputs->ports;
	const float *from = inputs->sample;
	for (unsigned i = 0; i < CHR_PORTS_MAX; i++) {
		rt->borrowed[i] = NULL;
		if (!(ports >> i & 1))
			continue;
		if (rt->input[i])
			rt->borrowed[i] = memcpy(rt->input[i], from, frames * sizeof *from);
		from += frames;
	}
	/* acquire fence: as for a snapshot */
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&inputs->stamp, memory_order_relaxed) == stamp_of(frame);
}

/* The twin began this cycle a little before or after: JACK wakes one after the other. */
static bool wait_to_borrow(struct chr_rt *rt, const struct chr_slot *twin, uint32_t frame, uint32_t frames)
{
	if (frames > CHR_BLOCK_MAX)
		return false;
	uint64_t quarter_us = (uint64_t)((float)frames * 250000.0f / rt->sample_rate);
	uint64_t deadline = chr_monotonic_us() + (quarter_us < BORROW_WAIT_US ? quarter_us : BORROW_WAIT_US);
	do {
		for (unsigned i = 0; i < 2; i++)
			if (borrow(rt, &twin->inputs[i], frame, frames))
				return true;
	} while (chr_monotonic_us() < deadline);
	return false;
}

/* A copy of a snapshot's head; the pending events and the state go to their places in struct chr_rt. */
struct taken {
	struct image image;
	uint32_t serial, pending_count;
};

static bool copy(struct chr_rt *rt, const struct chr_snapshot *snapshot, uint32_t frame, struct taken *taken)
{
	/* acquire: the content that the stamp vouches for */
	if (atomic_load_explicit(&snapshot->stamp, memory_order_acquire) != stamp_of(frame))
		return false;
	taken->serial = snapshot->serial;
	taken->pending_count = snapshot->pending_count;
	if (snapshot->state_bytes != rt->module->state_bytes || snapshot->engine_bytes != sizeof taken->image ||
	    taken->pending_count > CHR_PENDING_MAX)
		return false;
	memcpy(&taken->image, snapshot->engine, sizeof taken->image);
	memcpy(rt->coming, snapshot->pending, taken->pending_count * sizeof rt->coming[0]);
	memcpy(rt->state_coming, snapshot->state, rt->module->state_bytes);
	/* acquire fence: had any of this been overwritten, the stamp read next would show it */
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&snapshot->stamp, memory_order_relaxed) == stamp_of(frame);
}

static bool sane(const struct chr_rt *rt, const struct taken *taken)
{
	const struct chr_engine_state *engine = &taken->image.state;
	for (unsigned i = 0; i < rt->desc->param_count; i++)
		if (!chr_smoother_sane(&engine->param[i]))
			return false;
	return chr_smoother_sane(&engine->gain);
}

/* Does `item` stay before one of the twin's events of `frame`? */
static bool earlier(const struct chr_queued *item, uint32_t frame)
{
	int32_t diff = chr_frames_diff(item->event.frame, frame);
	return diff < 0 || (diff == 0 && item->event.kind == CHR_EVENT_CHECKSUM);
}

/* The twin's pending events, then one's own that it had not yet: newer ones, and requests, which are nobody else's. */
static void merge_queue(struct chr_rt *rt, const struct taken *taken, uint32_t frame)
{
	struct chr_queue *queue = &rt->queue;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < queue->count; i++) {
		const struct chr_queued *item = &queue->item[i];
		if (item->event.kind == CHR_EVENT_CHECKSUM || !rt->floor_set || chr_join_newer(item->serial, rt->floor))
			queue->item[kept++] = *item;
	}
	queue->count = kept;
	/* Of the same frame the twin's come first, as they are the older: put in from last to first, each before its equals. */
	for (uint32_t i = taken->pending_count; i-- > 0;) {
		const struct chr_queued item = {.event = rt->coming[i], .serial = taken->serial};
		uint32_t at = 0;
		if (!chr_events_valid(rt, &item.event, frame) || queue->count >= CHR_QUEUE_MAX) {
			chr_rt_count(&rt->slot->status.rejected);
			continue;
		}
		while (at < queue->count && earlier(&queue->item[at], item.event.frame))
			at++;
		memmove(&queue->item[at + 1], &queue->item[at], (queue->count++ - at) * sizeof item);
		queue->item[at] = item;
	}
}

/* The parameters that the twin has too; another build of it may have let them go further. */
static void take_engine(struct chr_rt *rt, const struct image *image)
{
	for (unsigned i = 0; i < rt->desc->param_count && i < image->param_count; i++) {
		float target = image->state.param[i].target, nearest = chr_param_nearest(&rt->desc->param[i], target);
		rt->engine.param[i] = image->state.param[i];
		if (nearest != target)
			chr_smoother_step(&rt->engine.param[i], nearest);
	}
	rt->engine.gain = image->state.gain;
}

static void commit(struct chr_rt *rt, const struct taken *taken, uint32_t frame)
{
	unsigned char *state = rt->state;
	rt->state = rt->state_coming;
	rt->state_coming = state;
	take_engine(rt, &taken->image);
	rt->floor_set = taken->image.serial_known;
	rt->floor = taken->serial;
	merge_queue(rt, taken, frame);
	if (rt->floor_set && (!rt->serial_known || chr_join_newer(taken->serial, rt->serial))) {
		rt->serial = taken->serial;
		rt->serial_known = true;
	}
}

bool chr_join_try(struct chr_rt *rt, uint32_t frame, uint32_t at, uint32_t frames)
{
	struct taken taken;
	bool whole = false;
	/* seq_cst on both, against the exchange and the look at twin_busy in chr_join_set_twin(): either that one waits for this
	 * thread, or this thread sees the new twin. */
	atomic_store_explicit(&rt->twin_busy, 1, memory_order_seq_cst);
	const struct chr_slot *twin = atomic_load_explicit(&rt->twin, memory_order_seq_cst);
	for (unsigned i = 0; twin && i < 2 && !whole; i++)
		whole = copy(rt, &twin->snapshot[i], frame, &taken);
	whole = whole && sane(rt, &taken) && (!rt->join_loops || wait_to_borrow(rt, twin, frame, frames));
	/* release: the reading is over */
	atomic_store_explicit(&rt->twin_busy, 0, memory_order_release);
	if (!whole)
		return false;
	commit(rt, &taken, frame);
	chr_missed_joined(rt, at, taken.image.lag);
	rt->joining = false;
	chr_rt_count(&rt->slot->status.joins);
	chr_rt_note(rt, CHR_NOTE_JOINED, frame, 0, 0);
	return true;
}

const struct chr_slot *chr_join_set_twin(struct chr_rt *rt, const struct chr_slot *twin)
{
	static const struct timespec pause = {.tv_nsec = 200000};
	const struct chr_slot *before = atomic_exchange_explicit(&rt->twin, twin, memory_order_seq_cst);
	for (int i = 0; i < 100; i++) {
		if (!atomic_load_explicit(&rt->twin_busy, memory_order_seq_cst))
			return before;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* Four chains of FNV-1a over 64-bit words, side by side because one alone waits for its own multiplications; a state of 1 MiB has to
 * be summed within a period. Multiplication carries upwards only, so each step also turns the word. */
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x00000100000001b3)

static uint64_t stir(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * FNV_PRIME;
	return sum << 29 | sum >> 35;
}

static uint64_t sum_bytes(uint64_t start, const unsigned char *from, size_t bytes)
{
	uint64_t chain[4] = {start, start + 1, start + 2, start + 3}, word[4];
	for (; bytes >= sizeof word; bytes -= sizeof word, from += sizeof word) {
		memcpy(word, from, sizeof word);
		for (unsigned i = 0; i < 4; i++)
			chain[i] = stir(chain[i], word[i]);
	}
	memset(word, 0, sizeof word);
	memcpy(word, from, bytes);
	for (unsigned i = 0; i < 4; i++)
		start = stir(stir(start, chain[i]), word[i]);
	return stir(start, bytes);
}

uint64_t chr_join_checksum(const struct chr_rt *rt)
{
	uint64_t sum = sum_bytes(FNV_START, rt->state, rt->module->state_bytes);
	return sum_bytes(sum, (const unsigned char *)&rt->engine, sizeof rt->engine);
}

void chr_join_sum_outputs(struct chr_rt *rt, uint32_t frames, float *const *out)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < rt->ports; i++)
		if (rt->outputs >> i & 1 && out[i])
			sum = sum_bytes(sum, (const unsigned char *)out[i], frames * sizeof *out[i]);
	rt->output_sum = sum;
}
