/* Slots and boards of hostile modules: the input scribbles over them, reports and notes what it likes, dies, and in between the supervisor does what it does
 * with a slot. Whatever it reads there, its own books must be in order afterwards, and every descriptor it got must be closed.
 */
#include "common/clock.h"
#include "common/log.h"
#include "common/wake.h"
#include "supervisor/lanes_parts.h"
#include "supervisor/osc_private.h"
#include "tests/fuzz/fuzz.h"
#include "tests/supervisor/lanes_bed.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOTES_MAX 64
#define FDS_MAX   300

/* What the supervisor reads of a slot or writes to one. The snapshots are between the twins alone. */
#define BLOCK(name)                                                                                                                \
	{                                                                                                                          \
		offsetof(struct chr_slot, name), sizeof(((struct chr_slot *)0)->name)                                              \
	}
static const struct {
	size_t at, bytes;
} block[] = {BLOCK(report),   BLOCK(status),  BLOCK(picker),    BLOCK(alive),      BLOCK(order),
	     BLOCK(to_audio), BLOCK(to_main), BLOCK(from_main), BLOCK(from_audio), BLOCK(descriptor)};

static struct lanes_bed *bed;
static struct chr_osc *osc;
static int socket_of_module;
static unsigned adopted; /* processes of the bed that the conductor watches */

static uint32_t frame_now(void *self)
{
	(void)self;
	return 4711;
}

static uint64_t time_now_us(void *self)
{
	(void)self;
	return 4711;
}

static uint32_t time_to_frame(void *self, uint64_t us)
{
	(void)self;
	return (uint32_t)us;
}

static unsigned open_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < FDS_MAX; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void open_osc(void)
{
	struct chr_osc_host host = {.self = bed,
				    .rack = &bed->conductor.rack,
				    .frame_now = frame_now,
				    .time_now_us = time_now_us,
				    .time_to_frame = time_to_frame,
				    .cycle_start = frame_now};
	int error;

	osc = chr_osc_create("127.0.0.1", 0, &host, &error);
	fuzz_demand(osc != NULL);
}

/* Gives what the bed made since descriptors that can be waited for. */
static void adopt(void)
{
	for (; adopted < bed->processes; adopted++) {
		bed->process[adopted].from_main = chr_wake_create();
		bed->process[adopted].pidfd = chr_wake_create();
		chr_processes_add(&bed->conductor, &bed->process[adopted]);
	}
	fuzz_demand(bed->conductor.process_count == bed->processes);
}

