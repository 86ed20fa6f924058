#include "tests/lib/tries.h"

#include <stdio.h>

#define SPOILED_MAX 15

bool chr_tries_again(struct chr_tries *tries, const struct chr_recorder *watch)
{
	*(chr_recorder_stalls(watch) ? &tries->spoiled : &tries->fair) += 1;
	if (tries->spoiled == SPOILED_MAX)
		printf("%s: not judged, the machine stalled in %d tries\n", tries->what, SPOILED_MAX);
	return tries->fair < tries->fair_max && tries->spoiled < SPOILED_MAX;
}

bool chr_tries_refute(const struct chr_tries *tries)
{
	return tries->fair >= tries->fair_max;
}
