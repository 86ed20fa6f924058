/* A descriptor as a hostile module publishes it: a legal one scribbled over. What the check lets through must be what everybody may rely on, and
 * OSC's describe, status and messages must bear it.
 */
#include "supervisor/osc_private.h"
#include "tests/fuzz/fuzz.h"
#include "tests/supervisor/osc_bed.h"

#include <arpa/inet.h>
#include <math.h>

static struct osc_bed *bed;

static void demand_text(const char *text, size_t bytes)
{
	fuzz_demand(memchr(text, 0, bytes) != NULL);
	for (; *text; text++)
		fuzz_demand((unsigned char)*text >= ' ' && *text != 127);
}

static void demand_name(const char *name)
{
	fuzz_demand(memchr(name, 0, CHR_NAME_MAX) != NULL);
	fuzz_demand(chr_name_legal(name));
}

static void demand_param(const struct chr_descriptor *desc, unsigned i)
{
	const struct chr_param_desc *param = &desc->param[i];

	demand_name(param->name);
	fuzz_demand(chr_descriptor_param(desc, param->name) == (int)i);
	demand_text(param->unit, sizeof param->unit);
	demand_text(param->help, sizeof param->help);
	fuzz_demand(isfinite(param->min) && isfinite(param->max) && isfinite(param->smooth_ms));
	fuzz_demand(param->initial >= param->min && param->initial <= param->max);
	fuzz_demand(param->choice_count <= CHR_CHOICES_MAX);
	float value = param->initial;
	fuzz_demand(chr_param_accept(param, &value) == 0 && value >= param->min && value <= param->max);
	for (unsigned c = 0; c < param->choice_count; c++) {
		demand_text(param->choice[c], CHR_NAME_MAX);
		fuzz_demand(chr_param_choice(param, param->choice[c]) == (int)c);
	}
}

static void demand_legal(const struct chr_descriptor *desc)
{
	demand_name(desc->name);
	demand_text(desc->help, sizeof desc->help);
	fuzz_demand(desc->port_count <= CHR_PORTS_MAX && desc->param_count <= CHR_PARAMS_MAX &&
		    desc->meter_count <= CHR_METERS_MAX);
	for (unsigned i = 0; i < desc->port_count; i++) {
		demand_name(desc->port[i].name);
		demand_text(desc->port[i].help, sizeof desc->port[i].help);
		fuzz_demand(chr_descriptor_port(desc, desc->port[i].name) == (int)i);
	}
	for (unsigned i = 0; i < desc->param_count; i++)
		demand_param(desc, i);
	for (unsigned i = 0; i < desc->meter_count; i++)
		demand_name(desc->meter[i]);
}

static void tell(const char *path, const char *types, float value)
{
	unsigned char data[256];
	uint32_t bits;
	size_t bytes = 0;

	memcpy(&bits, &value, sizeof bits);
	bits = htonl(bits);
	memset(data, 0, sizeof data);
	memcpy(data, path, strlen(path));
	bytes += strlen(path) / 4 * 4 + 4;
	memcpy(data + bytes, types, strlen(types));
	bytes += 4;
	if (types[1]) {
		memcpy(data + bytes, &bits, 4);
		bytes += 4;
	}
	const struct chr_osc_datagram datagram = {.real_ns = chr_osc_real_ns(), .bytes = (uint32_t)bytes, .data = data};
	bed->osc->in_pass = true;
	chr_osc_packet(bed->osc, &datagram);
	bed->osc->in_pass = false;
}

static void use(const struct chr_descriptor *desc)
{
	struct chr_unit *unit = &bed->fake->unit[UNIT_OSC1];

	unit->type = desc;
	for (unsigned i = 0; i < desc->param_count; i++)
		unit->value[i] = desc->param[i].initial;
	tell("/chronus/describe", ",", 0);
	tell("/chronus/status", ",", 0);
	tell("/osc1/*", ",", 0);
	tell("/osc1/*", ",f", desc->param_count ? desc->param[0].max : 1.0f);
	chr_rack_deliver(&bed->fake->rack, bed->host.frame_now(bed));
	fake_rack_drain(bed->fake);
	for (unsigned i = 0; i < desc->param_count; i++)
		fuzz_demand(unit->value[i] >= desc->param[i].min && unit->value[i] <= desc->param[i].max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct chr_descriptor base;
	struct fuzz_input input = {data, bytes};
	char why[CHR_TEXT_MAX];

	if (!bed) {
		bed = calloc(1, sizeof *bed);
		bed_open(bed);
		base = bed->fake->voice;
	}
	bed->fake->voice = base;
	while (input.left)
		fuzz_scribble(&input, &bed->fake->voice, sizeof base);
	int rc = chr_descriptor_check(&bed->fake->voice, why, sizeof why);
	demand_text(why, sizeof why);
	fuzz_demand((rc == 0) == (why[0] == 0));
	if (rc == 0) {
		demand_legal(&bed->fake->voice);
		use(&bed->fake->voice);
	}
	return 0;
}
