#include "common/board.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(pulse_truth_table)
{
	static const struct {
		uint32_t previous, last; /* completed */
		uint32_t asked, now;
		bool fresh;
	} row[] = {
		{1000, 1256, 1256, 1512, true},  /* has not run in this cycle yet, was there in the one before */
		{1256, 1512, 1256, 1512, true},  /* has run in this cycle already */
		{1000, 1256, 1512, 1768, false}, /* missed one */
		{1000, 1512, 1256, 1512, false}, /* runs again, but missed the one before */
		{1256, 1768, 1256, 1512, false}, /* ahead of now */
		{0xffffff00u, 0, 0, 256, true},  /* the wrap */
		{0xfffffe00u, 0xffffff00u, 0xffffff00u, 0, true},
		{0, 256, 0, 256, true},
		{0, 256, 512, 768, false},
	};

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct chr_pulse pulse = {0};

		chr_pulse_complete(&pulse, row[i].previous);
		chr_pulse_complete(&pulse, row[i].last);
		ck_assert_msg(chr_pulse_fresh(&pulse, row[i].asked, row[i].now) == row[i].fresh, "row %zu", i);
	}
}
END_TEST

START_TEST(pulse_that_never_beat_is_stale)
{
	struct chr_pulse pulse = {0};

	ck_assert(!chr_pulse_fresh(&pulse, 0, 0));
	ck_assert(!chr_pulse_fresh(&pulse, 0, 256));
	chr_pulse_enter(&pulse, 256);
	ck_assert(!chr_pulse_fresh(&pulse, 0, 256));
	ck_assert_uint_eq(atomic_load(&pulse.entered), 256);
	/* one cycle alone vouches for itself and for nothing before it */
	chr_pulse_complete(&pulse, 256);
	ck_assert_uint_eq(atomic_load(&pulse.cycles), 1);
	ck_assert(!chr_pulse_fresh(&pulse, 0, 256));
	ck_assert(chr_pulse_fresh(&pulse, 256, 512));
}
END_TEST

#define LAG (UINT32_MAX - 199) /* wraps on the way */

/* Two members and one that asks, whose lag rose by 300 frames, as was found when JACK's time was 1000. */
START_TEST(least_lag_of_a_lane)
{
	/* last cycle, JACK's time when it was called, its lag */
	static const uint32_t same[] = {900, 1100, LAG + 300}, less[] = {900, 1100, LAG + 100}, none[] = {900, 1100, LAG},
			      ahead[] = {900, 1100, LAG - 128}, first_call[] = {900, 1000, LAG + 300},
			      not_called[] = {900, 900, LAG}, gone[] = {400, 400, LAG};
	static const struct {
		const uint32_t *a, *b;
		bool settled;
		uint32_t least, others;
	} row[] = {
		{same, same, true, LAG + 300, LAG + 300},  {same, less, true, LAG + 100, LAG + 100}, {same, none, true, LAG, LAG},
		{ahead, same, true, LAG - 128, LAG - 128}, {same, first_call, false, 0, LAG + 300}, /* may be called once more */
		{same, not_called, false, 0, LAG},         {first_call, none, true, LAG, LAG}, /* however late the other will be */
		{same, gone, true, LAG + 300, LAG + 300},  {gone, gone, true, LAG + 300, 7},
	};

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		static struct chr_board board;
		struct chr_debt debt = {
			.own = &board.pulse[3], .lag = LAG + 300, .before = LAG, .at = 1000, .now = 900, .window = 400};
		bool settled;

		board = (struct chr_board){0};
		/* its own line may be of one before it */
		chr_pulse_complete(&board.pulse[3], 900);
		chr_pulse_call(&board.pulse[3], 1100, LAG - 1000);
		for (unsigned k = 0; k < 2; k++) {
			struct chr_pulse *pulse = &board.pulse[k * 70];
			const uint32_t *member = k ? row[i].b : row[i].a;

			chr_pulse_complete(pulse, member[0]);
			chr_pulse_call(pulse, member[1], member[2]);
		}
		uint32_t least = chr_board_least_lag(&board, &debt, &settled);
		ck_assert_msg(settled == row[i].settled, "row %zu", i);
		if (settled)
			ck_assert_msg(least == row[i].least, "row %zu: %u", i, least);
		debt.lag = 7;
		ck_assert_msg(chr_board_others_lag(&board, &debt) == row[i].others, "row %zu", i);
	}
}
END_TEST

START_TEST(board_needs_every_member_of_the_set)
{
	static struct chr_board board;
	static const unsigned member[] = {0, 1, 63, 64, 127};
	struct chr_member_set set = {0};

	ck_assert(chr_board_fresh(&board, &set, 0, 256));
	for (size_t i = 0; i < sizeof member / sizeof member[0]; i++) {
		chr_member_set_put(&set, member[i], true);
		ck_assert(chr_member_set_has(&set, member[i]));
		ck_assert(!chr_board_fresh(&board, &set, 256, 512));
		chr_pulse_complete(&board.pulse[member[i]], 256);
		ck_assert(chr_board_fresh(&board, &set, 256, 512));
	}
	for (size_t i = 0; i < sizeof member / sizeof member[0]; i++) {
		chr_pulse_complete(&board.pulse[member[i]], 300);
		ck_assert(!chr_board_fresh(&board, &set, 256, 512));
		chr_member_set_put(&set, member[i], false);
		ck_assert(!chr_member_set_has(&set, member[i]));
		ck_assert(chr_board_fresh(&board, &set, 256, 512));
	}
}
END_TEST

START_TEST(member_out_of_range_is_none)
{
	struct chr_member_set set = {0};

	chr_member_set_put(&set, CHR_BOARD_MEMBERS, true);
	chr_member_set_put(&set, UINT32_MAX, true);
	ck_assert(!chr_member_set_has(&set, CHR_BOARD_MEMBERS));
	for (unsigned w = 0; w < CHR_BOARD_WORDS; w++)
		ck_assert_uint_eq(atomic_load(&set.word[w]), 0);
}
END_TEST

START_TEST(board_is_shared_nameless_and_of_fixed_size)
{
	int fd;
	struct chr_board *board = chr_board_create(&fd), *view;
	struct stat st;

	ck_assert_ptr_nonnull(board);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_nlink, 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	view = chr_board_map(fd, false);
	ck_assert_ptr_nonnull(view);
	chr_pulse_complete(&board->pulse[5], 42);
	ck_assert(chr_pulse_fresh(&view->pulse[5], 42, 43));
	chr_board_unmap(view);
	chr_board_unmap(board);
	close(fd);
}
END_TEST

START_TEST(read_only_board_refuses_writes)
{
	int fd;
	struct chr_board *board = chr_board_create(&fd), *view = chr_board_map(fd, false);

	chr_pulse_complete(&board->pulse[0], 1);
	ck_assert(chr_pulse_fresh(&view->pulse[0], 1, 2));
	chr_pulse_complete(&view->pulse[0], 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("board");
	TCase *tcase = tcase_create("board");

	tcase_add_test(tcase, pulse_truth_table);
	tcase_add_test(tcase, pulse_that_never_beat_is_stale);
	tcase_add_test(tcase, least_lag_of_a_lane);
	tcase_add_test(tcase, board_needs_every_member_of_the_set);
	tcase_add_test(tcase, member_out_of_range_is_none);
	tcase_add_test(tcase, board_is_shared_nameless_and_of_fixed_size);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	tcase_add_test_raise_signal(tcase, read_only_board_refuses_writes, SIGSEGV);
#else
	(void)read_only_board_refuses_writes;
#endif
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
