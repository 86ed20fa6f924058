/* A linear filter with two states, in groups of samples.
 *
 *   s' = M s + B v,   y = m0 v + n1 (s1 + s1') + n2 (s2 + s2'),   M = (b1 -b2; b2 b4),  B = (b2 b3)
 *
 * From one sample to the next that is a chain of operations that leaves the processor idle. So samples go in groups: with p = M..M and
 * q = M..M B v + .. + B v, both counted from the group's first sample, each state of the group is p s + q with the state s before the
 * group, and each output c s + r with c made of p and r of q. Several groups are worked on side by side until only s is missing. A
 * group that is cut by the end of a block is left as p and q in the state and goes on in the next one, with the same operations:
 * where blocks end cannot change a bit. Realtime-safe, as everything here.
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
	double s1, s2;             /* the integrators before the group */
	double p11, p12, p21, p22; /* what the group has done so far; zero between groups */
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

/* What the coefficients alone make of the groups of a chunk: c of each sample, p of the last. */
struct chr_svf_course {
	chr_doubles c1[CHR_GROUP], c2[CHR_GROUP], p11, p12, p21, p22;
};

/* `mask` is 0 when the first row of coefficients holds for all rows. */
CHR_INLINE void chr_svf_plan(struct chr_svf_course *to, const struct chr_svf_coefficients *c, uint32_t mask)
{
	chr_doubles p11 = c->b1.row[0], p12 = -c->b2.row[0], p21 = c->b2.row[0], p22 = c->b4.row[0];

	to->c1[0] = c->n1.row[0] * (1.0 + p11) + c->n2.row[0] * p21;
	to->c2[0] = c->n1.row[0] * p12 + c->n2.row[0] * (1.0 + p22);
	for (uint32_t j = 1; j < CHR_GROUP; j++) {
		const uint32_t k = j & mask;
		const chr_doubles h11 = p11, h12 = p12, h21 = p21, h22 = p22;

		p11 = c->b1.row[k] * h11 - c->b2.row[k] * h21;
		p12 = c->b1.row[k] * h12 - c->b2.row[k] * h22;
		p21 = c->b2.row[k] * h11 + c->b4.row[k] * h21;
		p22 = c->b2.row[k] * h12 + c->b4.row[k] * h22;
		to->c1[j] = c->n1.row[k] * (h11 + p11) + c->n2.row[k] * (h21 + p21);
		to->c2[j] = c->n1.row[k] * (h12 + p12) + c->n2.row[k] * (h22 + p22);
	}
	to->p11 = p11;
	to->p12 = p12;
	to->p21 = p21;
	to->p22 = p22;
}

/* What the samples alone make of them: r of each, q of the last. */
struct chr_svf_batch {
	chr_doubles r[CHR_GROUP], q1, q2;
};

/* Takes `count` samples of whole groups, at most a chunk. */
CHR_INLINE void chr_svf_take(struct chr_svf_batch *to, const float *in, const struct chr_svf_coefficients *c, uint32_t mask,
			     uint32_t count)
{
	chr_floats wave[CHR_GROUP];
	chr_doubles v, q1, q2;

	chr_lanes_load(wave, in, count / CHR_GROUP);
	chr_lanes_transpose(wave);
	v = __builtin_convertvector(wave[0], chr_doubles);
	q1 = c->b2.row[0] * v;
	q2 = c->b3.row[0] * v;
	to->r[0] = c->m0.row[0] * v + c->n1.row[0] * q1 + c->n2.row[0] * q2;
	for (uint32_t j = 1; j < CHR_GROUP; j++) {
		const uint32_t k = j & mask;
		const chr_doubles h1 = q1, h2 = q2;

		v = __builtin_convertvector(wave[j], chr_doubles);
		q1 = c->b2.row[k] * v + (c->b1.row[k] * h1 - c->b2.row[k] * h2);
		q2 = c->b3.row[k] * v + (c->b2.row[k] * h1 + c->b4.row[k] * h2);
		to->r[j] = c->m0.row[k] * v + c->n1.row[k] * (h1 + q1) + c->n2.row[k] * (h2 + q2);
	}
	to->q1 = q1;
	to->q2 = q2;
}

/* The states before each group of a chunk. */
struct chr_svf_starts {
	chr_doubles s1, s2;
};

