#include "engine/orders.h"

#include "common/event.h"
#include "common/log.h"
#include "common/touch.h"
#include "common/wake.h"
#include "engine/crash.h"
#include "engine/ending.h"
#include "engine/join.h"
#include "engine/orders_parts.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define CHANGE_LOOK_MS 2

void chr_engine_phase(struct engine *engine, unsigned phase)
{
	/* release: what the phase vouches for was written before */
	atomic_store_explicit(&engine->slot->report.phase, phase, memory_order_release);
}

void chr_engine_report(struct engine *engine, unsigned kind)
{
	const struct chr_event event = {.version = CHR_EVENT_VERSION, .kind = (uint16_t)kind};
	if (!chr_ring_write(&engine->slot->from_main, &event, 1))
		chr_warn("the supervisor does not read its reports");
	chr_wake(CHR_FD_FROM_MAIN);
}

/* An order failed. A module that plays goes on playing, so its phase stays. */
void chr_engine_fail(struct engine *engine, const char *why)
{
	snprintf(engine->slot->report.text, sizeof engine->slot->report.text, "%s", why);
	if (!engine->running)
		chr_engine_phase(engine, CHR_PHASE_FAILED);
	chr_debug("failed: %s", why);
	chr_engine_report(engine, CHR_REPORT_FAILED);
}

void chr_engine_touch(const struct chr_slot *slot, size_t state_bytes, bool writing)
{
	for (unsigned i = 0; i < 2; i++)
		chr_touch(&slot->snapshot[i], offsetof(struct chr_snapshot, state) + state_bytes, writing);
}

void chr_engine_touch_inputs(const struct chr_slot *slot, const struct chr_descriptor *desc, uint32_t period, bool writing)
{
	size_t count = 0, frames = period < CHR_BLOCK_MAX ? period : CHR_BLOCK_MAX;
	for (unsigned i = 0; i < desc->port_count; i++)
		count += desc->port[i].direction == CHR_IN;
	for (unsigned i = 0; i < 2; i++)
		chr_touch(&slot->inputs[i], offsetof(struct chr_inputs, sample) + count * frames * sizeof(float), writing);
}

/* A private copy of the order block: what is checked here stays as it was checked. */
void chr_engine_copy_order(struct engine *engine)
{
	struct chr_slot_order *order = &engine->order;
	*order = engine->slot->order;
	order->file[sizeof order->file - 1] = 0;
	order->client[sizeof order->client - 1] = 0;
	order->module[sizeof order->module - 1] = 0;
	order->server[sizeof order->server - 1] = 0;
}

/* Every module writes on its own lane's board alone; out reads the other's too. */
static int map_boards(struct engine *engine)
{
	bool out = engine->loaded->desc.flags & CHR_MODULE_OUT;
	for (unsigned lane = 0; lane < CHR_LANES; lane++) {
		bool own = lane == engine->order.lane;
		if (!engine->board[lane] && (out || own)) {
			engine->board[lane] = chr_board_map(CHR_FD_BOARD_A + (int)lane, own);
			if (!engine->board[lane])
				return -errno;
			chr_touch(engine->board[lane], sizeof *engine->board[lane], own);
		}
	}
	if (out && !engine->choice)
		engine->choice = chr_choice_map(CHR_FD_CHOICE);
	return out && !engine->choice ? -errno : 0;
}

static struct chr_rt *make_rt(struct engine *engine)
{
	const struct chr_slot_order *order = &engine->order;
	bool out = engine->loaded->desc.flags & CHR_MODULE_OUT;
	struct chr_rt_setup setup = {.module = engine->loaded->module,
				     .desc = &engine->loaded->desc,
				     .slot = engine->slot,
				     .pulse = &engine->board[order->lane]->pulse[order->member],
				     .lane_board = engine->board[order->lane],
				     .choice = engine->choice,
				     .lane = order->lane,
				     .sample_rate = (float)engine->client.sample_rate,
				     .lanes = order->lanes,
				     .channels = order->channels,
				     .silent = order->silent,
				     .value = order->value};
	for (unsigned lane = 0; out && lane < CHR_LANES; lane++)
		setup.board[lane] = engine->board[lane];
	return chr_rt_create(&setup);
}

static const char *check_open(const struct engine *engine)
{
	const struct chr_slot_order *order = &engine->order;
	if (!engine->loaded->module)
		return "there is no module to play";
	if (engine->client.jack)
		return "the client is open already";
	if (order->lane >= CHR_LANES || order->lanes < 1 || order->lanes > CHR_LANES || order->member >= CHR_BOARD_MEMBERS ||
	    order->channels > CHR_PORTS_MAX)
		return "the order to open is out of range";
	return NULL;
}

