/* A linear filter with two states, in groups of samples.
 *
 *   s' = M s + B v,   y = m0 v + n1 (s1 + s1') + n2 (s2 + s2'),   M = (b1 -b2; b2 b4),  B = (b2 b3)
 *
 * From one sample to the next that is a chain of operations that leaves the processor idle. So samples go in groups: with p = M..M and
 * q = M..M B v + .. + B v, both counted from the group's first sample, each state of the group is s = p s0 + q, and several groups are
 * worked on side by side until only s0 is missing. A group that is cut by the end of a block is left as p and q in the state and goes
 * on in the next one, with the same operations: where blocks end cannot change a bit. Realtime-safe, as everything here.
 */
#ifndef CHR_MODULES_DSP_SVF_H
#define CHR_MODULES_DSP_SVF_H

#include "modules/dsp/control.h"
#include "modules/dsp/lanes.h"
#include "modules/dsp/wide.h"

#include <assert.h>
#include <stdint.h>

#define CHR_GROUP (CHR_CHUNK / CHR_LANES) /* samples */

static_assert(CHR_GROUP == CHR_LANES, "a chunk is a square, samples of a group down, groups across");

struct chr_svf {
	double s1, s2;             /* the integrators */
	double from1, from2;       /* the same before the group; zero between groups, like p and q */
	double p11, p12, p21, p22; /* what the group has done so far */
	double q1, q2;
	uint64_t place; /* samples of the group that are done, 0..CHR_GROUP-1 */
};

/* A number for each sample of a chunk: sample `j` of group `g` at place j * CHR_LANES + g. */
union chr_square {
	double at[CHR_CHUNK];
	chr_doubles row[CHR_GROUP];
};

/* The filter multiplied out, for the samples of a chunk or, when it stands still, in the first row for all of them:
 *   s1' = b1 s1 + b2 (v - s2),  s2' = b2 s1 + b4 s2 + b3 v,  y = m0 v + n1 (s1 + s1') + n2 (s2 + s2') */
struct chr_svf_coefficients {
	union chr_square b1, b2, b3, b4, m0, n1, n2;
};

/* The states of the samples of a chunk: s = p s0 + q. */
struct chr_svf_transitions {
	union chr_square p11, p12, p21, p22;
};

/* p of all samples; `mask` is 0 when the first row of coefficients holds for all of them. */
CHR_INLINE void chr_svf_transit(struct chr_svf_transitions *to, const struct chr_svf_coefficients *c, uint32_t mask)
{
	to->p11.row[0] = c->b1.row[0];
	to->p12.row[0] = -c->b2.row[0];
	to->p21.row[0] = c->b2.row[0];
	to->p22.row[0] = c->b4.row[0];
	for (uint32_t j = 1; j < CHR_GROUP; j++) {
		const uint32_t h = j - 1, k = j & mask;

		to->p11.row[j] = c->b1.row[k] * to->p11.row[h] - c->b2.row[k] * to->p21.row[h];
		to->p12.row[j] = c->b1.row[k] * to->p12.row[h] - c->b2.row[k] * to->p22.row[h];
		to->p21.row[j] = c->b2.row[k] * to->p11.row[h] + c->b4.row[k] * to->p21.row[h];
		to->p22.row[j] = c->b2.row[k] * to->p12.row[h] + c->b4.row[k] * to->p22.row[h];
	}
}

/* Samples of a chunk, and q of each. */
struct chr_svf_batch {
	union chr_square v, q1, q2;
};

/* Takes `count` samples of whole groups, at most a chunk. */
CHR_INLINE void chr_svf_take(struct chr_svf_batch *to, const float *in, const struct chr_svf_coefficients *c, uint32_t mask,
			     uint32_t count)
{
	chr_floats wave[CHR_GROUP] = {0};

	chr_chunk_copy((float *)wave, in, count);
	chr_lanes_transpose(wave);
	for (uint32_t j = 0; j < CHR_GROUP; j++)
		to->v.row[j] = __builtin_convertvector(wave[j], chr_doubles);
	to->q1.row[0] = c->b2.row[0] * to->v.row[0];
	to->q2.row[0] = c->b3.row[0] * to->v.row[0];
	for (uint32_t j = 1; j < CHR_GROUP; j++) {
		const uint32_t h = j - 1, k = j & mask;

		to->q1.row[j] = c->b2.row[k] * to->v.row[j] + (c->b1.row[k] * to->q1.row[h] - c->b2.row[k] * to->q2.row[h]);
		to->q2.row[j] = c->b3.row[k] * to->v.row[j] + (c->b2.row[k] * to->q1.row[h] + c->b4.row[k] * to->q2.row[h]);
	}
}

/* The states before each group of a chunk, and behind the last. */
struct chr_svf_starts {
	double s1[CHR_LANES + 1], s2[CHR_LANES + 1];
};

CHR_INLINE void chr_svf_follow(struct chr_svf_starts *to, struct chr_svf *s, const struct chr_svf_batch *b,
			       const struct chr_svf_transitions *t, uint32_t count)
{
	to->s1[0] = s->s1;
	to->s2[0] = s->s2;
	for (uint32_t g = 0; g < CHR_LANES; g++) {
		const uint32_t last = CHR_CHUNK - CHR_LANES + g;

		to->s1[g + 1] = (b->q1.at[last] + t->p12.at[last] * to->s2[g]) + t->p11.at[last] * to->s1[g];
		to->s2[g + 1] = (b->q2.at[last] + t->p21.at[last] * to->s1[g]) + t->p22.at[last] * to->s2[g];
	}
	s->s1 = to->s1[count / CHR_GROUP];
	s->s2 = to->s2[count / CHR_GROUP];
}

