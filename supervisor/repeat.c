#include "supervisor/repeat.h"

#include <stdio.h>

unsigned chr_repeat_tell(struct chr_repeat *repeat, uint64_t now_us)
{
	unsigned count = ++repeat->untold;
	if (repeat->told_us && now_us - repeat->told_us < CHR_REPEAT_US)
		return 0;
	*repeat = (struct chr_repeat){.told_us = now_us};
	return count;
}

const char *chr_repeat_times(unsigned count)
{
	static char text[64];
	text[0] = 0;
	if (count > 1)
		snprintf(text, sizeof text, " (%u times since it was told last)", count);
	return text;
}
