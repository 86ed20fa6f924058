#include "supervisor/conductor.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/wake.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define FADE_MS 20
#define LOAD_US 1000000u /* between two load figures */

jack_client_t *chr_conductor_client(struct chr_conductor *conductor)
{
	return conductor->server_up ? atomic_load_explicit(&conductor->graph.client, memory_order_acquire) : NULL;
}

uint32_t chr_conductor_frame_now(struct chr_conductor *conductor)
{
	jack_client_t *client = chr_conductor_client(conductor);
	return client ? jack_frame_time(client) : 0;
}

static void on_osc(void *self)
{
	struct chr_conductor *conductor = self;
	chr_osc_receive(conductor->osc);
	if (chr_edit_busy(conductor))
		chr_conductor_hurry(conductor);
}

void chr_conductor_set_osc(struct chr_conductor *conductor, struct chr_osc *osc)
{
	conductor->osc = osc;
	conductor->osc_poll = (struct chr_poll){.fd = chr_osc_fd(osc), .ready = on_osc, .self = conductor};
	chr_poller_add(&conductor->poller, &conductor->osc_poll);
}

/* ---- the JACK server ---- */

void chr_conductor_set_period(struct chr_conductor *conductor)
{
	jack_client_t *client = chr_conductor_client(conductor);
	struct chr_rack *rack = &conductor->rack;
	if (!client)
		return;
	rack->sample_rate = jack_get_sample_rate(client);
	rack->pipewire = chr_jack_is_pipewire();
	rack->period = atomic_load_explicit(&conductor->graph.period, memory_order_relaxed);
	chr_sentry_set_period(&conductor->sentry, (uint32_t)(1000000ull * rack->period / rack->sample_rate));
	if (conductor->osc)
		chr_osc_clock_reset(conductor->osc);
}

void chr_conductor_server_up(struct chr_conductor *conductor)
{
	conductor->server_up = true;
	chr_jack_hurry(&conductor->server);
	chr_conductor_set_period(conductor);
	chr_info("JACK is back: %u Hz, %u frames", conductor->rack.sample_rate, conductor->rack.period);
	chr_start_begin(conductor);
	conductor->start.again = true;
	chr_lanes_rewire(conductor);
	chr_instances_fill(conductor);
}

void chr_conductor_server_lost(struct chr_conductor *conductor)
{
	if (!conductor->server_up)
		return;
	conductor->server_up = false;
	conductor->rack.sample_rate = conductor->rack.period = 0;
	conductor->heard_us = 0;
	conductor->started_us = chr_monotonic_us();
	chr_sentry_set_period(&conductor->sentry, 0);
	chr_warn("the JACK server is gone: waiting for it, everything comes back with it");
	chr_instances_server_lost(conductor);
	chr_graph_reconnect(&conductor->graph);
}

void chr_conductor_heard(struct chr_conductor *conductor)
{
	conductor->heard_us = chr_monotonic_us();
	chr_info("playing \"%s\": %u modules, %u lane%s, %u Hz, %u frames, after %.0f ms", conductor->rack.patch->name,
		 conductor->rack.unit_count, conductor->rack.patch->lanes, conductor->rack.patch->lanes == 1 ? "" : "s",
		 conductor->rack.sample_rate, conductor->rack.period,
		 (double)(conductor->heard_us - conductor->started_us) / 1000.0);
}

/* ---- the loop ---- */

static void on_inbox(void *self)
{
	struct chr_conductor *conductor = self;
	chr_wake_clear(conductor->inbox.wake_fd);
	chr_conductor_take_posts(conductor);
}

void chr_conductor_quit(struct chr_conductor *conductor)
{
	conductor->quitting = true;
	chr_poller_stop(&conductor->poller);
}

static void on_signal(void *self)
{
	struct chr_conductor *conductor = self;
	struct signalfd_siginfo info;
	while (read(conductor->signal_poll.fd, &info, sizeof info) == sizeof info)
		if (info.ssi_signo == SIGINT || info.ssi_signo == SIGTERM)
			chr_conductor_quit(conductor);
		else if (info.ssi_signo == SIGHUP)
			chr_load_request(conductor, conductor->edits.given, NULL, NULL);
}

static void measure_load(struct chr_conductor *conductor, struct chr_instance *instance)
{
	const struct chr_slot_status *status = &instance->process->slot->status;
	uint32_t cycles = atomic_load_explicit(&status->cycles, memory_order_relaxed);
	uint32_t busy = atomic_load_explicit(&status->busy_us, memory_order_relaxed);
	uint32_t ran = cycles - instance->cycles_seen;
	double period_us = 1e6 * conductor->rack.period / conductor->rack.sample_rate;
	if (ran)
		instance->load = (float)((double)(busy - instance->busy_seen_us) / (ran * period_us));
	instance->cycles_seen = cycles;
	instance->busy_seen_us = busy;
}

