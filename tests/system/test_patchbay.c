/* What a patchbay reads of our clients and ports, and a server that keeps no metadata. */
#include "tests/lib/patches.h"
#include "tests/lib/rig.h"
#include "tests/lib/system.h"

#include <fcntl.h>
#include <jack/jack.h>
#include <jack/metadata.h>
#include <jack/uuid.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TWO_LANES                                                                                                                  \
	"name = \"voice\"; lanes = 2;\n"                                                                                           \
	"modules = ({ name = \"osc1\"; type = \"sine\"; }, { name = \"env1\"; type = \"adsr\"; });\n"                              \
	"connections = ([\"osc1:out\", \"env1:in\"], [\"env1:out\", \"out:left\"]);\n"

#define MINIMUM "http://lv2plug.in/ns/lv2core#minimum"
#define MAXIMUM "http://lv2plug.in/ns/lv2core#maximum"
#define WAIT_MS 15000

static struct chr_rig rig;
static jack_client_t *reader;

static jack_uuid_t uuid_of(const char *subject)
{
	jack_uuid_t uuid = 0;
	if (strchr(subject, ':')) {
		jack_port_t *port = jack_port_by_name(reader, subject);
		return port ? jack_port_uuid(port) : 0;
	}
	char *text = jack_get_uuid_for_client_name(reader, subject);
	if (!text || jack_uuid_parse(text, &uuid))
		uuid = 0;
	jack_free(text);
	return uuid;
}

/* A property's value, "" without one; static memory. */
static const char *read_property(const char *subject, const char *key)
{
	static char text[128];
	char *value = NULL, *type = NULL;
	jack_uuid_t uuid = uuid_of(subject);
	text[0] = '\0';
	if (uuid && jack_get_property(uuid, key, &value, &type) == 0) {
		snprintf(text, sizeof text, "%s", value);
		jack_free(value);
		jack_free(type);
	}
	return text;
}

/* It is told soon after the graph has settled. */
static void await_property(const char *subject, const char *key, const char *value)
{
	static const struct timespec moment = {.tv_nsec = 5000000};
	for (long long end = chr_now_ms() + WAIT_MS; chr_now_ms() < end; nanosleep(&moment, NULL))
		if (strcmp(read_property(subject, key), value) == 0)
			return;
	ck_abort_msg("%s: %s is \"%s\", not \"%s\"", subject, key, read_property(subject, key), value);
}

static void all_is_told(void)
{
	await_property("osc1", JACK_METADATA_PRETTY_NAME, "osc1");
	await_property("osc1.b", JACK_METADATA_PRETTY_NAME, "osc1 (standby)");
	await_property("out", JACK_METADATA_ICON_NAME, "audio-speakers");
	await_property("osc1:pitch", JACK_METADATA_SIGNAL_TYPE, "CV");
	await_property("osc1:fm", JACK_METADATA_ORDER, "1");
	await_property("osc1:fm", MINIMUM, "-5.0");
	await_property("env1.b:env", JACK_METADATA_SIGNAL_TYPE, "CV");
	await_property("env1.b:env", MAXIMUM, "10.0");
	await_property("env1.b:clock", MAXIMUM, "1.0");
	ck_assert_str_eq(read_property("osc1:out", JACK_METADATA_SIGNAL_TYPE), "");
}

/* How much is told of all clients and ports, as another process counts it: lines. */
static int count_all(void)
{
	char path[160];
	char *argv[] = {"jack_property", "-l", NULL};
	struct chr_child lister;
	int lines = 0;
	snprintf(path, sizeof path, "%s/properties", chr_server_folder());
	unlink(path);
	if (chr_child_start(&lister, argv, path) < 0 || !chr_child_ended(&lister, WAIT_MS))
		return -1;
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	for (int c; (c = fgetc(f)) != EOF;)
		lines += c == '\n';
	fclose(f);
	return lines;
}

static void restart_module(const char *module, const char *lane)
{
	struct chr_rig_status status;
	ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	const struct chr_rig_instance *instance = chr_rig_find(&status, module, lane);
	ck_assert_ptr_nonnull(instance);
	long restarts = instance->restarts;
	ck_assert_int_eq(kill(instance->pid, SIGKILL), 0);
	do
		ck_assert_int_eq(chr_rig_status(&rig, &status), 0);
	while (chr_rig_find(&status, module, lane)->restarts == restarts);
	ck_assert_int_eq(chr_rig_wait_playing(&rig, WAIT_MS), 0);
}

START_TEST(a_patchbay_reads_it_and_reads_it_again_after_a_death)
{
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(TWO_LANES)), 0);
	reader = jack_client_open("reader", JackNoStartServer, NULL);
	ck_assert_ptr_nonnull(reader);
	all_is_told();
	int before = count_all();
	for (int i = 0; i < 3; i++) {
		restart_module("osc1", "a");
		all_is_told();
	}
	restart_module("env1", "b");
	all_is_told();
	int after = count_all();
	printf("lines of metadata: %d; after four deaths %d\n", before, after);
	ck_assert_int_eq(after, before);
	jack_client_close(reader);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}
END_TEST

START_TEST(a_name_given_by_a_person_stays)
{
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(TWO_LANES)), 0);
	reader = jack_client_open("reader", JackNoStartServer, NULL);
	ck_assert_ptr_nonnull(reader);
	all_is_told();
	ck_assert_int_eq(jack_set_property(reader, uuid_of("env1"), JACK_METADATA_PRETTY_NAME, "the swell", "text/plain"), 0);
	await_property("env1", JACK_METADATA_PRETTY_NAME, "the swell");
	restart_module("osc1", "b");
	all_is_told();
	ck_assert_str_eq(read_property("env1", JACK_METADATA_PRETTY_NAME), "the swell");
	jack_client_close(reader);
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
}
END_TEST

/* A plain file in the database's place is how metadata is turned off. */
START_TEST(all_works_where_metadata_is_off)
{
	char path[64];
	snprintf(path, sizeof path, "/dev/shm/jack_db-%d", (int)getuid());
	struct stat st;
	if (stat(path, &st) == 0)
		return; /* another server of this user has its database there */
	int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(chr_server_start(CHR_SERVER_JACKD, 256), 0);
	ck_assert_int_eq(chr_rig_start(&rig, chr_rig_patch(TWO_LANES)), 0);
	restart_module("osc1", "a");
	ck_assert_msg(!strstr(chr_rig_printed(&rig), "jack_db") && !strstr(chr_rig_printed(&rig), "BDB"), "%s",
		      chr_rig_printed(&rig));
	ck_assert_int_eq(chr_rig_stop(&rig), 0);
	chr_server_stop();
	unlink(path);
}
END_TEST

static void fill(Suite *suite)
{
	TCase *tests = chr_system_case(suite, "patchbay", 120);
	tcase_add_test(tests, a_patchbay_reads_it_and_reads_it_again_after_a_death);
	tcase_add_test(tests, a_name_given_by_a_person_stays);
	if (chr_system_kind() == CHR_SERVER_JACKD) {
		TCase *off = tcase_create("off");
		tcase_set_timeout(off, 60);
		tcase_add_test(off, all_works_where_metadata_is_off);
		suite_add_tcase(suite, off);
	}
}

int main(void)
{
	return chr_system_main("patchbay", fill, 0);
}
