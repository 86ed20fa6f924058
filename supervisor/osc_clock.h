/* The map from the computer's clock (CLOCK_REALTIME: kernel receive times, timetags) to JACK's frames.
 *
 * One point and the nominal sample rate: two times that are k frames apart land exactly k frames apart. The clocks drift against each
 * other, so the point is compared with JACK's own view every few milliseconds, and moved by single whole frames, slowly and only when
 * the smoothed distance leaves a dead band: a step of one frame (21 us) is the most jitter the map ever adds. A jump of more
 * than a millisecond that lasts (a clock that was set) takes a new point.
 *
 * Times are nanoseconds of CLOCK_REALTIME since 1970. Control thread only.
 */
#ifndef CHR_SUPERVISOR_OSC_CLOCK_H
#define CHR_SUPERVISOR_OSC_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CHR_OSC_IMMEDIATELY UINT64_C(1) /* the timetag that means now */

struct chr_osc_host;

struct chr_osc_map {
	unsigned rate;           /* frames per second; 0: the map has no point */
	int64_t real_ns;         /* the point: at this time ... */
	uint32_t frame;          /* ... this frame begins */
	double error;            /* smoothed distance of JACK's view from the map (frames) */
	int64_t sampled_ns;      /* when it was last measured */
	unsigned good;           /* measurements since it was taken that agree with it */
	int64_t away_ns;         /* since when it has been more than a jump; 0: it is not */
	int64_t stepped_ns;      /* up to when steps have been granted */
	int64_t (*now_ns)(void); /* CLOCK_REALTIME; a test puts its own here. NULL: the system's */
};

/* CLOCK_REALTIME now. */
int64_t chr_osc_real_ns(void);

/* Forgets the point; now_ns stays. */
void chr_osc_map_reset(struct chr_osc_map *map);

/* Compares with JACK (at most every 5 ms) and keeps the map near it. `rate` 0: there is no server; the map has no point. */
void chr_osc_map_update(struct chr_osc_map *map, const struct chr_osc_host *host, unsigned rate);

/* The frame nearest to a time. Only while the map has a point; times up to a day away. */
uint32_t chr_osc_map_frame(const struct chr_osc_map *map, int64_t real_ns);

/* The time at which a frame begins, rounded to nearest; frames less than 2^31 away from the point. */
int64_t chr_osc_map_time(const struct chr_osc_map *map, uint32_t frame);

/* OSC timetags (NTP: seconds since 1900 and 2^-32 s). The era is the one nearest to `near_ns`. */
int64_t chr_osc_timetag_ns(uint64_t timetag, int64_t near_ns);
uint64_t chr_osc_ns_timetag(int64_t real_ns);

#endif