/* The audio threads speak through rings that wake nobody. */
static void take_notes(struct chr_conductor *conductor, struct chr_unit *unit, struct chr_instance *instance)
{
	struct chr_event note;
	for (int i = 0; i < 64 && instance->process && chr_ring_read(&instance->process->slot->from_audio, &note, 1); i++)
		chr_lanes_note(conductor, unit, instance, &note);
}

static void look_after(struct chr_conductor *conductor, bool load)
{
	uint64_t now = chr_monotonic_us();
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			struct chr_unit *unit = conductor->rack.unit[i];
			struct chr_instance *instance = &unit->instance[lane];
			if (!instance->process)
				continue;
			take_notes(conductor, unit, instance);
			if (load && conductor->rack.sample_rate)
				measure_load(conductor, instance);
			if (chr_start_hangs(conductor, instance, now)) {
				snprintf(instance->fault.cause, sizeof instance->fault.cause, "did not start within %u s",
					 CHR_START_WAIT_US / 1000000u);
				chr_process_signal(instance->process, SIGKILL);
			}
		}
}

static int set_tick(struct chr_conductor *conductor, unsigned ms)
{
	const struct timespec tick = {.tv_nsec = (long)ms * 1000000};
	const struct itimerspec timer = {.it_interval = tick, .it_value = tick};
	if (ms == conductor->tick_ms)
		return 0;
	if (timerfd_settime(conductor->tick_poll.fd, 0, &timer, NULL))
		return -errno;
	conductor->tick_ms = ms;
	return 0;
}

void chr_conductor_hurry(struct chr_conductor *conductor)
{
	set_tick(conductor, CHR_TICK_BUSY_MS);
}

bool chr_conductor_repairing(const struct chr_conductor *conductor)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			enum chr_instance_state state = conductor->rack.unit[i]->instance[lane].state;
			if (state == CHR_INSTANCE_WIRING || state == CHR_INSTANCE_JOINING)
				return true;
		}
	return false;
}

/* Each tick costs as much as a module's cycle. */
static unsigned tick_wanted(const struct chr_conductor *conductor, bool waiting)
{
	if (chr_conductor_repairing(conductor) || chr_edit_busy(conductor))
		return CHR_TICK_BUSY_MS;
	bool swapping = conductor->swap.state != CHR_SWAP_NONE || conductor->swap.queued;
	return waiting || swapping ? CHR_TICK_MS : CHR_TICK_CALM_MS;
}

static bool settled(const struct chr_conductor *conductor)
{
	for (unsigned i = 0; i < conductor->rack.unit_count; i++)
		for (unsigned lane = 0; lane < CHR_LANES; lane++) {
			enum chr_instance_state state = conductor->rack.unit[i]->instance[lane].state;
			if (state != CHR_INSTANCE_NONE && state != CHR_INSTANCE_PLAYING && state != CHR_INSTANCE_QUARANTINED)
				return false;
		}
	return conductor->server_up;
}

/* Clients that were born since are described to patchbays. */
static void describe(struct chr_conductor *conductor)
{
	struct chr_properties list;
	if (conductor->generation != conductor->described_of)
		conductor->described_times = 0;
	/* twice: libjack may not have known every port the first time */
	if (conductor->described_times == 2 || !settled(conductor) || chr_properties_make(&conductor->rack, &list))
		return;
	conductor->described_of = conductor->generation;
	conductor->described_times++;
	chr_graph_describe(&conductor->graph, &list, conductor->generation);
}

static void on_tick(void *self)
{
	struct chr_conductor *conductor = self;
	uint64_t expired, now = chr_monotonic_us();
	if (read(conductor->tick_poll.fd, &expired, sizeof expired) < 0)
		return;
	if (conductor->osc)
		chr_osc_tick(conductor->osc);
	bool waiting = chr_rack_deliver(&conductor->rack, chr_conductor_frame_now(conductor)) >= 0;
	chr_instances_review(conductor);
	bool load = now - conductor->load_us >= LOAD_US;
	if (load)
		conductor->load_us = now;
	look_after(conductor, load);
	chr_lanes_tick(conductor);
	chr_start_tick(conductor);
	chr_watch_tick(conductor);
	chr_swap_tick(conductor);
	chr_edit_tick(conductor);
	bool held = conductor->hold_us && now >= conductor->hold_us;
	if (held)
		conductor->hold_us = 0;
	if (load || held)
		chr_instances_fill(conductor); /* what could not be started may be now */
	set_tick(conductor, tick_wanted(conductor, waiting));
	bool busy = conductor->tick_ms == CHR_TICK_BUSY_MS;
	if (load && !busy && conductor->server_up && conductor->generation != conductor->latencies_of) {
		conductor->latencies_of = conductor->generation;
		chr_graph_latencies(&conductor->graph);
	}
	if (load)
		describe(conductor);
	if (!conductor->server_up && load)
		chr_jack_restart(&conductor->server, &conductor->jack);
}

/* ---- beginning and end ---- */

