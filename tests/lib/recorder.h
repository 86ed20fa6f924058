/* A JACK client that records ports into memory together with the frame time of every cycle.
 *
 * A recorder without ports is a watch: nothing in the graph feeds it, so the frames that it misses were lost by the machine or the
 * server and not by what is tested. It also sees a single processor
 * stall (tests/lib/stall.h), which may hold up the graph and not the watch. Functions belong to the main thread; the callback allocates and blocks nowhere.
 */
#ifndef CHR_TESTS_LIB_RECORDER_H
#define CHR_TESTS_LIB_RECORDER_H

#include <jack/jack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHR_RECORDER_PORTS 8

struct chr_recorder;

/* Opens a client with inputs in_1 .. in_<ports> (0..CHR_RECORDER_PORTS) and room for `frames` frames. NULL when JACK refuses. */
struct chr_recorder *chr_recorder_create(const char *client, unsigned ports, size_t frames);
void chr_recorder_destroy(struct chr_recorder *rec);

jack_client_t *chr_recorder_client(struct chr_recorder *rec);

/* Connects the output `source` to input `port` (0..). 0, or -1 after waiting `timeout_ms` for it to be possible. */
int chr_recorder_connect(struct chr_recorder *rec, unsigned port, const char *source, int timeout_ms);

/* Forgets what was recorded and records from the next cycle on, until the room is full. */
void chr_recorder_start(struct chr_recorder *rec);

/* Waits until `frames` frames (at most the room) are recorded. False when 5 s pass without a cycle: the server has died. */
bool chr_recorder_wait(struct chr_recorder *rec, size_t frames);

/* Records `frames` frames, while `watch` (a recorder without ports, with the same room; may be NULL) looks on, and ends the recording. False when the server died. */
bool chr_recorder_take(struct chr_recorder *rec, struct chr_recorder *watch, size_t frames);

/* Ends the recording; what is recorded stays. Until then the data must not be read. */
void chr_recorder_stop(struct chr_recorder *rec);

size_t chr_recorder_frames(const struct chr_recorder *rec);
const float *chr_recorder_data(const struct chr_recorder *rec, unsigned port);

/* Times that the frame time jumped between two cycles, and the frames lost by it. Skipped frames are not in the data. */
unsigned chr_recorder_skips(const struct chr_recorder *rec);
size_t chr_recorder_skipped(const struct chr_recorder *rec);

/* Times that a watch saw the machine fail since chr_recorder_start(), until chr_recorder_stop(): its own skips, and stalls of a processor of more than half a period. */
unsigned chr_recorder_stalls(const struct chr_recorder *watch);

/* Frame time of sample `i` of the data, and the other way round: place of frame time `frame`; -1 when it is not in the data. */
jack_nframes_t chr_recorder_frame(const struct chr_recorder *rec, size_t i);
long long chr_recorder_place(const struct chr_recorder *rec, jack_nframes_t frame);

/* Does the data hold every frame from frame time `from` to `to`? */
bool chr_recorder_whole(const struct chr_recorder *rec, jack_nframes_t from, jack_nframes_t to);

/* The longest part of the data without a skip: its length (frames) and, in *from, its start. */
size_t chr_recorder_stretch(const struct chr_recorder *rec, size_t *from);

/* Records `frames` frames up to five times, until a stretch of at least `least` frames is without a skip, however badly the machine stalls besides.
 * Length and start of the longest as above; less than `least` when there was none. */
size_t chr_recorder_take_stretch(struct chr_recorder *rec, size_t frames, size_t least, size_t *from);

/* Writes the data to a 32-bit float WAV file. 0 or -1. */
int chr_recorder_save(const struct chr_recorder *rec, const char *path);

#endif
