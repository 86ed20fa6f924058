#include "supervisor/metadata.h"
#include "tests/lib/suite.h"
#include "tests/supervisor/fake_rack.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake_rack *fake;
static struct chr_properties list;

static void setup(void)
{
	fake = fake_rack_create();
}

static void teardown(void)
{
	chr_properties_finish(&list);
	fake_rack_destroy(fake);
}

static void make(void)
{
	chr_properties_finish(&list);
	ck_assert_int_eq(chr_properties_make(&fake->rack, &list), 0);
}

/* The value of a property, or NULL without one. */
static const char *value(const char *subject, enum chr_property_key key)
{
	for (unsigned i = 0; i < list.count; i++)
		if (!strcmp(list.property[i].subject, subject) && list.property[i].key == key)
			return list.property[i].value;
	return NULL;
}

START_TEST(clients_have_names_for_people_and_icons)
{
	make();
	ck_assert_str_eq(value("osc1", CHR_PROPERTY_PRETTY_NAME), "osc1");
	ck_assert_str_eq(value("osc1.b", CHR_PROPERTY_PRETTY_NAME), "osc1 (standby)");
	ck_assert_str_eq(value("osc1", CHR_PROPERTY_ICON_NAME), "audio-x-generic");
	ck_assert_str_eq(value("out", CHR_PROPERTY_ICON_NAME), "audio-speakers");
}
END_TEST

START_TEST(names_for_people_lack_the_prefix_of_the_client)
{
	snprintf(fake->unit[UNIT_OSC1].instance[1].client, CHR_CLIENT_MAX, "Chronus.nABCD/osc1.b");
	make();
	ck_assert_str_eq(value("Chronus.nABCD/osc1.b", CHR_PROPERTY_PRETTY_NAME), "osc1 (standby)");
	ck_assert_str_eq(value("Chronus.nABCD/osc1.b:in", CHR_PROPERTY_SIGNAL_TYPE), "CV");
	ck_assert_ptr_null(value("osc1.b", CHR_PROPERTY_PRETTY_NAME));
}
END_TEST

START_TEST(voltages_have_a_type_and_a_range_and_audio_has_none)
{
	static const struct {
		enum chr_signal signal;
		const char *min, *max;
	} range[] = {{CHR_PITCH, "-10.0", "10.0"},
		     {CHR_GATE, "0.0", "10.0"},
		     {CHR_UNIPOLAR, "0.0", "10.0"},
		     {CHR_BIPOLAR, "-5.0", "5.0"},
		     {CHR_BEAT, "0.0", "1.0"}};
	for (unsigned i = 0; i < sizeof range / sizeof range[0]; i++) {
		fake->voice.port[0].signal = range[i].signal;
		make();
		ck_assert_str_eq(value("osc1:in", CHR_PROPERTY_SIGNAL_TYPE), "CV");
		ck_assert_str_eq(value("osc1:in", CHR_PROPERTY_MINIMUM), range[i].min);
		ck_assert_str_eq(value("osc1:in", CHR_PROPERTY_MAXIMUM), range[i].max);
	}
	ck_assert_ptr_null(value("osc1:out", CHR_PROPERTY_SIGNAL_TYPE));
	ck_assert_ptr_null(value("osc1:out", CHR_PROPERTY_MINIMUM));
	ck_assert_ptr_null(value("osc1:out", CHR_PROPERTY_MAXIMUM));
}
END_TEST

START_TEST(ports_stand_in_the_order_of_the_table_the_clock_last)
{
	make();
	ck_assert_str_eq(value("osc1:in", CHR_PROPERTY_ORDER), "0");
	ck_assert_str_eq(value("osc1:out", CHR_PROPERTY_ORDER), "1");
	ck_assert_str_eq(value("osc1:clock", CHR_PROPERTY_ORDER), "2");
	ck_assert_str_eq(value("osc1.b:clock", CHR_PROPERTY_SIGNAL_TYPE), "CV");
	ck_assert_str_eq(value("osc1.b:clock", CHR_PROPERTY_MAXIMUM), "1.0");
}
END_TEST

START_TEST(what_does_not_exist_has_no_properties)
{
	fake->unit[UNIT_OSC1].instance[1].state = CHR_INSTANCE_NONE;
	fake->voice.port[0].channel = 3; /* of two */
	make();
	ck_assert_ptr_null(value("osc1.b", CHR_PROPERTY_PRETTY_NAME));
	ck_assert_ptr_null(value("osc1:in", CHR_PROPERTY_ORDER));
	ck_assert_ptr_nonnull(value("osc2.b", CHR_PROPERTY_PRETTY_NAME));
}
END_TEST

START_TEST(a_large_patch_keeps_the_names_of_all)
{
	enum { PORTS = 60 };
	fake->voice.port_count = PORTS;
	for (unsigned i = 0; i < PORTS; i++) {
		fake->voice.port[i].signal = CHR_PITCH;
		snprintf(fake->voice.port[i].name, CHR_NAME_MAX, "in%u", i);
	}
	make();
	ck_assert_uint_eq(list.count, CHR_PROPERTIES_MAX);
	ck_assert_str_eq(value("drum.b", CHR_PROPERTY_PRETTY_NAME), "drum (standby)");
	ck_assert_str_eq(value("osc2.b:in59", CHR_PROPERTY_SIGNAL_TYPE), "CV");
	ck_assert_ptr_null(value("osc2.b:in59", CHR_PROPERTY_MAXIMUM));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metadata");
	TCase *tests = tcase_create("metadata");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, clients_have_names_for_people_and_icons);
	tcase_add_test(tests, names_for_people_lack_the_prefix_of_the_client);
	tcase_add_test(tests, voltages_have_a_type_and_a_range_and_audio_has_none);
	tcase_add_test(tests, ports_stand_in_the_order_of_the_table_the_clock_last);
	tcase_add_test(tests, what_does_not_exist_has_no_properties);
	tcase_add_test(tests, a_large_patch_keeps_the_names_of_all);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
