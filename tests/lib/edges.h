/* Sets of connections as text, for comparing what is drawn, what is desired and what is made. Main thread. */
#ifndef CHR_TESTS_LIB_EDGES_H
#define CHR_TESTS_LIB_EDGES_H

#include <jack/jack.h>
#include <stdbool.h>

#define CHR_EDGE_SET_MAX 512
#define CHR_EDGE_END     96 /* bytes of an end, CLIENT:PORT */

/* Zeroed: empty. */
struct chr_edge_set {
	unsigned count;
	char edge[CHR_EDGE_SET_MAX][2 * CHR_EDGE_END]; /* "from -> to" */
};

/* An edge as a set holds it (static memory, until the next call). */
const char *chr_edge_text(const char *from, const char *to);

/* The two ends of an edge of a set. Aborts when `text` is none. */
void chr_edge_ends(const char *text, char from[CHR_EDGE_END], char to[CHR_EDGE_END]);

/* Is the end a port of that client? */
bool chr_edge_is_of(const char *end, const char *client);

bool chr_edge_set_has(const struct chr_edge_set *set, const char *text);

/* Nothing happens when it is there already, or not there. Aborts when the set is full. */
void chr_edge_set_put(struct chr_edge_set *set, const char *text);
void chr_edge_set_take(struct chr_edge_set *set, const char *text);

/* Puts every audio connection in that JACK makes. */
void chr_edge_set_read(struct chr_edge_set *set, jack_client_t *client);

/* What is in one and not in the other, a line each; "" when they are equal (static memory, until the next call). */
const char *chr_edge_set_difference(const struct chr_edge_set *wanted, const struct chr_edge_set *got);

#endif
