#include "common/choice.h"

#include "common/event.h"
#include "common/segment.h"

#include <stdbool.h>

static _Atomic uint64_t *turn_of(struct chr_choice *choice, uint32_t frame, uint32_t frames)
{
	return &choice->turn[frame / frames % CHR_CHOICE_TURNS];
}

static uint32_t frame_of(uint64_t said)
{
	return (uint32_t)(said >> 32);
}

static int lane_of(uint64_t said)
{
	return (int)(uint32_t)said - 1;
}

int chr_choice_make(struct chr_choice *choice, uint32_t frame, uint32_t frames, int lane)
{
	_Atomic uint64_t *turn = turn_of(choice, frame, frames);
	uint64_t said = atomic_load_explicit(turn, memory_order_relaxed), word = (uint64_t)frame << 32 | (uint32_t)(lane + 1);

	/* relaxed: the word is all there is to agree on. One try and one more if the other was quicker */
	for (int i = 0; i < 2; i++) {
		if (said && frame_of(said) == frame)
			return lane_of(said);
		if (said && chr_frames_diff(frame_of(said), frame) > 0)
			return CHR_LANE_NONE;
		if (atomic_compare_exchange_strong_explicit(turn, &said, word, memory_order_relaxed, memory_order_relaxed))
			return lane;
	}
	return said && frame_of(said) == frame ? lane_of(said) : CHR_LANE_NONE;
}

int chr_choice_made(const struct chr_choice *choice, uint32_t frame, uint32_t frames)
{
	uint64_t said = atomic_load_explicit(turn_of((struct chr_choice *)choice, frame, frames), memory_order_relaxed);

	return said && frame_of(said) == frame ? lane_of(said) : CHR_LANE_NONE;
}

void chr_choice_clear(struct chr_choice *choice)
{
	for (unsigned i = 0; i < CHR_CHOICE_TURNS; i++)
		atomic_store_explicit(&choice->turn[i], 0, memory_order_relaxed);
}

struct chr_choice *chr_choice_create(int *fd)
{
	return chr_segment_create("chronus-choice", sizeof(struct chr_choice), fd);
}

struct chr_choice *chr_choice_map(int fd)
{
	return chr_segment_map(fd, sizeof(struct chr_choice), true);
}

void chr_choice_unmap(struct chr_choice *choice)
{
	chr_segment_unmap(choice, sizeof *choice);
}
