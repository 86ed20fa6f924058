#include "tests/lib/recorder.h"

#include "tests/lib/child.h"
#include "tests/lib/stall.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PERIOD_MIN 16 /* frames; the room for cycles is reckoned by it */
#define TAKES_MAX  5

struct cycle {
	size_t place; /* of its first sample in the data */
	jack_nframes_t frame;
};

struct chr_recorder {
	jack_client_t *client;
	unsigned ports;
	size_t room;
	jack_port_t *port[CHR_RECORDER_PORTS];
	float *data[CHR_RECORDER_PORTS];
	struct cycle *cycle;
	size_t cycles, cycle_room;
	size_t skipped;
	unsigned skips;
	jack_nframes_t next;                  /* frame at which the next cycle should begin */
	struct chr_stall *stall;              /* of a watch */
	unsigned stalls_before, stalls_after; /* when the recording began and ended */

	_Atomic size_t frames; /* recorded; stored by the audio thread */
	_Atomic size_t goal;   /* frames at which the waiter wants to be woken */
	_Atomic int wanted;    /* main thread: 1 = record */
	_Atomic int active;    /* audio thread's answer */
	sem_t reached, answered;
};

static void note_cycle(struct chr_recorder *rec, size_t place, jack_nframes_t now, jack_nframes_t n)
{
	if (place > 0 && now != rec->next) {
		int32_t lost = (int32_t)(now - rec->next); /* after a stall JACK's frame time may step back */
		rec->skips++;
		rec->skipped += lost > 0 ? (size_t)lost : 0;
	}
	rec->next = now + n;
	rec->cycle[rec->cycles++] = (struct cycle){.place = place, .frame = now};
}

static int process(jack_nframes_t n, void *arg)
{
	struct chr_recorder *rec = arg;
	int wanted = atomic_load_explicit(&rec->wanted, memory_order_acquire);
	if (wanted != atomic_load_explicit(&rec->active, memory_order_relaxed)) {
		atomic_store_explicit(&rec->active, wanted, memory_order_release);
		sem_post(&rec->answered);
	}
	size_t have = atomic_load_explicit(&rec->frames, memory_order_relaxed);
	if (!wanted || have + n > rec->room || rec->cycles == rec->cycle_room)
		return 0;
	note_cycle(rec, have, jack_last_frame_time(rec->client), n);
	for (unsigned i = 0; i < rec->ports; i++)
		memcpy(rec->data[i] + have, jack_port_get_buffer(rec->port[i], n), n * sizeof(float));
	atomic_store_explicit(&rec->frames, have + n, memory_order_release);
	size_t goal = atomic_load_explicit(&rec->goal, memory_order_relaxed);
	if (have < goal && have + n >= goal)
		sem_post(&rec->reached);
	return 0;
}

