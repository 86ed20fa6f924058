#include "supervisor/save.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/patch_fixture.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/wiring.h"

static const struct chr_patch_rules rules = {.server = "studio", .types = fixture_type};
static char folder[] = "/tmp/chronus-save-XXXXXX";

static struct chr_patch *load(const char *text)
{
	int code;
	struct chr_patch *patch = fixture_load(text, strlen(text), &code);
	ck_assert_msg(patch != NULL, "%s\nof:\n%s", fixture_report(), text);
	return patch;
}

/* The patch as if it ran: its edges are those of the desired graph. */
static void run(struct chr_patch *patch)
{
	struct chr_edges logical = {0};
	ck_assert_int_eq(chr_wiring_logical(patch, &logical), 0);
	free(patch->edge);
	patch->edge = calloc(logical.count + 1, sizeof *patch->edge);
	patch->edge_count = logical.count;
	for (unsigned i = 0; i < logical.count; i++) {
		strcpy(patch->edge[i].from, logical.edge[i].from);
		strcpy(patch->edge[i].to, logical.edge[i].to);
	}
	chr_edges_finish(&logical);
}

/* What a save of the running patch writes; valid until the next call. */
static const char *saved(struct chr_patch *patch)
{
	static char *text;
	size_t length;
	free(text);
	text = chr_save_text(patch, &rules, &length);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(strlen(text), length);
	return text;
}

/* Saves what `text` loads to, loads that, saves again: the same. Returns it. */
static const char *round_trip(const char *text)
{
	static char first[65536];
	struct chr_patch *patch = load(text);
	run(patch);
	snprintf(first, sizeof first, "%s", saved(patch));
	chr_patch_destroy(patch);
	patch = load(first);
	run(patch);
	ck_assert_str_eq(saved(patch), first);
	chr_patch_destroy(patch);
	return first;
}

START_TEST(test_numbers_come_back_exactly)
{
	unsigned state = 1;
	char text[32];
	for (int i = 0; i < 200000; i++) {
		float value;
		state = state * 1664525u + 1013904223u;
		unsigned bits = i % 2 ? state : (state & 0x007fffffu) | ((110u + (state >> 24) % 40u) << 23);
		memcpy(&value, &bits, sizeof value);
		if (!(value == value) || value - value != 0.0f)
			continue;
		chr_save_number(value, text);
		ck_assert_msg((float)strtod(text, NULL) == value, "%s", text);
		ck_assert_msg(strpbrk(text, ".e") != NULL, "%s", text);
	}
}
END_TEST

START_TEST(test_numbers_are_short)
{
	static const struct {
		float value;
		const char *text;
	} rows[] = {{220.0f, "220.0"}, {0.1f, "0.1"},   {1200.0f, "1200.0"}, {0.005f, "0.005"},           {-3.0f, "-3.0"},
		    {0.0f, "0.0"},     {1e9f, "1e+09"}, {440.3f, "440.3"},   {16777216.0f, "16777216.0"}, {1e-7f, "1e-07"}};
	char text[32];
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		chr_save_number(rows[i].value, text);
		ck_assert_str_eq(text, rows[i].text);
	}
}
END_TEST

START_TEST(test_text_is_nice_to_read)
{
	ck_assert_str_eq(round_trip("name = \"voice\"; tempo = 97.5; lanes = 2; timing = \"soonest\"; restart = { count = 3; };"
				    "modules = ({ name = \"osc1\"; type = \"sine\"; params = { freq = 220; level = 0.5; }; },"
				    "{ name = \"filt1\"; type = \"biquad\"; params = { mode = \"highpass\"; q = 0.9; }; },"
				    "{ name = \"e\"; type = \"adsr\"; params = { gate = 1; }; });"
				    "connections = ([\"osc1:out\", \"filt1:in\"], [\"filt1:out\", \"out:left\"], "
				    "[\"system:capture_1\", \"e:in\"]);"),
			 "name    = \"voice\";\n"
			 "tempo   = 97.5;\n"
			 "lanes   = 2;\n"
			 "timing  = \"soonest\";\n"
			 "restart = { count = 3; };\n"
			 "\n"
			 "modules = (\n"
			 "  { name = \"osc1\";  type = \"sine\";   params = { freq = 220.0; }; },\n"
			 "  { name = \"filt1\"; type = \"biquad\"; params = { q = 0.9; mode = \"highpass\"; }; },\n"
			 "  { name = \"e\";     type = \"adsr\";   params = { gate = true; }; }\n"
			 ");\n"
			 "\n"
			 "connections = (\n"
			 "  [ \"osc1:out\",         \"filt1:in\" ],\n"
			 "  [ \"filt1:out\",        \"out:left\" ],\n"
			 "  [ \"system:capture_1\", \"e:in\" ]\n"
			 ");\n");
}
END_TEST

