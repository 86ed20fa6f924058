#include "tools/bench_chain.h"

#include "tools/bench_probe.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static int nothing(jack_nframes_t frames, void *arg)
{
	(void)frames, (void)arg;
	return 0;
}

int chr_bench_empty_client(const char *name)
{
	sigset_t set;
	int sig;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	jack_client_t *jack = jack_client_open(name, JackNoStartServer | JackUseExactName, NULL);
	if (!jack)
		return EXIT_FAILURE;
	jack_port_register(jack, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
	jack_port_register(jack, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
	jack_set_process_callback(jack, nothing, NULL);
	if (jack_activate(jack))
		return EXIT_FAILURE;
	sigwait(&set, &sig);
	jack_client_close(jack);
	return EXIT_SUCCESS;
}

int chr_bench_connect(jack_client_t *jack, const char *from, const char *to)
{
	for (int i = 0; i < 400; i++) {
		int status = jack_connect(jack, from, to);
		if (status == 0 || status == EEXIST)
			return 0;
		chr_bench_sleep_ms(5);
	}
	fprintf(stderr, "chronus-bench: JACK does not connect %s to %s\n", from, to);
	return -1;
}

int chr_bench_chain_spawn(struct chr_bench_chain *chain, const char *self, unsigned count)
{
	char name[32];
	chain->count = 0;
	for (unsigned i = 0; i < count && i < CHR_CHAIN_MAX; i++) {
		snprintf(name, sizeof name, "empty%u", i);
		char *argv[] = {(char *)self, "--client", name, NULL};
		if (chr_child_start(&chain->child[i], argv, "/dev/null"))
			return -1;
		chain->count++;
	}
	return 0;
}

int chr_bench_chain_start(struct chr_bench_chain *chain, const char *self, unsigned count, jack_client_t *jack)
{
	char from[32], to[32];
	if (chr_bench_chain_spawn(chain, self, count))
		return -1;
	for (unsigned i = 1; i < chain->count; i++) {
		snprintf(from, sizeof from, "empty%u:out", i - 1);
		snprintf(to, sizeof to, "empty%u:in", i);
		if (chr_bench_connect(jack, from, to))
			return -1;
	}
	return 0;
}

void chr_bench_chain_stop(struct chr_bench_chain *chain)
{
	for (unsigned i = 0; i < chain->count; i++)
		chr_child_end(&chain->child[i], 3000);
	chain->count = 0;
}

const char *chr_bench_chain_in(void)
{
	return "empty0:in";
}

const char *chr_bench_chain_out(const struct chr_bench_chain *chain)
{
	static char name[32];
	snprintf(name, sizeof name, "empty%u:out", chain->count - 1);
	return name;
}
