#include "engine/client.h"

#include "common/clock.h"
#include "common/hurry.h"
#include "common/log.h"
#include "common/wake.h"
#include "engine/libjack.h"

#include <errno.h>
#include <jack/thread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define CLASH_US 1000000u /* how long a name may stay taken */
#define FD_MAX   1024     /* the socket is looked for below it */

static void widen(struct chr_latency *all, const jack_latency_range_t *range, bool *any)
{
	if (!*any || range->min < atomic_load_explicit(&all->min, memory_order_relaxed))
		atomic_store_explicit(&all->min, range->min, memory_order_relaxed);
	if (!*any || range->max > atomic_load_explicit(&all->max, memory_order_relaxed))
		atomic_store_explicit(&all->max, range->max, memory_order_relaxed);
	*any = true;
}

/* What goes through out comes one period later: capture latency grows from its inputs to its outputs, playback latency the other way. */
CHR_RT static void pass_latency(struct chr_client *client, jack_latency_callback_mode_t mode, jack_nframes_t period)
{
	bool capture = mode == JackCaptureLatency;
	const struct chr_latency *from = capture ? &client->capture : &client->playback;
	jack_latency_range_t range = {.min = atomic_load_explicit(&from->min, memory_order_relaxed) + period,
				      .max = atomic_load_explicit(&from->max, memory_order_relaxed) + period};
	for (unsigned i = 0; i < CHR_PORTS_MAX; i++) {
		jack_port_t *port = capture ? i != client->clock ? client->out_port[i] : NULL : client->in_port[i];
		if (port)
			jack_port_set_latency_range(port, mode, &range);
	}
}

/* Reads the latencies that out passes on, and on jackd passes them on. Outside the process thread libjack of jackd sleeps for a period in
 * each of these calls while the graph changes, and with it jackd, which waits for every client's answer, and whatever else the change was
 * for; in here it never does. In PipeWire they are ordinary memory to read, but setting them is nothing for a process thread. */
CHR_RT static void renew_latency(struct chr_client *client, jack_nframes_t period)
{
	bool in = false, out = false;
	jack_latency_range_t range;
	atomic_store_explicit(&client->latency_stale, 0, memory_order_relaxed);
	for (unsigned i = 0; i < CHR_PORTS_MAX; i++) {
		if (client->in_port[i]) {
			jack_port_get_latency_range(client->in_port[i], JackCaptureLatency, &range);
			widen(&client->capture, &range, &in);
		}
		if (client->out_port[i] && i != client->clock) {
			jack_port_get_latency_range(client->out_port[i], JackPlaybackLatency, &range);
			widen(&client->playback, &range, &out);
		}
	}
	if (client->pipewire)
		return;
	pass_latency(client, JackCaptureLatency, period);
	pass_latency(client, JackPlaybackLatency, period);
}

/* What the other side has is read in a later cycle; the supervisor has latencies computed once more when the graph has settled. */
static void on_latency(jack_latency_callback_mode_t mode, void *self)
{
	struct chr_client *client = self;
	if (client->pipewire)
		pass_latency(client, mode, jack_get_buffer_size(client->jack));
	atomic_store_explicit(&client->latency_stale, 1, memory_order_relaxed);
}

CHR_RT static int on_process(jack_nframes_t frames, void *self)
{
	struct chr_client *client = self;
	uint64_t begin = chr_monotonic_us();
	if (!atomic_load_explicit(&client->thread_known, memory_order_relaxed)) {
		client->thread = pthread_self();
		/* release: for chr_client_rank() */
		atomic_store_explicit(&client->thread_known, 1, memory_order_release);
	}
	if (client->out && atomic_load_explicit(&client->latency_stale, memory_order_relaxed))
		renew_latency(client, frames);
	for (unsigned i = 0; i < client->ports; i++) {
		if (client->in_port[i])
			client->in[i] = jack_port_get_buffer(client->in_port[i], frames);
		if (client->out_port[i])
			client->out_buffer[i] = jack_port_get_buffer(client->out_port[i], frames);
	}
	chr_rt_cycle(client->rt, frames, jack_last_frame_time(client->jack), client->in, client->out_buffer);
	chr_rt_busy(client->rt, (uint32_t)(chr_monotonic_us() - begin));
	return 0;
}

