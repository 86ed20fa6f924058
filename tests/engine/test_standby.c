#include "engine/picker.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N       64u
#define LONGEST 256u
#define FIRST   (UINT32_MAX - 5 * N + 1) /* the frame time wraps on the way */
#define MEMBER  7u

/* An out and its standby, as two processes have them: the same orders and boards, each its own picker. */
static struct chr_slot_picker orders;
static struct chr_board *board[CHR_LANES];
static struct chr_picker out, standby;
static float back[LONGEST], scratch[LONGEST], before[LONGEST];
static uint32_t frame;
static bool ran;

static void setup(void)
{
	const struct chr_board *boards[CHR_LANES];
	memset(&orders, 0, sizeof orders);
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		int fd = -1;
		boards[lane] = board[lane] = chr_board_create(&fd);
		ck_assert_ptr_nonnull(board[lane]);
		close(fd);
		chr_member_set_put(&orders.required[lane], MEMBER, true);
	}
	chr_picker_init(&out, &orders, boards, 2, 48000);
	chr_picker_init(&standby, &orders, boards, 2, 48000);
	standby.standby = true;
	standby.back[0] = back;
	memset(before, 0, sizeof before);
	frame = FIRST;
	ran = false;
}

static void teardown(void)
{
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		chr_board_unmap(board[lane]);
}

static void make(float *samples, unsigned frames)
{
	for (unsigned i = 0; i < frames; i++)
		samples[i] = (float)((frame + i) % 1000);
}

/* A cycle: out hears what the lanes wrote in the one before, the standby what they write in this one, if they are in `alive`. Returns whether both played the
 * same; what it was goes to `played`. */
static bool cycle(unsigned alive, float *played)
{
	float now[N];
	make(now, N);
	int lane = chr_picker_choose(&out, ran, frame - N, frame);
	memcpy(played, lane == CHR_LANE_NONE ? (float[N]){0} : before, N * sizeof *played);
	for (unsigned l = 0; l < CHR_LANES; l++)
		if (alive & 1u << l)
			chr_pulse_complete(&board[l]->pulse[MEMBER], frame);
	lane = chr_picker_choose(&standby, ran, frame - N, frame);
	const float *held = chr_picker_input(&standby, 0, lane, lane == CHR_LANE_NONE ? NULL : now, scratch, N);
	bool same = memcmp(held, played, N * sizeof *held) == 0;
	chr_picker_advance(&standby, lane, N);
	memcpy(before, now, sizeof now);
	frame += N;
	ran = true;
	return same;
}

START_TEST(plays_what_out_plays_at_the_same_frame)
{
	/* per cycle, which lanes complete it */
	static const unsigned alive[] = {3, 3, 3, 1, 3, 2, 2, 3, 0, 0, 3, 3, 0, 1, 2, 1, 3};
	float played[N];
	unsigned heard = 0;
	/* neither has a cycle behind it, then the standby holds nothing back yet */
	cycle(3, played);
	cycle(3, played);
	for (unsigned i = 0; i < sizeof alive / sizeof *alive; i++) {
		ck_assert_msg(cycle(alive[i], played), "they differ in cycle %u", i);
		heard += played[N - 1] != 0;
	}
	ck_assert_uint_eq(heard, 14);
}
END_TEST

/* What was held back has another length than the cycle it is for. */
START_TEST(is_silent_for_one_cycle_when_the_period_changes)
{
	float now[LONGEST];
	make(now, LONGEST);
	chr_picker_input(&standby, 0, 0, now, scratch, N);
	chr_picker_advance(&standby, 0, N);
	const float *held = chr_picker_input(&standby, 0, 0, now, scratch, LONGEST);
	for (unsigned i = 0; i < LONGEST; i++)
		ck_assert_float_eq(held[i], 0.0f);
	chr_picker_advance(&standby, 0, LONGEST);
	held = chr_picker_input(&standby, 0, 0, now, scratch, LONGEST);
	ck_assert_mem_eq(held, now, sizeof now);
}
END_TEST

static const struct {
	enum chr_mute mute;
	int32_t after; /* frames that the cycle begins after the frame of the order */
	bool silent;
} mutes[] = {
	{CHR_PLAY, 0, false},         {CHR_PLAY, -1000, false},  {CHR_MUTE, 0, true},       {CHR_MUTE, 1000, true},
	{CHR_PLAY_FROM, -1, true},    {CHR_PLAY_FROM, 0, false}, {CHR_PLAY_FROM, 1, false}, {CHR_PLAY_FROM, -100000, true},
	{CHR_MUTE_FROM, -1, false},   {CHR_MUTE_FROM, 0, true},  {CHR_MUTE_FROM, 1, true},  {CHR_MUTE_FROM, -100000, false},
	{CHR_PLAY_FROM, 9999, false},
};

/* Two outs take turns at a frame, wherever the frame time stands. */
START_TEST(two_outs_take_turns_at_a_frame)
{
	static const uint32_t origins[] = {0, 5000, UINT32_MAX, 0x7fffffff, 0x80000000};
	for (unsigned i = 0; i < sizeof origins / sizeof *origins; i++) {
		orders.muted = (uint64_t)origins[i] << 32 | mutes[_i].mute;
		ck_assert_int_eq(chr_picker_muted(&orders, origins[i] + (uint32_t)mutes[_i].after), mutes[_i].silent);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("standby");
	TCase *tcase = tcase_create("standby");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, plays_what_out_plays_at_the_same_frame);
	tcase_add_test(tcase, is_silent_for_one_cycle_when_the_period_changes);
	tcase_add_loop_test(tcase, two_outs_take_turns_at_a_frame, 0, sizeof mutes / sizeof *mutes);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
