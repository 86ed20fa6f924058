/* A patch in one lane is changed while it plays: its file by SIGHUP, the name of a module over OSC. The others sound on. */
#include "tests/lib/analysis.h"
#include "tests/lib/graph.h"
#include "tests/lib/recorder.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"
#include "tests/lib/tries.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RATE    48000
#define WAIT_MS 15000
#define TURNS   6 /* of which a stall of the machine that the watch did not see may spoil one */

/* osc1 is heard on the left, what changes on the right. */
#define PATCH(hz, more, edge)                                                                                                      \
	"name = \"one\"; lanes = 1;\n"                                                                                             \
	"modules = (\n"                                                                                                            \
	"  { name = \"osc1\"; type = \"sine\"; params = { freq = 211.0; level = 0.05; }; },\n"                                     \
	"  { name = \"osc2\"; type = \"sine\"; params = { freq = " hz "; level = 0.05; }; }" more "\n"                             \
	");\n"                                                                                                                     \
	"connections = ( [\"osc1:out\", \"out:left\"], " edge ", [\"out:play_left\", \"watcher:in_1\"],\n"                         \
	"  [\"out:play_right\", \"watcher:in_2\"] );\n"
#define PLAIN PATCH("333.0", "", "[\"osc2:out\", \"out:right\"]")
#define FILTERED                                                                                                                   \
	PATCH("555.0", ", { name = \"filt1\"; type = \"biquad\"; }", "[\"osc2:out\", \"filt1:in\"], [\"filt1:out\", \"out:right\"]")

static const struct timespec moment = {.tv_nsec = 5000000};
static struct chr_rig rig;
static struct chr_recorder *rec, *watch;
static char path[256];

static void start(void)
{
	snprintf(path, sizeof path, "%s", chr_rig_patch(PLAIN));
	ck_assert_int_eq(chr_rig_start(&rig, path), 0);
	rec = chr_recorder_create("watcher", 2, 20 * RATE);
	watch = chr_recorder_create("watch", 0, 20 * RATE);
	ck_assert(rec && watch);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(chr_recorder_connect(rec, i, i ? "out:play_right" : "out:play_left", 2000), 0);
}

static void stop(void)
{
	chr_recorder_destroy(rec);
	chr_recorder_destroy(watch);
	int code = chr_rig_stop(&rig);
	if (code)
		chr_log_show(rig.log);
	ck_assert_int_eq(code, 0);
}

static void rewrite(const char *text)
{
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void await_printed(const char *text, unsigned times)
{
	for (long long end = chr_now_ms() + WAIT_MS; chr_now_ms() < end; nanosleep(&moment, NULL)) {
		unsigned count = 0;
		for (const char *at = chr_rig_printed(&rig); (at = strstr(at, text)); at++)
			count++;
		if (count >= times)
			return;
	}
	ck_abort_msg("\"%s\" was not printed %u times:\n%s", text, times, chr_rig_printed(&rig));
}

static void begin_turn(void)
{
	chr_recorder_start(watch);
	chr_recorder_start(rec);
	ck_assert(chr_recorder_wait(rec, 4096));
}

/* Was osc1 heard without a lost frame? One that was lost counts, unless the machine stalled; under sanitizers modules are too slow to tell. */
static void end_turn(unsigned *lost)
{
	ck_assert_int_eq(chr_rig_wait_playing(&rig, WAIT_MS), 0);
	ck_assert(chr_recorder_wait(rec, chr_recorder_frames(rec) + 4096));
	chr_recorder_stop(rec);
	chr_recorder_stop(watch);
	size_t from, length = chr_recorder_stretch(rec, &from);
	const float *left = chr_recorder_data(rec, 0) + from;
	ck_assert_double_gt(chr_peak(left, length), 0.045); /* silence is no sine */
	double worst = chr_sine_residue(left, length, RATE, 211.0);
	if (!chr_recorder_skips(rec) && worst < 1e-5)
		return;
	printf("%u skips, worst error %g; the machine stalled %u times\n", chr_recorder_skips(rec), worst,
	       chr_recorder_stalls(watch));
	*lost += !chr_recorder_stalls(watch) && !CHR_SYSTEM_SANITIZED;
}

/* Is the right channel this sine, all of it? Whether it is cannot be told while the machine stalls. */
static void expect_right(double hz)
{
	struct chr_tries tries = {.what = "the right channel", .fair_max = 1};
	double worst;
	do {
		ck_assert(chr_recorder_take(rec, watch, 9600));
		size_t from, length = chr_recorder_stretch(rec, &from);
		const float *right = chr_recorder_data(rec, 1) + from;
		ck_assert_double_gt(chr_peak(right, length), 0.02);
		worst = chr_sine_residue(right, length, RATE, hz);
	} while (worst >= 1e-5 && chr_tries_again(&tries, watch));
	ck_assert_msg(!chr_tries_refute(&tries), "%g Hz: off by %g", hz, worst);
}

START_TEST(a_hangup_loads_the_file_anew)
{
	unsigned lost = 0;
	for (unsigned i = 1; i <= TURNS; i++) {
		rewrite(i % 2 ? FILTERED : PLAIN);
		begin_turn();
		kill(rig.child.pid, SIGHUP);
		await_printed(": loaded ", i);
		end_turn(&lost);
		expect_right(i % 2 ? 555.0 : 333.0);
	}
	ck_assert_uint_le(lost, 1);
	/* wrong: nothing changes, and the log tells why */
	rewrite("lanes = 1;\nmodules = (\n  { name = \"osc1\"; type = \"nothing\"; } );\n");
	lost = 0;
	for (unsigned i = 1; i <= TURNS / 2; i++) {
		begin_turn();
		kill(rig.child.pid, SIGHUP);
		await_printed(":3: no module type 'nothing'", i);
		end_turn(&lost);
		expect_right(333.0);
	}
	ck_assert_uint_le(lost, 1);
}
END_TEST

static void rename_to(const char *from, const char *to)
{
	struct chr_reply reply;
	chr_peer_send(&rig.peer, "/chronus/rename", "ss", from, to);
	ck_assert_msg(chr_peer_expect(&rig.peer, "/chronus/done", WAIT_MS, &reply), "%s has not become %s", from, to);
	chr_reply_finish(&reply);
}

/* What is patched to the old name's client and to the new one's. */
static void expect_client(const char *there, const char *gone)
{
	char *text = chr_graph_text(chr_recorder_client(rec), NULL), line[128];
	snprintf(line, sizeof line, "%s:out -> out:right\n", there);
	ck_assert_msg(strstr(text, line), "no %s in:\n%s", line, text);
	snprintf(line, sizeof line, "%s:", gone);
	ck_assert_msg(!strstr(text, line), "%s in:\n%s", line, text);
	free(text);
}

START_TEST(a_module_gets_another_name)
{
	unsigned lost = 0;
	chr_peer_send(&rig.peer, "/osc2/freq", "f", 444.0);
	for (unsigned i = 1; i <= TURNS; i++) {
		const char *old = i % 2 ? "osc2" : "fifth", *new = i % 2 ? "fifth" : "osc2";
		char address[64];
		begin_turn();
		rename_to(old, new);
		end_turn(&lost);
		snprintf(address, sizeof address, "/%s/freq", new);
		ck_assert_double_eq(chr_peer_ask(&rig.peer, address), 444.0);
		expect_client(new, old);
		expect_right(444.0);
	}
	ck_assert_uint_le(lost, 1);
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "one lane", 120);
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, a_hangup_loads_the_file_anew);
	tcase_add_test(tests, a_module_gets_another_name);
}

int main(void)
{
	return chr_system_main("one lane", fill, 0);
}
