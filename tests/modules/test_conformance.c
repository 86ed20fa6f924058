/* What every module owes to the engine, checked on each one found in the folder. */
#include "common/descriptor.h"
#include "tests/lib/suite.h"
#include "tests/modules/host.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES 6000u
#define RATE   48000.0f

static const char *names[HOST_MODULES_MAX];
static unsigned name_count;

/* In 0..1 for a parameter's scale. */
static float param_value(const struct chr_param *param, double share)
{
	double value = param->min + share * (param->max - param->min);

	if (param->scale == CHR_LOG)
		value = param->min * pow(param->max / param->min, share);
	if (param->scale == CHR_CHOICE || param->scale == CHR_TOGGLE)
		value = rint(value);
	return (float)fmin(fmax(value, param->min), param->max);
}

/* Courses with everything that a person and the engine can make of them: rests, ramps and steps of all lengths. */
static void fill_courses(struct host *host, uint64_t *seed)
{
	for (unsigned p = 0; p < host->module->param_count; p++) {
		const struct chr_param *param = &host->module->params[p];
		float now = param_value(param, host_random(seed));

		for (uint32_t at = 0, end; at <= host->frames; at = end) {
			const bool step = param->scale == CHR_CHOICE || param->scale == CHR_TOGGLE ||
					  host_random_below(seed, 3) == 0;
			const bool rest = host_random_below(seed, 2) == 0;
			const float goal = param_value(param, host_random(seed));
			const uint32_t length = 1 + host_random_below(seed, 400);

			end = at + length < host->frames + 1 ? at + length : host->frames + 1;
			for (uint32_t i = at; i < end; i++)
				host->course[p][i] = rest   ? now
						     : step ? goal
							    : now + (goal - now) * (float)(i - at) / (float)length;
			now = host->course[p][end - 1];
		}
	}
}

static float input_value(enum chr_signal signal, uint64_t *seed)
{
	switch (signal) {
	case CHR_AUDIO:
		return (float)(2.0 * host_random(seed) - 1.0);
	case CHR_PITCH:
		return (float)(10.0 * host_random(seed) - 5.0);
	case CHR_GATE:
	case CHR_UNIPOLAR:
		return (float)(10.0 * host_random(seed));
	case CHR_BIPOLAR:
		return (float)(10.0 * host_random(seed) - 5.0);
	default:
		return (float)host_random(seed);
	}
}

/* Inputs that move at audio rate for a while and rest for a while. */
static void fill_inputs(struct host *host, uint64_t *seed)
{
	for (unsigned p = 0; p < host->module->port_count; p++) {
		const struct chr_port *port = &host->module->ports[p];

		if (port->direction != CHR_IN)
			continue;
		for (uint32_t at = 0, end; at < host->frames; at = end) {
			const bool rest = host_random_below(seed, 2) == 0;
			const float now = host_random_below(seed, 4) ? input_value(port->signal, seed) : 0.0f;

			end = at + 1 + host_random_below(seed, 500);
			end = end < host->frames ? end : host->frames;
			for (uint32_t i = at; i < end; i++)
				host->port[p][i] = rest ? now : input_value(port->signal, seed);
		}
	}
}

static void copy_material(struct host *to, const struct host *from)
{
	for (unsigned p = 0; p < from->module->port_count; p++)
		memcpy(to->port[p], from->port[p], from->frames * sizeof(float));
	for (unsigned p = 0; p < from->module->param_count; p++)
		memcpy(to->course[p], from->course[p], (from->frames + 1) * sizeof(float));
}

static struct host *busy_host(const struct chr_module *module, float rate, uint64_t seed)
{
	struct host *host = host_create(module, rate, FRAMES);

	fill_courses(host, &seed);
	fill_inputs(host, &seed);
	return host;
}

static void assert_finite(struct host *host, const char *when)
{
	for (unsigned p = 0; p < host->module->port_count; p++) {
		if (host->module->ports[p].direction != CHR_OUT)
			continue;
		for (uint32_t i = 0; i < host->frames; i++)
			if (!isfinite(host->port[p][i]))
				ck_abort_msg("%s, %s: %s[%u] is %g", host->module->name, when, host->module->ports[p].name, i,
					     (double)host->port[p][i]);
	}
}

/* The outputs from frame `from` on and the states are equal, bit by bit. */
static void assert_same(struct host *a, struct host *b, uint32_t from, const char *when)
{
	for (unsigned p = 0; p < a->module->port_count; p++)
		for (uint32_t i = from; i < a->frames; i++)
			if (memcmp(&a->port[p][i], &b->port[p][i], sizeof(float)))
				ck_abort_msg("%s, %s: %s[%u] is %.9g and %.9g", a->module->name, when, a->module->ports[p].name, i,
					     (double)a->port[p][i], (double)b->port[p][i]);
	ck_assert_msg(!memcmp(a->state, b->state, a->module->state_bytes), "%s, %s: the states differ", a->module->name, when);
}

