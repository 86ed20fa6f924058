/* watch: subscribes and prints what the server tells, renewing the lease, which is also how a lost server is noticed. */
#include "tools/chronusctl.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LEASE_S 60
#define RENEW_S 5 /* at the latest; sooner than the lease needs, to notice soon that the server is gone */

static volatile sig_atomic_t ended;

static void on_end(int number)
{
	ended = number;
}

struct watch {
	struct chr_ctl *ctl;
	uint64_t renew_us;  /* when to subscribe again */
	uint64_t answer_us; /* until when the server must answer; 0: no answer is due */
};

static int subscribe(struct watch *watch)
{
	lo_message message = lo_message_new();
	lo_message_add_int32(message, LEASE_S);
	int code = chr_ctl_send(watch->ctl, "/chronus/subscribe", message);
	lo_message_free(message);
	uint64_t now_us = chr_osc_now_us();
	if (!watch->answer_us)
		watch->answer_us = now_us + (uint64_t)(watch->ctl->timeout_s * 1e6);
	watch->renew_us = now_us + RENEW_S * 1000000u;
	return code;
}

/* The server may grant less than was asked for. */
static void take_lease(struct watch *watch, lo_message message)
{
	json_t *granted = chr_ctl_json_value(message, 0);
	double seconds = json_number_value(granted) / 2;
	json_decref(granted);
	watch->answer_us = 0;
	if (seconds > 0 && seconds < RENEW_S)
		watch->renew_us = chr_osc_now_us() + (uint64_t)(seconds * 1e6);
}

static double wall_clock(char *text, size_t bytes)
{
	struct timespec now;
	struct tm local;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	size_t used = strftime(text, bytes, "%H:%M:%S", &local);
	snprintf(text + used, bytes - used, ".%03ld", now.tv_nsec / 1000000);
	long ms = now.tv_nsec / 1000000;
	return (double)now.tv_sec + (double)ms / 1e3;
}

/* An object with "module" and either "param" and "value" or "lane" and "state"; NULL when the message is neither. */
static json_t *make_change(const struct chr_osc_reply *reply)
{
	const char *param = strchr(reply->path + 1, '/');
	if (strcmp(reply->path, "/chronus/state") == 0)
		return json_pack("{s:o, s:o, s:o}", "module", chr_ctl_json_value(reply->message, 0), "lane",
				 chr_ctl_json_value(reply->message, 1), "state", chr_ctl_json_value(reply->message, 2));
	if (!param || strncmp(reply->path, "/chronus/", 9) == 0)
		return NULL;
	return json_pack("{s:s%, s:s, s:o}", "module", reply->path + 1, (size_t)(param - reply->path - 1), "param", param + 1,
			 "value", chr_ctl_json_value(reply->message, 0));
}

static void print_change(const struct chr_ctl *ctl, const struct chr_osc_reply *reply)
{
	char clock[32], a[256], b[256], c[256];
	json_t *change = make_change(reply);
	if (!change)
		return;
	double seconds = wall_clock(clock, sizeof clock);
	if (ctl->json) {
		json_object_set_new(change, "time", json_real(seconds));
		chr_ctl_json_print(change, true);
	} else {
		bool state = json_object_get(change, "state") != NULL;
		printf("%s%s%s  %s%c%s  %s\n", chr_color_begin(CHR_DIM, ctl->color), clock, chr_color_end(CHR_DIM, ctl->color),
		       chr_ctl_text(json_object_get(change, "module"), a, sizeof a), state ? ' ' : '/',
		       chr_ctl_text(json_object_get(change, state ? "lane" : "param"), b, sizeof b),
		       chr_ctl_text(json_object_get(change, state ? "state" : "value"), c, sizeof c));
	}
	json_decref(change);
	fflush(stdout);
}

static int run(struct watch *watch)
{
	struct chr_ctl *ctl = watch->ctl;
	int code = subscribe(watch);
	while (!code && !ended && !ferror(stdout)) {
		uint64_t until_us = watch->answer_us && watch->answer_us < watch->renew_us ? watch->answer_us : watch->renew_us;
		struct chr_osc_reply reply;
		code = chr_ctl_next(ctl, until_us, &reply);
		if (!code) {
			if (strcmp(reply.path, "/chronus/subscribed") == 0)
				take_lease(watch, reply.message);
			else
				print_change(ctl, &reply);
			chr_osc_reply_finish(&reply);
		} else if (code == EX_TEMPFAIL) {
			code = 0;
		}
		uint64_t now_us = chr_osc_now_us();
		if (!code && watch->answer_us && now_us >= watch->answer_us)
			code = chr_ctl_nobody(ctl);
		else if (!code && !ended && now_us >= watch->renew_us)
			code = subscribe(watch);
	}
	return code;
}

int chr_ctl_watch(struct chr_ctl *ctl, int count, char **argument)
{
	(void)count;
	(void)argument;
	struct watch watch = {.ctl = ctl};
	struct sigaction action = {.sa_handler = on_end};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	int code = chr_ctl_open(ctl);
	if (!code)
		code = run(&watch);
	if (!code)
		chr_ctl_send(ctl, "/chronus/unsubscribe", NULL);
	return code;
}