static void on_shutdown(void *self)
{
	struct chr_client *client = self;
	atomic_store_explicit(&client->lost, 1, memory_order_release);
	chr_wake(client->wake);
}

static void on_message(const char *text)
{
	chr_debug("jack: %s", text);
}

void chr_client_prepare(void)
{
	jack_set_error_function(on_message);
	jack_set_info_function(on_message);
}

/* The one of our sockets whose other end is the server's, and whether that is PipeWire; -1: none. */
static int find_socket(bool *pipewire)
{
	for (int fd = CHR_FD_FIRST_FREE; fd < FD_MAX; fd++) {
		/* One byte more than the kernel fills, so that the path is terminated. */
		union {
			struct sockaddr any;
			struct sockaddr_un un;
			char bytes[sizeof(struct sockaddr_un) + 1];
		} peer = {0};
		socklen_t length = sizeof peer.un;
		if (getpeername(fd, &peer.any, &length) || peer.any.sa_family != AF_UNIX)
			continue;
		*pipewire = strstr(peer.un.sun_path, "pipewire");
		if (*pipewire || strstr(peer.un.sun_path, "jack_"))
			return fd;
	}
	*pipewire = false;
	return -1;
}

/* Libjack's word for a name that is taken is JackNameNotUnique, but jackd's refusal of an exact name arrives as JackServerError, as does
 * that of a client too many. */
static bool refused(jack_status_t status)
{
	return status & (JackNameNotUnique | JackServerError) && !(status & (JackServerFailed | JackVersionError));
}

static void explain(jack_status_t status, const struct chr_slot_order *order, char *why, size_t why_bytes)
{
	if (status & JackNameNotUnique)
		snprintf(why, why_bytes, "the JACK client name '%s' is taken by another client", order->client);
	else if (refused(status))
		snprintf(why, why_bytes, "the JACK client name '%s' is taken by another client, or the server has " CHR_NO_ROOM,
			 order->client);
	else if (status & JackServerFailed)
		snprintf(why, why_bytes, "no JACK server answers%s%s", *order->server ? " as " : "", order->server);
	else if (status & JackVersionError)
		snprintf(why, why_bytes, "the JACK server has another protocol version than libjack");
	else
		snprintf(why, why_bytes, "JACK refuses the client '%s' (status 0x%x)", order->client, status);
}

/* PipeWire lets two clients bear one name and shows the ports of one of them under another: has somebody else ports of this name? On
 * jackd the question would sleep for a period, because the client that was just opened changes the graph. */
static bool name_shared(jack_client_t *jack, const char *name)
{
	const char **ports = jack_get_ports(jack, NULL, NULL, 0);
	size_t length = strlen(name);
	bool shared = false;
	for (unsigned i = 0; ports && ports[i] && !shared; i++)
		shared = !strncmp(ports[i], name, length) && ports[i][length] == ':';
	jack_free(ports);
	return shared;
}

static jack_client_t *open_exact(const struct chr_slot_order *order, jack_status_t *status)
{
	jack_options_t options = JackNoStartServer | JackUseExactName;
	jack_client_t *jack;
	bool pipewire;
	*status = 0;
	jack_set_thread_creator(chr_hurry_create_listener);
	if (*order->server)
		jack = jack_client_open(order->client, options | JackServerName, status, order->server);
	else
		jack = jack_client_open(order->client, options, status);
	jack_set_thread_creator(chr_hurry_create);
	if (jack && find_socket(&pipewire) >= 0 && pipewire && name_shared(jack, order->client)) {
		jack_client_close(jack);
		*status = JackFailure | JackNameNotUnique;
		return NULL;
	}
	return jack;
}

