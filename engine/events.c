#include "engine/events.h"

#include "engine/change.h"
#include "engine/join.h"
#include "engine/missed.h"
#include "engine/rt.h"

#include <math.h>
#include <string.h>

#define BATCH 16u

bool chr_queue_insert(struct chr_queue *queue, const struct chr_queued *item)
{
	if (queue->count >= CHR_QUEUE_MAX)
		return false;
	/* A checksum speaks of the state before its frame: it goes before the other events of that frame. */
	int32_t before = item->event.kind == CHR_EVENT_CHECKSUM ? 1 : 0;
	uint32_t i = queue->count++;
	for (; i > 0 && chr_frames_diff(item->event.frame, queue->item[i - 1].event.frame) < before; i--)
		queue->item[i] = queue->item[i - 1];
	queue->item[i] = *item;
	return true;
}

/* Does the event change the state? */
static bool changes(unsigned kind)
{
	return kind == CHR_EVENT_PARAM || kind == CHR_EVENT_RESET || kind == CHR_EVENT_FADE;
}

bool chr_events_valid(const struct chr_rt *rt, const struct chr_pending *event, uint32_t frame)
{
	float value = event->value;
	if (chr_frames_diff(event->frame, frame) > (int32_t)(CHR_AHEAD_MAX_S * rt->sample_rate))
		return false;
	if (event->kind == CHR_EVENT_PARAM)
		return event->index < rt->desc->param_count && !chr_param_accept(&rt->desc->param[event->index], &value);
	if (event->kind == CHR_EVENT_FADE)
		return value >= 0.0f && value <= 1.0f;
	return event->kind == CHR_EVENT_RESET || event->kind == CHR_EVENT_CHECKSUM;
}

/* True when the twin's state, joined before, has this event in it. */
static bool seen_by_twin(struct chr_rt *rt, uint32_t serial)
{
	if (rt->floor_set && chr_join_newer(serial, rt->floor))
		rt->floor_set = false;
	return rt->floor_set;
}

static void take_change(struct chr_rt *rt, const struct chr_event *event, uint32_t frame)
{
	struct chr_queued item = {.serial = event->serial};
	item.event = (struct chr_pending){.frame = event->frame,
					  .ramp_frames = event->ramp_frames,
					  .index = event->index < CHR_PARAMS_MAX ? (uint16_t)event->index : CHR_PARAMS_MAX,
					  .kind = event->kind,
					  .value = event->value};
	if (changes(event->kind)) {
		if (seen_by_twin(rt, event->serial))
			return;
		if (!rt->serial_known || chr_join_newer(event->serial, rt->serial))
			rt->serial = event->serial;
		rt->serial_known = true;
	}
	if (!chr_events_valid(rt, &item.event, frame)) {
		chr_rt_count(&rt->slot->status.rejected);
		return;
	}
	/* Frames are compared as differences, which hold while the queue spans less than 2^31 of them. */
	int32_t oldest = -(int32_t)(CHR_AHEAD_MAX_S * rt->sample_rate);
	if (chr_frames_diff(item.event.frame, frame) < oldest)
		item.event.frame = frame + (uint32_t)oldest;
	if (!chr_queue_insert(&rt->queue, &item))
		chr_rt_count(&rt->slot->status.rejected);
}

static void take(struct chr_rt *rt, const struct chr_event *event, uint32_t frame)
{
	if (event->version != CHR_EVENT_VERSION) {
		chr_rt_count(&rt->slot->status.rejected);
		return;
	}
	switch (event->kind) {
	case CHR_EVENT_PUBLISH:
		rt->publish_left = event->count;
		rt->publish_loops = event->flags & CHR_EVENT_LOOPS;
		break;
	case CHR_EVENT_JOIN:
		rt->joining = !(event->flags & CHR_EVENT_CANCEL);
		rt->join_from = event->frame;
		rt->join_loops = event->flags & CHR_EVENT_LOOPS;
		if (!rt->joining)
			chr_missed_look(rt);
		break;
	default:
		take_change(rt, event, frame);
	}
}

