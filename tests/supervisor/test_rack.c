#include "tests/lib/suite.h"
#include "tests/supervisor/fake_rack.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct fake_rack *fake;
static struct chr_unit *osc1;
static unsigned changes;

static void setup(void)
{
	fake = fake_rack_create();
	osc1 = &fake->unit[UNIT_OSC1];
	changes = 0;
}

static void teardown(void)
{
	fake_rack_destroy(fake);
}

static void count_change(void *arg, struct chr_unit *unit, unsigned param)
{
	ck_assert_ptr_eq(arg, fake);
	ck_assert_uint_lt(param, unit->type->param_count);
	changes++;
}

START_TEST(test_rack_names)
{
	ck_assert_ptr_eq(chr_rack_find(&fake->rack, "osc1"), osc1);
	ck_assert_ptr_null(chr_rack_find(&fake->rack, "osc3"));
	for (unsigned i = 0; i <= CHR_INSTANCE_QUARANTINED; i++)
		ck_assert_ptr_nonnull(chr_instance_state_name[i]);
}
END_TEST

START_TEST(test_rack_set_both_lanes)
{
	struct chr_event a, b;

	fake->rack.changed = count_change;
	fake->rack.changed_arg = fake;
	chr_rack_set(&fake->rack, osc1, VOICE_FREQ, 220, 480, 5256, 5000);
	chr_rack_set(&fake->rack, osc1, VOICE_GATE, 1, 0, 5260, 5000);
	for (uint32_t i = 1; i <= 2; i++) {
		ck_assert(fake_rack_next(fake, UNIT_OSC1, 0, &a));
		ck_assert(fake_rack_next(fake, UNIT_OSC1, 1, &b));
		ck_assert_mem_eq(&a, &b, sizeof a);
		ck_assert_uint_eq(a.serial, i);
		ck_assert_uint_eq(a.version, CHR_EVENT_VERSION);
		ck_assert_uint_eq(a.kind, CHR_EVENT_PARAM);
		ck_assert_uint_eq(a.flags, i == 2 ? CHR_EVENT_GATE : 0);
	}
	ck_assert_uint_eq(a.frame, 5260);
	ck_assert_float_eq(osc1->value[VOICE_FREQ], 220);
	ck_assert_float_eq(osc1->value[VOICE_GATE], 1);
	ck_assert_uint_eq(changes, 2);
	ck_assert_uint_eq(fake_rack_drain(fake), 0);
}
END_TEST

START_TEST(test_rack_horizon)
{
	const uint32_t horizon = 48 * CHR_HORIZON_MS, now = UINT32_MAX - 100;
	struct chr_event e;
	uint32_t serial = 0;

	chr_rack_set(&fake->rack, osc1, VOICE_FREQ, 300, 0, now + 48000, now);
	chr_rack_set(&fake->rack, osc1, VOICE_FREQ, 200, 0, now + horizon + 1, now);
	chr_rack_set(&fake->rack, osc1, VOICE_FREQ, 100, 0, now + horizon, now);
	ck_assert_uint_eq(fake->rack.schedule.count, 2);
	ck_assert_float_eq(osc1->value[VOICE_FREQ], 100);
	ck_assert_int_eq(chr_rack_deliver(&fake->rack, now), 1);
	ck_assert_int_eq(chr_rack_deliver(&fake->rack, now + 1), 979);
	ck_assert_float_eq(osc1->value[VOICE_FREQ], 200);
	/* Setting delivers first what has come near, so that serials follow the frames. */
	chr_rack_set(&fake->rack, osc1, VOICE_LEVEL, 1, 0, now + 48000, now + 48000 - horizon);
	ck_assert_float_eq(osc1->value[VOICE_FREQ], 300);
	for (float value = 100; value <= 300; value += 100) {
		ck_assert(fake_rack_next(fake, UNIT_OSC1, 1, &e));
		ck_assert_float_eq(e.value, value);
		ck_assert_uint_eq(e.serial, ++serial);
	}
	ck_assert(fake_rack_next(fake, UNIT_OSC1, 1, &e));
	ck_assert_uint_eq(e.index, VOICE_LEVEL);
	ck_assert_int_eq(chr_rack_deliver(&fake->rack, now + 48000), -1);
}
END_TEST

START_TEST(test_rack_full_ring_of_one_lane)
{
	struct chr_event e;
	uint32_t gates = 0, last = 0;

	for (unsigned i = 0; i < 4000; i++) {
		chr_rack_set(&fake->rack, osc1, VOICE_GATE, (float)(i % 2), 0, i / 8, 0);
		chr_rack_set(&fake->rack, osc1, VOICE_LEVEL, (float)i / 4000, 0, i / 8, 0);
		while (fake_rack_next(fake, UNIT_OSC1, 0, &e)) {
			ck_assert_uint_eq(e.serial, last + 1);
			last = e.serial;
		}
	}
	ck_assert_uint_eq(last, 8000);
	ck_assert_uint_gt(fake->rack.totals.coalesced, 0);
	ck_assert_uint_eq(fake->rack.totals.coalesced, osc1->instance[1].feed.coalesced);
	ck_assert_int_gt(chr_rack_deliver(&fake->rack, 0), 0);
	last = 0;
	for (int wait = 1; wait > 0;) {
		wait = chr_rack_deliver(&fake->rack, 0);
		while (fake_rack_next(fake, UNIT_OSC1, 1, &e)) {
			ck_assert_uint_gt(e.serial, last);
			last = e.serial;
			gates += e.index == VOICE_GATE;
		}
	}
	ck_assert_uint_eq(gates, 4000);
	ck_assert_uint_eq(last, 8000);
	ck_assert_float_eq(e.value, 3999.0f / 4000);
}
END_TEST

START_TEST(test_rack_without_server)
{
	chr_rack_set(&fake->rack, osc1, VOICE_FREQ, 300, 0, 96000, 0);
	chr_rack_set(&fake->rack, osc1, VOICE_FREQ, 200, 0, 48000, 0);
	fake->rack.sample_rate = 0;
	ck_assert_int_eq(chr_rack_deliver(&fake->rack, 0), -1);
	ck_assert_float_eq(osc1->value[VOICE_FREQ], 300);
	chr_rack_set(&fake->rack, osc1, VOICE_LEVEL, 0.25f, 0, 0, 0);
	ck_assert_float_eq(osc1->value[VOICE_LEVEL], 0.25f);
	ck_assert_uint_eq(fake_rack_drain(fake), 0);
	ck_assert_uint_eq(osc1->serial, 0);
}
END_TEST

START_TEST(test_rack_totals)
{
	struct chr_slot_status *status = &fake->process.slot->status;

	atomic_store_explicit(&status->applied, 10, memory_order_relaxed);
	atomic_store_explicit(&status->late, 3, memory_order_relaxed);
	ck_assert_uint_eq(chr_rack_totals(&fake->rack).applied, 10);
	chr_rack_retire(&fake->rack, &osc1->instance[0]);
	osc1->instance[0].process = NULL;
	ck_assert_uint_eq(chr_rack_totals(&fake->rack).applied, 10);
	ck_assert_uint_eq(chr_rack_totals(&fake->rack).late, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rack");
	TCase *tcase = tcase_create("rack");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_rack_names);
	tcase_add_test(tcase, test_rack_set_both_lanes);
	tcase_add_test(tcase, test_rack_horizon);
	tcase_add_test(tcase, test_rack_full_ring_of_one_lane);
	tcase_add_test(tcase, test_rack_without_server);
	tcase_add_test(tcase, test_rack_totals);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
