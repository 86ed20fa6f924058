#include "common/awake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A line of a file of that folder. 0 or -errno. */
static int read_line(const char *folder, const char *name, char *line, int bytes)
{
	char path[256];
	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return -ENAMETOOLONG;
	FILE *f = fopen(path, "re");
	if (!f)
		return -errno;
	int rc = fgets(line, bytes, f) ? 0 : -EIO;
	fclose(f);
	line[strcspn(line, "\n")] = 0;
	return rc;
}

int chr_awake_fitting_us(const char *folder)
{
	char line[64] = "";
	int us, rc = read_line(folder, "cpuidle/current_driver", line, sizeof line);
	if (!rc && strcmp(line, "haltpoll") == 0)
		return 0;
	/* state 0 is to spin */
	if (!rc)
		rc = read_line(folder, "cpu0/cpuidle/state1/latency", line, sizeof line);
	if (rc)
		return rc;
	return sscanf(line, "%9d", &us) == 1 && us >= 0 ? us : -EINVAL;
}

int chr_awake_hold(const char *device, int32_t us)
{
	int fd = open(device, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t wrote = write(fd, &us, sizeof us);
	if (wrote == sizeof us)
		return fd;
	int rc = wrote < 0 ? -errno : -EIO;
	close(fd);
	return rc;
}
