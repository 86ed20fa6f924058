/* The process callback of every module, and of out, neither allocates nor locks nor calls the system nor takes its time, while parameters change, CV
 * flows and the lanes join and are compared; and the probe that says so sees each of these when a module does it.
 */
#include "tests/lib/recorder.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPES_MAX 64
#define PORTS_MAX 512
#define ROUNDS    8

struct port {
	char type[32], name[32];
	bool in;
};

struct param {
	char type[32], name[32];
	double min, max, initial;
	bool steps; /* a choice or toggle */
};

static struct {
	unsigned type_count, port_count, param_count;
	char type[TYPES_MAX][32];
	struct port port[PORTS_MAX];
	struct param param[PORTS_MAX];
} known;

static struct chr_rig rig;
static char report_path[160];

static const char *text_of(const struct chr_reply *reply, const char *key)
{
	return chr_reply_string(reply, chr_reply_key(reply, key));
}

static void learn(const struct chr_reply *reply)
{
	if (strcmp(reply->path, "/chronus/describe/type") == 0 && known.type_count < TYPES_MAX) {
		snprintf(known.type[known.type_count++], 32, "%s", text_of(reply, "name"));
	} else if (strcmp(reply->path, "/chronus/describe/port") == 0 && known.port_count < PORTS_MAX) {
		struct port *port = &known.port[known.port_count++];
		snprintf(port->type, sizeof port->type, "%s", text_of(reply, "type"));
		snprintf(port->name, sizeof port->name, "%s", text_of(reply, "name"));
		port->in = strcmp(text_of(reply, "direction"), "in") == 0;
	} else if (strcmp(reply->path, "/chronus/describe/param") == 0 && known.param_count < PORTS_MAX) {
		struct param *param = &known.param[known.param_count++];
		snprintf(param->type, sizeof param->type, "%s", text_of(reply, "type"));
		snprintf(param->name, sizeof param->name, "%s", text_of(reply, "name"));
		param->min = chr_reply_number(reply, chr_reply_key(reply, "min"));
		param->max = chr_reply_number(reply, chr_reply_key(reply, "max"));
		param->initial = chr_reply_number(reply, chr_reply_key(reply, "initial"));
		param->steps = strcmp(text_of(reply, "scale"), "choice") == 0 || strcmp(text_of(reply, "scale"), "toggle") == 0;
	}
}

/* Asks a Chronus with an empty patch what modules there are. */
static void learn_types(void)
{
	struct chr_reply reply;
	bool end = false;
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch("lanes = 1; modules = (); connections = ();\n")), 0);
	chr_peer_send(&rig.peer, "/chronus/describe", "");
	while (!end && chr_peer_receive(&rig.peer, 2000, &reply)) {
		learn(&reply);
		end = strcmp(reply.path, "/chronus/describe/end") == 0;
		chr_reply_finish(&reply);
	}
	ck_assert(end);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
	ck_assert_uint_ge(known.type_count, 4);
}

static void put_connections(FILE *f)
{
	const char *comma = "";
	for (unsigned i = 0; i < known.port_count; i++) {
		const struct port *port = &known.port[i];
		if (strcmp(port->type, "out") == 0)
			continue;
		if (port->in)
			fprintf(f, "%s\n  [\"source:out\", \"the_%s:%s\"]", comma, port->type, port->name);
		else
			fprintf(f, "%s\n  [\"the_%s:%s\", \"out:left\"]", comma, port->type, port->name);
		comma = ",";
	}
}

/* One module of every type, all inputs fed by one sine, all outputs into out; both lanes, so that states are published, joined and summed. */
static char *patch_of_all(void)
{
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);
	fprintf(f, "lanes = 2;\nmodules = (\n  { name = \"source\"; type = \"sine\"; params = { freq = 3.7; level = 1.0; }; }");
	for (unsigned i = 0; i < known.type_count; i++)
		if (strcmp(known.type[i], "out") != 0)
			fprintf(f, ",\n  { name = \"the_%s\"; type = \"%s\"; }", known.type[i], known.type[i]);
	fprintf(f, "\n);\nconnections = (");
	put_connections(f);
	fprintf(f, "\n);\n");
	fclose(f);
	return text;
}

static void start_probed(const char *patch)
{
	snprintf(report_path, sizeof report_path, "%s/probe", chr_server_folder());
	remove(report_path);
	setenv("CHRONUS_RT_PROBE", report_path, 1);
	setenv("LD_PRELOAD", CHR_BUILD "/tests/rt_probe.so", 1);
	int status = chr_rig_spawn(&rig, patch, NULL);
	unsetenv("LD_PRELOAD");
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, 15000), 0);
}

