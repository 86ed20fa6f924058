#include "supervisor/room.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/patch_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct chr_patch *load(const char *text)
{
	int code;
	struct chr_patch *patch = fixture_load(text, strlen(text), &code);
	ck_assert_msg(patch != NULL, "%s", fixture_report());
	return patch;
}

/* Ports of one module of the type, with the clock that every client has. */
static unsigned ports_of(const char *name, unsigned channels)
{
	const char *why;
	const struct chr_descriptor *type = fixture_type(NULL, name, "", &why);
	unsigned count = chr_descriptor_port(type, "clock") < 0;
	for (unsigned i = 0; i < type->port_count; i++)
		count += type->port[i].channel <= channels;
	return count;
}

START_TEST(lanes_count_and_so_does_the_supervisor)
{
	static const char text[] =
		"lanes = %u; modules = ({ name = \"a\"; type = \"sine\"; }, { name = \"b\"; type = \"biquad\"; });";
	for (unsigned lanes = 1; lanes <= 2; lanes++) {
		char whole[256];
		snprintf(whole, sizeof whole, text, lanes);
		struct chr_patch *patch = load(whole);
		ck_assert_uint_eq(chr_room_clients(patch), 3 * lanes + 1);
		ck_assert_uint_eq(chr_room_ports(patch, fixture_type, NULL),
				  lanes * (ports_of("sine", 2) + ports_of("biquad", 2) + ports_of("out", 2)));
		chr_patch_destroy(patch);
	}
	fixture_finish();
}
END_TEST

START_TEST(channels_of_out_that_are_not_used_have_no_ports)
{
	struct chr_patch *two = load("lanes = 1; channels = 2; modules = ();");
	struct chr_patch *eight = load("lanes = 1; channels = 8; modules = ();");
	unsigned more = chr_room_ports(eight, fixture_type, NULL) - chr_room_ports(two, fixture_type, NULL);
	ck_assert_uint_eq(more, ports_of("out", 8) - ports_of("out", 2));
	chr_patch_destroy(two);
	chr_patch_destroy(eight);
	fixture_finish();
}
END_TEST

START_TEST(a_server_of_ours_has_room_to_spare)
{
	ck_assert_uint_eq(chr_room_ports_to_ask(0), CHR_ROOM_PORTS_LOW);
	for (unsigned ports = 0; ports <= 3000; ports += 7)
		ck_assert_uint_ge(chr_room_ports_to_ask(ports), ports + ports / 4 + 64);
	ck_assert_uint_eq(chr_room_ports_to_ask(1000000), CHR_ROOM_PORTS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("room");
	TCase *tcase = tcase_create("room");
	tcase_add_test(tcase, lanes_count_and_so_does_the_supervisor);
	tcase_add_test(tcase, channels_of_out_that_are_not_used_have_no_ports);
	tcase_add_test(tcase, a_server_of_ours_has_room_to_spare);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
