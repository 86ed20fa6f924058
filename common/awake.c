#include "common/awake.h"

#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 8192 /* flags of a processor */
#define REAP_MS    500
#define LOOK_US    1000000u
#define RESTS      1000 /* between two looks at the clock: some 50 us */

const struct chr_awake_machine chr_awake_machine = {
	.states = "/sys/devices/system/cpu",
	.cpuinfo = "/proc/cpuinfo",
	.groups = "/sys/fs/cgroup",
	.group = "/proc/self/cgroup",
	.device = "/dev/cpu_dma_latency",
};

/* The first line of a file of that folder. 0 or -errno. */
static int read_line(const char *folder, const char *name, char *line, int bytes)
{
	char path[1024];
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

/* ---- the choice ---- */

static bool is_virtual(const char *cpuinfo)
{
	static char line[LINE_BYTES];
	bool found = false;
	FILE *f = fopen(cpuinfo, "re");
	while (f && !found && fgets(line, sizeof line, f))
		found = !strncmp(line, "flags", 5) && strstr(line, " hypervisor");
	if (f)
		fclose(f);
	return found;
}

/* Is the processor time of that group of version 2, or of one above it, limited? `path` begins with a slash and is used up. */
static bool limited_above(const char *groups, char *path)
{
	char line[64], name[600];
	for (char *end = path + strlen(path); end; end = strrchr(path, '/')) {
		*end = 0;
		snprintf(name, sizeof name, "%.500s/cpu.max", path);
		if (!read_line(groups, name, line, sizeof line) && strncmp(line, "max", 3) != 0)
			return true;
	}
	return false;
}

/* Does the group of version 1 have a limit? */
static bool limited_one(const char *groups, const char *path)
{
	char line[64], name[600];
	snprintf(name, sizeof name, "cpu%.500s/cpu.cfs_quota_us", path);
	return !read_line(groups, name, line, sizeof line) && strtol(line, NULL, 10) > 0;
}

/* Is this process given a share of the processors' time? A process that spins would use it up. */
static bool is_limited(const struct chr_awake_machine *machine)
{
	char line[600];
	bool limited = false;
	FILE *f = fopen(machine->group, "re");
	/* number:controllers:path; version 2 has no controllers */
	while (f && !limited && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = 0;
		if (!controllers[1])
			limited = limited_above(machine->groups, path);
		else if (!strcmp(controllers, ":cpu") || strstr(controllers, ":cpu,") || strstr(controllers, ",cpu,"))
			limited = limited_one(machine->groups, path);
	}
	if (f)
		fclose(f);
	return limited;
}

static int fitting_us(const struct chr_awake_machine *machine, const char *driver, bool asleep_elsewhere)
{
	char line[64] = "";
	int us;
	if (asleep_elsewhere || !strcmp(driver, "haltpoll"))
		return 0;
	/* state 0 is to spin */
	int rc = read_line(machine->states, "cpu0/cpuidle/state1/latency", line, sizeof line);
	if (rc)
		return rc;
	return sscanf(line, "%9d", &us) == 1 && us >= 0 ? us : -EINVAL;
}

struct chr_awake_way chr_awake_choose(const struct chr_awake_machine *machine, int us)
{
	char driver[64] = "";
	bool states = !read_line(machine->states, "cpuidle/current_driver", driver, sizeof driver) && strcmp(driver, "none") != 0;
	bool is_guest = is_virtual(machine->cpuinfo);
	struct chr_awake_way way = {.us = us == CHR_AWAKE_FITTING ? fitting_us(machine, driver, is_guest) : us};
	way.spin = way.us == 0 && is_guest && !states;
	if (way.spin && is_limited(machine))
		way = (struct chr_awake_way){.us = -EDQUOT};
	return way;
}

/* ---- and what it takes ---- */

static int hold(const char *device, int32_t us)
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

/* Whom a process that keeps processors awake belongs to. */
struct owner {
	pid_t pid;
	chr_awake_needed needed;
	void *self;
};

/* Ends this process when nobody needs it. */
static void look_around(const struct owner *owner)
{
	if (getppid() != owner->pid && (!owner->needed || !owner->needed(owner->self)))
		_exit(0);
}

static void rest(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
	__asm__ volatile("yield");
#endif
}

static _Noreturn void spin(int processor, const struct owner *owner)
{
	cpu_set_t alone;
	CPU_ZERO(&alone);
	CPU_SET((unsigned)processor, &alone);
	close_range(0, ~0u, 0);
	if (sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0}) || sched_setaffinity(0, sizeof alone, &alone))
		_exit(1);
	for (uint64_t look_us = 0;; look_us = chr_monotonic_us() + LOOK_US) {
		while (chr_monotonic_us() < look_us)
			for (unsigned i = 0; i < RESTS; i++)
				rest();
		look_around(owner);
	}
}