void chr_events_drain(struct chr_rt *rt, uint32_t frame)
{
	struct chr_event batch[BATCH];
	/* One ringful is the most that one cycle takes, however fast the writer follows. */
	for (uint32_t taken = 0; taken < CHR_RING_EVENTS && rt->queue.count < CHR_PENDING_MAX;) {
		uint32_t room = CHR_PENDING_MAX - rt->queue.count;
		uint32_t count = chr_ring_read(&rt->slot->to_audio, batch, room < BATCH ? room : BATCH);
		if (!count)
			return;
		for (uint32_t i = 0; i < count; i++)
			take(rt, &batch[i], frame);
		taken += count;
	}
}

static uint32_t default_ramp(const struct chr_rt *rt, float smooth_ms)
{
	float ms = smooth_ms < 0.0f ? CHR_SMOOTH_MS : smooth_ms;
	return (uint32_t)lrintf(ms * 0.001f * rt->sample_rate);
}

static uint32_t ramp_of(const struct chr_rt *rt, const struct chr_pending *event, float smooth_ms)
{
	if (event->ramp_frames == CHR_RAMP_STEP)
		return 0;
	return event->ramp_frames ? event->ramp_frames : default_ramp(rt, smooth_ms);
}

static void apply_param(const struct chr_rt *rt, const struct chr_descriptor *desc, struct chr_smoother *smoothers,
			const struct chr_pending *event)
{
	float value = event->value;
	if (event->index >= desc->param_count || chr_param_accept(&desc->param[event->index], &value))
		return;
	const struct chr_param_desc *param = &desc->param[event->index];
	struct chr_smoother *smoother = &smoothers[event->index];
	if (param->scale == CHR_CHOICE || param->scale == CHR_TOGGLE)
		chr_smoother_step(smoother, value);
	else
		chr_smoother_ramp(smoother, value, ramp_of(rt, event, param->smooth_ms));
}

static void note_checksum(struct chr_rt *rt, uint32_t frame)
{
	const struct chr_event note = {.version = CHR_EVENT_VERSION,
				       .kind = CHR_NOTE_CHECKSUM,
				       .frame = frame,
				       .sum = chr_join_checksum(rt),
				       .outputs = rt->output_sum};
	chr_ring_write(&rt->slot->from_audio, &note, 1);
}

static void apply(struct chr_rt *rt, const struct chr_pending *event, bool late)
{
	if (late)
		chr_rt_count(&rt->slot->status.late);
	switch (event->kind) {
	case CHR_EVENT_CHECKSUM:
		/* The state that a late request asks about is gone: another one would look like a divergence. */
		if (!late)
			note_checksum(rt, event->frame);
		return;
	case CHR_EVENT_RESET:
		chr_rt_reset(rt);
		chr_change_reset(rt);
		break;
	case CHR_EVENT_FADE:
		chr_smoother_ramp(&rt->engine.gain, event->value, ramp_of(rt, event, CHR_SMOOTH_MS));
		break;
	default:
		apply_param(rt, rt->desc, rt->engine.param, event);
		if (rt->change)
			apply_param(rt, rt->change->desc, rt->change->param, event);
	}
	chr_rt_count(&rt->slot->status.applied);
}

uint32_t chr_events_apply_due(struct chr_rt *rt, uint32_t frame, uint32_t at, uint32_t end)
{
	struct chr_queue *queue = &rt->queue;
	while (queue->count) {
		const struct chr_pending *event = &queue->item[queue->first].event;
		int32_t due = chr_frames_diff(event->frame, frame);
		if (due > (int32_t)at)
			return (uint32_t)due < end ? (uint32_t)due : end;
		apply(rt, event, due < 0 || rt->missed);
		queue->first++;
		queue->count--;
	}
	return end;
}

void chr_events_settle(struct chr_rt *rt)
{
	struct chr_queue *queue = &rt->queue;
	if (queue->first)
		memmove(queue->item, queue->item + queue->first, queue->count * sizeof queue->item[0]);
	queue->first = 0;
}
