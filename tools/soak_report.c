/* What a soak comes to: a table, the verdicts, JSON. */
#include "tools/soak.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void print_number(double value)
{
	if (isnan(value))
		printf("%12s", "-");
	else
		printf("%12.4g", value);
}

static void print_table(const struct chr_soak *soak)
{
	printf("%-26s%12s%12s%14s  %s\n", "", "start", "end", "slope/min", "unit");
	for (unsigned i = 0; i < CHR_SOAK_MEASURES; i++) {
		struct chr_soak_trend trend = chr_soak_trend_of(&soak->record, i);
		printf("%-26s", chr_soak_name[i].name);
		print_number(trend.start);
		print_number(trend.end);
		printf("  ");
		print_number(trend.slope);
		printf("  %s\n", chr_soak_name[i].unit);
	}
}

static void print_rest(const struct chr_soak *soak)
{
	const struct chr_soak_record *record = &soak->record;
	if (record->rested)
		printf("at rest: descriptors %u, then %u; copies of code %u, %u; threads %u, %u; processes %u, %u\n",
		       record->before.fds, record->after.fds, record->before.copies, record->after.copies, record->before.threads,
		       record->after.threads, record->before.processes, record->after.processes);
	printf("%u values played (%u refused), %u connections drawn or erased, %u edits over OSC (%u refused), %u pings\n",
	       soak->played, soak->play_refused, soak->drawn, record->edits, record->refused, record->pings);
	printf("frames that out skipped while the machine did not stall: %u; that the sentinel missed: %llu\n",
	       record->skipped_frames, (unsigned long long)soak->campaign.session.stalled_frames);
}

/* How often each kind struck. */
static void print_faults(const struct chr_soak *soak)
{
	const char *comma = "faults: ";
	for (unsigned k = 0; k < chr_kind_count; k++) {
		unsigned count = 0;
		for (unsigned i = 0; i < soak->faults; i++)
			count += soak->fault[i].kind == &chr_kind[k];
		if (!count)
			continue;
		printf("%s%u %s", comma, count, chr_kind[k].name);
		comma = ", ";
	}
	printf("%s\n", soak->faults ? "" : "no faults");
}

unsigned chr_soak_report(const struct chr_soak *soak)
{
	static struct figures figures;
	bool quiet = soak->options.json && strcmp(soak->options.json, "-") == 0;
	chr_soak_judge(&soak->record, &figures);
	if (!quiet) {
		print_table(soak);
		print_rest(soak);
		print_faults(soak);
		figures_print(&figures);
	}
	unsigned missed = figures_missed(&figures);
	if (soak->options.json && chr_soak_write_json(soak, &figures))
		missed++;
	if (soak->options.svg && chr_soak_write_svg(soak))
		missed++;
	return missed;
}

/* ---- JSON ---- */

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *samples(const struct chr_soak_record *record)
{
	json_t *array = json_array();
	for (size_t i = 0; i < record->samples; i++) {
		json_t *object = json_pack("{s:f}", "at_s", record->sample[i].at_s);
		for (unsigned k = 0; k < CHR_SOAK_MEASURES; k++)
			json_object_set_new(object, chr_soak_name[k].key, number(record->sample[i].value[k]));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *faults(const struct chr_soak *soak)
{
	json_t *array = json_array();
	for (unsigned i = 0; i < soak->faults; i++) {
		const struct chr_soak_fault *fault = &soak->fault[i];
		json_array_append_new(array, json_pack("{s:f, s:s, s:s, s:s, s:o, s:b}", "at_s", fault->at_s, "fault",
						       fault->kind->name, "module", fault->module, "lane", fault->lane ? "b" : "a",
						       "repair_ms", number(fault->repair_ms), "unrecovered", fault->unrecovered));
	}
	return array;
}

static json_t *summary(const struct chr_soak_record *record)
{
	json_t *object = json_object();
	for (unsigned i = 0; i < CHR_SOAK_MEASURES; i++) {
		struct chr_soak_trend trend = chr_soak_trend_of(record, i);
		json_object_set_new(object, chr_soak_name[i].key,
				    json_pack("{s:o, s:o, s:o, s:o}", "start", number(trend.start), "end", number(trend.end),
					      "slope", number(trend.slope), "growth", number(trend.growth)));
	}
	return object;
}

static json_t *rest(const struct chr_soak_rest *rest)
{
	return json_pack("{s:i, s:i, s:i, s:i}", "fds", rest->fds, "copies", rest->copies, "threads", rest->threads, "processes",
			 rest->processes);
}

int chr_soak_write_json(const struct chr_soak *soak, const struct figures *figures)
{
	const struct chr_soak_options *options = &soak->options;
	const struct chr_soak_record *record = &soak->record;
	json_t *root = json_pack("{s:s, s:i, s:f, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "server",
				 options->pipewire ? "pipewire" : "jackd2", "period", options->period, "minutes", options->minutes,
				 "seed", options->seed, "unrecovered", record->unrecovered, "played", soak->played, "drawn",
				 soak->drawn, "edits", record->edits, "refused", record->refused, "unanswered", record->unanswered,
				 "skipped_frames", record->skipped_frames);
	json_object_set_new(root, "faults", faults(soak));
	json_object_set_new(root, "at_rest",
			    json_pack("{s:o, s:o}", "before", rest(&record->before), "after",
				      record->rested ? rest(&record->after) : json_null()));
	json_object_set_new(root, "summary", summary(record));
	json_object_set_new(root, "verdicts", figures_json(figures));
	json_object_set_new(root, "samples", samples(record));
	errno = 0;
	bool stdout_wanted = strcmp(options->json, "-") == 0;
	int rc = stdout_wanted ? json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9))
			       : json_dump_file(root, options->json, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	if (rc)
		perror(options->json);
	json_decref(root);
	return rc ? -1 : 0;
}
