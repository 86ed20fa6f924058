/* The stages, in the order in which they run. */
#include "tools/bench.h"

const struct chr_bench_stage chr_bench_stages[] = {
	{"latency", "audio latency through a patch", chr_bench_latency},
	{"promise", "what process callbacks must not do", chr_bench_promise},
	{"load", "underruns while all cores are busy", chr_bench_underruns},
	{"osc", "OSC: latency, throughput, event synchronisation", chr_bench_osc},
	{"hop", "hand-over from module to module", chr_bench_hop},
	{"add", "module creation by hand", chr_bench_add},
	{"kills", "what killed modules cost and leave behind", chr_bench_kills},
	{"onset", "peers: from an OSC message to the sound", chr_bench_onset},
	{"flood", "peers: messages per second", chr_bench_peer_flood},
	{"voices", "peers: processor time of 1, 8 and 32 voices", chr_bench_peer_voices},
	{"ugens", "peers: cost of a sample of sine and filter", chr_bench_ugens},
	{"killed", "peers: what a SIGKILL costs", chr_bench_peer_kill},
	{"accuracy", "musical accuracy, by build/bench_accuracy", chr_bench_accuracy},
	{"dsp", "what a sample of each module costs, by build/bench_dsp", chr_bench_dsp},
	{"ring", "the ring of events beside libjack's, by build/bench_ring", chr_bench_ring},
	{"wake", "waking another process beside a bare eventfd", chr_bench_wake},
	{"pool", "an order to a spare process; a process from nothing", chr_bench_pool},
	{"overhead", "a module's process beside an empty JACK client", chr_bench_overhead},
	{"memory", "private memory of a module's process", chr_bench_memory},
	{"start", "from the patch file to the first sample", chr_bench_start},
	{"scale", "processor time of 1 to 60 modules in one and two lanes", chr_bench_scale},
};

const unsigned chr_bench_stage_count = sizeof chr_bench_stages / sizeof chr_bench_stages[0];
