/* The dated copy of the tables in a Markdown file, between two marker lines. */
#include "tools/bench.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEGIN "<!-- bench -->"
#define END   "<!-- /bench -->"

/* The whole file as text; the caller frees it. NULL when it cannot be read. */
static char *read_all(const char *path)
{
	char *text = NULL, part[4096];
	size_t bytes;
	FILE *in = fopen(path, "r"), *out = in ? open_memstream(&text, &bytes) : NULL;
	for (size_t n; out && (n = fread(part, 1, sizeof part, in)) > 0;)
		fwrite(part, 1, n, out);
	if (out)
		fclose(out);
	if (in)
		fclose(in);
	return text;
}

static int write_around(const struct chr_bench *bench, const char *path, const char *text, const char *begin, const char *end)
{
	char beside[4096];
	snprintf(beside, sizeof beside, "%s.new", path);
	FILE *out = fopen(beside, "w");
	if (!out)
		return -1;
	fprintf(out, "%.*s%s\n", (int)(begin - text), text, BEGIN);
	chr_bench_markdown(bench, out);
	fputs(end, out);
	if (fclose(out) || rename(beside, path)) {
		unlink(beside);
		return -1;
	}
	return 0;
}

int chr_bench_rewrite(const struct chr_bench *bench, const char *path)
{
	char *text = read_all(path);
	const char *begin = text ? strstr(text, BEGIN) : NULL, *end = begin ? strstr(begin, END) : NULL;
	int rc = end ? write_around(bench, path, text, begin, end) : -1;
	if (!text)
		fprintf(stderr, "chronus-bench: %s cannot be read\n", path);
	else if (!end)
		fprintf(stderr, "chronus-bench: %s has no lines \"" BEGIN "\" and \"" END "\" to write between\n", path);
	else if (rc)
		fprintf(stderr, "chronus-bench: %s cannot be written\n", path);
	free(text);
	return rc;
}
