#include "common/board.h"

#include "common/event.h"
#include "common/segment.h"

static uint64_t pack(uint32_t previous, uint32_t last)
{
	return (uint64_t)previous << 32 | last;
}

void chr_pulse_enter(struct chr_pulse *pulse, uint32_t frame)
{
	atomic_store_explicit(&pulse->entered, frame, memory_order_relaxed);
}

void chr_pulse_complete(struct chr_pulse *pulse, uint32_t frame)
{
	uint64_t before = atomic_load_explicit(&pulse->frames, memory_order_relaxed);
	/* There is no cycle before the first: it gets the frame farthest away, which no reader can ask for. So 0 alone means
	 * "none yet". */
	uint32_t previous = before ? (uint32_t)before : frame ^ 0x80000000u;
	uint32_t cycles = atomic_load_explicit(&pulse->cycles, memory_order_relaxed);

	atomic_store_explicit(&pulse->cycles, cycles + 1, memory_order_relaxed);
	/* release: the outputs are written before the pulse that vouches for them */
	atomic_store_explicit(&pulse->frames, pack(previous, frame), memory_order_release);
}

bool chr_pulse_fresh(const struct chr_pulse *pulse, uint32_t previous, uint32_t now)
{
	uint64_t frames = atomic_load_explicit(&pulse->frames, memory_order_acquire);

	if (!frames)
		return false;
	return (uint32_t)frames == previous || frames == pack(previous, now);
}

bool chr_board_fresh(const struct chr_board *board, const struct chr_member_set *members, uint32_t previous, uint32_t now)
{
	for (unsigned w = 0; w < CHR_BOARD_WORDS; w++) {
		uint64_t left = atomic_load_explicit(&members->word[w], memory_order_relaxed);

		for (; left; left &= left - 1) {
			unsigned member = w * 64 + (unsigned)__builtin_ctzll(left);

			if (!chr_pulse_fresh(&board->pulse[member], previous, now))
				return false;
		}
	}
	return true;
}

void chr_pulse_call(struct chr_pulse *pulse, uint32_t at, uint32_t lag)
{
	atomic_store_explicit(&pulse->lag, lag, memory_order_relaxed);
	/* release: the lag with which it is called */
	atomic_store_explicit(&pulse->called, at, memory_order_release);
}

/* Does that member count for the answer? */
static bool asked(const struct chr_pulse *pulse, const struct chr_debt *debt)
{
	uint64_t completed = atomic_load_explicit(&pulse->frames, memory_order_relaxed);

	return pulse != debt->own && completed && chr_frames_diff((uint32_t)completed, debt->now - debt->window) >= 0;
}

uint32_t chr_board_least_lag(const struct chr_board *board, const struct chr_debt *debt, bool *settled)
{
	bool all = true, one = false;
	uint32_t least = debt->lag;

	for (unsigned i = 0; i < CHR_BOARD_MEMBERS; i++) {
		const struct chr_pulse *pulse = &board->pulse[i];

		if (!asked(pulse, debt))
			continue;
		/* acquire: the lag with which it was called */
		uint32_t called = atomic_load_explicit(&pulse->called, memory_order_acquire);
		uint32_t lag = atomic_load_explicit(&pulse->lag, memory_order_relaxed);
		bool again = chr_frames_diff(called, debt->at) > 0;

		least = chr_frames_diff(lag, least) < 0 ? lag : least;
		one |= again && debt->lag != debt->before && chr_frames_diff(lag, debt->before) <= 0;
		all &= again;
	}
	*settled = all || one;
	return least;
}

uint32_t chr_board_others_lag(const struct chr_board *board, const struct chr_debt *debt)
{
	bool found = false;
	uint32_t least = debt->lag;

	for (unsigned i = 0; i < CHR_BOARD_MEMBERS; i++) {
		const struct chr_pulse *pulse = &board->pulse[i];
		uint32_t lag = atomic_load_explicit(&pulse->lag, memory_order_relaxed);

		if (asked(pulse, debt) && (!found || chr_frames_diff(lag, least) < 0)) {
			least = lag;
			found = true;
		}
	}
	return least;
}

void chr_member_set_put(struct chr_member_set *set, unsigned member, bool in)
{
	uint64_t bit = UINT64_C(1) << (member % 64);

	if (member >= CHR_BOARD_MEMBERS)
		return;
	/* relaxed: a member counts or not; it orders nothing else */
	if (in)
		atomic_fetch_or_explicit(&set->word[member / 64], bit, memory_order_relaxed);
	else
		atomic_fetch_and_explicit(&set->word[member / 64], ~bit, memory_order_relaxed);
}

bool chr_member_set_has(const struct chr_member_set *set, unsigned member)
{
	if (member >= CHR_BOARD_MEMBERS)
		return false;
	return atomic_load_explicit(&set->word[member / 64], memory_order_relaxed) >> (member % 64) & 1;
}

struct chr_board *chr_board_create(int *fd)
{
	return chr_segment_create("chronus-board", sizeof(struct chr_board), fd);
}

struct chr_board *chr_board_map(int fd, bool writable)
{
	return chr_segment_map(fd, sizeof(struct chr_board), writable);
}

void chr_board_unmap(struct chr_board *board)
{
	chr_segment_unmap(board, sizeof *board);
}