START_TEST(descriptor_is_legal)
{
	const struct chr_module *module = host_load(names[_i]);
	struct chr_descriptor *desc = calloc(1, sizeof *desc);
	char why[256] = "";

	ck_assert_msg(!chr_descriptor_make(desc, module, why, sizeof why), "%s: %s", names[_i], why);
	ck_assert_str_eq(module->name, names[_i]);
	for (unsigned i = 0; i < module->port_count; i++)
		ck_assert_msg(module->ports[i].help && *module->ports[i].help, "port %s has no help", module->ports[i].name);
	for (unsigned i = 0; i < module->param_count; i++)
		ck_assert_msg(module->params[i].help && *module->params[i].help, "parameter %s has no help",
			      module->params[i].name);
	free(desc);
}
END_TEST

/* Every parameter at each end of its range, the others at their initial values; then all of them at the ends together. */
START_TEST(defaults_and_extremes_are_finite)
{
	static const float rates[] = {44100.0f, 48000.0f, 96000.0f};
	const struct chr_module *module = host_load(names[_i]);
	const unsigned n = module->param_count;

	for (unsigned trial = 0; trial < 3 * (1 + 2 * n + 16); trial++) {
		struct host *host = host_create(module, rates[trial % 3], FRAMES);
		const unsigned which = trial / 3;
		uint64_t seed = trial;

		fill_inputs(host, &seed);
		for (unsigned p = 0; which > 0 && p < n; p++) {
			const bool chosen = which > 2 * n ? true : p == (which - 1) / 2;
			const bool top = which > 2 * n ? host_random_below(&seed, 2) : which % 2;

			if (chosen)
				host_set(host, module->params[p].name, top ? module->params[p].max : module->params[p].min);
		}
		host_play(host, 1024);
		assert_finite(host, "at an extreme");
		host_destroy(host);
	}
}
END_TEST

/* A call writes every sample of its stretch and none beyond it, whatever its length; a call of no frames changes nothing. */
START_TEST(every_block_size_writes_its_samples)
{
	static const uint32_t sizes[] = {0, 1, 2, 3, 7, 63, 64, 65, 127, 255, 256, 1023, CHR_BLOCK_MAX};
	static const uint32_t canary = 0x7fc0beefu;
	const struct chr_module *module = host_load(names[_i]);

	for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		struct host *host = host_create(module, RATE, CHR_BLOCK_MAX + 128);
		void *before = malloc(module->state_bytes + 1);

		for (unsigned p = 0; p < module->port_count; p++)
			for (uint32_t i = 0; module->ports[p].direction == CHR_OUT && i < host->frames; i++)
				memcpy(&host->port[p][i], &canary, sizeof canary);
		memcpy(before, host->state, module->state_bytes);
		host_run(host, 64, sizes[s]);
		for (unsigned p = 0; p < module->port_count; p++)
			for (uint32_t i = 0; module->ports[p].direction == CHR_OUT && i < host->frames; i++) {
				const bool ours = i >= 64 && i < 64 + sizes[s];

				if (!!memcmp(&host->port[p][i], &canary, sizeof canary) != ours)
					ck_abort_msg("%s: %u frames, %s[%d]", module->name, sizes[s], module->ports[p].name,
						     (int)i - 64);
			}
		if (!sizes[s])
			ck_assert(!memcmp(before, host->state, module->state_bytes));
		free(before);
		host_destroy(host);
	}
}
END_TEST

static void play_in_pieces(struct host *host, uint64_t *seed)
{
	for (uint32_t at = 0; at < host->frames;) {
		static const uint32_t longest[] = {1, 2, 9, 64, 65, 200, 3000};
		uint32_t count = host_random_below(seed, longest[host_random_below(seed, 7)] + 1);

		count = count < host->frames - at ? count : host->frames - at;
		host_run(host, at, count);
		at += count;
	}
}

START_TEST(splitting_a_block_changes_nothing)
{
	const struct chr_module *module = host_load(names[_i]);

	for (uint64_t seed = 1; seed <= 24; seed++) {
		static const float rates[] = {44100.0f, 48000.0f, 96000.0f};
		struct host *whole = busy_host(module, rates[seed % 3], seed), *pieces = busy_host(module, rates[seed % 3], seed);
		uint64_t places = seed;

		host_play(whole, FRAMES);
		assert_finite(whole, "with moving controls");
		play_in_pieces(pieces, &places);
		assert_same(whole, pieces, 0, "split at random places");
		host_reset(pieces);
		host_play(pieces, 1);
		assert_same(whole, pieces, 0, "frame by frame");
		host_destroy(whole);
		host_destroy(pieces);
	}
}
END_TEST

