/* No allocation, no lock, no system call in the process callback: counted by the probe of the realtime tests, while parameters move. */
#include "tools/bench.h"
#include "tools/bench_play.h"
#include "tools/bench_probe.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned lines_with(const char *path, const char *part)
{
	char line[256];
	unsigned count = 0;
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		count += strstr(line, part) != NULL;
	if (f)
		fclose(f);
	return count;
}

static void move(struct chr_rig *rig, unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 100; i++) {
		chr_peer_send(&rig->peer, "/m*/cutoff", "ff", 500.0 + 20.0 * (i % 100), 5.0);
		chr_peer_send(&rig->peer, "/m*/freq", "f", 200.0 + i % 50);
		chr_peer_send(&rig->peer, "/m*/gate", "i", (int)(i / 10 % 2));
		chr_bench_sleep_ms(10);
	}
}

int chr_bench_promise(struct chr_bench *bench)
{
	struct chr_rig rig;
	char self[sizeof bench->self], probe[sizeof bench->self + 32], path[] = "/tmp/chronus-bench-XXXXXX";
	int fd = mkstemp(path);
	snprintf(self, sizeof self, "%s", bench->self);
	snprintf(probe, sizeof probe, "%s/tests/rt_probe.so", dirname(self));
	if (fd < 0 || access(probe, R_OK) || chr_bench_server(bench, 256)) {
		fprintf(stderr, "chronus-bench: there is no %s: make tests builds it\n", probe);
		return -1;
	}
	close(fd);
	setenv("CHRONUS_RT_PROBE", path, 1);
	setenv("LD_PRELOAD", probe, 1);
	int rc = chr_rig_spawn(&rig, chr_rig_patch(chr_bench_patch(CHR_SHAPE_VOICES, 6, 2, "")), NULL);
	unsetenv("LD_PRELOAD");
	rc = rc || chr_rig_wait_playing(&rig, 15000) ? -1 : 0;
	if (!rc) {
		move(&rig, bench->quick ? 3 : 10);
		struct chr_bench_row *row = chr_bench_row(bench, 1, "allocations, locks and system calls in process callbacks", "");
		row->value = lines_with(path, " broke ");
		row->before = 0;
		row->goal = 0;
		chr_bench_note(bench, 1, "callbacks: %u processes were watched by a probe that aborts them at the first breach",
			       lines_with(path, " armed"));
	}
	chr_rig_stop(&rig);
	unlink(path);
	return rc;
}