CHR_INLINE void chr_svf_give(float *out, const struct chr_svf_batch *b, const struct chr_svf_starts *starts,
			     const struct chr_svf_coefficients *c, const struct chr_svf_transitions *t, uint32_t mask,
			     uint32_t count)
{
	chr_doubles from1, from2, s1, s2;
	chr_floats wave[CHR_GROUP];

	memcpy(&from1, starts->s1, sizeof from1);
	memcpy(&from2, starts->s2, sizeof from2);
	s1 = from1;
	s2 = from2;
	for (uint32_t j = 0; j < CHR_GROUP; j++) {
		const uint32_t k = j & mask;
		const chr_doubles next1 = (b->q1.row[j] + t->p12.row[j] * from2) + t->p11.row[j] * from1;
		const chr_doubles next2 = (b->q2.row[j] + t->p21.row[j] * from1) + t->p22.row[j] * from2;

		wave[j] = __builtin_convertvector(
			c->m0.row[k] * b->v.row[j] + c->n1.row[k] * (s1 + next1) + c->n2.row[k] * (s2 + next2), chr_floats);
		s1 = next1;
		s2 = next2;
	}
	chr_lanes_transpose(wave);
	chr_chunk_copy(out, (const float *)wave, count);
}

/* Filters one sample: the same operations on a group that a block's end cuts. */
CHR_INLINE float chr_svf_one(struct chr_svf *s, float in, const struct chr_svf_coefficients *c, uint32_t k)
{
	const double v = (double)in, b1 = c->b1.at[k], b2 = c->b2.at[k], b3 = c->b3.at[k], b4 = c->b4.at[k];
	struct chr_svf to = {.place = s->place + 1};
	double y;

	if (s->place == 0) {
		to = (struct chr_svf){.place = 1, .from1 = s->s1, .from2 = s->s2, .p11 = b1, .p12 = -b2, .p21 = b2, .p22 = b4};
		to.q1 = b2 * v;
		to.q2 = b3 * v;
	} else {
		to.from1 = s->from1;
		to.from2 = s->from2;
		to.p11 = b1 * s->p11 - b2 * s->p21;
		to.p12 = b1 * s->p12 - b2 * s->p22;
		to.p21 = b2 * s->p11 + b4 * s->p21;
		to.p22 = b2 * s->p12 + b4 * s->p22;
		to.q1 = b2 * v + (b1 * s->q1 - b2 * s->q2);
		to.q2 = b3 * v + (b2 * s->q1 + b4 * s->q2);
	}
	to.s1 = (to.q1 + to.p12 * to.from2) + to.p11 * to.from1;
	to.s2 = (to.q2 + to.p21 * to.from1) + to.p22 * to.from2;
	y = c->m0.at[k] * v + c->n1.at[k] * (s->s1 + to.s1) + c->n2.at[k] * (s->s2 + to.s2);
	*s = to.place < CHR_GROUP ? to : (struct chr_svf){.s1 = to.s1, .s2 = to.s2};
	return (float)y;
}

/* Frames that do not make whole groups: up to the end of the group that was cut, or fewer than a group. */
CHR_INLINE uint32_t chr_svf_loose(const struct chr_svf *s, uint32_t frames)
{
	const uint32_t missing = s->place ? CHR_GROUP - (uint32_t)s->place : 0;

	if (missing)
		return missing < frames ? missing : frames;
	return frames < CHR_GROUP ? frames : 0;
}

/* Frames of the whole groups among the next ones, at most a chunk. */
CHR_INLINE uint32_t chr_svf_whole(uint32_t frames)
{
	return frames < CHR_CHUNK ? frames / CHR_GROUP * CHR_GROUP : CHR_CHUNK;
}

/* Gives the first coefficients to the whole first row. */
CHR_INLINE void chr_svf_first_row(struct chr_svf_coefficients *c)
{
	union chr_square *const squares[] = {&c->b1, &c->b2, &c->b3, &c->b4, &c->m0, &c->n1, &c->n2};

	for (uint32_t i = 0; i < sizeof squares / sizeof squares[0]; i++)
		squares[i]->row[0] = squares[i]->at[0] - (chr_doubles){0};
}

/* Filters `frames` of whole groups. While the states follow each other through one chunk, the next is taken. */
CHR_INLINE void chr_svf_steady(struct chr_svf *s, float *out, const float *in, const struct chr_svf_coefficients *c,
			       uint32_t frames)
{
	struct chr_svf_transitions t;
	struct chr_svf_batch batch[2];
	struct chr_svf_starts starts;

	chr_svf_transit(&t, c, 0);
	chr_svf_take(&batch[0], in, c, 0, chr_svf_whole(frames));
	for (uint32_t at = 0, turn = 0, count; at < frames; at += count, turn = !turn) {
		const uint32_t next = at + CHR_CHUNK;

		count = chr_svf_whole(frames - at);
		chr_svf_follow(&starts, s, &batch[turn], &t, count);
		if (next < frames)
			chr_svf_take(&batch[!turn], in + next, c, 0, chr_svf_whole(frames - next));
		chr_svf_give(out + at, &batch[turn], &starts, c, &t, 0, count);
	}
}

#endif
