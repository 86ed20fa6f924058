/* The join, compiled so that it announces every access to the explorer. */
#include "engine/join.c" /* NOLINT(bugprone-suspicious-include) */
