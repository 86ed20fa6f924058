/* The machine in one line, without its name or anybody's. */
#include "tests/lib/child.h"
#include "tools/bench.h"

#include <jack/jack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void processor(char *text, size_t bytes)
{
	char line[256];
	FILE *f = fopen("/proc/cpuinfo", "r");
	snprintf(text, bytes, "unknown processor");
	while (f && fgets(line, sizeof line, f)) {
		const char *value = strchr(line, ':');
		if (strncmp(line, "model name", 10) == 0 && value) {
			snprintf(text, bytes, "%s", value + 2);
			text[strcspn(text, "\n")] = 0;
			break;
		}
	}
	if (f)
		fclose(f);
}

/* Libjack's version string is empty in Debian's jackd2: then the program tells. */
static void jack_version(char *text, size_t bytes)
{
	char line[128] = "", path[] = "/tmp/chronus-bench-XXXXXX";
	char *argv[] = {"jackd", "--version", NULL}, *version = NULL;
	struct chr_child child;
	int fd = mkstemp(path);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && chr_child_start(&child, argv, path) == 0 && !chr_child_ended(&child, 3000))
		chr_child_end(&child, 0);
	FILE *f = fopen(path, "r");
	while (f && !version && fgets(line, sizeof line, f))
		version = strstr(line, "version ");
	if (f)
		fclose(f);
	unlink(path);
	snprintf(text, bytes, "%s", version ? version + 8 : jack_get_version_string());
	text[strcspn(text, " \n")] = 0;
}

void chr_bench_machine(char *text, size_t bytes)
{
	char model[128], jack[32], date[32];
	struct utsname kernel;
	time_t now = time(NULL);
	unsigned major = 0, minor = 0;
	processor(model, sizeof model);
	jack_version(jack, sizeof jack);
	if (uname(&kernel) || sscanf(kernel.release, "%u.%u", &major, &minor) != 2)
		major = minor = 0;
	strftime(date, sizeof date, "%Y-%m-%d", gmtime(&now));
	snprintf(text, bytes, "%s, %ld cores, Linux %u.%u, JACK %s, 48 kHz, dummy driver, %s", model, sysconf(_SC_NPROCESSORS_ONLN),
		 major, minor, jack, date);
}