START_TEST(test_files_are_kept)
{
	const char *text = round_trip("modules = ({ name = \"out\"; file = \"/lib/o\\\\ut.so\"; },"
				      "{ name = \"osc1\"; type = \"sine\"; file = \"/lib/my sine.so\"; params = { freq = 220; }; },"
				      "{ name = \"osc2\"; type = \"sine\"; });");
	ck_assert_ptr_nonnull(
		strstr(text, "  { name = \"out\";  type = \"out\"; file = \"/lib/o\\\\ut.so\"; },\n"
			     "  { name = \"osc1\"; type = \"sine\"; file = \"/lib/my sine.so\"; params = { freq = 220.0; }; },\n"
			     "  { name = \"osc2\"; type = \"sine\"; }\n"));
}
END_TEST

START_TEST(test_every_setting_is_kept)
{
	const char *text = round_trip(
		"name = \"a \\\"b\\\" \\\\ c\"; tempo = 333.3333333333; lanes = 1; channels = 3; playback = false;"
		"watchdog = 9; verbose = false; restart = { count = 7; window = 2.5; };"
		"jack = { server = \"x\"; device = \"hw:1\"; rate = 44100; period = 64; };"
		"osc = { host = \"::1\"; port = 6000; };"
		"modules = ({ name = \"out\"; params = { level = 0.25; }; });");
	static const char *const parts[] = {"\\\"b\\\"",        "channels",     "playback",          "watchdog",
					    "verbose  = false", "window = 2.5", "device = \"hw:1\"", "rate = 44100",
					    "host = \"::1\"",   "port = 6000",  "level = 0.25"};
	for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++)
		ck_assert_msg(strstr(text, parts[i]) != NULL, "%s is not in:\n%s", parts[i], text);
}
END_TEST

#define ONE "modules = ({ name = \"osc1\"; type = \"sine\"; });"

START_TEST(test_hardware_is_told_of_only_when_changed)
{
	struct chr_patch *patch = load(ONE);
	ck_assert_ptr_null(strstr(round_trip(ONE), "play"));
	run(patch);
	/* one of the two erased */
	patch->edge_count = 1;
	static char text[4096];
	snprintf(text, sizeof text, "%s", saved(patch));
	ck_assert_ptr_nonnull(strstr(text, "[ \"out:play_left\", \"playback:1\" ]"));
	ck_assert_ptr_null(strstr(text, "playback  ="));
	ck_assert_str_eq(round_trip(text), text);
	/* both */
	patch->edge_count = 0;
	snprintf(text, sizeof text, "%s", saved(patch));
	ck_assert_ptr_nonnull(strstr(text, "playback = false;"));
	ck_assert_str_eq(round_trip(text), text);
	chr_patch_destroy(patch);
}
END_TEST

START_TEST(test_a_client_with_a_near_name_is_no_slip)
{
	const char *text = round_trip(ONE
				      "connections = ([\"osc2:out\", \"osc1:fm\", \"foreign\"], [\"osc1:out\", \"meter:in\"]);");
	ck_assert_ptr_nonnull(strstr(text, "[ \"osc2:out\", \"osc1:fm\", \"foreign\" ]"));
	ck_assert_ptr_nonnull(strstr(text, "[ \"osc1:out\", \"meter:in\" ]"));
}
END_TEST

START_TEST(test_nothing_at_all)
{
	ck_assert_ptr_nonnull(strstr(round_trip("name = \"x\"; modules = ();"), "modules = ();\n\nconnections = ();\n"));
}
END_TEST

/* ---- files ---- */

