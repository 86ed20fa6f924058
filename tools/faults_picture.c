/* The picture: above, all that was heard, as an envelope, with every fault marked; below, single faults sample by sample. */
#include "tools/faults.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY     (1u << 17) /* samples kept for the close views */
#define BIN_FRAMES  1024u
#define VIEWS       8
#define VIEWS_FIRST 4 /* of these, faults that come first, heard or not */
#define BEFORE_MS   10u
#define AFTER_MS    30u
#define VIEW_MAX    4096
#define WIDTH       1200
#define OVERVIEW    200 /* height */
#define VIEW_HEIGHT 130
#define MARGIN      60

struct view {
	struct chr_shot shot;
	uint32_t frames;
	float data[VIEW_MAX];
};

struct bin {
	float low, high;
};

struct chr_picture {
	unsigned rate;
	float *history; /* left channel, by frame */
	uint64_t begin, end;
	struct bin *bin;
	size_t bins, room;
	struct view view[VIEWS];
	unsigned views;
	bool begun;
};

struct chr_picture *chr_picture_create(unsigned rate)
{
	struct chr_picture *picture = calloc(1, sizeof *picture);
	if (picture && !(picture->history = calloc(HISTORY, sizeof(float)))) {
		free(picture);
		return NULL;
	}
	if (picture)
		picture->rate = rate;
	return picture;
}

void chr_picture_destroy(struct chr_picture *picture)
{
	if (!picture)
		return;
	free(picture->history);
	free(picture->bin);
	free(picture);
}

static void put(struct chr_picture *picture, uint64_t frame, float value)
{
	size_t at = (size_t)((frame - picture->begin) / BIN_FRAMES);
	picture->history[frame % HISTORY] = value;
	if (at >= picture->room) {
		size_t room = at < 4096 ? 8192 : 2 * at;
		struct bin *grown = realloc(picture->bin, room * sizeof *grown);
		if (!grown)
			return;
		picture->bin = grown;
		picture->room = room;
	}
	for (; picture->bins <= at; picture->bins++)
		picture->bin[picture->bins] = (struct bin){0, 0};
	picture->bin[at].low = fminf(picture->bin[at].low, value);
	picture->bin[at].high = fmaxf(picture->bin[at].high, value);
}

/* Frames that were skipped are silence. A server that began anew begins its frames anew: what comes then is not drawn. */
void chr_picture_heard(void *self, uint64_t frame, uint32_t frames, const float *const data[])
{
	struct chr_picture *picture = self;
	if (!picture->begun) {
		picture->begun = true;
		picture->begin = picture->end = frame;
	}
	if (frame < picture->end || frame - picture->end > 60ull * picture->rate)
		return;
	while (picture->end < frame)
		put(picture, picture->end++, 0.0f);
	for (uint32_t i = 0; i < frames; i++)
		put(picture, picture->end++, data[0][i]);
}

void chr_picture_shot(struct chr_picture *picture, const struct chr_shot *shot)
{
	uint64_t centre = shot->lost ? shot->lost_at : shot->frame;
	uint64_t from = centre - (uint64_t)BEFORE_MS * picture->rate / 1000,
		 to = centre + (uint64_t)AFTER_MS * picture->rate / 1000;
	if (picture->views == VIEWS || (!shot->lost && picture->views >= VIEWS_FIRST))
		return;
	if (from < picture->begin || to > picture->end || picture->end - from > HISTORY || to - from > VIEW_MAX)
		return;
	struct view *view = &picture->view[picture->views++];
	view->shot = *shot;
	view->frames = (uint32_t)(to - from);
	for (uint32_t i = 0; i < view->frames; i++)
		view->data[i] = picture->history[(from + i) % HISTORY];
}

static void text(FILE *file, double x, double y, const char *words)
{
	fprintf(file, "<text x='%.1f' y='%.1f'>%s</text>\n", x, y, words);
}

static void mark(FILE *file, double x, double top, double height, bool heard)
{
	fprintf(file, "<line x1='%.2f' x2='%.2f' y1='%.1f' y2='%.1f' class='%s'/>\n", x, x, top, top + height,
		heard ? "heard" : "fault");
}

