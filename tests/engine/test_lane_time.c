/* A lane stays in step whatever JACK leaves out: cycles of all its members, when the server skips, or of some, which it may call for them later.
 *
 * Members share a board, and are called in random order through random courses of such cycles. Then all go by, and all must have run for as many frames.
 */
#include "engine/missed.h"
#include "tests/engine/bed.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <stdio.h>

#define N       64u
#define MEMBERS 5u
#define COURSES 200u
#define QUIET   16u /* cycles at the end of a course in which nothing is left out */

/* How a course goes: cycles, one in how many a member is passed over in, or the server skips before (0: never), and cycles within which
 * JACK calls a second time for what it has passed over. */
static const struct course {
	unsigned cycles, passed_over, skips, later;
} course[] = {{20, 20, 0, 0}, {20, 20, 10, 0}, {8, 10, 5, 0}, {60, 60, 15, 0}, {20, 20, 10, 1}, {20, 40, 10, 3}};

struct member {
	struct bed *bed;
	unsigned again; /* times that JACK will call once more */
	uint32_t since;
};

static struct member member[MEMBERS];
static uint64_t seed;

static unsigned roll(unsigned below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % below;
}

static void call(struct member *one, uint32_t at)
{
	one->bed->frame = at;
	bed_cycle(one->bed, N);
}

static void begin(void)
{
	for (unsigned i = 0; i < MEMBERS; i++) {
		struct bed *bed = bed_create(&bed_probe, 2, 0, 0);
		member[i] = (struct member){.bed = bed};
		bed->rt->lane_board = member[0].bed->board[0];
		bed->rt->pulse = &member[0].bed->board[0]->pulse[i];
	}
}

static void end(void)
{
	for (unsigned i = MEMBERS; i-- > 0;)
		bed_destroy(member[i].bed);
}

/* What JACK does for one member in a cycle; with NULL all that is left is called for. */
static void attend(struct member *one, uint32_t at, const struct course *how)
{
	if (how && !roll(how->passed_over)) {
		bool later = roll(2);
		one->since = later && !one->again ? at : one->since;
		one->again += later;
		return;
	}
	call(one, at);
	while (one->again && (!how || at - one->since >= how->later * N || !roll(how->later + 1))) {
		one->again--;
		call(one, at);
	}
}

static void cycle(uint32_t at, const struct course *how)
{
	struct member *order[MEMBERS];
	for (unsigned i = 0; i < MEMBERS; i++)
		order[i] = &member[i];
	for (unsigned i = MEMBERS - 1; i > 0; i--) {
		unsigned k = roll(i + 1);
		struct member *other = order[k];
		order[k] = order[i];
		order[i] = other;
	}
	for (unsigned i = 0; i < MEMBERS; i++)
		attend(order[i], at, how);
}

static bool in_step(void)
{
	float first = member[0].bed->out_buffer[PROBE_TICK][0];
	bool same = true;
	for (unsigned i = 0; i < MEMBERS; i++)
		same &= member[i].bed->out_buffer[PROBE_TICK][0] == first && member[i].bed->rt->lag == member[0].bed->rt->lag;
	return same;
}

START_TEST(a_lane_stays_in_step)
{
	const struct course *how = &course[_i];
	unsigned lost = 0;
	for (unsigned k = 0; k < COURSES; k++) {
		uint32_t at = UINT32_MAX - 20 * N; /* wraps on the way */
		seed = k + 1;
		begin();
		for (unsigned i = 0; i < QUIET / 2; i++, at += N)
			cycle(at, NULL);
		for (unsigned i = 0; i < how->cycles; i++, at += N) {
			at += how->skips && !roll(how->skips) ? (1 + roll(2)) * N : 0;
			cycle(at, how);
		}
		for (unsigned i = 0; i < QUIET; i++, at += N)
			cycle(at, NULL);
		if (!in_step() && !lost++)
			printf("the first to fall out of step: seed %u\n", k + 1);
		end();
	}
	ck_assert_msg(!lost, "%u of %u fell out of step", lost, COURSES);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lane time");
	TCase *tcase = tcase_create("lane time");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, a_lane_stays_in_step, 0, sizeof course / sizeof course[0]);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