int chr_client_open(struct chr_client *client, const struct chr_slot_order *order, const volatile sig_atomic_t *ended, char *why,
		    size_t why_bytes)
{
	static const struct timespec pause = {.tv_nsec = 2000000};
	uint64_t deadline = chr_monotonic_us() + CLASH_US;
	jack_status_t status;
	if (strlen(order->client) >= (size_t)jack_client_name_size()) {
		snprintf(why, why_bytes, "the JACK client name '%s' is too long", order->client);
		return -ENAMETOOLONG;
	}
	chr_libjack_hurry();
	client->jack = open_exact(order, &status);
	while (!client->jack && refused(status) && chr_monotonic_us() < deadline && !*ended) {
		nanosleep(&pause, NULL);
		client->jack = open_exact(order, &status);
	}
	if (!client->jack) {
		explain(status, order, why, why_bytes);
		return -ECONNREFUSED;
	}
	client->socket = find_socket(&client->pipewire);
	client->sample_rate = jack_get_sample_rate(client->jack);
	client->period = jack_get_buffer_size(client->jack);
	return 0;
}

static jack_port_t *add_port(struct chr_client *client, const char *name, unsigned long flags)
{
	return jack_port_register(client->jack, name, JACK_DEFAULT_AUDIO_TYPE, flags, 0);
}

static bool add_ports(struct chr_client *client, uint32_t channels)
{
	const struct chr_descriptor *desc = client->desc;
	for (unsigned i = 0; i < desc->port_count; i++) {
		bool in = desc->port[i].direction == CHR_IN;
		jack_port_t **port = in ? &client->in_port[i] : &client->out_port[i];
		if (!chr_rt_has_port(desc, i, channels))
			continue;
		*port = add_port(client, desc->port[i].name, in ? JackPortIsInput : JackPortIsOutput);
		if (!*port)
			return false;
	}
	if (chr_descriptor_port(desc, "clock") < 0)
		return add_port(client, "clock", JackPortIsInput) != NULL;
	return true;
}

int chr_client_start(struct chr_client *client, struct chr_rt *rt, uint32_t channels, char *why, size_t why_bytes)
{
	client->rt = rt;
	client->ports = client->desc->port_count;
	if (jack_set_process_callback(client->jack, on_process, client)) {
		snprintf(why, why_bytes, "JACK refuses the process callback");
		return -EIO;
	}
	jack_on_shutdown(client->jack, on_shutdown, client);
	int clock = chr_descriptor_port(client->desc, "clock");
	client->clock = clock < 0 ? CHR_PORTS_MAX : (unsigned)clock;
	if (client->out && jack_set_latency_callback(client->jack, on_latency, client))
		chr_warn("JACK refuses the latency callback: latencies are reported without the period that out adds");
	if (!add_ports(client, channels)) {
		snprintf(why, why_bytes, "JACK has " CHR_NO_ROOM " ports: start it with a larger -p");
		return -EIO;
	}
	chr_libjack_hurry();
	if (jack_activate(client->jack)) {
		snprintf(why, why_bytes, "JACK does not activate the client");
		return -EIO;
	}
	return 0;
}

void chr_client_rank(struct chr_client *client, bool behind)
{
	struct sched_param param;
	int policy;
	/* acquire: the thread that it vouches for */
	if (!client->jack || !atomic_load_explicit(&client->thread_known, memory_order_acquire))
		return;
	if (pthread_getschedparam(client->thread, &policy, &param))
		return;
	int plain = policy & ~SCHED_RESET_ON_FORK; /* a flag that PipeWire sets */
	if (plain != SCHED_FIFO && plain != SCHED_RR)
		return;
	if (!client->priority)
		client->priority = param.sched_priority;
	if (client->priority <= sched_get_priority_min(plain))
		return;
	param.sched_priority = client->priority - behind;
	int rc = pthread_setschedparam(client->thread, policy, &param);
	if (rc)
		chr_debug("the priority of the audio thread stays: %s", strerror(rc));
}

void chr_client_close(struct chr_client *client)
{
	if (!client->jack)
		return;
	jack_client_close(client->jack);
	client->jack = NULL;
	client->socket = -1;
}
