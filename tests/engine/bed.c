#include "tests/engine/bed.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct probe {
	double sum;
	uint32_t ticks;
	uint32_t started; /* 7 after init */
};

static void probe_init(void *state, float sample_rate)
{
	struct probe *probe = state;
	ck_assert_float_eq(sample_rate, BED_RATE);
	probe->started = 7;
}

static void probe_process(void *state, const struct chr_io *io)
{
	struct probe *probe = state;
	ck_assert_uint_gt(io->frames, 0);
	ck_assert_uint_le(io->frames, CHR_BLOCK_MAX);
	for (uint32_t i = 0; i < io->frames; i++) {
		float level = chr_control_at(io->param[PARAM_LEVEL], i);
		probe->sum = probe->sum * 0.5 + io->in[PROBE_IN][i] + level + chr_control_at(io->param[PARAM_MODE], i);
		io->out[PROBE_LEVEL][i] = level;
		io->out[PROBE_SUM][i] = chr_control_at(io->param[PARAM_POISON], i) != 0.0f ? NAN : (float)probe->sum;
		io->out[PROBE_TICK][i] = (float)probe->ticks++;
	}
}

static const struct chr_port probe_ports[] = {
	{.name = "in", .direction = CHR_IN, .help = "in"},
	{.name = "level", .direction = CHR_OUT, .help = "level"},
	{.name = "sum", .direction = CHR_OUT, .help = "sum"},
	{.name = "tick", .direction = CHR_OUT, .help = "tick"},
};

static const char *const modes[] = {"low", "mid", "high", NULL};

static const struct chr_param probe_params[] = {
	{.name = "level", .unit = "", .min = -10, .max = 10, .initial = 1, .smooth_ms = -1, .help = "level"},
	{.name = "mode", .unit = "", .min = 0, .max = 2, .scale = CHR_CHOICE, .smooth_ms = -1, .choices = modes, .help = "mode"},
	{.name = "poison", .unit = "", .min = 0, .max = 1, .scale = CHR_TOGGLE, .help = "poison"},
	{.name = "direct", .unit = "", .min = 0, .max = 1, .smooth_ms = 0, .help = "a step"},
	{.name = "slow", .unit = "", .min = 0, .max = 1, .smooth_ms = 20, .help = "20 ms"},
};

static const struct chr_meter probe_meters[] = {{"ticks", offsetof(struct probe, ticks), "frames"}};

const struct chr_module bed_probe = {
	.abi = CHR_MODULE_ABI,
	.name = "probe",
	.help = "probe",
	.state_version = 1,
	.state_bytes = sizeof(struct probe),
	.ports = probe_ports,
	.port_count = 4,
	.params = probe_params,
	.param_count = 5,
	.meters = probe_meters,
	.meter_count = 1,
	.init = probe_init,
	.process = probe_process,
};

static void out_process(void *state, const struct chr_io *io)
{
	(void)state;
	for (uint32_t i = 0; i < io->frames; i++) {
		io->out[OUT_PLAY][i] = io->in[OUT_LEFT][i] + io->in[OUT_THIRD][i];
		io->out[OUT_CLOCK][i] = 0.25f;
	}
}

static const struct chr_port out_ports[] = {
	{.name = "left", .direction = CHR_IN, .help = "in"},
	{.name = "in_3", .direction = CHR_IN, .channel = 3, .help = "in"},
	{.name = "play_left", .direction = CHR_OUT, .channel = 1, .help = "out"},
	{.name = "clock", .direction = CHR_OUT, .help = "clock"},
};

const struct chr_module bed_out = {
	.abi = CHR_MODULE_ABI,
	.name = "out",
	.help = "out",
	.ports = out_ports,
	.port_count = 4,
	.process = out_process,
	.flags = CHR_MODULE_OUT,
};

static struct chr_board *make_board(void)
{
	int fd = -1;
	struct chr_board *board = chr_board_create(&fd);
	ck_assert_ptr_nonnull(board);
	close(fd);
	return board;
}

static void make_instance(struct bed *bed, const struct chr_module *module, uint32_t lanes, uint32_t channels)
{
	float value[CHR_PARAMS_MAX] = {0};
	bool out = module->flags & CHR_MODULE_OUT;
	for (unsigned i = 0; i < module->param_count; i++)
		value[i] = module->params[i].initial;
	struct chr_rt_setup setup = {.module = module,
				     .desc = &bed->desc,
				     .slot = bed->slot,
				     .pulse = &bed->board[0]->pulse[BED_MEMBER],
				     .lane_board = bed->board[0],
				     .choice = bed->choice,
				     .sample_rate = BED_RATE,
				     .lanes = lanes,
				     .channels = channels,
				     .value = value};
	for (unsigned lane = 0; out && lane < CHR_LANES; lane++)
		setup.board[lane] = bed->board[lane];
	bed->rt = chr_rt_create(&setup);
	ck_assert_ptr_nonnull(bed->rt);
}

struct bed *bed_create(const struct chr_module *module, uint32_t lanes, uint32_t channels, uint32_t frame)
{
	char why[256];
	int fd = -1;
	struct bed *bed = calloc(1, sizeof *bed);
	ck_assert_ptr_nonnull(bed);
	bed->slot = chr_slot_create(&fd);
	ck_assert_ptr_nonnull(bed->slot);
	close(fd);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		bed->board[lane] = make_board();
	bed->choice = chr_choice_create(&fd);
	ck_assert_ptr_nonnull(bed->choice);
	close(fd);
	ck_assert_msg(!chr_descriptor_make(&bed->desc, module, why, sizeof why), "%s", why);
	bed->slot->descriptor = bed->desc;
	for (unsigned i = 0; i < module->port_count; i++) {
		if (module->ports[i].channel > channels)
			continue;
		if (module->ports[i].direction == CHR_OUT)
			bed->out[i] = bed->out_buffer[i];
		else
			bed->in[i] = bed->in_buffer[i];
	}
	bed->frame = frame;
	make_instance(bed, module, lanes, channels);
	return bed;
}

void bed_destroy(struct bed *bed)
{
	chr_rt_destroy(bed->rt);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		chr_board_unmap(bed->board[lane]);
	chr_choice_unmap(bed->choice);
	chr_slot_unmap(bed->slot);
	free(bed);
}

void bed_cycle(struct bed *bed, uint32_t frames)
{
	chr_rt_cycle(bed->rt, frames, bed->frame, bed->in, bed->out);
	bed->frame += frames;
}

void bed_send(struct bed *bed, struct chr_event event)
{
	event.version = CHR_EVENT_VERSION;
	event.serial = ++bed->serial;
	ck_assert_uint_eq(chr_ring_write(&bed->slot->to_audio, &event, 1), 1);
}

void bed_send_param(struct bed *bed, uint32_t param, float value, uint32_t frame, uint32_t ramp_frames)
{
	bed_send(bed, (struct chr_event){
			      .kind = CHR_EVENT_PARAM, .index = param, .value = value, .frame = frame, .ramp_frames = ramp_frames});
}

bool bed_note(struct bed *bed, unsigned kind, struct chr_event *note)
{
	while (chr_ring_read(&bed->slot->from_audio, note, 1))
		if (note->kind == kind)
			return true;
	return false;
}

uint32_t bed_status(const _Atomic uint32_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

bool bed_same(const void *a, const void *b, size_t bytes)
{
	return !memcmp(a, b, bytes);
}
