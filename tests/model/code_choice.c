/* The choice, compiled so that it announces every access to the explorer. */
#include "common/choice.c" /* NOLINT(bugprone-suspicious-include) */
