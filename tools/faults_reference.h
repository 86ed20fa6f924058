/* The expected sound: the patch computed again, in this process, by the very module files.
 *
 * It starts from the states of all modules as they were at the start of one cycle (a capture), and from then on knows nothing of
 * processes, lanes, joins or JACK: so it says what an undisturbed run would have played. It holds for a patch whose parameters
 * stand still. One thread; not realtime.
 */
#ifndef CHR_TOOLS_FAULTS_REFERENCE_H
#define CHR_TOOLS_FAULTS_REFERENCE_H

#include "tools/faults_page.h"

#include <jack/jack.h>
#include <stddef.h>
#include <stdint.h>

struct chr_reference;

/* Makes the reference from the captures of lane a: module files from `folder`, edges as `client` sees them in JACK's graph now. `out` must pass
 * its samples unchanged (level 1). NULL with the reason in `why`. */
struct chr_reference *chr_reference_create(const struct chr_faults_page *page, const char *folder, jack_client_t *client, char *why,
					   size_t why_bytes);
void chr_reference_destroy(struct chr_reference *reference);

/* A chr_judge_expect; `self` is the reference. */
void chr_reference_expect(void *self, uint64_t at, uint32_t frames, float *const out[]);

#endif
