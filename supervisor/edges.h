/* A list of edges between ports, in order, each there once; the one asked for is found by its hash.
 *
 * Control thread, or whoever has the list; nothing is shared. `edges` begins zeroed.
 */
#ifndef CHR_SUPERVISOR_EDGES_H
#define CHR_SUPERVISOR_EDGES_H

#include "supervisor/patch.h"

#include <stdbool.h>
#include <stdint.h>

#define CHR_EDGES_NO_PLACE (~0u)

struct chr_edge {
	char from[CHR_EDGE_NAME_MAX], to[CHR_EDGE_NAME_MAX];
	bool held;   /* desired, but not to be made yet: the client at one end is not active, or one in the loop that it closes */
	bool sure;   /* both ends are clients of ours that are active: nobody has to look whether the ports are there */
	bool closes; /* a loop with the edges before it: JACK is to delay this one */
	unsigned around; /* of one that closes loops: how many modules and programs lie on those */
	bool ordered;    /* JACK is to add up what comes to its input in the order of this list */
	/* of a logical one: */
	uint64_t drawn_us; /* when a person last drew it; chr_monotonic_us(), 0: never */
	unsigned place; /* in the file that was loaded last; CHR_EDGES_NO_PLACE: in none, and so it is told behind those that are */
};

struct chr_edges {
	struct chr_edge *edge; /* heap */
	unsigned count, space;
	unsigned *place; /* heap, 2 * space of them: of the edge with that hash, plus one; 0: none */
};

/* Does it lead from that port to that one? */
bool chr_edge_joins(const struct chr_edge *edge, const char *from, const char *to);
/* Are two ports, as JACK names them ("client:port"), ports of one client? */
bool chr_edge_same_client(const char *a, const char *b);

/* Appends unless it is there. 0 or -ENOMEM. */
int chr_edges_add(struct chr_edges *edges, const char *from, const char *to);
/* Takes it away. True when it was there. */
bool chr_edges_remove(struct chr_edges *edges, const char *from, const char *to);
int chr_edges_find(const struct chr_edges *edges, const char *from, const char *to);
/* Ends of edges were given other names in place. */
void chr_edges_renamed(struct chr_edges *edges);
void chr_edges_finish(struct chr_edges *edges);

#endif
