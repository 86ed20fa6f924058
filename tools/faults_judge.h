/* The judgement: is what was heard what had to be heard, frame by frame and bit for bit?
 *
 * The expected sound is a sequence of samples that depends on nothing but how many samples the modules have computed. JACK's frame
 * time tells how many frames went by. A frame is lost when it was skipped (the frame time jumped over it), silent, or different from the
 * sequence. After a loss the sequence goes on where the modules stand: they compute in every cycle that the server runs, heard or
 * not, and in none that it skips; so it goes on at the first sample that was not heard, or any number of periods later up to as
 * many as went by. A sequence that goes on anywhere else is out of step: those frames are lost too, and the step is counted.
 *
 * A judge without a reference (`expect` NULL) knows sound from silence only: the frames that were skipped or silent on all channels are lost.
 *
 * One thread; not realtime.
 */
#ifndef CHR_TOOLS_FAULTS_JUDGE_H
#define CHR_TOOLS_FAULTS_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#define CHR_JUDGE_CHANNELS 2

enum chr_loss_kind { CHR_LOSS_SKIPPED, CHR_LOSS_SILENT, CHR_LOSS_WRONG, CHR_LOSS_STEP };
extern const char *const chr_loss_name[];

/* Frames lost in one cycle, or skipped before it. */
struct chr_loss {
	uint64_t frame; /* where they begin, counted without a wrap from the judge's first frame */
	uint32_t frames;
	enum chr_loss_kind kind;
};

/* Fills out[channel] with the expected samples `at` .. `at` + frames - 1. `at` may lie up to CHR_JUDGE_BACK samples behind the highest
 * that was ever asked for. */
typedef void chr_judge_expect(void *self, uint64_t at, uint32_t frames, float *const out[CHR_JUDGE_CHANNELS]);

struct chr_judge {
	chr_judge_expect *expect;
	void *self;
	void (*lost)(void *arg, const struct chr_loss *loss);
	void *arg;
	unsigned channels;
	uint32_t period;

	uint64_t position; /* next expected sample */
	uint64_t passed;   /* frames that went by since the sequence was last heard: how far it may have gone on unheard */
	bool pending;      /* a new sequence waits for its frame: */
	chr_judge_expect *coming;
	void *coming_self;
	uint32_t coming_frame;
	bool begun;            /* a cycle was seen */
	uint32_t next;         /* frame at which the next cycle should begin */
	uint64_t now;          /* the same without a wrap */
	uint64_t right, wrong; /* frames judged */
	uint64_t steps;        /* times out of step */
	uint32_t adrift;       /* cycles in a row that were neither silent nor to be found in the sequence */
	double off;            /* the most by which the last of them differed from the sequence, where it is nearest to it */
};

#define CHR_JUDGE_BACK  65536u
#define CHR_JUDGE_BLOCK 8192u
#define CHR_JUDGE_AHEAD 32768u /* how far on the sequence is looked for after a loss */

void chr_judge_init(struct chr_judge *judge, unsigned channels, uint32_t period);

/* A new sequence: its first samples were computed in the cycle that began at frame time `frame`, and are expected in the next one. What
 * comes up to that cycle is still judged as before. `expect` NULL: from there on without a reference. */
void chr_judge_sync(struct chr_judge *judge, chr_judge_expect *expect, void *self, uint32_t frame);

/* A cycle of `frames` (1..CHR_JUDGE_BLOCK) frames that began at frame time `frame`. */
void chr_judge_feed(struct chr_judge *judge, uint32_t frame, uint32_t frames, const float *const data[]);

#endif