CHR_INLINE void chr_svf_follow(struct chr_svf_starts *to, struct chr_svf *s, const struct chr_svf_batch *b,
			       const struct chr_svf_course *t, uint32_t count)
{
	double s1 = s->s1, s2 = s->s2;

	for (uint32_t g = 0; g < CHR_LANES; g++) {
		const double h1 = s1, h2 = s2;

		to->s1[g] = h1;
		to->s2[g] = h2;
		s1 = (b->q1[g] + t->p12[g] * h2) + t->p11[g] * h1;
		s2 = (b->q2[g] + t->p21[g] * h1) + t->p22[g] * h2;
	}
	s->s1 = count < CHR_CHUNK ? to->s1[count / CHR_GROUP] : s1;
	s->s2 = count < CHR_CHUNK ? to->s2[count / CHR_GROUP] : s2;
}

CHR_INLINE void chr_svf_give(float *out, const struct chr_svf_batch *b, const struct chr_svf_starts *starts,
			     const struct chr_svf_course *t, uint32_t count)
{
	chr_floats wave[CHR_GROUP];

	for (uint32_t j = 0; j < CHR_GROUP; j++)
		wave[j] = __builtin_convertvector(b->r[j] + t->c1[j] * starts->s1 + t->c2[j] * starts->s2, chr_floats);
	chr_lanes_transpose(wave);
	chr_lanes_store(out, wave, count / CHR_GROUP);
}

/* Filters one sample: the same operations on a group that a block's end cuts. */
CHR_INLINE float chr_svf_one(struct chr_svf *s, float in, const struct chr_svf_coefficients *c, uint32_t k)
{
	const double v = (double)in, b1 = c->b1.at[k], b2 = c->b2.at[k], b3 = c->b3.at[k], b4 = c->b4.at[k];
	const double m0 = c->m0.at[k], n1 = c->n1.at[k], n2 = c->n2.at[k];
	struct chr_svf to = {.s1 = s->s1, .s2 = s->s2, .place = s->place + 1};
	double c1, c2, r;

	if (s->place == 0) {
		to.p11 = b1;
		to.p12 = -b2;
		to.p21 = b2;
		to.p22 = b4;
		to.q1 = b2 * v;
		to.q2 = b3 * v;
		c1 = n1 * (1.0 + to.p11) + n2 * to.p21;
		c2 = n1 * to.p12 + n2 * (1.0 + to.p22);
		r = m0 * v + n1 * to.q1 + n2 * to.q2;
	} else {
		to.p11 = b1 * s->p11 - b2 * s->p21;
		to.p12 = b1 * s->p12 - b2 * s->p22;
		to.p21 = b2 * s->p11 + b4 * s->p21;
		to.p22 = b2 * s->p12 + b4 * s->p22;
		to.q1 = b2 * v + (b1 * s->q1 - b2 * s->q2);
		to.q2 = b3 * v + (b2 * s->q1 + b4 * s->q2);
		c1 = n1 * (s->p11 + to.p11) + n2 * (s->p21 + to.p21);
		c2 = n1 * (s->p12 + to.p12) + n2 * (s->p22 + to.p22);
		r = m0 * v + n1 * (s->q1 + to.q1) + n2 * (s->q2 + to.q2);
	}
	if (to.place == CHR_GROUP)
		*s = (struct chr_svf){.s1 = (to.q1 + to.p12 * to.s2) + to.p11 * to.s1,
				      .s2 = (to.q2 + to.p21 * to.s1) + to.p22 * to.s2};
	else
		*s = to;
	return (float)(r + c1 * to.s1 + c2 * to.s2);
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
	struct chr_svf_course t;
	struct chr_svf_batch batch[2];
	struct chr_svf_starts starts;

	chr_svf_plan(&t, c, 0);
	chr_svf_take(&batch[0], in, c, 0, chr_svf_whole(frames));
	for (uint32_t at = 0, turn = 0, count; at < frames; at += count, turn = !turn) {
		const uint32_t next = at + CHR_CHUNK;

		count = chr_svf_whole(frames - at);
		chr_svf_follow(&starts, s, &batch[turn], &t, count);
		if (next < frames)
			chr_svf_take(&batch[!turn], in + next, c, 0, chr_svf_whole(frames - next));
		chr_svf_give(out + at, &batch[turn], &starts, &t, count);
	}
}

#endif
