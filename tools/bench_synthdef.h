/* SuperCollider's synth definitions, built as bytes, because its compiler is a program of 100 MB. Main thread.
 *
 * Format: "Synth Definition File Format", version 2, in SuperCollider's reference. All numbers are big-endian.
 */
#ifndef CHR_TOOLS_BENCH_SYNTHDEF_H
#define CHR_TOOLS_BENCH_SYNTHDEF_H

#include <stddef.h>

#define CHR_SYNTHDEF_BYTES 32768u

struct chr_synthdef {
	unsigned char bytes[CHR_SYNTHDEF_BYTES];
	size_t count;
};

/* The voice of the comparison: sine, ADSR, resonant lowpass, to both outputs; controls gate and freq. Attack, release in seconds. */
void chr_synthdef_voice(struct chr_synthdef *def, const char *name, double hz, double attack, double release, double cutoff_hz);

/* `count` sines that nobody hears, and `count` lowpasses in a row. At most 200. */
void chr_synthdef_sines(struct chr_synthdef *def, const char *name, unsigned count);
void chr_synthdef_filters(struct chr_synthdef *def, const char *name, unsigned count);

#endif
