#include "tools/faults_judge.h"

#include <math.h>
#include <string.h>

#define STEPS 16 /* periods that a sequence out of step is looked for beside its legal places */

const char *const chr_loss_name[] = {
	[CHR_LOSS_SKIPPED] = "skipped",
	[CHR_LOSS_SILENT] = "silent",
	[CHR_LOSS_WRONG] = "wrong",
	[CHR_LOSS_STEP] = "out of step",
};

void chr_judge_init(struct chr_judge *judge, unsigned channels, uint32_t period)
{
	*judge = (struct chr_judge){.channels = channels, .period = period};
}

void chr_judge_sync(struct chr_judge *judge, chr_judge_expect *expect, void *self, uint32_t frame)
{
	judge->pending = true;
	judge->coming = expect;
	judge->coming_self = self;
	judge->coming_frame = frame;
}

static void lose(struct chr_judge *judge, uint64_t at, uint32_t frames, enum chr_loss_kind kind)
{
	const struct chr_loss loss = {.frame = at, .frames = frames, .kind = kind};
	judge->wrong += frames;
	if (judge->lost)
		judge->lost(judge->arg, &loss);
}

/* Bit for bit; but a sum that JACK makes of two edges turns -0 into 0. */
static bool same(const float *a, const float *b)
{
	return memcmp(a, b, sizeof *a) == 0 || (*a == 0.0f && *b == 0.0f);
}

static float expected[CHR_JUDGE_CHANNELS][CHR_JUDGE_BLOCK];

/* The expected samples `at` .. */
static void expect(struct chr_judge *judge, uint64_t at, uint32_t frames)
{
	float *const out[CHR_JUDGE_CHANNELS] = {expected[0], expected[1]};
	judge->expect(judge->self, at, frames, out);
}

/* Frames that differ from the expected samples `at` .., bit for bit; stops at the first one when `any` is all that is asked. */
static uint32_t differing(struct chr_judge *judge, uint64_t at, uint32_t frames, const float *const data[], bool any)
{
	uint32_t count = 0;
	expect(judge, at, frames);
	for (uint32_t i = 0; i < frames && !(any && count); i++) {
		bool differs = false;
		for (unsigned c = 0; c < judge->channels; c++)
			differs |= !same(&expected[c][i], &data[c][i]);
		count += differs;
	}
	return count;
}

/* The most by which a sample differs from the expected ones at `at` .. */
static double distance(struct chr_judge *judge, uint64_t at, uint32_t frames, const float *const data[])
{
	double worst = 0.0;
	expect(judge, at, frames);
	for (unsigned c = 0; c < judge->channels; c++)
		for (uint32_t i = 0; i < frames; i++)
			worst = fmax(worst, fabs((double)expected[c][i] - (double)data[c][i]));
	return worst;
}

/* How far what is heard is from the sequence where it is nearest to it. */
static double nearest(struct chr_judge *judge, uint32_t frames, const float *const data[])
{
	uint64_t reach = judge->passed < CHR_JUDGE_AHEAD ? judge->passed : CHR_JUDGE_AHEAD;
	double best = INFINITY;
	for (uint64_t ahead = 0; ahead <= reach; ahead += judge->period)
		best = fmin(best, distance(judge, judge->position + ahead, frames, data));
	return best;
}

static uint32_t silent(const struct chr_judge *judge, uint32_t frames, const float *const data[])
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < frames; i++) {
		bool zero = true;
		for (unsigned c = 0; c < judge->channels; c++)
			zero &= data[c][i] == 0.0f;
		count += zero;
	}
	return count;
}

static void found(struct chr_judge *judge, uint64_t at, uint32_t frames)
{
	judge->position = at + frames;
	judge->passed = 0;
	judge->adrift = 0;
}

/* Looks where the sequence may legally stand. */
static bool find(struct chr_judge *judge, uint32_t frames, const float *const data[])
{
	uint64_t reach = judge->passed < CHR_JUDGE_AHEAD ? judge->passed : CHR_JUDGE_AHEAD;
	for (uint64_t ahead = 0; ahead <= reach; ahead += judge->period)
		if (!differing(judge, judge->position + ahead, frames, data, true)) {
			found(judge, judge->position + ahead, frames);
			return true;
		}
	return false;
}

/* And where it may not: behind what was heard already, or farther on than time went by. */
static bool find_step(struct chr_judge *judge, uint32_t frames, const float *const data[])
{
	if (judge->passed > CHR_JUDGE_AHEAD)
		return false;
	for (uint64_t i = 1; i <= STEPS; i++) {
		uint64_t step = i * judge->period, ahead = judge->position + judge->passed + step;
		if (step <= judge->position && !differing(judge, judge->position - step, frames, data, true)) {
			found(judge, judge->position - step, frames);
			return true;
		}
		if (!differing(judge, ahead, frames, data, true)) {
			found(judge, ahead, frames);
			return true;
		}
	}
	return false;
}

static void compare(struct chr_judge *judge, uint32_t frames, const float *const data[])
{
	if (find(judge, frames, data)) {
		judge->right += frames;
		return;
	}
	if (silent(judge, frames, data) == frames) {
		lose(judge, judge->now, frames, CHR_LOSS_SILENT);
		judge->passed += frames;
		return;
	}
	if (find_step(judge, frames, data)) {
		judge->steps++;
		lose(judge, judge->now, frames, CHR_LOSS_STEP);
		return;
	}
	uint32_t wrong = differing(judge, judge->position, frames, data, false);
	judge->right += frames - wrong;
	lose(judge, judge->now, wrong, CHR_LOSS_WRONG);
	judge->off = nearest(judge, frames, data);
	judge->passed += frames;
	judge->adrift++;
}

static void listen(struct chr_judge *judge, uint32_t frames, const float *const data[])
{
	uint32_t count = silent(judge, frames, data);
	judge->right += frames - count;
	if (count)
		lose(judge, judge->now, count, CHR_LOSS_SILENT);
}

static void follow_time(struct chr_judge *judge, uint32_t frame)
{
	if (!judge->begun) {
		judge->begun = true;
		judge->now = frame;
		judge->next = frame;
	}
	/* after a stall JACK's frame time may step back: then no frame was skipped */
	int32_t jump = (int32_t)(frame - judge->next);
	if (jump > 0) {
		lose(judge, judge->now, (uint32_t)jump, CHR_LOSS_SKIPPED);
		judge->passed += (uint32_t)jump;
	}
	judge->now += (uint64_t)(int64_t)jump;
}

static void begin_sequence(struct chr_judge *judge, uint32_t frame)
{
	if (!judge->pending || (int32_t)(frame - judge->coming_frame) <= 0)
		return;
	uint32_t passed = frame - judge->coming_frame;
	judge->pending = false;
	judge->expect = judge->coming;
	judge->self = judge->coming_self;
	judge->position = 0;
	judge->passed = passed > judge->period ? passed - judge->period : 0;
	judge->adrift = 0;
}

void chr_judge_feed(struct chr_judge *judge, uint32_t frame, uint32_t frames, const float *const data[])
{
	follow_time(judge, frame);
	begin_sequence(judge, frame);
	if (judge->expect)
		compare(judge, frames, data);
	else
		listen(judge, frames, data);
	judge->next = frame + frames;
	judge->now += frames;
}
