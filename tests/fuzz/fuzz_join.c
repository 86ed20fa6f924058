/* A twin's slot as a hostile module leaves it: its snapshot, whole and then scribbled over, is taken over by an instance that plays on. Whatever it
 * held, what comes out must be numbers and the queue must stay inside its bounds.
 */
#include "tests/engine/bed.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>

#define N      64u
#define CYCLES 6

static void send(struct bed *bed, unsigned kind, uint32_t count)
{
	const struct chr_event event = {.version = CHR_EVENT_VERSION, .kind = (uint16_t)kind, .frame = bed->frame, .count = count};

	chr_ring_write(&bed->slot->to_audio, &event, 1);
}

static void demand_sound(const struct bed *bed)
{
	fuzz_demand(bed->rt->queue.count <= CHR_QUEUE_MAX);
	for (unsigned port = PROBE_LEVEL; port <= PROBE_TICK; port++)
		for (unsigned i = 0; i < N; i++)
			fuzz_demand(isfinite(bed->out_buffer[port][i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = {data, bytes};
	struct bed *twin = bed_create(&bed_probe, 2, 0, 1000), *joiner = bed_create(&bed_probe, 2, 0, 1000);
	struct chr_snapshot *snapshot = twin->slot->snapshot;

	chr_join_set_twin(joiner->rt, twin->slot);
	for (unsigned i = 0; i < 3; i++)
		bed_send_param(twin, i, 1.0f, twin->frame + 100 * i, 100);
	send(twin, CHR_EVENT_PUBLISH, 2);
	send(joiner, CHR_EVENT_JOIN, 0);
	bed_cycle(twin, N);
	bed_cycle(joiner, N);
	bed_cycle(twin, N);
	while (input.left) {
		struct chr_snapshot *which = &snapshot[fuzz_byte(&input) % 2];
		const struct {
			void *at;
			size_t bytes;
		} area[] = {{which, offsetof(struct chr_snapshot, pending)},
			    {which->pending, sizeof which->pending},
			    {which->engine, sizeof which->engine},
			    {which->state, bed_probe.state_bytes + 8}};
		unsigned pick = fuzz_byte(&input) % (sizeof area / sizeof *area);

		fuzz_scribble(&input, area[pick].at, area[pick].bytes);
	}
	for (int i = 0; i < CYCLES; i++) {
		bed_cycle(joiner, N);
		demand_sound(joiner);
	}
	bed_destroy(joiner);
	bed_destroy(twin);
	return 0;
}
