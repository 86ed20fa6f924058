/* chronus-bench: measures Chronus beside its predecessor's figures, its peers and the floors of the machine, and prints the tables. */
#include "common/awake.h"
#include "tests/lib/server.h"
#include "tools/arguments.h"
#include "tools/bench.h"
#include "tools/bench_chain.h"
#include "tools/through.h"

#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct options {
	const char *only, *merge, *json, *svg, *markdown, *client;
	bool quick, full, pipewire, list, help;
};

#define AT(field) offsetof(struct options, field)

static const struct chr_argument table[] = {
	{"quick", NULL, "short runs: a few minutes in all, with more noise in the figures", CHR_ARGUMENT_FLAG, AT(quick), 0, 0},
	{"long", NULL, "10^9 events through the ring", CHR_ARGUMENT_FLAG, AT(full), 0, 0},
	{"only", "STAGE,...", "these stages alone", CHR_ARGUMENT_TEXT, AT(only), 0, 0},
	{"merge", "FILE,...", "begin with the figures of earlier runs' JSON; --only= measures nothing besides", CHR_ARGUMENT_TEXT,
	 AT(merge), 0, 0},
	{"pipewire", NULL, "on PipeWire's JACK instead of jackd2", CHR_ARGUMENT_FLAG, AT(pipewire), 0, 0},
	{"json", "FILE", "write the figures as JSON; -: to standard output, instead of the tables", CHR_ARGUMENT_TEXT, AT(json), 0,
	 0},
	{"svg", "FOLDER", "write the plots as SVG", CHR_ARGUMENT_TEXT, AT(svg), 0, 0},
	{"markdown", "FILE", "rewrite the tables between the marker lines of this file", CHR_ARGUMENT_TEXT, AT(markdown), 0, 0},
	{"list", NULL, "list the stages and end", CHR_ARGUMENT_FLAG, AT(list), 0, 0},
	{"help", NULL, "print this and end", CHR_ARGUMENT_FLAG, AT(help), 0, 0},
	{"client", "NAME", NULL, CHR_ARGUMENT_TEXT, AT(client), 0, 0}, /* for itself: be an empty JACK client of this name */
};

static const struct chr_arguments arguments = {
	.program = "chronus-bench",
	.row = table,
	.rows = sizeof table / sizeof table[0],
	.before = "Measures and prints tables: the predecessor's figures, peers, accuracy, speed. Run it from the top of the tree, "
		  "on a\n"
		  "machine that has nothing else to do.\n",
	.after = "Exit codes: 0 the tables were made, whatever they say; 1 a stage could not run; 64 usage; 69 no server.\n",
};

void chr_bench_tell(const char *format, ...)
{
	va_list args;
	if (!isatty(STDERR_FILENO))
		return;
	va_start(args, format);
	fputs("\r\033[K", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fflush(stderr);
}

/* ---- the server ---- */

static unsigned serving; /* period; 0: no server */

int chr_bench_server(const struct chr_bench *bench, unsigned period)
{
	if (serving == period)
		return 0;
	chr_bench_no_server();
	chr_server_set_ports(2048);
	if (chr_server_start(bench->pipewire ? CHR_SERVER_PIPEWIRE : CHR_SERVER_JACKD, period))
		return -1;
	serving = period;
	return 0;
}

void chr_bench_no_server(void)
{
	if (serving)
		chr_server_stop();
	serving = 0;
}

/* ---- the command line ---- */

static bool listed(const char *list, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = list; at && *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
		if (strcspn(at, ",") == length && strncmp(at, name, length) == 0)
			return true;
	return !list;
}

static int check_only(const char *list)
{
	for (const char *at = list; at && *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
		char name[32];
		bool known = false;
		snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
		for (unsigned i = 0; i < chr_bench_stage_count; i++)
			known |= strcmp(chr_bench_stages[i].name, name) == 0;
		if (!known) {
			fprintf(stderr, "chronus-bench: there is no stage \"%s\": --list names them\n", name);
			return EX_USAGE;
		}
	}
	return 0;
}

static void print_list(void)
{
	for (unsigned i = 0; i < chr_bench_stage_count; i++)
		printf("%-10s %s\n", chr_bench_stages[i].name, chr_bench_stages[i].help);
}

/* ---- the run ---- */

/* Returns how many stages could not run. */
static unsigned run(struct chr_bench *bench, const char *only)
{
	unsigned failed = 0;
	for (unsigned i = 0; i < chr_bench_stage_count; i++) {
		const struct chr_bench_stage *stage = &chr_bench_stages[i];
		if (!listed(only, stage->name))
			continue;
		chr_bench_tell("[%u/%u] %s: %s", i + 1, chr_bench_stage_count, stage->name, stage->help);
		if (stage->run(bench)) {
			fprintf(stderr, "chronus-bench: the stage \"%s\" could not run\n", stage->name);
			failed++;
		}
	}
	chr_bench_tell("%s", "");
	chr_bench_no_server();
	return failed;
}

static int merge_all(struct chr_bench *bench, const char *list)
{
	for (const char *at = list; at && *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
		char path[PATH_MAX];
		snprintf(path, sizeof path, "%.*s", (int)strcspn(at, ","), at);
		if (chr_bench_merge_json(bench, path) < 0) {
			fprintf(stderr, "chronus-bench: %s holds no figures\n", path);
			return -1;
		}
	}
	return 0;
}

static int report(const struct chr_bench *bench, const struct options *options)
{
	int rc = 0;
	if (!options->json || strcmp(options->json, "-") != 0)
		chr_bench_print(bench, stdout);
	if (options->json && chr_bench_write_json(bench, options->json))
		rc = -1;
	if (options->svg && chr_bench_write_svg(bench, options->svg))
		rc = -1;
	if (options->markdown && chr_bench_rewrite(bench, options->markdown))
		rc = -1;
	return rc;
}

/* For every program alike: Chronus would have idle processors wake in time for itself alone. */
static void keep_awake(struct chr_awake *awake, char *machine, size_t bytes)
{
	int us = chr_awake_begin(awake, &chr_awake_machine, CHR_AWAKE_FITTING, NULL, NULL);
	size_t length = strlen(machine);
	if (us > 0)
		snprintf(machine + length, bytes - length, ", idle processors wake within %d us", us);
	else if (us == 0)
		snprintf(machine + length, bytes - length, ", idle processors spin");
}

int main(int argc, char **argv)
{
	static struct chr_bench bench;
	struct options options = {0};
	int code = chr_arguments_take(&arguments, &options, argc, argv);
	if (code)
		return code;
	if (options.client)
		return chr_bench_empty_client(options.client);
	if (options.help)
		chr_arguments_help(&arguments);
	else if (options.list)
		print_list();
	if (options.help || options.list)
		return EXIT_SUCCESS;
	if (check_only(options.only) || readlink("/proc/self/exe", bench.self, sizeof bench.self - 1) < 0)
		return EX_USAGE;
	if (options.pipewire && (code = chr_through_pipewire("chronus-bench", argv)))
		return code;
	if (merge_all(&bench, options.merge))
		return EX_USAGE;
	bench.quick = options.quick;
	bench.full = options.full;
	bench.pipewire = options.pipewire;
	chr_bench_machine(bench.machine, sizeof bench.machine);
	struct chr_awake awake;
	keep_awake(&awake, bench.machine, sizeof bench.machine);
	chr_server_private_shm();
	unsigned failed = run(&bench, options.only);
	int rc = report(&bench, &options);
	chr_awake_end(&awake);
	chr_bench_finish(&bench);
	return failed || rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