static _Noreturn void hold_on(int device, const struct owner *owner)
{
	const struct timespec nap = {.tv_nsec = 999999999};
	if (device > 0)
		close_range(0, (unsigned)device - 1, 0);
	close_range((unsigned)device + 1, ~0u, 0);
	for (;;) {
		nanosleep(&nap, NULL);
		look_around(owner);
	}
}

/* A child of this process. 0 in the child, else its pid or -errno. */
static pid_t fork_keeper(const struct owner *owner)
{
	pid_t pid = fork();
	if (pid)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_NAME, "chronus-awake");
	if (!owner->needed)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return 0;
}

/* On every processor that this process may use, one each. 0 or -errno. */
static int spin_on_all(struct chr_awake *awake, const struct owner *owner)
{
	cpu_set_t all;
	if (sched_getaffinity(0, sizeof all, &all))
		return -errno;
	awake->spins = true;
	awake->keeper = calloc((size_t)CPU_COUNT(&all) + 1, sizeof *awake->keeper);
	if (!awake->keeper)
		return -ENOMEM;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET((unsigned)i, &all))
			continue;
		pid_t pid = fork_keeper(owner);
		if (!pid)
			spin(i, owner);
		if (pid < 0)
			return pid;
		awake->keeper[awake->keepers++] = pid;
	}
	return 0;
}

/* A process that has the device open. 0 or -errno. */
static int hold_apart(struct chr_awake *awake, const char *device, int32_t us, const struct owner *owner)
{
	awake->keeper = calloc(1, sizeof *awake->keeper);
	int fd = awake->keeper ? hold(device, us) : -ENOMEM;
	if (fd < 0)
		return fd;
	pid_t pid = fork_keeper(owner);
	if (!pid)
		hold_on(fd, owner);
	close(fd);
	if (pid < 0)
		return pid;
	awake->keeper[awake->keepers++] = pid;
	return 0;
}

int chr_awake_begin(struct chr_awake *awake, const struct chr_awake_machine *machine, int us, chr_awake_needed needed, void *self)
{
	const struct owner owner = {.pid = getpid(), .needed = needed, .self = self};
	struct chr_awake_way way = chr_awake_choose(machine, us);
	*awake = (struct chr_awake){0};
	if (way.us < 0)
		return way.us;
	int rc = way.spin ? spin_on_all(awake, &owner) : hold_apart(awake, machine->device, way.us, &owner);
	if (rc < 0)
		chr_awake_end(awake);
	return rc < 0 ? rc : way.us;
}

/* One that is to die has to run for that, which under load takes its time: it need not be waited for until then. */
static void reap(pid_t pid)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	for (int i = 0; i < REAP_MS && !waitpid(pid, NULL, WNOHANG); i++)
		nanosleep(&moment, NULL);
}

void chr_awake_end(struct chr_awake *awake)
{
	for (unsigned i = 0; i < awake->keepers; i++)
		kill(awake->keeper[i], SIGKILL);
	for (unsigned i = 0; i < awake->keepers; i++)
		reap(awake->keeper[i]);
	free(awake->keeper);
	*awake = (struct chr_awake){0};
}