static int watch(struct chr_conductor *conductor, struct chr_poll *poll, int fd, void (*ready)(void *self))
{
	if (fd < 0)
		return -errno;
	*poll = (struct chr_poll){.fd = fd, .ready = ready, .self = conductor};
	return chr_poller_add(&conductor->poller, poll);
}

static int watch_all(struct chr_conductor *conductor)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	int rc = watch(conductor, &conductor->inbox_poll, conductor->inbox.wake_fd, on_inbox);
	if (!rc)
		rc = watch(conductor, &conductor->signal_poll, signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), on_signal);
	if (!rc)
		rc = watch(conductor, &conductor->tick_poll, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), on_tick);
	if (rc)
		return rc;
	return set_tick(conductor, CHR_TICK_MS);
}

static int fill_rack(struct chr_conductor *conductor, struct chr_patch *patch)
{
	int rc = 0;
	conductor->rack.patch = patch;
	chr_schedule_init(&conductor->rack.schedule);
	for (unsigned i = 0; i < patch->module_count && !rc; i++) {
		const struct chr_patch_module *module = &patch->module[i];
		const struct chr_descriptor *type = chr_catalog_type(conductor->catalog, module->type, module->file, NULL);
		struct chr_unit *unit = type ? chr_rack_add(&conductor->rack, module->name, type, module->value) : NULL;
		rc = unit ? 0 : -ENOMEM;
		if (unit && *module->file)
			unit->code = chr_code_hold(chr_catalog_given(conductor->catalog, module->type, module->file));
	}
	return rc ? rc : chr_wiring_logical(patch, &conductor->logical);
}

int chr_conductor_init(struct chr_conductor *conductor, struct chr_patch *patch, struct chr_catalog *catalog,
		       const struct chr_spawn *spawn, const struct chr_jack_settings *jack, const struct chr_jack_server *server,
		       jack_client_t *client)
{
	conductor->catalog = catalog;
	conductor->jack = *jack;
	conductor->server = *server;
	conductor->started_us = chr_monotonic_us();
	int rc = chr_poller_init(&conductor->poller);
	if (!rc)
		rc = fill_rack(conductor, patch);
	if (!rc)
		rc = chr_inbox_init(&conductor->inbox);
	if (!rc)
		rc = chr_sentry_init(&conductor->sentry, &conductor->inbox, &conductor->graph.cycles, patch->watchdog_periods);
	if (!rc)
		rc = chr_graph_init(&conductor->graph, &conductor->inbox, spawn, jack->server, client);
	if (!rc)
		rc = watch_all(conductor);
	if (rc)
		return rc;
	conductor->server_up = true;
	chr_start_begin(conductor);
	chr_conductor_set_period(conductor);
	return 0;
}

int chr_conductor_run(struct chr_conductor *conductor)
{
	chr_lanes_rewire(conductor);
	chr_instances_fill(conductor);
	return chr_poller_run(&conductor->poller);
}

/* The sound ends in a short fade instead of a click. */
static void fade_out(struct chr_conductor *conductor)
{
	struct chr_process *out = conductor->rack.unit[0]->instance[0].process;
	const struct chr_rack *rack = &conductor->rack;
	if (!out || !conductor->server_up || !rack->sample_rate)
		return;
	struct chr_event fade = {.version = CHR_EVENT_VERSION,
				 .kind = CHR_EVENT_FADE,
				 .frame = chr_conductor_frame_now(conductor),
				 .ramp_frames = rack->sample_rate * FADE_MS / 1000};
	chr_process_request(out, &fade);
	poll(NULL, 0, FADE_MS + (int)(3000 * rack->period / rack->sample_rate));
}

bool chr_conductor_finish(struct chr_conductor *conductor)
{
	conductor->quitting = true;
	chr_edit_finish(conductor);
	fade_out(conductor);
	conductor->server_up = false;
	chr_poller_remove(&conductor->poller, &conductor->tick_poll);
	/* the graph thread first: it would mend what now goes away */
	bool ended = chr_graph_finish(&conductor->graph);
	chr_processes_end_all(conductor);
	chr_conductor_take_posts(conductor);
	while (conductor->process_count) {
		struct chr_process *process = conductor->process[--conductor->process_count];
		chr_sentry_remove(&conductor->sentry, process);
		chr_process_destroy(process);
	}
	chr_sentry_finish(&conductor->sentry);
	chr_jack_stop(&conductor->server);
	chr_watch_finish(conductor);
	chr_swap_finish(conductor);
	while (conductor->rack.unit_count)
		chr_rack_remove(&conductor->rack, conductor->rack.unit[conductor->rack.unit_count - 1]);
	chr_schedule_finish(&conductor->rack.schedule);
	chr_edges_finish(&conductor->logical);
	close(conductor->tick_poll.fd);
	close(conductor->signal_poll.fd);
	if (ended) /* else the graph thread may still post */
		chr_inbox_finish(&conductor->inbox);
	chr_poller_finish(&conductor->poller);
	return ended;
}
