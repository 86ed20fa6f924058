/* What a module is, as plain memory: struct chr_module flattened, so that a module process can publish it and the supervisor
 * can learn it without loading the module's code.
 */
#ifndef CHR_COMMON_DESCRIPTOR_H
#define CHR_COMMON_DESCRIPTOR_H

#include "common/module.h"

#include <stdbool.h>
#include <stdint.h>

#define CHR_NAME_MAX 32  /* bytes of a module, port or parameter name, with the final NUL */
#define CHR_HELP_MAX 120 /* bytes of a help line, with the final NUL */

struct chr_port_desc {
	char name[CHR_NAME_MAX];
	char help[CHR_HELP_MAX];
	uint32_t direction; /* enum chr_direction */
	uint32_t signal;    /* enum chr_signal */
	uint32_t channel;
};

struct chr_param_desc {
	char name[CHR_NAME_MAX];
	char unit[16];
	char help[CHR_HELP_MAX];
	char choice[CHR_CHOICES_MAX][CHR_NAME_MAX];
	float min, max, initial;
	float smooth_ms;
	uint32_t scale; /* enum chr_scale */
	uint32_t choice_count;
};

struct chr_descriptor {
	char name[CHR_NAME_MAX];
	char help[CHR_HELP_MAX];
	uint32_t abi, state_version, state_bytes, flags;
	uint32_t port_count, param_count, meter_count;
	uint32_t sound_version;
	char meter[CHR_METERS_MAX][CHR_NAME_MAX];
	struct chr_port_desc port[CHR_PORTS_MAX];
	struct chr_param_desc param[CHR_PARAMS_MAX];
};

/* Flattens `module`, checking every rule of the ABI (names, counts, ranges, defaults inside their ranges, choices). Returns 0, or
 * -EINVAL with the reason in `why` (`why_bytes` long, always terminated). Main thread. */
int chr_descriptor_make(struct chr_descriptor *desc, const struct chr_module *module, char *why, size_t why_bytes);

/* Checks a descriptor that came from another process, as untrusted input, with the same rules: terminated names, legal counts and ranges. 0, or -EINVAL
 * with the reason. The caller passes its own copy, never shared memory. */
int chr_descriptor_check(const struct chr_descriptor *desc, char *why, size_t why_bytes);

/* Index of the port or parameter with that name, or -ENOENT. */
int chr_descriptor_port(const struct chr_descriptor *desc, const char *name);
int chr_descriptor_param(const struct chr_descriptor *desc, const char *name);

/* Begins one table of parameters with the whole other one: are those that both have the same, by name and scale? Then their indices, and what the engine
 * keeps of them, mean the same in both. */
bool chr_descriptor_params_begin(const struct chr_descriptor *a, const struct chr_descriptor *b);

/* Have both the same ports at the same places: name, direction, channel? */
bool chr_descriptor_same_ports(const struct chr_descriptor *a, const struct chr_descriptor *b);

/* Is `name` legal for a module, port or parameter: [a-z][a-z0-9_]*, shorter than CHR_NAME_MAX? */
int chr_name_legal(const char *name);

/* `value` as the parameter can take it: inside the range, choices and toggles on whole numbers. -ERANGE when it is outside
 * or not finite (then *value is unchanged), else 0. */
int chr_param_accept(const struct chr_param_desc *param, float *value);

/* The value nearest to `value` (finite) that the parameter can take. */
float chr_param_nearest(const struct chr_param_desc *param, float value);

/* Value of the choice with that name, or -ENOENT. */
int chr_param_choice(const struct chr_param_desc *param, const char *name);

#endif