static void make_folder(void)
{
	strcpy(folder, "/tmp/chronus-save-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
	static const char *const names[] = {"p.cfg", "p.cfg.bak", "p.cfg.bak~", "p.cfg.new", "link.cfg"};
	char path[128];
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

static const char *in_folder(const char *name)
{
	static char path[4][128];
	static unsigned next;
	char *to = path[next++ % 4];
	snprintf(to, 128, "%s/%s", folder, name);
	return to;
}

/* "" when there is no such file. */
static const char *content(const char *name)
{
	static char text[4][4096];
	static unsigned next;
	char *to = text[next++ % 4];
	FILE *file = fopen(in_folder(name), "r");
	to[file ? fread(to, 1, 4095, file) : 0] = 0;
	if (file)
		fclose(file);
	return to;
}

START_TEST(test_the_old_file_stays)
{
	char why[CHR_TEXT_MAX];
	struct stat st;
	ck_assert_int_eq(chr_save_write(in_folder("p.cfg"), "one", 3, why), 0);
	ck_assert_str_eq(content("p.cfg"), "one");
	ck_assert_int_eq(access(in_folder("p.cfg.bak"), F_OK), -1);
	ck_assert_int_eq(chmod(in_folder("p.cfg"), 0640), 0);
	ck_assert_int_eq(chr_save_write(in_folder("p.cfg"), "two", 3, why), 0);
	ck_assert_str_eq(content("p.cfg"), "two");
	ck_assert_str_eq(content("p.cfg.bak"), "one");
	ck_assert_int_eq(stat(in_folder("p.cfg"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0640);
	ck_assert_int_eq(access(in_folder("p.cfg.new"), F_OK), -1);
}
END_TEST

START_TEST(test_a_link_stays_one)
{
	char why[CHR_TEXT_MAX];
	struct stat st;
	ck_assert_int_eq(chr_save_write(in_folder("p.cfg"), "one", 3, why), 0);
	ck_assert_int_eq(symlink("p.cfg", in_folder("link.cfg")), 0);
	ck_assert_int_eq(chr_save_write(in_folder("link.cfg"), "two", 3, why), 0);
	ck_assert_int_eq(lstat(in_folder("link.cfg"), &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_str_eq(content("p.cfg"), "two");
}
END_TEST

START_TEST(test_what_cannot_be_written_is_told)
{
	char why[CHR_TEXT_MAX] = "";
	ck_assert_int_lt(chr_save_write(in_folder("no/p.cfg"), "one", 3, why), 0);
	ck_assert_ptr_nonnull(strstr(why, "No such file"));
	ck_assert_int_lt(chr_save_write(folder, "one", 3, why), 0);
	ck_assert_ptr_nonnull(strstr(why, "regular"));
}
END_TEST

#define LONG 3000

static void save_for_ever(void)
{
	static char text[LONG + 1];
	char why[CHR_TEXT_MAX];
	for (unsigned i = 0;; i++) {
		memset(text, 'a' + (int)(i % 26), LONG);
		chr_save_write(in_folder("p.cfg"), text, LONG, why);
	}
}

static void assert_whole(const char *name, int life)
{
	const char *text = content(name);
	ck_assert_msg(strlen(text) == LONG && strspn(text, (char[]){text[0], 0}) == LONG, "life %d: %s is not whole: %zu bytes",
		      life, name, strlen(text));
}

/* CHRONUS_TEST_SAVES: how many. */
START_TEST(test_a_death_leaves_a_whole_file)
{
	const char *wanted = getenv("CHRONUS_TEST_SAVES");
	int lives = wanted ? atoi(wanted) : 20;
	char first[LONG], why[CHR_TEXT_MAX];
	memset(first, 'z', LONG);
	ck_assert_int_eq(chr_save_write(in_folder("p.cfg"), first, LONG, why), 0);
	ck_assert_int_eq(chr_save_write(in_folder("p.cfg"), first, LONG, why), 0);
	for (int i = 0; i < lives; i++) {
		pid_t child = fork();
		if (child == 0)
			save_for_ever();
		/* anywhere within a few saves; where does not matter for the verdict */
		usleep((unsigned)(500 + i * 7919 % 9000));
		kill(child, SIGKILL);
		ck_assert_int_eq(waitpid(child, NULL, 0), child);
		assert_whole("p.cfg", i);
		assert_whole("p.cfg.bak", i);
	}
	ck_assert_int_eq(chr_save_write(in_folder("p.cfg"), "after", 5, why), 0);
	ck_assert_str_eq(content("p.cfg"), "after");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("save");
	TCase *text = tcase_create("text"), *file = tcase_create("file");
	tcase_add_checked_fixture(text, NULL, fixture_finish);
	tcase_add_test(text, test_numbers_come_back_exactly);
	tcase_add_test(text, test_numbers_are_short);
	tcase_add_test(text, test_text_is_nice_to_read);
	tcase_add_test(text, test_files_are_kept);
	tcase_add_test(text, test_every_setting_is_kept);
	tcase_add_test(text, test_hardware_is_told_of_only_when_changed);
	tcase_add_test(text, test_a_client_with_a_near_name_is_no_slip);
	tcase_add_test(text, test_nothing_at_all);
	suite_add_tcase(suite, text);
	tcase_add_checked_fixture(file, make_folder, remove_folder);
	tcase_set_timeout(file, 60);
	tcase_add_test(file, test_the_old_file_stays);
	tcase_add_test(file, test_a_link_stays_one);
	tcase_add_test(file, test_what_cannot_be_written_is_told);
	tcase_add_test(file, test_a_death_leaves_a_whole_file);
	suite_add_tcase(suite, file);
	return chr_suite_run(suite);
}
