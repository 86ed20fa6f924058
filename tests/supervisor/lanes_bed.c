#include "tests/supervisor/lanes_bed.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/wake.h"
#include "tests/supervisor/patch_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char patch_text[] =
	"lanes = %u;"
	"modules = ({ name = \"osc1\"; type = \"sine\"; }, { name = \"filt1\"; type = \"biquad\"; }, { name = \"aside\"; type = "
	"\"sine\"; });"
	"connections = ([ \"osc1:out\", \"filt1:in\" ], [ \"filt1:out\", \"out:left\" ], [ \"aside:out\", \"recorder:in\" ]);";

static void make_unit(struct lanes_bed *bed, unsigned i)
{
	const struct chr_patch_module *module = &bed->patch->module[i];
	struct chr_unit *unit = &bed->unit[i];
	const char *why;
	memcpy(unit->name, module->name, sizeof unit->name);
	unit->type = fixture_type(NULL, module->type, "", &why);
	unit->member = i;
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		struct chr_instance *instance = &unit->instance[lane];
		instance->lane = lane;
		instance->state = lane < bed->patch->lanes ? CHR_INSTANCE_WAITING : CHR_INSTANCE_NONE;
		snprintf(instance->client, sizeof instance->client, "%s%s", module->name, lane ? ".b" : "");
		chr_feed_init(&instance->feed);
	}
	bed->conductor.rack.unit[i] = unit;
}

struct lanes_bed *bed_create(unsigned lanes)
{
	struct lanes_bed *bed = calloc(1, sizeof *bed);
	struct chr_conductor *conductor = &bed->conductor;
	char text[512];
	int exit_code;
	chr_log_set_level(CHR_LOG_ERROR);
	snprintf(text, sizeof text, patch_text, lanes);
	bed->patch = fixture_load(text, strlen(text), &exit_code);
	ck_assert_msg(bed->patch != NULL, "%s", fixture_report());
	ck_assert_uint_eq(bed->patch->module_count, BED_UNITS);
	for (unsigned i = 0; i < BED_UNITS; i++)
		make_unit(bed, i);
	conductor->catalog = &bed->catalog;
	conductor->rack.patch = bed->patch;
	conductor->rack.unit_count = BED_UNITS;
	conductor->rack.sample_rate = 48000;
	conductor->rack.period = 256;
	chr_schedule_init(&conductor->rack.schedule);
	ck_assert_int_eq(chr_wiring_logical(bed->patch, &conductor->logical), 0);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		conductor->board[lane] = chr_board_create(&conductor->graph.spawn.board_fd[lane]);
	conductor->choice = chr_choice_create(&conductor->graph.spawn.choice_fd);
	pthread_mutex_init(&conductor->graph.lock, NULL);
	conductor->graph.wake_fd = chr_wake_create();
	ck_assert_int_eq(chr_inbox_init(&conductor->inbox), 0);
	pthread_mutex_init(&conductor->sentry.lock, NULL);
	conductor->sentry.server_cycles = &conductor->graph.cycles;
	conductor->started_us = chr_monotonic_us();
	conductor->server_up = true;
	chr_start_begin(conductor);
	bed_spares(bed, 8);
	return bed;
}

void bed_destroy(struct lanes_bed *bed)
{
	struct chr_conductor *conductor = &bed->conductor;
	for (unsigned i = 0; i < BED_UNITS; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++)
			chr_feed_finish(&bed->unit[i].instance[lane].feed);
	for (unsigned i = 0; i < bed->processes; i++)
		munmap(bed->process[i].slot, sizeof(struct chr_slot));
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		chr_board_unmap(conductor->board[lane]);
		close(conductor->graph.spawn.board_fd[lane]);
	}
	chr_choice_unmap(conductor->choice);
	close(conductor->graph.spawn.choice_fd);
	chr_edges_finish(&conductor->logical);
	chr_edges_finish(&conductor->graph.desired);
	chr_edges_finish(&conductor->graph.cuts);
	chr_schedule_finish(&conductor->rack.schedule);
	chr_inbox_finish(&conductor->inbox);
	close(conductor->graph.wake_fd);
	chr_patch_destroy(bed->patch);
	fixture_finish();
	free(bed);
}

