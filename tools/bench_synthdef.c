#include "tools/bench_synthdef.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum rate { CONTROL = 1, AUDIO = 2 };

#define CONSTANT (-1)
#define MULTIPLY 2 /* special index of BinaryOpUGen */

struct input {
	int ugen;  /* or CONSTANT */
	int index; /* output of that, or constant */
};

static void put(struct chr_synthdef *def, const void *bytes, size_t count)
{
	if (def->count + count > sizeof def->bytes)
		abort();
	memcpy(def->bytes + def->count, bytes, count);
	def->count += count;
}

static void put_number(struct chr_synthdef *def, int32_t value, unsigned bytes)
{
	for (unsigned i = bytes; i-- > 0;) {
		unsigned char byte = (unsigned char)((uint32_t)value >> 8 * i);
		put(def, &byte, 1);
	}
}

static void put_float(struct chr_synthdef *def, double value)
{
	float f = (float)value;
	int32_t bits;
	memcpy(&bits, &f, sizeof bits);
	put_number(def, bits, 4);
}

static void put_name(struct chr_synthdef *def, const char *name)
{
	put_number(def, (int32_t)strlen(name), 1);
	put(def, name, strlen(name));
}

static void begin(struct chr_synthdef *def, const char *name, const double *constant, int constants)
{
	def->count = 0;
	put(def, "SCgf", 4);
	put_number(def, 2, 4); /* version */
	put_number(def, 1, 2); /* definitions */
	put_name(def, name);
	put_number(def, constants, 4);
	for (int i = 0; i < constants; i++)
		put_float(def, constant[i]);
}

static void ugen(struct chr_synthdef *def, const char *class, enum rate rate, int special, const struct input *in, int inputs,
		 int outputs)
{
	put_name(def, class);
	put_number(def, rate, 1);
	put_number(def, inputs, 4);
	put_number(def, outputs, 4);
	put_number(def, special, 2);
	for (int i = 0; i < inputs; i++) {
		put_number(def, in[i].ugen, 4);
		put_number(def, in[i].index, 4);
	}
	for (int i = 0; i < outputs; i++)
		put_number(def, rate, 1);
}

/* Env.adsr with curve -4, as SuperCollider's language makes it. */
static void put_envelope(struct chr_synthdef *def)
{
	enum { ZERO, ONE, SEGMENTS, RELEASE_NODE, NO_LOOP, SHAPE, CURVE, ATTACK, DECAY, SUSTAIN, RELEASE };
	static const int place[] = {ONE,   ZERO,  ONE,     ZERO,  ZERO,  SEGMENTS, RELEASE_NODE, NO_LOOP, ONE,   ATTACK,
				    SHAPE, CURVE, SUSTAIN, DECAY, SHAPE, CURVE,    ZERO,         RELEASE, SHAPE, CURVE};
	struct input in[1 + sizeof place / sizeof place[0]] = {{0, 0}};
	for (size_t i = 0; i < sizeof place / sizeof place[0]; i++)
		in[1 + i] = (struct input){CONSTANT, place[i]};
	ugen(def, "EnvGen", AUDIO, 0, in, sizeof in / sizeof in[0], 1);
}

void chr_synthdef_voice(struct chr_synthdef *def, const char *name, double hz, double attack, double release, double cutoff_hz)
{
	const double constant[] = {0, 1, 3, 2, -99, 5, -4, attack, 0.1, 0.7, release, cutoff_hz, 1 / 0.9};
	begin(def, name, constant, sizeof constant / sizeof constant[0]);
	put_number(def, 2, 4); /* controls */
	put_float(def, 0);
	put_float(def, hz);
	put_number(def, 2, 4);
	put_name(def, "gate");
	put_number(def, 0, 4);
	put_name(def, "freq");
	put_number(def, 1, 4);
	put_number(def, 6, 4); /* unit generators */
	ugen(def, "Control", CONTROL, 0, NULL, 0, 2);
	ugen(def, "SinOsc", AUDIO, 0, (struct input[]){{0, 1}, {CONSTANT, 0}}, 2, 1);
	put_envelope(def);
	ugen(def, "BinaryOpUGen", AUDIO, MULTIPLY, (struct input[]){{1, 0}, {2, 0}}, 2, 1);
	ugen(def, "BLowPass", AUDIO, 0, (struct input[]){{3, 0}, {CONSTANT, 11}, {CONSTANT, 12}}, 3, 1);
	ugen(def, "Out", AUDIO, 0, (struct input[]){{CONSTANT, 0}, {4, 0}, {4, 0}}, 3, 0);
	put_number(def, 0, 2); /* variants */
}

static void begin_plain(struct chr_synthdef *def, const char *name, const double *constant, int constants, unsigned ugens)
{
	begin(def, name, constant, constants);
	put_number(def, 0, 4); /* controls and their names */
	put_number(def, 0, 4);
	put_number(def, (int32_t)ugens, 4);
}

void chr_synthdef_sines(struct chr_synthdef *def, const char *name, unsigned count)
{
	begin_plain(def, name, (const double[]){440, 0}, 2, count);
	for (unsigned i = 0; i < count; i++)
		ugen(def, "SinOsc", AUDIO, 0, (struct input[]){{CONSTANT, 0}, {CONSTANT, 1}}, 2, 1);
	put_number(def, 0, 2);
}

void chr_synthdef_filters(struct chr_synthdef *def, const char *name, unsigned count)
{
	begin_plain(def, name, (const double[]){440, 0, 1200, 1 / 0.9}, 4, count + 1);
	ugen(def, "SinOsc", AUDIO, 0, (struct input[]){{CONSTANT, 0}, {CONSTANT, 1}}, 2, 1);
	for (unsigned i = 0; i < count; i++)
		ugen(def, "BLowPass", AUDIO, 0, (struct input[]){{(int)i, 0}, {CONSTANT, 2}, {CONSTANT, 3}}, 3, 1);
	put_number(def, 0, 2);
}
