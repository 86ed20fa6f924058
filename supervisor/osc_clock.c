#include "supervisor/osc_clock.h"

#include "common/event.h"
#include "supervisor/osc.h"

#include <math.h>
#include <time.h>

#define SECOND_NS       INT64_C(1000000000)
#define SAMPLE_NS       INT64_C(5000000)   /* the least time between two measurements */
#define STEP_NS         INT64_C(20000000)  /* a step of one frame per 20 ms at most: follows a drift of 1000 ppm at 48 kHz */
#define SMOOTH_NS       1e9                /* time constant of the smoothed distance */
#define BAND_PER_SECOND 12000              /* dead band: 1/12000 s (4 frames at 48 kHz) */
#define JUMP_PER_SECOND 1000               /* a jump: 1 ms */
#define AWAY_NS         INT64_C(150000000) /* a jump is one that lasts: after a late wake-up JACK's view comes back by itself */
#define GOOD_MANY       40                 /* measurements that agree with a point make it an old one */
#define SUBSAMPLES      21 /* readings 1 us apart in one measurement: about a frame, so that rounding averages out */
#define TRIES           4  /* readings of both clocks, of which the tightest counts */
#define TIGHT_NS        3000
#define LOOSE_NS        100000 /* a wider reading is not used */
#define NTP_TO_UNIX_S   INT64_C(2208988800)

int64_t chr_osc_real_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

void chr_osc_map_reset(struct chr_osc_map *map)
{
	*map = (struct chr_osc_map){.now_ns = map->now_ns};
}

