/* A patch that plays and a plain JACK client that draws on it as a patchbay does: what was drawn, what Chronus desires and what JACK has made are to
 * be one. The ports of one other program, "other", may be drawn to as well. What is not as it should be fails the test. Main thread.
 */
#ifndef CHR_TESTS_LIB_DRAWING_H
#define CHR_TESTS_LIB_DRAWING_H

#include "tests/lib/edges.h"
#include "tests/lib/rig.h"

struct chr_drawing {
	struct chr_rig rig;
	jack_client_t *client;
	struct chr_edge_set drawn; /* what people drew and the patch had, as people name it: in lane a, to out too */
};

/* Starts the patch, in two lanes, and opens the client that draws. */
void chr_drawing_begin(struct chr_drawing *drawing, const char *patch);
void chr_drawing_end(struct chr_drawing *drawing);

/* Opens the client that draws; chr_drawing_begin() has done that. */
void chr_drawing_open(struct chr_drawing *drawing);

/* Draws an edge in lane a. */
void chr_drawing_draw(struct chr_drawing *drawing, const char *from, const char *to);

/* An end's name in a lane: lane b's clients bear ".b", other programs are in none. Returns `name`. */
const char *chr_drawing_in_lane(const char *end, unsigned lane, char name[CHR_EDGE_END]);
/* Is it a port of the other program? */
bool chr_drawing_foreign(const char *end);
/* Is it a port of out, or of what out plays to? */
bool chr_drawing_at_out(const char *end);

/* Waits until the system says that nothing is under way. */
bool chr_drawing_settle(struct chr_drawing *drawing);

/* Once it has settled: "" when what is drawn, desired and made is one, in both lanes, else what is not, with the log shown. The edges at out are
 * left out of what is made: they depend on which lane is heard. Static memory, until the next call. */
const char *chr_drawing_wrong(struct chr_drawing *drawing);
/* The same, as a verdict. */
void chr_drawing_judge(struct chr_drawing *drawing, const char *when);

/* Waits until all that is drawn is made. */
bool chr_drawing_returns(struct chr_drawing *drawing, int timeout_ms);

/* The other program: a client "other" with the ports in_1, in_2, out_1, out_2. The caller closes it. */
jack_client_t *chr_drawing_other(void);

#endif
