/* The parts of bench_accuracy: a module played from memory, and what is measured of each. Main thread. */
#ifndef CHR_TOOLS_ACCURACY_H
#define CHR_TOOLS_ACCURACY_H

#include "common/module.h"
#include "tools/figures.h"

#include <stdbool.h>
#include <stdint.h>

/* An instance of a module with a buffer for every port and a course for every parameter. */
struct player {
	const struct chr_module *module;
	void *state;
	float rate_hz;
	uint32_t frames; /* length of all buffers */
	float *port[CHR_PORTS_MAX];
	float *course[CHR_PARAMS_MAX];
	bool moves[CHR_PARAMS_MAX]; /* false: the first value of the course holds */
};

/* The folder to load modules from; set once, before the first player. */
extern const char *accuracy_folder;

/* A fresh instance, inputs silent, parameters at their initial values. Ends the program with a message when there is no such module, or
 * no memory; so do the functions that are given a name that the module does not have. */
struct player player_create(const char *module, float rate_hz, uint32_t frames);
void player_destroy(struct player *player);

float *player_port(struct player *player, const char *name);
void player_set(struct player *player, const char *param, float value);

/* The course of a parameter, all of it at the value set last; from now on it counts as moving. */
float *player_course(struct player *player, const char *param);

/* One call of process on the frames `at` .. `at + count` - 1; then calls of 256 frames on all of them. */
void player_run(struct player *player, uint32_t at, uint32_t count);
void player_play(struct player *player);

/* What is measured. Each adds its rows to the table. */
void accuracy_sine(struct figures *figures);
void accuracy_adsr(struct figures *figures);
void accuracy_responses(struct figures *figures);
void accuracy_stability(struct figures *figures);

/* A biquad in a mode of cookbook_modes. */
struct player player_filter(unsigned mode, float rate_hz, float cutoff_hz, float q, float gain_db, uint32_t frames);

#endif
