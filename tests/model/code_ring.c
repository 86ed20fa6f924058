/* The ring, compiled so that it announces every access to the explorer. */
#include "common/ring.c" /* NOLINT(bugprone-suspicious-include) */
