#include "engine/change.h"

#include "engine/memory.h"
#include "engine/rt.h"

#include <stdlib.h>
#include <string.h>

static bool allocate_all(struct chr_change *change)
{
	size_t bytes = change->module->state_bytes;
	change->state = chr_memory_create(bytes);
	change->state_coming = chr_memory_create(bytes);
	bool whole = change->state && change->state_coming;
	for (unsigned i = 0; whole && i < change->desc->param_count; i++)
		whole = (change->ramp[i] = chr_memory_buffer());
	for (unsigned i = 0; whole && i < change->desc->port_count; i++)
		if (change->desc->port[i].direction == CHR_OUT)
			whole = (change->out[i] = chr_memory_buffer());
	return whole;
}

static void make_fresh(struct chr_change *change, float sample_rate)
{
	memset(change->state, 0, change->module->state_bytes);
	if (change->module->init)
		change->module->init(change->state, sample_rate);
}

struct chr_change *chr_change_create(const struct chr_rt *rt, const struct chr_module *module, const struct chr_descriptor *desc,
				     const float *value)
{
	struct chr_change *change = calloc(1, sizeof *change);
	if (!change)
		return NULL;
	change->module = module;
	change->desc = desc;
	change->total = (uint32_t)(rt->sample_rate * CHR_CHANGE_MS / 1000.0f);
	change->carries = rt->desc->state_version == desc->state_version && rt->desc->state_bytes == desc->state_bytes;
	if (!allocate_all(change)) {
		chr_change_destroy(change);
		return NULL;
	}
	make_fresh(change, rt->sample_rate);
	for (unsigned i = 0; i < desc->param_count; i++) {
		float first = value[i];
		if (chr_param_accept(&desc->param[i], &first))
			first = desc->param[i].initial;
		chr_smoother_step(&change->param[i], first);
	}
	return change;
}

void chr_change_destroy(struct chr_change *change)
{
	if (!change)
		return;
	for (unsigned i = 0; i < CHR_PORTS_MAX; i++)
		free(change->out[i]);
	for (unsigned i = 0; i < CHR_PARAMS_MAX; i++)
		free(change->ramp[i]);
	free(change->state_coming);
	free(change->state);
	free(change);
}

void chr_change_give(struct chr_rt *rt, struct chr_change *change)
{
	/* release: the audio thread finds the change whole */
	atomic_store_explicit(&rt->change_given, change, memory_order_release);
}

void chr_change_begin(struct chr_rt *rt)
{
	/* acquire: with chr_change_give() */
	struct chr_change *change = atomic_load_explicit(&rt->change_given, memory_order_acquire);
	rt->change = change;
	if (!change || change->begun)
		return;
	change->begun = true;
	if (change->carries)
		memcpy(change->state, rt->state, rt->module->state_bytes);
	for (unsigned i = 0; i < rt->desc->param_count && i < change->desc->param_count; i++) {
		const struct chr_smoother *old = &rt->engine.param[i];
		float nearest = chr_param_nearest(&change->desc->param[i], old->target);
		change->param[i] = *old;
		if (nearest != old->target)
			chr_smoother_step(&change->param[i], nearest);
	}
}

static void mix(const struct chr_change *change, float *out, const float *coming, uint32_t frames)
{
	for (uint32_t k = 0; k < frames; k++) {
		uint32_t at = change->done + k + 1;
		if (at >= change->total)
			out[k] = coming[k];
		else
			out[k] += (coming[k] - out[k]) * ((float)at / (float)change->total);
	}
}

void chr_change_span(struct chr_rt *rt, uint32_t at, const struct chr_io *io)
{
	struct chr_change *change = rt->change;
	struct chr_control control[CHR_PARAMS_MAX];
	float *out[CHR_PORTS_MAX];
	if (!change || change->broken || !io->frames)
		return;
	for (unsigned i = 0; i < change->desc->port_count; i++)
		out[i] = rt->out[i] ? change->out[i] : NULL;
	for (unsigned i = 0; i < change->desc->param_count; i++)
		control[i] = chr_smoother_run(&change->param[i], io->frames, change->ramp[i]);
	struct chr_io own = *io;
	own.out = out;
	own.param = control;
	change->module->process(change->state, &own);
	for (unsigned i = 0; i < change->desc->port_count; i++)
		change->broken |= out[i] && !chr_rt_finite(out[i], io->frames);
	for (unsigned i = 0; i < change->desc->port_count && !change->broken; i++)
		if (out[i])
			mix(change, rt->out[i] + at, out[i], io->frames);
	change->done += io->frames;
}

/* What the two have apart goes from one to the other. */
static void exchange(struct chr_rt *rt, struct chr_change *change)
{
	const struct chr_module *module = rt->module;
	const struct chr_descriptor *desc = rt->desc;
	unsigned char *state = rt->state, *coming = rt->state_coming;
	rt->module = change->module;
	rt->desc = change->desc;
	rt->state = change->state;
	rt->state_coming = change->state_coming;
	chr_rt_learn(rt);
	memcpy(rt->engine.param, change->param, sizeof rt->engine.param);
	for (unsigned i = 0; i < CHR_PARAMS_MAX; i++) {
		float *ramp = rt->ramp[i];
		rt->ramp[i] = change->ramp[i];
		change->ramp[i] = ramp;
	}
	change->module = module;
	change->desc = desc;
	change->state = state;
	change->state_coming = coming;
}

void chr_change_end(struct chr_rt *rt)
{
	struct chr_change *change = rt->change;
	if (!change || (!change->broken && change->done < change->total))
		return;
	if (!change->broken)
		exchange(rt, change);
	rt->change = NULL;
	atomic_store_explicit(&rt->change_given, NULL, memory_order_relaxed);
	/* release: the main thread finds the old module in it, which nobody runs any more */
	atomic_store_explicit(&change->over, true, memory_order_release);
}

void chr_change_reset(struct chr_rt *rt)
{
	if (rt->change)
		make_fresh(rt->change, rt->sample_rate);
}
