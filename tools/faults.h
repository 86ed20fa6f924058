/* The fault campaign: which faults there are, what one of them did, and what is made of all of them. */
#ifndef CHR_TOOLS_FAULTS_H
#define CHR_TOOLS_FAULTS_H

#include "tools/faults_session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chr_campaign;
struct chr_shot;
struct chr_picture;

/* Flags of a kind of fault. */
#define CHR_KIND_SINGLE 1u /* strikes one process of one module: what the promise is about */
#define CHR_KIND_DEATH  2u /* the process dies by it, at a moment that is known: detection and repair are timed */
#define CHR_KIND_FRESH                                                                                                             \
	4u /* nothing is left to join: silence is judged instead of samples, and a new reference is taken afterwards */
#define CHR_KIND_ONCE  8u   /* struck once in a campaign, whatever --count says */
#define CHR_KIND_JACKD 16u  /* on jackd2 alone */
#define CHR_KIND_TWO   32u  /* with two lanes alone */
#define CHR_KIND_SOLE  64u  /* begins and ends with a chronus of its own */
#define CHR_KIND_MILD  128u /* it may well be that nothing dies of it */

struct chr_kind {
	const char *name, *help;
	unsigned flags;
	int signal;         /* of those that a signal from outside does */
	enum chr_deed deed; /* of those that the process does itself */
	/* Strikes, and returns when the blow has fallen: sets shot->at_us. 0; -1 when it could not. Waiting for the repair is the caller's,
	 * but for kinds with CHR_KIND_SOLE. */
	int (*strike)(struct chr_campaign *campaign, struct chr_shot *shot);
};

extern const struct chr_kind chr_kind[];
extern const unsigned chr_kind_count;

/* One fault. */
struct chr_shot {
	const struct chr_kind *kind;
	char module[CHR_NAME_MAX];
	unsigned lane;
	pid_t pid;
	uint64_t at_us;   /* CLOCK_MONOTONIC; 0: it was not struck */
	uint64_t frame;   /* as the judge counts */
	uint32_t lost;    /* frames */
	uint32_t by[4];   /* of these, by enum chr_loss_kind */
	uint64_t lost_at; /* the first of them */
	bool stalled;     /* the sentinel missed frames at the same time as some of them were lost */
	bool stood;       /* a processor stood still meanwhile, see struct chr_session */
	bool unrecovered; /* not everything played again in time */
	bool failed;      /* what the kind itself checks was not so */
	double seen_us;   /* from the blow until the supervisor saw it; negative: not known */
	double repair_ms; /* from the blow until all instances played again; negative: not known */
	char note[96];
};

struct chr_campaign_options {
	unsigned period, lanes, count;
	uint32_t seed;
	bool pipewire, quick, verbose, cost, processors;
	const char *patch, *faults, *json, *picture, *log;
};

struct chr_campaign {
	struct chr_campaign_options options;
	struct chr_session session;
	uint32_t random;
	struct chr_shot *shot; /* all that were struck */
	unsigned shots, room;
	struct chr_shot *now;   /* to whom losses are put down; NULL: nobody */
	uint32_t stray;         /* frames lost while no fault was going on */
	uint32_t stray_stalled; /* of these, with the sentinel's */
	double stolen_s;        /* chr_stall_stolen_s() at the begin */
	uint64_t begun_us;
	struct chr_picture *picture;
	/* cost */
	double cpu[CHR_LANES]; /* share of one core */
};

/* 0 <= result < below. */
uint32_t chr_campaign_draw(struct chr_campaign *campaign, uint32_t below);

/* Starts or ends the chronus of the campaign. 0 or -1. */
int chr_campaign_begin(struct chr_campaign *campaign, const char *patch, const char *restart);
void chr_campaign_end(struct chr_campaign *campaign);

/* Strikes one fault and sees it through; the result is in the campaign's list. 0, or -1 when the campaign cannot go on. */
int chr_campaign_shoot(struct chr_campaign *campaign, const struct chr_kind *kind);

/* All of it: the faults in random order. 0 or -1. */
int chr_campaign_run(struct chr_campaign *campaign);
int chr_campaign_cost(struct chr_campaign *campaign);

/* Is `name` in the comma-separated list (NULL: everything is)? */
bool chr_campaign_listed(const char *list, const char *name);

/* Are all of a list kinds of faults? 0; -EINVAL after telling which one is not, in the name of `program`. */
int chr_campaign_check(const char *program, const char *list);

/* Prints the table and the bars, writes the JSON. Returns how many bars do not hold. */
unsigned chr_report(const struct chr_campaign *campaign);

/* The picture: what was heard, with the faults marked, as SVG. */
struct chr_picture *chr_picture_create(unsigned rate);
void chr_picture_destroy(struct chr_picture *picture);
/* Sound, as the session hands it over. */
void chr_picture_heard(void *picture, uint64_t frame, uint32_t frames, const float *const data[]);
/* A fault is over: keeps the sound around it when it is among the first or was heard. */
void chr_picture_shot(struct chr_picture *picture, const struct chr_shot *shot);
int chr_picture_write(const struct chr_picture *picture, const struct chr_campaign *campaign, const char *path);

#endif
