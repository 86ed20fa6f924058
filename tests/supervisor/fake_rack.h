/* A rack of four modules without processes, for the tests of what works on one: out, osc1, osc2 (type "voice"), drum (type "bell"). */
#ifndef CHR_TESTS_FAKE_RACK_H
#define CHR_TESTS_FAKE_RACK_H

#include "supervisor/process.h"
#include "supervisor/rack.h"

/* Parameters of the type "voice". */
enum { VOICE_FREQ, VOICE_LEVEL, VOICE_GATE, VOICE_MODE, VOICE_PARAMS };

enum { UNIT_OUT, UNIT_OSC1, UNIT_OSC2, UNIT_DRUM, FAKE_UNITS };

struct fake_rack {
	struct chr_rack rack;
	struct chr_patch patch;
	struct chr_unit unit[FAKE_UNITS];
	struct chr_descriptor voice, bell, out;
	struct chr_ring *ring[FAKE_UNITS][CHR_LANES]; /* attached to both lanes' instances */
	struct chr_process process;                   /* of osc1's lane a, with a slot */
};

/* 48 kHz, 256 frames, two lanes, nothing in the rings. Ends the program when memory runs out. */
struct fake_rack *fake_rack_create(void);
void fake_rack_destroy(struct fake_rack *fake);

/* Empties all rings. Returns the number of events that were in them. */
unsigned fake_rack_drain(struct fake_rack *fake);

/* Takes the next event of one instance's ring. False when it is empty. */
bool fake_rack_next(struct fake_rack *fake, unsigned unit, unsigned lane, struct chr_event *event);

#endif