static void draw_overview(FILE *file, const struct chr_picture *picture, const struct chr_campaign *campaign)
{
	const double middle = 40 + OVERVIEW / 2.0, frames = (double)(picture->end - picture->begin);
	fprintf(file, "<path class='wave' d='");
	for (int x = 0; picture->bins && x < WIDTH; x++) {
		size_t from = picture->bins * (size_t)x / WIDTH, to = picture->bins * (size_t)(x + 1) / WIDTH;
		struct bin all = picture->bin[from];
		for (size_t i = from; i < to; i++) {
			all.low = fminf(all.low, picture->bin[i].low);
			all.high = fmaxf(all.high, picture->bin[i].high);
		}
		fprintf(file, "M%d %.1fV%.1f", MARGIN + x, middle - (double)all.high * OVERVIEW / 2,
			middle - (double)all.low * OVERVIEW / 2);
	}
	fprintf(file, "'/>\n");
	for (unsigned i = 0; i < campaign->shots; i++) {
		const struct chr_shot *shot = &campaign->shot[i];
		if (shot->frame < picture->begin || shot->frame > picture->end)
			continue;
		double x = MARGIN + WIDTH * (double)(shot->frame - picture->begin) / frames;
		mark(file, x, shot->lost ? 40 : 40 + OVERVIEW - 12, shot->lost ? OVERVIEW : 12, shot->lost);
	}
	char words[96];
	snprintf(words, sizeof words, "%.0f s", frames / picture->rate);
	text(file, MARGIN + WIDTH - 30, 40 + OVERVIEW + 16, words);
	text(file, MARGIN, 40 + OVERVIEW + 16, "0 s");
}

static void draw_view(FILE *file, const struct view *view, double top, unsigned rate)
{
	char words[200];
	double middle = top + VIEW_HEIGHT / 2.0, blow = view->shot.lost ? -1 : BEFORE_MS * (double)rate / 1000;
	snprintf(words, sizeof words, "%s %s/%c: %u frames lost", view->shot.kind->name, view->shot.module,
		 'a' + (char)view->shot.lane, view->shot.lost);
	if (view->shot.lost)
		snprintf(words + strlen(words), sizeof words - strlen(words), ", the first %.1f ms after the blow%s",
			 ((double)view->shot.lost_at - (double)view->shot.frame) * 1000.0 / rate,
			 view->shot.stalled ? "; the machine stalled" : "");
	text(file, MARGIN, top - 6, words);
	fprintf(file, "<polyline class='line' points='");
	for (uint32_t i = 0; i < view->frames; i++)
		fprintf(file, "%.2f,%.1f ", MARGIN + WIDTH * (double)i / view->frames,
			middle - (double)view->data[i] * VIEW_HEIGHT / 2);
	fprintf(file, "'/>\n");
	if (view->shot.lost)
		blow = BEFORE_MS * (double)rate / 1000 + (double)view->shot.frame - (double)view->shot.lost_at;
	if (blow >= 0)
		mark(file, MARGIN + WIDTH * blow / view->frames, top, VIEW_HEIGHT, view->shot.lost);
}

int chr_picture_write(const struct chr_picture *picture, const struct chr_campaign *campaign, const char *path)
{
	const struct chr_campaign_options *options = &campaign->options;
	FILE *file = fopen(path, "w");
	char words[200];
	if (!file)
		return -1;
	fprintf(file,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' font-family='sans-serif' font-size='12'>\n"
		"<style>.wave{stroke:#3b6ea5;fill:none}.line{stroke:#3b6ea5;fill:none;stroke-width:1}.fault{stroke:#e8a33d;stroke-"
		"width:1}"
		".heard{stroke:#d0021b;stroke-width:1.5}</style>\n<rect width='100%%' height='100%%' fill='white'/>\n",
		WIDTH + 2 * MARGIN, 40 + OVERVIEW + 40 + (int)picture->views * (VIEW_HEIGHT + 30) + 20);
	snprintf(words, sizeof words, "%s, %u frames, %u lane%s, seed %u: left channel; faults yellow, faults that were heard red",
		 options->pipewire ? "PipeWire" : "jackd2", options->period, options->lanes, options->lanes == 1 ? "" : "s",
		 options->seed);
	text(file, MARGIN, 26, words);
	draw_overview(file, picture, campaign);
	for (unsigned i = 0; i < picture->views; i++)
		draw_view(file, &picture->view[i], 40 + OVERVIEW + 50 + i * (VIEW_HEIGHT + 30), picture->rate);
	fprintf(file, "</svg>\n");
	return fclose(file) ? -1 : 0;
}
