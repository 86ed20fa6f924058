#include "supervisor/wiring_loops.h"

static bool leads(const struct chr_loops *loops, unsigned from, unsigned to)
{
	return from == to || chr_members_has(&loops->reach[from], to);
}

static void put(struct chr_members *set, unsigned member)
{
	set->word[member / 64] |= UINT64_C(1) << member % 64;
}

bool chr_loops_add(struct chr_loops *loops, unsigned from, unsigned to, struct chr_members *loop)
{
	*loop = (struct chr_members){0};
	if (leads(loops, to, from)) {
		for (unsigned i = 0; i < CHR_LOOPS_NODES; i++)
			if (leads(loops, to, i) && leads(loops, i, from))
				put(loop, i);
		return true;
	}
	const struct chr_members beyond = loops->reach[to];
	for (unsigned i = 0; i < CHR_LOOPS_NODES; i++) {
		if (!leads(loops, i, from))
			continue;
		put(&loops->reach[i], to);
		for (unsigned k = 0; k < CHR_LOOPS_WORDS; k++)
			loops->reach[i].word[k] |= beyond.word[k];
	}
	return false;
}

unsigned chr_loops_depth(const struct chr_loops *loops, unsigned member)
{
	unsigned depth = 0;
	for (unsigned i = 0; i < CHR_LOOPS_NODES; i++)
		depth += chr_members_has(&loops->reach[i], member);
	return depth;
}

void chr_loops_draw(struct chr_loops *loops, unsigned from, unsigned to)
{
	put(&loops->reach[from], to);
}

void chr_loops_members(struct chr_loops *loops, struct chr_members *looped)
{
	*looped = (struct chr_members){0};
	/* Warshall's: from i over none but the first members up to `over` */
	for (unsigned over = 0; over < CHR_LOOPS_NODES; over++)
		for (unsigned i = 0; i < CHR_LOOPS_NODES; i++)
			for (unsigned k = 0; chr_members_has(&loops->reach[i], over) && k < CHR_LOOPS_WORDS; k++)
				loops->reach[i].word[k] |= loops->reach[over].word[k];
	for (unsigned i = 0; i < CHR_LOOPS_NODES; i++)
		if (chr_members_has(&loops->reach[i], i))
			put(looped, i);
}
