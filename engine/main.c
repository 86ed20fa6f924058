#include "common/log.h"
#include "common/slot.h"
#include "engine/crash.h"
#include "engine/orders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#ifndef CHR_VERSION
#define CHR_VERSION "unknown"
#endif

static const char help[] =
	"chronus-module: one module of a Chronus patch as a JACK client of its own.\n"
	"It is started by chronus, which hands it its descriptors and gives it orders; there is nothing to start by hand.\n"
	"\n"
	"  --version  print the version\n"
	"  --help     print this\n";

/* Are all descriptors open that the supervisor hands over? */
static int was_spawned(void)
{
	for (int fd = CHR_FD_SLOT; fd < CHR_FD_FIRST_FREE; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return 0;
	return 1;
}

static int live(void)
{
	chr_log_identity("module", NULL, 0);
	struct chr_slot *slot = chr_slot_map(CHR_FD_SLOT, 1);
	if (!slot) {
		chr_error("cannot map the slot: %s", errno == EPROTO ? "it is another version's" : strerror(errno));
		return EX_PROTOCOL;
	}
	/* First of all: from here on the supervisor sees this process die. */
	int rc = chr_slot_live(slot);
	if (!rc)
		rc = chr_crash_install(slot);
	if (rc) {
		chr_error("cannot make the slot this process's own: %s", strerror(-rc));
		return EX_OSERR;
	}
	return chr_orders_serve(slot);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("chronus-module " CHR_VERSION);
		return EX_OK;
	}
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(help, stdout);
		return EX_OK;
	}
	if (argc > 1 || !was_spawned()) {
		fputs(help, stderr);
		return EX_USAGE;
	}
	return live();
}