/* The bed, a socket of the first process, and OSC. */
static void begin(void)
{
	int pair[2];

	bed = bed_create(2);
	adopted = 0;
	fuzz_demand(chr_poller_init(&bed->conductor.poller) == 0);
	adopt();
	fuzz_demand(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	bed->process[0].socket = pair[0];
	socket_of_module = pair[1];
	open_osc();
}

static void end(void)
{
	chr_osc_destroy(osc);
	close(socket_of_module);
	for (unsigned i = 0; i < bed->processes; i++) {
		const struct chr_process *process = &bed->process[i];
		const int fds[] = {process->from_main, process->pidfd, process->socket, process->jack_fd};

		for (unsigned f = 0; f < sizeof fds / sizeof *fds; f++)
			if (fds[f] >= 0)
				close(fds[f]);
	}
	chr_poller_finish(&bed->conductor.poller);
	bed_destroy(bed);
}

static void demand_order(void)
{
	struct chr_conductor *conductor = &bed->conductor;

	fuzz_demand(conductor->spare_count <= bed->processes);
	for (unsigned i = 0; i < conductor->spare_count; i++)
		for (unsigned j = 0; j < i; j++)
			fuzz_demand(conductor->spare[i] != conductor->spare[j]);
	for (unsigned i = 0; i < BED_UNITS; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			const struct chr_instance *instance = bed_instance(bed, i, lane);
			const struct chr_process *process = instance->process;
			struct chr_unit *unit;
			struct chr_instance *owner;

			fuzz_demand(instance->state <= CHR_INSTANCE_QUARANTINED);
			fuzz_demand(memchr(instance->fault.cause, 0, sizeof instance->fault.cause) != NULL);
			fuzz_demand(!process || !process->dying);
			fuzz_demand(process || instance->state == CHR_INSTANCE_WAITING ||
				    instance->state == CHR_INSTANCE_QUARANTINED);
			fuzz_demand(!process || (chr_instances_of(conductor, process, &unit, &owner) && owner == instance));
		}
	fuzz_demand(conductor->lanes.leader < CHR_LANES);
}

static void ask_status(void)
{
	static const char status[20] = "/chronus/status\0,";
	const struct chr_osc_datagram datagram = {
		.real_ns = chr_osc_real_ns(), .bytes = sizeof status, .data = (unsigned char *)(uintptr_t)status};

	osc->in_pass = true;
	chr_osc_packet(osc, &datagram);
	osc->in_pass = false;
}

/* As the tick does. */
static void take_notes(unsigned unit, unsigned lane)
{
	struct chr_instance *instance = bed_instance(bed, unit, lane);
	struct chr_event note;

	for (int i = 0; i < NOTES_MAX && instance->process && chr_ring_read(&instance->process->slot->from_audio, &note, 1); i++)
		chr_lanes_note(&bed->conductor, &bed->unit[unit], instance, &note);
}

/* A guard that is told to end does so, whatever stands in the word it waits on. */
static void stop_guards(void)
{
	static const _Atomic int stop = 1;

	for (unsigned i = 0; i < bed->processes; i++) {
		chr_slot_wake_guard(bed->process[i].slot);
		int rc = chr_slot_wait_death(bed->process[i].slot, &stop);
		fuzz_demand(rc == 0 || rc == -EINTR);
	}
}

static void tick(void)
{
	uint64_t now = chr_monotonic_us();

	stop_guards();
	bed_let_pass(bed, 30000);
	bed->conductor.lanes.audit_us = now;
	chr_instances_review(&bed->conductor);
	chr_lanes_tick(&bed->conductor);
	chr_rack_deliver(&bed->conductor.rack, 4711);
	chr_rack_totals(&bed->conductor.rack);
}

/* What a module does. */
static void misbehave(struct fuzz_input *input, unsigned deed, struct chr_process *process, unsigned lane)
{
	const unsigned blocks = sizeof block / sizeof *block;
	struct chr_event event = {0};
	unsigned which;

	switch (deed) {
	case 0:
		which = fuzz_byte(input) % (blocks + 1);
		if (which == blocks)
			fuzz_scribble(input, bed->conductor.board[lane], sizeof(struct chr_board));
		else
			fuzz_scribble(input, (unsigned char *)process->slot + block[which].at, block[which].bytes);
		break;
	case 1:
	case 2:
		which = fuzz_byte(input);
		fuzz_take(input, &event, fuzz_byte(input) % (sizeof event + 1));
		event.kind = (uint16_t)which;
		chr_ring_write(deed == 1 ? &process->slot->from_audio : &process->slot->from_main, &event, 1);
		break;
	default:
		chr_fd_send(socket_of_module, STDERR_FILENO, (unsigned char)fuzz_byte(input));
		break;
	}
}

/* What the supervisor does. */
static void supervise(struct fuzz_input *input, unsigned deed, unsigned unit, unsigned lane, struct chr_process *process)
{
	switch (deed) {
	case 4:
		process->reports.ready(process);
		break;
	case 5:
		take_notes(unit, lane);
		break;
	case 6:
		tick();
		break;
	case 7:
		chr_instances_wired(&bed->conductor, bed->conductor.generation);
		break;
	case 8:
		chr_instances_died(&bed->conductor, process, chr_monotonic_us());
		chr_instances_reaped(&bed->conductor, process, (int)fuzz_word(input));
		break;
	case 9:
		ask_status();
		break;
	case 10:
		bed_spares(bed, bed->processes < BED_PROCESSES);
		adopt();
		break;
	default:
		chr_instances_restart(&bed->conductor, &bed->unit[unit]);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = {data, bytes};
	unsigned fds = open_fds();

	begin();
	if (fuzz_byte(&input) % 2)
		bed_play(bed);
	while (input.left) {
		unsigned head = fuzz_byte(&input), deed = head % 12, unit = head / 12 % BED_UNITS,
			 lane = head / 12 / BED_UNITS % CHR_LANES;
		struct chr_process *process = bed_instance(bed, unit, lane)->process;

		if (!process)
			process = &bed->process[unit]; /* one that is dead, or still a spare */
		if (deed < 4)
			misbehave(&input, deed, process, lane);
		else
			supervise(&input, deed, unit, lane, process);
		demand_order();
	}
	end();
	fuzz_demand(open_fds() == fds);
	return 0;
}