static int64_t map_now(const struct chr_osc_map *map)
{
	return map->now_ns ? map->now_ns() : chr_osc_real_ns();
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Whole seconds are taken apart first: the product of the rest cannot overflow. */
uint32_t chr_osc_map_frame(const struct chr_osc_map *map, int64_t real_ns)
{
	int64_t distance = real_ns - map->real_ns;
	int64_t seconds = floor_div(distance, SECOND_NS);
	int64_t rest = distance - seconds * SECOND_NS;
	int64_t frames = seconds * map->rate + (rest * map->rate + SECOND_NS / 2) / SECOND_NS;

	return map->frame + (uint32_t)frames;
}

int64_t chr_osc_map_time(const struct chr_osc_map *map, uint32_t frame)
{
	int64_t distance = chr_frames_diff(frame, map->frame);
	int64_t seconds = floor_div(distance, map->rate);
	int64_t rest = distance - seconds * map->rate;

	return map->real_ns + seconds * SECOND_NS + (rest * SECOND_NS + map->rate / 2) / map->rate;
}

struct reading {
	int64_t real_ns;
	uint64_t jack_us;
	int64_t width_ns; /* the two clocks were read this far apart at most */
};

/* Both clocks at the same moment, as nearly as this thread gets: a preemption between the calls shows in the width. */
static struct reading read_both(const struct chr_osc_map *map, const struct chr_osc_host *host)
{
	struct reading best = {.width_ns = INT64_MAX};

	for (unsigned i = 0; i < TRIES && best.width_ns > TIGHT_NS; i++) {
		int64_t before = map_now(map);
		uint64_t us = host->time_now_us(host->self);
		int64_t after = map_now(map);

		if (after - before < best.width_ns)
			best = (struct reading){before + (after - before) / 2, us, after - before};
	}
	return best;
}

/* How far JACK's frame for a moment lies after the frame the map gives (frames, with a fraction). */
static double distance(const struct chr_osc_map *map, const struct chr_osc_host *host, const struct reading *at)
{
	double sum = 0;

	for (unsigned i = 0; i < SUBSAMPLES; i++) {
		int64_t since_ns = at->real_ns + i * INT64_C(1000) - map->real_ns;
		int64_t seconds = floor_div(since_ns, SECOND_NS);
		uint32_t second_frame = map->frame + (uint32_t)(seconds * map->rate);
		double mapped = (double)(since_ns - seconds * SECOND_NS) * map->rate / 1e9;

		sum += chr_frames_diff(host->time_to_frame(host->self, at->jack_us + i), second_frame) - mapped;
	}
	return sum / SUBSAMPLES;
}

static void anchor(struct chr_osc_map *map, const struct chr_osc_host *host, unsigned rate)
{
	struct reading at = read_both(map, host);

	chr_osc_map_reset(map);
	map->rate = rate;
	map->real_ns = map->sampled_ns = map->stepped_ns = at.real_ns;
	map->frame = host->time_to_frame(host->self, at.jack_us);
	map->real_ns -= (int64_t)(distance(map, host, &at) * 1e9 / rate);
}

/* Keeps the point near the present, so that distances stay small; by whole seconds, which are whole frames. */
static void move_up(struct chr_osc_map *map, int64_t now_ns)
{
	int64_t seconds = floor_div(now_ns - map->real_ns, SECOND_NS);

	map->real_ns += seconds * SECOND_NS;
	map->frame += (uint32_t)(seconds * map->rate);
}

static void step(struct chr_osc_map *map, int64_t now_ns)
{
	double band = (double)map->rate / BAND_PER_SECOND;
	int64_t granted = (now_ns - map->stepped_ns) / STEP_NS;

	if (granted <= 0)
		return;
	map->stepped_ns += granted * STEP_NS;
	while (granted-- > 0 && fabs(map->error) > band) {
		int sign = map->error > 0 ? 1 : -1;

		map->frame += (uint32_t)sign;
		map->error -= sign;
	}
}

/* One measurement: how far JACK is from the map. False when this thread was held up so long that it says nothing. */
static bool measure(const struct chr_osc_map *map, const struct chr_osc_host *host, double *frames)
{
	struct reading at = read_both(map, host);

	*frames = distance(map, host, &at);
	return at.width_ns <= LOOSE_NS;
}

void chr_osc_map_update(struct chr_osc_map *map, const struct chr_osc_host *host, unsigned rate)
{
	int64_t now_ns = map_now(map), gap = now_ns - map->sampled_ns;
	double frames, jump = (double)rate / JUMP_PER_SECOND;

	if (rate == 0) {
		chr_osc_map_reset(map);
		return;
	}
	if (map->rate != rate) {
		anchor(map, host, rate);
		return;
	}
	if ((gap >= 0 && gap < SAMPLE_NS) || !measure(map, host, &frames))
		return;
	if (gap < 0 || fabs(frames) > jump) {
		map->sampled_ns = now_ns;
		if (!map->away_ns || now_ns < map->away_ns)
			map->away_ns = now_ns;
		/* a point that is young may have been taken before JACK knew its own time */
		if (map->good < GOOD_MANY || now_ns - map->away_ns >= AWAY_NS)
			anchor(map, host, rate);
		return;
	}
	map->away_ns = 0;
	map->good += map->good < GOOD_MANY;
	map->error += (frames - map->error) * fmax(0, fmin(1, (double)gap / SMOOTH_NS));
	map->sampled_ns = now_ns;
	move_up(map, now_ns);
	step(map, now_ns);
}

int64_t chr_osc_timetag_ns(uint64_t timetag, int64_t near_ns)
{
	int64_t near_s = near_ns / SECOND_NS + NTP_TO_UNIX_S;
	int64_t seconds = near_s + (int32_t)((uint32_t)(timetag >> 32) - (uint32_t)near_s);
	uint64_t fraction = timetag & UINT32_MAX;

	return (seconds - NTP_TO_UNIX_S) * SECOND_NS + (int64_t)((fraction * (uint64_t)SECOND_NS + (UINT64_C(1) << 31)) >> 32);
}

uint64_t chr_osc_ns_timetag(int64_t real_ns)
{
	int64_t seconds = floor_div(real_ns, SECOND_NS);
	uint64_t rest = (uint64_t)(real_ns - seconds * SECOND_NS);

	return (uint64_t)(seconds + NTP_TO_UNIX_S) << 32 | ((rest << 32) + (uint64_t)SECOND_NS / 2) / (uint64_t)SECOND_NS;
}