static int open_ports(struct chr_recorder *rec)
{
	for (unsigned i = 0; i < rec->ports; i++) {
		char name[16];
		snprintf(name, sizeof name, "in_%u", i + 1);
		rec->port[i] = jack_port_register(rec->client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
		rec->data[i] = malloc(rec->room * sizeof(float));
		if (!rec->port[i] || !rec->data[i])
			return -1;
		memset(rec->data[i], 0, rec->room * sizeof(float));
	}
	return 0;
}

struct chr_recorder *chr_recorder_create(const char *client, unsigned ports, size_t frames)
{
	struct chr_recorder *rec = calloc(1, sizeof *rec);
	if (!rec)
		return NULL;
	sem_init(&rec->reached, 0, 0);
	sem_init(&rec->answered, 0, 0);
	rec->ports = ports;
	rec->client = jack_client_open(client, JackNoStartServer | JackUseExactName, NULL);
	if (!rec->client)
		goto fail;
	rec->room = frames + jack_get_buffer_size(rec->client);
	rec->cycle_room = rec->room / PERIOD_MIN + 1;
	rec->cycle = calloc(rec->cycle_room, sizeof *rec->cycle);
	if (!rec->cycle || open_ports(rec) < 0)
		goto fail;
	if (!ports) /* what takes away half of a period may well make a client late */
		rec->stall = chr_stall_create(
			(unsigned)(500000ull * jack_get_buffer_size(rec->client) / jack_get_sample_rate(rec->client)));
	jack_set_process_callback(rec->client, process, rec);
	if (jack_activate(rec->client) != 0)
		goto fail;
	return rec;
fail:
	chr_recorder_destroy(rec);
	return NULL;
}

void chr_recorder_destroy(struct chr_recorder *rec)
{
	if (!rec)
		return;
	if (rec->client)
		jack_client_close(rec->client);
	chr_stall_destroy(rec->stall);
	for (unsigned i = 0; i < rec->ports; i++)
		free(rec->data[i]);
	free(rec->cycle);
	sem_destroy(&rec->reached);
	sem_destroy(&rec->answered);
	free(rec);
}

jack_client_t *chr_recorder_client(struct chr_recorder *rec)
{
	return rec->client;
}

int chr_recorder_connect(struct chr_recorder *rec, unsigned port, const char *source, int timeout_ms)
{
	static const struct timespec moment = {.tv_nsec = 5000000};
	const char *sink = jack_port_name(rec->port[port]);
	for (long long end = chr_now_ms() + timeout_ms;; nanosleep(&moment, NULL)) {
		int status = jack_connect(rec->client, source, sink);
		if (status == 0 || status == EEXIST)
			return 0;
		if (chr_now_ms() > end)
			return -1;
	}
}

static bool wait_post(sem_t *sem, int seconds)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += seconds;
	while (sem_timedwait(sem, &end) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

static void switch_to(struct chr_recorder *rec, int wanted)
{
	if (atomic_load_explicit(&rec->wanted, memory_order_relaxed) == wanted)
		return;
	atomic_store_explicit(&rec->wanted, wanted, memory_order_release);
	wait_post(&rec->answered, 5);
}

void chr_recorder_stop(struct chr_recorder *rec)
{
	switch_to(rec, 0);
	rec->stalls_after = chr_stall_count(rec->stall);
}

void chr_recorder_start(struct chr_recorder *rec)
{
	switch_to(rec, 0);
	rec->cycles = 0;
	rec->skips = 0;
	rec->skipped = 0;
	rec->stalls_before = rec->stalls_after = chr_stall_count(rec->stall);
	atomic_store_explicit(&rec->frames, 0, memory_order_relaxed);
	switch_to(rec, 1);
}

bool chr_recorder_wait(struct chr_recorder *rec, size_t frames)
{
	size_t goal = frames < rec->room ? frames : rec->room;
	atomic_store_explicit(&rec->goal, goal, memory_order_relaxed);
	for (size_t seen = 0;;) {
		size_t have = chr_recorder_frames(rec);
		if (have >= goal || have + jack_get_buffer_size(rec->client) > rec->room)
			return true;
		if (!wait_post(&rec->reached, 5) && chr_recorder_frames(rec) == seen)
			return false;
		seen = have;
	}
}

bool chr_recorder_take(struct chr_recorder *rec, struct chr_recorder *watch, size_t frames)
{
	if (watch)
		chr_recorder_start(watch);
	chr_recorder_start(rec);
	bool alive = chr_recorder_wait(rec, frames);
	chr_recorder_stop(rec);
	if (watch)
		chr_recorder_stop(watch);
	return alive;
}

size_t chr_recorder_frames(const struct chr_recorder *rec)
{
	return atomic_load_explicit(&rec->frames, memory_order_acquire);
}

const float *chr_recorder_data(const struct chr_recorder *rec, unsigned port)
{
	return rec->data[port];
}

unsigned chr_recorder_skips(const struct chr_recorder *rec)
{
	return rec->skips;
}

unsigned chr_recorder_stalls(const struct chr_recorder *watch)
{
	return watch->skips + watch->stalls_after - watch->stalls_before;
}

size_t chr_recorder_skipped(const struct chr_recorder *rec)
{
	return rec->skipped;
}

jack_nframes_t chr_recorder_frame(const struct chr_recorder *rec, size_t i)
{
	size_t low = 0, high = rec->cycles;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;
		if (rec->cycle[middle].place <= i)
			low = middle;
		else
			high = middle;
	}
	return rec->cycle[low].frame + (jack_nframes_t)(i - rec->cycle[low].place);
}

bool chr_recorder_whole(const struct chr_recorder *rec, jack_nframes_t from, jack_nframes_t to)
{
	long long first = chr_recorder_place(rec, from), last = chr_recorder_place(rec, to);
	return first >= 0 && last >= 0 && (jack_nframes_t)(last - first) == to - from;
}

long long chr_recorder_place(const struct chr_recorder *rec, jack_nframes_t frame)
{
	size_t frames = chr_recorder_frames(rec);
	for (size_t c = 0; c < rec->cycles; c++) {
		size_t end = c + 1 < rec->cycles ? rec->cycle[c + 1].place : frames;
		jack_nframes_t offset = frame - rec->cycle[c].frame;
		if (offset < end - rec->cycle[c].place)
			return (long long)rec->cycle[c].place + (long long)offset;
	}
	return -1;
}

size_t chr_recorder_stretch(const struct chr_recorder *rec, size_t *from)
{
	size_t longest = 0, start = 0, frames = chr_recorder_frames(rec);
	*from = 0;
	for (size_t c = 0; c < rec->cycles; c++) {
		size_t end = c + 1 < rec->cycles ? rec->cycle[c + 1].place : frames;
		if (end - start > longest) {
			longest = end - start;
			*from = start;
		}
		jack_nframes_t next = rec->cycle[c].frame + (jack_nframes_t)(end - rec->cycle[c].place);
		if (c + 1 < rec->cycles && rec->cycle[c + 1].frame != next)
			start = end;
	}
	return longest;
}

size_t chr_recorder_take_stretch(struct chr_recorder *rec, size_t frames, size_t least, size_t *from)
{
	size_t longest = 0;
	for (int attempt = 0; attempt < TAKES_MAX && longest < least; attempt++) {
		if (!chr_recorder_take(rec, NULL, frames))
			return 0;
		longest = chr_recorder_stretch(rec, from);
	}
	return longest;
}

static void put_number(unsigned char *to, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

int chr_recorder_save(const struct chr_recorder *rec, const char *path)
{
	size_t frames = chr_recorder_frames(rec);
	uint32_t rate = jack_get_sample_rate(rec->client), bytes = (uint32_t)(frames * rec->ports * sizeof(float));
	unsigned char head[44] = "RIFF....WAVEfmt ....................data";
	put_number(head + 4, 36 + bytes, 4);
	put_number(head + 16, 16, 4);
	put_number(head + 20, 3, 2); /* IEEE float */
	put_number(head + 22, rec->ports, 2);
	put_number(head + 24, rate, 4);
	put_number(head + 28, rate * rec->ports * 4, 4);
	put_number(head + 32, rec->ports * 4, 2);
	put_number(head + 34, 32, 2);
	put_number(head + 40, bytes, 4);
	FILE *f = fopen(path, "wb");
	if (!f)
		return -1;
	fwrite(head, 1, sizeof head, f);
	for (size_t i = 0; i < frames; i++)
		for (unsigned p = 0; p < rec->ports; p++)
			fwrite(&rec->data[p][i], sizeof(float), 1, f);
	return fclose(f) == 0 ? 0 : -1;
}
