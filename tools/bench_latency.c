/* Audio latency: an impulse leaves one client, goes through a filter and `out`, and comes to another. The hardware's own period, between capture and
 * playback, is added: it is the floor, and what a wire between the two clients would take.
 */
#include "tools/bench.h"
#include "tools/bench_chain.h"
#include "tools/bench_play.h"
#include "tools/bench_probe.h"
#include "tools/bench_stat.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#define SHOTS     15u
#define THRESHOLD 0.001f

struct pinger {
	jack_client_t *from, *to;
	jack_port_t *out, *in;
	_Atomic int fire, armed;
	_Atomic uint32_t fired; /* frame */
	_Atomic int64_t delay;  /* frames; negative: none yet */
};

static int on_from(jack_nframes_t frames, void *arg)
{
	struct pinger *p = arg;
	float *out = jack_port_get_buffer(p->out, frames);
	memset(out, 0, frames * sizeof *out);
	if (atomic_exchange_explicit(&p->fire, 0, memory_order_acquire)) {
		out[0] = 0.9f;
		atomic_store_explicit(&p->fired, jack_last_frame_time(p->from), memory_order_relaxed);
		atomic_store_explicit(&p->armed, 1, memory_order_release);
	}
	return 0;
}

static int on_to(jack_nframes_t frames, void *arg)
{
	struct pinger *p = arg;
	const float *in = jack_port_get_buffer(p->in, frames);
	jack_nframes_t now = jack_last_frame_time(p->to);
	for (jack_nframes_t i = 0; i < frames && atomic_load_explicit(&p->armed, memory_order_acquire); i++)
		if (fabsf(in[i]) > THRESHOLD) {
			uint32_t fired = atomic_load_explicit(&p->fired, memory_order_relaxed);
			atomic_store_explicit(&p->delay, now + i - fired, memory_order_release);
			atomic_store_explicit(&p->armed, 0, memory_order_relaxed);
		}
	return 0;
}

static int open_pinger(struct pinger *p)
{
	memset(p, 0, sizeof *p);
	p->from = jack_client_open("from", JackNoStartServer | JackUseExactName, NULL);
	p->to = jack_client_open("to", JackNoStartServer | JackUseExactName, NULL);
	if (!p->from || !p->to)
		return -1;
	p->out = jack_port_register(p->from, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
	p->in = jack_port_register(p->to, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
	jack_set_process_callback(p->from, on_from, p);
	jack_set_process_callback(p->to, on_to, p);
	return jack_activate(p->from) || jack_activate(p->to) ? -1 : 0;
}

static void close_pinger(struct pinger *p)
{
	if (p->from)
		jack_client_close(p->from);
	if (p->to)
		jack_client_close(p->to);
}

/* Median delay in frames; NAN when it does not come back. */
static double delay(struct pinger *p)
{
	double frames[SHOTS];
	for (unsigned i = 0; i < SHOTS; i++) {
		atomic_store_explicit(&p->delay, -1, memory_order_relaxed);
		atomic_store_explicit(&p->fire, 1, memory_order_release);
		for (int k = 0; k < 200 && atomic_load_explicit(&p->delay, memory_order_acquire) < 0; k++)
			chr_bench_sleep_ms(5);
		frames[i] = (double)atomic_load_explicit(&p->delay, memory_order_acquire);
		if (frames[i] < 0)
			return NAN;
		chr_bench_sleep_ms(20);
	}
	return chr_stat_median(frames, SHOTS);
}

static double through_patch(struct pinger *p, unsigned lanes)
{
	struct chr_rig rig;
	double frames = NAN;
	const char *text = chr_bench_patch(CHR_SHAPE_CHAIN, 1, lanes, "");
	if (chr_bench_play(&rig, text))
		return NAN;
	int rc = chr_bench_connect(p->from, "from:out", "m0:in");
	/* the supervisor mirrors the edge in lane b when it has seen it in lane a */
	chr_bench_sleep_ms(500);
	if (!rc && chr_bench_connect(p->from, "out:play_left", "to:in") == 0) {
		chr_bench_sleep_ms(100);
		frames = delay(p);
	}
	chr_rig_stop(&rig);
	return frames;
}

static int measure(struct chr_bench *bench, unsigned period, unsigned lanes)
{
	struct pinger p;
	char name[96];
	if (chr_bench_server(bench, period) || open_pinger(&p))
		return -1;
	double frames = through_patch(&p, lanes), floor = NAN;
	if (chr_bench_connect(p.from, "from:out", "to:in") == 0) {
		chr_bench_sleep_ms(100);
		floor = delay(&p);
	}
	close_pinger(&p);
	if (isnan(frames) || isnan(floor))
		return -1;
	snprintf(name, sizeof name, "audio latency through a filter and out, %u frames, lanes: %u", period, lanes);
	struct chr_bench_row *row = chr_bench_row(bench, 1, name, "ms");
	row->value = (period + frames) / 48;
	row->floor = (period + floor) / 48;
	row->before = 5.9;
	return 0;
}

int chr_bench_latency(struct chr_bench *bench)
{
	return measure(bench, 64, 1) || measure(bench, 64, 2) || measure(bench, 256, 1) || measure(bench, 256, 2) ? -1 : 0;
}
