/* A binary heap ordered by frame, then by the order of arrival. Frames are compared by their distance, which is right while all of
 * them lie within 2^31 frames of each other: events are at most an hour ahead, and 2^31 frames are three hours at 192 kHz.
 */
#include "supervisor/schedule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void chr_schedule_init(struct chr_schedule *schedule)
{
	memset(schedule, 0, sizeof *schedule);
}

void chr_schedule_finish(struct chr_schedule *schedule)
{
	free(schedule->heap);
	memset(schedule, 0, sizeof *schedule);
}

static bool before(const struct chr_scheduled *a, const struct chr_scheduled *b)
{
	int32_t distance = chr_frames_diff(a->event.frame, b->event.frame);

	return distance != 0 ? distance < 0 : a->order < b->order;
}

static void sift_up(struct chr_scheduled *heap, size_t at)
{
	struct chr_scheduled moving = heap[at];

	while (at > 0 && before(&moving, &heap[(at - 1) / 2])) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = moving;
}

static void sift_down(struct chr_scheduled *heap, size_t count, size_t at)
{
	struct chr_scheduled moving = heap[at];

	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &moving))
			break;
		heap[at] = heap[child];
	}
	heap[at] = moving;
}

int chr_schedule_put(struct chr_schedule *schedule, unsigned unit, const struct chr_event *event)
{
	if (schedule->count >= CHR_SCHEDULE_MAX)
		return -ENOSPC;
	if (schedule->count == schedule->space) {
		size_t space = schedule->space ? schedule->space * 2 : 256;
		struct chr_scheduled *heap = realloc(schedule->heap, space * sizeof *heap);

		if (!heap)
			return -ENOMEM;
		schedule->heap = heap;
		schedule->space = space;
	}
	schedule->heap[schedule->count] = (struct chr_scheduled){.order = schedule->order++, .unit = unit, .event = *event};
	sift_up(schedule->heap, schedule->count++);
	return 0;
}

bool chr_schedule_next(const struct chr_schedule *schedule, uint32_t *frame)
{
	if (schedule->count == 0)
		return false;
	*frame = schedule->heap[0].event.frame;
	return true;
}

bool chr_schedule_take(struct chr_schedule *schedule, uint32_t frame, struct chr_scheduled *out)
{
	if (schedule->count == 0 || chr_frames_diff(schedule->heap[0].event.frame, frame) >= 0)
		return false;
	*out = schedule->heap[0];
	schedule->heap[0] = schedule->heap[--schedule->count];
	if (schedule->count > 0)
		sift_down(schedule->heap, schedule->count, 0);
	return true;
}

/* Puts what was kept into order again. */
static void heapify(struct chr_schedule *schedule, size_t kept)
{
	schedule->count = kept;
	for (size_t i = kept / 2; i-- > 0;)
		sift_down(schedule->heap, kept, i);
}

void chr_schedule_renumber(struct chr_schedule *schedule, unsigned unit, const uint8_t map[CHR_PARAMS_MAX])
{
	size_t kept = 0;

	for (size_t i = 0; i < schedule->count; i++) {
		struct chr_scheduled item = schedule->heap[i];

		if (item.unit == unit && item.event.kind == CHR_EVENT_PARAM)
			item.event.index = item.event.index < CHR_PARAMS_MAX ? map[item.event.index] : CHR_PARAMS_MAX;
		if (item.unit != unit || item.event.kind != CHR_EVENT_PARAM || item.event.index < CHR_PARAMS_MAX)
			schedule->heap[kept++] = item;
	}
	heapify(schedule, kept);
}

void chr_schedule_forget(struct chr_schedule *schedule, unsigned unit)
{
	size_t kept = 0;

	for (size_t i = 0; i < schedule->count; i++) {
		if (schedule->heap[i].unit != unit)
			schedule->heap[kept++] = schedule->heap[i];
	}
	heapify(schedule, kept);
}