/* Opens the client and tells what the supervisor must know of it. */
static int open_client(struct engine *engine, char *why, size_t why_bytes)
{
	struct chr_client *client = &engine->client;
	client->desc = &engine->loaded->desc;
	client->out = engine->loaded->desc.flags & CHR_MODULE_OUT;
	int rc = chr_client_open(client, &engine->order, &chr_ending, why, why_bytes);
	if (rc)
		return rc;
	chr_crash_set_socket(client->socket);
	rc = client->socket < 0 ? 0 : chr_fd_send(CHR_FD_SOCKET, client->socket, CHR_FD_TAG_JACK);
	if (rc == -EPIPE) { /* who plays on without a supervisor is wired already; this one never would be */
		snprintf(why, why_bytes, "the supervisor is gone");
		return rc;
	}
	if (client->socket < 0)
		chr_warn("JACK's socket was not found: a death is seen by jackd alone");
	else if (rc)
		chr_warn("JACK's socket could not be handed over: %s", strerror(-rc));
	engine->slot->report.sample_rate = client->sample_rate;
	engine->slot->report.period = client->period;
	chr_engine_touch_inputs(engine->slot, client->desc, client->period, true);
	return 0;
}

static void close_client(struct engine *engine)
{
	chr_crash_set_socket(-1);
	chr_client_close(&engine->client);
	chr_rt_destroy(engine->rt);
	engine->rt = NULL;
}

static void take_twin(struct engine *engine);

static void order_open(struct engine *engine)
{
	const struct chr_slot_order *order = &engine->order;
	char why[CHR_TEXT_MAX] = "";
	chr_engine_copy_order(engine);
	const char *wrong = check_open(engine);
	if (wrong) {
		chr_engine_fail(engine, wrong);
		return;
	}
	chr_log_identity("module", order->module, (char)('a' + order->lane));
	chr_engine_phase(engine, CHR_PHASE_OPENING);
	int rc = map_boards(engine);
	if (rc)
		snprintf(why, sizeof why, "cannot map the pulse boards: %s", strerror(-rc));
	else
		rc = open_client(engine, why, sizeof why);
	if (!rc && !(engine->rt = make_rt(engine))) {
		snprintf(why, sizeof why, "out of memory");
		rc = -ENOMEM;
	}
	if (!rc)
		rc = chr_client_start(&engine->client, engine->rt, order->channels, why, sizeof why);
	if (rc) {
		close_client(engine);
		chr_engine_fail(engine, why);
		return;
	}
	engine->running = true;
	chr_engine_phase(engine, CHR_PHASE_RUNNING);
	chr_engine_report(engine, CHR_REPORT_READY);
	take_twin(engine);
}

/* May the two exchange states? */
static const char *check_twin(const struct engine *engine, const struct chr_slot *twin)
{
	const struct chr_descriptor *own = &engine->loaded->desc;
	static struct chr_descriptor other; /* large */
	char why[CHR_TEXT_MAX];
	other = twin->descriptor;
	if (chr_descriptor_check(&other, why, sizeof why) || strcmp(other.name, own->name) != 0)
		return "the twin is another module";
	if (other.state_version != own->state_version || other.state_bytes != own->state_bytes ||
	    !chr_descriptor_params_begin(&other, own))
		return "the twin is another build of the module: its state does not fit";
	return NULL;
}

/* Gives the audio thread the twin's slot when both have come: the order and the descriptor. */
static void take_twin(struct engine *engine)
{
	if (!engine->twin_wanted || engine->twin_fd < 0 || !engine->rt)
		return;
	struct chr_slot *twin = chr_slot_map(engine->twin_fd, 0);
	const char *wrong = twin ? check_twin(engine, twin) : "the twin's slot cannot be mapped";
	close(engine->twin_fd);
	engine->twin_fd = -1;
	engine->twin_wanted = false;
	if (wrong) {
		if (twin)
			chr_slot_unmap(twin);
		chr_engine_fail(engine, wrong);
		return;
	}
	chr_engine_touch(twin, engine->loaded->desc.state_bytes, false);
	chr_engine_touch_inputs(twin, &engine->loaded->desc, engine->client.period, false);
	if (chr_join_set_twin(engine->rt, twin))
		chr_slot_unmap(engine->twin);
	engine->twin = twin;
}

/* False when the supervisor's end of the socket is gone. */
bool chr_engine_receive(struct engine *engine)
{
	for (;;) {
		unsigned char tag = 0;
		int fd = chr_fd_receive(CHR_FD_SOCKET, &tag);
		if (fd < 0)
			return fd == -EAGAIN || fd == -EINTR;
		int *place = tag == CHR_FD_TAG_TWIN ? &engine->twin_fd : tag == CHR_FD_TAG_CODE ? &engine->copy_fd : NULL;
		int old = place ? *place : fd;
		if (place)
			*place = fd;
		if (old >= 0)
			close(old);
	}
}

