#include "tests/supervisor/fake_rack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct chr_param_desc voice_params[VOICE_PARAMS] = {
	[VOICE_FREQ] =
		{.name = "freq", .unit = "Hz", .help = "frequency", .min = 20, .max = 20000, .initial = 440, .scale = CHR_LOG},
	[VOICE_LEVEL] = {.name = "level", .unit = "", .help = "gain", .min = 0, .max = 1, .initial = 0.5f, .smooth_ms = -1},
	[VOICE_GATE] = {.name = "gate", .unit = "", .help = "key", .min = 0, .max = 1, .scale = CHR_TOGGLE},
	[VOICE_MODE] = {.name = "mode",
			.unit = "",
			.help = "response",
			.min = 0,
			.max = 2,
			.scale = CHR_CHOICE,
			.choice = {"lowpass", "highpass", "notch"},
			.choice_count = 3},
};

static void *need(void *memory)
{
	if (!memory) {
		fputs("fake_rack: out of memory\n", stderr);
		abort();
	}
	return memory;
}

static void make_types(struct fake_rack *fake)
{
	fake->voice = (struct chr_descriptor){.name = "voice", .help = "a voice", .abi = CHR_MODULE_ABI, .state_bytes = 64};
	memcpy(fake->voice.param, voice_params, sizeof voice_params);
	fake->voice.param_count = VOICE_PARAMS;
	fake->voice.port_count = 2;
	fake->voice.port[0] = (struct chr_port_desc){.name = "in", .help = "input", .direction = CHR_IN, .signal = CHR_PITCH};
	fake->voice.port[1] = (struct chr_port_desc){.name = "out", .help = "output", .direction = CHR_OUT, .signal = CHR_AUDIO};
	fake->voice.meter_count = 1;
	memcpy(fake->voice.meter[0], "clips", sizeof "clips");

	fake->bell = (struct chr_descriptor){.name = "bell", .help = "a bell", .abi = CHR_MODULE_ABI, .param_count = 1};
	fake->bell.param[0] = voice_params[VOICE_LEVEL];
	fake->out = (struct chr_descriptor){.name = "out", .help = "the output", .abi = CHR_MODULE_ABI, .flags = CHR_MODULE_OUT};
}

static void make_unit(struct fake_rack *fake, unsigned i, const char *name, const struct chr_descriptor *type)
{
	struct chr_unit *unit = &fake->unit[i];

	snprintf(unit->name, sizeof unit->name, "%s", name);
	unit->type = type;
	unit->member = i;
	for (unsigned p = 0; p < type->param_count; p++)
		unit->value[p] = type->param[p].initial;
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		struct chr_instance *instance = &unit->instance[lane];

		instance->lane = lane;
		instance->state = CHR_INSTANCE_PLAYING;
		snprintf(instance->client, sizeof instance->client, "%s%s", name, lane ? ".b" : "");
		fake->ring[i][lane] = need(aligned_alloc(64, sizeof(struct chr_ring)));
		chr_ring_init(fake->ring[i][lane]);
		chr_feed_init(&instance->feed);
		chr_feed_attach(&instance->feed, fake->ring[i][lane]);
	}
	fake->rack.unit[i] = unit;
}

struct fake_rack *fake_rack_create(void)
{
	struct fake_rack *fake = need(calloc(1, sizeof *fake));

	make_types(fake);
	fake->rack.patch = &fake->patch;
	fake->rack.sample_rate = 48000;
	fake->rack.period = 256;
	fake->rack.unit_count = FAKE_UNITS;
	snprintf(fake->patch.name, sizeof fake->patch.name, "test");
	fake->patch.tempo_bpm = 120;
	fake->patch.lanes = 2;
	fake->patch.channels = 2;
	chr_schedule_init(&fake->rack.schedule);
	make_unit(fake, UNIT_OUT, "out", &fake->out);
	make_unit(fake, UNIT_OSC1, "osc1", &fake->voice);
	make_unit(fake, UNIT_OSC2, "osc2", &fake->voice);
	make_unit(fake, UNIT_DRUM, "drum", &fake->bell);
	fake->process.pid = 4711;
	fake->process.slot = need(aligned_alloc(64, sizeof(struct chr_slot)));
	memset(fake->process.slot, 0, sizeof *fake->process.slot);
	fake->unit[UNIT_OSC1].instance[0].process = &fake->process;
	return fake;
}

void fake_rack_destroy(struct fake_rack *fake)
{
	for (unsigned i = 0; i < FAKE_UNITS; i++) {
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			chr_feed_finish(&fake->unit[i].instance[lane].feed);
			free(fake->ring[i][lane]);
		}
	}
	chr_schedule_finish(&fake->rack.schedule);
	free(fake->process.slot);
	free(fake);
}

unsigned fake_rack_drain(struct fake_rack *fake)
{
	struct chr_event event[64];
	unsigned sum = 0;

	for (unsigned i = 0; i < FAKE_UNITS; i++) {
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			for (uint32_t n; (n = chr_ring_read(fake->ring[i][lane], event, 64)) > 0;)
				sum += n;
		}
	}
	return sum;
}

bool fake_rack_next(struct fake_rack *fake, unsigned unit, unsigned lane, struct chr_event *event)
{
	return chr_ring_read(fake->ring[unit][lane], event, 1) == 1;
}
