#include "tools/faults_tape.h"

#include "common/clock.h"
#include "common/hurry.h"

#include <errno.h>
#include <jack/thread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROOM_FRAMES (1u << 22) /* powers of two */
#define ROOM_CYCLES (1u << 16)

struct entry {
	uint32_t frame, frames, place; /* place: of the first sample in the ring of samples, not masked */
};

struct chr_tape {
	jack_client_t *client;
	unsigned ports;
	jack_port_t *port[CHR_TAPE_PORTS];
	float *data[CHR_TAPE_PORTS]; /* ROOM_FRAMES each */
	float *flat[CHR_TAPE_PORTS]; /* the cycle taken last, in one piece */
	struct entry *entry;         /* ROOM_CYCLES */
	uint32_t place;              /* audio thread: frames ever written */

	_Atomic uint32_t written; /* entries; stored by the audio thread */
	_Atomic uint32_t taken;   /* entries; stored by the main thread */
	_Atomic uint32_t place_taken;
	_Atomic uint32_t overruns;
	_Atomic int lost;
};

/* Copies into the ring across its end. */
static void put(float *ring, uint32_t place, const float *from, uint32_t frames)
{
	uint32_t at = place % ROOM_FRAMES, first = ROOM_FRAMES - at < frames ? ROOM_FRAMES - at : frames;
	memcpy(ring + at, from, first * sizeof *ring);
	memcpy(ring, from + first, (frames - first) * sizeof *ring);
}

static int process(jack_nframes_t frames, void *arg)
{
	struct chr_tape *tape = arg;
	uint32_t written = atomic_load_explicit(&tape->written, memory_order_relaxed);
	/* acquire: the places are free when the main thread says so */
	uint32_t taken = atomic_load_explicit(&tape->taken, memory_order_acquire);
	uint32_t place_taken = atomic_load_explicit(&tape->place_taken, memory_order_relaxed);
	if (written - taken == ROOM_CYCLES || tape->place - place_taken + frames > ROOM_FRAMES) {
		atomic_fetch_add_explicit(&tape->overruns, 1, memory_order_relaxed);
		return 0;
	}
	tape->entry[written % ROOM_CYCLES] = (struct entry){
		.frame = jack_last_frame_time(tape->client), .frames = frames, .place = tape->place};
	for (unsigned i = 0; i < tape->ports; i++)
		put(tape->data[i], tape->place, jack_port_get_buffer(tape->port[i], frames), frames);
	tape->place += frames;
	/* release: the entry is whole */
	atomic_store_explicit(&tape->written, written + 1, memory_order_release);
	return 0;
}

static void on_shutdown(void *arg)
{
	struct chr_tape *tape = arg;
	atomic_store_explicit(&tape->lost, 1, memory_order_release);
}

/* Touched, so that the audio thread meets no page fault. */
static void *allocate(size_t bytes)
{
	void *memory = malloc(bytes);
	if (memory)
		memset(memory, 0, bytes);
	return memory;
}

static int open_ports(struct chr_tape *tape)
{
	for (unsigned i = 0; i < tape->ports; i++) {
		char name[16];
		snprintf(name, sizeof name, "in_%u", i + 1);
		tape->port[i] = jack_port_register(tape->client, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
		tape->data[i] = allocate(ROOM_FRAMES * sizeof(float));
		tape->flat[i] = allocate(ROOM_FRAMES * sizeof(float));
		if (!tape->port[i] || !tape->data[i] || !tape->flat[i])
			return -1;
	}
	return 0;
}

struct chr_tape *chr_tape_create(const char *client, unsigned ports)
{
	struct chr_tape *tape = calloc(1, sizeof *tape);
	if (!tape)
		return NULL;
	tape->ports = ports;
	tape->entry = allocate(ROOM_CYCLES * sizeof *tape->entry);
	/* jackd waits for its answers too: they are not to be what is measured */
	jack_set_thread_creator(chr_hurry_create_listener);
	tape->client = jack_client_open(client, JackNoStartServer | JackUseExactName, NULL);
	jack_set_thread_creator(chr_hurry_create);
	if (!tape->entry || !tape->client || open_ports(tape))
		goto fail;
	jack_set_process_callback(tape->client, process, tape);
	jack_on_shutdown(tape->client, on_shutdown, tape);
	if (jack_activate(tape->client) == 0)
		return tape;
fail:
	chr_tape_destroy(tape);
	return NULL;
}

void chr_tape_destroy(struct chr_tape *tape)
{
	if (!tape)
		return;
	if (tape->client)
		jack_client_close(tape->client);
	for (unsigned i = 0; i < CHR_TAPE_PORTS; i++) {
		free(tape->data[i]);
		free(tape->flat[i]);
	}
	free(tape->entry);
	free(tape);
}

jack_client_t *chr_tape_client(struct chr_tape *tape)
{
	return tape->client;
}

int chr_tape_connect(struct chr_tape *tape, unsigned port, const char *source, int timeout_ms)
{
	static const struct timespec moment = {.tv_nsec = 5000000};
	const char *sink = jack_port_name(tape->port[port]);
	for (uint64_t end = chr_monotonic_us() + (uint64_t)timeout_ms * 1000;; nanosleep(&moment, NULL)) {
		int status = jack_connect(tape->client, source, sink);
		if (status == 0 || status == EEXIST)
			return 0;
		if (chr_monotonic_us() > end)
			return -1;
	}
}

bool chr_tape_next(struct chr_tape *tape, struct chr_tape_cycle *cycle)
{
	uint32_t taken = atomic_load_explicit(&tape->taken, memory_order_relaxed);
	if (taken == atomic_load_explicit(&tape->written, memory_order_acquire))
		return false;
	const struct entry *entry = &tape->entry[taken % ROOM_CYCLES];
	*cycle = (struct chr_tape_cycle){.frame = entry->frame, .frames = entry->frames};
	for (unsigned i = 0; i < tape->ports; i++) {
		uint32_t at = entry->place % ROOM_FRAMES, left = ROOM_FRAMES - at;
		uint32_t first = left < entry->frames ? left : entry->frames;
		memcpy(tape->flat[i], tape->data[i] + at, first * sizeof(float));
		memcpy(tape->flat[i] + first, tape->data[i], (entry->frames - first) * sizeof(float));
		cycle->data[i] = tape->flat[i];
	}
	atomic_store_explicit(&tape->place_taken, entry->place + entry->frames, memory_order_relaxed);
	/* release: the places have been read */
	atomic_store_explicit(&tape->taken, taken + 1, memory_order_release);
	return true;
}

uint32_t chr_tape_overruns(const struct chr_tape *tape)
{
	return atomic_load_explicit(&tape->overruns, memory_order_relaxed);
}

bool chr_tape_lost(const struct chr_tape *tape)
{
	return atomic_load_explicit(&tape->lost, memory_order_acquire);
}
