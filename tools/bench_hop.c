/* The hand-over from one module to the next: the time between the end of a client's callback and the start of another's with a chain of
 * processes between them, less the same without, divided by their number. The chain is one of modules or one of empty clients, in turns.
 */
#include "tools/bench.h"
#include "tools/bench_chain.h"
#include "tools/bench_play.h"
#include "tools/bench_probe.h"
#include "tools/bench_stat.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#define LENGTH     4u
#define SAMPLES    2048u
#define ROUNDS_MAX 8u

struct stopwatch {
	jack_client_t *head, *tail;
	jack_port_t *out, *in;
	_Atomic uint64_t ended;
	jack_nframes_t ended_frame;
	double us[SAMPLES];
	_Atomic size_t count;
};

static int on_head(jack_nframes_t frames, void *arg)
{
	struct stopwatch *watch = arg;
	memset(jack_port_get_buffer(watch->out, frames), 0, frames * sizeof(float));
	watch->ended_frame = jack_last_frame_time(watch->head);
	atomic_store_explicit(&watch->ended, chr_bench_now_ns(), memory_order_release);
	return 0;
}

static int on_tail(jack_nframes_t frames, void *arg)
{
	struct stopwatch *watch = arg;
	uint64_t now = chr_bench_now_ns(), then = atomic_load_explicit(&watch->ended, memory_order_acquire);
	size_t count = atomic_load_explicit(&watch->count, memory_order_relaxed);
	(void)frames;
	if (count < SAMPLES && watch->ended_frame == jack_last_frame_time(watch->tail) && now > then) {
		watch->us[count] = (double)(now - then) / 1e3;
		atomic_store_explicit(&watch->count, count + 1, memory_order_release);
	}
	return 0;
}

static int open_both(struct stopwatch *watch)
{
	memset(watch, 0, sizeof *watch);
	watch->head = jack_client_open("head", JackNoStartServer | JackUseExactName, NULL);
	watch->tail = jack_client_open("tail", JackNoStartServer | JackUseExactName, NULL);
	if (!watch->head || !watch->tail)
		return -1;
	watch->out = jack_port_register(watch->head, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
	watch->in = jack_port_register(watch->tail, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
	jack_set_process_callback(watch->head, on_head, watch);
	jack_set_process_callback(watch->tail, on_tail, watch);
	return jack_activate(watch->head) || jack_activate(watch->tail) ? -1 : 0;
}

static void close_both(struct stopwatch *watch)
{
	if (watch->head)
		jack_client_close(watch->head);
	if (watch->tail)
		jack_client_close(watch->tail);
}

/* Median time between the two with what stands between `in` and `out`, us. */
static double between(struct stopwatch *watch, const char *in, const char *out, unsigned ms)
{
	if (chr_bench_connect(watch->head, "head:out", in) || chr_bench_connect(watch->head, out, "tail:in"))
		return NAN;
	chr_bench_sleep_ms(100);
	atomic_store_explicit(&watch->count, 0, memory_order_relaxed);
	chr_bench_sleep_ms(ms);
	size_t count = atomic_load_explicit(&watch->count, memory_order_acquire);
	double median = chr_stat_median(watch->us, count);
	jack_disconnect(watch->head, "head:out", in);
	jack_disconnect(watch->head, out, "tail:in");
	return median;
}

static double through_modules(struct stopwatch *watch, unsigned ms)
{
	struct chr_rig rig;
	char out[16];
	if (chr_bench_play(&rig, chr_bench_patch(CHR_SHAPE_CHAIN, LENGTH, 1, "")))
		return NAN;
	snprintf(out, sizeof out, "m%u:out", LENGTH - 1);
	double us = between(watch, "m0:in", out, ms);
	chr_rig_stop(&rig);
	return us;
}

static double through_empty(struct stopwatch *watch, const char *self, unsigned ms)
{
	struct chr_bench_chain chain = {0};
	double us = NAN;
	if (chr_bench_chain_start(&chain, self, LENGTH, watch->head) == 0)
		us = between(watch, chr_bench_chain_in(), chr_bench_chain_out(&chain), ms);
	chr_bench_chain_stop(&chain);
	return us;
}

int chr_bench_hop(struct chr_bench *bench)
{
	static struct stopwatch watch;
	double ours[ROUNDS_MAX], empty[ROUNDS_MAX];
	unsigned rounds = bench->quick ? 3 : ROUNDS_MAX - 1, ms = bench->quick ? 700 : 1500;
	if (chr_bench_server(bench, 256))
		return -1;
	int rc = open_both(&watch);
	for (unsigned i = 0; !rc && i < rounds; i++) {
		double direct = between(&watch, "tail:in", "head:out", ms);
		ours[i] = (through_modules(&watch, ms) - direct) / LENGTH / 1e3;
		empty[i] = (through_empty(&watch, bench->self, ms) - direct) / LENGTH / 1e3;
		rc = isnan(ours[i]) || isnan(empty[i]) ? -1 : 0;
	}
	close_both(&watch);
	if (rc)
		return -1;
	struct chr_bench_row *row = chr_bench_row(bench, 1, "audio hand-over, per module of a chain, with what the module does",
						  "ms");
	row->value = chr_stat_median(ours, rounds);
	row->floor = chr_stat_median(empty, rounds);
	row->before = 0.042;
	return 0;
}
