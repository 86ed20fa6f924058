/* Tables that other programs of the tree make: they write rows as JSON, which become part of the book. */
#include "tests/lib/child.h"
#include "tools/bench.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 600000

/* `option` and its `value`: NULL for none. */
static int run(struct chr_bench *bench, const char *name, unsigned table, const char *option, const char *value)
{
	char self[sizeof bench->self], program[sizeof bench->self + 32], path[] = "/tmp/chronus-bench-XXXXXX";
	struct chr_child child;
	snprintf(self, sizeof self, "%s", bench->self);
	snprintf(program, sizeof program, "%s/%s", dirname(self), name);
	if (access(program, X_OK)) {
		chr_bench_note(bench, table, "%s is not built: its rows are missing", name);
		return 0;
	}
	int fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	char *argv[] = {program, "--json", path, (char *)option, (char *)value, NULL};
	int rc = -1;
	if (chr_child_start(&child, argv, "/dev/null") == 0) {
		if (!chr_child_ended(&child, PATIENCE_MS))
			chr_child_end(&child, 0);
		rc = 0;
	}
	if (!rc && chr_bench_merge_json(bench, path) <= 0)
		chr_bench_note(bench, table, "%s wrote no rows", name);
	unlink(path);
	return rc;
}

int chr_bench_accuracy(struct chr_bench *bench)
{
	return run(bench, "bench_accuracy", 3, NULL, NULL);
}

int chr_bench_dsp(struct chr_bench *bench)
{
	return run(bench, "bench_dsp", 4, NULL, NULL);
}

int chr_bench_ring(struct chr_bench *bench)
{
	return run(bench, "bench_ring", 4, bench->full ? "--events" : NULL, "1000000000");
}
