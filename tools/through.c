#include "tools/through.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define COPY_ENV "CHRONUS_THROUGH_PIPEWIRE" /* set in the copy */

int chr_through_pipewire(const char *program, char **argv)
{
	char self[PATH_MAX];
	char *with[64] = {"pw-jack", self};
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	int count = 2;
	if (getenv(COPY_ENV))
		return 0;
	if (length < 0)
		return EX_OSERR;
	self[length] = 0;
	for (argv++; *argv && count < 63; argv++)
		with[count++] = *argv;
	setenv(COPY_ENV, "1", 1);
	execvp(with[0], with);
	fprintf(stderr, "%s: pw-jack: %s: install PipeWire's JACK\n", program, strerror(errno));
	return EX_UNAVAILABLE;
}