/* Number of the probe's lines that hold `part`. */
static unsigned reported(const char *part)
{
	char line[256];
	unsigned count = 0;
	FILE *f = fopen(report_path, "r");
	while (f && fgets(line, sizeof line, f))
		count += strstr(line, part) != NULL;
	if (f)
		fclose(f);
	return count;
}

static void move_all_parameters(int turn)
{
	for (unsigned i = 0; i < known.param_count; i++) {
		const struct param *param = &known.param[i];
		char path[96];
		double t = (turn % 4) / 3.0,
		       value = turn == ROUNDS - 1 ? param->initial : param->min + t * (param->max - param->min);
		if (param->steps)
			value = round(value);
		snprintf(path, sizeof path, strcmp(param->type, "out") == 0 ? "/%s/%s" : "/the_%s/%s", param->type, param->name);
		if (turn % 2)
			chr_peer_send(&rig.peer, path, "ff", value, 3.0);
		else
			chr_peer_send(&rig.peer, path, "f", value);
	}
}

START_TEST(every_module_keeps_the_promise)
{
	learn_types();
	char *patch = patch_of_all();
	start_probed(chr_rig_patch(patch));
	free(patch);
	struct chr_recorder *watch = chr_recorder_create("watch", 0, 96000);
	ck_assert_ptr_nonnull(watch);
	for (int turn = 0; turn < ROUNDS; turn++) {
		move_all_parameters(turn);
		ck_assert(chr_peer_barrier(&rig.peer, 2000));
		chr_recorder_start(watch);
		ck_assert(chr_recorder_wait(watch, 4096));
		chr_recorder_stop(watch);
	}
	struct chr_rig_status status;
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	printf("probe: %u processes watched, %.0f events applied, %u broke the promise\n", reported(" armed"), status.applied,
	       reported(" broke "));
	ck_assert_double_ge(status.applied, 2 * ROUNDS * (double)known.param_count * 0.9);
	ck_assert_uint_eq(status.count, 2 * (known.type_count + 1));
	double joins = 0;
	for (unsigned i = 0; i < status.count; i++) {
		char line[64];
		snprintf(line, sizeof line, "%d armed", (int)status.instance[i].pid);
		ck_assert_msg(reported(line) == 1, "%s is not watched", status.instance[i].module);
		ck_assert_int_eq(status.instance[i].restarts, 0);
		joins += status.instance[i].joins;
	}
	ck_assert_double_ge(joins, known.type_count);
	if (reported(" broke "))
		chr_log_show(report_path);
	ck_assert_uint_eq(reported(" broke "), 0);
	chr_recorder_destroy(watch);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}
END_TEST

START_TEST(the_probe_sees_every_kind_of_breach)
{
	static const struct {
		const char *deed, *line;
	} breach[] = {{"allocate", "broke alloc malloc"},
		      {"release", "broke alloc free"},
		      {"lock", "broke lock pthread_mutex_lock"},
		      {"call", "broke syscall"}};
	setenv("CHRONUS_MODULE_PATH", CHR_BUILD "/tests/system/modules", 1);
	/* a watchdog that waits: it is the probe that is to see the endless one */
	start_probed(chr_rig_patch("lanes = 1;\nwatchdog = 1000;\nmodules = ({ name = \"rogue1\"; type = \"rogue\"; });\n"
				   "connections = ([\"rogue1:out\", \"out:left\"]);\n"));
	for (size_t i = 0; i < sizeof breach / sizeof *breach; i++) {
		/* a restarted process has the last value again and would break the promise for ever: nothing, as soon as the breach is told */
		chr_peer_send(&rig.peer, "/rogue1/deed", "s", breach[i].deed);
		for (long long end = chr_now_ms() + 5000; chr_now_ms() < end && !reported(breach[i].line);)
			chr_peer_barrier(&rig.peer, 100);
		chr_peer_send(&rig.peer, "/rogue1/deed", "s", "nothing");
		ck_assert_msg(reported(breach[i].line) > 0, "the probe is blind to: %s", breach[i].deed);
		chr_peer_send(&rig.peer, "/chronus/restart", "s", "rogue1");
		ck_assert_int_eq(chr_rig_wait_playing(&rig, 10000), 0);
	}
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "realtime", 60);
	if (!CHR_SYSTEM_SANITIZED) {
		tcase_add_test(tests, every_module_keeps_the_promise);
		tcase_add_test(tests, the_probe_sees_every_kind_of_breach);
	}
}

int main(void)
{
	return chr_system_main("realtime", fill, 0);
}