static void order_twin(struct engine *engine)
{
	engine->twin_wanted = true;
	chr_engine_receive(engine);
	take_twin(engine);
}

static void order_ahead(struct engine *engine)
{
	if (engine->running)
		chr_client_rank(&engine->client, false);
}

static void order_behind(struct engine *engine)
{
	if (engine->running)
		chr_client_rank(&engine->client, true);
}

static void order_exit(struct engine *engine)
{
	(void)engine;
	chr_ending_begin();
}

static void obey(struct engine *engine)
{
	static const struct {
		unsigned kind;
		void (*carry_out)(struct engine *engine);
	} table[] = {
		{CHR_ORDER_LOAD, chr_engine_load}, {CHR_ORDER_SWAP, chr_engine_swap}, {CHR_ORDER_OPEN, order_open},
		{CHR_ORDER_TWIN, order_twin},      {CHR_ORDER_AHEAD, order_ahead},    {CHR_ORDER_BEHIND, order_behind},
		{CHR_ORDER_EXIT, order_exit},
	};
	struct chr_event event;
	chr_wake_clear(CHR_FD_TO_MAIN);
	while (!chr_ending && chr_ring_read(&engine->slot->to_main, &event, 1)) {
		bool known = false;
		for (unsigned i = 0; event.version == CHR_EVENT_VERSION && i < sizeof table / sizeof table[0]; i++) {
			if (table[i].kind == event.kind) {
				known = true;
				table[i].carry_out(engine);
			}
		}
		if (!known)
			chr_warn("an order of kind %u, version %u is not known", event.kind, event.version);
	}
}

static void end_lost(struct engine *engine)
{
	chr_engine_phase(engine, CHR_PHASE_SERVER_LOST);
	chr_engine_report(engine, CHR_REPORT_SERVER_LOST);
	/* Not through libjack: it may wait for the server that is gone. */
	_exit(EX_UNAVAILABLE);
}

static void serve(struct engine *engine)
{
	struct pollfd fds[] = {{.fd = CHR_FD_TO_MAIN, .events = POLLIN},
			       {.fd = CHR_FD_SOCKET, .events = POLLIN},
			       {.fd = engine->client.wake, .events = POLLIN}};
	while (!chr_ending) {
		/* the audio thread makes no system call: whether a change is over is looked for */
		int ready = poll(fds, sizeof fds / sizeof fds[0], engine->change ? CHANGE_LOOK_MS : -1);
		chr_engine_swapped(engine);
		if (ready < 0)
			continue;
		if (atomic_load_explicit(&engine->client.lost, memory_order_acquire))
			end_lost(engine);
		if (fds[2].revents)
			chr_wake_clear(engine->client.wake);
		if (fds[1].revents && !chr_engine_receive(engine)) {
			/* The supervisor is gone. What plays goes on; what does not has nobody to play for. */
			fds[1].fd = -1;
			if (!engine->running)
				return;
		}
		if (fds[1].revents)
			take_twin(engine);
		if (fds[0].revents)
			obey(engine);
	}
}

static void finish(struct engine *engine)
{
	chr_ending_begin();
	close_client(engine);
	if (engine->twin)
		chr_slot_unmap(engine->twin);
	for (unsigned lane = 0; lane < CHR_LANES; lane++)
		if (engine->board[lane])
			chr_board_unmap(engine->board[lane]);
	if (engine->choice)
		chr_choice_unmap(engine->choice);
	if (engine->twin_fd >= 0)
		close(engine->twin_fd);
	close(engine->client.wake);
}

int chr_orders_serve(struct chr_slot *slot)
{
	static struct engine engine = {
		.code = {{.copy = -1}, {.copy = -1}}, .twin_fd = -1, .copy_fd = -1, .client = {.socket = -1}};
	int wake = chr_wake_create();
	engine.slot = slot;
	engine.loaded = &engine.code[0];
	engine.client.wake = wake;
	int rc = wake < 0 ? wake : chr_ending_install(wake);
	if (rc) {
		chr_error("cannot prepare to be ended: %s", strerror(-rc));
		return EX_OSERR;
	}
	chr_client_prepare();
	chr_touch(slot, offsetof(struct chr_slot, snapshot), true);
	chr_engine_phase(&engine, CHR_PHASE_SPARE);
	chr_engine_report(&engine, CHR_REPORT_HELLO);
	serve(&engine);
	finish(&engine);
	return EX_OK;
}
