/* The saboteur: any module of the product, with a trapdoor for the fault campaign.
 *
 * A link to this file under a module's name (sine.so) loads the module of that name from the folder that the page names and passes for it:
 * the same descriptor, the same state, the same samples. Before each call it looks whether an order on the page is meant for its process.
 * Nothing of it is in the module's state, so that it is never copied to a twin.
 */
#include "common/module.h"
#include "tools/faults_page.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FLIPS   256
#define INDICES 64

/* The exported descriptor is filled in when the file is loaded. The header declares it const, so it has another name here. */
extern struct chr_module shown __asm__("chr_module") CHR_EXPORT;
struct chr_module shown;

static const struct chr_module *real;
static struct chr_faults_page *page;
static struct chr_slot *slot;
static struct chr_board *board;
static volatile int *beyond; /* memory whose file ends before it */
static volatile int zero;    /* the compiler must not know it */
static enum chr_deed start_deed;
static pid_t self;
static uint32_t captured;

static void *map(int fd, size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static uint64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static uint32_t draw(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	return *seed ^= *seed << 5;
}

static void hang(void)
{
	for (;;)
		zero = 0;
}

/* ---- deeds ---- */

static void flip(void *memory, size_t bytes, uint32_t *seed)
{
	unsigned char *at = memory;
	at[draw(seed) % bytes] ^= (unsigned char)(1u << draw(seed) % 8);
}

static void flip_bits(uint32_t seed)
{
	for (int i = 0; i < FLIPS; i++) {
		/* most of a slot are snapshots: its head gets its share apart from them */
		flip(slot, i % 2 ? sizeof *slot : offsetof(struct chr_slot, snapshot), &seed);
		flip(board, sizeof *board, &seed);
	}
}

static void spoil_indices(uint32_t seed)
{
	struct chr_ring *ring[] = {&slot->to_audio, &slot->to_main, &slot->from_audio, &slot->from_main};
	for (int i = 0; i < INDICES; i++) {
		struct chr_ring *one = ring[draw(&seed) % 4];
		atomic_store_explicit(draw(&seed) % 2 ? &one->head : &one->tail, draw(&seed), memory_order_relaxed);
		one->head_seen = draw(&seed);
		one->tail_seen = draw(&seed);
		flip(one->event, sizeof one->event, &seed);
	}
	/* what the process says of itself is as unreliable */
	slot->descriptor.port_count = draw(&seed);
	slot->descriptor.param_count = draw(&seed);
	slot->order.member = draw(&seed);
}

static void fill(const struct chr_io *io, const float *pattern, unsigned count)
{
	for (unsigned port = 0; port < real->port_count; port++)
		for (uint32_t i = 0; io->out[port] && i < io->frames; i++)
			io->out[port][i] = pattern[i % count];
}

static void commit(enum chr_deed deed, uint32_t seed, const struct chr_io *io)
{
	static const float wild[] = {INFINITY, NAN, -INFINITY, 1.0f};
	static const float denormal[] = {1e-40f, -1e-42f, 1e-45f};
	switch (deed) {
	case CHR_DEED_SEGV:
		*(volatile int *)(uintptr_t)(8 + zero) = 1;
		break;
	case CHR_DEED_ABORT:
		abort();
	case CHR_DEED_BUS:
		*beyond = 1;
		break;
	case CHR_DEED_FPE:
#if defined(__x86_64__) || defined(__i386__)
		zero = 100 / zero; /* one over nothing would need no division */
#else
		raise(SIGFPE); /* other processors divide by zero in silence */
#endif
		break;
	case CHR_DEED_LOOP:
		hang();
		break;
	case CHR_DEED_NONFINITE:
		fill(io, wild, 4);
		break;
	case CHR_DEED_DENORMAL:
		fill(io, denormal, 3);
		break;
	case CHR_DEED_FLIP:
		flip_bits(seed);
		break;
	case CHR_DEED_INDEX:
		spoil_indices(seed);
		break;
	default:
		break;
	}
}

static void obey(const struct chr_io *io)
{
	for (unsigned i = 0; i < CHR_FAULTS_ORDERS; i++) {
		struct chr_faults_order *order = &page->order[i];
		if (!atomic_load_explicit(&order->deed, memory_order_acquire) ||
		    atomic_load_explicit(&order->pid, memory_order_relaxed) != self)
			continue;
		enum chr_deed deed = atomic_exchange_explicit(&order->deed, CHR_DEED_NONE, memory_order_acq_rel);
		atomic_store_explicit(&order->done_us, now_us(), memory_order_release);
		commit(deed, atomic_load_explicit(&order->seed, memory_order_relaxed), io);
	}
}

/* ---- captures ---- */

static struct chr_pulse *pulse(void)
{
	return &board->pulse[slot->order.member % CHR_BOARD_MEMBERS];
}

static void capture(const void *state, const struct chr_io *io)
{
	uint32_t serial = atomic_load_explicit(&page->capture_serial, memory_order_acquire);
	uint32_t frame = atomic_load_explicit(&pulse()->entered, memory_order_relaxed), member = slot->order.member;
	if (serial == captured || member >= CHR_FAULTS_MEMBERS || slot->order.lane >= CHR_LANES ||
	    real->state_bytes > CHR_FAULTS_STATE_BYTES ||
	    (int32_t)(frame - atomic_load_explicit(&page->capture_frame, memory_order_relaxed)) < 0)
		return;
	struct chr_faults_capture *to = &page->capture[slot->order.lane][member];
	captured = serial;
	to->frame = frame;
	memcpy(to->module, slot->order.module, sizeof to->module);
	snprintf(to->type, sizeof to->type, "%s", real->name);
	to->sample_rate = io->sample_rate;
	for (unsigned i = 0; i < real->param_count; i++)
		to->param[i] = io->param[i].v[0];
	to->state_bytes = (uint32_t)real->state_bytes;
	memcpy(to->state, state, real->state_bytes);
	atomic_store_explicit(&to->serial, serial, memory_order_release);
}

/* ---- the module ---- */

static void process(void *state, const struct chr_io *io)
{
	if (atomic_load_explicit(&page->capture_serial, memory_order_relaxed) != captured)
		capture(state, io);
	real->process(state, io);
	obey(io);
}

static void init(void *state, float sample_rate)
{
	if (start_deed == CHR_DEED_ABORT_OPENING)
		abort();
	if (start_deed == CHR_DEED_HANG_OPENING)
		hang();
	if (real->init)
		real->init(state, sample_rate);
}

static void take_start_deed(void)
{
	if (atomic_load_explicit(&page->start_left, memory_order_acquire) <= 0 ||
	    atomic_fetch_sub_explicit(&page->start_left, 1, memory_order_acq_rel) <= 0)
		return;
	start_deed = atomic_load_explicit(&page->start_deed, memory_order_relaxed);
	atomic_fetch_add_explicit(&page->started, 1, memory_order_release);
	if (start_deed == CHR_DEED_ABORT_LOADING)
		abort();
	if (start_deed == CHR_DEED_HANG_LOADING)
		hang();
	if (start_deed == CHR_DEED_ABI)
		shown.abi = CHR_MODULE_ABI + 1;
}

static int map_all(void)
{
	const char *path = getenv(CHR_FAULTS_ENV);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return -1;
	page = map(fd, sizeof *page);
	close(fd);
	slot = map(CHR_FD_SLOT, sizeof *slot);
	if (!page || page->magic != CHR_FAULTS_MAGIC || !slot)
		return -1;
	board = map(CHR_FD_BOARD_A + (int)(slot->order.lane % CHR_LANES), sizeof *board);
	fd = memfd_create("beyond", MFD_CLOEXEC);
	beyond = map(fd, 4096);
	close(fd);
	return board && beyond ? 0 : -1;
}

/* The name of the file that this was loaded from: of a copy in memory, the name that it was given. False without one. */
static bool own_name(char name[PATH_MAX])
{
	char target[PATH_MAX];
	Dl_info own;
	if (!dladdr(&shown, &own))
		return false;
	ssize_t length = readlink(own.dli_fname, target, sizeof target - 1);
	target[length > 0 ? length : 0] = 0;
	const char *slash = strrchr(own.dli_fname, '/');
	bool copy = strncmp(target, "/memfd:", 7) == 0;
	if (!copy && !slash)
		return false;
	snprintf(name, PATH_MAX, "%s", copy ? target + 7 : slash + 1);
	name[strcspn(name, " ")] = 0;
	return true;
}

/* Without a page or a module of its name the file has no process function: it is refused as a module, and that is all. */
__attribute__((constructor)) static void pass_for_another(void)
{
	char file[2 * PATH_MAX], name[PATH_MAX];
	self = getpid();
	if (map_all() || !own_name(name))
		return;
	snprintf(file, sizeof file, "%s/%s", page->folder, name);
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	real = handle ? dlsym(handle, "chr_module") : NULL;
	if (!real)
		return;
	shown = *real;
	shown.init = init;
	shown.process = process;
	captured = atomic_load_explicit(&page->capture_serial, memory_order_relaxed);
	take_start_deed();
}
