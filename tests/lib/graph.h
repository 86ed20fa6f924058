/* The JACK graph as text, for comparing before and after. Main thread. */
#ifndef CHR_TESTS_LIB_GRAPH_H
#define CHR_TESTS_LIB_GRAPH_H

#include <jack/jack.h>

/* Every connection with no end at the client `but` (NULL: every connection): lines "source -> sink", sorted. The caller frees it. */
char *chr_graph_text(jack_client_t *client, const char *but);

#endif