void bed_spares(struct lanes_bed *bed, unsigned count)
{
	while (count-- > 0) {
		ck_assert_uint_lt(bed->processes, BED_PROCESSES);
		struct chr_process *process = &bed->process[bed->processes++];
		void *slot = mmap(NULL, sizeof(struct chr_slot), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ck_assert_ptr_ne(slot, MAP_FAILED);
		*process = (struct chr_process){.slot = slot,
						.pid = (pid_t)(1000000000 + bed->processes),
						.pidfd = -1,
						.socket = -1,
						.to_main = -1,
						.from_main = -1,
						.slot_fd = -1,
						.jack_fd = -1,
						.conductor = &bed->conductor,
						.hello = true};
		bed->conductor.spare[bed->conductor.spare_count++] = process;
	}
	chr_instances_fill(&bed->conductor);
}

struct chr_instance *bed_instance(struct lanes_bed *bed, unsigned unit, unsigned lane)
{
	return &bed->unit[unit].instance[lane];
}

void bed_run(struct lanes_bed *bed, unsigned unit, unsigned lane)
{
	struct chr_process *process = bed_instance(bed, unit, lane)->process;
	ck_assert_msg(process != NULL, "%s has no process", bed_instance(bed, unit, lane)->client);
	chr_instances_ready(&bed->conductor, process);
	chr_instances_wired(&bed->conductor, bed->conductor.generation);
	chr_pulse_complete(&bed->conductor.board[lane]->pulse[unit], 256);
	chr_instances_review(&bed->conductor);
}

void bed_run_lane(struct lanes_bed *bed, unsigned lane)
{
	for (unsigned i = 0; i < BED_UNITS; i++)
		if (bed_instance(bed, i, lane)->state == CHR_INSTANCE_STARTING)
			bed_run(bed, i, lane);
}

void bed_play(struct lanes_bed *bed)
{
	bed_run_lane(bed, 0);
	bed_run_lane(bed, 1);
	bed_join_lane(bed, 1, 1000);
	ck_assert_str_eq(bed_states(bed, 0), "ppp");
	ck_assert_str_eq(bed_states(bed, 1), "ppp");
	ck_assert(bed->conductor.lanes.whole[0] && bed->conductor.lanes.whole[1]);
	ck_assert_uint_eq(bed->conductor.lanes.leader, 0);
	bed_drain(bed);
}

void bed_die(struct lanes_bed *bed, unsigned unit, unsigned lane)
{
	chr_instances_died(&bed->conductor, bed_instance(bed, unit, lane)->process, chr_monotonic_us());
}

void bed_note(struct lanes_bed *bed, unsigned unit, unsigned lane, unsigned kind, uint32_t frame, uint64_t sum)
{
	const struct chr_event note = {
		.version = CHR_EVENT_VERSION, .kind = (uint16_t)kind, .frame = frame, .sum = sum, .count = (uint32_t)sum};
	chr_lanes_note(&bed->conductor, &bed->unit[unit], bed_instance(bed, unit, lane), &note);
}

void bed_join_lane(struct lanes_bed *bed, unsigned lane, uint32_t frame)
{
	for (unsigned i = 0; i < BED_UNITS; i++)
		if (!bed->unit[i].quarantined)
			bed_note(bed, i, lane, CHR_NOTE_JOINED, frame, 0);
}

bool bed_take(struct lanes_bed *bed, unsigned unit, unsigned lane, unsigned kind, struct chr_event *event)
{
	struct chr_process *process = bed_instance(bed, unit, lane)->process;
	while (process && chr_ring_read(&process->slot->to_audio, event, 1))
		if (event->kind == kind)
			return true;
	return false;
}

void bed_drain(struct lanes_bed *bed)
{
	struct chr_event event;
	for (unsigned i = 0; i < BED_UNITS; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++)
			bed_take(bed, i, lane, CHR_EVENT_NONE, &event);
}

const char *bed_states(struct lanes_bed *bed, unsigned lane)
{
	static char text[2][BED_UNITS];
	static unsigned next;
	char *at = text[next++ % 2];
	for (unsigned i = BED_OSC1; i < BED_UNITS; i++)
		at[i - BED_OSC1] = "-wsWjpq"[bed_instance(bed, i, lane)->state];
	at[BED_UNITS - BED_OSC1] = 0;
	return at;
}

const char *bed_told(struct lanes_bed *bed, unsigned lane)
{
	static char text[8];
	const struct chr_process *out = bed_instance(bed, BED_OUT, 0)->process;
	const struct chr_slot_picker *picker = &(out ? out : bed_instance(bed, BED_OUT, 1)->process)->slot->picker;
	char *at = text;
	if (atomic_load_explicit(&picker->broken[lane], memory_order_acquire))
		*at++ = '!';
	/* the out of a lane is waited for whatever happens */
	ck_assert(chr_member_set_has(&picker->required[lane], BED_OUT));
	for (unsigned i = BED_OSC1; i < BED_UNITS; i++)
		if (chr_member_set_has(&picker->required[lane], i))
			*at++ = "Oofa"[i];
	*at = 0;
	return text;
}

bool bed_desired(struct lanes_bed *bed, const char *from, const char *to)
{
	return chr_edges_find(&bed->conductor.graph.desired, from, to) >= 0;
}

void bed_assert_asked(struct lanes_bed *bed, unsigned lane)
{
	struct chr_lanes *lanes = &bed->conductor.lanes;
	struct chr_event event;
	ck_assert(lanes->asked);
	for (unsigned i = 0; i < BED_UNITS; i++) {
		if (bed->unit[i].quarantined)
			continue;
		ck_assert_msg(bed_take(bed, i, lane, CHR_EVENT_JOIN, &event), "%s was not asked", bed->unit[i].name);
		ck_assert_uint_eq(event.frame, lanes->join_frame);
		ck_assert_uint_eq(event.version, CHR_EVENT_VERSION);
		ck_assert(!bed_take(bed, i, lane, CHR_EVENT_JOIN, &event));
		ck_assert(bed_take(bed, i, !lane, CHR_EVENT_PUBLISH, &event));
		ck_assert_uint_gt(event.count, 1);
	}
}

void bed_let_pass(struct lanes_bed *bed, uint64_t us)
{
	bed->conductor.lanes.asked_us -= us;
	for (unsigned i = 0; i < BED_UNITS; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++)
			if (bed_instance(bed, i, lane)->skip_us)
				bed_instance(bed, i, lane)->skip_us -= us;
}

void bed_answer(void *arg, int rc, const char *why)
{
	struct bed_answer *answer = arg;
	ck_assert_ptr_eq(answer->self, answer);
	answer->count++;
	answer->rc = rc;
	snprintf(answer->why, sizeof answer->why, "%s", why);
}