/* A course that stands still is the same whether it is handed over as one value or as many. */
START_TEST(standing_and_moving_courses_agree)
{
	const struct chr_module *module = host_load(names[_i]);

	for (uint64_t seed = 1; seed <= 24; seed++) {
		struct host *standing = busy_host(module, RATE, seed), *moving = busy_host(module, RATE, seed);

		moving->always_moving = true;
		host_play(standing, 100);
		host_play(moving, 100);
		assert_same(standing, moving, 0, "handed over as moving");
		host_destroy(standing);
		host_destroy(moving);
	}
}
END_TEST

START_TEST(reset_equals_fresh)
{
	const struct chr_module *module = host_load(names[_i]);

	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct host *fresh = busy_host(module, RATE, seed), *used = busy_host(module, RATE, seed + 100);

		host_play(used, 256);
		host_reset(used);
		copy_material(used, fresh);
		host_play(fresh, 256);
		host_play(used, 256);
		assert_same(fresh, used, 0, "after a reset");
		host_destroy(fresh);
		host_destroy(used);
	}
}
END_TEST

START_TEST(copied_state_goes_on_bit_exact)
{
	const struct chr_module *module = host_load(names[_i]);

	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct host *first = busy_host(module, RATE, seed), *second = busy_host(module, RATE, seed);
		uint64_t place = seed;
		const uint32_t at = 1 + host_random_below(&place, FRAMES - 2);

		host_run(first, 0, at);
		memcpy(second->state, first->state, module->state_bytes);
		host_run(first, at, FRAMES - at);
		host_run(second, at, FRAMES - at);
		assert_same(first, second, at, "from a copied state");
		host_destroy(first);
		host_destroy(second);
	}
}
END_TEST

/* Wild inputs may make wild outputs, which the engine silences; a reset makes the module whole again. */
START_TEST(wild_inputs_are_survived)
{
	static const float wild[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 1e-42f};
	const struct chr_module *module = host_load(names[_i]);
	struct host *host = busy_host(module, RATE, 1), *calm = busy_host(module, RATE, 2);
	uint64_t seed = 3;

	for (unsigned p = 0; p < module->port_count; p++)
		for (uint32_t i = 0; i < host->frames; i++)
			if (module->ports[p].direction == CHR_IN && !host_random_below(&seed, 5))
				host->port[p][i] = wild[host_random_below(&seed, 6)];
	play_in_pieces(host, &seed);
	host_reset(host);
	copy_material(host, calm);
	host_play(host, 256);
	host_play(calm, 256);
	assert_finite(host, "after wild inputs and a reset");
	assert_same(host, calm, 0, "after wild inputs and a reset");
	host_destroy(host);
	host_destroy(calm);
}
END_TEST

/* The ports of absent channels have no buffers. */
START_TEST(absent_channels_are_left_alone)
{
	const struct chr_module *module = host_load(names[_i]);

	for (unsigned channels = 0; channels <= 16; channels++) {
		struct host *some = busy_host(module, RATE, 5), *all = busy_host(module, RATE, 5);

		all->channels = some->channels;
		some->channels = channels < some->channels ? channels : some->channels;
		host_play(some, 333);
		host_play(all, 333);
		for (unsigned p = 0; p < module->port_count; p++)
			if (module->ports[p].channel <= some->channels)
				ck_assert(!memcmp(some->port[p], all->port[p], FRAMES * sizeof(float)));
		host_destroy(some);
		host_destroy(all);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conformance");
	TCase *tests = tcase_create("every module");

	name_count = host_list(names);
	if (name_count < 4) {
		fprintf(stderr, "%s: %u modules found, at least 4 expected\n", host_folder(), name_count);
		return EXIT_FAILURE;
	}
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, descriptor_is_legal, 0, (int)name_count);
	tcase_add_loop_test(tests, defaults_and_extremes_are_finite, 0, (int)name_count);
	tcase_add_loop_test(tests, every_block_size_writes_its_samples, 0, (int)name_count);
	tcase_add_loop_test(tests, splitting_a_block_changes_nothing, 0, (int)name_count);
	tcase_add_loop_test(tests, standing_and_moving_courses_agree, 0, (int)name_count);
	tcase_add_loop_test(tests, reset_equals_fresh, 0, (int)name_count);
	tcase_add_loop_test(tests, copied_state_goes_on_bit_exact, 0, (int)name_count);
	tcase_add_loop_test(tests, wild_inputs_are_survived, 0, (int)name_count);
	tcase_add_loop_test(tests, absent_channels_are_left_alone, 0, (int)name_count);
	suite_add_tcase(suite, tests);
	return chr_suite_run(suite);
}
