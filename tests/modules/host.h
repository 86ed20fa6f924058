/* Plays one module in a test as the engine would: long buffers for all ports, a course over them for every parameter, and calls of
 * process on any stretch of them.
 */
#ifndef CHR_TESTS_MODULES_HOST_H
#define CHR_TESTS_MODULES_HOST_H

#include "common/module.h"

#include <stdbool.h>
#include <stdint.h>

#define HOST_MODULES_MAX 64

struct host {
	const struct chr_module *module;
	float sample_rate;
	unsigned channels;  /* handed to the module; ports of higher channels are absent */
	uint32_t frames;    /* length of every buffer and course */
	bool always_moving; /* hands every course over as a moving one, even where it stands still */
	void *state;
	float *port[CHR_PORTS_MAX];
	float *course[CHR_PARAMS_MAX];
};

/* The folder of the modules: CHR_MODULE_DIR, or that of the build. */
const char *host_folder(void);

/* Names of all modules in the folder, sorted; the count, 0 when there is no such folder. Works outside a running test, too. */
unsigned host_list(const char *names[HOST_MODULES_MAX]);

/* Loads the module of that name; it stays loaded. Fails the test when it cannot. */
const struct chr_module *host_load(const char *name);

/* A fresh instance with silent inputs and parameters at their initial values; destroy with host_destroy(). */
struct host *host_create(const struct chr_module *module, float sample_rate, uint32_t frames);
void host_destroy(struct host *host);

/* The state as the engine makes it: zeroed, then init. */
void host_reset(struct host *host);

/* The buffer of a port or the course of a parameter; a name that does not exist fails the test. */
float *host_port(struct host *host, const char *name);
float *host_course(struct host *host, const char *name);

/* Sets a course to one value from frame `at` on. */
void host_set_from(struct host *host, const char *param, uint32_t at, float value);
void host_set(struct host *host, const char *param, float value);

/* Number of the choice called so. */
float host_choice(const struct host *host, const char *param, const char *choice);

/* One call of process on the frames `at` .. `at + count` - 1. */
void host_run(struct host *host, uint32_t at, uint32_t count);

/* All frames in calls of `block` frames. */
void host_play(struct host *host, uint32_t block);

/* Value of a meter. */
uint32_t host_meter(const struct host *host, const char *name);

/* Deterministic random numbers: 0 <= x < 1, and whole numbers 0 .. n - 1. */
double host_random(uint64_t *seed);
uint32_t host_random_below(uint64_t *seed, uint32_t n);

#endif
